"""Drawing the authors again."""

from __future__ import annotations

import numpy as np
import pytest

from discovery.features import FEATURES, resample
from tests.feature_records import ENGLISH, crowd, measured, post


@pytest.fixture(scope="module")
def asking():
    """Two communities in which some people ask for an app."""
    rows = []
    for community, seekers in (("reddit:a", 12), ("reddit:b", 3)):
        for index, name in enumerate(crowd(40)):
            text = f"{ENGLISH} {index}. is there an app for that?" if index < seekers else f"{ENGLISH} {index}"
            rows.append(post(f"{community}{name}", 1, text, communities=[community]))
    return measured(rows)


def test_the_same_authors_give_the_same_values(asking):
    """Every author drawn once changes nothing."""
    again = resample(asking, copies=np.ones(len(asking.author_sums)))
    values = asking.values()
    for name in again.columns:
        np.testing.assert_allclose(again[name], values[name])


def test_drawing_seekers_twice_raises_seeking(asking):
    """With each seeker drawn twice the share becomes 24 / 52, shrunk as much as the value was."""
    seeks = asking.author_sums["T1"].to_numpy()
    again = resample(asking, copies=1.0 + seeks)
    value, own = asking.values().loc["reddit:a", "seeking"], asking.own_weight.loc["reddit:a", "seeking"]
    assert again.loc["reddit:a", "seeking"] == pytest.approx(value + own * (24 / 52 - 12 / 40))


def test_every_ratio_can_be_recomputed(asking):
    """Every feature that declares a ratio names columns of the author sums, and its weights are shares."""
    for name, declared in FEATURES.items():
        if declared.ratio is not None:
            assert {*declared.ratio.numerator, declared.ratio.denominator} <= set(asking.author_sums.columns), name
            own = asking.own_weight[name].dropna()
            assert ((own >= 0) & (own <= 1)).all(), name
