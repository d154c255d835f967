"""From entries to authors: what each author did in each community, as integers that a resampling of authors can add up again.

In: the temporary tables ``entry``, ``span``, ``author_thread`` and ``vote``. Out: ``author_sums`` and the distributions
over months and lifetimes that retention and growth are made of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from discovery.features.selection import DAY, MONTH

if TYPE_CHECKING:
    import duckdb

ENGAGED_DAYS = 5
"""Days of a month on which an engaged author is active."""
LOOK_BACK_MONTHS = 4
"""Months (112 days) a newcomer must not have been seen in."""
HORIZON = 90
"""Days over which the restricted mean survival time runs."""
SILENCE = (28, 90)
"""Bounds in days of the silence after which an author counts as gone."""

_AUTHOR = """
CREATE OR REPLACE TEMP TABLE author AS
WITH everywhere AS (SELECT a, count(DISTINCT r) AS in_all FROM entry WHERE a IS NOT NULL GROUP BY a),
here AS (
    SELECT c, a, min(r) AS first_r, count(*) AS records, count(*) FILTER (post) AS posts, count(*) FILTER (post AND asks) AS questions,
        max(worded::TINYINT) AS voters, min(t) AS first_t, max(t) AS last_t
    FROM entry WHERE a IS NOT NULL GROUP BY c, a
)
SELECT here.*, (in_all > records)::TINYINT AS shared FROM here JOIN everywhere USING (a)
"""

_MONTH = """
CREATE OR REPLACE TEMP TABLE author_month AS
SELECT c, a, t // $month AS m, count(DISTINCT t // 86400) AS days FROM entry JOIN span USING (c)
WHERE a IS NOT NULL AND t // $month BETWEEN month_from AND month_to - 1 GROUP BY ALL
"""

_SUMS = """
WITH following AS (SELECT *, lead(m) OVER (PARTITION BY c, a ORDER BY m) AS next_m FROM author_month),
monthly AS (
    SELECT c, a, count(*) AS months, count(*) FILTER (m < month_to - 1) AS present, count(*) FILTER (next_m = m + 1) AS stayed,
        count(*) FILTER (days >= $engaged) AS engaged, count(*) FILTER (m >= month_from + $look_back) AS seasoned,
        count(*) FILTER (m >= month_from + $look_back AND m = first_t // $month) AS newcomers
    FROM following JOIN span USING (c) JOIN author USING (c, a) GROUP BY c, a
)
SELECT author.c AS row, records, posts, questions, voters, shared, months, present, stayed, engaged, seasoned, newcomers,
    aged, unanswered, help, unsolved, {tiers}
FROM author LEFT JOIN monthly USING (c, a) LEFT JOIN author_thread USING (c, a) LEFT JOIN vote USING (c, a)
ORDER BY author.c, first_r
"""

_LIFETIMES = """
WITH gaps AS (SELECT c, t - lag(t) OVER (PARTITION BY c, a ORDER BY t, r) AS gap FROM entry WHERE a IS NOT NULL),
silence AS (SELECT c, greatest($least, least($most, quantile_disc(gap, 0.99))) AS silence FROM gaps WHERE gap IS NOT NULL GROUP BY c)
SELECT c AS row, least($horizon, (last_t - first_t) // 86400) AS days, now - last_t > coalesce(silence, $least) AS died, count(*) AS authors
FROM author JOIN span USING (c) LEFT JOIN silence USING (c) GROUP BY ALL ORDER BY row, days, died
"""


def author_sums(connection: duckdb.DuckDBPyConnection, *, tiers: tuple[str, ...]) -> pd.DataFrame:
    """Add up what each author did per community, ordered by community and the author's first record."""
    query = _SUMS.format(tiers=", ".join(f'"{tier}"' for tier in tiers))  # our own names of tiers, not input
    sums = connection.execute(query, {"month": MONTH, "engaged": ENGAGED_DAYS, "look_back": LOOK_BACK_MONTHS}).df()
    sums = sums.fillna(0).astype("int32")
    sums["people"] = np.int32(1)
    return sums


def author_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Build the temporary tables ``author`` (per community and author) and ``author_month`` (covered months only)."""
    connection.execute(_AUTHOR)
    connection.execute(_MONTH, {"month": MONTH})


def months(connection: duckdb.DuckDBPyConnection, *, communities: pd.DataFrame) -> pd.DataFrame:
    """Count the distinct authors of every covered month: row, month, authors; a silent month is a zero, not a gap."""
    seen = connection.execute("SELECT c AS row, m AS month, count(*) AS authors FROM author_month GROUP BY ALL ORDER BY row, month").df()
    length = communities["months"].to_numpy()
    rows = np.repeat(np.arange(len(communities)), length)
    starts = np.cumsum(length) - length
    every = pd.DataFrame({"row": rows, "month": communities["month_from"].to_numpy()[rows] + np.arange(len(rows)) - starts[rows]})
    grid = every.merge(seen, on=["row", "month"], how="left")
    return grid.assign(authors=grid["authors"].fillna(0).astype("int64"))


def listed_authors(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Count a listing's authors per 28 days back from its newest record: row, authors, squares, bins (at least one, else whole ones)."""
    return connection.execute(
        """
        SELECT c AS row, sum(n)::BIGINT AS authors, sum(n * n)::BIGINT AS squares, min(bins) AS bins FROM (
            SELECT c, (newest - t) // $month AS bin, greatest(1, (newest - oldest) // $month) AS bins, count(DISTINCT a) AS n
            FROM entry JOIN span USING (c) WHERE listing AND a IS NOT NULL AND t >= oldest GROUP BY ALL
        ) WHERE bin < bins GROUP BY c ORDER BY c
        """,
        {"month": MONTH},
    ).df()


def lifetimes(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Count authors by the days between their first and last record, and whether they have gone silent since."""
    bounds = {"least": SILENCE[0] * DAY, "most": SILENCE[1] * DAY, "horizon": HORIZON}
    return connection.execute(_LIFETIMES, bounds).df()
