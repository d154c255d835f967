"""From members to the run's entries: one row per record and community, bots and repeats left out, and what they add up to.

In: the members of the store's records and the scope of the run. Out: the temporary table ``entry`` of a batch, partials of volume,
the temporary table ``span`` and one row of facts per community. Every order in here is an order of the hashes of record ids, so
neither the input's order nor a pseudonym decides anything, and every sum is of integers, so the number of threads does not either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from discovery.features.measurement import Scope
from discovery.features.members import bind, delivered, last_shown
from discovery.features.partials import Partial
from discovery.features.sensitive import sensitive_subject
from storage.errors import SourceNotStoredError

if TYPE_CHECKING:
    import duckdb

DAY = 86_400
MONTH = 28 * DAY
CAPPED_COMMUNITIES, CAPPED_SHARE, CAPPED_WITHIN = 10, 0.3, 0.94
"""An unknown source is a listing where this share of at least so many communities stands at the common maximum of posts."""
LISTED_TRIM = 0.1
"""Share of a listing's oldest records that pinned posts may make up."""
SHOWN_OF_LISTING = 1 - LISTED_TRIM


_ENTRY = """
CREATE OR REPLACE TEMP TABLE entry AS
WITH everyone AS (SELECT * FROM partial.member SEMI JOIN batch USING (c) JOIN bound USING (c) WHERE t BETWEEN since AND now),
mine AS (SELECT * FROM everyone WHERE NOT bot),
automatic AS (SELECT c, thread AS key, count(*) AS answers FROM everyone WHERE bot AND NOT post AND thread IS NOT NULL GROUP BY ALL),
repeated AS (
    SELECT c, author, said, min(t::HUGEINT * 18446744073709551616 + key) AS first FROM mine
    WHERE said IS NOT NULL AND author IS NOT NULL GROUP BY ALL HAVING count(*) > 1
)
SELECT c, key, changed, author AS a, post, t, thread, parent,
    CASE WHEN post AND replies IS NOT NULL THEN greatest(replies - coalesce(answers, 0), 0) ELSE replies END AS replies,
    accepted, score, worded, asks, thanks, several, domain, gist
FROM mine LEFT JOIN repeated USING (c, author, said) LEFT JOIN automatic USING (c, key)
WHERE first IS NULL OR first = t::HUGEINT * 18446744073709551616 + key
"""
"""Bots are left out, their replies off what a platform counts, and of repeats all but the first in time, of equals the lesser hash."""

_WITHIN = "partial.member SEMI JOIN batch USING (c) JOIN bound USING (c) WHERE t BETWEEN since AND now"
_VOLUME = f"""
SELECT c, count(*) AS records, count(*) FILTER (NOT bot) AS by_people, min(t) AS first_at, max(t) AS last_at FROM {_WITHIN} GROUP BY c
"""  # noqa: S608 - a constant of ours
_ROBOT = f"SELECT DISTINCT c, author FROM {_WITHIN} AND bot AND author IS NOT NULL"  # noqa: S608 - a constant of ours
_SEVERAL = f"""
SELECT c, key, author AS a, t, entry.key IS NOT NULL AS entry
FROM (SELECT c, key, author, t FROM {_WITHIN} AND several) LEFT JOIN (SELECT c, key FROM entry) AS entry USING (c, key)
"""  # noqa: S608 - a constant of ours
_FACT = """
WITH oldest AS (
    SELECT c, CASE WHEN any_value(listing) THEN quantile_disc(t, $trim) ELSE min(t) END AS oldest, max(t) AS newest
    FROM entry JOIN bound USING (c) GROUP BY c
),
daily AS (SELECT e.c, t // 86400 AS day, count(*) AS n FROM entry e JOIN oldest USING (c) WHERE t > oldest GROUP BY ALL),
spread AS (SELECT c, sum(n * n)::BIGINT AS daily_squares FROM daily GROUP BY c)
SELECT c, min(oldest) AS oldest, min(newest) AS newest, count(*) AS entries, count(*) FILTER (t > oldest) AS since_oldest,
    count(DISTINCT a) AS authors, count(*) FILTER (post) AS posts, count(*) FILTER (a IS NULL) AS deleted,
    count(*) FILTER (worded) AS worded, count(*) FILTER (worded AND post) AS worded_posts,
    count(*) FILTER (post AND thread IS NOT NULL) AS threads,
    count(*) FILTER (NOT post AND thread IS NOT NULL) AS answers, count(replies) AS counted_replies, count(accepted) AS marks,
    min(coalesce(daily_squares, 0)) AS daily_squares
FROM entry JOIN oldest USING (c) LEFT JOIN spread USING (c) GROUP BY c
"""
PARTIALS = (
    Partial("volume", _VOLUME),
    Partial("robot", _ROBOT),
    Partial("several", _SEVERAL),
    Partial("fact", _FACT, {"trim": LISTED_TRIM}),
)
"""How much there is, marked bots, records of several communities, and what the entries of each community add up to."""

_TOTAL = """
SELECT (SELECT coalesce(sum(records), 0) FROM partial.volume SEMI JOIN span USING (c))::BIGINT
        - (SELECT count(*) - count(DISTINCT key) FROM partial.several SEMI JOIN span USING (c)),
    (SELECT count(*) FROM (
        SELECT a FROM partial.author SEMI JOIN span USING (c) UNION SELECT author FROM partial.robot SEMI JOIN span USING (c)))
"""


def place(connection: duckdb.DuckDBPyConnection, *, scope: Scope, sources: pd.DataFrame) -> pd.DataFrame:
    """Give each community its row in the order of keys, its main source and what that spans; whose bounds moved is touched."""
    spanned = spans(last_shown(connection), sources, scope)
    load(connection, "spans", spanned)
    found = placed(delivered(connection), sources, spanned)
    load(connection, "placed", found[["community", "row", "since", "now", "coverage"]])
    bind(connection, month=MONTH)
    return found


_OF_BOUND = ["c", "since", "now", "listing"]


def enter(connection: duckdb.DuckDBPyConnection) -> None:
    """Build the temporary table ``entry`` of the communities in ``batch``: one row per record and community, bots and repeats left out."""
    connection.execute(_ENTRY)


def facts(connection: duckdb.DuckDBPyConnection, *, placed: pd.DataFrame, sources: pd.DataFrame) -> pd.DataFrame:
    """Return one row of facts per community, index 0..n-1 in the order of keys, and build the temporary table ``span``."""
    volume, counts = (
        connection.table(f"partial.{name}").join(connection.table("bound"), "c").df().set_index("row").drop(columns=_OF_BOUND).sort_index()
        for name in ("volume", "fact")
    )
    found = placed.set_index("row", drop=False).join(volume).join(counts)
    whole = [*volume.columns, *counts.columns]
    found[whole] = found[whole].fillna(0).astype("int64")
    found = _exposed(_described(found, connection, sources))
    span = found[["community", "row", "month_from", "month_to", "now", "oldest", "newest", "stores_replies"]]
    load(connection, "spanned", span.assign(listing=found["coverage"] != "complete"))
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE span AS SELECT c, * EXCLUDE (community) FROM spanned JOIN partial.community USING (community)"
    )
    return found


def totals(connection: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    """Count the distinct records and authors of all communities, bots' too."""
    records, authors = connection.execute(_TOTAL).fetchall()[0]
    return records, authors


def sources_of(connection: duckdb.DuckDBPyConnection, scope: Scope) -> pd.DataFrame:
    """Read the run's sources, in the order of their names so that ids given in order of arrival decide nothing."""
    stored = connection.execute("SELECT * FROM sources ORDER BY name").df().set_index("source_id")
    absent = sorted(set(scope.sources) - set(stored["name"]))
    if absent:
        raise SourceNotStoredError(
            f"{len(absent)} of the run's {len(scope.sources)} sources are not in the store: {', '.join(absent)}. Collect them first."
        )
    return stored[stored["name"].isin(scope.sources)]


def spans(last: pd.DataFrame, sources: pd.DataFrame, scope: Scope) -> pd.DataFrame:
    """Give each source that shows anything its ``now`` and the begin of the run's window."""
    spans = last[["source_id"]].copy()
    names = spans["source_id"].map(sources["name"])
    spans["now"] = [scope.now.get(name, int(shown)) for name, shown in zip(names, last["last_at"], strict=True)]
    spans["since"] = 0 if scope.window_days is None else spans["now"] - scope.window_days * DAY
    return spans.astype("int64")


def placed(delivered: pd.DataFrame, sources: pd.DataFrame, spans: pd.DataFrame) -> pd.DataFrame:
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
