"""Rows that lie far from all others are labelled and have no say."""

from __future__ import annotations

import numpy as np
import pytest

from discovery.clustering import AutoKMeans
from discovery.clustering.partition import squared_lengths
from discovery.clustering.reach import reach
from tests.test_autokmeans import blobs


@pytest.mark.parametrize("distance", [200.0, 1e6])
def test_one_far_row_hides_no_kinds(distance):
    """Three kinds are found beside a row hundreds of times as far out, with the same centres as without it."""
    rows, _ = blobs([60, 50, 40], distance=8.0)
    without = AutoKMeans(k_max=6, random_state=0, n_resamples=5).fit(rows)
    model = AutoKMeans(k_max=6, random_state=0, n_resamples=5).fit(np.vstack([rows, np.full(rows.shape[1], distance)]))
    assert (model.n_clusters_, model.structure_) == (3, "clusters")
    assert model.outliers_.tolist() == [150]
    assert model.cluster_weights_.sum() == 150
    np.testing.assert_allclose(model.cluster_centers_, without.cluster_centers_, rtol=1e-9)
    assert model.labels_.tolist() == model.predict(np.vstack([rows, np.full(rows.shape[1], distance)])).tolist()


def test_a_far_row_weighs_nothing_among_weighted_and_many_rows():
    """The same where rows have weights, and where k is chosen on a sample of them."""
    rows, _ = blobs([60, 50, 40], distance=8.0)
    weighted = AutoKMeans(k_max=6, random_state=0, n_resamples=5).fit(np.vstack([rows, [[1e5] * 4]]), sample_weight=np.full(151, 2.0))
    assert (weighted.n_clusters_, weighted.outliers_.tolist(), weighted.cluster_weights_.sum()) == (3, [150], 300.0)
    rows, _ = blobs([12_000, 9_000, 4_000], distance=8.0)
    many = AutoKMeans(k_max=6, random_state=0, criterion="silhouette", n_resamples=0).fit(np.vstack([[[1e5] * 4], rows]))
    assert (many.n_clusters_, many.outliers_.tolist(), many.cluster_weights_.sum()) == (3, [0], 25_000.0)


def test_the_limit_is_thrice_the_distance_of_all_but_two_in_a_hundred():
    """Of a hundred rows on a line, 98 at most 1 from their middle, those beyond 3 lie beyond; a third far row sets the limit itself."""
    line = np.concatenate([np.linspace(-1, 1, 98), [2.9, 3.2]])[:, None]
    assert np.flatnonzero(reach(line).beyond(line, squared_lengths(line))).tolist() == [99]
    line[:3] = 50.0
    assert not reach(line).beyond(line, squared_lengths(line)).any()


def test_small_kinds_are_not_beyond_reach():
    """As few rows as make a cluster are one, however far; and where nearly all rows are the same, none is far."""
    rows = np.zeros((100, 2)) + np.random.default_rng(0).normal(size=(100, 2))
    rows[:5] += 1_000
    assert not reach(rows).beyond(rows, squared_lengths(rows)).any()
    rows = np.zeros((100, 2))
    rows[0] = 1.0
    assert not reach(rows).beyond(rows, squared_lengths(rows)).any()
