"""Habits of a place: the rhythm of its records, the votes on them, who returns at equal intensity, who keeps to it."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pandas as pd
from scipy import stats

from tests.oracle.answers import HOURS_48, end
from tests.oracle.entries import MONTH, Activity
from tests.oracle.estimates import Z, design_effect, estimate, per_platform
from tests.oracle.people import Told, by_author, complete, frame, months


def burstiness(activity: Activity) -> Told:
    """Kim and Jo's scale of each month's coefficient of variation; mean over the months of thirty waits and more."""
    told = {}
    for community in complete(activity):
        places = [_scale(stats.variation(some), len(some)) for some in waits(activity, community)]
        if len(places) >= 3:
            half = stats.t.ppf(0.95, len(places) - 1) * stats.sem(places)
            value = np.mean(places)
            told[community] = estimate(value, max(value - half, -1), min(value + half, 1), n=len(places))
    return told


def waits(activity: Activity, community: str) -> list[np.ndarray]:
    """Give the seconds from record to record in each covered month that has thirty such waits, not all of them none."""
    times = activity.groups[community]["t"]
    monthly = [np.diff(np.sort(t)) for m, t in times.groupby(times // MONTH) if m in months(activity, community)]
    return [some for some in monthly if len(some) >= 30 and some.any()]


def _scale(r: float, n: int) -> float:
    """Give the one fraction of lines in r that is −1 at 0, 0 at the spread of chance, and 1 at the largest spread n waits can have."""
    chance, most = math.sqrt((n - 1) / (n + 1)), math.sqrt(n - 1)
    return (r - chance) / ((1 - 2 * chance / most) * r + chance)


def median_score(activity: Activity) -> Told:
    """Median of ln(1 + score) of aged posts; limits at the ranks that the share below it may lie at, authors drawn."""
    told = {}
    for community in activity.groups:
        posts = scored(activity, community)
        score = np.log1p(posts["score"].astype(float).clip(lower=0)).sort_values()
        if score.empty:
            continue
        n, middle = len(score), score.iloc[math.ceil(len(score) / 2) - 1]
        sums = posts.assign(hits=score <= middle, trials=1).dropna(subset=["author"]).groupby("author")[["hits", "trials"]].sum()
        half = Z * math.sqrt(design_effect(sums["hits"].astype(float), sums["trials"].astype(float)) * n) / 2
        low, high = max(math.floor(n / 2 - half), 1), min(math.ceil(n / 2 + half) + 1, n)
        told[community] = estimate(score.median(), score.iloc[low - 1], score.iloc[high - 1], n=n)
    return told


@cache
def scored(activity: Activity, community: str) -> pd.DataFrame:
    """Give the aged posts whose score is shown."""
    entries = activity.groups[community]
    return entries[entries["post"] & entries["score"].notna() & (end(activity, community) - entries["t"] >= HOURS_48)]


def equal_retention(activity: Activity) -> Told:
    """Retention of those who write once, two to four times, and more often, put together in the platform's proportions."""
    tables = followed(activity)
    sizes = {c: table["k"].value_counts() for c, table in tables.items()}
    shown = frame({c: {"trials": size.sum()} for c, size in sizes.items()}, activity)
    mixes = per_platform(shown, lambda seen: sum(sizes[c] for c in seen.index) / seen["trials"].sum())
    weighted = {}
    for community, table in tables.items():
        if len(sizes[community]) and (sizes[community] > 0).all():
            each = mixes[activity.places.at[community, "platform"]] * sizes[community].sum() / sizes[community]
            trials = table["k"].map(each).astype(float)
            weighted[community] = pd.DataFrame({"hits": trials * table["hits"], "trials": trials}).groupby(table["author"]).sum()
    return by_author(activity, weighted)


@cache
def followed(activity: Activity) -> dict[str, pd.DataFrame]:
    """Give the author-months that a covered month follows: k (1, 2 and 5 records and more) and hits (acts in the next)."""
    tables = {}
    for community, entries in complete(activity).items():
        covered = months(activity, community)
        active = entries.dropna(subset=["author"]).groupby(["author", entries["t"] // MONTH]).size()
        active = active[active.index.get_level_values("t").isin(covered)].rename_axis(["author", "m"]).rename("records").reset_index()
        pairs = set(zip(active["author"], active["m"], strict=True))
        active["hits"] = [(author, m + 1) in pairs for author, m in zip(active["author"], active["m"], strict=True)]
        active["k"] = pd.cut(active["records"], [0, 1, 4, math.inf], labels=[1, 2, 5])
        tables[community] = active[active["m"] < covered.stop - 1]
    return tables


def loyalty(activity: Activity) -> Told:
    """Busy months of people here in which, as in the next, at least half of their records on the platform are here."""
    whole = activity.entries[activity.entries["community"].isin(list(complete(activity)))].dropna(subset=["author"])
    whole = whole.assign(m=whole["t"] // MONTH, platform=whole["community"].map(activity.places["platform"]))
    everywhere = whole.groupby(["platform", "author", "m"])["record_id"].nunique()
    tables = {}
    for community, entries in complete(activity).items():
        if shown_whole(activity, community) < 10:
            continue
        covered, known = months(activity, community), entries.dropna(subset=["author"])
        here = known.groupby(["author", known["t"] // MONTH]).size()
        platform = everywhere[activity.places.at[community, "platform"]]
        prefers = {key for key, records in here.items() if 2 * records >= platform[key]}
        rows = [
            (author, (author, m) in prefers and (author, m + 1) in prefers)
            for author, m in here.index
            if platform[author, m] >= 10 and m in covered and m + 1 in covered
        ]
        tables[community] = pd.DataFrame(rows, columns=["author", "hits"]).assign(trials=1).groupby("author")[["hits", "trials"]].sum()
    return by_author(activity, tables)


def shown_whole(activity: Activity, community: str) -> int:
    """Count the communities of the platform of which everything is shown."""
    return int((activity.places.loc[list(complete(activity)), "platform"] == activity.places.at[community, "platform"]).sum())
