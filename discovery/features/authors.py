"""From entries to authors: what each author did in each community, as integers that a resampling of authors can add up again.

In: the entries of a batch. Out: partials of people; from them, once ``now`` and the months it covers are known, ``author_sums`` and
the distributions over months and lifetimes that retention and growth are made of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from discovery.features.partials import Partial
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
SELECT c, a, min(key) AS first_key, count(*) AS records, count(*) FILTER (post) AS posts, count(*) FILTER (post AND asks) AS questions,
    max(worded::TINYINT) AS voters, min(t) AS first_t, max(t) AS last_t,
    min(DISTINCT t // 86400, 2)[2] AS second_day
FROM entry WHERE a IS NOT NULL GROUP BY c, a
"""
_MONTH = """
SELECT c, a, t // $month AS m, count(DISTINCT t // 86400) AS days, count(*) AS records FROM entry
WHERE a IS NOT NULL GROUP BY ALL
"""
_SILENCE = """
WITH gaps AS (SELECT c, t - lag(t) OVER (PARTITION BY c, a ORDER BY t, key) AS gap FROM entry WHERE a IS NOT NULL)
SELECT c, greatest($least, least($most, quantile_disc(gap, 0.99))) AS silence FROM gaps WHERE gap IS NOT NULL GROUP BY c
"""
_LISTED = """
WITH seen AS (
    SELECT DISTINCT c, a, (newest - t) // $month AS bin, greatest(1, (newest - oldest) // $month) AS bins
    FROM entry JOIN bound USING (c) JOIN partial.fact USING (c) WHERE listing AND a IS NOT NULL AND t >= oldest
), by_bin AS (SELECT c, bins, bin, count(*) AS n FROM seen WHERE bin < bins GROUP BY ALL),
by_author AS (SELECT c, a, count(*) AS n FROM seen WHERE bin < bins GROUP BY ALL),
again AS (SELECT c, sum(n * n)::BIGINT AS again FROM by_author GROUP BY c)
SELECT c, sum(n)::BIGINT AS authors, sum(n * n)::BIGINT AS squares, min(bins) AS bins, min(again) AS again
FROM by_bin JOIN again USING (c) GROUP BY c
"""
PARTIALS = (
    Partial("author", _AUTHOR),
    Partial("author_month", _MONTH, {"month": MONTH}),
    Partial("silence", _SILENCE, {"least": SILENCE[0] * DAY, "most": SILENCE[1] * DAY}),
    Partial("listed", _LISTED, {"month": MONTH}),
)
"""What each author did, in all and per 28-day month; after how long a silence people are gone; whom a listing shows, per 28 days back."""

_SHARED = """
CREATE OR REPLACE TEMP TABLE elsewhere AS
WITH twice AS (SELECT a, count(*) - count(DISTINCT key) AS twice FROM partial.several SEMI JOIN span USING (c) WHERE entry GROUP BY a)
SELECT a, sum(records)::BIGINT - coalesce(any_value(twice), 0) AS in_all
FROM partial.author JOIN span USING (c) LEFT JOIN twice USING (a) GROUP BY a
"""
"""Records of each author in all communities, one in several of them counted once."""

_COVERED = """
CREATE OR REPLACE TEMP TABLE covered_month AS
SELECT c, row, a, m, days, records, month_from, month_to FROM partial.author_month JOIN span USING (c)
WHERE m BETWEEN month_from AND month_to - 1
"""
_SUMS = """
WITH following AS (SELECT *, lead(m) OVER (PARTITION BY c, a ORDER BY m) AS next_m FROM covered_month),
monthly AS (
    SELECT c, a, count(*) AS months, count(*) FILTER (m < month_to - 1) AS present, count(*) FILTER (next_m = m + 1) AS stayed,
        count(*) FILTER (days >= $engaged) AS engaged, count(*) FILTER (m >= month_from + $look_back) AS seasoned,
        count(*) FILTER (m >= month_from + $look_back AND m = first_t // $month) AS newcomers
    FROM following JOIN partial.author USING (c, a) GROUP BY c, a
)
SELECT span.row, records, posts, questions, voters, (in_all > records)::TINYINT AS shared, months, present, stayed, engaged, seasoned,
    newcomers, aged, unanswered, help, unsolved, arrived, converted, busy, loyal, {tiers}
FROM partial.author JOIN span USING (c) JOIN elsewhere USING (a)
    LEFT JOIN monthly USING (c, a) LEFT JOIN author_thread USING (c, a) LEFT JOIN author_newcomer USING (c, a)
    LEFT JOIN author_loyalty USING (c, a) LEFT JOIN partial.vote USING (c, a)
ORDER BY span.row, first_key
"""
_LIFETIMES = """
WITH life AS (
    SELECT row, (last_t - first_t) // 86400 AS lived, (now - coalesce(silence, $least) - first_t) // 86400 AS watched
    FROM partial.author JOIN span USING (c) LEFT JOIN partial.silence USING (c)
)
SELECT row, least($horizon, lived, watched - 1) AS days, lived < watched AS died, count(*) AS authors
FROM life WHERE watched > 0 GROUP BY ALL ORDER BY row, days, died
"""


def author_sums(connection: duckdb.DuckDBPyConnection, *, tiers: tuple[str, ...]) -> pd.DataFrame:
    """Add up what each author did per community, ordered by community and the author's first record."""
    query = _SUMS.format(tiers=", ".join(f'"{tier}"' for tier in tiers))  # our own names of tiers, not input
    sums = connection.execute(query, {"month": MONTH, "engaged": ENGAGED_DAYS, "look_back": LOOK_BACK_MONTHS}).df()
    sums = sums.fillna(0).astype("int32")
    sums["people"] = np.int32(1)
    return sums


def author_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Build the temporary tables ``elsewhere`` (per author) and ``covered_month`` (per author and covered month)."""
    connection.execute(_SHARED)
    connection.execute(_COVERED)


def months(connection: duckdb.DuckDBPyConnection, *, communities: pd.DataFrame) -> pd.DataFrame:
    """Count the distinct authors of every covered month: row, month, authors; a silent month is a zero, not a gap."""
    seen = connection.execute("SELECT row, m AS month, count(*) AS authors FROM covered_month GROUP BY ALL ORDER BY row, month").df()
    length = communities["months"].to_numpy()
    rows = np.repeat(np.arange(len(communities)), length)
    starts = np.cumsum(length) - length
    every = pd.DataFrame({"row": rows, "month": communities["month_from"].to_numpy()[rows] + np.arange(len(rows)) - starts[rows]})
    grid = every.merge(seen, on=["row", "month"], how="left")
    return grid.assign(authors=grid["authors"].fillna(0).astype("int64"))


def listed_authors(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Count a listing's authors per 28 days back from its newest record: row, authors, squares, bins, again.

    There is at least one bin, else whole ones. ``again`` sums over authors the squares of the numbers of bins they are seen in.
    """
    return connection.execute("SELECT row, authors, squares, bins, again FROM partial.listed JOIN span USING (c) ORDER BY row").df()


def spells(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Sum over authors of squares and products of their active months and of those months' numbers: row, nn, ns, ss."""
    return connection.execute(
        """
        WITH spell AS (SELECT row, count(*) AS n, sum(m - month_from)::BIGINT AS s FROM covered_month GROUP BY row, a)
        SELECT row, sum(n * n)::BIGINT AS nn, sum(n * s)::BIGINT AS ns, sum(s * s)::BIGINT AS ss FROM spell GROUP BY row ORDER BY row
        """
    ).df()


def lifetimes(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Count authors by the days between their first and last record, and whether they have gone silent since.

    An author is watched until the silence that would tell that they are gone no longer fits in; who is seen after that may be gone
    or not, and who came after that is not counted: both would make lives look longer.
    """
    return connection.execute(_LIFETIMES, {"least": SILENCE[0] * DAY, "horizon": HORIZON}).df()
