"""What people want and would pay for: tiers of intent per author, kinds of need, products, saturation; and engagement."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from discovery.features.amounts import amounts
from discovery.features.intent import read
from discovery.features.phrases import needed
from discovery.features.saturation import named
from discovery.features.text import prose
from tests.oracle.answers import (
    WEEK,
    comments_per_post,
    discussants_per_thread,
    end,
    help_threads,
    per_thread,
    reciprocity,
    solved,
    stores_replies,
)
from tests.oracle.entries import Activity, hashed, words
from tests.oracle.estimates import Z, clump, estimate, shrunk_rates, shrunk_shares
from tests.oracle.kinds import Vote, grouped
from tests.oracle.people import Told, by_author, engaged_share, frame


@cache
def readable(activity: Activity) -> list[str]:
    """Give the communities whose language the lexicon knows."""
    return list(activity.places.index[activity.places["language"] == "en"])


@cache
def voices(activity: Activity, tier: str, among: str = "") -> Told:
    """Share of the authors who wrote anything (or of those of another tier) that show a tier, one vote each."""
    tables = {}
    for community, entries in activity.groups.items():
        known = entries[entries["author"].notna()]
        tiers = known["record_id"].map(lambda record: activity.tiers.get(record, frozenset()))
        worded = (known["title"] != "") | (known["text"] != "")
        trials = tiers.map(lambda found: among in found) if among else worded
        rows = pd.DataFrame({"author": known["author"], "hits": tiers.map(lambda found: tier in found), "trials": trials})
        tables[community] = rows.groupby("author")[["hits", "trials"]].max().astype(int)
    return by_author(activity, tables)


def seeking(activity: Activity) -> Told:
    """T1."""
    return voices(activity, "T1")


def pain(activity: Activity) -> Told:
    """T0."""
    return voices(activity, "T0")


def revealed_spend(activity: Activity) -> Told:
    """T4."""
    return voices(activity, "T4")


def procurement(activity: Activity) -> Told:
    """T3."""
    return voices(activity, "T3")


def hypothetical_pay(activity: Activity) -> Told:
    """T2."""
    return voices(activity, "T2")


def refusal(activity: Activity) -> Told:
    """N."""
    return voices(activity, "N")


def price_sensitivity(activity: Activity) -> Told:
    """S."""
    return voices(activity, "S")


def workaround_rate(activity: Activity) -> Told:
    """W."""
    return voices(activity, "W")


def promotion(activity: Activity) -> Told:
    """P."""
    return voices(activity, "P")


def money(activity: Activity) -> Told:
    """T4 + 0.6 · T3 + 0.25 · T2 − 0.4 · N."""
    weights = {"T4": 1.0, "T3": 0.6, "T2": 0.25, "N": -0.4}
    parts = {tier: voices(activity, tier) for tier in weights}
    told = {}
    for community in parts["T4"]:
        value = sum(weight * parts[tier][community]["value"] for tier, weight in weights.items())
        widths = [weight * (parts[tier][community]["high"] - parts[tier][community]["low"]) / 2 for tier, weight in weights.items()]
        half = math.hypot(*widths)
        told[community] = estimate(value, value - half, value + half, n=parts["T4"][community]["n"])
    return told


def need_votes(activity: Activity) -> dict[str, int]:
    """Count the votes (author × kind of need) of each community."""
    return {str(activity.places.index[row]): len(counts) for row, counts in need_kinds(activity).groupby("row")}


@cache
def need_kinds(activity: Activity) -> pd.DataFrame:
    """Give the votes, one row each: row (place of the community) and kind."""
    order = {record: r for r, record in enumerate(sorted(activity.entries["record_id"].unique()))}
    rows = {community: row for row, community in enumerate(activity.places.index)}
    people: dict[Any, int] = {}
    phrases, votes = {}, []
    entries = activity.entries[activity.entries["author"].notna() & activity.entries["community"].isin(readable(activity))]
    for row in entries.sort_values(["record_id", "community"]).itertuples():
        people.setdefault(row.author, len(people))
        if row.record_id not in phrases:
            text = words(row.title, row.text)
            hits = {hit.tier: hit for hit in read(text)}
            hit = hits.get("T1") or hits.get("T0")
            phrases[row.record_id] = hit and needed(text, record=order[row.record_id], start=hit.start, end=hit.end)
        if phrases[row.record_id]:
            votes.append(Vote(rows[row.community], people[row.author], phrases[row.record_id]))
    votes.sort(key=lambda vote: (vote.row, vote.phrase.record))
    return grouped(iter(votes), names={row: community for community, row in rows.items()})


def need_concentration(activity: Activity) -> Told:
    """1 − H / ln n over votes (author × kind of need)."""
    told = {}
    for row, counts in need_kinds(activity).groupby("row"):
        share = (counts["kind"].value_counts() / len(counts)).to_numpy()
        if len(counts) < 2:
            continue
        surprise = -np.log(share)
        entropy = (share * surprise).sum()
        error = math.sqrt(max((share * (surprise - entropy) ** 2).sum(), 0) / len(counts)) / math.log(len(counts))
        value = 1 - entropy / math.log(len(counts))
        low, other = max(value - Z * error, 0), 1 - 0.05 ** (1 / len(counts))
        if len(share) == 1:
            low = 1 + (other * math.log(other) + (1 - other) * math.log(1 - other)) / math.log(len(counts))
        told[activity.places.index[row]] = estimate(value, low, min(value + Z * error, 1), n=len(counts))
    return told


def amount_paid(activity: Activity) -> Told:
    """Median and quartiles of dollars a month."""
    told = {}
    for community, pays in payers(activity).items():
        dollars = [cents / 100 for currency, cents in pays.values() if currency == "USD"]
        if dollars:
            told[community] = estimate(*(float(np.percentile(dollars, share)) for share in (50, 25, 75)), n=len(dollars))
    return told


@cache
def payers(activity: Activity) -> dict[str, dict[Any, tuple[str, int]]]:
    """Give what each author pays a month, currency and hundredths: as told by the record with the smallest hash."""
    told = {}
    for community in readable(activity):
        known = activity.groups[community].dropna(subset=["author"])
        order = known.assign(hash=known["record_id"].map(hashed)).sort_values(["hash", "record_id"])
        pays: dict[Any, tuple[str, int]] = {}
        for row in order.itertuples():
            if {"T4", "T3"} & activity.tiers.get(row.record_id, frozenset()) and row.author not in pays:
                amount = _named_amount(words(row.title, row.text))
                if amount:
                    pays[row.author] = amount
        told[community] = pays
    return told


def _named_amount(text: str) -> tuple[str, int] | None:
    """Give the first amount a month behind words of spending, else of buying, to the end of their sentence."""
    hits = {hit.tier: hit for hit in read(text)}
    for hit in (hits[tier] for tier in ("T4", "T3") if tier in hits):
        said = re.split(r"[.!?]+(?=\s|$)|\n+", prose(text)[hit.start :])[0]
        for amount in amounts(said):
            if amount.months and not amount.seat:
                return amount.currency, round(amount.cents * amount.months)
    return None


def products(activity: Activity) -> list[str]:
    """Give the names that three authors use in words of buying or switching, the commonest 400, the longest first."""
    people = defaultdict(set)
    for row in activity.entries[activity.entries["author"].notna()].itertuples():
        if {"SW", "T4"} & activity.tiers.get(row.record_id, frozenset()):
            text = words(row.title, row.text)
            for hit in read(text):
                name = named(text, start=hit.start, end=hit.end) if hit.tier in {"SW", "T4"} else None
                if name:
                    people[name].add(row.author)
    common = sorted((name for name, who in people.items() if len(who) >= 3), key=lambda name: (-len(people[name]), name))[:400]
    return sorted(common, key=lambda name: (-len(name), name))


@cache
def namings(activity: Activity) -> dict[str, list[tuple[Any, list[tuple[Any, str]]]]]:
    """Give each help thread with who names which product in it."""
    known = products(activity)
    pattern = re.compile(rf"\b({'|'.join(map(re.escape, known))})(?:\W|$)", re.ASCII) if known else re.compile(r"[^\s\S]")
    told = {}
    for community, posts in help_threads(activity).items():
        rows = []
        for post in posts.itertuples():
            said = [(post.author, words(post.title, post.text)), *((r.author, words(r.title, r.text)) for r in post.heard)]
            rows.append((post, [(author, found[1]) for author, text in said for found in pattern.finditer(text)]))
        told[community] = rows
    return told


def product_mentions(activity: Activity) -> Told:
    """Distinct products named per help thread."""
    rows = {}
    for community, asked in namings(activity).items():
        rows[community] = per_thread(pd.Series([len({product for _, product in found}) for _, found in asked], dtype=float))
        voices = pd.Series([author for _, found in asked for author, _ in set(found) if pd.notna(author)], dtype=object)
        rows[community]["clump"] = clump(voices.value_counts())
    return shrunk_rates(frame(rows, activity))


def _satisfaction(activity: Activity) -> Told:
    """Share of settled help threads naming a product that are solved, where there are ten."""
    rows = {}
    for community, asked in namings(activity).items():
        marked = stores_replies(activity, community)
        settled = [
            post
            for post, found in asked
            if found and pd.notna(post.author) and end(activity, community) - post.t >= WEEK and (marked or accepted_known(post))
        ]
        if len(settled) >= 10:
            rows[community] = {"hits": sum(map(solved, settled)), "trials": len(settled), "effect": 1, "n": len(settled)}
    return shrunk_shares(frame(rows, activity))


def accepted_known(post: Any) -> bool:
    """Tell whether the platform marks accepted answers on a thread."""
    return bool(pd.notna(post.accepted) or any(pd.notna(reply.accepted) for reply in post.heard))


@cache
def saturation(activity: Activity) -> Told:
    """Weighted percentiles of what takes the market."""
    english = set(readable(activity))
    parts = [(0.4, product_mentions(activity), 10), (0.3, promotion(activity), 30), (0.3, _satisfaction(activity), 0)]
    measured = [(w, {c: r for c, r in told.items() if r["n"] >= least and (c in english or not least)}) for w, told, least in parts]
    result: Told = {}
    for community in english:
        known = [(w, told) for w, told in measured if community in told]
        if len(known) < 2:
            continue
        placed = {
            column: sum(w * np.mean([r["value"] < told[community][column] for r in told.values()]) for w, told in known)
            / sum(w for w, _ in known)
            for column in ("value", "low", "high")
        }
        result[community] = {**placed, "n": parts[1][1][community]["n"], "weight": sum(w for w, _ in known)}
    return result


def headroom(activity: Activity) -> Told:
    """1 − saturation."""
    return {c: {**r, "value": 1 - r["value"], "low": 1 - r["high"], "high": 1 - r["low"]} for c, r in saturation(activity).items()}


def product_hhi(activity: Activity) -> Told:
    """Σ q² over the namings; its error from what each naming moves it by."""
    told = {}
    for community, asked in namings(activity).items():
        naming = {(author, product) for _, found in asked for author, product in found if pd.notna(author)}
        counts = Counter(product for _, product in naming)
        if naming:
            share = np.array([counts[product] / len(naming) for _, product in naming])
            value, error = share.mean(), 2 * share.std() / math.sqrt(len(naming))
            told[community] = estimate(value, max(value - Z * error, 1 / len(naming)), min(value + Z * error, 1), n=len(naming))
    return told


def switching_wedge(activity: Activity) -> Told:
    """Share of procuring authors who switch, times the concentration of the products named."""
    leaving, told = voices(activity, "SW", among="T3"), {}
    for community, found in product_hhi(activity).items():
        if community in leaving:
            share, value = leaving[community], leaving[community]["value"] * found["value"]
            down, up = (math.hypot(1 - share[k] / share["value"], 1 - found[k] / found["value"]) for k in ("low", "high"))
            told[community] = estimate(value, max(value * (1 - down), 0), min(value * (1 + up), 1), n=share["n"])
    return told


@cache
def engagement(activity: Activity) -> Told:
    """First principal component of the four parts, from pairwise complete correlations."""
    authors = {c: e["author"].nunique() for c, e in activity.groups.items()}
    gates: list[tuple[Told, Any, Any]] = [
        (comments_per_post(activity), np.log1p, lambda c, n: n >= 10),
        (discussants_per_thread(activity), np.log1p, lambda c, n: n >= 10),
        (reciprocity(activity), _logit, lambda c, n: n >= 30),
        (engaged_share(activity), _logit, lambda c, n: authors[c] >= 30),
    ]
    index = activity.places.index
    columns, errors = [], []
    for number, (told, scale, enough) in enumerate(gates):
        rows = {c: r for c, r in told.items() if enough(c, r["n"])}
        values = pd.Series({c: scale(r["value"]) for c, r in rows.items()}, dtype=float).reindex(index)
        if values.notna().sum() >= 10 and values.std(ddof=0) > 1e-3:
            widths = pd.Series({c: _width(scale, r) for c, r in rows.items()}).reindex(index)
            columns.append(((values - values.mean()) / values.std(ddof=0)).rename(number))
            errors.append((widths / values.std(ddof=0)).rename(number))
    if len(columns) < 2:
        return {}
    z, spread = pd.concat(columns, axis=1), pd.concat(errors, axis=1)
    both = z.notna().T.astype(float) @ z.notna().astype(float)
    correlation = (z.fillna(0).T @ z.fillna(0)).to_numpy() / both.clip(lower=1).to_numpy()
    np.fill_diagonal(correlation, 1)
    loading = np.linalg.eigh(correlation)[1][:, -1]
    loading = loading * np.sign(loading.sum() or 1)
    told = {}
    for community in index[z.notna().sum(axis=1) >= 2]:
        has = z.loc[community].notna().to_numpy()
        length = (loading[has] ** 2).sum()
        value = (z.loc[community].to_numpy()[has] * loading[has]).sum() / length
        pulls = (spread.loc[community] * loading)[has]
        error = math.hypot(pulls[pulls.index < 2].sum(), *pulls[pulls.index >= 2]) / length  # replies are counted twice
        told[community] = estimate(value, value - Z * error, value + Z * error, n=authors[community], parts=has.sum())
    return told


def _width(scale: Any, told: dict[str, Any]) -> float:
    """Give the error on a scale from those of the two limits that it reaches."""
    halves = [abs(scale(told[limit]) - scale(told["value"])) for limit in ("low", "high")]
    return float(np.mean([half for half in halves if math.isfinite(half)])) / Z


def _logit(share: float) -> float:
    """Give the log odds, without end at the borders."""
    return math.log(share / (1 - share)) if 0 < share < 1 else math.copysign(math.inf, share - 0.5)
