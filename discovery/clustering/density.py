"""HDBSCAN as an estimator: clusters are regions denser than what lies between them. Rows in, labels out, or none where none are real."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.spatial.distance import cdist
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin
from sklearn.metrics import pairwise_distances_argmin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

from discovery.clustering.choice import Structure, separated, spread
from discovery.clustering.given import squarable, whole_numbers
from discovery.clustering.partition import Labels, Matrix, Partition, assign, largest_and_lengths, own_order
from discovery.clustering.regions import NOISE, dense, neighbours_of, stability, sure
from discovery.clustering.saved import Saved
from discovery.clustering.selection import RESAMPLE
from discovery.clustering.stability import LASTING

SAMPLE = 10_000
"""Rows that density is looked for in at most; all others are placed by them."""
BLOCK = 1 << 22
"""Distances of one block of rows at most."""
ROUNDING = 1e-9
"""Share by which two ways to the same distance may differ."""


class AutoHDBSCAN(Saved, ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn is untyped
    """HDBSCAN whose clusters hold max(5, 2 %) of the rows or more, and which says "none" unless they are real.

    Real are clusters of which two come back in bootstraps (Jaccard .6) and that show the valley of density that AutoKMeans asks for;
    or of which two come back nearly whole (.95). Otherwise all rows are one cluster. A continuum is never cut into segments.

    Args:
        k_max: Most clusters; where there are more, the least size is doubled until there are not.
        random_state: Seed of the resamples; the clusters depend on it only beyond 10,000 rows, of which a sample is drawn, and where
            whole numbers are spread over their intervals.
        n_resamples: Resamples behind ``confidence_`` and ``stability_``.

    Attributes:
        n_clusters_: How many clusters there are; 1 where the structure is "none".
        structure_: "clusters" or "none".
        labels_: Label of each row, the largest cluster first; -1 for a row in no dense region.
        cluster_centers_: Means of the members, shape (n_clusters_, n_features); they need not lie inside.
        reach_: How far from its nearest member (in mutual reachability distance) a row may lie to belong to a cluster: as far as the
            sparsest member lies from its neighbours. Infinite where there is one cluster.
        criteria_: Empty: there is no range of k to draw curves over.
        votes_: Empty as well.
        confidence_: Share of subsamples of four fifths that find as many clusters, or, of "none", that show no valley.
        stability_: Mean bootstrap Jaccard similarity of each cluster.
    """

    def __init__(self, k_max: int = 20, *, random_state: int | np.random.RandomState | None = None, n_resamples: int = 20) -> None:
        self.k_max = k_max
        self.random_state = random_state
        self.n_resamples = n_resamples

    def fit(self, X: ArrayLike, y: object = None) -> Self:  # noqa: N803 - scikit-learn's signature
        """Find the clusters; ``y`` is ignored.

        Raises:
            ValueError: ``k_max`` or ``n_resamples`` is no whole number of at least 1, or values are not finite, too large or too small.
        """
        whole_numbers(k_max=self.k_max, n_resamples=self.n_resamples)
        if min(self.k_max, self.n_resamples) < 1:
            raise ValueError(f"k_max={self.k_max} and n_resamples={self.n_resamples} must both be at least 1.")
        rows = self._checked(X, reset=True)
        random = np.random.default_rng(check_random_state(self.random_state).randint(2**31))
        drawn = np.arange(len(rows)) if len(rows) <= SAMPLE else np.sort(random.choice(len(rows), SAMPLE, replace=False))
        drawn = drawn[own_order(rows[drawn])]
        with threadpool_limits(limits=1):
            self._fit(rows[drawn], random)
        self.criteria_ = pd.DataFrame(columns=["criterion", "k", "value", "error"])
        self.votes_: dict[str, int] = {}
        if len(drawn) < len(rows):
            self.labels_ = self.predict(rows)
        else:
            self.labels_ = np.empty_like(self._known)
            self.labels_[drawn] = self._known
        return self

    def _fit(self, rows: Matrix, random: np.random.Generator) -> None:
        """Find the clusters of the sample, and whether they are real; keep what places other rows."""
        some = spread(rows, random)
        labels = dense(some, self.k_max)
        k = int(labels.max()) + 1
        self.stability_ = stability(some, labels, self.k_max, random=random, resamples=self.n_resamples)
        real = sure(self.stability_) or (np.sum(self.stability_ >= LASTING) > 1 and _apart(some, labels, random))
        self.confidence_ = self._confidence(some, k if real else 1, random)
        if not real:
            labels, self.stability_ = np.zeros(len(rows), dtype=np.intp), np.ones(1)
        self.structure_: Structure = "clusters" if real else "none"
        self.n_clusters_ = self._n_features_out = k if real else 1
        self.cluster_centers_ = _means(rows, labels)
        self._rows, self._known, self._neighbours = rows, labels, neighbours_of(len(rows))
        self._sparsity = np.concatenate([self._cores(far) for far in self._far(rows)])
        widest = [self._sparsity[labels == label].max() for label in range(self.n_clusters_)]
        self.reach_ = np.array(widest) * (1 + ROUNDING) if real else np.full(1, np.inf)

    def _confidence(self, rows: Matrix, k: int, random: np.random.Generator) -> float:
        size = min(RESAMPLE, max(1, int(0.8 * len(rows))))
        same = []
        for _ in range(self.n_resamples):
            some = rows[np.sort(random.choice(len(rows), size, replace=False))]
            found = dense(some, self.k_max)
            same.append(found.max() + 1 == k if k > 1 else found.max() < 1 or not _apart(some, found, random))
        return float(np.mean(same))

    def predict(self, X: ArrayLike) -> Labels:  # noqa: N803 - scikit-learn's name
        """Give each row the label of the cluster whose members it is nearest to, -1 beyond that cluster's ``reach_``."""
        distances = self.transform(X)
        labels: Labels = distances.argmin(axis=1)
        labels[distances[np.arange(len(labels)), labels] > self.reach_[labels]] = NOISE
        return labels

    def transform(self, X: ArrayLike) -> Matrix:  # noqa: N803 - scikit-learn's name
        """Mutual reachability distance to each cluster's nearest member, shape (n_samples, n_clusters_).

        Between two rows it is their distance, or that of either to its neighbours where this is larger: of a member to its own
        cluster it tells how sparse it is around it, the less the more typical.
        """
        check_is_fitted(self)
        rows = self._checked(X, reset=False)
        return np.concatenate([self._to_clusters(far) for far in self._far(rows)])

    def _to_clusters(self, far: Matrix) -> Matrix:
        reached = np.maximum(np.maximum(far, self._cores(far)[:, None]), self._sparsity)
        return np.stack([reached[:, self._known == label].min(axis=1) for label in range(self.n_clusters_)], axis=1)

    def _cores(self, far: Matrix) -> Matrix:
        """Distance of each row to the last of the neighbours that tell density, itself among them where it was fitted."""
        cores: Matrix = np.partition(far, self._neighbours - 1, axis=1)[:, self._neighbours - 1]
        return cores

    def _far(self, rows: Matrix) -> Iterator[Matrix]:
        """Distances from a block of rows to the fitted ones at a time."""
        step = max(1, BLOCK // len(self._rows))
        for start in range(0, len(rows), step):
            yield cdist(rows[start : start + step], self._rows)

    def _checked(self, X: ArrayLike, *, reset: bool) -> Matrix:  # noqa: N803 - scikit-learn's name
        rows: Matrix = validate_data(self, X, reset=reset, dtype=np.float64, order="C")
        squarable(largest_and_lengths(rows)[0])
        return rows


def again(matrix: Matrix, rows: Matrix, labels: Labels) -> Labels:
    """Give other rows the cluster of the fitted row that each is nearest to: clusters stay what they are."""
    found: Labels = labels[pairwise_distances_argmin(matrix, rows)]
    return found


def _means(rows: Matrix, labels: Labels) -> Matrix:
    return np.stack([rows[labels == label].mean(axis=0) for label in range(labels.max() + 1)])


def _apart(rows: Matrix, labels: Labels, random: np.random.Generator) -> bool:
    """Tell whether there is a valley between any two groups of the clusters, every row counted to the nearest mean."""
    centres = _means(rows, labels)
    part = Partition(centres, assign(rows, centres), float("nan"))
    return separated(rows, part, random)
