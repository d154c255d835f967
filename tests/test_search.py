"""Search: the right communities for plain words, honest about what nobody says, whatever the query is made of."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from unicodedata import ucd_3_2_0

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from discovery.archetypes import interpret
from discovery.archetypes.naming import namer
from discovery.clustering import ungrouped
from discovery.clustering.retrieval import cells, to_read
from discovery.config import Config
from discovery.features.text import STOP_WORDS, TOKENS, WORD, words
from discovery.features.vocabulary import CONTENT
from discovery.search import index, ranked, search
from discovery.search.evidence import space_of, understood
from discovery.search.index import impacts_of
from discovery.search.words import meant, slips, taken_apart, told
from scoring.explanation import UnknownEntityError
from storage.errors import ResultsFileError
from storage.results import Results
from storage.results_file import read_only
from tests.markets import market
from tests.publication import PROVENANCE, publication, published


def found_in(path: Path, text: str, part: str = "community", k: int = 5) -> list[str]:
    """The ids of one part of an answer."""
    return [str(row[1]) for row in search(path, text, k=k).answer.rows if row[0] == part]


def searchable(words: Mapping[str, Mapping[str, int]]) -> Mapping[str, pd.DataFrame]:
    """Build what a search reads from communities and their words."""
    quantities = {"posting_frequency": [1.0] * len(words)}
    measured = market(sorted(words), values=quantities, words=words, needs=[(key, "a need", 3) for key in words])
    measured.communities["sensitive"] = False
    interpretation = interpret(measured, ungrouped(measured.communities.index, note="few"), namer=namer(Config().llm), seed=1, key=b"k")
    return index.rows(measured, interpretation, seed=1)


def published_with(path: Path, words: Mapping[str, Mapping[str, int]]) -> Path:
    """Publish a run of communities that say these words."""
    tables = publication(communities=len(words), structure="too_few")
    names = sorted(words)
    for row, key in zip(tables["community"], names, strict=True):
        row.update(community_id=key, name=key, policy="scored")
    built = {name: frame.to_dict("records") for name, frame in searchable(words).items()}
    return published(path, tables={**tables, "score": [], "evidence": [], **built})


PENS = {
    "made:pens": {"nib": 30, "ink": 20, "fountain": 9, "restore": 8},
    "made:inks": {"ink": 25, "swatch": 12, "nib": 4},
    "made:hives": {"hive": 30, "queen": 12, "swarm": 9},
    "made:bees": {"hive": 14, "honey": 18, "queen": 5},
    "made:frames": {"frame": 20, "restore": 9, "paint": 7},
    "made:looms": {"loom": 21, "weave": 14, "paint": 3},
}


@pytest.fixture(scope="module")
def pens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six communities, of pens, bees, frames and looms."""
    return published_with(tmp_path_factory.mktemp("pens") / "results.db", PENS)


def test_words_need_not_stand_together(pens: Path) -> None:
    """Who says most of what is asked comes first, though nobody says all of it; stop words and word forms do not matter."""
    assert found_in(pens, "people who are restoring fountain nibs")[0] == "made:pens"
    assert found_in(pens, "RESTORED Nibs!")[0] == "made:pens"
    assert set(found_in(pens, "queens of the hive")) == {"made:hives", "made:bees"}


def test_who_says_nothing_of_it_is_no_answer(pens: Path) -> None:
    """A community that says none of the words and lies nowhere near is not ranked behind the others, it is left out."""
    assert "made:looms" not in found_in(pens, "honey")


def test_a_row_names_the_words_that_are_said(pens: Path) -> None:
    """The answer says which words of the query each community says, the most telling first."""
    rows = {row[1]: row[6] for row in search(pens, "fountain ink", k=5).answer.rows}
    assert rows["made:pens"] == "fountain, ink"
    assert rows["made:inks"] == "ink"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("quantum", ["Nobody says “quantum” here."], id="unknown"),
        pytest.param("the of and", ["The query holds no word that could be looked for."], id="only-stop-words"),
        pytest.param("", ["The query holds no word that could be looked for."], id="empty"),
        pytest.param("fountian", ["Nobody says “fountian” here; read as “fountain”."], id="typo"),
        pytest.param("quen", ["Nobody says “quen” here."], id="short"),
        pytest.param("x9", ["“x9” is in no name, description, need or quote; figures in other texts are not kept."], id="figure"),
        pytest.param("inknib", ["Nobody says “inknib” here; read as “ink nib”."], id="compound"),
    ],
)
def test_what_nobody_says_is_told(pens: Path, text: str, said: list[str]) -> None:
    """Words that nobody says are named, with what they were read as; with none left there is no row rather than any row."""
    found = search(pens, text, k=5)
    assert found.notes == said
    assert bool(found.answer.rows) == ("read as" in said[0])


HOSTILE = (
    "' OR 1=1 --",
    'nib" NEAR ink*',
    "nib) UNION SELECT * FROM run; --",
    "a\x00b\x1b[31m nib",
    "\ud800 nib",
    "🜚🔥 nib",
    "\u202e\u05d0\u05d1 nib",
    "nib " * 2500,
    " ".join(f"word{letter}{other}" for letter in "abcdefghijklmnopqrst" for other in "abcdefghijklmnopqrst"),
    "x" * 10_000,
)


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:12]))
def test_a_query_is_words_and_nothing_else(pens: Path, text: str) -> None:
    """SQL, FTS syntax, control characters, surrogates, emoji, right-to-left and ten thousand letters are words or nothing."""
    before = pens.read_bytes()
    found = search(pens, text, k=5)
    if "nib" in text:
        assert "made:pens" in {row[1] for row in found.answer.rows}
    assert len(found.notes) <= 201
    assert pens.read_bytes() == before


@given(st.text(max_size=80))
def test_any_text_is_answered(pens: Path, text: str) -> None:
    """No text makes a search fail, and k bounds what comes back."""
    rows = search(pens, text, k=2).answer.rows
    assert sum(row[0] == "community" for row in rows) <= 2


def test_a_word_of_one_person_is_not_kept() -> None:
    """What one person alone says in a community cannot be searched for there."""
    words = {key: {**said, "secret": 1} if key == "made:pens" else said for key, said in PENS.items()}
    assert "secret" not in set(searchable(words)["search_word"]["word"])


def test_groups_come_first(tmp_path: Path) -> None:
    """Archetypes, then niches, then communities, then records; each part best first and within its bound."""
    rows = search(published(tmp_path / "results.db"), "nib", k=6).answer.rows
    parts = [row[0] for row in rows]
    assert parts == sorted(parts, key=("archetype", "niche", "community", "record").index)
    assert [parts.count(part) for part in ("archetype", "niche", "community", "record")] == [2, 2, 6, 6]
    assert {row[1] for row in rows if row[0] == "niche"} == {"n0", "n2"}, "the niches of even places say nib"


def test_records_that_say_it_come_first_and_quotes_keep_their_policy(tmp_path: Path) -> None:
    """Records are those of the communities found; one that may not be quoted is named without its words."""
    rows = [row for row in search(published(tmp_path / "results.db"), "nib", k=20).answer.rows if row[0] == "record"]
    assert {row[8] for row in rows} == {"is there a tool for this", "I paid 40 dollars", "I spend hours on it", "(not quoted)"}
    tables = publication()
    tables["evidence"][9]["quote"] = "my nibs are worn"
    rows = [row for row in search(published(tmp_path / "again.db", tables=tables), "nib", k=20).answer.rows if row[0] == "record"]
    assert (rows[0][8], rows[0][6]) == ("my nibs are worn", "nibs")


def test_of_sensitive_communities_no_record_is_shown(tmp_path: Path) -> None:
    """A sensitive community is listed as it is in the ranking, and none of its records are."""
    rows = search(published(tmp_path / "results.db"), "ink", k=12).answer.rows
    assert "reddit:place11" in {row[1] for row in rows if row[0] == "community"}
    assert "reddit:place11" not in {row[2] for row in rows if row[0] == "record"}


@pytest.mark.parametrize("structure", ["none", "too_few"])
def test_runs_without_archetypes_can_be_searched(tmp_path: Path, structure: str) -> None:
    """Where a run found no archetypes, communities answer."""
    path = published(tmp_path / "results.db", tables=publication(structure=structure))
    assert found_in(path, "nib", "archetype") == []
    assert found_in(path, "nib")[0] == "reddit:place00"


def test_without_a_published_run_there_is_nothing_to_search(tmp_path: Path) -> None:
    """Before the first publication a search says what to do, and an empty run has no answers."""
    path = tmp_path / "results.db"
    with Results.open(path) as results:
        with pytest.raises(UnknownEntityError, match="No run is published yet"):
            search(path, "nib", k=1)
        run_id = results.resume_or_begin(started_at=1, provenance=PROVENANCE)
        built = searchable({"made:a": {}})
        results.save(run_id, {name: frame.to_dict("records") for name, frame in built.items()})
        results.publish(run_id, at=2)
    assert search(path, "nib", k=1).answer.rows == []


def test_damaged_arrays_are_an_error(tmp_path: Path) -> None:
    """A flipped byte in a word's communities is told, not read as other communities."""
    path = published(tmp_path / "results.db")
    with closing(sqlite3.connect(path)) as connection, connection:
        (blob,) = connection.execute("SELECT places FROM search_word WHERE stem = 'nib'").fetchone()
        connection.execute("UPDATE search_word SET places = ? WHERE stem = 'nib'", [blob[:-1] + bytes([blob[-1] ^ 1])])
    with pytest.raises(ResultsFileError, match="damaged"):
        search(path, "nib", k=1)


@pytest.mark.parametrize(
    ("gone", "said"),
    [("community WHERE community_id = 'reddit:place00'", "no community at place 0"), ("niche WHERE niche_id = 'n0'", "no niche n0")],
)
def test_what_is_gone_from_the_results_is_told(tmp_path: Path, gone: str, said: str) -> None:
    """What was found and is not in the results any more is named, with what to do."""
    path = published(tmp_path / "results.db")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"DELETE FROM {gone}")  # noqa: S608 - written above
    with pytest.raises(ResultsFileError, match=f"{said}. Restore"):
        search(path, "nib", k=6)


def test_groups_narrow_what_is_read() -> None:
    """Each niche is a cell of its own; 30,000 vectors in three niches are read niche by niche, nearest first, until there are 20,000."""
    vectors = np.repeat(np.eye(3), 10_000, axis=0)
    kept = cells(vectors, np.repeat([0, 1, 2], 10_000), seed=1)
    assert np.bincount(kept.labels).tolist() == [10_000] * 3
    assert kept.centres.tolist() == np.eye(3).tolist()
    query = np.array([0.2, 0.1, 0.9], dtype=np.float32)
    assert to_read(kept.centres.astype(np.float32), np.bincount(kept.labels).astype(np.int32), query).tolist() == [2, 0]


def test_what_is_in_no_niche_is_read_too() -> None:
    """Communities without a niche are one cell where all are read, and cells of their like beyond 20,000."""
    groups = np.array([0, 0, -1, -1])
    assert cells(np.eye(4), groups, seed=1).labels.tolist() == [0, 0, 1, 1]
    random = np.random.default_rng(1).standard_normal((20_100, 3))
    kept = cells(random / np.linalg.norm(random, axis=1, keepdims=True), np.repeat([0, -1], [100, 20_000]), seed=1)
    assert (kept.labels[:100] == 0).all()
    assert set(kept.labels[100:].tolist()) == set(range(1, len(kept.centres)))


def test_impacts_are_bm25() -> None:
    """Two communities, "a" said 3 times in one of 4 words, never in one of 2: ln(1 + 1.5 / 1.5) · 3 · 3 / (3 + 2 · (.5 + .5 · 4 / 3))."""
    counts = index.sparse.csr_matrix(np.array([[3.0, 1.0], [0.0, 2.0]]))
    assert impacts_of(counts)[0, 0] == pytest.approx(np.log(2) * 9 / (3 + 2 * (0.5 + 0.5 * 4 / 3)))
    assert impacts_of(counts)[1, 0] == 0


def test_evidence_of_both_kinds_is_added() -> None:
    """Words count as a share of the best, a cosine six tenths; with neither there is no answer."""
    told_of = np.array([10, 5, 0, 0, 1], dtype=np.float32)
    near = np.array([0.0, 0.9, 0.8, 0.29, 0.1], dtype=np.float32)  # 1, 1.04, .48, out, .16
    assert ranked(told_of, near) == [1, 0, 2, 4]


def test_words_are_taken_apart() -> None:
    """Compounds part into the fewest known words, of three letters or more, or not at all."""
    assert taken_apart("fountainpens", {"fountain", "pens", "foun", "tain"}) == ("fountain", "pens")
    assert taken_apart("fountainpen", {"fountain", "pens"}) == ()


@pytest.mark.parametrize(
    ("one", "other", "count"),
    [("", "", 0), ("nib", "nip", 1), ("nibs", "nib", 1), ("fountian", "fountain", 1), ("machine", "matching", 2), ("ca", "abc", 3)],
)
def test_slips_are_counted(one: str, other: str, count: int) -> None:
    """A letter too many, missing, wrong or swapped is one slip; no letter is touched twice."""
    assert slips(one, other) == slips(other, one) == count


@pytest.mark.parametrize(
    ("word", "known", "guess"),
    [
        pytest.param("run", {"rumen": 9, "rug": 9}, None, id="short-words-are-what-they-say"),
        pytest.param("machine", {"matching": 9}, None, id="two-slips-need-eight-letters"),
        pytest.param("colour", {"color": 9, "colon": 30}, "color", id="one-slip-in-six-letters"),
        pytest.param("fountan", {"fountain": 1, "mountain": 9}, "fountain", id="the-first-letter-stands"),
        pytest.param("restoraton", {"restore": 9, "restoration": 1}, "restoration", id="fewest-slips-first"),
        pytest.param("beekepers", {"beekeepers": 1, "beekeeper": 9}, "beekeepers", id="fewer-before-more-common"),
        pytest.param("resistor", {"register": 9}, None, id="two-slips-keep-three-letters"),
        pytest.param("printex", {"printer": 2, "printed": 5}, "printed", id="of-equals-the-more-common"),
        pytest.param("esp8266", {"esp8286": 9}, None, id="figures-are-not-guessed"),
    ],
)
def test_an_unknown_word_is_guessed_where_a_slip_is_likely(word: str, known: Mapping[str, int], guess: str | None) -> None:
    """One slip in five letters, two in eight; what is further off is another word."""
    assert meant(word, known) == guess


def test_a_query_is_taken_apart_as_the_vocabulary_is() -> None:
    """What DuckDB counts for the vocabulary is what a query says, for each letter and mark since Unicode 3.2; figures come on top."""
    letters = [chr(code) for code in range(1, 0x30000) if ucd_3_2_0.category(chr(code))[0] in "LMN"]
    text = " ".join(f"a{letter}b'{letter} {letter}{letter}" for letter in letters)
    text += " The Nib’s INK, x it's café 42 İZMİR ΟΔΟΣ don't''s 3D e\u0301te\u0301 हिन्दी x" + "y" * 40
    counted = f"SELECT word FROM (SELECT unnest({TOKENS.format(text='$text')}) AS word) WHERE {CONTENT}"  # noqa: S608 - constants of ours
    found = duckdb.execute(counted, {"text": text, "word": WORD, "stop": sorted(STOP_WORDS)}).fetchall()
    assert [word for (word,) in found] == list(words(text))
    assert list(told("3D printing, ESP32 d20s 1984")) == ["printing", "esp", "3d", "esp32", "d20s"]
    assert list(told("1" * 10_000 + " a_1")) == []


def test_a_word_with_a_figure_is_found_in_names() -> None:
    """The words "3d" and "esp32" are looked for as they stand, though the vocabulary counts no figures."""
    stems = set(searchable({"made:3d_esp32": {"print": 3}, "made:b": {"print": 2}})["search_word"]["stem"])
    assert {"3d", "esp32", "esp", "print"} <= stems


def test_a_slip_of_the_pen_takes_nothing_away(pens: Path) -> None:
    """A word that is misspelt beside its right spelling adds to it, and never weakens it."""
    with read_only(pens) as connection:
        (run_id,) = connection.execute("SELECT run_id FROM publication").fetchone()
        space = space_of(connection, run_id)
        assert space is not None
        asked = ("fountain", "fountain fountian", "fountains fountian")
        right, both, of_one_stem = (understood(connection, run_id, text, space) for text in asked)
    (alone,), (more,), (forms,) = ([word.weight for word in query.words if word.weight] for query in (right, both, of_one_stem))
    assert 1 == alone < more <= 1.5
    assert forms == more


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("carpet", "Nobody says “carpet” here.", id="parts-that-nobody-says-together"),
        pytest.param("penink", "Nobody says “penink” here; read as “pen ink”.", id="parts-that-somebody-says-together"),
        pytest.param("penknive", "Nobody says “penknive” here; read as “penknife”.", id="a-slip-that-more-say-than-both-parts"),
        pytest.param("beehive", "Nobody says “beehive” here; read as “bee hive”.", id="both-parts-that-more-say-than-a-slip"),
    ],
)
def test_an_unknown_word_is_read_as_more_communities_bear_out(tmp_path: Path, text: str, said: str) -> None:
    """A compound is taken apart where communities say its parts together, unless more of them say what it may be a slip of."""
    words = {
        "made:cars": {"car": 20, "pen": 3, "penknife": 5},
        "made:pets": {"pet": 20, "penknife": 4},
        "made:pens": {"pen": 20, "ink": 9, "knive": 2, "penknife": 2},
        "made:bees": {"bee": 20, "hive": 9},
        "made:hives": {"bee": 5, "hive": 19},
        "made:lives": {"beehave": 9},
    }
    assert search(published_with(tmp_path / "results.db", words), text, k=5).notes == [said]


def test_a_flood_of_unknown_words_is_told_once(pens: Path) -> None:
    """Of many words that nobody says, ten are looked after, and one note counts the others."""
    notes = search(pens, " ".join(f"zq{chr(97 + at // 26)}{chr(97 + at % 26)}" for at in range(40)), k=1).notes
    assert (len(notes), notes[-1]) == (11, "30 more words that nobody says here were left out.")
