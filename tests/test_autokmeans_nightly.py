"""What an AutoKMeans does beside choosing k: criteria by name, weights, more rows, files, and nothing that depends on order or type."""

from __future__ import annotations

import io
import itertools
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, silhouette_score

from discovery.clustering import AutoKMeans


def blobs(sizes: list[int], *, d: int = 4, distance: float = 8.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Unit gaussians on the corners of a simplex, the given distance apart, and which blob each row is of."""
    truth = np.repeat(np.arange(len(sizes)), sizes)
    centres = np.eye(max(d, len(sizes)))[: len(sizes)] * distance / np.sqrt(2)
    return centres[truth] + np.random.default_rng(seed).normal(size=(len(truth), centres.shape[1])), truth


CRITERIA = ["silhouette", "gap", "bic_diag", "bic_full", "prediction_strength", "bootstrap_jaccard", "inertia"]


@pytest.mark.parametrize("criterion", CRITERIA)
def test_each_criterion_finds_plain_blobs_alone(criterion):
    """Any criterion by name finds four plain blobs, stores its curve, and asks no other."""
    matrix, truth = blobs([70, 70, 70, 70], distance=12.0)
    model = AutoKMeans(k_max=8, criterion=criterion, random_state=0, n_resamples=3).fit(matrix)
    assert (model.n_clusters_, model.structure_, model.votes_) == (4, "clusters", {criterion: 4})
    assert set(model.criteria_["criterion"]) == {"inertia", criterion}
    assert adjusted_rand_score(truth, model.labels_) == 1
    assert 0 <= model.confidence_ <= 1


def test_a_criterion_alone_is_the_plain_sweep():
    """The silhouette alone picks what a loop over scikit-learn's KMeans and silhouette_score picks, and tells the same number."""
    matrix, _ = blobs([60, 40, 50], distance=4.5, seed=3)
    model = AutoKMeans(2, 8, criterion="silhouette", random_state=0, n_resamples=0).fit(matrix)
    sweep = {k: silhouette_score(matrix, KMeans(k, n_init=20, random_state=0).fit_predict(matrix)) for k in range(2, 9)}
    assert model.n_clusters_ == max(sweep, key=sweep.get)
    curve = model.criteria_.query("criterion == 'silhouette'").set_index("k")["value"]
    assert curve[model.n_clusters_] == pytest.approx(sweep[model.n_clusters_], abs=0.002)
    assert np.isnan([model.confidence_, *model.stability_]).all()


def test_a_criterion_alone_keeps_its_k_and_says_what_it_is():
    """A silhouette cuts a ball in spite of all: its k stands, and is called neither clusters nor separated."""
    matrix = np.random.default_rng(0).normal(size=(300, 3))
    model = AutoKMeans(2, 8, criterion="silhouette", random_state=0, n_resamples=0).fit(matrix)
    assert model.n_clusters_ >= 2
    assert model.structure_ != "clusters"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_order_of_rows_changes_no_bit(dtype):
    """Rows in another order get the same centres to the last bit, the same curves, and each row its own label."""
    matrix = blobs([50, 40, 30], distance=5.0)[0].astype(dtype)
    order = np.random.default_rng(1).permutation(len(matrix))
    one, other = (AutoKMeans(k_max=6, random_state=5, n_resamples=3).fit(rows) for rows in (matrix, matrix[order]))
    assert one.cluster_centers_.tobytes() == other.cluster_centers_.tobytes()
    assert one.labels_[order].tolist() == other.labels_.tolist()
    assert one.criteria_.equals(other.criteria_)


@pytest.mark.parametrize("factor", [1e-9, 1e-3, 1e6])
@pytest.mark.parametrize("shift", [0.0, 1e4])
def test_a_scale_or_a_place_changes_no_label(factor, shift):
    """Rows in another unit, or counted from elsewhere, are the same clusters."""
    matrix, _ = blobs([60, 50, 40])
    plain = AutoKMeans(k_max=6, random_state=0, n_resamples=2).fit(matrix)
    moved = AutoKMeans(k_max=6, random_state=0, n_resamples=2).fit((matrix + shift) * factor)
    assert moved.n_clusters_ == plain.n_clusters_ == 3
    assert moved.labels_.tolist() == plain.labels_.tolist()


def test_rows_that_come_twice_are_no_more_clusters():
    """Every row twice: the same number of clusters, with the same members."""
    matrix, truth = blobs([50, 50, 50])
    model = AutoKMeans(k_max=6, random_state=0, n_resamples=2).fit(np.repeat(matrix, 2, axis=0))
    assert model.n_clusters_ == 3
    assert adjusted_rand_score(np.repeat(truth, 2), model.labels_) == 1


def test_float32_stays_float32_and_says_the_same():
    """A float32 matrix gives float32 centres near those of the same numbers in float64, and the same labels."""
    matrix = blobs([60, 50, 40], distance=6.0)[0].astype(np.float32)
    small = AutoKMeans(k_max=6, random_state=0, n_resamples=2).fit(matrix)
    large = AutoKMeans(k_max=6, random_state=0, n_resamples=2).fit(matrix.astype(np.float64))
    assert (small.cluster_centers_.dtype, large.cluster_centers_.dtype) == (np.float32, np.float64)
    assert small.transform(matrix).dtype == np.float32
    assert small.labels_.tolist() == large.labels_.tolist()
    assert small.cluster_centers_ == pytest.approx(large.cluster_centers_, abs=1e-4)
    assert small.inertia_ == pytest.approx(large.inertia_, rel=1e-5)


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_float32_that_cannot_be_squared_is_taken_as_float64(scale):
    """Numbers whose squares float32 does not hold are clustered all the same."""
    matrix = (blobs([40, 40])[0] * scale).astype(np.float32)
    model = AutoKMeans(k_max=4, random_state=0, n_resamples=2).fit(matrix)
    assert model.n_clusters_ == 2
    assert model.labels_.tolist() == model.predict(matrix).tolist()


def large(n: int = 30_000) -> np.ndarray:
    """More rows than the sample on which k is chosen, of five kinds."""
    random = np.random.default_rng(0)
    return random.normal(size=(n, 3)) + 9 * np.eye(5, 3)[random.integers(5, size=n) % 3]


def test_k_of_many_rows_is_chosen_on_a_sample_and_fitted_on_all():
    """30,000 rows: the centres are the means of all rows of their cluster, no fit of scikit-learn is better, each row has its label."""
    matrix = large()
    model = AutoKMeans(2, 6, criterion="silhouette", random_state=0, n_resamples=0).fit(matrix)
    means = np.array([matrix[model.labels_ == label].mean(axis=0) for label in range(model.n_clusters_)])
    assert model.cluster_centers_ == pytest.approx(means, abs=0.01)
    best = KMeans(model.n_clusters_, n_init=10, random_state=0).fit(matrix).inertia_
    assert model.inertia_ <= 1.001 * best
    assert model.labels_.tolist() == model.predict(matrix).tolist()
    assert model.cluster_weights_.tolist() == np.bincount(model.labels_).tolist()


def test_weights_of_one_are_no_weights():
    """Weights that are all the same, of any size, change no bit of the centres."""
    matrix, _ = blobs([50, 40, 30])
    plain = AutoKMeans(k_max=5, random_state=0, n_resamples=2).fit(matrix)
    for weight in (1.0, 1e-6, 1e6):
        model = AutoKMeans(k_max=5, random_state=0, n_resamples=2).fit(matrix, sample_weight=np.full(len(matrix), weight))
        assert model.labels_.tolist() == plain.labels_.tolist()
        assert model.cluster_centers_ == pytest.approx(plain.cluster_centers_, rel=1e-12)
        assert model.inertia_ == pytest.approx(weight * plain.inertia_)


def test_a_weight_stands_for_as_many_rows():
    """Centres and inertia of weighted rows are those of the rows repeated as often; a row of weight 0 is only labelled."""
    matrix, _ = blobs([50, 40, 30])
    weights = np.random.default_rng(2).integers(0, 4, size=len(matrix))
    weighted = AutoKMeans(k_max=5, random_state=0, n_resamples=2).fit(matrix, sample_weight=weights)
    repeated = AutoKMeans(k_max=5, random_state=0, n_resamples=2).fit(np.repeat(matrix, weights, axis=0))
    assert weighted.n_clusters_ == repeated.n_clusters_ == 3
    assert weighted.cluster_centers_ == pytest.approx(repeated.cluster_centers_, rel=1e-9)
    assert weighted.inertia_ == pytest.approx(repeated.inertia_)
    assert weighted.cluster_weights_.sum() == weights.sum()
    assert len(weighted.labels_) == len(matrix)
    assert weighted.score(matrix, sample_weight=weights) == pytest.approx(-weighted.inertia_)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        pytest.param(np.ones(3), "expected [(]90,[)]: one weight for each row", id="too-few"),
        pytest.param(-np.ones(90), "not negative", id="negative"),
        pytest.param(np.zeros(90), "zero for all rows", id="zero"),
        pytest.param(np.full(90, np.nan), "must be finite", id="not-finite"),
    ],
)
def test_weights_that_mean_nothing_are_refused(weights, message):
    """Weights of the wrong number or sign are refused with the reason."""
    with pytest.raises(ValueError, match=message):
        AutoKMeans().fit(blobs([50, 40])[0], sample_weight=weights)


def test_more_rows_move_the_centres_to_the_mean_of_all():
    """After a fit and two nights, each centre is the mean of every row it was ever given; k and its reasons stay."""
    matrix, truth = blobs([60, 50, 40], distance=12.0)
    nights = np.random.default_rng(0).permutation(len(matrix))
    first, second, third = matrix[nights[:90]], matrix[nights[90:120]], matrix[nights[120:]]
    model = AutoKMeans(k_max=5, random_state=0, n_resamples=2).fit(first)
    criteria = model.criteria_.copy()
    model.partial_fit(second)
    assert model.labels_.tolist() == model.predict(second).tolist()
    model.partial_fit(third)
    kinds = model.predict(matrix)
    means = np.array([matrix[kinds == label].mean(axis=0) for label in range(3)])
    assert adjusted_rand_score(truth, kinds) == 1
    assert model.cluster_centers_ == pytest.approx(means)
    assert model.cluster_weights_.sum() == len(matrix)
    assert model.criteria_.equals(criteria)


def test_the_first_rows_are_fitted():
    """partial_fit of a fresh model is fit."""
    matrix, _ = blobs([50, 40])
    fresh = AutoKMeans(k_max=4, random_state=0, n_resamples=2).partial_fit(matrix)
    assert fresh.cluster_centers_.tobytes() == AutoKMeans(k_max=4, random_state=0, n_resamples=2).fit(matrix).cluster_centers_.tobytes()


@pytest.fixture
def saved(tmp_path: Path) -> tuple[AutoKMeans, Path]:
    """A fitted model and its file."""
    model = AutoKMeans(k_max=4, random_state=3, n_resamples=2, allow_segments=True).fit(blobs([50, 40])[0] + 1e7)
    model.save(tmp_path / "model.npz")
    return model, tmp_path / "model.npz"


def test_a_saved_model_is_the_same_model(saved):
    """Loaded: the same settings, attributes, labels and distances to the last bit, and the next night's centres as well."""
    model, path = saved
    again = AutoKMeans.load(path)
    assert again.get_params() == model.get_params()
    assert set(vars(again)) == set(vars(model))
    for name in ("cluster_centers_", "labels_", "stability_", "cluster_weights_"):
        assert getattr(again, name).tobytes() == getattr(model, name).tobytes()
    assert again.criteria_.equals(model.criteria_)
    assert (again.structure_, again.votes_, again.confidence_, again.inertia_) == (
        model.structure_,
        model.votes_,
        model.confidence_,
        model.inertia_,
    )
    more, _ = blobs([20, 20], seed=1)
    assert again.transform(more).tobytes() == model.transform(more).tobytes()
    assert again.partial_fit(more + 1e7).cluster_centers_.tobytes() == model.partial_fit(more + 1e7).cluster_centers_.tobytes()


def test_the_file_holds_no_code(saved):
    """Numpy reads every array of the file with pickles forbidden."""
    with np.load(saved[1], allow_pickle=False) as file:
        assert all(file[name].dtype != object for name in file.files)


def test_a_damaged_file_is_refused(saved, tmp_path):
    """A file cut short, or with a bit flipped anywhere, is refused."""
    whole = saved[1].read_bytes()
    damaged = tmp_path / "damaged.npz"
    for cut in (0, 10, len(whole) // 2, len(whole) - 1):
        damaged.write_bytes(whole[:cut])
        with pytest.raises(ValueError, match="damaged"):
            AutoKMeans.load(damaged)
    for at in range(0, len(whole), 31):
        damaged.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(ValueError, match="damaged"):
            AutoKMeans.load(damaged)


def test_a_changed_number_is_refused(saved, tmp_path):
    """A centre changed by hand, in a file that is whole otherwise, does not pass for what was saved."""
    with np.load(saved[1]) as file:
        arrays = {name: file[name] for name in file.files}
    arrays["cluster_centers_"] = arrays["cluster_centers_"] + 1e-9
    np.savez(tmp_path / "changed.npz", **arrays)
    with pytest.raises(ValueError, match="checksum"):
        AutoKMeans.load(tmp_path / "changed.npz")


def test_a_file_of_something_else_is_refused(tmp_path):
    """A pickle, an archive and an empty file are refused, and nothing in them runs."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("told.npy", b"no array")
    for content in (pickle.dumps({"a": 1}), archive.getvalue(), b""):
        (tmp_path / "other").write_bytes(content)
        with pytest.raises(ValueError, match="not a saved AutoKMeans, or is damaged"):
            AutoKMeans.load(tmp_path / "other")


@pytest.mark.parametrize(("n", "d"), list(itertools.product([1, 2, 3, 5], [1, 4])))
def test_the_smallest_data_get_an_answer_from_every_criterion(n, d):
    """One to five rows, under every criterion: one cluster or a few, never an error."""
    matrix = np.random.default_rng(n).normal(size=(n, d))
    for criterion in ["consensus", *CRITERIA]:
        model = AutoKMeans(criterion=criterion, random_state=0, n_resamples=1).fit(matrix)
        assert 1 <= model.n_clusters_ <= n
        assert len(model.predict(matrix)) == n


def test_what_is_adopted_keeps_labels_and_stability_together():
    """Where all rows weigh the clusters otherwise than the sample did, labels and stability follow the clusters into their new order."""
    rows, _ = blobs([90, 60, 30])
    model = AutoKMeans(k_max=5, random_state=0).fit(rows)
    sizes, stability = np.bincount(model.labels_), np.array([1.0, 0.9, 0.8])
    model.stability_ = stability
    model.adopt(model.cluster_centers_, np.array([1.0, 2.0, 3.0]), 7.0)
    np.testing.assert_array_equal(model.labels_, model.predict(rows))
    np.testing.assert_array_equal(np.bincount(model.labels_), sizes[::-1])
    np.testing.assert_array_equal(model.stability_, stability[::-1])
    assert (model.cluster_weights_.tolist(), model.inertia_) == ([3.0, 2.0, 1.0], 7.0)
