"""Newcomers: who counts as one, and what becomes of them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.feature_records import START, crowd, estimate, measured, post, reply

END = 12 * 28
NOW = {"one": START + END * 86_400}
REGULARS = [post(name, 28 * month) for month in range(12) for name in crowd(30)]
"""Thirty people who post on the first day of each of twelve covered months."""


def visits(name: str, *days: float) -> list:
    """Let somebody write on these days."""
    return [post(name, day) for day in days]


def sums(rows: list) -> tuple[int, int]:
    """Count the newcomers and those who acted again."""
    found = measured(REGULARS + rows, now=NOW).author_sums
    return int(found["arrived"].sum()), int(found["converted"].sum())


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        pytest.param((200, 228.999), (1, 1), id="again-on-the-28th-day"),
        pytest.param((200, 229), (1, 0), id="again-later"),
        pytest.param((200,), (1, 0), id="never-again"),
        pytest.param((200, 200.999), (1, 0), id="twice-on-one-day"),
        pytest.param((200.999, 201), (1, 1), id="again-past-midnight"),
        pytest.param((112, 113), (1, 1), id="first-seen-after-112-days"),
        pytest.param((111.999, 113), (0, 0), id="perhaps-known-before"),
        pytest.param((END - 28, END - 1), (1, 1), id="28-days-left"),
        pytest.param((END - 27.999, END - 1), (0, 0), id="not-watched-long-enough"),
    ],
)
def test_who_is_new_and_acts_again(days, expected):
    """Newcomers have 112 covered days before their first record and 28 after; they act again on a later day, up to the 28th, or do not."""
    assert sums(visits("new", *days)) == expected


def test_conversion_by_hand():
    """Twelve of twenty newcomers act again: with one community the prior is worth two newcomers of its own mean, 12.5 of 21."""
    rows = [row for n in range(20) for row in visits(f"new{n}", 150, *([160] if n < 12 else []))]
    found = estimate(measured(REGULARS + rows, now=NOW), "newcomer_conversion")
    assert (found["value"], found["n"]) == (pytest.approx((12 + 2 * 12.5 / 21) / 22), 20)
    assert found["low"] < 0.6 < found["high"]


def test_a_first_night_has_no_newcomers():
    """Where the records begin less than five months ago everybody seems new: missing, not high."""
    rows = [row for name in crowd(40) for row in visits(name, 1, 5)] + visits("last", 100)
    found = estimate(measured(rows), "newcomer_conversion")
    assert math.isnan(found["value"])
    assert found["missing_reason"].startswith("small_n: 2 months, 5 needed")


def threads(kind: str, *, asked: int, answered: int, day: float = 200, wait: float = 1) -> list:
    """Let people each open a thread, of which so many are answered by a regular; those who are not new were there before."""
    rows = []
    for n in range(asked):
        opened = post(f"{kind}{n}", day)
        rows += [opened] + ([reply(opened, "person1", day + wait)] if n < answered else [])
        rows += [reply(REGULARS[1], f"{kind}{n}", 20)] if kind == "old" else []
    return rows


NEW, OLD = threads("new", asked=10, answered=2), threads("old", asked=30, answered=20)


def welcome(*more: dict):
    """Measure the welcome of ten newcomers among thirty who are known, the regulars' first posts and what comes on top."""
    return estimate(measured([*REGULARS[:30], *NEW, *OLD, *more], now=NOW), "welcome_ratio")


def test_welcome_by_hand():
    """Newcomers: 2 of 10 posts answered; others 20 of 30; halves added: ln(2.5 / 23) − ln(11 / 42)."""
    found = welcome()
    assert (found["value"], found["n"]) == (pytest.approx(math.log(2.5 / 23) - math.log(11 / 42)), 10)
    assert found["low"] < found["value"] < found["high"] < 0


@pytest.mark.parametrize(
    ("who", "wait", "expected"),
    [
        pytest.param("person1", 2, math.log(3.5 / 24) - math.log(11 / 42), id="another-person-in-48-hours"),
        pytest.param("person1", 2.001, math.log(2.5 / 23) - math.log(11 / 42), id="later"),
        pytest.param("new9", 1, math.log(2.5 / 23) - math.log(11 / 42), id="the-newcomer-self"),
    ],
)
def test_answers_come_from_others_and_in_time(who, wait, expected):
    """A ninth newcomer is welcomed by another person's reply within two days, by no other one."""
    asked = next(row for row in NEW if row["author"] == post("new9", 0)["author"])
    assert welcome(reply(asked, who, 200 + wait))["value"] == pytest.approx(expected)


def test_without_stored_replies_nobody_is_seen_welcomed():
    """A source that only counts replies does not tell who replied."""
    rows = [{**row, "replies": 3} for row in REGULARS]
    assert estimate(measured(rows, now=NOW), "welcome_ratio")["missing_reason"] == "replies: the source does not store them"


def test_the_welcome_interval_holds_the_truth():
    """In 120 communities where newcomers are answered less often, by an amount that differs, 84 % of the intervals hold it and more."""
    rng = np.random.default_rng(8)
    truth, rows = {}, []
    for place in range(120):
        name, met = f"reddit:c{place:03d}", min(0.5 * np.exp(rng.normal(-0.5, 0.4)), 0.95)
        rows += [post(f"{name}-{n}", 28 * month, communities=[name]) for month in (0, 3) for n in range(25)]
        for kind, chance in (("new", met), ("", 0.5)):
            for n in range(25):
                opened = post(f"{name}{kind}-{n}", 200, communities=[name])
                rows += [opened] + ([reply(opened, f"{name}-answers", 201)] if rng.random() < chance else [])
        truth[name] = math.log(met) - math.log((met + 0.5) / 2)
    found = measured(rows, now=NOW).estimates.query("feature == 'welcome_ratio'").set_index("community")
    held = [found.at[name, "low"] <= told <= found.at[name, "high"] for name, told in truth.items()]
    assert np.mean(held) >= 0.84
