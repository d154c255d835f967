"""Change of words over months: what chance makes is taken off, what one person brings is nobody's change."""

from __future__ import annotations

import math

import numpy as np
import pytest

from discovery.features.dynamicity import DEALS, Monthly, change, dealt
from tests.feature_records import crowd, estimate, measured, post

T95 = 1.729132811521367
"""Student's t with 19 degrees of freedom, 95 %."""


def spoken(*said: str, each: int = 1) -> Monthly:
    """Let one community say these words, a month a text, ``each`` words in a row by one person."""
    words = [ord(letter) for month in said for letter in month]
    turns = np.arange(len(words)) // each
    return Monthly(np.array(words, dtype=np.uint64), turns, np.array([len(said)]), np.array([len(said[0])]))


def test_months_with_words_of_their_own():
    """Three months share no word: ln 3, less what deals of the same words at random show, by plain counting."""
    told = spoken("a" * 40, "b" * 40, "c" * 40)
    chance = []
    for deal in range(DEALS):
        order = np.argsort(dealt(told.turn, deal), kind="stable")
        counts = np.array([[np.sum(told.word[order][m * 40 : m * 40 + 40] == ord(word)) for word in "abc"] for m in range(3)])
        chance.append(sum(n / 120 * math.log(n / 40 * 3) for n in counts.ravel() if n))
    found = change(told)[:, 0]
    assert found[0] == pytest.approx(math.log(3) - np.mean(chance))
    assert found[1] == pytest.approx(np.std(chance, ddof=1) * math.sqrt(1.05))
    assert 1 < found[0] < math.log(3)


def test_what_one_person_a_month_brings_is_no_change():
    """Each month is one person's words: any deal of the three people shows the same, so nothing is left, and no doubt."""
    assert change(spoken("a" * 40, "b" * 40, "c" * 40, each=40))[:, 0] == pytest.approx([0, 0], abs=1e-15)


def test_the_same_words_every_month():
    """Months that say the same show less than chance would: below zero, and zero only where chance shows nothing either."""
    assert change(spoken("ab" * 20, "ab" * 20, "ab" * 20))[0, 0] < 0
    assert change(spoken("a" * 40, "a" * 40, "a" * 40))[:, 0] == pytest.approx([0, 0], abs=1e-15)


def test_a_community_is_measured_the_same_among_others():
    """Measured together with others a community has the bits it has alone."""
    one, two = spoken("abcabcab", "abababab", "cacacaca"), spoken("aab", "bab", "cbc", "dab")
    both = Monthly(*(np.concatenate(pair) for pair in zip(one, two, strict=True)))
    assert change(both).T.tolist() == [change(one)[:, 0].tolist(), change(two)[:, 0].tolist()]


@pytest.mark.parametrize(("drift", "least", "most"), [pytest.param(0.0, 0.84, 0.96, id="still"), pytest.param(0.5, 0, 0.05, id="drifting")])
def test_the_interval_holds_zero_where_nothing_drifts(drift, least, most):
    """In 200 seeded communities of six months the 90 % interval holds zero where words stay as common as they are, else it is above."""
    random, worlds = np.random.default_rng(5), 200
    usual = 1 / np.arange(1, 1_001)
    moved = usual * np.exp(drift * random.normal(size=(worlds * 6, 1_000)))
    words = np.concatenate([random.choice(1_000, 210, p=weights / weights.sum()) for weights in moved]).astype(np.uint64)
    turns = np.tile(np.arange(6 * 15).repeat(14), worlds)
    value, error = change(Monthly(words, turns, np.full(worlds, 6), np.full(worlds, 210)))
    assert least <= (abs(value) <= T95 * error).mean() <= most
    assert (value > T95 * error).mean() >= 0.9 or not drift


def months(*texts: str, people: int = 30):
    """Let as many people say a text of ten words in each covered month."""
    rows = [post(name, 28 * m + 1, text) for m, text in enumerate(texts) for name in crowd(people, start=people * m)]
    return [post("first", 0), *rows, post("last", 28 * len(texts))]


WAX = "wax hive queen brood honey nectar comb smoker frame swarm"
INK = "nib ink feed barrel converter paper cap clip fill wash"


def test_a_community_whose_subject_moves():
    """Three months about bees, then three about pens: the interval is far above zero; about bees all along: it is about zero."""
    moving, still = (estimate(measured(months(*texts)), "dynamicity") for texts in ([WAX] * 3 + [INK] * 3, [WAX] * 6))
    assert moving["low"] > 0.5
    assert moving["n"] == 6 * 300
    assert still["low"] <= 0 <= still["high"]


@pytest.mark.parametrize(
    ("rows", "coverage", "reason"),
    [
        pytest.param(months(WAX, WAX, people=30), "complete", "words: fewer than 3 months hold 200", id="two-months"),
        pytest.param(months(WAX, WAX, WAX, people=15), "complete", "words: fewer than 3 months hold 200", id="few-words"),
        pytest.param(months(WAX, WAX, WAX), "listing", "coverage", id="listing"),
    ],
)
def test_what_cannot_be_seen_is_missing(rows, coverage, reason):
    """Fewer than three months of 200 words, or a listing: missing with the reason, never zero."""
    assert estimate(measured(rows, coverage={1: coverage}), "dynamicity")["missing_reason"].startswith(reason)


def test_an_author_counts_in_one_month():
    """Thirty people who speak every month count in one each: their words stand once, in the month of the record of the smallest hash."""
    rows = [post(name, 28 * m + 1, f"{WAX} {m}") for m in range(4) for name in crowd(120)]
    found = estimate(measured([post("first", 0), *rows, post("last", 112)]), "dynamicity")
    assert found["missing_reason"] is None
    assert found["n"] <= 1_200
