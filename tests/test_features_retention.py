"""Retention, churn, survival and newcomers."""

from __future__ import annotations

import math

import pytest

from tests.feature_records import START, crowd, estimate, measured, post

NOW = {"one": START + 9 * 28 * 86_400}


def month(number: int, people: list[str], *, day: float = 3):
    """Let people write once in a month."""
    return [post(name, number * 28 + day) for name in people]


@pytest.fixture(scope="module")
def club():
    """Forty people from month 1 on, of whom half come back every month, and ten new ones in month 7; nine whole months."""
    regulars, guests = crowd(20), crowd(20, start=100)
    rows = [*month(0, regulars, day=0), *month(1, regulars + guests)]
    for number in range(2, 9):
        rows += month(number, regulars + (crowd(10, start=200) if number == 7 else []))
    return measured(rows, now=NOW)


def test_retention_counts_those_who_return(club):
    """Of 20·8 + 20 + 10 author-months that have a next month, the 20 regulars return eight times: 160 / 190."""
    sums = club.author_sums
    assert (sums["stayed"].sum(), sums["present"].sum()) == (160, 190)
    assert estimate(club, "retention")["value"] == pytest.approx(160 / 190, abs=0.01)


def test_churn_is_the_rest(club):
    """Churn is one minus retention, its limits exchanged."""
    kept, gone = estimate(club, "retention"), estimate(club, "churn")
    assert (gone["value"], gone["low"], gone["high"]) == pytest.approx((1 - kept["value"], 1 - kept["high"], 1 - kept["low"]))


def test_retention_interval_counts_authors(club):
    """Regulars who return every time are 50 people, not 190: the interval is far wider than that of 190 independent trials."""
    found = estimate(club, "retention")
    independent = 2 * 1.645 * math.sqrt(160 / 190 * 30 / 190 / 190)
    assert found["high"] - found["low"] > 1.3 * independent


def test_newcomers_need_a_look_back(club):
    """Newcomers count only after four covered months: the ten of month 7, of 20·5 + 10 author-months."""
    sums = club.author_sums
    assert (sums["newcomers"].sum(), sums["seasoned"].sum()) == (10, 110)


def test_survival_restricts_to_ninety_days(club):
    """20 regulars live beyond day 90, 30 others are gone on day 0 (silent for 53 days or more, 28 allowed): 90 · 20 / 50 days."""
    assert estimate(club, "rmst_90")["value"] == pytest.approx(36)


@pytest.mark.parametrize("feature", ["retention", "churn", "rmst_90", "newcomer_share", "engaged_share", "growth"])
def test_listings_have_no_history(feature):
    """What needs every record of a span is missing for a listing, with the coverage as the reason."""
    found = estimate(measured([post(name, 1 + n) for n, name in enumerate(crowd(40))], coverage={1: "listing"}), feature)
    assert math.isnan(found["value"])
    assert found["missing_reason"].startswith("coverage: a listing")


def test_only_whole_months_count():
    """A month that begins before the first record or ends after the last instant the source shows is not covered."""
    rows = [*month(0, crowd(35), day=5), *month(1, crowd(35)), *month(2, crowd(35), day=1)]
    result = measured(rows)
    assert result.author_sums["months"].sum() == 35
    assert estimate(result, "retention")["missing_reason"] == "small_n: 1 months, 2 needed"


def test_people_who_stay_four_weeks_and_a_quarter():
    """Of 40 people who have gone, ten came once, ten for 27 days, ten for 28 and ten for 90: a half and a quarter stay."""
    rows = [post(name, 0) for name in crowd(40)]
    rows += [post(name, day) for day, start in ((27, 10), (28, 20), (60, 30), (90, 30)) for name in crowd(10, start=start)]
    result = measured(rows, now={"one": START + 300 * 86_400})
    assert [estimate(result, name)["value"] for name in ("survival_28", "survival_90")] == pytest.approx([0.5, 0.25])


def test_patience_is_the_longest_hundredth_of_gaps():
    """Of 100 gaps two are 60 days, so 60 days is the patience: forty people who were silent for 50 days may be there still."""
    rows = [post("ana", day) for day in range(99)] + [post("bo", 40), post("bo", 100), post("cy", 41), post("cy", 101)]
    rows += [post(name, 150) for name in crowd(40)]
    assert estimate(measured(rows, now={"one": START + 200 * 86_400}), "rmst_90")["value"] > 45
    assert estimate(measured(rows, now={"one": START + 211 * 86_400}), "rmst_90")["value"] < 15


def test_who_came_too_late_to_be_missed_says_nothing():
    """Thirty are seen early, and one of them again after ninety days; of thirty more, who come in the last four weeks, nobody can know."""
    early = [post(name, number % 20, f"hello from {name}, I am new") for number, name in enumerate(crowd(30))]
    late = [post(name, 90 + number % 20, f"hello from {name}, I am new") for number, name in enumerate(crowd(30, start=30))]
    told = measured([*early, *late, post("person0", 112, "the last word of the year")])
    row = estimate(told, "rmst_90")
    assert row["n"] == 30
    assert row["value"] == pytest.approx(90 / 30)
