"""AutoKMeans: K-Means that chooses how many clusters there are, none included. A finite matrix in, labels and the reasons out."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

from discovery.clustering.choice import QUICK, THOROUGH, Choice, Curves, Effort, choose, curves, references, separated
from discovery.clustering.criteria import inertia
from discovery.clustering.partition import (
    Labels,
    Matrix,
    Partition,
    assign,
    carried,
    distinct,
    partition,
    partitions,
    polish,
    squared_distances,
)
from discovery.clustering.stability import bootstrap_jaccard

SAMPLE = 20_000
"""Rows on which k is chosen at most; the chosen k is then polished on all of them."""
RESAMPLE = 2_000
"""Rows of each resample behind the confidence at most."""
STABLE = 0.6
"""Bootstrap Jaccard below which a cluster is dissolved (Hennig 2007)."""
LARGEST = 1e100
"""Squares of larger values would overflow."""
KEEP = 0.8
"""Share of resamples that a new k must win to replace the last one."""


class AutoKMeans(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn is untyped
    """K-Means with the number of clusters chosen by five criteria, a test for valleys of density, and resampling.

    Args:
        k_min: Smallest k considered. With 1, finding no structure is a legal answer.
        k_max: Largest k considered; never more than the square root of half the rows.
        allow_segments: Offer a stable cut of a continuum where there are no separated clusters.
        random_state: Seed; the same seed gives the same result with any number of threads.
        last_k: The k of the last fit on similar rows: kept unless another one wins in 80 % of the resamples.
        n_resamples: Resamples behind ``confidence_`` and half of those behind the stability of each candidate.

    Attributes:
        n_clusters_: The chosen k.
        structure_: "clusters" (separated), "segments" (a stable cut of a continuum) or "none".
        labels_: Label of each row; labels are ordered by size, the largest first.
        cluster_centers_: Shape (n_clusters_, n_features).
        inertia_: Sum of squared distances to the own centre.
        criteria_: Every curve: criterion, k, value, error (standard error, NaN where there is none).
        votes_: The k that each criterion speaks for.
        confidence_: Share of resamples in which the same k and structure win.
        stability_: Mean bootstrap Jaccard similarity of each cluster.
    """

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
            ValueError: the range of k is empty, there are fewer rows than ``k_min``, or a value is not finite or beyond 1e100.
        """
        rows = self._checked(X, reset=True)
        if not 1 <= self.k_min <= self.k_max:
            raise ValueError(f"k_min={self.k_min} and k_max={self.k_max} leave no k: 1 <= k_min <= k_max is needed.")
        if len(rows) < self.k_min:
            raise ValueError(f"n_samples={len(rows)} should be >= k_min={self.k_min}: add rows or lower k_min.")
        seed = check_random_state(self.random_state).randint(2**31)
        with threadpool_limits(limits=1):
            self._fit(rows, np.random.default_rng(seed))
        return self

    def _fit(self, rows: Matrix, random: np.random.Generator) -> None:
        sample = rows if len(rows) <= SAMPLE else rows[np.sort(random.choice(len(rows), SAMPLE, replace=False))]
        most = max(self.k_min, int(np.sqrt(len(rows) / 2)), 1)
        k_max = min(self.k_max, most, distinct(sample))
        path = partitions(sample, k_max, random=random, restarts=THOROUGH.restarts)
        if len(path) == 1:
            found, jaccard, choice, self.confidence_ = _lone(path), np.ones(1), Choice(1, "none", {}), 1.0
        else:
            found, jaccard, choice = self._searched(sample, path, random)
        self._adopt(rows, path[choice.k - 1], random)
        self.n_clusters_, self.structure_, self.votes_ = choice.k, choice.structure, dict(choice.votes)
        self.criteria_ = _table(found, jaccard)

    def _searched(self, sample: Matrix, path: list[Partition], random: np.random.Generator) -> tuple[Curves, Matrix, Choice]:
        """Draw the curves, choose, and ask the resamples."""
        found = self._curves(sample, path, random, THOROUGH)
        candidates, jaccard = self._candidates(sample, path, random)
        choice = self._choose(found, candidates)
        wins = self._resampled(sample, path[: max(choice.k, self.last_k or 1, *choice.votes.values()) + 1], candidates, random)
        if choice.structure == "clusters" and 2 * sum(win.structure == "clusters" for win in wins) < len(wins):
            choice = self._choose(found, candidates, allow_clusters=False)  # a valley that most resamples do not show is no find
        lasting = frozenset(k for k in candidates if (choice.structure == "clusters") == separated(found, k))
        choice, self.confidence_ = self._keep(choice, wins, lasting)
        return found, jaccard, choice

    def _curves(self, rows: Matrix, path: list[Partition], random: np.random.Generator, effort: Effort) -> Curves:
        drawn = references(rows, len(path), random=random, effort=effort)
        return curves(rows, path, references=drawn, random=random, effort=effort)

    def _candidates(self, rows: Matrix, path: list[Partition], random: np.random.Generator) -> tuple[frozenset[int], Matrix]:
        """Keep each k whose smallest cluster has max(5, 2 %) members and whose every cluster comes back in bootstraps."""
        weakest = np.full(len(path), np.nan)
        for part in path:
            if part.sizes.min() >= least_size(len(rows)):
                weakest[part.k - 1] = bootstrap_jaccard(rows, part, random=random, resamples=max(1, self.n_resamples // 2)).min()
        return frozenset(int(k) for k in np.flatnonzero(weakest >= STABLE) + 1), weakest

    def _choose(self, found: Curves, candidates: frozenset[int], *, allow_clusters: bool = True) -> Choice:
        large = frozenset(k for k in candidates if k <= found.k_max)
        return choose(found, candidates=large, k_min=self.k_min, allow_segments=self.allow_segments, allow_clusters=allow_clusters)

    def _resampled(self, rows: Matrix, path: list[Partition], candidates: frozenset[int], random: np.random.Generator) -> list[Choice]:
        """Choose again on subsamples of four fifths of the rows, 2,000 at most; from the known centres, against shared references."""
        size = min(RESAMPLE, max(1, int(0.8 * len(rows))))
        drawn = references(rows, len(path), random=random, effort=QUICK)
        choices = []
        for _ in range(self.n_resamples):
            some = rows[np.sort(random.choice(len(rows), size, replace=False))]
            again = carried(some, path[: distinct(some)])
            choices.append(self._choose(curves(some, again, references=drawn, random=random, effort=QUICK), candidates))
        return choices

    def _keep(self, choice: Choice, wins: list[Choice], lasting: frozenset[int]) -> tuple[Choice, float]:
        """Count how often the choice wins; keep the last k, if it is one of the lasting, unless the new one wins clearly."""
        share = _share(choice, wins)
        last = self.last_k
        if last in (None, choice.k) or last not in lasting or choice.k == 1 or share >= KEEP:
            return choice, share
        kept = Choice(last, choice.structure, choice.votes)
        return kept, _share(kept, wins)

    def _adopt(self, rows: Matrix, start: Partition, random: np.random.Generator) -> None:
        """Polish the chosen partition on all rows and order its labels."""
        fresh = partition(rows, start.k, random=random, starts=(start.centres,), restarts=2)
        best = polish(rows, fresh.centres)
        labels = assign(rows, best.centres)
        sizes = np.bincount(labels, minlength=best.k)
        order = sorted(range(best.k), key=lambda label: (-sizes[label], *best.centres[label]))
        self.cluster_centers_ = best.centres[order]
        self.labels_ = assign(rows, self.cluster_centers_)
        self.inertia_ = float(squared_distances(rows, self.cluster_centers_).min(axis=1).sum())
        self._n_features_out = best.k
        part = Partition(self.cluster_centers_, self.labels_, self.inertia_)
        self.stability_ = bootstrap_jaccard(rows, part, random=random, resamples=max(1, self.n_resamples))

    def predict(self, X: ArrayLike) -> Labels:  # noqa: N803 - scikit-learn's name
        """Give each row the label of its nearest centre."""
        nearest: Labels = self._distances(X).argmin(axis=1)
        return nearest

    def transform(self, X: ArrayLike) -> Matrix:  # noqa: N803 - scikit-learn's name
        """Distances to the centres, shape (n_samples, n_clusters_)."""
        return np.sqrt(self._distances(X))

    def score(self, X: ArrayLike, y: object = None) -> float:  # noqa: N803 - scikit-learn's signature
        """Minus the sum of squared distances to the nearest centre."""
        return -float(self._distances(X).min(axis=1).sum())

    def _distances(self, X: ArrayLike) -> Matrix:  # noqa: N803 - scikit-learn's name
        check_is_fitted(self)
        rows = self._checked(X, reset=False)
        with threadpool_limits(limits=1):
            return squared_distances(rows, self.cluster_centers_)

    def _checked(self, X: ArrayLike, *, reset: bool) -> Matrix:  # noqa: N803 - scikit-learn's name
        rows: Matrix = validate_data(self, X, reset=reset, dtype=np.float64)
        if (largest := float(np.abs(rows).max())) > LARGEST:
            raise ValueError(f"a value of {largest:.3g} cannot be squared safely: scale the matrix to at most {LARGEST:.0e} first.")
        return rows

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags


def least_size(n: int) -> int:
    """Members that the smallest cluster of a candidate must have, of n rows."""
    return max(5, int(np.ceil(0.02 * n)))


def _share(choice: Choice, wins: list[Choice]) -> float:
    return sum((win.k, win.structure) == (choice.k, choice.structure) for win in wins) / max(len(wins), 1)


def _lone(path: list[Partition]) -> Curves:
    """Tell of the only k that was possible."""
    return Curves({"inertia": inertia(path)}, {}, path[0].sizes)


def _table(found: Curves, jaccard: Matrix) -> pd.DataFrame:
    """Tell every point of every curve that is defined."""
    named = {**found.values, "bootstrap_jaccard": jaccard}
    frames = [
        pd.DataFrame({"criterion": name, "k": np.arange(1, len(value) + 1), "value": value, "error": found.errors.get(name, np.nan)})
        for name, value in sorted(named.items())
    ]
    return pd.concat(frames, ignore_index=True).dropna(subset="value").reset_index(drop=True)
