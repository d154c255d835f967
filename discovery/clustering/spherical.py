"""Spherical k-means (Dhillon & Modha 2001): rows are grouped by where they point, not by how far. Rows in, directions and labels out.

Niches are settled by the same kernel.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

from discovery.clustering.autokmeans import AutoKMeans
from discovery.clustering.choice import AGREEMENT, SEGMENTS_AT_MOST, Structure, separated
from discovery.clustering.partition import Labels, Matrix, Partition, magnitude, own_order
from discovery.clustering.path import partition
from discovery.clustering.saved import Saved
from discovery.clustering.stability import overlaps

ROUNDS = 100
"""Most readings of the rows."""


def unit_rows(vectors: Matrix) -> Matrix:
    """Scale rows to length one; a zero row stays zero."""
    length = np.sqrt(np.square(vectors).sum(axis=1, keepdims=True))
    return np.asarray(vectors / np.where(length > 0, length, 1.0))


def sums(vectors: Matrix | sparse.csr_matrix, groups: Labels, k: int) -> Matrix:
    """Add the rows of each group up, shape (k, d)."""
    members = sparse.csr_matrix((np.ones(len(groups)), (groups, np.arange(len(groups)))), shape=(k, len(groups)))
    total = members @ vectors
    return np.asarray(total.toarray() if sparse.issparse(total) else total)


def nearest(units: Matrix, centres: Matrix) -> Labels:
    """Give each unit row the centre of largest cosine; ties go to the lower label."""
    labels: Labels = np.argmax(units @ centres.T, axis=1)
    return labels


def settle(units: Matrix, centres: Matrix, *, rounds: int = ROUNDS) -> tuple[Matrix, Labels]:
    """Let every row join the nearest centre, and every centre be the direction of its rows, until nothing moves.

    Args:
        units: Rows of length one (a zero row is as near to every centre).
        centres: Directions to start from, shape (k, d). One that loses its last row becomes zero.
        rounds: Most rounds.

    Returns:
        Centres, and the label of each row, which is the nearest of these centres.
    """
    found = nearest(units, centres)
    for _ in range(rounds):
        centres = unit_rows(sums(units, found, len(centres))).astype(units.dtype, copy=False)
        moved = nearest(units, centres)
        if np.array_equal(moved, found):
            break
        found = moved
    return centres, found


def directions(rows: Matrix) -> Matrix:
    """Scale rows to length one, however large or small they are: by a power of two first, which costs no digit."""
    _, exponent = np.frexp(np.abs(rows).max(axis=1, keepdims=True, initial=0.0))
    return unit_rows(np.ldexp(rows, -exponent))


def again(matrix: Matrix, centres: Matrix) -> Labels:
    """Group other rows from the centres that are known; labels keep the meaning of the centre they started from."""
    return settle(directions(matrix), centres, rounds=20)[1]


class SphericalKMeans(Saved, ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn is untyped
    """Spherical k-means with the number of clusters chosen as :class:`AutoKMeans` chooses it.

    What is approximate: k, its criteria and its confidence are those of K-Means on rows of length one, whose centres lie inside the
    sphere; only the chosen k is fitted by cosine. What is not: a row's length takes no part in where it belongs, but ``clusters``
    need a valley of density between the rows as they were given, for directions bunch where rows merely form a long cloud, and in
    one column they are ±1 whatever the rows are.

    Args:
        k_min: Smallest k considered. With 1, finding no structure is a legal answer.
        k_max: Largest k considered; never more than the square root of half the rows.
        allow_segments: Offer a stable cut of a continuum where there are no separated clusters.
        random_state: Seed; the same seed gives the same result with any number of threads.
        last_k: The k of the last fit on similar rows: kept unless another one wins in 80 % of the resamples, or it in
            less than 20 %.
        n_resamples: Resamples behind ``confidence_`` and ``stability_``.

    Attributes:
        n_clusters_: The chosen k.
        structure_: "clusters" (separated), "segments" (a stable cut of a continuum) or "none".
        labels_: Label of each row, the largest cluster first; a row of zeros points nowhere and takes the first.
        cluster_centers_: Directions, shape (n_clusters_, n_features).
        inertia_: Sum of 1 − cosine to the own centre.
        criteria_: Every curve: criterion, k, value, error.
        votes_: The k that each criterion speaks for.
        confidence_: Share of resamples in which the same k and structure win; for ``clusters`` times the share of those in which the
            given rows show a valley, and where these overruled the choice the share of those in which they show none.
        stability_: Mean bootstrap Jaccard similarity of each cluster.
    """

    labels_: Labels

    def __init__(  # noqa: PLR0913 - scikit-learn's contract: every setting is an argument of the constructor
        self,
        k_min: int = 1,
        k_max: int = 20,
        *,
        allow_segments: bool = False,
        random_state: int | np.random.RandomState | None = None,
        last_k: int | None = None,
        n_resamples: int = 20,
    ) -> None:
        self.k_min = k_min
        self.k_max = k_max
        self.allow_segments = allow_segments
        self.random_state = random_state
        self.last_k = last_k
        self.n_resamples = n_resamples

    def fit(self, X: ArrayLike, y: object = None) -> Self:  # noqa: N803 - scikit-learn's signature
        """Choose k and fit; ``y`` is ignored.

        Raises:
            ValueError: the range of k is empty, there are fewer rows than ``k_min``, or a value is not finite.
        """
        rows = self._checked(X, reset=True)
        seed = check_random_state(self.random_state).randint(2**31)
        order = own_order(rows)
        rows = np.ldexp(rows[order], -magnitude(rows))  # whose squares are told
        with threadpool_limits(limits=1):
            units = directions(rows)
            chosen = AutoKMeans(
                self.k_min,
                self.k_max,
                allow_segments=self.allow_segments,
                random_state=seed,
                last_k=self.last_k,
                n_resamples=self.n_resamples,
            ).fit(units)
            self._settle(rows, units, chosen, np.random.default_rng(seed))
        self.labels_ = self.labels_[np.argsort(order)]
        self.criteria_, self.votes_ = chosen.criteria_, chosen.votes_
        return self

    def _settle(self, rows: Matrix, units: Matrix, chosen: AutoKMeans, random: np.random.Generator) -> None:
        """Fit the chosen k by cosine, the largest cluster first, and ask the rows themselves whether it stands."""
        centres, labels = settle(units, unit_rows(chosen.cluster_centers_))
        self.structure_, self.confidence_ = self._confirmed(rows, Partition(centres, labels, float("nan")), chosen, random)
        if self.structure_ == "none" and self.k_min == 1:
            centres, labels = settle(units, unit_rows(units.sum(axis=0, keepdims=True)))
        order = np.argsort(-np.bincount(labels, minlength=len(centres)), kind="stable")
        self.cluster_centers_, self.labels_ = centres[order], np.argsort(order)[labels]
        self.n_clusters_ = self._n_features_out = len(centres)
        self.inertia_ = float(self._distances(units)[np.arange(len(units)), self.labels_].sum(dtype=np.float64))
        self.stability_ = self._stability(units, random)

    def _confirmed(self, rows: Matrix, part: Partition, chosen: AutoKMeans, random: np.random.Generator) -> tuple[Structure, float]:
        """Tell what the clusters are once the rows were asked for a valley, and how often subsamples of them would say so."""
        if chosen.structure_ != "clusters":
            return chosen.structure_, chosen.confidence_
        apart = _apart(rows, part.labels, part.k, random)
        size = max(1, int(0.8 * len(rows)))
        draws = (np.sort(random.choice(len(rows), size, replace=False)) for _ in range(self.n_resamples))
        same = float(np.mean([_apart(rows[draw], part.labels[draw], part.k, random) == apart for draw in draws]))
        if apart:
            return "clusters", same * chosen.confidence_
        return ("segments" if self.allow_segments and _comes_back(chosen) else "none"), same

    def _stability(self, units: Matrix, random: np.random.Generator) -> Matrix:
        """Fit resamples from the clusters themselves and from two fresh seedings; see ``stability.overlaps``."""

        def refit(rows: Labels) -> Labels:
            drawn = units[rows]
            part = partition(drawn, self.n_clusters_, random=random, starts=(self.cluster_centers_,), restarts=2)
            return nearest(units[np.unique(rows)], settle(drawn, unit_rows(part.centres))[0])

        return overlaps(units, self.labels_, self.n_clusters_, refit, random=random, resamples=self.n_resamples)

    def predict(self, X: ArrayLike) -> Labels:  # noqa: N803 - scikit-learn's name
        """Give each row the label of the centre of largest cosine."""
        return nearest(self._units(X), self.cluster_centers_)

    def transform(self, X: ArrayLike) -> Matrix:  # noqa: N803 - scikit-learn's name
        """Distances to the centres, 1 − cosine: from 0 to 2, shape (n_samples, n_clusters_)."""
        return self._distances(self._units(X))

    def _distances(self, units: Matrix) -> Matrix:
        distances: Matrix = np.clip(1 - units @ self.cluster_centers_.T, 0, 2)
        return distances

    def _units(self, X: ArrayLike) -> Matrix:  # noqa: N803 - scikit-learn's name
        check_is_fitted(self)
        return directions(self._checked(X, reset=False))

    def _checked(self, X: ArrayLike, *, reset: bool) -> Matrix:  # noqa: N803 - scikit-learn's name
        rows: Matrix = validate_data(self, X, reset=reset, dtype=[np.float64, np.float32], order="C")
        return rows

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _apart(rows: Matrix, labels: Labels, k: int, random: np.random.Generator) -> bool:
    """Tell whether there is a valley between any two groups of the clusters, in the rows as they were given."""
    centres = sums(rows, labels, k) / np.maximum(np.bincount(labels, minlength=k), 1)[:, None]
    part = Partition(centres.astype(rows.dtype), labels, float("nan"))
    return separated(rows, part, random)


def _comes_back(chosen: AutoKMeans) -> bool:
    """Tell whether the cut comes back in split halves, as segments must."""
    told = chosen.criteria_.query("criterion == 'split_half_ari' and k == @chosen.n_clusters_")
    return chosen.n_clusters_ <= SEGMENTS_AT_MOST and bool((told["value"] - told["error"] >= AGREEMENT).all())
