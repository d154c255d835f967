"""Above the clusters: which of them are near each other, as a hierarchy of merges. Centres and sizes in, merges out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from discovery.clustering.partition import Matrix

COLUMNS = ["step", "first", "second", "height", "communities"]


def ward(centres: Matrix, sizes: Sequence[int]) -> pd.DataFrame:
    """Merge clusters by Ward's criterion, each weighing as many communities as it has.

    Two nodes of n and m communities at distance d merge at height d · √(2nm / (n + m)), the root of twice what the sum of squares
    inside groups grows by (``ward.D2`` of Murtagh & Legendre 2014, doi:10.1007/s00357-014-9161-z). So the merges are those that
    Ward's linkage over all communities would make once every cluster was one node, whatever k is: O(k³).

    Args:
        centres: Shape (k, n_dimensions), in the prepared space.
        sizes: Communities of each cluster, at least one each.

    Returns:
        One row per merge, the nearest first: step (from 1), first and second (cluster 0 … k − 1, or k − 1 + s for what step s
        made; the larger first, ties to the smaller number), height and communities. No row for fewer than two clusters.
    """
    points, weights = centres - centres.mean(axis=0) if len(centres) else centres, np.array(sizes, dtype=np.float64)
    numbers = list(range(len(points)))
    merges = []
    for step in range(1, len(points)):
        squared = _squared_heights(points, weights)
        i, j = sorted(np.unravel_index(int(squared.argmin()), squared.shape), key=lambda at: (-weights[at], numbers[at]))
        merges.append((step, numbers[i], numbers[j], float(np.sqrt(squared[i, j])), int(weights[i] + weights[j])))
        points[i] = np.average(points[[i, j]], axis=0, weights=weights[[i, j]])
        weights[i] += weights[j]
        numbers[i] = len(sizes) - 1 + step
        points, weights, numbers = np.delete(points, j, axis=0), np.delete(weights, j), numbers[:j] + numbers[j + 1 :]
    return pd.DataFrame(merges, columns=COLUMNS)


def _squared_heights(points: Matrix, weights: Matrix) -> Matrix:
    """Squared height at which each two nodes would merge, shape (k, k); infinite on the diagonal."""
    gram = points @ points.T
    lengths = np.diag(gram)
    squared = np.maximum(lengths[:, None] + lengths[None, :] - 2 * gram, 0.0)
    heights: Matrix = squared * 2 * np.outer(weights, weights) / np.add.outer(weights, weights)
    np.fill_diagonal(heights, np.inf)
    return heights
