"""Each criterion gives the numbers of its definition."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import silhouette_score
from sklearn.mixture import GaussianMixture

from discovery.clustering import criteria
from discovery.clustering.partition import Partition, whole
from discovery.clustering.path import partitions


def blobs(n: int, centres: list[list[float]], seed: int = 0) -> np.ndarray:
    """Unit gaussians of n rows each around the centres."""
    random = np.random.default_rng(seed)
    return np.concatenate([random.normal(centre, 1, size=(n, len(centre))) for centre in centres])


def path(matrix: np.ndarray, k_max: int = 6, seed: int = 0) -> list[Partition]:
    """Partitions of the matrix for every k."""
    return partitions(matrix, k_max, random=np.random.default_rng(seed), restarts=2)


THREE = blobs(60, [[0, 0], [9, 0], [0, 9]])


def test_silhouette_is_scikit_learns():
    """The exact silhouette of every k agrees with scikit-learn's."""
    found = path(THREE)
    values, _ = criteria.silhouette(THREE, found)
    assert np.isnan(values[0])
    for part in found[1:]:
        assert values[part.k - 1] == pytest.approx(silhouette_score(THREE, part.labels))


def test_sampled_silhouette_is_near_the_exact_one():
    """Half of the rows give the silhouette within four standard errors."""
    found = path(THREE)
    exact, _ = criteria.silhouette(THREE, found)
    sampled, error = criteria.silhouette(THREE, found, rows=np.arange(0, 180, 2))
    assert (np.abs(sampled - exact)[1:] < 4 * error[1:]).all()


def test_singletons_score_nothing():
    """Every row its own cluster scores 0, not a perfect 1."""
    matrix = np.array([[0.0], [1.0], [5.0]])
    alone = Partition(matrix, np.arange(3), 0.0)
    assert criteria.silhouette(matrix, [alone])[0].tolist() == [0.0]


def test_identical_rows_score_nothing():
    """Two clusters at the same place score 0, not 0/0."""
    matrix = np.zeros((4, 2))
    same = Partition(np.zeros((2, 2)), np.array([0, 0, 1, 1]), 0.0)
    assert criteria.silhouette(matrix, [same])[0].tolist() == [0.0]


def test_inertia_never_rises():
    """More clusters never fit worse."""
    assert (np.diff(criteria.inertia(path(THREE, 12))) <= 0).all()


def test_gap_peaks_at_the_truth():
    """The gap of three blobs is largest at k = 3."""
    found = path(THREE)
    references = criteria.gap_references(THREE, 6, random=np.random.default_rng(1), draws=6)
    values, errors = criteria.gap(THREE, found, references=references)
    assert values.argmax() + 1 == 3
    assert (errors > 0).all()


def test_gap_is_the_difference_of_logs():
    """Gap = mean log inertia of the references − log inertia of the data, both per row."""
    matrix = np.array([[0.0], [2.0]])
    values, errors = criteria.gap(matrix, [whole(matrix)], references=np.log([[2.0], [8.0]]))
    assert values == pytest.approx([np.log(4.0)])
    assert errors == pytest.approx([np.log(2.0) * np.sqrt(1.5)])


@pytest.mark.parametrize("full", [pytest.param(False, id="diagonal"), pytest.param(True, id="full")])
def test_bic_of_one_cluster_is_the_gaussians(full):
    """With one cluster the criterion is scikit-learn's BIC of one gaussian, per row."""
    matrix = blobs(4000, [[0, 0, 0]])
    oracle = GaussianMixture(1, covariance_type="full" if full else "diag").fit(matrix).bic(matrix) / len(matrix)
    values, _ = criteria.bic(matrix, [whole(matrix)], full=full)
    assert values == pytest.approx([oracle], rel=1e-5)


@pytest.mark.parametrize("full", [pytest.param(False, id="diagonal"), pytest.param(True, id="full")])
def test_bic_finds_blobs_and_no_cut_of_one(full):
    """Three blobs have their least BIC at three, one has it at one."""
    found = criteria.bic(THREE, path(THREE, 4), full=full)[0]
    assert found.argmin() + 1 == 3
    one = blobs(300, [[0, 0, 0, 0]])
    assert criteria.bic(one, path(one, 4), full=full)[0].argmin() + 1 == 1


@pytest.mark.parametrize(("full", "told"), [pytest.param(False, 13, id="diagonal"), pytest.param(True, 9, id="full")])
def test_bic_is_not_told_of_fewer_rows_than_parameters(full, told):
    """A gaussian in three columns takes 6 or 9 parameters, and a share: 90 rows tell 13 of the one kind or 9 of the other, and no more."""
    values, _ = criteria.bic(blobs(90, [[0, 0, 0]]), path(blobs(90, [[0, 0, 0]]), 20), full=full)
    assert np.flatnonzero(np.isnan(values)).min() == told


def folds(matrix: np.ndarray) -> np.ndarray:
    """Four folds in a fixed random order."""
    return np.random.default_rng(5).permutation(len(matrix)) % 4


def test_a_valley_separates_blobs():
    """Between separated blobs there are valleys: at k = 3 every pair is separated, at k = 1 there is one group."""
    weakest, groups = criteria.valley(THREE, path(THREE), folds=folds(THREE))
    assert weakest[2] <= criteria.SEPARATED
    assert groups[[0, 2]].tolist() == [1, 3]


@pytest.mark.parametrize("shape", ["uniform", "gaussian", "lognormal"])
def test_a_cut_of_one_mode_shows_no_valley(shape):
    """However one mode is cut in up to four, all of it stays one group."""
    random = np.random.default_rng(2)
    matrix = {"uniform": random.uniform, "gaussian": random.normal, "lognormal": random.lognormal}[shape](size=(300, 3))
    assert criteria.valley(matrix, path(matrix, 4), folds=folds(matrix))[1].tolist() == [1] * 4


def test_few_rows_are_clear_of_each_other_where_ways_are_longer_than_steps():
    """Steps of 1 and ways of 5 and 4: with two clusters the way is no longer than one inside; with three both are, among 8 lengths."""
    rows = np.array([[0.0], [1], [2], [7], [8], [9], [13], [14], [15]])
    told = criteria.clearance(rows, path(rows, 4))
    assert told[2] == pytest.approx(criteria.longer(4.0, 2, 8))
    assert told[[0, 3]].tolist() == [1, 1]
    assert told[1] == pytest.approx(criteria.longer(5 / 4, 1, 8))


def test_the_test_of_long_ways_is_exact():
    """The longest of two exponential lengths is twice the other with chance 2/3, of 15 with 1/8: n(n − 1) B(c + 1, n − 1)."""
    assert criteria.longer(2.0, 1, 2) == pytest.approx(2 / 3)
    assert criteria.longer(2.0, 1, 15) == pytest.approx(1 / 8)
    drawn = np.sort(np.random.default_rng(0).exponential(size=(20_000, 12)), axis=1)
    assert criteria.longer(1.3, 3, 12) == pytest.approx((drawn[:, -3] >= 1.3 * drawn[:, -4]).mean(), abs=0.01)


def test_clusters_that_single_linkage_does_not_cut_are_not_clear():
    """Two halves of an even row of points, heaps without a step inside, and one row alone: no way is longer than a step."""
    even = np.arange(10.0)[:, None]
    assert criteria.clearance(even, path(even, 2)).tolist() == [1, 1]
    assert criteria.clearance(np.ones((1, 2)), [whole(np.ones((1, 2)))]).tolist() == [1]
    heaps = np.repeat([[0.0], [5.0]], 6, axis=0)
    assert criteria.clearance(heaps, path(heaps, 2)).tolist() == [1, 1]


def test_clusters_are_not_clear_where_a_sample_holds_no_row_of_one():
    """Three heaps are clear of each other as three clusters, and not where two of them bear one label and the third label is missing."""
    three = np.concatenate([np.arange(6.0), np.arange(90.0, 96), np.arange(200.0, 206)])[:, None]
    three += np.arange(18)[:, None] / 100
    part = path(three, 3)[2]
    assert criteria.clearance(three, [part])[0] < 1e-6
    assert criteria.clearance(three, [part._replace(labels=np.minimum(part.labels, 1))])[0] == 1


def test_the_valley_test_is_binomial():
    """10 rows left, 2 between and 8 right: the larger of the one-sided p-values, 56/1024 = P(at most 2 of 10)."""
    assert criteria.no_valley(np.array([[10, 2, 8]])) == pytest.approx([(1 + 10 + 45) / 1024])
    assert criteria.no_valley(np.array([[0, 0, 0]])).tolist() == [1.0]
