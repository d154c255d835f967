"""Kaplan–Meier."""

from __future__ import annotations

import math

import numpy as np
import pytest

from discovery.features.survival import Medians, median_waits, restricted_mean, surviving


def median_wait(waits: np.ndarray, answered: np.ndarray) -> Medians:
    """Give the median of one row."""
    return Medians(*(row[0] for row in median_waits(np.zeros(len(waits), dtype=np.intp), waits, answered, size=1)))


def test_restricted_mean_with_censoring_by_hand():
    """Ends at days 1 and 3, one withdrawn at day 2, horizon 4: survival 1, 2/3, 2/3, 0 adds up to 7/3."""
    ended, withdrawn = np.zeros((1, 5)), np.zeros((1, 5))
    ended[0, [1, 3]], withdrawn[0, 2] = 1, 1
    value, error = restricted_mean(ended, withdrawn)
    assert value == pytest.approx([1 + 2 / 3 + 2 / 3 + 0])
    assert error == pytest.approx([math.sqrt((4 / 3) ** 2 * 1 / (3 * 2))])


def test_survival_with_censoring_by_hand():
    """The same ends: two thirds last at least two periods, and at least three; the error is 2/3 · √(1 / (3 · 2)); none lasts four."""
    ended, withdrawn = np.zeros((1, 5)), np.zeros((1, 5))
    ended[0, [1, 3]], withdrawn[0, 2] = 1, 1
    shares, errors = zip(*(surviving(ended, withdrawn, periods=periods) for periods in (1, 2, 3, 4)), strict=True)
    assert np.concatenate(shares) == pytest.approx([1, 2 / 3, 2 / 3, 0])
    assert errors[2] == pytest.approx([2 / 3 * math.sqrt(1 / 6)])


def test_restricted_mean_without_censoring_is_the_mean():
    """When everyone's end is seen, it is the mean of the whole periods lived up to the horizon."""
    days = np.random.default_rng(1).integers(0, 12, size=200)
    ended = np.bincount(np.minimum(days, 9), minlength=10)[None, :].astype(float)
    value, _ = restricted_mean(ended, np.zeros_like(ended))
    assert value == pytest.approx([np.minimum(days, 9).mean()])


def test_nobody_has_no_lifetime():
    """A group without members is NaN, not zero."""
    value, _ = restricted_mean(np.zeros((1, 5)), np.zeros((1, 5)))
    assert np.isnan(value).all()


@pytest.mark.parametrize(
    ("waits", "answered", "expected"),
    [
        pytest.param([1, 2, 3], [True, True, True], 2, id="all-answered"),
        pytest.param([1, 2, 3, 9], [True, False, True, False], 3, id="censored-in-between"),
        pytest.param([1, 5, 6, 7], [True, False, False, False], math.nan, id="most-still-wait"),
    ],
)
def test_median_wait(waits, answered, expected):
    """The median wait is the first time at which half are answered, those still waiting counted while they wait."""
    result = median_wait(np.array(waits, dtype=float), np.array(answered))
    assert result.value == pytest.approx(expected, nan_ok=True)


def test_median_interval_covers_the_truth():
    """Of a hundred samples of a known wait with censoring, about nine in ten intervals hold the true median."""
    random = np.random.default_rng(3)
    inside = 0
    for _ in range(100):
        wait, patience = random.exponential(10, size=80), random.uniform(0, 60, size=80)
        result = median_wait(np.minimum(wait, patience), wait <= patience)
        inside += result.low <= 10 * math.log(2) <= result.high
    assert inside >= 82


def test_medians_side_by_side_are_those_of_each_alone():
    """Rows of any number of waits, none included, get the medians and limits that each gets alone, to the bit."""
    random = np.random.default_rng(4)
    many = [1, 0, 2, 33, 700, 64, 65, 0]
    rows = random.permutation(np.repeat(np.arange(len(many)), many))
    waits, answered = random.integers(1, 90, size=len(rows)).astype(float), random.random(len(rows)) < 0.7
    told = np.asarray(median_waits(rows, waits, answered, size=len(many)))
    alone = [median_wait(waits[rows == row], answered[rows == row]) if n else (math.nan,) * 3 for row, n in enumerate(many)]
    np.testing.assert_array_equal(told.T, np.array(alone))


def test_a_curve_that_reaches_one_half_has_its_median_there():
    """Of 24 answered waits the twelfth brings the curve to one half exactly, although its product of fractions rounds above it."""
    assert median_wait(np.arange(1.0, 25.0), np.ones(24, dtype=bool)).value == 12
