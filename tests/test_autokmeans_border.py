"""Units, weights and settings at the border of what a float holds: nothing is wrong without a word."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from discovery.clustering import AutoHDBSCAN, AutoKMeans, SphericalKMeans
from tests.test_autokmeans import blobs

ROWS, TRUTH = blobs([60, 50, 40], distance=8.0)
ESTIMATORS = [AutoKMeans, SphericalKMeans, AutoHDBSCAN]


@pytest.mark.parametrize("unit", [1e-90, 1e-6, 300.0, 1e90])
def test_columns_that_go_together_are_clustered_in_any_unit(unit):
    """A column that is the sum of two others is no reason to fail, nor is its unit."""
    rows = np.column_stack([ROWS, ROWS[:, 0] + ROWS[:, 1]]) * unit
    model = AutoKMeans(random_state=0, n_resamples=5).fit(rows)
    assert (model.n_clusters_, model.structure_, model.votes_["bic_full"]) == (3, "clusters", 3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("unit", [2.0**-900, 2.0**-60, 2.0**60, 2.0**900])
def test_no_scale_of_weights_changes_anything(dtype, unit):
    """Weights a power of two larger give the same centres and labels to the last bit, and that many times the weight."""
    rows, weights = ROWS.astype(dtype), np.linspace(0.5, 1.5, len(ROWS))
    one, other = (AutoKMeans(random_state=0, n_resamples=3).fit(rows, sample_weight=weights * scale) for scale in (1.0, unit))
    assert one.cluster_centers_.tobytes() == other.cluster_centers_.tobytes()
    assert (one.labels_ == other.labels_).all()
    np.testing.assert_allclose(other.cluster_weights_ / unit, one.cluster_weights_, rtol=1e-12)
    np.testing.assert_allclose(other.inertia_ / unit, one.inertia_, rtol=1e-12)


def test_a_batch_that_weighs_nothing_changes_nothing():
    """The centres stay where they are, and a first batch of no weight is refused."""
    model = AutoKMeans(random_state=0, n_resamples=3).fit(ROWS)
    before = model.cluster_centers_.copy()
    model.partial_fit(ROWS + 1, sample_weight=np.zeros(len(ROWS)))
    assert (model.cluster_centers_ == before).all()
    with pytest.raises(ValueError, match="zero for all rows"):
        AutoKMeans().partial_fit(ROWS, sample_weight=np.zeros(len(ROWS)))


@pytest.mark.parametrize("estimator", [AutoKMeans, AutoHDBSCAN])
@pytest.mark.parametrize("unit", [1e-200, 1e150])
def test_values_without_a_square_are_refused(estimator, unit):
    """The message tells the value and the remedy."""
    with pytest.raises(ValueError, match="scale the matrix to at"):
        estimator(random_state=0).fit(ROWS * unit)


@pytest.mark.parametrize("unit", [1e-250, 1e198])
def test_directions_have_no_unit(unit):
    """Rows by direction are the same kinds in any unit."""
    one, other = (SphericalKMeans(random_state=0, n_resamples=3).fit(ROWS * scale) for scale in (1.0, unit))
    assert (one.n_clusters_, one.structure_) == (other.n_clusters_, other.structure_)
    assert (one.labels_ == other.labels_).all()


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_no_order_of_rows_changes_a_bit(estimator):
    """Nor where a column of the same huge number hides the others' digits from a sum."""
    rows = np.column_stack([ROWS, np.full(len(ROWS), 1e17)])
    if estimator is SphericalKMeans:
        rows = ROWS
    order = np.random.default_rng(1).permutation(len(rows))
    one, other = (estimator(random_state=0, n_resamples=3).fit(some) for some in (rows, rows[order]))
    assert one.cluster_centers_.tobytes() == other.cluster_centers_.tobytes()
    assert (one.labels_[order] == other.labels_).all()
    assert one.confidence_ == other.confidence_


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_numbers_of_numpy_are_saved(estimator, tmp_path: Path):
    """Settings may be numpy's whole numbers; every frame comes back with its types."""
    model = estimator(k_max=np.int64(6), random_state=np.int64(3), n_resamples=np.int64(3)).fit(ROWS)
    model.save(tmp_path / "model")
    again = estimator.load(tmp_path / "model")
    assert again.get_params() == model.get_params()
    assert again.criteria_.equals(model.criteria_)
    assert (again.criteria_.dtypes == model.criteria_.dtypes).all()


def test_a_random_state_that_is_no_number_is_not_saved(tmp_path: Path):
    """The message names it and says what can be saved."""
    model = AutoKMeans(random_state=np.random.RandomState(0), criterion="inertia", n_resamples=0).fit(ROWS)
    with pytest.raises(TypeError, match=r"RandomState.* cannot be saved"):
        model.save(tmp_path / "model")


@pytest.mark.parametrize(
    ("estimator", "asked"),
    [
        (AutoKMeans, {"k_max": 5.0}), (AutoKMeans, {"k_min": None}), (AutoKMeans, {"n_resamples": 1.5}), (AutoKMeans, {"last_k": "3"}),
        (SphericalKMeans, {"k_max": "5"}), (AutoHDBSCAN, {"k_max": 5.5}), (AutoHDBSCAN, {"n_resamples": True}),
    ],
)  # fmt: skip
def test_settings_that_are_no_whole_numbers_are_refused(estimator: type[BaseEstimator], asked: dict[str, object]):
    """The message names the setting and what was asked for."""
    ((name, value),) = asked.items()
    with pytest.raises(ValueError, match=f"{name}={value!r} is not a whole number"):
        estimator(**asked).fit(ROWS)
