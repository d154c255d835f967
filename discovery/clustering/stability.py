"""Does a partition come back? Resamples of the rows in; agreement between partitions out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from sklearn.metrics import adjusted_rand_score

from discovery.clustering.partition import Labels, Matrix, Partition, assign, distinct
from discovery.clustering.path import partition, partitions

STABLE = 0.75
"""Bootstrap Jaccard from which a cluster is stable (Hennig 2007, doi:10.1016/j.csda.2006.11.025)."""
LASTING = 0.6
"""The same from which it is doubtful; below it dissolves."""
ROWS = 2_000
"""Rows of a bootstrap resample at most."""

Standing = Literal["stable", "doubtful", "dissolved"]
Refit = Callable[[Labels], Labels]
"""Rows of a bootstrap in, some more than once; labels of the distinct ones, in their order, out."""
Halves = tuple[list[Partition], list[Partition], Labels, Labels]


def standing(jaccard: float) -> Standing:
    """Say how a cluster stands by its bootstrap Jaccard similarity; one that could not be measured dissolves."""
    return "stable" if jaccard >= STABLE else "doubtful" if jaccard >= LASTING else "dissolved"


def bootstrap_jaccard(matrix: Matrix, part: Partition, *, random: np.random.Generator, resamples: int) -> Matrix:
    """Ask bootstraps how well each cluster of K-Means comes back; see :func:`overlaps`.

    Each resample is fitted from the clusters themselves and from two fresh seedings, the best of which counts: what is asked
    is whether the optimum moves, not whether one start finds it.
    """

    def refit(rows: Labels) -> Labels:
        again = partition(matrix[rows], part.k, random=random, starts=(part.centres,), restarts=2)
        return assign(matrix[np.unique(rows)], again.centres)

    return overlaps(matrix, part.labels, part.k, refit, random=random, resamples=resamples)


def overlaps(  # noqa: PLR0913 - a partition, how it is made, and how often it is asked
    matrix: Matrix, labels: Labels, k: int, refit: Refit, *, random: np.random.Generator, resamples: int
) -> Matrix:
    """Mean Jaccard similarity of each cluster with the most similar one of a bootstrap's partition (Hennig 2007); shape (k,).

    Without resamples nothing is known: NaN.

    Args:
        matrix: The rows that were partitioned.
        labels: Label of each row, 0 to k − 1; -1 for one that is in no cluster.
        k: How many clusters.
        refit: Fits a bootstrap.
        random: Source of the bootstraps.
        resamples: How many.
    """
    if k == 1:
        return np.ones(1)
    if resamples == 0:
        return np.full(k, np.nan)
    total = np.zeros(k)
    seen = np.zeros(k)
    for _ in range(resamples):
        rows = random.integers(len(matrix), size=min(len(matrix), ROWS))
        drawn = np.unique(rows)
        if distinct(matrix[drawn], k) < k:
            seen += 1  # the resample cannot hold the partition: every cluster counts as dissolved
            continue
        similarity, present = best_jaccard(labels[drawn], refit(rows), k)
        total += similarity
        seen += present
    return total / np.maximum(seen, 1)


def weakest_jaccard(matrix: Matrix, path: Sequence[Partition], *, random: np.random.Generator, resamples: int) -> tuple[Matrix, Matrix]:
    """Bootstrap Jaccard of the least stable cluster for each k; without standard errors."""
    values = [bootstrap_jaccard(matrix, part, random=random, resamples=resamples).min() for part in path]
    return np.array(values), np.full(len(path), np.nan)


def best_jaccard(before: Labels, after: Labels, k: int) -> tuple[Matrix, Labels]:
    """Similarity of each of k old clusters to its best match, and whether it had any member in the resample.

    Rows in no cluster (-1) are no match, but count where the other side has them in one.
    """
    both = np.zeros((k + 1, int(after.max(initial=-1)) + 2))
    np.add.at(both, (before + 1, after + 1), 1)
    either = both.sum(axis=1, keepdims=True) + both.sum(axis=0, keepdims=True) - both
    similarity = (both / np.maximum(either, 1))[1:, 1:].max(axis=1, initial=0.0)
    return similarity, (both.sum(axis=1)[1:] > 0).astype(np.intp)


def halved(matrix: Matrix, k_max: int, *, random: np.random.Generator, restarts: int = 1) -> Halves:
    """Cut the rows in two at random and fit every k on each half: two paths and the rows of each half."""
    order = random.permutation(len(matrix))
    first, second = np.sort(order[: len(order) // 2]), np.sort(order[len(order) // 2 :])
    most = min(distinct(matrix[half], k_max) for half in (first, second))
    one, other = (partitions(matrix[half], most, random=random, restarts=restarts) for half in (first, second))
    return one, other, first, second


def split_half_agreement(matrix: Matrix, halves: Sequence[Halves], k_max: int) -> tuple[Matrix, Matrix]:
    """Adjusted Rand index between the partitions that two halves give to all rows, for each k: mean and standard error."""
    drawn = np.full((len(halves), k_max), np.nan)
    for row, (one, other, _, _) in enumerate(halves):
        for a, b in zip(one, other, strict=True):
            drawn[row, a.k - 1] = adjusted_rand_score(assign(matrix, a.centres), assign(matrix, b.centres))
    return _summed_up(drawn)


def prediction_strength(matrix: Matrix, halves: Sequence[Halves], k_max: int) -> tuple[Matrix, Matrix]:
    """Prediction strength (Tibshirani & Walther 2005) for each k: mean over both directions of all halvings, standard error."""
    drawn = np.full((2 * len(halves), k_max), np.nan)
    for row, (one, other, first, second) in enumerate(halves):
        for a, b in zip(one, other, strict=True):
            drawn[2 * row, a.k - 1] = strength(assign(matrix[second], a.centres), b.labels, a.k)
            drawn[2 * row + 1, a.k - 1] = strength(assign(matrix[first], b.centres), a.labels, a.k)
    return _summed_up(drawn)


def strength(predicted: Labels, own: Labels, k: int) -> float:
    """Share of pairs of a cluster that the other half's centres keep together, in the worst cluster."""
    table = np.zeros((k, k))
    np.add.at(table, (own, predicted), 1)
    sizes = table.sum(axis=1)
    together = (table * (table - 1)).sum(axis=1)
    return float((together / np.maximum(sizes * (sizes - 1), 1)).min())


def _summed_up(drawn: Matrix) -> tuple[Matrix, Matrix]:
    """Mean and standard error of each column; NaN where a draw could not fit that k."""
    return drawn.mean(axis=0), drawn.std(axis=0) / np.sqrt(len(drawn))
