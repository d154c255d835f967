"""Where people also write: communities placed by the people they share, by dense algebra."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pandas as pd
from scipy import stats

from tests.oracle.entries import Activity
from tests.oracle.estimates import estimate
from tests.oracle.people import Told, complete, pairs

LEAST = 10


@cache
def places(activity: Activity) -> dict[str, np.ndarray]:
    """Give each community's unit vector, of the communities of a platform with ten."""
    told = {}
    for _, here in activity.places.groupby("platform"):
        seen = activity.entries[activity.entries["community"].isin(here.index)].dropna(subset=["author"])
        table = pd.crosstab(seen["community"], seen["author"]).reindex(here.index, fill_value=0)
        table = table.loc[:, (table > 0).sum() > 1].to_numpy(dtype=float)
        if len(here) < LEAST or not table.size:
            continue
        expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
        with np.errstate(divide="ignore", invalid="ignore"):
            left, singular, _ = np.linalg.svd(np.where(table > 0, np.maximum(np.log(table / expected), 0), 0), full_matrices=False)
        vectors = (left * np.sqrt(singular))[:, : min(50, min(table.shape) - 1)]
        for community, vector in zip(here.index, vectors, strict=True):
            length = np.linalg.norm(vector)
            told[community] = vector / length if length > 1e-9 else vector * 0
    return told


@cache
def people(activity: Activity) -> dict[str, list[float]]:
    """Give, per community, how alike the places are of each who writes elsewhere too."""
    told: dict[str, list[float]] = {str(c): [] for c in activity.groups}
    known = activity.entries.dropna(subset=["author"])
    everywhere = known.groupby("author")["record_id"].nunique()
    for (author, _), entries in known.groupby(["author", known["community"].map(activity.places["platform"])]):
        counts, records = entries["community"].value_counts(), everywhere[author]
        if len(counts) < 2:
            continue
        size = len(next(iter(places(activity).values()), []))
        middle = sum((n * places(activity).get(str(c), np.zeros(size)) for c, n in counts.items()), np.zeros(size))
        for community, n in counts.items():
            if n < records:
                told[str(community)].append(float(np.linalg.norm(middle) / counts.sum()))
    return told


def specialisation(activity: Activity) -> Told:
    """Mean of that, over people."""
    told = {}
    for community in complete(activity):
        alike = people(activity)[community]
        if len(alike) > 1:
            value, half = np.mean(alike), stats.t.ppf(0.95, len(alike) - 1) * np.std(alike, ddof=1) / math.sqrt(len(alike))
            told[community] = estimate(value, max(value - half, 0), min(value + half, 1), n=len(alike))
    return told


def portfolio_fit(activity: Activity, portfolio: tuple[str, ...]) -> Told:
    """Place of a lift among others, times the cosine of two communities."""
    table, told = pairs(activity, portfolio), dict[str, dict[str, float]]()
    for row in table.itertuples():
        others = table.loc[table["own"] == row.own, "lift"]
        alike = max(float(places(activity)[row.here] @ places(activity)[row.own]), 0) if row.here in places(activity) else math.nan
        fit = {name: (others < getattr(row, name)).mean() * alike for name in ("lift", "low", "high")}
        if row.here not in told or fit["lift"] > told[row.here]["value"]:
            told[row.here] = estimate(fit["lift"], fit["low"], fit["high"], n=row.shared)
    return told
