"""What people say they pay a month: one amount each, one currency, missing below five people."""

from __future__ import annotations

import pytest

from discovery.features.intent import read
from discovery.features.spending import paid
from tests.feature_records import ENGLISH, crowd, estimate, measured, post


def say(*texts: str):
    """Let a person each say a text, in an English community."""
    return [post(name, 1, f"{ENGLISH}. {text}") for name, text in zip(crowd(len(texts)), texts, strict=True)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("I pay $40/month for this.", ("USD", 4_000), id="spent"),
        pytest.param("Our budget is 300 euros a year", ("EUR", 2_500), id="budget"),
        pytest.param("I paid $12 for the pro version. $9 a month elsewhere", None, id="no-period-in-its-sentence"),
        pytest.param("We are paying $8 per user per month", None, id="per-seat"),
        pytest.param("I pay $10-20 a month for it", None, id="range"),
        pytest.param("I cancelled my annual subscription of $120", ("USD", 1_000), id="annual-said-before"),
        pytest.param("> I pay $40 a month for it\nme too", None, id="quoted"),
    ],
)
def test_the_amount_of_a_record(text, expected):
    """The first amount a month from words of spending or buying to the end of their sentence; a quoted line is not one's own."""
    assert paid(text, {hit.tier: hit for hit in read(text)}) == expected


def test_the_median_of_people():
    """Of 10, 20, 25 (300 a year), 40 and 100 dollars a month the middle is 25, the quartiles are 20 and 40; a second amount counts not."""
    rows = say(
        "I pay $10 a month for it", "I pay $20 a month for it", "I pay $300 a year for it", "I pay $40 a month for it",
        "I pay $100 a month for it", "I pay €7 a month for it",
    )  # fmt: skip
    found = estimate(measured(rows), "amount_paid")
    assert found[["value", "low", "high", "n"]].tolist() == [25, 20, 40, 5]


@pytest.mark.parametrize(
    ("texts", "reason"),
    [
        pytest.param(["I pay $10 a month for it"] * 4, "small_n: 4 payers, 5 needed", id="four-people"),
        pytest.param(["I pay €10 a month for it"] * 5, "currency: people name another one", id="euros"),
        pytest.param(["I pay €10 a month for it"] * 3 + ["I pay £9 a month for it"] * 3, "small_n: 0 payers", id="three-and-three"),
        pytest.param(["I pay attention"] * 9, "small_n: 0 payers", id="nobody"),
    ],
)
def test_fewer_than_five_people_of_one_currency(texts, reason):
    """Nobody is averaged over currencies, and four people are too few."""
    assert estimate(measured(say(*texts)), "amount_paid")["missing_reason"].startswith(reason)


def test_one_amount_a_person():
    """Five records of one person are one person."""
    rows = [post("ana", day, f"{ENGLISH}. I pay ${day} a month for it") for day in range(10, 20)]
    assert estimate(measured(rows), "amount_paid")["missing_reason"] == "small_n: 1 payers, 5 needed"
