"""How sound records are: programs, bursts, links that point to one place."""

from __future__ import annotations

import math
from collections import Counter
from functools import cache

import numpy as np
import pandas as pd

from tests.oracle.entries import Activity
from tests.oracle.estimates import Z, design_effect, estimate, shrunk_shares
from tests.oracle.people import Told, author_months, calm, complete, frame, months


def bot_share(activity: Activity) -> Told:
    """Programs' records of all."""
    return shrunk_shares(frame({c: {"hits": n, "trials": of, "effect": 1, "n": of} for c, (n, of) in activity.programs.items()}, activity))


def burst_share(activity: Activity) -> Told:
    """Covered months that stand out."""
    rows = {}
    for community in complete(activity):
        covered = months(activity, community)
        counts = author_months(activity, community)["m"].value_counts().reindex(covered, fill_value=0).to_numpy(dtype=float)
        if len(counts):
            fits = counts.sum() in counts[[0, -1]]  # a line goes through all months if only the first or last is not silent
            loud = 0 if fits else (~calm(np.arange(len(counts), dtype=float), counts)).sum()
            rows[community] = {"hits": loud, "trials": len(counts), "effect": 1, "n": len(counts)}
    return shrunk_shares(frame(rows, activity))


def domain_concentration(activity: Activity) -> Told:
    """Pairs of link posts with one host, of all pairs; its error from what each author moves the sum of squared shares by."""
    told = {}
    for community in activity.groups:
        posts = links(activity, community)
        hosts = posts["domain"].str.removeprefix("www.")
        counts, n = Counter(hosts), len(posts)
        if n < 2:
            continue
        value = sum(math.comb(number, 2) for number in counts.values()) / math.comb(n, 2)
        share = hosts.map(counts) / n
        whole = sum((number / n) ** 2 for number in counts.values())
        who = posts["author"].where(posts["author"].notna(), pd.Series([f"nobody {number}" for number in posts.index], index=posts.index))
        pull = (2 * (share - whole) / n).groupby(who).sum()
        half = Z * math.sqrt((pull**2).sum())
        told[community] = estimate(value, max(value - half, 0), min(value + half, 1), n=n)
    return told


@cache
def links(activity: Activity, community: str) -> pd.DataFrame:
    """Give the posts that point out of the platform."""
    entries = activity.groups[community]
    return entries[entries["post"] & entries["domain"].notna()]


def link_fit(activity: Activity, sites: tuple[str, ...]) -> Told:
    """Links to one's own hosts and those below them, of all links."""
    rows = {}
    for community in activity.groups if sites else ():
        posts = links(activity, community)
        hosts = posts["domain"].str.removeprefix("www.")
        own = pd.Series(
            [any(host == site or host.endswith(f".{site}") for site in sites) for host in hosts], index=posts.index, dtype=float
        )
        who = posts["author"].where(posts["author"].notna(), pd.Series([f"nobody {number}" for number in posts.index], index=posts.index))
        sums = pd.DataFrame({"hits": own.groupby(who).sum(), "trials": own.groupby(who).size()}).astype(float)
        effect = design_effect(sums["hits"], sums["trials"])
        rows[community] = {"hits": own.sum(), "trials": len(posts), "effect": effect, "n": len(posts)}
    return shrunk_shares(frame(rows, activity)) if rows else {}
