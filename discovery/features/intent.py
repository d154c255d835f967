"""Who pays, seeks, complains, refuses, promotes: every record is read, one record at a time, and the exact span is kept.

In: the records of a batch that nobody has read yet, and the lexicon. Out: the partials ``hit`` (by record, with its span), ``vote``
(one per author and tier) and ``mention`` (what may stand as evidence). The database filters with a few alternations that match a
superset (RE2, lookarounds dropped, gaps widened); only what passes is read by the exact patterns in Python.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd
import yaml

from discovery.features.partials import NOTHING, Partial, want
from discovery.features.text import WORDS, Sentences, prose

if TYPE_CHECKING:
    import duckdb

TIERS = ("T0", "T1", "T2", "T3", "T4", "N", "P", "S", "W", "SW")
"""Tiers that count, in the order of the columns of ``author_sums``; SW (switching) counts as T3 as well. X only vetoes."""
MONEY_TIERS = ("T4", "T3", "T2", "N", "SW")
NOT_BY_PROMOTERS = ("T0", "T1", "T2", "T3", "SW")
DENIABLE = ("T1", "T2", "T3", "T4", "SW")
TOGETHER = (("T1", "T4"), ("T3",), ("T0", "W", "S", "P", "N", "T2", "SW"))
"""Tiers that the database asks for in one alternation, which is one automaton: with more free words in it its states are too many for its
memory, and it begins again and again. On long English texts one alternation of all tiers takes six times as long as these three."""
LEXICON_LANGUAGE = "en"
CHUNK = 2_000

_DENIAL = re.compile(r"(?:\b(?:not|never|no longer|without)|n['’]t)\s{1,3}(?:\w{1,20}\s{1,3})?$", re.ASCII | re.IGNORECASE)


class Hit(NamedTuple):
    """A tier and where in the record's words it shows."""

    tier: str
    start: int
    end: int


class Tier(NamedTuple):
    """A tier of the lexicon, its examples and its two forms."""

    exact: re.Pattern[str]
    superset: str
    """For RE2: matches wherever ``exact`` does."""
    opening: str
    """For RE2: how the patterns begin; coarser still, and cheap enough for every record."""
    matches: tuple[str, ...]
    must_not_match: tuple[str, ...]


@cache
def lexicon() -> Mapping[str, Tier]:
    """Read the packaged lexicon; a constant."""
    told = yaml.safe_load(resources.files(__package__).joinpath("intent_patterns.yaml").read_text(encoding="utf-8"))
    tiers = {}
    for code, tier in told["tiers"].items():
        patterns = [_expanded(pattern, told["macros"]) for pattern in tier["patterns"]]
        tiers[code] = Tier(
            exact=re.compile(rf"(?<!\w)(?:{'|'.join(f'(?:{pattern})' for pattern in patterns)})", re.ASCII | re.IGNORECASE),
            superset="|".join(f"(?:{widened(pattern)})" for pattern in patterns),
            opening="|".join(f"(?:{widened(_opening(pattern, told['macros']))})" for pattern in tier["patterns"]),
            matches=tuple(tier["matches"]),
            must_not_match=tuple(tier["must_not_match"]),
        )
    return tiers


def _expanded(pattern: str, macros: Mapping[str, str]) -> str:
    """Put the macros in, and let a plain apostrophe match a typographic one."""
    for name, meaning in macros.items():
        pattern = pattern.replace("{" + name + "}", meaning)
    return re.sub(r"\{GAP:(\d+)\}", r"[^.?!\\n]{0,\1}", pattern).replace("'", "['’]")


def _opening(pattern: str, macros: Mapping[str, str]) -> str:
    """Cut a pattern before its first free words, where that leaves whole groups: what is cut can only narrow."""
    start = _expanded(_FREE.split(pattern)[0], macros)
    balanced = start.count("(") - start.count("\\(") == start.count(")") - start.count("\\)")
    return start if start and balanced else _expanded(pattern, macros)


_FREE = re.compile(r"\{GAP|\(\?:\{WORD\}|\{WORD\}")


def widened(pattern: str) -> str:
    """Turn an exact pattern into one RE2 reads that matches at least as much: no lookarounds, no upper bounds, one idea of space."""
    for opening in ("(?!", "(?=", "(?<!", "(?<="):
        while (start := pattern.find(opening)) >= 0:
            pattern = pattern[:start] + pattern[_closing(pattern, start) + 1 :]
    pattern = re.sub(r"\{0,\d+\}", "*", pattern)
    pattern = re.sub(r"\{1,\d+\}", "+", pattern)
    return re.sub(r"(?<!\[\^)\\s", r"[\\s\\x0b]", pattern)


def _closing(pattern: str, start: int) -> int:
    """Find the parenthesis that closes the one at ``start``."""
    depth, position = 0, start
    while True:
        if pattern[position] == "\\":
            position += 1
        elif pattern[position] == "(":
            depth += 1
        elif pattern[position] == ")":
            depth -= 1
            if not depth:
                return position
        position += 1


def read(text: str, *, among: tuple[str, ...] | None = None) -> list[Hit]:
    """Find the tiers a record shows, each once, at its first place that no veto takes away.

    An idiom vetoes money in its sentence, a refusal vetoes hypothetical pay in its sentence, a denial just before a hit vetoes
    the hit, and a promoter's post counts as nothing but promotion and, if so, revealed spend.
    """
    own = prose(text)
    sentences = Sentences(own)
    codes = lexicon() if among is None else among

    def matches(code: str) -> Iterator[re.Match[str]]:
        return lexicon()[code].exact.finditer(own) if code in codes else iter(())

    idioms = {sentences.number(match.start()) for match in matches("X")}
    refusals = {sentences.number(match.start()) for match in matches("N")} - idioms if "T2" in codes else set()
    vetoes = {**dict.fromkeys(MONEY_TIERS, idioms), "T2": idioms | refusals}
    promoted = any(matches("P"))

    def stands(code: str, start: int) -> bool:
        if vetoes.get(code) and sentences.number(start) in vetoes[code]:
            return False
        return not (code in DENIABLE and _DENIAL.search(own, max(sentences.bounds(start)[0], start - 40), start))

    hits = {}
    for code in TIERS:
        if code in codes and not (promoted and code in NOT_BY_PROMOTERS):
            match = next((match for match in matches(code) if stands(code, match.start())), None)
            if match:
                hits[code] = Hit(code, *match.span())
    if "SW" in hits:
        hits.setdefault("T3", hits["SW"]._replace(tier="T3"))
    return list(hits.values())


class Found(NamedTuple):
    """A record that shows intent, its words and its hits."""

    key: int
    words: str
    hits: list[Hit]


TABLES = """
CREATE TABLE IF NOT EXISTS partial.read_to (c INTEGER, page BIGINT);
CREATE TABLE IF NOT EXISTS partial.hit (c INTEGER, key UBIGINT, tier VARCHAR, span_start BIGINT, span_end BIGINT);
"""
_READABLE = "CREATE OR REPLACE TEMP TABLE readable AS SELECT c FROM partial.spoken SEMI JOIN batch USING (c) WHERE language = $lexicon"
_UNREAD = """
CREATE OR REPLACE TEMP TABLE unread AS
SELECT c, key FROM partial.member JOIN readable USING (c) LEFT JOIN partial.read_to USING (c)
WHERE worded AND NOT bot AND changed > coalesce(page, $nothing)
"""
_VOTES = ", ".join(f"max((tier = '{tier}')::TINYINT) AS {tier}" for tier in TIERS)
_VOTE = f"""
SELECT c, a, {_VOTES} FROM entry JOIN partial.hit USING (c, key) SEMI JOIN readable USING (c) WHERE a IS NOT NULL GROUP BY c, a
"""  # noqa: S608 - names of tiers
_MENTION = """
WITH hits AS (SELECT c, key, a, tier, span_start, span_end FROM entry JOIN partial.hit USING (c, key) SEMI JOIN readable USING (c)),
ordered AS (
    SELECT *, row_number() OVER (PARTITION BY c, tier, coalesce(a, key::HUGEINT), a IS NULL ORDER BY key) AS turn FROM hits
), kept AS (SELECT *, row_number() OVER (PARTITION BY c, tier ORDER BY turn, key) AS place FROM ordered)
SELECT c, key, tier, place, span_start, span_end FROM kept WHERE place <= $most
"""
_EVIDENCE = f"""
WITH found AS (
    SELECT row, community, tier, place, span_start, span_end, records.rowid AS rid
    FROM partial.mention JOIN span USING (c) JOIN partial.community USING (c) JOIN records USING (key)
)
SELECT community, record_id, tier, thread, span_start, span_end, {WORDS} AS text, url, created_at, score
FROM found JOIN records ON records.rowid = rid ORDER BY row, tier, place
"""  # noqa: S608 - a constant of ours


def partials(per_tier: int) -> tuple[Partial, ...]:
    """Declare one vote per author and tier, and the hits that may stand as evidence: the first by hash, one per author before a second."""
    return Partial("vote", _VOTE), Partial("mention", _MENTION, {"most": per_tier})


def unread(connection: duckdb.DuckDBPyConnection) -> None:
    """Find the records of the batch that are still to be read, in communities whose language the lexicon knows: table ``unread``."""
    connection.execute(TABLES)
    connection.execute(_READABLE, {"lexicon": LEXICON_LANGUAGE})
    connection.execute(_UNREAD, {"nothing": NOTHING})
    want(connection, "SELECT DISTINCT NULL::INTEGER AS c, key FROM unread")


def showing() -> tuple[str, dict[str, str]]:
    """Ask, in SQL, whether ``words`` may show a tier; first how patterns begin, which tells most that do not. Also give what is bound."""
    asked = {f"any_{n}": "|".join(lexicon()[code].superset for code in codes) for n, codes in enumerate(TOGETHER)}
    any_of = " OR ".join(f"regexp_matches(words, ${name}, 'i')" for name in asked)
    opening = "|".join(lexicon()[code].opening for code in TIERS)
    return f"regexp_matches(words, $opening, 'i') AND ({any_of})", {"opening": opening, **asked}


def search(connection: duckdb.DuckDBPyConnection) -> Iterator[Found]:
    """Read every record of the table ``wanted`` and yield those with intent.

    They stream as the database finds them, in no order, so that their words are never held all at once.
    """
    tiers = lexicon()
    flags = ", ".join(f"regexp_matches(words, ${code}, 'i')" for code in tiers)
    supersets = {code: tier.superset for code, tier in tiers.items()}
    shows, patterns = showing()
    rows = connection.execute(
        f"""
        WITH said AS (SELECT wanted.key, {WORDS} AS words FROM records JOIN wanted ON records.rowid = wanted.rid)
        SELECT key, words, [{flags}] FROM said WHERE {shows}
        """,  # noqa: S608 - constants of ours; what is variable is bound
        {**patterns, **supersets},
    )
    while chunk := rows.fetchmany(CHUNK):
        for key, words, flagged in chunk:
            hits = read(words, among=tuple(code for code, on in zip(tiers, flagged, strict=True) if on))
            if hits:
                yield Found(key, words, hits)


def have_read(connection: duckdb.DuckDBPyConnection, page: int) -> None:
    """Note up to which page the readable communities of the batch have been read."""
    connection.execute("DELETE FROM partial.read_to WHERE c IN (SELECT c FROM readable)")
    connection.execute("INSERT INTO partial.read_to SELECT c, ? FROM readable", [page])


def mentions(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Give the hits that may stand as evidence, with the words of their records."""
    return connection.execute(_EVIDENCE).df()
