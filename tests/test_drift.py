"""Drift is measured in the published definitions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from discovery.clustering import drift


def test_no_change_is_zero():
    """The same values have no drift, whatever their order."""
    before = pd.DataFrame({"a": np.arange(100.0), "b": [1.0, np.nan] * 50})
    assert drift.population_stability(before, before.iloc[::-1]).to_dict() == {"a": 0.0, "b": 0.0}


def test_population_stability_by_hand():
    """Two bins, 50/50 against 80/20: .3·ln 1.6 + (−.3)·ln .4; missing values and nine equal deciles add nothing."""
    before = pd.DataFrame({"a": [0.0] * 50 + [1.0] * 50})
    now = pd.DataFrame({"a": [0.0] * 80 + [1.0] * 20})
    expected = 0.3 * np.log(0.8 / 0.5) - 0.3 * np.log(0.2 / 0.5)
    assert drift.population_stability(before, now)["a"] == pytest.approx(expected)


def test_becoming_missing_is_drift():
    """A feature that half of the communities lost raises the alarm."""
    before = pd.DataFrame({"a": np.arange(100.0)})
    now = before.where(before["a"] < 50)
    assert drift.population_stability(before, now)["a"] > drift.ALARM


def test_a_shift_of_one_deviation_raises_the_alarm():
    """A whole standard deviation is far beyond the alarm, a twentieth is not."""
    before = pd.DataFrame({"a": np.random.default_rng(0).normal(size=1000)})
    assert drift.population_stability(before, before + 1)["a"] > drift.ALARM > drift.population_stability(before, before + 0.05)["a"]


def test_an_empty_night_is_not_measurable():
    """No communities, no number."""
    before = pd.DataFrame({"a": [1.0, 2.0]})
    assert np.isnan(drift.population_stability(before, before.iloc[:0])["a"])


def test_only_shared_features_are_compared():
    """A feature of one night only is left out."""
    assert drift.population_stability(pd.DataFrame({"a": [1.0], "b": [1.0]}), pd.DataFrame({"b": [1.0], "c": [1.0]})).index.tolist() == [
        "b"
    ]


def test_moved_share():
    """Of four communities one moved and one has no archetype any more; one that had none before and a newcomer do not count."""
    before = pd.Series({"a": "A001", "b": "A001", "c": "A002", "d": None, "f": "A002", "g": "A002"})
    now = pd.Series({"a": "A001", "b": "A002", "c": "A002", "d": "A001", "e": "A001", "f": None})
    assert drift.moved_share(before, now) == pytest.approx(1 / 2)
    assert np.isnan(drift.moved_share(before.iloc[:0], now))


def test_centroid_shift():
    """Root mean square over the shared features, for the identities of both nights."""
    before = pd.DataFrame({"x": [0.0, 1.0], "y": [0.0, 1.0]}, index=["A001", "A002"])
    now = pd.DataFrame({"x": [3.0], "y": [4.0], "z": [9.0]}, index=["A001"])
    assert drift.centroid_shift(before, now).to_dict() == {"A001": pytest.approx(np.sqrt(12.5))}


def test_small_markets_differ_by_chance():
    """Two draws of 20 communities from one distribution have an index beyond .25 and raise no alarm; of 2,000 a true shift does."""
    random = np.random.default_rng(1)
    before, now = (pd.DataFrame({"a": random.normal(size=20)}) for _ in range(2))
    assert drift.population_stability(before, now)["a"] > drift.ALARM
    assert drift.alarms(before, now).empty
    before, now = (pd.DataFrame({"a": random.normal(shift, size=2000)}) for shift in (0, 1))
    assert drift.alarms(before, now).index.tolist() == ["a"]


def test_no_feature_no_alarm():
    """Nights without a common feature, or without a community, raise none."""
    empty = pd.DataFrame()
    assert drift.alarms(empty, empty).empty
    assert drift.alarms(pd.DataFrame({"a": [1.0]}), pd.DataFrame({"a": []})).empty
