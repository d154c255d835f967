"""Where a search looks first: vectors in cells of their like, so that it reads some of them and not all.

Unit vectors and their groups flow in; cells flow out, and for a query the cells to read. Few vectors are all read: then the search is
exact. In the cells that are read it always is.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from discovery.clustering.partition import polish

Vectors = NDArray[np.float64]
Ints = NDArray[np.int_]

EXACT = 20_000
"""Vectors that every search reads, if there are so many: that takes a few hundredths of a second."""
READ_SHARE = 0.1
"""Share of the vectors that it reads where that is more."""
TAUGHT = 50
"""Vectors for each cell that its centre is learnt from; the rest only join the nearest."""
ROUNDS = 10
AT_ONCE = 10_000
"""Vectors whose products with all centres are held at once."""


class Cells(NamedTuple):
    """Centres of shape (n_cells, n_dimensions), and the cell of each vector."""

    centres: Vectors
    labels: Ints


def cells(vectors: Vectors, groups: Ints, *, seed: int) -> Cells:
    """Put vectors into cells: each group is one; the others are one where all are read anyway, else cells of their like.

    Args:
        vectors: Of length one, or zero.
        groups: The group of each vector, from 0 on without a gap; -1 for none.
        seed: Draws the first centres of the others, and the sample that K-Means learns them from.
    """
    labels = groups.copy()
    others = np.flatnonzero(groups < 0)
    first = int(groups.max(initial=-1)) + 1
    if len(others):
        labels[others] = first + (0 if len(vectors) <= EXACT else _kinds(vectors[others], seed=seed))
    sums = np.zeros((int(labels.max(initial=-1)) + 1, vectors.shape[1]))
    np.add.at(sums, labels, vectors)
    return Cells(_directions(sums), labels)


def _kinds(vectors: Vectors, *, seed: int) -> Ints:
    """Number cells of like vectors, twice the root of their number at most: a vector joins the centre with the largest product."""
    k = round(2 * len(vectors) ** 0.5)
    drawn = np.random.default_rng(seed).permutation(len(vectors))[: TAUGHT * k]
    centres = _directions(polish(vectors[drawn], vectors[drawn[:k]], max_iter=ROUNDS).centres)
    nearest = [np.argmax(vectors[start : start + AT_ONCE] @ centres.T, axis=1) for start in range(0, len(vectors), AT_ONCE)]
    return np.unique(np.concatenate(nearest), return_inverse=True)[1]


def _directions(rows: Vectors) -> Vectors:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.finfo(np.float32).tiny))


def to_read(centres: NDArray[np.float32], sizes: NDArray[np.int32], query: NDArray[np.float32]) -> Ints:
    """Choose the cells to read for a query, nearest centre first, until a tenth of the vectors is read and 20,000 of them."""
    order = np.argsort(-(centres @ query), kind="stable")
    before = np.cumsum(sizes[order]) - sizes[order]
    return order[before < max(EXACT, READ_SHARE * int(sizes.sum()))]
