"""Shrinkage, intervals and design effects."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta

from discovery.features.estimation import effect_of_sums, per_unit, proportions, rates, shifts, summed


def test_two_communities_get_a_weak_prior():
    """With two communities a fraction is drawn to the common mean by two prior trials, by hand: (3 + 2m) / 12 with m = 4.5 / 21."""
    result = proportions(np.array([3.0, 1.0]), np.array([10.0, 10.0]), platforms=["x", "x"])
    mean = 4.5 / 21
    assert result.value == pytest.approx([(3 + 2 * mean) / 12, (1 + 2 * mean) / 12])
    assert result.own == pytest.approx([10 / 12, 10 / 12])


def test_prior_recovers_planted_spread():
    """The fitted prior gives back the mean and, within a fifth, the strength of a planted beta distribution; nine limits in ten hold."""
    random = np.random.default_rng(5)
    truth = random.beta(3, 27, size=2_000)
    trials = random.integers(20, 400, size=2_000).astype(float)
    result = proportions(random.binomial(trials.astype(int), truth).astype(float), trials, platforms=np.repeat("x", 2_000))
    strength = trials / result.own - trials
    assert np.median(strength) == pytest.approx(30, rel=0.2)
    assert np.mean((result.low <= truth) & (truth <= result.high)) == pytest.approx(0.92, abs=0.02)


def test_small_platforms_borrow_from_all():
    """A platform of nine learns its mean from everyone, a platform of ten from itself."""
    hits, trials = np.r_[np.repeat(9.0, 10), np.repeat(1.0, 10), 0.0], np.r_[np.repeat(10.0, 20), 1.0]
    ten = proportions(hits, trials, platforms=["big"] * 10 + ["other"] * 10 + ["big"])
    nine = proportions(hits, trials, platforms=["big"] * 9 + ["other"] * 11 + ["lone"])
    assert ten.value[-1] > 0.7
    assert nine.value[-1] < 0.6


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=30))
def test_fractions_never_reach_the_borders(pairs):
    """A shrunk fraction lies strictly between 0 and 1 and inside its interval; without trials it is NaN."""
    trials = np.array([float(a + b) for a, b in pairs])
    hits = np.array([float(a) for a, _ in pairs])
    result = proportions(hits, trials, platforms=["x"] * len(pairs))
    known = trials > 0
    assert np.isnan(result.value[~known]).all()
    assert ((result.value[known] > 0) & (result.value[known] < 1)).all()
    assert ((result.low[known] <= result.value[known]) & (result.value[known] <= result.high[known])).all()


def test_rates_of_two_communities():
    """With two communities a rate is (N + ½) / (E + ½ / mean), by hand."""
    result = rates(np.array([10.0, 30.0]), np.array([10.0, 10.0]), platforms=["x", "x"])
    assert result.value == pytest.approx([10.5 / 10.25, 30.5 / 10.25])


def test_rates_of_three_communities_by_hand():
    """Rates 0, 1, 2 over ten days are drawn to 1 by -ln u / 10, the mean over eight chances u.

    Their squared distances, in parts of chance, are 20 in all; what a chi-squared of two degrees passes with chance u is -2 ln u. The
    prior's part in a rate is the one over the other, at least that of half a record, 1 / 21.
    """
    result = rates(np.array([0.0, 10.0, 20.0]), np.repeat(10.0, 3), platforms=["x"] * 3)
    part = np.mean([max(-np.log((node + 0.5) / 8) / 10, 1 / 21) for node in range(8)])
    assert result.value == pytest.approx([part, 1.0, 2 - part])
    assert result.own == pytest.approx([1 - part] * 3)


@pytest.mark.parametrize("strength", [10, 100, 1_000])
@pytest.mark.parametrize("communities", [4, 10])
def test_few_communities_do_not_know_how_alike_they_are(communities, strength):
    """Of four or ten communities that differ little or much, each of 10 to 30 trials, 85 % of the limits hold the share and more."""
    random = np.random.default_rng(6)
    held = []
    for _ in range(200):
        truth = random.beta(0.3 * strength, 0.7 * strength, size=communities)
        trials = random.integers(10, 30, size=communities)
        told = proportions(random.binomial(trials, truth).astype(float), trials.astype(float), platforms=["x"] * communities)
        held.append((told.low <= truth) & (truth <= told.high))
    assert np.mean(held) >= 0.85


def test_a_moment_of_exposure_teaches_little():
    """Ten places with one record a day and one with 48 a day for half an hour: a place without evidence is near one, not near five."""
    result = rates(np.array([10.0] * 10 + [1.0, 0.0]), np.array([10.0] * 10 + [1 / 48, 1e-6]), platforms=["x"] * 12)
    assert result.value[-1] == pytest.approx(1.0, abs=0.15)


def test_overdispersed_counts_have_wider_intervals():
    """Counts that vary four times more than Poisson have an interval about twice as wide."""
    counts, exposure = np.array([100.0, 100.0]), np.array([10.0, 10.0])
    plain, wide = (rates(counts, exposure, platforms=["x", "x"], inflation=size) for size in (1.0, 4.0))
    assert (wide.high - wide.low) / (plain.high - plain.low) == pytest.approx([2, 2], rel=0.05)


def test_shifts_agree_with_hand_computed_moments():
    """Equal errors: the spread between estimates is their variance less the error's, and each keeps that share of its distance."""
    values, errors = np.array([0.0, 1.0, 2.0]), np.array([0.5, 0.5, 0.5])
    result = shifts(values, errors, platforms=["x"] * 3, wide=errors)
    kept = (1 - 0.25) / 1.0
    assert result.own == pytest.approx([kept] * 3)
    assert result.value == pytest.approx([1 - kept, 1.0, 1 + kept])


@pytest.mark.parametrize(
    ("hits", "trials", "expected"),
    [
        pytest.param([1, 0, 1, 0], [1, 1, 1, 1], 4 / 3, id="one-trial-each"),
        pytest.param([4, 0, 4, 0], [4, 4, 4, 4], 4.0, id="all-trials-alike"),
        pytest.param([0, 0, 0, 0], [2, 2, 2, 2], 2.0, id="none-hit-is-worst-case"),
    ],
)
def test_design_effect(hits, trials, expected):
    """Trials of one author count as one where they end alike, and as many where they are independent."""
    sums = summed(np.zeros(4, dtype=np.intp), np.array(hits, dtype=float), np.array(trials, dtype=float), size=1)
    effect = effect_of_sums(sums)
    worst = sum(x * x for x in trials) / sum(trials)
    assert effect == pytest.approx([min(expected, worst)])


def test_variation_per_unit_by_hand():
    """Counts 0 and 4 in two units vary twice as much as Poisson counts: variance 4, mean 2."""
    assert per_unit(np.array([4.0]), np.array([16.0]), np.array([2.0])) == pytest.approx([2.0])


def test_where_nothing_happened_the_interval_reaches_zero():
    """No success of 40 may be a share of zero, and 40 of 40 a share of one; the values between stay off the borders."""
    shares = proportions(np.array([0.0, 40.0, 20.0]), np.array([40.0] * 3), platforms=["x"] * 3)
    assert (shares.low[0], shares.high[1]) == (0, 1)
    assert (shares.value > 0).all()
    assert (shares.value < 1).all()
    assert 0 < shares.low[2] < shares.high[2] < 1
    assert rates(np.array([0.0, 9.0]), np.array([3.0, 3.0]), platforms=["x"] * 2).low[0] == 0


def test_limits_doubt_the_prior_by_hand():
    """Two communities have a prior of two trials: the lower limit of 3 of 10 is the lower of those with 2 and with 2/3 trials.

    The upper one is the higher of them, each of half a success more than the three there are at least.
    """
    result = proportions(np.array([3.0, 1.0]), np.array([10.0, 10.0]), platforms=["x", "x"])
    mean = 4.5 / 21
    assert result.low[0] == pytest.approx(min(beta(3 + mean * s, 7 + (1 - mean) * s).ppf(0.05) for s in (2, 2 / 3)))
    assert result.high[0] == pytest.approx(max(beta(3.5, 7 + (1 - mean) * s).ppf(0.95) for s in (2, 2 / 3)))


def test_few_who_do_a_thing_do_not_teach_that_others_never_do():
    """Of ten communities that promote and fifty that hardly do, each of 110 people, the limits of those without a case hold 1 in 100."""
    random = np.random.default_rng(7)
    truth = np.r_[np.repeat(0.25, 10), np.repeat(0.01, 50)]
    hits = random.binomial(110, truth).astype(float)
    told = proportions(hits, np.repeat(110.0, 60), platforms=["x"] * 60)
    assert (hits == 0).sum() >= 10
    assert (told.high[hits == 0] > 0.01).all()


def test_clumps_widen_the_limits_and_leave_the_value():
    """Events that come four at once make the interval about twice as wide around the same value."""
    counts, exposure = np.array([100.0, 100.0]), np.array([10.0, 10.0])
    plain, wide = (rates(counts, exposure, platforms=["x", "x"], clumps=size) for size in (1.0, 4.0))
    assert wide.value == pytest.approx(plain.value)
    assert (wide.high - wide.low) / (plain.high - plain.low) == pytest.approx([2, 2], rel=0.05)
