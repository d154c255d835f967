"""What a good engineer would write to read words, in DuckDB: ``python -m benchmarks.features.words NAME FOLDER``.

``column`` only reads every record's words. ``counts`` counts each community's words and the people who say them, over all records;
``sampled`` over as many records a community as ours. ``separate`` asks for each tier of intent by itself, ``alternation`` is our
filter, a few alternations of them, and ``search`` our whole search, which reads what passes the filter exactly. Out: the seconds, and
how many records or words were found: the same for ``separate`` and ``alternation``.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import duckdb

from benchmarks.features.invented import opened
from discovery.features import FeatureSettings, intent
from discovery.features.text import STOP_WORDS, WORD, WORDS

_COUNTS = """
CREATE TEMP TABLE word AS
WITH told AS (SELECT communities[1] AS community, author, unnest(regexp_extract_all(lower({words}), '{word}')) AS word FROM ({rows}))
SELECT community, word, count(*) AS n, count(DISTINCT author) AS authors FROM told
WHERE length(word) > 1 AND word NOT IN {stop} GROUP BY ALL
"""
_SAMPLED = "FROM records QUALIFY row_number() OVER (PARTITION BY communities[1] ORDER BY key) <= {most}"
_PASSING = "SELECT count(*) FROM (SELECT {words} AS words FROM records) WHERE {test}"


def column(connection: duckdb.DuckDBPyConnection) -> int:
    """Read every record's words, and count their characters."""
    return _one(connection, "SELECT sum(length(title) + length(text)) FROM records")


def counts(connection: duckdb.DuckDBPyConnection, rows: str = "FROM records") -> int:
    """Count words per community in plain SQL; give how many kinds of word communities have."""
    stop = tuple(word for word in sorted(STOP_WORDS) if "'" not in word)
    connection.execute(_COUNTS.format(words=WORDS, word=WORD.replace("'", "''"), rows=rows, stop=stop))
    return _one(connection, "SELECT count(*) FROM word")


def sampled(connection: duckdb.DuckDBPyConnection) -> int:
    """Count words of as many records per community as ours reads."""
    return counts(connection, _SAMPLED.format(most=FeatureSettings().sample_records))


def separate(connection: duckdb.DuckDBPyConnection) -> int:
    """Ask for each tier by itself, as someone would who had not thought about it; give the records that show any."""
    tiers = {code: tier.superset for code, tier in intent.lexicon().items() if code in intent.TIERS}
    flags = ", ".join(f"regexp_matches(words, ${code}, 'i')" for code in tiers)
    return _one(connection, _PASSING.format(words=WORDS, test=f"list_contains([{flags}], true)"), tiers)


def alternation(connection: duckdb.DuckDBPyConnection) -> int:
    """Ask a few alternations of the same tiers, behind the coarser one of how they begin, as our search does."""
    test, patterns = intent.showing()
    return _one(connection, _PASSING.format(words=WORDS, test=test), patterns)


def search(connection: duckdb.DuckDBPyConnection) -> int:
    """Run our own search over all records; give those that show intent."""
    connection.execute("CREATE TEMP TABLE wanted AS SELECT NULL::INTEGER AS c, key, rowid AS rid FROM records")
    return sum(1 for _ in intent.search(connection))


def _one(connection: duckdb.DuckDBPyConnection, query: str, values: dict[str, str] | None = None) -> int:
    return int(connection.execute(query, values).fetchall()[0][0])


READERS = {reader.__name__: reader for reader in (column, counts, sampled, separate, alternation, search)}


def main(name: str, folder: Path) -> None:
    """Time one reader."""
    with opened(folder) as store:
        began = time.perf_counter()
        found = READERS[name](store.connection)
        print(time.perf_counter() - began, found)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
