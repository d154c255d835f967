"""Rhythm: whether records come evenly, by chance, or in bursts.

In: the entries of a batch. Out: the partial of what the waits between a community's records add up to, month by month. Over
a whole history the waits would tell its course instead: one quiet year, or growth, outweighs every day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from discovery.features.declaration import Evidence, Floats, Interval, Statistics, columns, feature
from discovery.features.estimation import totals
from discovery.features.partials import Partial
from discovery.features.selection import MONTH

if TYPE_CHECKING:
    import duckdb

LEAST_WAITS = 30
"""Waits from which a month tells a rhythm; with fewer the mean of chance is below zero by more than .015."""
LEAST_MONTHS = 3

_WAITS = """
WITH timed AS (
    SELECT c, t // $month AS m, t - lag(t) OVER (PARTITION BY c, t // $month ORDER BY t) AS wait FROM entry
)
SELECT c, m, count(wait) AS waits, sum(wait)::BIGINT AS seconds, sum(wait * wait)::DOUBLE AS squares
FROM timed GROUP BY c, m HAVING count(wait) >= $least AND sum(wait) > 0
"""
PARTIALS = (Partial("month_waits", _WAITS, {"month": MONTH, "least": LEAST_WAITS}),)
"""Sums over the waits from record to record, of each month that has enough."""


def monthly_waits(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Give the waits from record to record of each covered month that has enough: row, month, waits, seconds, squares."""
    return connection.execute(
        "SELECT row, m AS month, waits, seconds, squares FROM partial.month_waits JOIN span USING (c) "
        "WHERE NOT listing AND m BETWEEN month_from AND month_to - 1 ORDER BY row, month"
    ).df()


@feature(
    title="how much records come in bursts",
    unit="-1 (like a clock) over 0 (by chance) to 1 (in bursts)",
    formula="mean over covered 28-day months of at least 30 waits of (√(n + 1) · r − √(n − 1)) / ((√(n + 1) − 2) · r + √(n − 1)), r the "
    "standard deviation over the mean of the month's n waits between consecutive records; day and night are bursts too; interval: months "
    "drawn, Student's t",
    source="Goh & Barabási 2008, for any number of waits by Kim & Jo 2016, doi:10.1103/PhysRevE.94.032311",
    block="behaviour",
    transform="identity",
    needs=Evidence(months=LEAST_MONTHS, complete=True),
    clustered=False,
    counted={"months": "lively_months"},
)
def burstiness(statistics: Statistics) -> pd.DataFrame:
    """Position between a clock and a burst of the times at which a month's records come.

    Of n waits that chance cuts from a span (uniform spacings) the mean of r² is (n − 1) / (n + 1), and it is at most n − 1: so the
    formula gives −1, 0 and 1 for a clock, for chance and for a single burst, however few the waits.
    """
    facts, table = statistics.communities, statistics.waits_by_month
    rows, size = table["row"].to_numpy(), len(facts)
    place = _position(*(table[name].to_numpy(dtype=float) for name in ("waits", "seconds", "squares")))
    months = totals(rows, np.ones(len(rows)), size)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = totals(rows, place, size) / months
        spread = np.sqrt(totals(rows, (place - mean[rows]) ** 2, size) / (months - 1))
        half = stats.t.ppf(0.95, np.maximum(months - 1, 1)) * spread / np.sqrt(months)
    interval = Interval(mean, np.maximum(mean - half, -1), np.minimum(mean + half, 1))
    return columns(interval, n=months, coverage=facts["observed"].to_numpy() * months / np.maximum(facts["months"].to_numpy(), 1))


def _position(waits: Floats, seconds: Floats, squares: Floats) -> Floats:
    """Put each month on the scale from a clock to a burst; like waits cancel exactly."""
    spread = np.sqrt(np.maximum(waits * squares - seconds**2, 0)) / seconds
    above, below = np.sqrt(waits + 1), np.sqrt(waits - 1)
    place: Floats = (above * spread - below) / ((above - 2) * spread + below)
    return place
