"""Where a search looks first: vectors in cells of their like, so that it reads some of them and not all.

Unit vectors flow in; cells flow out, and for a query the cells to read. Few vectors are one cell, which is read whole: then
the search is exact. In the cells that are read it always is.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from discovery.clustering.partition import polish

Vectors = NDArray[np.float64]
Ints = NDArray[np.int_]

EXACT = 20_000
"""Vectors up to which one cell holds all: reading them takes a few hundredths of a second."""
TAUGHT = 50
"""Vectors for each cell that its centre is learnt from; the rest only join the nearest."""
ROUNDS = 10
READ_SHARE = 0.1
"""Share of the cells that a search reads."""
AT_ONCE = 10_000
"""Vectors whose products with all centres are held at once."""


class Cells(NamedTuple):
    """Centres of shape (n_cells, n_dimensions), and the cell of each vector."""

    centres: Vectors
    labels: Ints


def cells(vectors: Vectors, *, seed: int) -> Cells:
    """Put vectors into cells: one up to 20,000, beyond that twice the square root of their number, by K-Means.

    Seeds and the sample that centres are learnt from are drawn from ``seed``; a vector joins the centre with the largest product.
    """
    n = len(vectors)
    if n <= EXACT:
        return Cells(vectors.mean(axis=0, keepdims=True) if n else np.zeros((0, vectors.shape[1])), np.zeros(n, dtype=np.int_))
    k = round(2 * n**0.5)
    drawn = np.random.default_rng(seed).permutation(n)[: TAUGHT * k]
    centres = polish(vectors[drawn], vectors[drawn[:k]], max_iter=ROUNDS).centres
    centres /= np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    nearest = [np.argmax(vectors[start : start + AT_ONCE] @ centres.T, axis=1) for start in range(0, n, AT_ONCE)]
    return Cells(centres, np.concatenate(nearest))


def to_read(centres: NDArray[np.float32], query: NDArray[np.float32]) -> Ints:
    """Choose the cells to read for a query, nearest centre first."""
    count = max(1, round(READ_SHARE * len(centres)))
    return np.argsort(-(centres @ query), kind="stable")[:count]
