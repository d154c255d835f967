"""HDBSCAN finds clusters of any shape, leaves out what lies in none, and calls nothing clusters that one heap of rows could show."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import HDBSCAN
from sklearn.datasets import make_moons
from sklearn.metrics import adjusted_rand_score
from sklearn.utils.estimator_checks import parametrize_with_checks
from threadpoolctl import threadpool_limits

from discovery.clustering import AutoHDBSCAN, AutoKMeans, Clustering, ClusteringSettings, cluster, recluster
from discovery.clustering.density import SAMPLE, again, dense
from discovery.features import Evidence, Feature


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks([AutoHDBSCAN(n_resamples=4)])
def test_scikit_learn_accepts_the_estimator(estimator, check):
    """AutoHDBSCAN keeps every promise that scikit-learn asks of a clusterer and transformer."""
    check(estimator)


def heaps(*sizes: int, strays: int = 0, seed: int = 0) -> np.ndarray:
    """Gaussian heaps in four columns, eight widths apart, and strays far from each other and from them."""
    random = np.random.default_rng(seed)
    truth = np.repeat(np.arange(len(sizes)), sizes)
    rows = np.eye(len(sizes), 4)[truth] * 8 / np.sqrt(2) + random.normal(size=(len(truth), 4)) * 0.7
    return np.vstack([rows, random.choice([-1.0, 1.0], (strays, 4)) * random.uniform(30, 90, (strays, 4))])


def fitted(rows: np.ndarray, **given: object) -> AutoHDBSCAN:
    """Fit with a seed and few resamples."""
    return AutoHDBSCAN(**{"random_state": 0, "n_resamples": 5} | given).fit(rows)


def test_labels_are_those_of_scikit_learn():
    """Members and noise are HDBSCAN's with clusters of max(5, 2 %) rows; only the numbers are ours, the largest cluster first."""
    rows = heaps(60, 90, 50, strays=6)
    ours = fitted(rows)
    theirs = HDBSCAN(min_cluster_size=5, copy=True).fit(rows).labels_
    assert adjusted_rand_score(theirs, ours.labels_) == 1
    assert ((theirs == -1) == (ours.labels_ == -1)).all()
    sizes = np.bincount(ours.labels_[ours.labels_ >= 0])
    assert sizes.tolist() == sorted(sizes, reverse=True)
    assert ours.labels_[-6:].tolist() == [-1] * 6
    assert (ours.structure_, ours.n_clusters_) == ("clusters", 3)
    members = [rows[ours.labels_ == label].mean(axis=0) for label in range(3)]
    assert ours.cluster_centers_ == pytest.approx(np.array(members))


def test_two_crescents_are_two_clusters():
    """No line between means passes their valley, but both come back whole; K-Means cuts them elsewhere."""
    rows, truth = make_moons(400, noise=0.04, random_state=1)
    model = fitted(rows)
    assert (model.structure_, model.n_clusters_) == ("clusters", 2)
    assert adjusted_rand_score(truth, model.labels_) == 1
    assert adjusted_rand_score(truth, AutoKMeans(2, 2, random_state=0, n_resamples=1).fit_predict(rows)) < 0.6


NULLS = {
    "gaussian": lambda random: random.normal(size=(168, 8)),
    "correlated": lambda random: random.normal(size=(168, 8)) @ np.linalg.cholesky(0.4 * np.eye(8) + 0.6).T,
    "skewed": lambda random: random.lognormal(size=(168, 2)),
    "heavy-tailed": lambda random: random.standard_t(3, size=(168, 2)),
    "counts": lambda random: random.poisson(1.5, (168, 2)).astype(float),
    "ring": lambda random: np.stack([np.cos(at := random.uniform(0, 7, 168)), np.sin(at)], axis=1) + random.normal(size=(168, 2)) * 0.05,
}


@pytest.mark.parametrize("shape", NULLS)
def test_one_heap_is_one_cluster(shape):
    """Where density has one mode, or one ridge, there are no clusters and no noise, though HDBSCAN alone may find some."""
    for seed in range(3):
        model = fitted(NULLS[shape](np.random.default_rng(seed)))
        assert (model.structure_, model.n_clusters_, set(model.labels_)) == ("none", 1, {0})


def test_other_rows_belong_where_they_are_within_reach():
    """A row beside members is theirs, one far from all is noise; fitted rows keep their labels, and come nearest to their own."""
    rows = heaps(60, 60, strays=4)
    model = fitted(rows)
    assert model.predict(rows).tolist() == model.labels_.tolist()
    first, second = (rows[model.labels_ == label].mean(axis=0) for label in (0, 1))
    assert model.predict([first, second, first + 40]).tolist() == [0, 1, -1]
    told = model.transform(rows[model.labels_ >= 0])
    assert told.argmin(axis=1).tolist() == model.labels_[model.labels_ >= 0].tolist()


def test_mutual_reachability_by_hand():
    """Ten rows a tenth apart and ten more at 5: the fifth neighbour of an end is .4 away, of the middle .2, of a row at 2 1.5 away."""
    rows = np.append(np.arange(10), np.arange(10) + 50)[:, None] / 10
    model = fitted(rows)
    assert model.n_clusters_ == 2
    ours = model.predict(rows[:1])[0]
    assert model.transform([[0.0], [0.5], [2.0]])[:, ours] == pytest.approx([0.4, 0.2, 1.5])
    assert model.reach_[ours] == pytest.approx(0.4)


@pytest.mark.parametrize("seed", range(3))
def test_no_order_of_rows_matters(seed):
    """Rows in another order get the same labels and the same confidence."""
    rows = heaps(50, 40, strays=5)
    order = np.random.default_rng(seed).permutation(len(rows))
    one, other = fitted(rows), fitted(rows[order])
    assert one.labels_[order].tolist() == other.labels_.tolist()
    assert (one.confidence_, one.stability_.tolist()) == (other.confidence_, other.stability_.tolist())


def test_no_scale_or_place_matters():
    """Rows eight times as large, or moved, get the same labels."""
    rows = heaps(50, 40, strays=5)
    labels = fitted(rows).labels_.tolist()
    assert fitted(rows * 8).labels_.tolist() == labels
    assert fitted(rows + 3).labels_.tolist() == labels


def test_each_row_twice_finds_the_same():
    """Doubling all rows of clear clusters changes no label."""
    rows = heaps(200, 150)
    assert fitted(np.repeat(rows, 2, axis=0)).labels_[::2].tolist() == fitted(rows).labels_.tolist()


def test_the_same_seed_gives_the_same_bits_on_any_number_of_threads():
    """Labels, distances and stability are equal to the last bit with one thread and with two."""
    rows = heaps(60, 50, strays=5)
    results = []
    for threads in (1, 2):
        with threadpool_limits(limits=threads):
            results.append(fitted(rows))
    one, two = results
    assert one.transform(rows).tobytes() == two.transform(rows).tobytes()
    assert (one.labels_.tolist(), one.stability_.tolist()) == (two.labels_.tolist(), two.stability_.tolist())


def test_no_more_clusters_than_allowed():
    """Where there would be more, smaller ones give way: of three heaps of which two may stand, none does at half of all rows."""
    rows = heaps(60, 60, 60)
    assert dense(rows, 3).max() == 2
    assert dense(rows, 2).max() < 2


def test_a_large_matrix_is_placed_by_a_sample():
    """Beyond the sample every row is placed by those that were drawn."""
    sizes = [SAMPLE // 2, SAMPLE // 2 + 500]
    rows = heaps(*sizes)
    model = fitted(rows)
    assert model.labels_.tolist() == model.predict(rows).tolist()
    assert adjusted_rand_score(np.repeat([0, 1], sizes)[model.labels_ >= 0], model.labels_[model.labels_ >= 0]) == 1
    assert (model.labels_ >= 0).mean() > 0.9


@pytest.mark.parametrize(
    ("rows", "k"),
    [
        pytest.param(np.ones((1, 3)), 1, id="one-row"),
        pytest.param(np.ones((100, 3)), 1, id="identical"),
        pytest.param(np.repeat([[0.0, 0.0], [1.0, 1.0]], 30, axis=0), 2, id="two-distinct-rows"),
        pytest.param(np.eye(30), 1, id="one-hot"),
        pytest.param(np.random.default_rng(0).normal(size=(40, 2)) * 1e99, 1, id="huge"),
        pytest.param(np.random.default_rng(0).normal(size=(40, 2)) + 1e9, 1, id="far-from-the-origin"),
    ],
)
def test_degenerate_data_gets_an_answer(rows, k):
    """However poor the data, the answer is finite and invents no cluster."""
    model = fitted(rows)
    assert (model.n_clusters_, len(model.stability_)) == (k, k)
    assert np.isfinite(model.cluster_centers_).all()
    assert model.labels_.tolist() == model.predict(rows).tolist()


def test_impossible_requests_say_why():
    """What cannot be is refused with its numbers, in the configuration too."""
    with pytest.raises(ValueError, match="k_max=0 and n_resamples=5 must both be at least 1"):
        fitted(heaps(20), k_max=0)
    with pytest.raises(ValueError, match=r"1e[+]200 cannot be squared safely"):
        fitted(np.array([[1e200], [0.0]]))
    with pytest.raises(ValueError, match=r"k_min \(2\) cannot be asked of hdbscan"):
        ClusteringSettings(algorithm="hdbscan", k_min=2)


def test_a_saved_model_is_read_back_as_what_it_is(tmp_path: Path):
    """Loading gives the same bits."""
    rows = heaps(60, 50, strays=5)
    model = fitted(rows)
    model.save(tmp_path / "model.npz")
    loaded = AutoHDBSCAN.load(tmp_path / "model.npz")
    assert loaded.transform(rows).tobytes() == model.transform(rows).tobytes()
    assert (loaded.predict(rows).tolist(), loaded.structure_) == (model.predict(rows).tolist(), "clusters")
    assert list(loaded.criteria_) == list(model.criteria_)


def test_other_values_take_the_cluster_of_the_nearest_member():
    """On a line with members at 0 (cluster 1) and at 3 (cluster 0), 1 is the one's and 2 the other's."""
    assert again(np.array([[1.0], [2.0]]), np.array([[0.0], [3.0]]), np.array([1, 0])).tolist() == [1, 0]


@pytest.fixture(scope="module")
def found() -> tuple[pd.DataFrame, Clustering]:
    """Communities of two heaps and some in neither, clustered as a run does."""
    rows = np.vstack([heaps(90, 80), np.random.default_rng(5).uniform(-9, 12, (12, 4))])
    values = pd.DataFrame(rows, index=[f"reddit:c{i:03d}" for i in range(182)], columns=list("abcd"))
    features = {name: Feature(name, name, "", "", "", "behaviour", "identity", Evidence(), True, pd.DataFrame) for name in "abcd"}
    platforms = pd.Series("reddit", index=values.index)
    return values, cluster(values, features=features, platforms=platforms, settings=ClusteringSettings(algorithm="hdbscan"), last_k=5)


def test_a_run_lists_noise_as_it_lists_outliers(found):
    """Communities in neither heap have no label, but the nearest archetype, and a note counts them; last night's k plays no part."""
    _, clustering = found
    assert (clustering.structure, clustering.n_clusters) == ("clusters", 2)
    noise = int((clustering.labels == -1).sum()) - len(clustering.prepared.outliers)
    assert noise > 0
    assert f"{noise} of {182 - len(clustering.prepared.outliers)} communities lie where too few others do" in " ".join(clustering.notes)
    assert set(clustering.nearest) == {0, 1}
    assert clustering.confidence_by_community.between(0, 1).all()


def test_a_run_groups_a_draw_again(found):
    """Nearly the same values keep their labels, and communities in no cluster stay in none."""
    values, clustering = found
    drawn = values.iloc[np.random.default_rng(0).integers(182, size=182)]
    same = recluster(clustering, drawn + 0.01) == clustering.labels.loc[drawn.index]
    assert same.mean() > 0.99
    assert same[clustering.labels.loc[drawn.index] == -1].all()
