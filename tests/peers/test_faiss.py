"""FAISS finds the clusters that our own search finds."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.utils.estimator_checks import check_estimator

from discovery.clustering import AutoKMeans
from discovery.clustering.faiss import placing
from discovery.clustering.partition import polish

pytestmark = [pytest.mark.peers, pytest.mark.skipif(not find_spec("faiss"), reason="the extra `faiss` is not installed")]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_faiss_gives_the_same_labels(dtype: type) -> None:
    """More rows than k is chosen on are labelled alike by both backends, in fit and in predict."""
    rows, _ = make_blobs(25_000, 8, centers=9, cluster_std=1.5, random_state=3)
    rows = rows.astype(dtype)
    ours, theirs = (
        AutoKMeans(k_max=12, criterion="silhouette", n_resamples=0, random_state=0, backend=name).fit(rows) for name in ("numpy", "faiss")
    )
    assert ours.n_clusters_ == theirs.n_clusters_ > 1
    np.testing.assert_array_equal(ours.labels_, theirs.labels_)
    np.testing.assert_array_equal(ours.predict(rows[:500]), theirs.predict(rows[:500]))
    np.testing.assert_allclose(ours.cluster_centers_, theirs.cluster_centers_, rtol=1e-4, atol=1e-4)
    assert theirs.inertia_ == pytest.approx(ours.inertia_, rel=1e-5)


def test_faiss_fits_hundreds_of_clusters() -> None:
    """With 400 clusters and weights, the fit is the same as with our own search."""
    random = np.random.default_rng(1)
    rows, weights = random.normal(size=(6_000, 16)).astype(np.float32), random.uniform(0.5, 2, 6_000)
    ours = polish(rows, rows[:400], weights=weights)
    theirs = polish(rows, rows[:400], weights=weights, backend=placing)
    assert theirs.inertia == pytest.approx(ours.inertia, rel=1e-3)
    assert (theirs.labels == ours.labels).mean() > 0.99


def test_faiss_is_held_to_the_contract_of_estimators() -> None:
    """scikit-learn's own checks pass with this backend."""
    check_estimator(AutoKMeans(k_max=5, n_resamples=3, backend="faiss"), on_skip=None)


@pytest.mark.parametrize("unit", [1e-25, 1e20])
@pytest.mark.parametrize("weights", [None, np.ones(900)])
def test_values_whose_squares_float32_does_not_hold_are_grouped_as_well(unit: float, weights: np.ndarray | None) -> None:
    """Rows in any unit get the labels that our own search gives them, with weights and without."""
    rows, _ = make_blobs(900, 8, centers=6, cluster_std=1.0, random_state=3)
    ours, theirs = (
        AutoKMeans(6, 6, criterion="inertia", n_resamples=0, random_state=0, backend=name).fit(rows * unit, sample_weight=weights)
        for name in ("numpy", "faiss")
    )
    np.testing.assert_array_equal(ours.labels_, theirs.labels_)
