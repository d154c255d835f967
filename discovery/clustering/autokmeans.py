"""AutoKMeans: K-Means that chooses how many clusters there are, none included. A finite matrix in, labels and the reasons out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import assert_all_finite, check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

from discovery.clustering import faiss
from discovery.clustering.given import shares, squarable, whole_numbers
from discovery.clustering.partition import (
    Backend,
    Labels,
    Matrix,
    Partition,
    Weights,
    assign,
    distinct,
    largest_and_lengths,
    own_order,
    placing,
    polish,
    read,
    squared_distances,
    squared_lengths,
    weighed,
)
from discovery.clustering.path import partition, partitions
from discovery.clustering.reach import reach
from discovery.clustering.saved import Saved
from discovery.clustering.selection import CONSENSUS, CRITERIA, Search, select
from discovery.clustering.stability import bootstrap_jaccard

BACKENDS: Mapping[str, Backend] = {"numpy": placing, "faiss": faiss.placing}
SAMPLE = 20_000
"""Rows on which k is chosen at most; the chosen k is then polished on all of them."""
RESTARTS = 2
"""Fresh seedings behind the chosen k."""
MOST_RESTARTS = 10
"""Fresh seedings behind the chosen k where rows are few."""
GAIN = 1e-5
"""Share of the inertia that a reading of all rows must gain for another one to follow."""
SAFE = 1e15
"""Squares of larger values would overflow in float32; of values smaller than its inverse they would be nothing."""
NEAR = 8.0
"""How many times farther from the origin than from each other rows may lie before they are moved to it: digits would be lost."""
PROBE = 1_000
"""Rows that tell where all of them lie."""


class AutoKMeans(Saved, ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn is untyped
    """K-Means with the number of clusters chosen by five criteria, a test for valleys of density, and resampling.

    float32 stays float32 and is not copied; rows that lie far from the origin, or are too large or small for float32, are.

    Args:
        k_min: Smallest k considered. With 1, finding no structure is a legal answer.
        k_max: Largest k considered; never more than the square root of half the rows.
        criterion: "consensus", or one by name, which then chooses k alone: "silhouette", "gap", "bic_diag", "bic_full",
            "prediction_strength", "bootstrap_jaccard", "inertia" (its elbow). ``structure_`` then only tells what the chosen k is.
        allow_segments: Offer a stable cut of a continuum where there are no separated clusters.
        random_state: Seed; the same seed gives the same result with any number of threads.
        last_k: The k of the last fit on similar rows: kept unless another one wins in 80 % of the resamples, or it in
            less than 20 %.
        backend: What finds nearest centres among all rows: "numpy" (ours), or "faiss" (extra ``faiss``), on some machines quicker for
            many clusters.
        n_resamples: Resamples behind ``confidence_`` and half of those behind the stability of each candidate. With 0 a criterion by
            name chooses without them, and confidence and stability are NaN.

    Attributes:
        n_clusters_: The chosen k.
        structure_: "clusters" (separated), "segments" (a stable cut of a continuum) or "none".
        labels_: Label of each row; labels are ordered by weight, the heaviest cluster first.
        cluster_centers_: Shape (n_clusters_, n_features).
        cluster_weights_: Weight of the rows of each cluster, whose mean its centre is but for a last move that would gain next to nothing.
        inertia_: Weighted sum of squared distances to the own centre, outliers left out.
        outliers_: Rows so far from all others that they are only labelled: thrice as far from the middle as all but 2 %.
        criteria_: Every curve: criterion, k, value, error (standard error, NaN where there is none).
        votes_: The k that each criterion speaks for.
        confidence_: Share of resamples in which the same k and structure win.
        stability_: Mean bootstrap Jaccard similarity of each cluster.
    """

    cluster_weights_: Weights
    inertia_: float

    def __init__(  # noqa: PLR0913 - scikit-learn's contract: every setting is an argument of the constructor
        self,
        k_min: int = 1,
        k_max: int = 20,
        *,
        criterion: str = CONSENSUS,
        allow_segments: bool = False,
        random_state: int | np.random.RandomState | None = None,
        last_k: int | None = None,
        n_resamples: int = 20,
        backend: str = "numpy",
    ) -> None:
        self.k_min = k_min
        self.k_max = k_max
        self.criterion = criterion
        self.allow_segments = allow_segments
        self.random_state = random_state
        self.last_k = last_k
        self.n_resamples = n_resamples
        self.backend = backend

    def fit(self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None) -> Self:  # noqa: N803 - scikit-learn's signature
        """Choose k and fit; ``y`` is ignored.

        A weight says for how many rows a row stands. k is chosen on rows drawn in proportion to it, as many as the weights are worth
        (Kish 1965), so that no scale of weights makes evidence; a row of weight 0 is only labelled. Rows that are repeated are more
        evidence than one that weighs as much.

        Raises:
            ValueError: the range of k is empty, a criterion is unknown, there are fewer rows than ``k_min``, a value is not finite or
                too large, or weights are negative or all zero.
        """
        self._refuse()
        rows, lengths = self._checked(X, reset=True)
        weights, unit = shares(sample_weight, len(rows))
        counted = len(rows) if weights is None else int((weights > 0).sum())
        if not counted:
            raise ValueError("sample_weight is zero for all rows: a row takes part only if it weighs something.")
        if counted < self.k_min:
            raise ValueError(f"n_samples={counted} should be >= k_min={self.k_min}: add rows or lower k_min.")
        random = np.random.default_rng(check_random_state(self.random_state).randint(2**31))
        with threadpool_limits(limits=1):
            self._fit(rows, lengths, weights, random)
        self.cluster_weights_, self.inertia_ = self.cluster_weights_ * unit, self.inertia_ * unit
        return self

    def _refuse(self) -> None:
        whole_numbers(k_min=self.k_min, k_max=self.k_max, n_resamples=self.n_resamples)
        if self.last_k is not None:
            whole_numbers(last_k=self.last_k)
        if not 1 <= self.k_min <= self.k_max:
            raise ValueError(f"k_min={self.k_min} and k_max={self.k_max} leave no k: 1 <= k_min <= k_max is needed.")
        if self.criterion not in CRITERIA:
            raise ValueError(f"criterion={self.criterion!r} is not known: it is one of {', '.join(CRITERIA)}.")
        if self.backend not in BACKENDS:
            raise ValueError(f"backend={self.backend!r} is not known: it is one of {', '.join(BACKENDS)}.")
        if self.backend == "faiss":
            faiss.require()
        least = 1 if self.criterion == CONSENSUS else 0
        if self.n_resamples < least:
            raise ValueError(f"n_resamples={self.n_resamples} is too few: at least {least} with criterion={self.criterion!r}.")

    def _fit(self, rows: Matrix, lengths: Matrix, weights: Weights | None, random: np.random.Generator) -> None:
        """Choose k and fit it on a sample in an order of its own, so that no order of rows matters; then polish it on all rows."""
        self._origin = _origin(rows)
        moved = self._moved(rows)
        lengths = lengths if moved is rows else squared_lengths(moved)
        drawn = _drawn(rows, weights, random)
        far = reach(moved[drawn]).beyond(moved, lengths)
        sample = moved[drawn[~far[drawn]]]
        most = min(self.k_max, max(self.k_min, int(np.sqrt(len(sample) / 2)), 1))
        path = partitions(sample, distinct(sample, most), random=random)
        found = select(sample, path, self._asked(), random=random)
        start = path[found.choice.k - 1].centres
        restarts = max(RESTARTS, min(MOST_RESTARTS, SAMPLE // len(sample)))
        fitted = partition(sample, len(start), random=random, starts=[start], restarts=restarts)
        if weights is None and len(drawn) == len(rows):
            fitted = polish(sample, fitted.centres)
            self._adopt(fitted, fitted.sizes.astype(np.float64))
            self.labels_ = assign(moved, self._centres, BACKENDS[self.backend])
        else:
            having_say = np.where(far, 0.0, 1.0 if weights is None else weights) if far.any() else weights
            self.labels_ = self._polished(moved, lengths, having_say, fitted.centres)
        self.outliers_ = np.flatnonzero(far if weights is None else far & (weights > 0))
        part = Partition(self._centres, assign(sample, self._centres), fitted.inertia)
        self.stability_ = bootstrap_jaccard(sample, part, random=random, resamples=self.n_resamples)
        self.n_clusters_, self.structure_, self.votes_ = found.choice.k, found.choice.structure, dict(found.choice.votes)
        self.confidence_, self.criteria_ = found.confidence, found.table

    def _polished(self, moved: Matrix, lengths: Matrix, weights: Weights | None, start: Matrix) -> Labels:
        """Polish on all rows that weigh anything, and take that over; the labels of all rows."""
        backend = BACKENDS[self.backend]
        heavy = slice(None) if weights is None or weights.all() else np.flatnonzero(weights)
        some, lengths, weights = moved[heavy], lengths[heavy], None if weights is None else weights[heavy]
        fitted = polish(some, start, weights=weights, lengths=lengths, tol=GAIN, backend=backend)
        order = self._adopt(fitted, np.bincount(fitted.labels, weights, minlength=fitted.k).astype(np.float64))
        return np.argsort(order)[fitted.labels] if len(some) == len(moved) else assign(moved, self._centres, backend)

    def _adopt(self, fitted: Partition, masses: Weights) -> list[int]:
        """Take the centres over, the heaviest cluster first; which clusters those are, in order."""
        order = sorted(range(fitted.k), key=lambda label: (-masses[label], *fitted.centres[label]))
        self._settle(fitted.centres[order], masses[order])
        self.inertia_ = fitted.inertia
        return order

    def adopt(self, centres: Matrix, weights: Weights, inertia: float) -> None:
        """Take over centres that were fitted elsewhere from these: on rows of which this model saw a sample.

        ``labels_`` and ``stability_`` stay of the sample; they follow the clusters into their new order.
        """
        check_is_fitted(self)
        moved = (centres if self._origin is None else centres - self._origin).astype(self._centres.dtype)
        order = self._adopt(Partition(moved, self.labels_, inertia), weights)
        self.labels_, self.stability_ = np.argsort(order)[self.labels_], self.stability_[order]

    def _settle(self, centres: Matrix, masses: Weights) -> None:
        self._centres, self.cluster_weights_ = centres, masses
        self.cluster_centers_ = centres if self._origin is None else centres + self._origin
        self._n_features_out = len(centres)

    def _moved(self, rows: Matrix) -> Matrix:
        return rows if self._origin is None else rows - self._origin

    def _asked(self) -> Search:
        return Search(self.criterion, self.k_min, self.last_k, self.n_resamples, allow_segments=self.allow_segments)

    def partial_fit(self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None) -> Self:  # noqa: N803 - scikit-learn's signature
        """Move the centres towards more rows, as if they were the mean of all rows so far; k stays until the next ``fit``.

        The first call fits. ``labels_`` and ``inertia_`` are of the given rows, everything that says why k was chosen is of the fit.
        """
        if not hasattr(self, "cluster_centers_"):
            return self.fit(X, sample_weight=sample_weight)
        rows = self._moved(self._checked(X, reset=False)[0])
        weights, unit = shares(sample_weight, len(rows))
        with threadpool_limits(limits=1):
            found = read(rows, self._centres, weights, BACKENDS[self.backend])
            masses = self.cluster_weights_ + unit * found.masses
            pull = unit * (found.sums - found.masses[:, None] * self._centres) / np.where(masses > 0, masses, 1.0)[:, None]
            self._settle((self._centres + pull).astype(self._centres.dtype), masses)
            again = read(rows, self._centres, weights, BACKENDS[self.backend])
        self.labels_ = again.labels.astype(np.intp)
        self.inertia_ = unit * max(0.0, weighed(again.nearest, weights) + weighed(squared_lengths(rows), weights))
        return self

    def predict(self, X: ArrayLike) -> Labels:  # noqa: N803 - scikit-learn's name
        """Give each row the label of its nearest centre."""
        check_is_fitted(self)
        rows, _ = self._checked(X, reset=False)
        with threadpool_limits(limits=1):
            return assign(self._moved(rows), self._centres, BACKENDS[self.backend])

    def transform(self, X: ArrayLike) -> Matrix:  # noqa: N803 - scikit-learn's name
        """Distances to the centres, shape (n_samples, n_clusters_)."""
        check_is_fitted(self)
        rows, _ = self._checked(X, reset=False)
        with threadpool_limits(limits=1):
            return np.sqrt(squared_distances(self._moved(rows), self._centres))

    def score(self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None) -> float:  # noqa: N803 - scikit-learn's signature
        """Minus the weighted sum of squared distances to the nearest centre."""
        check_is_fitted(self)
        rows = self._moved(self._checked(X, reset=False)[0])
        weights, unit = shares(sample_weight, len(rows))
        with threadpool_limits(limits=1):
            nearest = read(rows, self._centres).nearest
        return -unit * max(0.0, weighed(nearest, weights) + weighed(squared_lengths(rows), weights))

    def _checked(self, X: ArrayLike, *, reset: bool) -> tuple[Matrix, Matrix]:  # noqa: N803 - scikit-learn's name
        """Take rows as they are where their type can carry squares, float32 that cannot as float64; also their squared lengths."""
        rows: Matrix = validate_data(self, X, reset=reset, dtype=[np.float64, np.float32], order="C", ensure_all_finite=False)
        largest, lengths = largest_and_lengths(rows)
        if not np.isfinite(largest):
            assert_all_finite(rows, estimator_name=type(self).__name__, input_name="X")
        if rows.dtype == np.float32 and not (largest == 0 or 1 / SAFE <= largest <= SAFE):
            rows = rows.astype(np.float64)
            lengths = squared_lengths(rows)
        squarable(largest)
        return rows, lengths

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _origin(rows: Matrix) -> Matrix | None:
    """Find where rows lie that are far from the origin: squares would lose the digits that tell them apart."""
    probe = rows if len(rows) <= SAMPLE else rows[:: len(rows) // PROBE]  # so few are told by all, whatever their order
    middle = np.median(probe, axis=0)
    spread = np.median(np.abs(probe - middle), axis=0).max()
    return middle.astype(rows.dtype) if np.abs(middle).max() > NEAR * spread else None


def _drawn(rows: Matrix, weights: Weights | None, random: np.random.Generator) -> Labels:
    """Draw the rows on which k is chosen, in an order that is theirs, so that no order of rows matters where all are drawn."""
    if weights is None:
        drawn = np.arange(len(rows)) if len(rows) <= SAMPLE else np.sort(random.choice(len(rows), SAMPLE, replace=False, shuffle=False))
        return drawn[own_order(rows[drawn])]
    heavy = np.flatnonzero(weights > 0)
    heavy = heavy[own_order(rows[heavy])]
    heaped = np.cumsum(weights[heavy])
    worth = min(SAMPLE, max(1, round(heaped[-1] ** 2 / np.square(weights).sum())))
    chosen: Labels = heavy[np.searchsorted(heaped, (np.arange(worth) + 0.5) / worth * heaped[-1], side="right")]
    return chosen
