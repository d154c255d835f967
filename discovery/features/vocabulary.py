"""What they talk about: a bounded sample of words per community, and the run's vocabulary.

In: the entries of a batch. Out: the partials ``sample``, ``token``, ``taken`` (what of each sampled record counts), ``word`` (tokens,
authors) and ``spoken``, and the temporary tables ``reworded`` (communities whose sample is not what it was) and ``told`` (their words
that count, in order); from the partials the run's vocabulary. The sample is the records with the smallest hashes of their ids, of
those before the running 28-day month where these are enough, which most nights leave as they are. No author is more than 2 % of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from scipy import sparse

from discovery.features.measurement import Vocabulary
from discovery.features.partials import Partial, add_missing, renew, renew_frame
from discovery.features.selection import MONTH
from discovery.features.text import LONGEST, MENTION, NOT_PROSE, SHORTEST, STOP_WORDS, TOKENS, WORD, WORDS, language

if TYPE_CHECKING:
    import duckdb

TOKENS_PER_RECORD, TOKENS_PER_AUTHOR, AUTHOR_FLOOR, AUTHOR_PARTS = 50, 200, 50, 50
"""Most tokens of a record and of an author; no author is more than a 50th of a community's tokens, but 50 tokens are always allowed."""
PAST_SHARE = 0.9
"""Share of the records from which those before the running month are enough, where they do not fill a sample."""
LANGUAGE_RECORDS, LANGUAGE_LETTERS = 40, 300
"""Records and characters of each that the language is told from."""
LEAST_SPREAD, LEAST_AUTHORS = 2, 5
"""A term counts from this many communities or this many authors."""
CONTENT = f"length(word) BETWEEN {SHORTEST} AND {LONGEST} AND word NOT IN (SELECT unnest($stop))"
"""What makes a word one of content, in SQL."""

_SAMPLE = """
CREATE OR REPLACE TEMP TABLE sample AS
WITH lived AS (
    SELECT c, any_value(listing) AS listing, (min(t) + $month - 1) // $month AS first, any_value(now) // $month AS running,
        count(*) FILTER (worded AND t // $month < now // $month) AS past, past >= least($most, $share * count(*) FILTER (worded)) AS enough
    FROM entry JOIN bound USING (c) GROUP BY c
)
SELECT c, key, a, changed, CASE WHEN NOT listing AND t // $month BETWEEN first AND running - 1 THEN t // $month END AS m,
    row_number() OVER (PARTITION BY c ORDER BY key) AS place
FROM entry JOIN lived USING (c) WHERE worded AND (t // $month < running OR NOT enough) QUALIFY place <= $most
"""
"""With the whole covered month that each record stands in, if any."""
_KEPT = "CREATE TABLE IF NOT EXISTS partial.sample AS FROM sample LIMIT 0"
_REWORDED = """
CREATE OR REPLACE TEMP TABLE reworded AS
WITH kept AS (FROM partial.sample SEMI JOIN batch USING (c))
SELECT c FROM (FROM sample EXCEPT FROM kept) UNION SELECT c FROM (FROM kept EXCEPT FROM sample)
"""
_TOKEN = f"""
SELECT c, key, len(found) AS n, array_to_string(found, ' ') AS tokens FROM (
    SELECT c, wanted.key, list_slice({TOKENS.format(text=f"regexp_replace({WORDS}, $not_words, ' ', 'g')")}, 1, $per_record) AS found
    FROM records JOIN wanted ON records.rowid = wanted.rid
)
"""  # noqa: S608 - a constant of ours; what is variable is bound
"""Tokens wait as one text, a third of what a list of them takes."""

_TAKEN = """
WITH sized AS (
    SELECT c, key, a, m, place, n, tokens, min(place) OVER (PARTITION BY c, coalesce(a, place), a IS NULL) AS person,
        sum(n) OVER (PARTITION BY c, coalesce(a, place), a IS NULL ORDER BY place) - n AS before
    FROM partial.sample SEMI JOIN reworded USING (c) JOIN partial.token USING (c, key)
), capped AS (
    SELECT c, sum(greatest(0, least(n, $per_author - before))) // $parts AS share FROM sized GROUP BY c
), cut AS (
    SELECT c, key, a, person, m, place, hash(tokens) AS said,
        greatest(0, least(n, least($per_author, greatest($floor, share)) - before))::BIGINT AS n
    FROM sized JOIN capped USING (c)
)
SELECT * FROM cut WHERE n > 0
"""
"""A person is known by the place of the first record; a deleted author's record is somebody's of its own."""

_TOLD = """
CREATE OR REPLACE TEMP TABLE told AS
SELECT c, a, person, m, place, taken.n, list_slice(string_split(tokens, ' '), 1, taken.n) AS words
FROM partial.taken SEMI JOIN reworded USING (c) JOIN partial.token USING (c, key)
"""
PARTS = 10
"""Groups of authors that are left out in turn; the n-th by the hash of the first sampled record is in group n mod 10."""
_WORD = f"""
WITH home AS (
    SELECT c, person, (row_number() OVER (PARTITION BY c ORDER BY min(place)) - 1) % {PARTS} AS part FROM told GROUP BY c, person
), each AS (SELECT c, a, part, unnest(words) AS word FROM told JOIN home USING (c, person)),
by_author AS (SELECT c, word, a, part, count(*) AS n FROM each GROUP BY ALL)
SELECT c, word, sum(n)::BIGINT AS n, count(a) AS authors,
    {", ".join(f"coalesce(sum(n) FILTER (part = {part}), 0)::UINTEGER AS part_{part}" for part in range(PARTS))}
FROM by_author GROUP BY c, word
"""  # noqa: S608 - a constant of ours
_OPENING = """
SELECT c, string_agg(left(tokens, $letters), ' ' ORDER BY place) AS words
FROM partial.sample SEMI JOIN reworded USING (c) JOIN partial.token USING (c, key) WHERE place <= $told_from GROUP BY c ORDER BY c
"""

_TERMS = f"""
CREATE OR REPLACE TEMP TABLE term AS
WITH common AS (
    SELECT word, sum(authors) AS authors FROM partial.word SEMI JOIN span USING (c)
    WHERE {CONTENT}
    GROUP BY word HAVING count(*) >= $spread OR sum(authors) >= $least ORDER BY authors DESC, word LIMIT $most
)
SELECT word, row_number() OVER (ORDER BY word) - 1 AS t FROM common
"""  # noqa: S608 - a constant of ours


def read_words(connection: duckdb.DuckDBPyConnection, *, records: int) -> None:
    """Sample the words of the batch, and renew the partials of this room where the sample has changed: tables ``reworded`` and ``told``."""
    connection.execute(_SAMPLE, {"most": records, "month": MONTH, "share": PAST_SHARE})
    connection.execute(_KEPT)
    connection.execute(_REWORDED)
    renew(connection, Partial("sample", "FROM sample SEMI JOIN reworded USING (c)"), of="reworded")
    limits = {"per_record": TOKENS_PER_RECORD, "word": WORD, "not_words": f"{NOT_PROSE}|{MENTION}"}
    add_missing(connection, Partial("token", _TOKEN, limits), "SELECT c, key FROM sample SEMI JOIN reworded USING (c)")
    caps = {"per_author": TOKENS_PER_AUTHOR, "parts": AUTHOR_PARTS, "floor": AUTHOR_FLOOR}
    renew(connection, Partial("taken", _TAKEN, caps), of="reworded")
    connection.execute(_TOLD)
    renew(connection, Partial("word", _WORD), of="reworded")
    said = connection.execute(_OPENING, {"told_from": LANGUAGE_RECORDS, "letters": LANGUAGE_LETTERS}).df()
    said["language"] = pd.Series([language(words) for words in said["words"]], dtype=object)
    renew_frame(connection, "spoken", said[["c", "language"]], "c INTEGER, language VARCHAR", of="reworded")
    connection.execute("DROP TABLE sample")


def languages(connection: duckdb.DuckDBPyConnection, communities: int) -> pd.Series[str]:
    """Give the language of each community by row; None where there is too little text."""
    told = connection.execute("SELECT row, language FROM partial.spoken JOIN span USING (c) WHERE language IS NOT NULL").df()
    spoken = told.set_index("row")["language"].reindex(range(communities)).astype(object)
    return spoken.where(spoken.notna(), None)


def sampled(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Count the sampled words of each community: index row, column tokens."""
    return (
        connection.execute("SELECT row, sum(n)::BIGINT AS tokens FROM partial.taken JOIN span USING (c) GROUP BY row ORDER BY row")
        .df()
        .set_index("row")
    )


def vocabulary(connection: duckdb.DuckDBPyConnection, *, communities: int, max_terms: int) -> Vocabulary:
    """Build the matrices of content words that several communities or authors use."""
    limits = {"stop": sorted(STOP_WORDS), "spread": LEAST_SPREAD, "least": LEAST_AUTHORS, "most": max_terms}
    connection.execute(_TERMS, limits)
    terms = pd.Index([word for (word,) in connection.execute("SELECT word FROM term ORDER BY t").fetchall()], dtype=object)
    cells = connection.execute(
        "SELECT row, t, n, authors FROM partial.word JOIN span USING (c) JOIN term USING (word) ORDER BY row, t"
    ).fetchnumpy()
    shape, place = (communities, len(terms)), (cells["row"], cells["t"])
    return Vocabulary(terms, *(sparse.csr_matrix((cells[kind].astype("int64"), place), shape=shape) for kind in ("n", "authors")))
