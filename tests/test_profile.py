"""Tests of profiles: medians, their intervals, effect sizes and exemplars."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from discovery.archetypes.profile import exemplars, median_interval, profiles, robust_centre
from tests.markets import market

NAMES = [f"made:{letter}" for letter in "abcdefgh"]


def labels(*values: int) -> pd.Series:
    """Give the first communities these labels."""
    return pd.Series(values, index=NAMES[: len(values)])


def row(frame: pd.DataFrame, group: int, feature: str) -> pd.Series:
    """Find one row of a profile."""
    return frame.set_index(["group", "feature"]).loc[(group, feature)]


def test_a_profile_is_the_median_in_the_features_own_unit_with_its_distance_from_the_market():
    """Group 0 holds 1, 2, 3, the market 1, 2, 3, 5, 6, 7, 8, 9: medians 2 and 5.5, MAD 2.5, so z = -3.5 / (1.4826 * 2.5)."""
    measured = market(NAMES, values={"growth": [1, 2, 3, 5, 6, 7, 8, 9]})
    found = row(profiles(measured, labels(0, 0, 0, 1, 1, 1, 1, 1)), 0, "growth")
    assert (found["value"], found["market"]) == (2, 5.5)
    assert found["z"] == pytest.approx(-3.5 / (1.4826 * 2.5))
    assert found["low"] == 1
    assert found["high"] == 3


def test_effect_sizes_of_a_logarithmic_feature_are_taken_on_its_logarithm():
    """Values of 1, 10, ... are equally far apart for a feature declared on a log scale, so the z of both ends mirror each other."""
    measured = market(NAMES[:5], values={"posting_frequency": [0.01, 0.1, 1, 10, 100]})
    profile = profiles(measured, labels(0, -1, -1, -1, 1))
    assert row(profile, 0, "posting_frequency")["z"] == pytest.approx(-row(profile, 1, "posting_frequency")["z"])


def test_missing_values_and_unmeasured_features_are_left_out():
    """A missing value is no member of the median, and a feature that nobody in the group measured has no row."""
    nan = math.nan
    measured = market(NAMES[:4], values={"growth": [4, nan, 8, 8], "retention": [nan, nan, 0.5, 0.6]})
    profile = profiles(measured, labels(0, 0, 1, 1))
    assert row(profile, 0, "growth")["value"] == 4
    assert set(profile[profile["group"] == 0]["feature"]) == {"growth"}


def test_outliers_count_for_the_market_and_sensitive_communities_for_nothing():
    """An outlier shifts the market's median but is in no group; a sensitive community shifts neither."""
    measured = market(NAMES[:5], values={"growth": [1, 2, 3, 90, 50]})
    measured.communities.loc[NAMES[4], "sensitive"] = True
    found = row(profiles(measured, labels(0, 0, 1, -1, 0)), 0, "growth")
    assert (found["value"], found["market"]) == (1.5, 2.5)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param([1, 2, 3, 4, 100], (3, 1.4826), id="median-and-mad"),
        pytest.param([0, 0, 0, 0, 0, 0, 4, 6, 8], (0, 4 / 1.349), id="mad-is-zero-so-the-interquartile-range"),
        pytest.param([0, 0, 0, 0, 0, 0, 0, 0, 0, 10], (0, 3.0), id="both-zero-so-the-standard-deviation"),
        pytest.param([5, 5, 5], (5, 0.0), id="nothing-varies"),
    ],
)
def test_the_robust_scale_falls_back(values, expected):
    """The scale is 1.4826 MAD, else IQR / 1.349, else the standard deviation, else zero."""
    assert robust_centre(np.array(values, dtype=float)) == pytest.approx(expected)


@pytest.mark.parametrize("n", [1, 2, 5, 20, 61])
def test_the_exact_interval_agrees_with_drawing_resamples(n):
    """The 90 % interval of the median is that of 20,000 drawn bootstrap medians, to the order statistic beside it."""
    rng = np.random.default_rng(n)
    ordered = np.sort(rng.normal(size=n))
    median, low, high = median_interval(ordered)
    drawn = np.median(rng.choice(ordered, size=(20_000, n)), axis=1)
    assert median == pytest.approx(np.median(ordered))
    steps = np.searchsorted(ordered, np.quantile(drawn, [0.05, 0.95]))
    assert abs(int(np.searchsorted(ordered, low)) - steps[0]) <= 1
    assert abs(int(np.searchsorted(ordered, high)) - steps[1]) <= 1


def test_exemplars_are_near_known_well_and_never_outliers_or_sensitive():
    """The three nearest with at least 30 authors stand for a group; a thin one only where there are not enough others."""
    measured = market(NAMES, values={"growth": [1.0] * 8})
    measured.communities["authors"] = [50, 50, 5, 50, 50, 50, 50, 5]
    measured.communities.loc[NAMES[1], "sensitive"] = True
    distance = pd.Series([0.4, 0.1, 0.2, 0.3, 0.5, 0.0, 0.6, 0.9], index=NAMES)
    chosen = exemplars(measured, labels(0, 0, 0, 0, 0, -1, 1, 1), distance=distance)
    assert [name[-1] for name in chosen.index[chosen]] == ["a", "d", "e", "g", "h"]
