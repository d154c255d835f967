"""From the store's records to the run's entries: one row per record and community, bots and repeats left out.

In: the DuckDB connection of the activity store and the scope of the run. Out: the temporary tables ``entry`` and ``span``, and
one row of facts per community. Every order in here is an order of record ids, so neither the input's order nor a pseudonym
decides anything, and every sum is of integers, so the number of threads does not either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from discovery.features.measurement import Scope
from discovery.features.sensitive import sensitive_subject
from storage.errors import SourceNotStoredError

if TYPE_CHECKING:
    import duckdb

DAY = 86_400
MONTH = 28 * DAY
REPEAT_LENGTH = 20
"""Characters from which the same text by the same author is a repeat; "thanks" and "lol" are not. A reply repeats only in its thread."""
CAPPED_COMMUNITIES, CAPPED_SHARE, CAPPED_WITHIN = 10, 0.3, 0.94
"""An unknown source is a listing where this share of at least so many communities stands at the common maximum of posts."""
LISTED_TRIM = 0.1
"""Share of a listing's oldest records that pinned posts may make up."""
SHOWN_OF_LISTING = 1 - LISTED_TRIM


WORDS = "CASE WHEN title = '' THEN text WHEN text = '' THEN title ELSE title || chr(10) || text END"
"""What a record says, in SQL: its title, a line break, its body."""

_LAST = """
SELECT source_id, max(created_at) AS last_at FROM (SELECT unnest(list_distinct(source_ids)) AS source_id, created_at FROM records)
WHERE list_contains($sources, source_id) GROUP BY source_id ORDER BY source_id
"""

_DELIVERED = """
WITH delivered AS (
    SELECT communities, unnest(list_distinct(source_ids)) AS source_id, created_at, kind FROM records
    WHERE list_has_any(source_ids, $sources)
), membership AS (
    SELECT unnest(list_distinct(communities)) AS community, source_id, kind FROM delivered JOIN spans USING (source_id)
    WHERE created_at BETWEEN since AND now
)
SELECT community, source_id, count(*) AS shown, count(*) FILTER (kind = 'post') AS posts
FROM membership GROUP BY ALL ORDER BY community, source_id
"""

_CHOSEN = """
CREATE OR REPLACE TEMP TABLE chosen AS
WITH numbered AS (
    SELECT row_number() OVER (ORDER BY record_id) AS r, rowid AS rid, * FROM records WHERE list_has_any(source_ids, $sources)
), member AS (SELECT *, unnest(list_distinct(communities)) AS community FROM numbered)
SELECT p.row AS c, r, rid, md5_number_lower(record_id) AS h, author, coalesce(bot, false) AS bot, kind = 'post' AS post, created_at AS t,
    hash(record_id) AS id_h, CASE WHEN thread IS NOT NULL THEN hash(thread) END AS thread_h,
    CASE WHEN parent IS NOT NULL THEN hash(parent) END AS parent_h, replies, accepted,
    title <> '' OR text <> '' AS worded,
    CASE WHEN title = '' THEN contains(text, '?') OR contains(text, '？') ELSE contains(title, '?') OR contains(title, '？') END AS asks,
    CASE WHEN length(title) + length(text) >= $repeat THEN hash(title, text, CASE WHEN kind = 'reply' THEN thread END) END AS said
FROM member m JOIN placed p ON m.community = p.community
WHERE created_at BETWEEN p.since AND p.now
"""

_ENTRY = """
CREATE OR REPLACE TEMP TABLE entry AS
WITH person AS (
    SELECT author, row_number() OVER (ORDER BY min(r)) AS a FROM chosen WHERE author IS NOT NULL AND NOT bot GROUP BY author
), repeated AS (
    SELECT c, author, said, min(t::HUGEINT * 4294967296 + r) AS first FROM chosen
    WHERE said IS NOT NULL AND author IS NOT NULL AND NOT bot GROUP BY c, author, said HAVING count(*) > 1
)
SELECT e.c, r, rid, h, a, post, t, id_h, thread_h, parent_h, replies, accepted, worded, asks
FROM chosen e LEFT JOIN person USING (author) LEFT JOIN repeated d ON e.c = d.c AND e.author = d.author AND e.said = d.said
WHERE NOT bot AND (first IS NULL OR first = t::HUGEINT * 4294967296 + r)
"""

_TOTAL = """
CREATE OR REPLACE TEMP TABLE total AS SELECT count(DISTINCT r) AS records, count(DISTINCT author) AS authors FROM chosen
"""

_VOLUME = """
SELECT c, count(*) AS records, count(*) FILTER (NOT bot) AS by_people, min(t) AS first_at, max(t) AS last_at
FROM chosen GROUP BY c ORDER BY c
"""

_FACTS = """
WITH oldest AS (
    SELECT c, CASE WHEN any_value(p.listing) THEN quantile_disc(t, $trim) ELSE min(t) END AS oldest, max(t) AS newest
    FROM entry JOIN placed p ON c = p.row GROUP BY c
),
daily AS (SELECT e.c, t // 86400 AS day, count(*) AS n FROM entry e JOIN oldest USING (c) WHERE t > oldest GROUP BY ALL),
spread AS (SELECT c, sum(n * n)::BIGINT AS daily_squares FROM daily GROUP BY c)
SELECT c, min(oldest) AS oldest, min(newest) AS newest, count(*) AS entries, count(*) FILTER (t > oldest) AS since_oldest,
    count(DISTINCT a) AS authors, count(*) FILTER (post) AS posts, count(*) FILTER (a IS NULL) AS deleted,
    count(*) FILTER (worded) AS worded, count(*) FILTER (worded AND post) AS worded_posts,
    count(*) FILTER (post AND thread_h IS NOT NULL) AS threads,
    count(*) FILTER (NOT post AND thread_h IS NOT NULL) AS answers, count(replies) AS counted_replies, count(accepted) AS marks,
    min(coalesce(daily_squares, 0)) AS daily_squares
FROM entry JOIN oldest USING (c) LEFT JOIN spread USING (c) GROUP BY c ORDER BY c
"""


def select(connection: duckdb.DuckDBPyConnection, *, scope: Scope) -> pd.DataFrame:
    """Build ``entry`` and return one row of facts per community, sorted by key, index 0..n-1.

    Raises:
        SourceNotStoredError: the scope names a source the store does not hold.
    """
    sources = _sources(connection, scope)
    chosen = {"sources": sources.index.tolist()}
    spans = _spans(connection.execute(_LAST, chosen).df(), sources, scope)
    load(connection, "spans", spans)
    placed = _place(connection.execute(_DELIVERED, chosen).df(), sources, spans)
    load(connection, "placed", placed[["community", "row", "since", "now"]].assign(listing=placed["coverage"] != "complete"))
    connection.execute(_CHOSEN, {**chosen, "repeat": REPEAT_LENGTH})
    connection.execute(_ENTRY)
    connection.execute(_TOTAL)
    volume = connection.execute(_VOLUME).df().set_index("c")
    facts = connection.execute(_FACTS, {"trim": LISTED_TRIM}).df().set_index("c")
    connection.execute("DROP TABLE chosen")
    placed = placed.set_index("row", drop=False).join(volume).join(facts)
    whole = [*volume.columns, *facts.columns]
    placed[whole] = placed[whole].fillna(0).astype("int64")
    facts = _exposed(_described(placed, connection, sources))
    span = facts[["month_from", "month_to", "now", "oldest", "newest", "stores_replies"]].assign(listing=facts["coverage"] != "complete")
    load(connection, "span", span.reset_index(names="c"))
    return facts


def _sources(connection: duckdb.DuckDBPyConnection, scope: Scope) -> pd.DataFrame:
    """Read the run's sources, in the order of their names so that ids given in order of arrival decide nothing."""
    stored = connection.execute("SELECT * FROM sources ORDER BY name").df().set_index("source_id")
    absent = sorted(set(scope.sources) - set(stored["name"]))
    if absent:
        raise SourceNotStoredError(
            f"{len(absent)} of the run's {len(scope.sources)} sources are not in the store: {', '.join(absent)}. Collect them first."
        )
    return stored[stored["name"].isin(scope.sources)]


def _spans(last: pd.DataFrame, sources: pd.DataFrame, scope: Scope) -> pd.DataFrame:
    """Give each source that shows anything its ``now`` and the begin of the run's window."""
    spans = last[["source_id"]].copy()
    names = spans["source_id"].map(sources["name"])
    spans["now"] = [scope.now.get(name, int(shown)) for name, shown in zip(names, last["last_at"], strict=True)]
    spans["since"] = 0 if scope.window_days is None else spans["now"] - scope.window_days * DAY
    return spans.astype("int64")


def _place(delivered: pd.DataFrame, sources: pd.DataFrame, spans: pd.DataFrame) -> pd.DataFrame:
    """Give each community its row, the source that shows most of it, and that source's coverage, ``now`` and ``since``."""
    delivered["source"] = delivered["source_id"].map(sources["name"])
    main = delivered.sort_values(["community", "shown", "source"], ascending=[True, False, True]).drop_duplicates("community")
    placed = main[["community", "source_id", "source"]].merge(spans, on="source_id").sort_values("community", ignore_index=True)
    placed["row"] = np.arange(len(placed), dtype="int64")
    coverage = {number: _coverage(str(sources.at[number, "coverage"]), group["posts"]) for number, group in delivered.groupby("source_id")}
    placed["coverage"] = placed["source_id"].map(coverage).astype(object)
    return placed


def load(connection: duckdb.DuckDBPyConnection, name: str, frame: pd.DataFrame) -> None:
    """Put a frame into a temporary table; text columns as text also where the frame is empty."""
    connection.register("loading", frame)
    kinds = {"i": "BIGINT", "u": "UBIGINT", "b": "BOOLEAN"}
    picked = ", ".join(f'"{column}"::{kinds.get(kind.kind, "VARCHAR")} AS "{column}"' for column, kind in frame.dtypes.items())
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT {picked} FROM loading")  # noqa: S608 - names are ours
    connection.unregister("loading")


def _coverage(declared: str, posts: pd.Series[int]) -> str:
    """Tell a listing from a complete source where the source itself cannot: capped listings pile up at one number of posts."""
    if declared != "unknown":
        return declared
    shown = posts[posts > 0]
    capped = len(shown) >= CAPPED_COMMUNITIES and (shown >= CAPPED_WITHIN * shown.max()).mean() >= CAPPED_SHARE
    return "listing" if capped and shown.max() >= CAPPED_COMMUNITIES else "complete"


def _described(placed: pd.DataFrame, connection: duckdb.DuckDBPyConnection, sources: pd.DataFrame) -> pd.DataFrame:
    """Add what sources say of a community; its main source speaks first, whoever calls it sensitive is believed."""
    told = connection.execute("SELECT community, source_id, name, url, description, members, sensitive FROM communities").df()
    told = told[told["source_id"].isin(sources.index)].merge(placed[["community", "source_id"]], on="community", suffixes=("", "_main"))
    told["order"] = (told["source_id"] != told["source_id_main"]).astype(int)
    told["source"] = told["source_id"].map(sources["name"])
    told = told.sort_values(["community", "order", "source"])
    first = told.groupby("community")[["name", "url", "description", "members"]].first()
    first["sensitive"] = told.groupby("community")["sensitive"].max().astype(bool)
    described = placed.join(first, on="community")
    described["description"] = described["description"].fillna("")
    described["name"] = described["name"].fillna(described["community"])
    told_by = zip(described["name"], described["description"], described["sensitive"].eq(True), strict=True)
    because = [sensitive_subject(name, text) or ("marked by its platform" if marked else None) for name, text, marked in told_by]
    described["sensitive_because"] = pd.Series(because, index=described.index, dtype=object)
    described["sensitive"] = described["sensitive_because"].notna()
    described["platform"] = described["community"].str.split(":").str[0]
    return described.join(sources[["quote_ok", "llm_ok", "licence"]], on="source_id")


def _exposed(facts: pd.DataFrame) -> pd.DataFrame:
    """Add the exposure in days, the covered 28-day months ``[month_from, month_to)`` and the observed share."""
    listing = facts["coverage"] != "complete"
    silent = facts["entries"] == 0
    span = np.where(listing, facts["newest"], facts["now"]) - facts["oldest"]
    facts["exposure"] = np.where(silent, 0, np.maximum(span, DAY // 48)) / DAY
    facts["month_from"] = -(-facts["oldest"] // MONTH)
    facts["month_to"] = np.where(listing | silent, facts["month_from"], np.maximum(facts["now"] // MONTH, facts["month_from"]))
    facts["months"] = facts["month_to"] - facts["month_from"]
    facts["observed"] = np.where(listing, SHOWN_OF_LISTING * np.minimum(1.0, facts["exposure"] / 28), 1.0)
    facts["no_threads"] = facts["threads"] == 0
    by_source = facts.groupby("source_id")
    facts["stores_replies"] = by_source["answers"].transform("sum") > 0
    facts["counts_replies"] = facts["counted_replies"] > 0
    return facts
