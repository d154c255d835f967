"""Needs: what is asked for, and requests that mean the same put together."""

from __future__ import annotations

import math
from typing import NamedTuple

import duckdb
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discovery.features.kinds import grouped as grouped_in
from discovery.features.needs import TABLES
from discovery.features.phrases import MOST_WORDS, Phrase, alone, groups, needed, runs
from discovery.features.text import stem
from tests.feature_records import ENGLISH, crowd, estimate, measured, post

REQUESTS = [
    pytest.param("Hi. I am looking for a label printer, because mine broke", ("label", "printer"), id="object"),
    pytest.param("is there an app for tracking calving dates?", ("tracking", "calving", "dates"), id="generic-nouns-left-out"),
    pytest.param("I need something that syncs with Xero", ("syncs", "xero"), id="need"),
    pytest.param("Does anyone know a good printer for labels", ("printer", "labels"), id="anyone"),
    pytest.param("Why is there no app for label printing?", ("label", "printing"), id="none"),
]
COMPLAINTS = [
    pytest.param("I spend hours every week on crew scheduling", "spend hours", ("crew", "scheduling"), id="hours"),
    pytest.param("We wasted days labelling jars last season", "wasted days", ("labelling", "jars", "season"), id="doing"),
    pytest.param("so tired of chasing invoices, honestly", "tired of", ("chasing", "invoices"), id="tired"),
    pytest.param("Labelling jars by hand is so tedious that we gave up", "tedious", ("labelling", "jars", "hand"), id="quality"),
    pytest.param("I hate how exporting charts eats my evenings", "hate how", ("exporting", "charts", "eats", "evenings"), id="hate"),
]


@pytest.mark.parametrize(("text", "expected"), REQUESTS)
def test_the_object_of_a_request(text, expected):
    """What is asked for are the content words after the asking, up to the end of the clause."""
    start = max(text.lower().find(word) for word in ("looking", "is there", "need something", "anyone"))
    found = needed(text, record=1, start=start, end=start + 12)
    assert found is not None
    assert (found.words, found.asked) == (expected, True)


@pytest.mark.parametrize(("text", "hit", "expected"), COMPLAINTS)
def test_the_object_of_a_complaint(text, hit, expected):
    """What is complained of stands after words like "tired of" and before words like "is tedious"."""
    start = text.find(hit.removesuffix(" of"))
    found = needed(text, record=1, start=start, end=start + len(hit.removesuffix(" of")))
    assert found is not None
    assert (found.words, found.asked) == (expected, False)


@pytest.mark.parametrize("text", ["I am so frustrated", "Such a pain.", "Is there any way to do it?"])
def test_what_names_nothing_is_no_need(text):
    """A sigh without an object voices no need."""
    start = max(text.find(word) for word in ("frustrated", "pain", "Is there"))
    assert needed(text, record=1, start=start, end=start + 4) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [("printers", "printer"), ("printing", "printer"), ("labels", "label"), ("invoices", "invoice"), ("stories", "story"),
     ("logging", "log"), ("noting", "note"), ("planning", "plan"), ("finding", "find")],
)  # fmt: skip
def test_stems_meet(one, other):
    """Forms of one word share a stem."""
    assert stem(one) == stem(other)


def test_other_words_keep_apart():
    """Words that only look alike keep different stems."""
    assert len({stem(word) for word in ("class", "press", "bus", "news", "printer", "paint")}) == 6


class Vote(NamedTuple):
    """One author's request in one community."""

    row: int
    author: int
    phrase: Phrase


def grouped(votes: list[Vote], *, names: dict[int, str]) -> pd.DataFrame:
    """Put requests together as a run does, from the tables it keeps them in."""
    with duckdb.connect() as connection:
        connection.execute(f"CREATE SCHEMA partial; {TABLES}")
        connection.execute("CREATE TABLE partial.voice (c INTEGER, a BIGINT, key UBIGINT, asked BOOLEAN, alone VARCHAR)")
        connection.execute("CREATE TABLE partial.community (c INTEGER, community VARCHAR); CREATE TABLE span (c INTEGER, row BIGINT)")
        for row in range(4):
            connection.execute("INSERT INTO span VALUES ($row, $row)", {"row": row})
            connection.execute("INSERT INTO partial.community VALUES (?, ?)", [row, names.get(row, f"{row}")])
        for row, author, phrase in votes:
            connection.execute(
                "INSERT INTO partial.voice VALUES (?, ?, ?, ?, ?)", [row, author, phrase.record, phrase.asked, alone(phrase)]
            )
            for run in runs(phrase):
                told = [row, phrase.record, " ".join(run.stems), len(run.stems), run.words, run.way, groups(run, phrase)]
                connection.execute("INSERT INTO partial.run VALUES (?, ?, ?, ?, ?, ?, ?)", told)
        return grouped_in(connection)


def vote(author: int, told: str, *, row: int = 0, asked: bool = True) -> Vote:
    """Let an author ask for something, or complain of it."""
    return Vote(row, author, Phrase(author, tuple(told.split()), asked=asked))


def told(*sentences: str, row: int = 0, asked: bool = True) -> list[Vote]:
    """Let authors 0, 1, 2 … each say one sentence."""
    return [vote(n, sentence, row=row, asked=asked) for n, sentence in enumerate(sentences)]


def needs_of(votes: list[Vote], *, names: dict[int, str] | None = None) -> dict[str, int]:
    """Count the people of every need that has a name."""
    frame = grouped(votes, names=names or {})
    counts = frame[frame["need"] != ""].groupby("need")["voter"].nunique()
    return {str(need): int(people) for need, people in counts.items()}


def test_same_needs_meet():
    """A label printer and a printer for labels are one need of three people, named as most of them name it."""
    assert needs_of(told("label printer", "label printer", "printer for labels", "farm invoice")) == {"label printer": 3}


def test_a_need_is_named_by_all_that_half_of_its_people_say():
    """The name is the longest run of words that half of the people share, as a way to do it where they say what they do."""
    said = ["an app to track fermentation temperatures remotely"] * 2 + ["tracking fermentation temperatures", "track fermentation"]
    assert needs_of(told(*said)) == {"a way to track fermentation temperatures remotely": 4}
    assert needs_of(told(*said, "tracking fermentation temperatures")) == {"a way to track fermentation temperatures": 5}


def test_doing_is_worded_as_doing():
    """Where people only name the doing, the need is something for it."""
    assert needs_of(told("app for tracking calving dates", "tool for tracking calving dates")) == {
        "something for tracking calving dates": 2
    }


def test_complaints_ask_for_relief():
    """A kind that hardly anybody asks for and many complain of is named as relief; one in five who asks makes it a wish."""
    pains = told("writing papers", "writing papers", "writing papers", "writing long papers", asked=False)
    assert needs_of(pains) == {"relief from writing papers": 4}
    asking = [vote(9, "help to write papers"), vote(10, "app to write papers")]
    assert needs_of([*pains, *asking]) == {"a way to write papers": 6}


def test_a_word_that_everyone_asks_for_is_a_need_but_not_the_communitys_own():
    """Three who ask for a library make a need of one word; in the library community they say nothing by it."""
    said = told("library for charts", "tiny library", "library that renders maps")
    assert needs_of(said) == {"library": 3}
    assert needs_of(said, names={0: "reddit:library"}) == {}


def test_a_verb_is_no_need():
    """What people want done is named with what they do it to, never by the verb alone."""
    assert needs_of(told("way to fix this", "way to fix it", "way to fix that", "cleaner way to run it")) == {}


def test_needs_meet_across_communities():
    """Three people in three communities make a need; two in two do not."""
    said = [vote(n, "app to label honey jars", row=n) for n in range(3)]
    assert needs_of(said) == {"a way to label honey jars": 3}
    assert needs_of(said[:2]) == {}


def test_a_need_has_one_name_everywhere():
    """Communities that word the same need differently share the name most people of the run use."""
    said = ["printer for labels"] * 2 + ["label printer"] * 3
    votes = [vote(n, words, row=int(n >= 2)) for n, words in enumerate(said)]
    assert grouped(votes, names={})["need"].unique().tolist() == ["label printer"]


def test_nobody_is_counted_twice_in_a_union():
    """A person who asks in two communities has one number in both, so that counting numbers counts people."""
    votes = [vote(7, "label printer", row=row) for row in (0, 1)] + [vote(8, "label printer", row=1)]
    found = grouped(votes, names={})
    assert found[["row", "voter"]].to_numpy().tolist() == [[0, 0], [1, 0], [1, 1]]


def test_a_name_is_never_one_persons_wording():
    """Where nobody shares a wording, not even its words side by side, there is no name."""
    assert needs_of(told("secret label of my printer", "printer with blue label")) == {}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 3),
            st.integers(0, 6),
            st.lists(st.sampled_from(["jar", "label", "to", "print", "honey", "for", "app"]), min_size=1, max_size=9).filter(
                lambda words: not {"jar", "label", "print", "honey"}.isdisjoint(words)
            ),
        ),
        max_size=14,
    ),
    st.randoms(),
)
def test_names_are_said_by_two_and_order_decides_nothing(drawn, shuffler):
    """Whatever people say: at most eight words after the lead, words that two people of the run said, the same for any order."""
    votes = [Vote(row, author, Phrase(number, tuple(words), asked=True)) for number, (row, author, words) in enumerate(drawn)]
    shuffled = votes.copy()
    shuffler.shuffle(shuffled)
    found = grouped(votes, names={})
    pd.testing.assert_frame_equal(found, grouped(shuffled, names={}))
    said = {(run.stems, vote.author) for vote in votes for run in runs(vote.phrase)}
    for need in found.loc[found["need"] != "", "need"].unique():
        bare = need.removeprefix("a way to ").removeprefix("something for ")
        stems = tuple(sorted({stem(word) for word in bare.split() if word not in {"to", "for", "app"}}))
        assert len({author for of, author in said if of == stems}) >= 2
        assert len(bare.split()) <= MOST_WORDS


def test_needs_of_a_run_name_their_voters_by_number():
    """Three authors who ask for a label printer are three voters of it; what one author asks for is not named."""
    asked = ["looking for a label printer app"] * 3 + ["is there a tool for milking robots?"]
    rows = [post(name, 1 + n, f"{ENGLISH} {ENGLISH}. {text}") for n, (name, text) in enumerate(zip(crowd(4), asked, strict=True))]
    needs = measured(rows).needs
    assert needs.to_dict("records") == [{"community": "reddit:a", "need": "label printer", "voter": n} for n in range(3)]


def test_need_concentration_by_hand():
    """Eight authors of one need and four of another, of twelve votes: 1 − H / ln 12."""
    asked = ["looking for a label printer app"] * 8 + ["is there a tool for milking robots?"] * 4
    rows = [post(name, 1, f"{ENGLISH}. {text}") for name, text in zip(crowd(12), asked, strict=True)]
    entropy = -(2 / 3 * math.log(2 / 3) + 1 / 3 * math.log(1 / 3))
    assert estimate(measured(rows), "need_concentration")["value"] == pytest.approx(1 - entropy / math.log(12))


def test_one_shared_need_is_full_agreement():
    """Where everyone needs the same, concentration is 1."""
    rows = [post(name, 1, f"{ENGLISH}. looking for a label printer app") for name in crowd(12)]
    assert estimate(measured(rows), "need_concentration")["value"] == pytest.approx(1)
