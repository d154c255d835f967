"""Kinds of need: requests that mean the same put together, and called by what half of their people say. SQL over what was read.

Two requests are the same kind where they hold the same two content words side by side, whatever their endings; else one word that
many of a community ask for; else a request stands alone. A kind is called by the longest run of words that half of its people
share, so that a reader sees what they said and never what only one of them said.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from discovery.features.selection import load

if TYPE_CHECKING:
    import duckdb

LEAST_PAIR, LEAST_WORD = (2, 3), (3, 5)
"""Distinct authors in a community, and in the whole run, of whom either makes two words, or one word, a kind of need."""
LEAST_PUBLIC = 2
"""Distinct authors who must have said a need in nearly the words it is called by."""
SHARED = 0.5
"""Share of a kind's authors who must have said all that its name says."""
LEAST_ASKING = 0.2
"""Share of a kind's authors from which it is a wish; below, it is a complaint, and what is wanted is relief."""

_UNIT = """
CREATE OR REPLACE TEMP TABLE unit AS
SELECT DISTINCT c, row, a, key, asked, stems AS unit, size
FROM partial.voice JOIN span USING (c) JOIN partial.community USING (c) JOIN partial.run USING (c, key)
WHERE groups AND (size = 2 OR NOT contains(community, stems))
"""
"""What a request may be grouped by; what everyone of a community talks about, its name, is no need by itself."""
_CHOSEN = """
CREATE OR REPLACE TEMP TABLE chosen AS
WITH here AS (SELECT c, unit, count(DISTINCT a) AS here FROM unit GROUP BY c, unit),
anywhere AS (SELECT unit, count(DISTINCT a) AS anywhere FROM unit GROUP BY unit)
SELECT c, row, a, key, asked, unit FROM unit JOIN here USING (c, unit) JOIN anywhere USING (unit)
WHERE CASE WHEN size = 2 THEN here >= $pair OR anywhere >= $pairs ELSE here >= $word OR anywhere >= $words END
QUALIFY row_number() OVER (PARTITION BY c, key ORDER BY size DESC, here DESC, anywhere DESC, unit) = 1
"""
"""The pair that most people of the community share, else of the run, else the word; ties by the alphabet."""
_CALLED = """
CREATE OR REPLACE TEMP TABLE called AS
WITH said AS (
    SELECT unit, stems, size, words, way, a FROM chosen JOIN partial.run USING (c, key)
    WHERE list_has_all(string_split(stems, ' '), string_split(unit, ' '))
), people AS (SELECT unit, stems, size, count(DISTINCT a) AS people FROM said GROUP BY ALL),
whole AS (SELECT unit, count(DISTINCT a) AS authors, count(DISTINCT a) FILTER (asked) AS asking FROM chosen GROUP BY unit),
best AS (
    SELECT unit, stems, asking < greatest($public, $asking * authors) AS complaint FROM people JOIN whole USING (unit)
    WHERE people >= greatest($public, $shared * authors)
    QUALIFY row_number() OVER (PARTITION BY unit ORDER BY size DESC, people DESC, stems) = 1
)
SELECT unit, complaint, words, way, a FROM said JOIN best USING (unit, stems)
"""
"""Who said the words that a kind is called by, and how."""
_WORDINGS = "SELECT unit, any_value(complaint), words, way, count(DISTINCT a) FROM called GROUP BY unit, words, way"
_WAYS = "SELECT unit, way, count(DISTINCT a) FROM called GROUP BY unit, way"
_KINDS = """
WITH kinds AS (
    SELECT row, a, key, coalesce(name, ' ' || unit) AS kind FROM chosen LEFT JOIN kind_name USING (unit)
    UNION ALL
    SELECT row, a, key, '  ' || community || ' ' || alone FROM partial.voice JOIN span USING (c) JOIN partial.community USING (c)
    ANTI JOIN chosen USING (c, key)
), first AS (SELECT row, a, kind, min(key) OVER (PARTITION BY kind, a) AS first FROM kinds)
SELECT DISTINCT row, dense_rank() OVER (ORDER BY kind) - 1 AS kind, CASE WHEN starts_with(kind, ' ') THEN '' ELSE kind END AS need,
    dense_rank() OVER (PARTITION BY kind ORDER BY first, a) - 1 AS voter
FROM first ORDER BY ALL
"""
"""A kind without a name begins with a space."""
TABLES = ("unit", "chosen", "called", "kind_name")
"""Temporary tables of grouping."""


class Wording(NamedTuple):
    """A way of saying what a kind is called by, and how many say it so."""

    words: str
    way: str
    people: int


def grouped(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Put the requests of all communities together.

    Returns:
        row, kind (a number), need (its name, empty where people share too few words for one), voter: one row per person and
        kind, sorted. The voter's number tells people of one kind apart in any union of communities, and says nothing across kinds.
    """
    connection.execute(_UNIT)
    least = {"pair": LEAST_PAIR[0], "pairs": LEAST_PAIR[1], "word": LEAST_WORD[0], "words": LEAST_WORD[1]}
    connection.execute(_CHOSEN, least)
    connection.execute(_CALLED, {"public": LEAST_PUBLIC, "asking": LEAST_ASKING, "shared": SHARED})
    named = _named(connection)
    load(connection, "kind_name", pd.DataFrame({"unit": list(named), "name": list(named.values())}, dtype=object))
    found = connection.execute(_KINDS).df()
    return found.astype({"row": "int64", "kind": "int64", "need": object, "voter": "int64"})


def _named(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Name every kind that has a wording of its own."""
    ways = defaultdict[str, dict[str, int]](dict)
    for unit, way, people in connection.execute(_WAYS).fetchall():
        ways[unit][way] = people
    wordings, complaints = defaultdict[str, list[Wording]](list), {}
    for unit, complaint, words, way, people in connection.execute(_WORDINGS).fetchall():
        wordings[unit].append(Wording(words, way, people))
        complaints[unit] = complaint
    return {unit: _worded(found, ways[unit], complaint=complaints[unit]) for unit, found in wordings.items()}


def _worded(wordings: list[Wording], ways: dict[str, int], *, complaint: bool) -> str:
    """Say what is wanted: the commonest wording, as a way to do it where people say what they want to do."""
    doing = ways.get("to", 0) + ways.get("for", 0) >= ways.get("", 0)
    way = ("to" if ways.get("to") else "for") if doing else ""
    words = min((said for said in wordings if said.way == way), key=lambda said: (-said.people, len(said.words), said.words)).words
    if complaint and way != "to":
        return f"relief from {words}"
    return {"to": f"a way to {words}", "for": f"something for {words}", "": words}[way]
