"""The peers' sums in plain SQL with DuckDB; see :mod:`benchmarks.features.peers`."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd

from benchmarks.features.asked import MONTH, PATIENCE

_SQL = """
WITH entry AS (SELECT * FROM records WHERE NOT bot),
known AS (SELECT * FROM entry WHERE author IS NOT NULL),
found AS (
    SELECT c, count(*) AS entries, count(*) FILTER (post) AS posts, count(DISTINCT author) AS authors, count(*) - count(author) AS deleted,
        (min(t) + $month - 1) // $month AS start, greatest($now // $month, (min(t) + $month - 1) // $month) AS stop
    FROM entry GROUP BY c
), people AS MATERIALIZED (SELECT c, author, count(*) AS n, min(t) AS first, max(t) AS last FROM known GROUP BY c, author),
ranked AS (SELECT c, n, row_number() OVER (PARTITION BY c ORDER BY n) AS rank FROM people),
gini AS (
    SELECT c, (2 * sum(rank * n) / (count(*) * sum(n)) - (count(*) + 1) / count(*)) * count(*) / nullif(count(*) - 1, 0) AS gini
    FROM ranked GROUP BY c
), month AS (SELECT c, author, t // $month AS m, count(DISTINCT t // 86400) AS days FROM known GROUP BY ALL),
covered AS (
    SELECT *, lead(m) OVER (PARTITION BY c, author ORDER BY m) AS next, m >= start + 4 AS seasoned
    FROM month JOIN found USING (c) JOIN people USING (c, author) WHERE m >= start AND m < stop
), monthly AS (
    SELECT c, count(*) AS months, count(*) FILTER (m < stop - 1) AS present, count(*) FILTER (next = m + 1) AS stayed,
        count(*) FILTER (days >= 5) AS engaged, count(*) FILTER (seasoned) AS seasoned,
        count(*) FILTER (seasoned AND m = first // $month) AS newcomers
    FROM covered GROUP BY c
), thread AS (
    SELECT p.c, p.id, min(p.t) AS t, min(p.author) AS author, count(q.id) AS answers,
        count(DISTINCT q.author) FILTER (p.author IS NULL OR q.author <> p.author) AS others,
        min(greatest(q.t, p.t)) FILTER (q.id IS NOT NULL AND (q.author IS NULL OR p.author IS NULL OR q.author <> p.author)) AS first
    FROM (FROM entry WHERE post) p LEFT JOIN (FROM entry WHERE NOT post) q ON q.thread = p.id GROUP BY p.c, p.id
), threads AS (
    SELECT c, sum(answers)::BIGINT AS answers, sum(others)::BIGINT AS others,
        count(*) FILTER (t <= $now - $patience AND author IS NOT NULL) AS aged,
        count(*) FILTER (t <= $now - $patience AND author IS NOT NULL AND NOT coalesce(first - t <= $patience, false)) AS unanswered,
        coalesce(sum(coalesce(first, $now) - t) FILTER (t <= $now - $patience AND author IS NOT NULL), 0)::BIGINT AS waited
    FROM thread GROUP BY c
), directed AS (
    SELECT DISTINCT q.c, q.author AS giver, p.author AS taker FROM known q JOIN known p ON q.parent = p.id WHERE q.author <> p.author
), pair AS (SELECT c, least(giver, taker) AS one, greatest(giver, taker) AS other, count(*) AS directions FROM directed GROUP BY ALL),
pairs AS (SELECT c, count(*) AS pairs, count(*) FILTER (directions = 2) AS mutual FROM pair GROUP BY c),
gap AS (SELECT c, t - lag(t) OVER (PARTITION BY c, author ORDER BY t) AS gap FROM known),
silence AS (SELECT c, greatest(28 * 86400, least(90 * 86400, quantile_disc(gap, 0.99))) AS silence FROM gap GROUP BY c),
gone AS (
    SELECT c, count(*) FILTER ($now - last > coalesce(silence, 28 * 86400)) AS gone FROM people LEFT JOIN silence USING (c) GROUP BY c
)
SELECT * EXCLUDE (start, stop) FROM found LEFT JOIN gini USING (c) LEFT JOIN monthly USING (c) LEFT JOIN threads USING (c)
    LEFT JOIN pairs USING (c) LEFT JOIN gone USING (c)
"""


def added(file: Path) -> pd.DataFrame:
    """Add up with plain SQL, on as many threads and as much memory as ours."""
    with duckdb.connect(config={"threads": 2, "memory_limit": "2GB", "preserve_insertion_order": False}) as connection:
        connection.execute(f"CREATE TABLE records AS FROM '{file}'")
        (now,) = connection.execute("SELECT max(t) FROM records").fetchall()[0]
        return connection.execute(_SQL, {"now": now, "month": MONTH, "patience": PATIENCE}).df().set_index("c")
