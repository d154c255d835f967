"""Frequency, active authors, inequality, deleted authors, and what counts as a record."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from tests.feature_records import START, crowd, estimate, measured, post, reply


def test_frequency_is_records_over_days():
    """Forty records in the 80 days after the first one, to the end of the source, are half a record a day."""
    found = estimate(
        measured([post(name, day * 2) for day, name in enumerate(crowd(41))], now={"one": START + 80 * 86_400}), "posting_frequency"
    )
    assert (found["value"], found["n"]) == (pytest.approx(0.5), 40)
    assert found["low"] < 0.5 < found["high"]


def test_a_place_of_bots_alone_is_not_observed():
    """Bots' feeds make no exposure: their place has no frequency, and teaches the platform no zeros."""
    feed = [post("machine", day, f"feed {day}", bot=True, communities=["reddit:feed"]) for day in range(9)]
    people = [post(name, day, communities=["reddit:a"]) for day, name in enumerate(crowd(11))]
    result = measured(feed + people)
    assert estimate(result, "posting_frequency", "reddit:feed")["missing_reason"].startswith("undefined")
    assert estimate(result, "posting_frequency")["value"] == pytest.approx(1.0)


def test_bots_and_repeats_are_counted_as_volume_only():
    """A bot's records and an author's repeats of the same long text are in ``records`` and in nothing else."""
    text = "the very same announcement as every week"
    rows = (
        [post("ana", day, text) for day in range(5)]
        + [post("machine", 1, f"feed {n}", bot=True) for n in range(7)]
        + [post("bo", 2, "ok")] * 1
    )
    result = measured(rows)
    facts = result.communities.loc["reddit:a"]
    assert (facts["records"], facts["authors"]) == (13, 2)
    assert result.author_sums["records"].tolist() == [1, 1]


def test_short_texts_may_repeat():
    """Three times "thanks" is three records."""
    opening = post("ana", 0, "a question")
    result = measured([opening, *(reply(opening, "bo", day, "thanks!") for day in (1, 2, 3))])
    assert sorted(result.author_sums["records"]) == [1, 3]


def test_active_authors_is_the_mean_of_whole_months():
    """Months with 10, 20 and 0 authors are 10 a month; the month that is not over does not count."""
    rows = [post(name, 1) for name in crowd(10)] + [post(name, 30) for name in crowd(20)] + [post(name, 85) for name in crowd(3)]
    result = measured([post("first", 0), *rows], now={"one": START + 90 * 86_400})
    assert estimate(result, "active_authors")["value"] == pytest.approx((11 + 20 + 0) / 3, rel=0.05)


def test_active_authors_of_a_listing_is_a_lower_bound():
    """Nineteen authors within nine days are at least nineteen a month, at most three times as many; coverage says how little was seen."""
    rows = [post(name, index / 2, replies=1) for index, name in enumerate(crowd(20))]
    found = estimate(measured(rows, coverage={1: "listing"}), "active_authors")
    assert found["value"] == pytest.approx(19, rel=0.02)
    assert 19 * 28 / 9 < found["high"] < 2 * 19 * 28 / 9
    assert 0 < found["coverage"] < 0.35


def test_pinned_posts_do_not_stretch_a_listing():
    """One pinned post of years ago leaves a listing's frequency as it is."""
    fresh = [post(name, 3_000 + index / 10, replies=1) for index, name in enumerate(crowd(50))]
    plain, pinned = (
        estimate(measured(rows, coverage={1: "listing"}), "posting_frequency") for rows in (fresh, [post("mod", 0, replies=1), *fresh])
    )
    assert pinned["value"] == pytest.approx(plain["value"], rel=0.1)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        pytest.param([2] * 30, 0.0, id="equal"),
        pytest.param([1] * 29 + [31], 0.5, id="half-by-one"),
    ],
)
def test_inequality_by_hand(counts, expected):
    """Equal authors have Gini 0; one of thirty who writes as much as all others and himself has 1/2 · 30/29 · 29/30."""
    rows = [post(name, 1 + n / 100) for name, count in zip(crowd(30), counts, strict=True) for n in range(count)]
    assert estimate(measured(rows), "inequality")["value"] == pytest.approx(expected, abs=1e-9)


def test_inequality_equals_all_pairs():
    """The Gini coefficient is the mean absolute difference of all pairs over twice the mean, inside its interval."""
    counts = np.random.default_rng(2).zipf(1.8, size=60).clip(max=40)
    rows = [post(name, 1 + n / 100) for name, count in zip(crowd(60), counts, strict=True) for n in range(count)]
    found = estimate(measured(rows), "inequality")
    pairs = [abs(a - b) for a, b in itertools.combinations(counts.tolist(), 2)]
    assert found["value"] == pytest.approx(np.mean(pairs) / (2 * counts.mean()))
    assert found["low"] < found["value"] < found["high"]


def test_concentration_is_the_busiest_hundredth():
    """Of thirty authors the busiest one wrote 31 of 60 records."""
    rows = [post(name, 1 + n / 100) for name, count in zip(crowd(30), [1] * 29 + [31], strict=True) for n in range(count)]
    assert estimate(measured(rows), "author_concentration")["value"] == pytest.approx(31 / 60, abs=0.01)


def test_half_is_written_by_the_fewest():
    """Of thirty authors one wrote 31 of 60 records: he alone writes half. Where all write one record, it takes fifteen."""
    loud, even = (
        [post(name, 1 + n / 100) for name, count in zip(crowd(30), counts, strict=True) for n in range(count)]
        for counts in ([1] * 29 + [31], [1] * 30)
    )
    assert [estimate(measured(rows), "elephant_number")["value"] for rows in (loud, even)] == [1, 15]


def test_copies_are_told_as_a_share():
    """Four of twenty-four records are an author's later copies: with one community the prior is worth two records of its own mean."""
    rows = [post(name, 1) for name in crowd(19)] + [post("ana", day, "the very same announcement as every week") for day in range(5)]
    found = estimate(measured(rows), "duplicate_share")
    assert (found["value"], found["n"]) == (pytest.approx((4 + 2 * 4.5 / 25) / 26), 24)


def test_deleted_authors_are_volume_only():
    """Deleted authors count in the share of deleted records and in no feature of authors."""
    result = measured([post(name, 1) for name in crowd(30)] + [post(None, 2) for _ in range(10)])
    assert estimate(result, "deleted_share")["value"] == pytest.approx(0.25, abs=0.01)
    assert result.communities.loc["reddit:a", "authors"] == 30
    assert len(result.author_sums) == 30


@pytest.mark.parametrize(
    ("capped", "expected"),
    [pytest.param(4, "listing", id="four-of-twelve-at-the-cap"), pytest.param(3, "complete", id="three-of-twelve")],
)
def test_capped_listings_are_found(capped, expected):
    """An unknown source of twelve communities is a listing where a third of them stand at the common maximum of posts."""
    sizes = [50] * capped + [10 + index for index in range(12 - capped)]
    rows = [post(f"n{n}", n, communities=[f"reddit:c{index:02d}"]) for index, size in enumerate(sizes) for n in range(size)]
    assert set(measured(rows, coverage={1: "unknown"}).communities["coverage"]) == {expected}


def test_too_few_authors_are_missing_with_both_numbers():
    """Below the declared evidence the value is NaN and the reason says how many there were and how many are needed."""
    found = estimate(measured([post(name, 1) for name in crowd(12)]), "inequality")
    assert math.isnan(found["value"])
    assert found["missing_reason"] == "small_n: 12 authors, 30 needed"
