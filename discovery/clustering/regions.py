"""Regions denser than what lies between them, of any shape (HDBSCAN, Campello, Moulavi & Sander 2013). Rows in, labels out.

The labels are scikit-learn's. What is added: how large a region must be, whether regions are real, and whether K-Means can follow them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from sklearn.cluster import HDBSCAN
from sklearn.metrics import adjusted_rand_score

from discovery.clustering.partition import Labels, Matrix, Partition
from discovery.clustering.stability import overlaps

NOISE = -1
NEIGHBOURS = 10
"""Rows by which density is told around each, itself among them; fewer where fewer make a cluster."""
SURE = 0.95
"""Bootstrap Jaccard from which two regions are real, whatever lies on the line between their means. The largest of some 3,000 draws of
fifteen shapes without structure was .89 (docs/clustering.md)."""
FOLLOWED = 0.1
"""Adjusted Rand index with the regions from which K-Means follows them: below it, as many means cut right across them all."""
ROWS = 2_000
"""Rows that are looked at for a count of regions at most."""
WIDE = 20
"""Columns beyond which all distances between so many rows are found sooner than a tree searches them."""


class Regions(NamedTuple):
    """The regions of some rows of a matrix."""

    rows: Labels
    """Which rows were looked at."""
    labels: Labels
    """Region of each, the largest 0, and -1 for a row in none."""
    real: bool
    """Whether two of them come back nearly whole in bootstraps."""

    def count(self, path: list[Partition]) -> int:
        """Tell how many kinds they are for K-Means: their number, or 1 where they are not real or as many means cut across them."""
        number = int(self.labels.max(initial=NOISE)) + 1
        if not self.real or not 2 <= number <= len(path):
            return 1
        inside = self.labels != NOISE
        followed = adjusted_rand_score(self.labels[inside], path[number - 1].labels[self.rows[inside]]) >= FOLLOWED
        return number if followed else 1


def least_size(n: int) -> int:
    """Members that a cluster of n rows must have."""
    return max(5, int(np.ceil(0.02 * n)))


def neighbours_of(n: int) -> int:
    """Give the neighbours by which density is told among n rows."""
    return min(n, least_size(n), NEIGHBOURS)


def dense(rows: Matrix, k_max: int) -> Labels:
    """Label the rows by region, the largest 0 and noise -1: at most ``k_max`` regions of max(5, 2 %) rows each."""
    size = least_size(len(rows))
    labels = np.full(len(rows), NOISE, dtype=np.intp)
    search = "brute" if len(rows) <= ROWS and rows.shape[1] > WIDE else "auto"
    while 2 * size <= len(rows):
        model = HDBSCAN(min_cluster_size=size, min_samples=neighbours_of(len(rows)), algorithm=search, copy=True)
        labels = model.fit(rows).labels_.astype(np.intp)
        if labels.max() < k_max:
            break
        size *= 2
        labels = np.full(len(rows), NOISE, dtype=np.intp)
    sizes = np.bincount(labels[labels != NOISE], minlength=labels.max() + 1)
    places = np.append(np.argsort(np.argsort(-sizes, kind="stable"), kind="stable"), NOISE)
    return places[labels]


def stability(rows: Matrix, labels: Labels, k_max: int, *, random: np.random.Generator, resamples: int) -> Matrix:
    """Mean Jaccard similarity of each region with the most similar one of a bootstrap, shape (n_regions,); 1 for all rows together."""
    number = int(labels.max(initial=NOISE)) + 1
    if number < 2:
        return np.ones(1)

    def refit(drawn: Labels) -> Labels:
        return dense(rows[np.unique(drawn)], k_max)

    return overlaps(rows, labels, number, refit, random=random, resamples=resamples)


def sure(jaccard: Matrix) -> bool:
    """Tell whether two regions come back nearly whole."""
    return bool(len(jaccard) > 1 and np.sort(jaccard)[-2] >= SURE)


def regions(matrix: Matrix, k_max: int, *, random: np.random.Generator, resamples: int) -> Regions:
    """Look for regions among (a sample of) the rows, and ask bootstraps whether they are real."""
    drawn = np.arange(len(matrix)) if len(matrix) <= ROWS else np.sort(random.choice(len(matrix), ROWS, replace=False))
    some = matrix[drawn]
    labels = dense(some, k_max)
    return Regions(drawn, labels, sure(stability(some, labels, k_max, random=random, resamples=resamples)))
