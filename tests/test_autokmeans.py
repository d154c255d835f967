"""AutoKMeans finds the clusters there are, none included; `cluster` does so for communities."""

from __future__ import annotations

from importlib.util import find_spec

import duckdb
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score
from sklearn.utils.estimator_checks import parametrize_with_checks
from threadpoolctl import threadpool_limits

from discovery.clustering import AutoKMeans, Clustering, ClusteringSettings, TooFewCommunitiesError, association, cluster, recluster
from discovery.features import Evidence, Feature
from storage.errors import MissingExtraError
from tests.shared_data import DATA

FRONT_PAGES = DATA / "tables/reddit_front_pages.parquet"


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks([AutoKMeans(n_resamples=1)])
def test_scikit_learn_accepts_the_estimator(estimator, check):
    """AutoKMeans keeps every promise that scikit-learn asks of a clusterer and transformer."""
    check(estimator)


def blobs(sizes: list[int], *, d: int = 4, distance: float = 8.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Unit gaussians on the corners of a simplex, the given distance apart, and which blob each row is of."""
    truth = np.repeat(np.arange(len(sizes)), sizes)
    centres = np.eye(max(d, len(sizes)))[: len(sizes)] * distance / np.sqrt(2)
    return centres[truth] + np.random.default_rng(seed).normal(size=(len(truth), centres.shape[1])), truth


@pytest.mark.parametrize(
    ("sizes", "distance"),
    [
        pytest.param([60, 60], 6.0, id="two"),
        pytest.param([70, 70, 70, 70], 7.0, id="four"),
        pytest.param([150, 75, 40, 20], 8.0, id="unequal"),
    ],
)
def test_separated_blobs_are_clusters(sizes, distance):
    """Well separated blobs are found, in their number and their members, and called clusters."""
    matrix, truth = blobs(sizes, distance=distance)
    model = AutoKMeans(k_max=6, random_state=0, n_resamples=4).fit(matrix)
    assert (model.structure_, model.n_clusters_) == ("clusters", len(sizes))
    assert adjusted_rand_score(truth, model.labels_) > 0.95
    assert model.stability_.min() > 0.9
    assert model.confidence_ >= 0.5


NULLS = {
    "gaussian": lambda random: random.normal(size=(120, 3)),
    "correlated": lambda random: random.normal(size=(120, 3)) @ np.linalg.cholesky(0.5 + 0.5 * np.eye(3)).T,
    "skewed": lambda random: random.lognormal(size=(120, 3)),
    "heavy-tailed": lambda random: random.standard_t(3, size=(120, 3)),
    "uniform": lambda random: random.uniform(size=(120, 3)),
}


@pytest.mark.parametrize("shape", NULLS)
def test_structureless_data_has_no_clusters(shape):
    """One mode is one cluster, whatever its shape: where segments are allowed it may be cut, but is never called clusters."""
    matrix = NULLS[shape](np.random.default_rng(1))
    model = AutoKMeans(random_state=1, n_resamples=1, allow_segments=True).fit(matrix)
    assert model.structure_ != "clusters"


def elongated(n: int = 700) -> np.ndarray:
    """One gaussian, much longer than wide: a continuum that is always cut in the same place."""
    return np.random.default_rng(0).normal(size=(n, 3)) * [4.0, 1.0, 0.5]


def test_a_stable_cut_is_offered_as_segments_only_where_allowed():
    """An elongated gaussian is none by default and segments where they are allowed."""
    default = AutoKMeans(k_max=4, random_state=0, n_resamples=1).fit(elongated())
    assert (default.structure_, default.n_clusters_) == ("none", 1)
    model = AutoKMeans(k_max=4, random_state=0, n_resamples=1, allow_segments=True).fit(elongated())
    assert model.structure_ == "segments"
    assert 2 <= model.n_clusters_ <= 4
    agreement = model.criteria_.query("criterion == 'split_half_ari' and k == @model.n_clusters_")["value"]
    assert agreement.item() >= 0.7


@pytest.mark.parametrize(
    ("matrix", "k"),
    [
        pytest.param(np.ones((1, 3)), 1, id="one-row"),
        pytest.param(np.arange(6.0).reshape(3, 2), 1, id="three-rows"),
        pytest.param(np.ones((100, 3)), 1, id="identical"),
        pytest.param(np.zeros((50, 1)), 1, id="zeros"),
        pytest.param(np.repeat([[0.0, 0.0], [1.0, 1.0]], 30, axis=0), 2, id="two-distinct-rows"),
        pytest.param(np.vstack([np.zeros((300, 2)), np.eye(2) * 1e6]), 1, id="giant-and-dust"),
        pytest.param(np.eye(30), 1, id="one-hot"),
        pytest.param(np.random.default_rng(0).normal(size=(40, 2)) * 1e99, 1, id="huge"),
        pytest.param(np.random.default_rng(0).normal(size=(40, 2)) * 1e-150, 1, id="tiny"),
        pytest.param(np.random.default_rng(0).normal(size=(40, 2)) + 1e9, 1, id="far-from-the-origin"),
    ],
)
def test_degenerate_data_gets_an_answer(matrix, k):
    """However poor the data, the answer is finite, warns of nothing and invents no cluster."""
    model = AutoKMeans(random_state=0, n_resamples=2).fit(matrix)
    assert model.n_clusters_ == k
    assert np.isfinite(model.cluster_centers_).all()
    assert np.isfinite(model.criteria_["value"]).all()
    assert np.isfinite([model.inertia_, model.confidence_, *model.stability_]).all()
    assert model.labels_.tolist() == model.predict(matrix).tolist()


@pytest.mark.parametrize(
    ("settings", "matrix", "message"),
    [
        pytest.param({"k_min": 3, "k_max": 2}, np.ones((9, 1)), "k_min=3 and k_max=2 leave no k", id="empty-range"),
        pytest.param({"k_min": 3}, np.ones((2, 1)), "n_samples=2 should be >= k_min=3", id="fewer-rows-than-k"),
        pytest.param({}, np.array([[1e200], [0.0]]), "1e[+]200 cannot be squared safely", id="beyond-squares"),
        pytest.param({}, np.array([[np.nan], [0.0]]), "NaN", id="not-finite"),
        pytest.param({"criterion": "elbow"}, np.ones((9, 1)), "criterion='elbow' is not known: it is one of consensus", id="unknown"),
        pytest.param({"n_resamples": 0}, np.ones((9, 1)), "n_resamples=0 is too few", id="no-resamples"),
    ],
)
def test_impossible_requests_say_why(settings, matrix, message):
    """An impossible request is refused with its numbers."""
    with pytest.raises(ValueError, match=message):
        AutoKMeans(**settings).fit(matrix)


@pytest.mark.skipif(find_spec("faiss") is not None, reason="the extra `faiss` is installed")
def test_a_missing_extra_is_told_before_rows_are_looked_at():
    """Without faiss a model that wants it is refused with the remedy, whatever the rows."""
    with pytest.raises(MissingExtraError, match=r"pip install 'subcurrent\[faiss\]'"):
        AutoKMeans(backend="faiss").fit([["no", "numbers"]])


def test_the_same_seed_gives_the_same_bits_on_any_number_of_threads():
    """Centres, labels and curves are equal to the last bit with one thread and with two."""
    matrix, _ = blobs([50, 50, 50], distance=4.0)
    results = []
    for threads in (1, 2):
        with threadpool_limits(limits=threads):
            results.append(AutoKMeans(k_max=4, random_state=7, n_resamples=1).fit(matrix))
    one, two = results
    assert one.cluster_centers_.tobytes() == two.cluster_centers_.tobytes()
    assert one.labels_.tolist() == two.labels_.tolist()
    assert one.criteria_.equals(two.criteria_)


def test_no_order_of_thousands_of_rows_matters():
    """Where k is sought on some of the rows, which ones they are is not the order's to say: centres and labels stay to the last bit."""
    matrix, _ = blobs([6_000, 4_000, 2_000], distance=5.0)
    order = np.random.default_rng(3).permutation(len(matrix))
    one, other = (AutoKMeans(2, 6, criterion="silhouette", n_resamples=0, random_state=7).fit(rows) for rows in (matrix, matrix[order]))
    assert one.cluster_centers_.tobytes() == other.cluster_centers_.tobytes()
    assert one.labels_[order].tolist() == other.labels_.tolist()


def test_labels_of_rows_beyond_the_sample_are_those_of_the_nearest_centre():
    """All rows get the label that they would be predicted, and the heaviest cluster comes first."""
    matrix, _ = blobs([3_000, 12_000, 7_000], distance=3.0)
    model = AutoKMeans(2, 6, criterion="silhouette", n_resamples=0, random_state=7).fit(matrix)
    assert model.labels_.tolist() == model.predict(matrix).tolist()
    assert model.cluster_weights_.tolist() == sorted(np.bincount(model.labels_).tolist(), reverse=True)


def test_the_last_k_stays_unless_another_wins_clearly():
    """A doubtful new k does not replace the last one; a clear one does."""
    settings = {"k_max": 4, "random_state": 0, "n_resamples": 4, "allow_segments": True}
    doubtful = AutoKMeans(**settings).fit(elongated())
    assert doubtful.confidence_ < 0.8
    other = 2 if doubtful.n_clusters_ > 2 else 3
    assert AutoKMeans(**settings, last_k=other).fit(elongated()).n_clusters_ == other
    clear, _ = blobs([60, 60, 60], distance=12.0)
    assert AutoKMeans(k_max=4, random_state=0, n_resamples=5, last_k=2).fit(clear).n_clusters_ == 3


def test_a_doubtful_night_without_kinds_keeps_the_last():
    """Three overlapping kinds that too few resamples show are none by themselves, and stay three after a night that found them."""
    random = np.random.default_rng(18)
    truth = np.arange(150) % 3
    matrix = random.normal(size=(3, 3))[truth] * 3 + random.normal(size=(150, 3))
    fresh = AutoKMeans(random_state=18).fit(matrix)
    assert (fresh.structure_, fresh.n_clusters_) == ("none", 1)
    assert fresh.confidence_ < 0.8
    kept = AutoKMeans(random_state=18, last_k=3).fit(matrix)
    assert (kept.structure_, kept.n_clusters_) == ("clusters", 3)
    assert 0.2 <= kept.confidence_ < 0.8


def test_clusters_do_not_keep_a_last_k_without_a_valley():
    """Four clusters of which no two have a valley between them do not stay clusters because they were some last night."""
    matrix, _ = blobs([84, 34, 20, 16, 9, 5], d=8, distance=6.0, seed=9)
    settings = {"k_max": 6, "random_state": 0, "n_resamples": 5}
    fresh = AutoKMeans(**settings).fit(matrix)
    groups = fresh.criteria_.set_index(["criterion", "k"])["value"]["valley_groups"]
    assert (fresh.structure_, groups[4]) == ("clusters", 1)
    assert fresh.n_clusters_ < 4
    assert fresh.confidence_ < 0.8
    assert AutoKMeans(**settings, last_k=4).fit(matrix).n_clusters_ == fresh.n_clusters_


def declared(names: str) -> dict[str, Feature]:
    """Plain features by letter."""
    return {name: Feature(name, name, "", "", "", "behaviour", "identity", Evidence(), True, pd.DataFrame) for name in names}


def communities(matrix: np.ndarray) -> pd.DataFrame:
    """Rows as communities, columns as features by letter."""
    index = [f"reddit:c{i:04d}" for i in range(len(matrix))]
    return pd.DataFrame(matrix, index=index, columns=list("abcdefgh")[: matrix.shape[1]])


def clustered(values: pd.DataFrame, **settings: object) -> Clustering:
    """Cluster communities of one platform."""
    platforms = pd.Series("reddit", index=values.index)
    return cluster(values, features=declared("abcdefgh"), platforms=platforms, settings=ClusteringSettings(**settings))


@pytest.mark.parametrize("n", [0, 1, 2, 9])
def test_fewer_than_ten_communities_are_too_few(n):
    """Below ten communities there are no archetypes, and the error says how many are needed."""
    with pytest.raises(TooFewCommunitiesError, match=f"{n} communities are too few for archetypes: at least 10"):
        clustered(communities(np.ones((n, 2))))


def test_identical_communities_have_no_structure():
    """Communities that differ in nothing are one group, with notes instead of an error."""
    found = clustered(communities(np.ones((20, 2))))
    assert (found.structure, found.n_clusters, set(found.labels)) == ("none", 1, {0})
    assert len(found.notes) == 2


@pytest.fixture(scope="module")
def three() -> tuple[pd.DataFrame, Clustering]:
    """Three kinds of communities, one of which is an outlier of them all."""
    values = communities(blobs([60, 50, 40], d=3, distance=12.0)[0])
    values.iloc[0] = [500.0, -500.0, 500.0]
    return values, clustered(values, pca_variance=1.0, k_max=5)


def test_communities_of_three_kinds(three):
    """Three kinds are found; the outlier is listed with its nearest and carries no label."""
    values, found = three
    assert (found.structure, found.n_clusters) == ("clusters", 3)
    assert found.labels["reddit:c0000"] == -1
    assert (found.labels == -1).sum() == len(found.prepared.outliers) <= 0.02 * len(values)
    assert found.nearest["reddit:c0000"] in {0, 1, 2}
    assert found.labels.value_counts().drop(-1).min() >= 37
    assert found.confidence_by_community.between(0, 1).all()
    assert np.isnan(found.platform_association)
    assert set(found.criteria["k"]) == {1, 2, 3, 4, 5}


def test_the_order_of_communities_changes_nothing(three):
    """Rows and columns in another order give the same labels and centres."""
    values, found = three
    turned = clustered(values.iloc[::-1][["c", "a", "b"]], pca_variance=1.0, k_max=5)
    assert turned.labels.equals(found.labels)
    assert turned.centers.tobytes() == found.centers.tobytes()


@pytest.mark.real_data
@pytest.mark.skipif(not FRONT_PAGES.exists(), reason="the front pages of 2025 are not beside the checkout")
def test_real_front_pages_are_a_continuum():
    """Rates and comments of real front pages are cut stably, and nothing calls the pieces clusters."""
    query = f"""
        select subreddit, avg(ln(1 + comments)) a, avg(ln(1 + greatest(score, 0))) b, avg((title like '%?%')::int) c
        from read_parquet('{FRONT_PAGES}') group by 1 having count(*) >= 20
        """  # noqa: S608 - a path of our own
    with duckdb.connect() as connection:
        values = connection.sql(query).df().sort_values("subreddit")[::8]
    found = clustered(values.set_index("subreddit").astype(float), k_max=6)
    assert found.structure == "segments"
    assert found.stability.min() >= 0.6


def test_reclustering_keeps_labels_and_takes_repeated_rows(three):
    """Nearly the same values keep their labels; a community may stand in a resample twice; the outlier stays one."""
    values, found = three
    drawn = values.iloc[np.random.default_rng(0).integers(len(values), size=len(values))]
    again = recluster(found, drawn + 0.01)
    assert again.index.equals(drawn.index)
    assert (again == found.labels.loc[drawn.index]).mean() > 0.99
    assert recluster(found, values)["reddit:c0000"] == -1


@pytest.mark.parametrize(
    ("platforms", "expected"),
    [
        pytest.param("ppqq", 1.0, id="labels-are-platforms"),
        pytest.param("pqpq", 0.0, id="independent"),
        pytest.param("pppp", np.nan, id="one-platform"),
    ],
)
def test_association(platforms, expected):
    """Cramér's V is 1 where labels are the platforms, 0 where they are independent, and missing with one platform."""
    assert association(pd.Series([0, 0, 1, 1]), pd.Series(list(platforms))) == pytest.approx(expected, nan_ok=True)


def test_an_impossible_range_of_k_is_refused_in_the_configuration():
    """k_min above k_max never reaches a run."""
    with pytest.raises(ValueError, match=r"k_min \(5\) is larger than k_max \(4\)"):
        ClusteringSettings(k_min=5, k_max=4)
