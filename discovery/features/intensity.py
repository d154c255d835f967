"""Intensity: who returns, compared among people who write equally much.

In: the temporary tables ``covered_month`` and ``span``. Out: how many people have so many months of each intensity, followed by
another one or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

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
    "w_k is the share of k among the author-months of the platform in this run; whole covered 28-day months that another one follows; "
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
    months = np.column_stack([totals(rows, column * people, len(facts)) for column in present.T])
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = _mix(months, facts["platform"]) * months.sum(axis=1, keepdims=True) / months
    unseen = (months == 0).any(axis=1)
    weight[unseen] = np.nan
    x, y = ((weight[rows] * part).sum(axis=1) for part in (present, stayed))
    sums = AuthorSums(*(totals(rows, people * part, len(facts)) for part in (y, x, x > 0, y * y, x * x, x * y)))
    known = [np.nan_to_num(part) for part in sums]
    result = proportions(known[0], known[1], platforms=facts["platform"], inflation=effect_of_sums(AuthorSums(*known)))
    reason = because(unseen & (months.sum(axis=1) >= LEAST_MONTHS), UNSEEN)
    return columns(result, n=totals(rows, people, len(facts)), coverage=facts["observed"], reason=reason)


def _mix(months: Floats, platforms: pd.Series[str]) -> Floats:
    """Give each community the shares of the strata among all author-months it is compared with: its platform's, in this run."""
    mix = np.full_like(months, np.nan)
    for members, teachers in neighbourhoods(platforms, months.sum(axis=1) > 0):
        mix[members] = months[teachers].sum(axis=0) / months[teachers].sum()
    return mix
