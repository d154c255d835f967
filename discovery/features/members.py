"""From the store's records to members: one row per record and community it stands in, and the communities where anything has changed.

In: the records that pages after the last known one have inserted, replaced or credited, and what has gone from the store. Out: the
tables ``partial.member``, ``partial.community`` (numbers that never change) and ``partial.credit``, and the temporary table
``touched``. Everything here looks at a record once, whole; from here on its words are read again only by those who need them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from discovery.features.partials import NOTHING
from discovery.features.text import THANKS

if TYPE_CHECKING:
    import duckdb

REPEAT_LENGTH = 20
"""Characters from which the same text by the same author is a repeat; "thanks" and "lol" are not. A reply repeats only in its thread."""
OPENING, MARK = 300, r"[^\p{L}\p{M}\p{N}]+"
"""The gist of a record is its title, else so many characters of its text, without case, blanks and marks: what a copy of it keeps."""
READINGS = ("hit", "wish", "run", "named", "paid", "token", "capital")
"""Partials that are kept by record: what its words say, however its community changes around it."""

TABLES = """
CREATE TABLE IF NOT EXISTS partial.community (c INTEGER, community TEXT);
CREATE TABLE IF NOT EXISTS partial.credit (credit UBIGINT, source_id INTEGER);
CREATE TABLE IF NOT EXISTS partial.member (
    c INTEGER, key UBIGINT, changed BIGINT, credit UBIGINT, author BIGINT, bot BOOLEAN, post BOOLEAN, t BIGINT, thread UBIGINT,
    parent UBIGINT, replies BIGINT, accepted BOOLEAN, score BIGINT, worded BOOLEAN, asks BOOLEAN, thanks BOOLEAN, said UBIGINT,
    gist UBIGINT, several BOOLEAN, domain TEXT);
CREATE TABLE IF NOT EXISTS partial.bound (c INTEGER, since BIGINT, now BIGINT, listing BOOLEAN);
"""

_ARRIVED = """
CREATE OR REPLACE TEMP TABLE arrived AS
SELECT changed, source_ids, communities FROM records WHERE changed > $page AND list_has_any(source_ids, $sources)
"""
_MISSING = """
SELECT (SELECT count(*) FROM partial.member ANTI JOIN gone USING (key))
    - (SELECT coalesce(sum(len(list_distinct(communities))), 0) FROM records WHERE changed <= $page AND list_has_any(source_ids, $sources))
"""
"""Members whose records are not there any more, as against those that changed; on most nights none, and then nothing is looked up."""
_GONE = """
INSERT INTO gone SELECT DISTINCT key FROM partial.member ANTI JOIN records USING (key)
"""
_COMMUNITY = """
INSERT INTO partial.community
SELECT (SELECT coalesce(max(c), -1) FROM partial.community) + row_number() OVER (ORDER BY community), community
FROM (SELECT DISTINCT unnest(communities) AS community FROM arrived) ANTI JOIN partial.community USING (community)
"""
_CREDIT = """
INSERT INTO partial.credit
WITH lists AS (SELECT DISTINCT list_sort(list_distinct(source_ids)) AS ids FROM arrived)
SELECT credit, source_id FROM (SELECT hash(ids) AS credit, unnest(ids) AS source_id FROM lists)
WHERE list_contains($sources, source_id) AND credit NOT IN (SELECT credit FROM partial.credit)
"""
_MEMBER = """
INSERT INTO partial.member
WITH new AS (
    SELECT *, list_distinct(communities) AS places,
        regexp_replace(lower(left(CASE WHEN title = '' THEN text ELSE title END, $opening)), $mark, '', 'g') AS letters
    FROM records WHERE changed > $page AND list_has_any(source_ids, $sources)
), placed AS (SELECT *, unnest(places) AS community, len(places) > 1 AS several FROM new)
SELECT c, key, changed, hash(list_sort(list_distinct(source_ids))), author, coalesce(bot, false), kind = 'post', created_at,
    md5_number_lower(thread), md5_number_lower(parent), replies, accepted, score, title <> '' OR text <> '',
    CASE WHEN title = '' THEN contains(text, '?') OR contains(text, '？') ELSE contains(title, '?') OR contains(title, '？') END,
    kind = 'reply' AND regexp_matches(text, $thanks, 'i'),
    CASE WHEN length(title) + length(text) >= $repeat THEN hash(title, text, CASE WHEN kind = 'reply' THEN thread END) END,
    CASE WHEN length(letters) >= $repeat THEN hash(letters) END, several, domain
FROM placed JOIN partial.community USING (community)
"""

_LAST = """
SELECT source_id, max(t) AS last_at FROM (SELECT credit, max(t) AS t FROM partial.member GROUP BY credit) JOIN partial.credit USING (credit)
GROUP BY source_id ORDER BY source_id
"""
_DELIVERED = """
SELECT community, source_id, shown, posts FROM (
    SELECT c, source_id, count(*) AS shown, count(*) FILTER (post) AS posts
    FROM partial.member JOIN partial.credit USING (credit) JOIN spans USING (source_id) WHERE t BETWEEN since AND now GROUP BY ALL
) JOIN partial.community USING (c) ORDER BY community, source_id
"""
_BOUND = """
CREATE OR REPLACE TEMP TABLE bound AS
SELECT c, row, since, now, coverage <> 'complete' AS listing FROM placed JOIN partial.community USING (community)
"""
_MOVED = """
INSERT INTO touched
SELECT n.c FROM bound n LEFT JOIN partial.bound o USING (c) WHERE o.c IS NULL OR o.listing <> n.listing
UNION SELECT o.c FROM partial.bound o ANTI JOIN bound USING (c)
UNION SELECT m.c FROM partial.member m JOIN partial.bound o USING (c) JOIN bound n USING (c)
    WHERE (m.t BETWEEN o.since AND o.now) <> (m.t BETWEEN n.since AND n.now)
        OR (m.t // $month < o.now // $month) <> (m.t // $month < n.now // $month)
"""


def arrive(connection: duckdb.DuckDBPyConnection, *, sources: Sequence[int], known: int) -> int:
    """Bring the members from page ``known`` up to the records of these sources; fill ``touched`` with whose records are new or gone.

    Returns:
        The last page the members now hold.
    """
    chosen = {"sources": list(sources), "page": known}
    connection.execute(TABLES)
    connection.execute("CREATE OR REPLACE TEMP TABLE touched (c INTEGER); CREATE OR REPLACE TEMP TABLE gone (key UBIGINT)")
    connection.execute(_ARRIVED, chosen)
    if known > NOTHING:
        _leave(connection, chosen)
    connection.execute(_COMMUNITY)
    connection.execute(_CREDIT, {"sources": list(sources)})
    connection.execute(_MEMBER, {**chosen, "thanks": THANKS, "repeat": REPEAT_LENGTH, "opening": OPENING, "mark": MARK})
    connection.execute("INSERT INTO touched SELECT DISTINCT c FROM partial.member WHERE changed > ?", [known])
    page: int = connection.execute("SELECT greatest(?, coalesce(max(changed), ?)) FROM arrived", [known, NOTHING]).fetchall()[0][0]
    connection.execute("DROP TABLE arrived")
    return page


def _leave(connection: duckdb.DuckDBPyConnection, chosen: dict[str, object]) -> None:
    """Take out what records said before they changed, and what has left the store, noting whose communities that touches."""
    connection.execute("INSERT INTO gone SELECT key FROM records WHERE changed > ?", [chosen["page"]])
    (missing,) = connection.execute(_MISSING, chosen).fetchall()[0]
    if missing:
        connection.execute(_GONE)
    connection.execute("INSERT INTO touched SELECT DISTINCT c FROM partial.member SEMI JOIN gone USING (key)")
    there = {name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'partial'").fetchall()}
    for name in ("member", *(reading for reading in READINGS if reading in there)):
        connection.execute(f"DELETE FROM partial.{name} WHERE key IN (SELECT key FROM gone)")  # noqa: S608 - names of ours


def last_shown(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Give the last instant each source shows: source_id, last_at."""
    return connection.execute(_LAST).df()


def delivered(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Count what each source shows of each community within its span (table ``spans``): community, source_id, shown, posts."""
    return connection.execute(_DELIVERED).df()


def bind(connection: duckdb.DuckDBPyConnection, *, month: int) -> None:
    """Bound the members of each community by what its main source spans (table ``placed``); bounds and months that passed them touch it."""
    connection.execute(_BOUND)
    connection.execute(_MOVED, {"month": month})
    connection.execute("DELETE FROM partial.bound; INSERT INTO partial.bound SELECT c, since, now, listing FROM bound")


def batches(connection: duckdb.DuckDBPyConnection, *, records: int) -> Iterator[None]:
    """Put the touched communities into the table ``batch``, so many records at a time, dividing none; once where there are none."""
    sizes = connection.execute(
        "SELECT c, count(key) AS n FROM (SELECT DISTINCT c FROM touched) LEFT JOIN partial.member USING (c) GROUP BY c ORDER BY c"
    ).df()
    groups = [group for _, group in sizes.groupby((sizes["n"].cumsum() - sizes["n"]) // records)]
    for group in groups or [sizes]:
        connection.register("picked", group)
        connection.execute("CREATE OR REPLACE TEMP TABLE batch AS SELECT c::INTEGER AS c FROM picked")
        connection.unregister("picked")
        yield
