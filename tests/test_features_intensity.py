"""Retention at equal intensity: what is left of a difference in staying once people write equally much."""

from __future__ import annotations

import numpy as np
import pytest

from tests.feature_records import START, estimate, measured, post

TWO, THREE = ({"one": START + months * 28 * 86_400} for months in (2, 3))
RECORDS = {"once": 1, "some": 3, "much": 6}


def place(name: str, **people: tuple[int, int]) -> list:
    """Let people of each intensity write in month 0, of whom so many write again in month 1."""
    rows = [post(f"{name}-first", 0, communities=[name])]
    for kind, (number, back) in people.items():
        for n in range(number):
            days = [1 + 0.1 * r for r in range(RECORDS[kind])] + ([30.0] if n < back else [])
            rows += [post(f"{name}-{kind}{n}", day, communities=[name]) for day in days]
    return rows


def test_strata_by_hand():
    """One community is its own platform: the mix is its own, and the value its retention: of 101 people 26 return, of those 26 nobody."""
    rows = place("reddit:a", once=(60, 0), some=(20, 10), much=(20, 16))
    found = estimate(measured(rows, now=THREE), "equal_retention")
    assert (found["value"], found["n"]) == (pytest.approx(26 / 127, abs=0.02), 101)


def test_the_same_people_in_another_mix_are_equal():
    """Ten places of one-timers and one of talkers, where people of each intensity return alike, differ in retention and not here."""
    quiet = {"once": (60, 6), "some": (20, 10), "much": (5, 4)}
    loud = {"once": (20, 2), "some": (20, 10), "much": (60, 48)}
    rows = [row for n in range(10) for row in place(f"reddit:q{n}", **quiet)] + place("reddit:loud", **loud)
    found = measured(rows, now=TWO)
    plain, equal = (
        [estimate(found, name, community)["value"] for community in ("reddit:q0", "reddit:loud")]
        for name in ("retention", "equal_retention")
    )
    assert plain[1] - plain[0] > 0.15
    assert abs(equal[1] - equal[0]) < 0.06


def test_an_unseen_intensity_is_missing_with_its_reason():
    """Where nobody writes five records in a month, nothing can be said about such people here."""
    found = estimate(measured(place("reddit:a", once=(40, 10), some=(10, 5)), now=TWO), "equal_retention")
    assert found["missing_reason"].startswith("strata: of one intensity")


def test_few_author_months_are_missing():
    """Below twenty author-months that a covered month follows the reason says how many there are."""
    late = [post(f"late{n}", 60) for n in range(40)]
    found = estimate(measured([*place("reddit:a", once=(10, 0)), *late], now=THREE), "equal_retention")
    assert found["missing_reason"] == "small_n: 11 followed author months, 20 needed"


def test_the_interval_counts_people():
    """In 150 places whose people differ in staying, 84 % of the intervals hold the place's own share and more."""
    rng = np.random.default_rng(6)
    rows, truth = [], {}
    mix = {"once": 30, "some": 20, "much": 10}
    for number in range(150):
        name = f"reddit:c{number:03d}"
        stay = {kind: 1 / (1 + np.exp(-(level + rng.normal(0, 0.6)))) for kind, level in (("once", -2), ("some", -0.5), ("much", 1))}
        rows += place(name, **{kind: (size, int(rng.binomial(size, stay[kind]))) for kind, size in mix.items()})
        truth[name] = stay
    found = measured(rows, now=TWO).estimates.query("feature == 'equal_retention'").set_index("community")
    total = {"once": 31, "some": 20, "much": 10}
    held = [
        found.at[name, "low"] <= sum(total[kind] * stay[kind] for kind in mix) / 61 <= found.at[name, "high"]
        for name, stay in truth.items()
    ]
    assert np.mean(held) >= 0.84
