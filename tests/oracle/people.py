"""Who does how much and who stays: frequency, authors, inequality, retention, survival, newcomers, growth, overlap."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from tests.oracle.entries import DAY, MONTH, Activity
from tests.oracle.estimates import (
    Z,
    clump,
    curve,
    design_effect,
    estimate,
    overdispersion,
    shrunk_rates,
    shrunk_shares,
    shrunk_slopes,
)

Told = dict[str, dict[str, Any]]


def frame(rows: dict[str, dict[str, Any]], activity: Activity) -> pd.DataFrame:
    """Make the table a prior is fitted on: one row per community, with its platform."""
    columns = ["hits", "trials", "effect", "clump", "value", "error", "n"]
    return pd.DataFrame.from_dict(rows, orient="index").reindex(columns=columns).join(activity.places["platform"])


@cache
def complete(activity: Activity) -> dict[str, pd.DataFrame]:
    """Give the communities of which everything is shown."""
    return {c: e for c, e in activity.groups.items() if activity.places.at[c, "coverage"] == "complete"}


def oldest_counted(times: pd.Series) -> int:
    """Give a listing's 10th percentile of time, an observed one; pinned posts may be older."""
    return int(np.sort(times)[max(math.ceil(0.1 * len(times)), 1) - 1])


def exposure(activity: Activity, community: str) -> tuple[pd.Series, float]:
    """Give the times that count for frequency and the days they were observed over; the first one starts the clock."""
    times = activity.groups[community]["t"]
    if activity.places.at[community, "coverage"] == "complete":
        return times[times > times.min()], max((activity.places.at[community, "now"] - times.min()) / DAY, 1 / 48)
    oldest = oldest_counted(times)
    return times[times > oldest], max((times.max() - oldest) / DAY, 1 / 48)


def months(activity: Activity, community: str) -> range:
    """Give the whole 28-day months between a complete community's first entry and the end of its source."""
    first, now = activity.groups[community]["t"].min(), activity.places.at[community, "now"]
    return range(-(-first // MONTH), max(now // MONTH, -(-first // MONTH)))


@cache
def author_months(activity: Activity, community: str) -> pd.DataFrame:
    """Give author, m (covered month) and days (active ones) of every author-month."""
    entries = activity.groups[community].dropna(subset=["author"])
    entries = entries.assign(m=entries["t"] // MONTH, day=entries["t"] // DAY)
    entries = entries[entries["m"].isin(months(activity, community))]
    return entries.groupby(["author", "m"])["day"].nunique().rename("days").reset_index()


def posting_frequency(activity: Activity) -> Told:
    """Records a day."""
    rows = {}
    for community in activity.groups:
        times, days = exposure(activity, community)
        busy = activity.groups[community]["author"].dropna().value_counts()
        effect = overdispersion((times // DAY).value_counts(), max(days, 1))
        rows[community] = {"hits": len(times), "trials": days, "effect": effect, "clump": clump(busy), "n": len(times)}
    return shrunk_rates(frame(rows, activity))


def active_authors(activity: Activity) -> Told:
    """Distinct authors of a month."""
    rows, unseen = {}, {}
    for community, entries in activity.groups.items():
        whole = activity.places.at[community, "coverage"] == "complete"
        if whole:
            seen, units = author_months(activity, community), len(months(activity, community))
        else:
            seen, units = _listed(entries)
        counts = seen["m"].value_counts()
        effect, again = overdispersion(counts, units) if units else 1.0, clump(seen["author"].value_counts())
        rows[community] = {"hits": counts.sum(), "trials": units, "effect": effect, "clump": again, "n": counts.sum()}
        unseen[community] = 1.0 if whole else max(28 / max(exposure(activity, community)[1], 1), 1)
    return {c: {**told, "high": told["high"] * unseen[c]} for c, told in shrunk_rates(frame(rows, activity)).items()}


def _listed(entries: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Give author and m (28 days back from the newest record) of a listing, and how many whole ones there are."""
    newest, oldest = entries["t"].max(), oldest_counted(entries["t"])
    bins = max((newest - oldest) // MONTH, 1)
    known = entries[entries["t"] >= oldest].dropna(subset=["author"])
    back = known.assign(m=(newest - known["t"]) // MONTH)[["author", "m"]].drop_duplicates()
    return back[back["m"] < bins], int(bins)


def _numbers(activity: Activity) -> dict[str, pd.Series]:
    """Give the authors' numbers of entries, ascending, per community."""
    counts = {c: e["author"].dropna().value_counts().sort_values() for c, e in activity.groups.items()}
    return {c: x for c, x in counts.items() if len(x)}


def inequality(activity: Activity) -> Told:
    """Gini from all pairs; its error from leaving out each author, with the degrees of freedom that kurtosis leaves."""
    told = {}
    for community, counts in _numbers(activity).items():
        x, n = counts.to_numpy(dtype=float), len(counts)
        if n < 3:
            continue
        value = _gini(x)
        without = {number: _gini(np.delete(x, np.flatnonzero(x == number)[0])) for number in np.unique(x)}  # authors of as many are alike
        moved = pd.Series(x).map(without)
        moved -= moved.mean()
        if value == 0:
            twice = 1 - 0.05 ** (1 / n)
            told[community] = estimate(0, 0, twice * (1 - twice) / (1 + twice), n=n)
            continue
        kurtosis = (moved**4).mean() / (moved**2).mean() ** 2
        t = stats.t(2 * n / (kurtosis - (n - 3) / (n - 1))).ppf(0.95)
        half = t * math.sqrt((n - 1) / n * (moved**2).sum()) / value / (1 - value)
        odds = [value / (1 - value) * math.exp(side * half) for side in (-1, 1)]
        told[community] = estimate(value, *(o / (1 + o) for o in odds), n=n)
    return told


def _gini(x: np.ndarray) -> float:
    """Mean distance of two different authors in parts of twice the mean."""
    n = len(x)
    return float(np.abs(x[:, None] - x[None, :]).sum() / (n * (n - 1)) / (2 * x.mean()))


def author_concentration(activity: Activity) -> Told:
    """Share of the busiest hundredth."""
    rows = {
        c: {"hits": x.tail(math.ceil(len(x) / 100)).sum(), "trials": x.sum(), "effect": 1, "n": len(x)}
        for c, x in _numbers(activity).items()
    }
    told = shrunk_shares(frame(rows, activity))
    return {c: _concentrated(told[c], x.to_numpy(dtype=float)[::-1]) for c, x in _numbers(activity).items()}


def _concentrated(told: dict[str, Any], x: np.ndarray) -> dict[str, Any]:
    """Give limits by a power tail over the busiest tenth (x descending)."""
    few, tail = math.ceil(len(x) / 100), math.ceil(len(x) / 10)
    edge = x[tail] if len(x) > tail else 1
    power = np.mean(np.log(x[:tail] / edge))
    moved = [power / j * min(x[:j].sum() / x[:few].sum(), 1) for j in range(1, tail + 1)]
    half = Z * math.hypot(*moved, np.linalg.norm(x[few:]) / x[few:].sum()) if len(x) > few else math.nan
    odds = [told["value"] / (1 - told["value"]) * math.exp(side * half) for side in (-1, 1)]
    return {**told, "low": odds[0] / (1 + odds[0]), "high": odds[1] / (1 + odds[1])}


def elephant_number(activity: Activity) -> Told:
    """Fewest authors who write half; limits where the curve's band crosses one half."""
    told = {}
    for community, counts in _numbers(activity).items():
        x, total = counts.to_numpy(dtype=float)[::-1], counts.sum()
        crossed = {"value": len(x), "low": len(x), "high": len(x)}
        for k in range(len(x), 0, -1):
            share = x[:k].sum() / total
            pull = np.where(np.arange(len(x)) < k, x, 0) - share * x
            band = Z * math.sqrt((pull**2).sum()) / total
            crossed.update({name: k for name, at in (("value", share), ("low", share + band), ("high", share - band)) if at >= 0.5})
        told[community] = {**crossed, "n": len(x)}
    return told


def duplicate_share(activity: Activity) -> Told:
    """Copies of one's own."""
    return shrunk_shares(frame({c: {"hits": n, "trials": of, "effect": 1, "n": of} for c, (n, of) in activity.copies.items()}, activity))


def deleted_share(activity: Activity) -> Told:
    """Share of records without an author."""
    rows = {
        c: {
            "hits": e["author"].isna().sum(),
            "trials": len(e),
            "effect": 1,
            "clump": clump(e["author"].dropna().value_counts()),
            "n": len(e),
        }
        for c, e in activity.groups.items()
    }
    return shrunk_shares(frame(rows, activity))


def by_author(activity: Activity, tables: dict[str, pd.DataFrame]) -> Told:
    """Shrink hits / trials that are sums over authors: frames indexed by author with columns hits and trials."""
    rows = {}
    for community, sums in tables.items():
        table = sums.astype(float)
        effect = design_effect(table["hits"], table["trials"])
        rows[community] = {"hits": table["hits"].sum(), "trials": table["trials"].sum(), "effect": effect, "n": (table["trials"] > 0).sum()}
    return shrunk_shares(frame(rows, activity))


def author_overlap(activity: Activity) -> Told:
    """Share of people with a record elsewhere that is not here as well."""
    seen = activity.entries.dropna(subset=["author"])
    everywhere = seen.groupby("author")["record_id"].nunique()
    tables = {}
    for community, entries in seen.groupby("community"):
        here = entries.groupby("author")["record_id"].nunique()
        tables[str(community)] = pd.DataFrame({"hits": here < everywhere.reindex(here.index), "trials": 1})
    return by_author(activity, tables)


def _stays(activity: Activity) -> dict[str, pd.DataFrame]:
    """Per author: author-months that a covered month follows (trials), and those the author is active in the next (hits)."""
    tables = {}
    for community in complete(activity):
        active = author_months(activity, community)
        pairs = set(zip(active["author"], active["m"], strict=True))
        followed = active[active["m"] + 1 <= max(months(activity, community), default=0)]
        stayed = [(author, m + 1) in pairs for author, m in zip(followed["author"], followed["m"], strict=True)]
        tables[community] = followed.assign(hits=stayed, trials=1).groupby("author")[["hits", "trials"]].sum()
    return tables


def retention(activity: Activity) -> Told:
    """Σ |A(m) ∩ A(m+1)| / Σ |A(m)|."""
    return by_author(activity, _stays(activity))


def churn(activity: Activity) -> Told:
    """1 − retention."""
    return {c: {**r, "value": 1 - r["value"], "low": 1 - r["high"], "high": 1 - r["low"]} for c, r in retention(activity).items()}


def engaged_share(activity: Activity) -> Told:
    """Author-months of five active days."""
    tables = {}
    for community in complete(activity):
        active = author_months(activity, community)
        tables[community] = active.assign(hits=active["days"] >= 5, trials=1).groupby("author")[["hits", "trials"]].sum()
    return by_author(activity, tables)


def newcomer_share(activity: Activity) -> Told:
    """Author-months that are an author's first, after four covered months."""
    tables = {}
    for community, entries in complete(activity).items():
        first = entries.groupby("author")["t"].min() // MONTH
        active = author_months(activity, community)
        seasoned = active[active["m"] >= months(activity, community).start + 4]
        hits = seasoned["m"] == seasoned["author"].map(first)
        tables[community] = seasoned.assign(hits=hits, trials=1).groupby("author")[["hits", "trials"]].sum()
    return by_author(activity, tables)


def rmst_90(activity: Activity) -> Told:
    """Area under the Kaplan–Meier curve of the days between an author's first and last entry."""
    told = {}
    for community, (days, died) in lives(activity).items():
        value, error = restricted_mean(days, died & (days < 90), horizon=90)
        told[community] = estimate(value, max(value - Z * error, 0), min(value + Z * error, 90), n=len(days))
    return told


def survival_28(activity: Activity) -> Told:
    """Share that stays 28 days."""
    return _surviving(activity, 28)


def survival_90(activity: Activity) -> Told:
    """Share that stays 90 days."""
    return _surviving(activity, 90)


def _surviving(activity: Activity, least: int) -> Told:
    """Read the curve just before a day; Greenwood's error."""
    told = {}
    for community, (days, died) in lives(activity).items():
        steps = curve(days, died & (days < least))
        value = steps["survival"].iloc[-1] if len(steps) else 1.0
        error = value * math.sqrt(steps["greenwood"].iloc[-1]) if len(steps) and value > 0 else 0.0
        told[community] = estimate(value, max(value - Z * error, 0), min(value + Z * error, 1), n=len(days))
    return told


@cache
def lives(activity: Activity) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Give the days between each author's first and last entry, and whether the author is gone."""
    told = {}
    for community, entries in complete(activity).items():
        known = entries.dropna(subset=["author"]).sort_values(["author", "t", "record_id"])
        if known.empty:
            continue
        gaps = np.sort(known.groupby("author")["t"].diff().dropna())
        patience = gaps[math.ceil(0.99 * len(gaps)) - 1] if len(gaps) else 28 * DAY
        patience = min(max(patience, 28 * DAY), 90 * DAY)
        first, last = known.groupby("author")["t"].min(), known.groupby("author")["t"].max()
        lived, watched = (last - first) // DAY, (activity.places.at[community, "now"] - patience - first) // DAY
        seen = watched >= 1  # a silence that tells fits in after at least one whole day
        told[community] = lived.clip(upper=watched - 1)[seen].to_numpy(), (lived < watched)[seen].to_numpy()
    return told


def restricted_mean(days: np.ndarray, died: np.ndarray, *, horizon: int) -> tuple[float, float]:
    """Give the area under the curve up to the horizon and its error by Greenwood."""
    steps = curve(days, died)
    edges = np.concatenate([[0], steps["time"], [horizon]])
    heights = np.concatenate([[1.0], steps["survival"]])
    areas = heights * np.diff(edges)
    rest = areas.sum() - np.cumsum(areas)[:-1]
    left = steps["at_risk"] - steps["ended"]
    part = np.divide(steps["ended"], steps["at_risk"] * left, out=np.zeros(len(steps)), where=left > 0)
    return areas.sum(), math.sqrt((rest**2 * part).sum())


def growth(activity: Activity) -> Told:
    """Slope of a Poisson regression of a month's authors, bursts left out."""
    rows = {}
    for community in complete(activity):
        covered = months(activity, community)
        counts = author_months(activity, community)["m"].value_counts().reindex(covered, fill_value=0).to_numpy(dtype=float)
        if len(counts) < 6 or (counts > 0).sum() < 2:
            continue
        active = author_months(activity, community).assign(month=lambda rows, first=covered.start: rows["m"] - first)
        rows[community] = _slope(np.arange(len(counts), dtype=float), counts, active.groupby("author")["month"].agg(["size", "sum"]))
    return shrunk_slopes(frame(rows, activity))


def _slope(month: np.ndarray, counts: np.ndarray, spells: pd.DataFrame) -> dict[str, float]:
    """Fit, leave out months with a robust residual above 4, fit again; the error of months or of authors drawn whole, the larger."""
    kept = calm(month, counts)
    expected, slope, variance = poisson(month[kept], counts[kept])
    pearson = ((counts[kept] - expected) ** 2 / expected).sum() / max(kept.sum() - 2, 1)
    design = np.column_stack([np.ones(kept.sum()), month[kept]])
    bread = np.linalg.inv(design.T @ (design * expected[:, None]))
    whole = bread @ (spells.to_numpy(dtype=float).T @ spells.to_numpy(dtype=float)) @ bread
    error = math.sqrt(variance * max(pearson, 1.0))
    return {"value": slope, "error": error, "clump": max(error, math.sqrt(whole[1, 1])), "n": kept.sum()}


def calm(month: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Tell which months have a robust residual of at most 4."""
    expected, *_ = poisson(month, counts)
    residual = (counts - expected) / np.sqrt(expected)
    spread = max((np.median(np.abs(residual)) * 1.4826) ** 2, 1.0)
    return residual / math.sqrt(spread) <= 4


def poisson(month: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Fit log E = a + b · month by iterated weighted least squares; give the expectation, b and its Poisson variance."""
    design = np.column_stack([np.ones(len(month)), month])
    beta = np.array([math.log(counts.mean()), 0.0])
    for _ in range(100):
        expected = np.exp(design @ beta)
        beta = beta + np.linalg.solve(design.T @ (design * expected[:, None]), design.T @ (counts - expected))
    expected = np.exp(design @ beta)
    return expected, beta[1], np.linalg.inv(design.T @ (design * expected[:, None]))[1, 1]


def cross_promotion(activity: Activity, portfolio: tuple[str, ...]) -> Told:
    """Best lift of shared authors with one of one's own."""
    best = pairs(activity, portfolio).sort_values("lift", kind="stable").drop_duplicates("here", keep="last")
    return {row.here: estimate(row.lift, row.low, row.high, n=row.shared) for row in best.itertuples()}


def pairs(activity: Activity, portfolio: tuple[str, ...]) -> pd.DataFrame:
    """Compare each community with each of one's own on its platform: here, own, lift, low, high, shared."""
    people = {c: set(e["author"].dropna()) for c, e in activity.groups.items()}
    platforms, rows = activity.places["platform"], []
    for here, own in ((c, o) for c in people for o in sorted(set(portfolio) & set(people)) if o != c and platforms[o] == platforms[c]):
        everyone = set().union(*(p for c, p in people.items() if platforms[c] == platforms[here]))
        shared = len(people[here] & people[own])
        shown = 0 if shared < 10 else shared // 5 * 5
        expected = len(people[here]) * len(people[own]) / len(everyone) + 5
        low, high = (math.log(stats.gamma.ppf(tail, shown + 5) / expected) for tail in (0.05, 0.95))
        rows.append((here, own, math.log((shown + 5) / expected), low, high, shown))
    return pd.DataFrame(rows, columns=["here", "own", "lift", "low", "high", "shared"])


def participation(activity: Activity) -> Told:
    """Active authors per member."""
    members = activity.places["members"]
    told = active_authors(activity)
    return {c: {k: v if k == "n" else v / members[c] for k, v in row.items()} for c, row in told.items() if members[c] > 0}
