"""Spherical k-means groups by direction: any length of a row is the same row, and directions that merely bunch are no clusters."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score
from sklearn.utils.estimator_checks import parametrize_with_checks
from threadpoolctl import threadpool_limits

from discovery.clustering import AutoKMeans, ClusteringSettings, SphericalKMeans, cluster, recluster
from discovery.clustering.spherical import directions, settle, unit_rows
from discovery.features import Evidence, Feature


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks([SphericalKMeans(n_resamples=1)])
def test_scikit_learn_accepts_the_estimator(estimator, check):
    """SphericalKMeans keeps every promise that scikit-learn asks of a clusterer and transformer."""
    check(estimator)


def cones(sizes: list[int], *, spread: float = 0.1, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rows along the axes of a space of six columns, of lengths from .5 to 3, and which axis each is along."""
    random = np.random.default_rng(seed)
    truth = np.repeat(np.arange(len(sizes)), sizes)
    rows = np.eye(len(sizes), 6)[truth] + random.normal(size=(len(truth), 6)) * spread
    return rows * random.uniform(0.5, 3.0, (len(truth), 1)), truth


def fitted(rows: np.ndarray, **given: object) -> SphericalKMeans:
    """Fit with a seed and few resamples."""
    return SphericalKMeans(**{"k_max": 6, "random_state": 0, "n_resamples": 3} | given).fit(rows)


def test_rows_along_few_directions_are_clusters():
    """Three cones of unequal size are found whole, the largest first, whatever the lengths of their rows."""
    rows, truth = cones([40, 70, 50])
    model = fitted(rows)
    assert (model.structure_, model.n_clusters_) == ("clusters", 3)
    assert adjusted_rand_score(truth, model.labels_) == 1
    assert np.bincount(model.labels_).tolist() == [70, 50, 40]
    assert model.stability_ == pytest.approx([1, 1, 1])
    assert np.linalg.norm(model.cluster_centers_, axis=1) == pytest.approx([1, 1, 1])
    assert model.predict(rows).tolist() == model.labels_.tolist()
    assert model.inertia_ == pytest.approx(model.transform(rows).min(axis=1).sum())


def test_lengths_say_nothing_where_k_means_follows_them():
    """Two directions whose rows have two lengths are two groups, a cut as the lengths hide the valley; K-Means makes four of them."""
    random = np.random.default_rng(1)
    direction, length = np.repeat([[1.0, 0.0], [0.0, 1.0]], 80, axis=0), np.tile([[4.0], [20.0]], (80, 1))
    rows = (direction + random.normal(size=(160, 2)) * 0.05) * length
    assert fitted(rows, allow_segments=True).n_clusters_ == 2
    assert AutoKMeans(k_max=6, random_state=0, n_resamples=3).fit(rows).n_clusters_ == 4


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_any_length_of_a_row_is_the_same_row(seed):
    """Each row scaled by a power of two of its own keeps the label, to the bit; centres too, while all that tells is direction."""
    rows, _ = cones([30, 40, 50])
    scaled = np.ldexp(rows, np.random.default_rng(seed).integers(-300, 300, (len(rows), 1)))
    assert directions(scaled).tobytes() == directions(rows).tobytes()
    one, other = (settle(directions(each), directions(rows[[0, 40, 100]])) for each in (rows, scaled))
    assert one[0].tobytes() == other[0].tobytes()
    assert one[1].tolist() == other[1].tolist()


@pytest.mark.parametrize("seed", range(3))
def test_no_order_of_rows_matters(seed):
    """Rows in another order get the same labels."""
    rows, _ = cones([40, 30, 50], spread=0.2)
    order = np.random.default_rng(seed).permutation(len(rows))
    one, other = fitted(rows), fitted(rows[order])
    assert one.labels_[order].tolist() == other.labels_.tolist()
    assert one.cluster_centers_ == pytest.approx(other.cluster_centers_)


def test_each_row_twice_finds_the_same():
    """Doubling all rows changes neither k nor the centres."""
    rows, _ = cones([80, 60, 100])
    one, other = fitted(rows), fitted(np.repeat(rows, 2, axis=0))
    assert one.n_clusters_ == other.n_clusters_
    assert one.cluster_centers_ == pytest.approx(other.cluster_centers_)


def test_the_same_seed_gives_the_same_bits_on_any_number_of_threads():
    """Centres, labels and stability are equal to the last bit with one thread and with two."""
    rows, _ = cones([40, 30, 50], spread=0.3)
    results = []
    for threads in (1, 2):
        with threadpool_limits(limits=threads):
            results.append(fitted(rows))
    one, two = results
    assert one.cluster_centers_.tobytes() == two.cluster_centers_.tobytes()
    assert (one.labels_.tolist(), one.stability_.tolist()) == (two.labels_.tolist(), two.stability_.tolist())


def test_the_kernel_is_the_textbook_loop():
    """From the same three rows a plain loop over rows, cosines and means ends in the same labels and centres."""
    rows, _ = cones([40, 30, 50], spread=0.4)
    units = np.array([row / np.sqrt(sum(value * value for value in row)) for row in rows])
    centres = units[[0, 45, 100]]
    for _ in range(100):
        labels = np.array([max(range(3), key=lambda label, row=row: float(row @ centres[label])) for row in units])
        means = np.array([units[labels == label].sum(axis=0) for label in range(3)])
        centres = means / np.linalg.norm(means, axis=1, keepdims=True)
    found, told = settle(unit_rows(rows), unit_rows(rows[[0, 45, 100]]))
    assert told.tolist() == labels.tolist()
    assert found == pytest.approx(centres)


NULLS = {
    "gaussian": lambda random: random.normal(size=(168, 8)),
    "correlated": lambda random: random.normal(size=(168, 8)) @ np.linalg.cholesky(0.4 * np.eye(8) + 0.6).T,
    "elongated": lambda random: random.normal(size=(168, 8)) * [6, 1, 1, 1, 1, 1, 1, 1],
    "one-column": lambda random: random.normal(size=(168, 1)),
}


@pytest.mark.parametrize("shape", NULLS)
def test_directions_that_merely_bunch_are_no_clusters(shape):
    """A cloud with one mode shows two opposite directions where it is long, and ±1 in one column: never clusters."""
    assert fitted(NULLS[shape](np.random.default_rng(2)), allow_segments=True).structure_ != "clusters"


def test_directions_without_a_valley_are_a_cut():
    """Cones that meet in their tips, where most rows lie, are one heap: segments where these are allowed, else none."""
    rows, truth = cones([60, 60, 60])
    rows *= np.random.default_rng(3).exponential(size=(180, 1)) ** 3
    cut = fitted(rows, allow_segments=True)
    assert (cut.structure_, adjusted_rand_score(truth, cut.labels_)) == ("segments", 1.0)
    none = fitted(rows)
    assert (none.structure_, none.n_clusters_, none.labels_.tolist()) == ("none", 1, [0] * 180)
    assert fitted(rows, k_min=2).n_clusters_ >= 2


def test_rows_of_zeros_and_single_rows_get_an_answer():
    """A row that points nowhere takes the largest cluster; nothing but zeros, or one row, is one cluster."""
    rows, _ = cones([40, 30])
    model = fitted(np.vstack([rows, np.zeros((1, 6))]))
    assert (model.n_clusters_, model.labels_[-1]) == (2, 0)
    for few in (np.zeros((20, 3)), np.ones((1, 3))):
        assert fitted(few).labels_.tolist() == [0] * len(few)


def test_a_saved_model_is_read_back_as_what_it_is(tmp_path: Path):
    """Loading gives the same bits; a file of one algorithm is refused by the other."""
    rows, _ = cones([40, 30])
    model = fitted(rows)
    model.save(tmp_path / "model.npz")
    again = SphericalKMeans.load(tmp_path / "model.npz")
    assert again.get_params() == model.get_params()
    assert again.transform(rows).tobytes() == model.transform(rows).tobytes()
    assert (again.structure_, again.criteria_.equals(model.criteria_)) == (model.structure_, True)
    with pytest.raises(ValueError, match="format 'subcurrent SphericalKMeans 2', and 'subcurrent AutoKMeans 2' is read here"):
        AutoKMeans.load(tmp_path / "model.npz")


def test_a_run_clusters_communities_by_direction():
    """`algorithm: spherical` groups communities by profile, and groups a draw of them again the same way."""
    rows, truth = cones([60, 60, 60])
    values = pd.DataFrame(rows, index=[f"reddit:c{i:03d}" for i in range(180)], columns=list("abcdef"))
    features = {name: Feature(name, name, "", "", "", "behaviour", "identity", Evidence(), True, pd.DataFrame) for name in "abcdef"}
    platforms = pd.Series("reddit", index=values.index)
    given = ClusteringSettings(algorithm="spherical", k_max=6)
    found = cluster(values, features=features, platforms=platforms, settings=given)
    inside = (found.labels >= 0).to_numpy()
    assert (found.structure, found.n_clusters) == ("clusters", 3)
    assert adjusted_rand_score(truth[inside], found.labels[inside]) > 0.95
    drawn = values.iloc[np.random.default_rng(0).integers(180, size=180)]
    assert (recluster(found, drawn + 0.01) == found.labels.loc[drawn.index]).mean() > 0.95
