"""Loyalty: who prefers a place, and does so again."""

from __future__ import annotations

import pytest

from tests.feature_records import START, crowd, estimate, measured, post

NOW = {"one": START + 2 * 28 * 86_400}
PLACES = [f"reddit:c{number}" for number in range(10)]
GROUND = [post(f"{place}-{name}", 0, communities=[place]) for place in PLACES for name in crowd(30)]
"""Ten communities of thirty people each who write once, on the first day of two covered months."""


def writes(name: str, month: int, **records: int) -> list:
    """Let somebody write so many records in communities of the platform in a month."""
    return [
        post(name, 28 * month + 1 + n / 100, communities=[f"reddit:{place}"]) for place, number in records.items() for n in range(number)
    ]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        pytest.param({"c0": 10}, {"c0": 1}, (1, 1), id="all-here-and-again"),
        pytest.param({"c0": 5, "c1": 5}, {"c0": 2, "c1": 2}, (1, 1), id="half-is-enough"),
        pytest.param({"c0": 5, "c1": 6}, {"c0": 5}, (1, 0), id="more-elsewhere"),
        pytest.param({"c0": 10}, {"c0": 3, "c1": 4}, (1, 0), id="more-elsewhere-in-the-next-month"),
        pytest.param({"c0": 10}, {}, (1, 0), id="gone-in-the-next-month"),
        pytest.param({"c0": 9}, {"c0": 9}, (0, 0), id="nine-records-are-no-habit"),
        pytest.param({"c1": 10}, {"c0": 10}, (0, 0), id="not-here-in-the-first-month"),
    ],
)
def test_who_is_loyal(first, second, expected):
    """Loyal is who writes ten records or more in a month, half of them here, and half of the next month's here too."""
    sums = measured([*GROUND, *writes("guest", 0, **first), *writes("guest", 1, **second)], now=NOW).author_sums
    here = sums[sums["row"] == 0]
    assert (here["busy"].sum(), here["loyal"].sum()) == expected


def test_a_record_in_two_places_is_one_record():
    """Ten records of which five stand in two communities are ten: five here and five in both are ten here of ten."""
    rows = [post("guest", 28 * m + n / 9, communities=["reddit:c0", *(["reddit:c1"] if n < 5 else [])]) for m in (0, 1) for n in range(10)]
    sums = measured([*GROUND, *rows], now=NOW).author_sums.groupby("row")[["busy", "loyal"]].sum()
    assert sums.loc[[0, 1]].to_numpy().tolist() == [[1, 1], [1, 1]]


def test_loyalty_by_hand():
    """Twelve of twenty busy people are loyal to the first place: shrunk towards the platform's share, inside the limits."""
    rows = [row for n in range(20) for month in (0, 1) for row in writes(f"g{n}", month, **({"c0": 10} if n < 12 else {"c0": 1, "c2": 9}))]
    found = measured([*GROUND, *rows], now=NOW)
    here, there = (estimate(found, "loyalty", place) for place in ("reddit:c0", "reddit:c2"))
    assert (here["n"], there["n"]) == (20, 8)
    assert here["low"] < 0.6 < here["high"]
    assert there["value"] > here["value"]


def test_nine_communities_are_no_platform():
    """Where fewer than ten communities are shown whole, what people do elsewhere is unknown: missing, with the reason."""
    found = measured([row for row in GROUND if row["communities"] != ["reddit:c9"]], now=NOW)
    assert (
        estimate(found, "loyalty", "reddit:c0")["missing_reason"] == "histories: fewer than 10 communities of the platform are shown whole"
    )
