"""Intensity: who returns, compared among people who write equally much.

In: the temporary tables ``covered_month`` and ``span``. Out: how many people have so many months of each intensity, followed by
another one or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from discovery.features.background import KEY
from discovery.features.declaration import Evidence, Floats, Statistics, because, columns, feature
from discovery.features.estimation import AuthorSums, effect_of_sums, neighbourhoods, proportions, totals

if TYPE_CHECKING:
    import duckdb

STRATA = ((1, 1), (2, 4), (5, 2**31))
"""Records of a person in a month, from and to, of which people are compared with each other only."""
LEAST_MONTHS = 20
UNSEEN = "strata: of one intensity (1, 2-4, 5+ records a month) nobody is seen whose next month is covered"

_INTENSITIES = """
WITH monthly AS (
    SELECT row, a, m, records, month_to, coalesce(lead(m) OVER (PARTITION BY row, a ORDER BY m) = m + 1, false) AS stayed
    FROM covered_month
), author AS (SELECT row, a, {amounts} FROM monthly WHERE m < month_to - 1 GROUP BY row, a)
SELECT row, COLUMNS('^(present|stayed)_'), count(*) AS authors FROM author GROUP BY ALL ORDER BY ALL
"""


def intensities(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Count people by their months of each intensity that a covered month follows: row, present_*, stayed_*, authors."""
    amounts = ", ".join(
        f"count(*) FILTER (records BETWEEN {low} AND {high}) AS present_{number}, "
        f"count(*) FILTER (records BETWEEN {low} AND {high} AND stayed) AS stayed_{number}"
        for number, (low, high) in enumerate(STRATA)
    )
    return connection.execute(_INTENSITIES.format(amounts=amounts)).df()  # our own bounds, not input


@feature(
    title="share of a month's people who return, among people who write equally much",
    unit="fraction, 0 to 1",
    formula="Σ_k w_k · (author-months of k records whose author acts in the next month / author-months of k records), k in {1, 2–4, 5+}; "
    "w_k is the share of k among the author-months of the platform in the run that was frozen first (until then, in this one); whole "
    "covered 28-day months that another one follows; "
    "beta-binomial shrinkage to the platform's mean; the interval counts authors",
    source="Zhang et al., ICWSM 2017 (retention follows intensity); direct standardisation, Fleiss et al. 2003",
    block="behaviour",
    transform="logit",
    needs=Evidence(authors=30, months=2, records=LEAST_MONTHS, complete=True),
    clustered=False,
    counted={"records": "followed_author_months"},
)
def equal_retention(statistics: Statistics) -> pd.DataFrame:
    """Share of a month's authors who act again in the next, as it would be if all places had the platform's mix of intensities."""
    facts, table = statistics.communities, statistics.intensities
    rows, people = table["row"].to_numpy(dtype=np.intp), table["authors"].to_numpy(dtype=float)
    present, stayed = (table[[f"{what}_{k}" for k in range(len(STRATA))]].to_numpy(dtype=float) for what in ("present", "stayed"))
    months = _months(statistics)
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = _mix(statistics) * months.sum(axis=1, keepdims=True) / months
    unseen = (months == 0).any(axis=1)
    weight[unseen] = np.nan
    x, y = ((weight[rows] * part).sum(axis=1) for part in (present, stayed))
    sums = AuthorSums(*(totals(rows, people * part, len(facts)) for part in (y, x, x > 0, y * y, x * x, x * y)))
    known = [np.nan_to_num(part) for part in sums]
    result = proportions(known[0], known[1], platforms=facts["platform"], inflation=effect_of_sums(AuthorSums(*known)))
    reason = because(unseen & (months.sum(axis=1) >= LEAST_MONTHS), UNSEEN)
    return columns(result, n=totals(rows, people, len(facts)), coverage=facts["observed"], reason=reason)


def mixes(statistics: Statistics) -> pd.Series[float]:
    """Give the mix of intensities that each platform is compared by, index feature, part ("platform k"): frozen, or of this run."""
    platforms, mix = statistics.communities["platform"], _mix(statistics)
    told = pd.DataFrame(mix, index=platforms.to_numpy(object)).groupby(level=0).first().dropna()
    keys = [("equal_retention", f"{platform} {k}") for platform in told.index for k in range(len(STRATA))]
    return pd.Series(told.to_numpy().ravel(), pd.MultiIndex.from_tuples(keys, names=KEY))


def _months(statistics: Statistics) -> Floats:
    """Count author-months of each intensity; shape (communities, strata)."""
    table, size = statistics.intensities, len(statistics.communities)
    people = table["authors"].to_numpy(dtype=float)
    return np.column_stack([totals(table["row"], table[f"present_{k}"].to_numpy(dtype=float) * people, size) for k in range(len(STRATA))])


def _mix(statistics: Statistics) -> Floats:
    """Give each community the shares of the strata among the author-months it is compared with: its platform's, frozen or of this run."""
    months, platforms = _months(statistics), statistics.communities["platform"]
    mix = np.full_like(months, np.nan)
    for members, teachers in neighbourhoods(platforms, months.sum(axis=1) > 0):
        if len(teachers):
            mix[members] = months[teachers].sum(axis=0) / months[teachers].sum()
    keys = [("equal_retention", f"{platform} {k}") for platform in platforms for k in range(len(STRATA))]
    then = statistics.frozen.reindex(pd.MultiIndex.from_tuples(keys, names=KEY)).to_numpy().reshape(mix.shape)
    return np.where(np.isfinite(then).all(axis=1, keepdims=True), then, mix)
