"""Needs: what is asked for, and requests that mean the same put together."""

from __future__ import annotations

import math

import pytest

from discovery.features.phrases import Phrase, Vote, grouped, needed
from discovery.features.text import content_words, stem
from tests.feature_records import ENGLISH, crowd, estimate, measured, post


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("Hi. I am looking for a label printer, because mine broke", ("label", "printer"), id="object"),
        pytest.param("is there an app for tracking calving dates?", ("tracking", "calving", "dates"), id="generic-nouns-left-out"),
        pytest.param("I need something that syncs with Xero", ("syncs", "xero"), id="need"),
        pytest.param("Does anyone know a good printer for labels", ("printer", "labels"), id="anyone"),
    ],
)
def test_the_object_of_a_request(text, expected):
    """What is asked for are the content words after the asking, up to the end of the clause."""
    start = max(text.lower().find(word) for word in ("looking", "is there", "need something", "anyone"))
    found = needed(text, record=1, start=start, end=start + 12)
    assert found.words == expected
    assert found.asked


def test_a_pain_gives_its_surroundings():
    """Where nothing is asked for, the words around the pain stand in, and are marked as such."""
    text = "I spend hours every week on crew scheduling"
    found = needed(text, record=1, start=2, end=13)
    assert set(found.words) == {"every", "crew", "scheduling"} - {"every"}
    assert not found.asked


@pytest.mark.parametrize(
    ("one", "other"), [("printers", "printer"), ("printing", "printer"), ("labels", "label"), ("invoices", "invoice"), ("stories", "story")]
)
def test_stems_meet(one, other):
    """Forms of one word share a stem."""
    assert stem(one) == stem(other)


def test_other_words_keep_apart():
    """Words that only look alike keep different stems."""
    assert len({stem(word) for word in ("class", "press", "bus", "news", "printer", "paint")}) == 6


def vote(author: int, thread: int, told: str, *, row: int = 0) -> Vote:
    """Let an author ask for something."""
    return Vote(row, author, thread, Phrase(0, tuple(content_words(told)), told, asked=True))


def test_same_needs_meet():
    """A label printer and a printer for labels are one need of three authors in two threads, named as most people name it."""
    votes = [vote(1, 10, "label printer"), vote(2, 10, "label printer"), vote(3, 11, "printer for labels"), vote(4, 12, "farm invoice")]
    found = grouped(votes)
    assert found.iloc[0].to_dict() == {"row": 0, "need": "label printer", "authors": 3, "threads": 2}
    assert found["need"].tolist() == ["label printer", "farm invoice"]


def test_a_need_has_one_name_everywhere():
    """Communities that word the same need differently share the name most people of the run use."""
    told = ["printer for labels"] * 2 + ["label printer"] * 3
    votes = [vote(n, n, words, row=int(n >= 2)) for n, words in enumerate(told)]
    assert grouped(votes)["need"].tolist() == ["label printer", "label printer"]


def test_a_name_is_never_one_persons_wording():
    """Where nobody shares a wording the need is named by the words that are shared."""
    votes = [vote(1, 1, "secret label of my printer"), vote(2, 2, "printer with blue label")]
    assert grouped(votes)["need"].tolist() == ["label printer"]


def test_the_order_of_requests_decides_nothing():
    """Groups and names are the same for any order of the requests."""
    votes = [vote(n, n, words) for n, words in enumerate(["apple berry", "berry cherry", "cherry apple", "apple berry cherry"])]
    assert grouped(votes).equals(grouped(votes[::-1]))


def test_needs_of_two_authors_are_kept():
    """A need that two authors voice is kept with its numbers, one author's is not."""
    asked = ["looking for a label printer app"] * 3 + ["is there a tool for milking robots?"]
    rows = [post(name, 1 + n, f"{ENGLISH} {ENGLISH}. {text}") for n, (name, text) in enumerate(zip(crowd(4), asked, strict=True))]
    needs = measured(rows).needs
    assert needs.to_dict("records") == [{"community": "reddit:a", "need": "label printer", "authors": 3, "threads": 3}]


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
