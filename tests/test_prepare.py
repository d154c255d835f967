"""Preparation makes unlike features comparable, says what it dropped, and does the same to other rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from discovery.clustering.prepare import Preparation, prepare, spread
from discovery.features import Evidence, Feature


def declared(name: str, *, transform="identity", block="behaviour", clustered=True) -> Feature:
    """Declare a feature by what preparation reads of it."""
    return Feature(name, name, "unit", "formula", "source", block, transform, Evidence(), clustered, pd.DataFrame)


def prepared(values: pd.DataFrame, *, platforms=None, variance=0.95, within_platform=True, **declarations) -> Preparation:
    """Prepare a frame whose columns are plain unless declared otherwise."""
    features = {name: declarations.get(name, declared(name)) for name in values.columns}
    platforms = pd.Series("reddit", index=values.index) if platforms is None else platforms
    return prepare(values, features=features, platforms=platforms, variance=variance, within_platform=within_platform)


def frame(rows: int = 40, columns: str = "ab", seed: int = 0) -> pd.DataFrame:
    """Independent gaussian features of made-up communities."""
    drawn = np.random.default_rng(seed).normal(size=(rows, len(columns)))
    return pd.DataFrame(drawn, columns=list(columns), index=[f"reddit:c{i:03d}" for i in range(rows)])


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        pytest.param([1, 2, 3, 4, 100], 1.4826, id="median-absolute-deviation"),
        pytest.param([0, 0, 0, 0, 0, 0, 2, 2, 3], 2 / 1.349, id="interquartile-range-where-that-is-zero"),
        pytest.param([0] * 9 + [10], 3.0, id="standard-deviation-where-both-are"),
        pytest.param([5, 5, 5], 0.0, id="no-spread"),
        pytest.param([1e300, -1e300, 0], 1e300 * 1.4826, id="no-overflow"),
        pytest.param([0.1 + 0.2, 0.3, 0.3], 0.0, id="rounding-is-no-spread"),
    ],
)
def test_spread(column, expected):
    """Spread is the scaled MAD, else the scaled IQR, else the standard deviation."""
    assert spread(np.array(column, dtype=float)) == pytest.approx(expected, rel=1e-9)


def test_scaled_values_are_robust_deviations_clipped_at_three():
    """One MAD · 1.4826 above the median is 1; beyond three it is 3."""
    values = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0, 100.0]}, index=list("vwxyz"))
    assert prepared(values).scaled(values)[:, 0] == pytest.approx([-2 / 1.4826, -1 / 1.4826, 0, 1 / 1.4826, 3])


@pytest.mark.parametrize(
    ("column", "note"),
    [
        pytest.param(7.0, "b: the same in all communities", id="constant"),
        pytest.param(np.nan, "b: measured in 0 of 40 communities", id="nobody-could-measure-it"),
    ],
)
def test_a_useless_column_is_dropped_with_a_note(column, note):
    """A column that never differs or that nobody has is left out, and the run says so."""
    result = prepared(frame().assign(b=column))
    assert result.names == ("a",)
    assert any(line.startswith(note) for line in result.notes)


def test_a_column_that_few_communities_have_is_dropped():
    """Half of the communities must have a value."""
    values = frame()
    values.iloc[:21, 1] = np.nan
    assert prepared(values).names == ("a",)
    values.iloc[20, 1] = 0.5
    assert prepared(values).names == ("a", "b")


def test_near_duplicates_are_dropped():
    """Of two features that say the same, the first by name stays."""
    values = frame()
    result = prepared(values.assign(c=values["a"] * -2 + 1))
    assert result.names == ("a", "b")
    assert any("c: correlates beyond 0.98 with a" in note for note in result.notes)


def test_a_missing_value_stands_at_the_median_and_is_counted():
    """Missing is 0 after scaling, whether NaN or infinite, and the count is told."""
    values = frame()
    values.iloc[0, 0], values.iloc[1, 0] = np.nan, np.inf
    result = prepared(values)
    assert result.scaled(values)[:2, 0].tolist() == [0, 0]
    assert result.missing["a"] == 2
    assert any("a: 2 of 40" in note for note in result.notes)


def test_features_outside_the_clustering_are_left_out():
    """A feature that is not clustered never enters the matrix."""
    assert prepared(frame(), b=declared("b", clustered=False)).names == ("a",)


def test_features_weigh_the_same():
    """With all components, the distance of two communities is that of their scaled features, whatever block these are of."""
    values = frame(columns="abcde")
    result = prepared(values, e=declared("e", block="market"), variance=1.0)
    between = result.matrix.iloc[0] - result.matrix.iloc[1], np.subtract(*result.scaled(values.iloc[:2]))
    assert np.linalg.norm(between[0]) == pytest.approx(np.linalg.norm(between[1]))


def test_platforms_are_scaled_by_themselves():
    """With two platforms of ten communities or more, a shift between platforms disappears; settable."""
    values = frame(40)
    platforms = pd.Series(["reddit"] * 20 + ["discord"] * 20, index=values.index)
    shifted = values.copy()
    shifted.loc[platforms == "discord", "a"] += 50
    apart = prepared(shifted, platforms=platforms).scaled(shifted)[:, 0]
    together = prepared(shifted, platforms=platforms, within_platform=False).scaled(shifted)[:, 0]
    for half in (slice(0, 20), slice(20, 40)):
        assert np.median(apart[half]) == pytest.approx(0)
    assert np.median(together[:20]) < -0.5 < 0.5 < np.median(together[20:])


def test_a_small_platform_is_scaled_as_the_market():
    """A platform of fewer than ten communities takes the whole market's median and spread."""
    values = frame(31)
    platforms = pd.Series(["reddit"] * 12 + ["discord"] * 12 + ["lemmy"] * 7, index=values.index)
    result = prepared(values, platforms=platforms)
    assert set(result.groups) == {"reddit", "discord", ""}


def test_outliers_are_listed_and_not_fitted_on():
    """A community far beyond the rest is set aside, 2 % of them at most, and moves no component."""
    values = frame(100, "abc")
    values.iloc[3] = [60.0, -60.0, 60.0]
    result = prepared(values)
    assert list(result.outliers) == ["reddit:c003"]
    calm = result.matrix.drop(index=result.outliers)
    assert calm.mean().to_numpy() == pytest.approx(np.zeros(3), abs=1e-12)


def test_at_most_two_percent_are_outliers():
    """However heavy the tails, no more than 2 % are set aside."""
    heavy = np.random.default_rng(1).standard_cauchy(size=(300, 3))
    values = pd.DataFrame(heavy, columns=list("abc"), index=[f"c{i:03d}" for i in range(300)])
    assert len(prepared(values).outliers) == 6


def test_the_transform_repeats_the_matrix():
    """Preparing the same rows again gives the same matrix, in whatever order they come."""
    values = frame(50, "abcd")
    result = prepared(values)
    turned = values.iloc[::-1]
    assert result.transform(turned) == pytest.approx(result.matrix.loc[turned.index].to_numpy())


def test_order_of_input_changes_nothing():
    """Rows and columns in another order give the same bits."""
    values = frame(60, "abcd")
    other = prepared(values.sample(frac=1, random_state=3)[list("dbca")])
    assert prepared(values).matrix.equals(other.matrix)


def test_the_components_keep_the_variance_asked_for():
    """Enough components to keep the share of variance, and not one more."""
    values = frame(200, "abcdef")
    values["b"] += 3 * values["a"]
    result = prepared(values, variance=0.9)
    scaled = result.scaled(values.drop(index=result.outliers))
    total = scaled.var(axis=0).sum()
    kept = result.matrix.drop(index=result.outliers).var(axis=0, ddof=0).to_numpy()
    assert kept.sum() >= 0.9 * total > kept[:-1].sum()


@settings(max_examples=60, deadline=None)
@given(arrays(float, st.tuples(st.integers(1, 14), st.integers(1, 4)), elements=st.floats(allow_nan=True, allow_infinity=True)))
def test_any_matrix_is_prepared_finite(drawn):
    """Whatever the values, the matrix is finite and has a row for each community."""
    values = pd.DataFrame(drawn, columns=list("abcd")[: drawn.shape[1]], index=[f"c{i:02d}" for i in range(len(drawn))])
    result = prepared(values, a=declared("a", transform="logit"), b=declared("b", transform="log"))
    assert np.isfinite(result.matrix.to_numpy()).all()
    assert len(result.matrix) == len(values)
