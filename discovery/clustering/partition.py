"""One matrix in, one partition out: K-Means from given centres, read in blocks of rows.

The number of threads changes no bit: blocks are fixed by the shape, each is one thread's, and they are added up in their order.
Nothing of rows × clusters is kept but for one block. Rows should lie around the origin (``AutoKMeans`` moves them there): squared
distances are taken from products, which lose the digits of what all rows have in common.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from threading import current_thread
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Matrix = NDArray[Any]
"""float32 or float64; a computation keeps the type of its rows."""
Labels = NDArray[np.intp]
Weights = NDArray[np.float64]

ROUGH = 3e-5
"""Share of the inertia that an iteration must gain for another one to follow, in fits that only feed a criterion."""
FINE = 1e-6
"""The same for fits that are kept."""
BLOCK = 1 << 19
"""Numbers of one block at most: two megabytes in float32."""
ROWS = 5_000
"""Rows of one block at most."""
NARROW = 32
"""Columns below which sums by a dense product are quicker than by a sparse one."""
THREADS = "clustering"
EATEN = 1e4
"""Roundings of the squared lengths of the centres below which an inertia has no digits of its own."""


class Partition(NamedTuple):
    """Centres of shape (k, d), labels of shape (n,), and the weighted sum of squared distances to the own centre."""

    centres: Matrix
    labels: Labels
    inertia: float

    @property
    def k(self) -> int:
        """How many clusters it has."""
        return len(self.centres)

    @property
    def sizes(self) -> NDArray[np.intp]:
        """Members of each cluster."""
        return np.bincount(self.labels, minlength=self.k)


class Reading(NamedTuple):
    """What one reading of all rows tells of some centres."""

    labels: NDArray[np.int32]
    nearest: Matrix
    """Squared distance of each row to its centre less the row's own squared length, shape (n,)."""
    sums: Matrix
    """Weighted sum of the rows of each cluster, shape (k, d)."""
    masses: Weights
    """Weight of each cluster, shape (k,)."""


class Placing(NamedTuple):
    """Room for the nearest centre of every row, and what fills a block of it."""

    labels: NDArray[np.int32]
    nearest: Matrix
    """As :class:`Reading` has it."""
    place: Callable[[slice], None]


Backend = Callable[[Matrix, Matrix], Placing]
"""What finds the nearest centres: rows and centres in. It is told a slice of the rows at a time, by several threads."""


def placing(matrix: Matrix, centres: Matrix) -> Placing:
    """Find the nearest centres by one product a block."""
    labels, nearest = np.empty(len(matrix), dtype=np.int32), np.empty(len(matrix), dtype=matrix.dtype)
    factor, lengths = -2 * centres.T, squared_lengths(centres)

    def place(rows: slice) -> None:
        distances = matrix[rows] @ factor  # rows first: the other way round the product takes twice as long
        distances += lengths
        label = distances.argmin(axis=1)
        labels[rows], nearest[rows] = label, distances[np.arange(len(label)), label]

    return Placing(labels, nearest, place)


def whole(matrix: Matrix) -> Partition:
    """Take everything as one cluster."""
    centre = matrix.mean(axis=0, keepdims=True)
    return Partition(centre, np.zeros(len(matrix), dtype=np.intp), float(np.square(matrix - centre, dtype=np.float64).sum()))


def polish(  # noqa: PLR0913 - the rows, where to start, and when to stop
    matrix: Matrix,
    start: Matrix,
    *,
    weights: Weights | None = None,
    lengths: Matrix | None = None,
    tol: float = FINE,
    max_iter: int = 300,
    backend: Backend = placing,
) -> Partition:
    """Run Lloyd's algorithm from given centres until moving them gains less than ``tol`` of the inertia.

    A cluster that loses its last member starts anew at the row worst served. Where every row lies on its centre there are fewer
    distinct rows than clusters, and it stays empty.

    Args:
        matrix: The rows, shape (n, d).
        start: Centres to start from, shape (k, d).
        weights: Weight of each row; all the same without.
        lengths: Squared lengths of the rows, where they are known.
        tol: Share of the inertia.
        max_iter: Most readings of the rows.
        backend: What finds the nearest centres.
    """
    lengths = squared_lengths(matrix) if lengths is None else lengths
    total = weighed(lengths, weights)
    centres = start.astype(matrix.dtype)
    for _ in range(max_iter):
        found = read(matrix, centres, weights, backend)
        moved = _moved(matrix, centres, found, lengths)
        gain = float(found.masses @ np.square(moved - centres, dtype=np.float64).sum(axis=1))
        inertia = total + weighed(found.nearest, weights)
        if (gain <= tol * inertia and (found.masses > 0).all()) or np.array_equal(moved, centres):
            break
        centres = moved
    else:
        found = read(matrix, centres, weights, backend)
        inertia = total + weighed(found.nearest, weights)
    labels = found.labels.astype(np.intp)
    if inertia < EATEN * float(np.finfo(matrix.dtype).eps) * total:  # then take it again, from the differences themselves
        inertia = weighed(np.square(matrix - centres[labels], dtype=np.float64).sum(axis=1), weights)
    return Partition(centres, labels, inertia)


def assign(matrix: Matrix, centres: Matrix, backend: Backend = placing) -> Labels:
    """Give each row its nearest centre; ties go to the lower label."""
    labels, _, place = backend(matrix, centres)
    _over_blocks(len(matrix), max(centres.shape), place)
    return labels.astype(np.intp)


def distinct(matrix: Matrix, most: int) -> int:
    """Count the distinct rows, as far as ``most``."""
    some = matrix[:: max(1, len(matrix) // (8 * most))]
    return most if len(np.unique(some, axis=0)) >= most else min(most, len(np.unique(matrix, axis=0)))


def own_order(matrix: Matrix) -> Labels:
    """Put rows in an order that is theirs, by two irrational mixtures of their columns, each from its least value on."""
    low, at = matrix.min(axis=0), np.arange(1, matrix.shape[1] + 1)

    def one(rows: slice) -> tuple[Matrix, Matrix]:
        x = matrix[rows].astype(np.float64) - low
        return np.einsum("ij,j->i", x, np.cos(at)), np.einsum("ij,j->i", x, np.cos(2.0 * at))

    first, second = zip(*_over_blocks(len(matrix), matrix.shape[1], one), strict=True)
    order: Labels = np.lexsort((np.concatenate(second), np.concatenate(first)))
    return order


def magnitude(values: Matrix) -> int:
    """Give the power of two above the largest absolute value: squares of what is divided by it are far from the ends of floats."""
    return int(np.frexp(np.abs(values).max(initial=0.0))[1])


def largest_and_lengths(matrix: Matrix) -> tuple[float, Matrix]:
    """Largest absolute value, not finite where any is not, and the squared length of each row, shape (n,), in one reading."""

    def one(rows: slice) -> tuple[Any, Matrix]:
        x = matrix[rows]
        with np.errstate(over="ignore", invalid="ignore"):
            return np.maximum(x.max(), -x.min()), np.einsum("ij,ij->i", x, x)

    largest, lengths = zip(*_over_blocks(len(matrix), matrix.shape[1], one), strict=True)
    return float(np.max(largest)), np.concatenate(lengths)


def weighed(values: Matrix, weights: Weights | None) -> float:
    """Add values up by their weights, in float64."""
    return float(values.sum(dtype=np.float64) if weights is None else values @ weights)


def squared_lengths(matrix: Matrix) -> Matrix:
    """Squared length of each row, shape (n,)."""
    parts = _over_blocks(len(matrix), matrix.shape[1], lambda rows: np.einsum("ij,ij->i", matrix[rows], matrix[rows]))
    lengths: Matrix = np.concatenate(parts)
    return lengths


def squared_distances(matrix: Matrix, centres: Matrix) -> Matrix:
    """Squared Euclidean distances, shape (n, k)."""
    squared: Matrix = matrix @ (-2 * centres.T)
    squared += squared_lengths(matrix)[:, None]
    squared += squared_lengths(centres)
    np.maximum(squared, 0, out=squared)
    return squared


def read(matrix: Matrix, centres: Matrix, weights: Weights | None = None, backend: Backend = placing) -> Reading:
    """Read all rows once: which centre is nearest to each, how near, and what the members of each cluster add up to."""
    k, d = centres.shape
    weights = None if weights is None else weights.astype(matrix.dtype)
    labels, nearest, place = backend(matrix, centres)

    def one(rows: slice) -> tuple[Matrix, Matrix]:
        place(rows)
        x, label = matrix[rows], labels[rows]
        weight = None if weights is None else weights[rows]
        members = _members(label, k, weight, dense=d < NARROW, dtype=matrix.dtype)
        return members @ x, np.bincount(label, weight, minlength=k)

    sums, masses = np.zeros((k, d)), np.zeros(k)
    for part_sums, part_masses in _over_blocks(len(matrix), max(k, d), one):
        sums += part_sums
        masses += part_masses
    return Reading(labels, nearest, sums, masses)


def _members(label: NDArray[np.int32], k: int, weight: Matrix | None, *, dense: bool, dtype: Any) -> Any:
    """Write who belongs to which cluster as a matrix of shape (k, rows), holding the weights."""
    if dense:
        members: Matrix = (label == np.arange(k, dtype=np.int32)[:, None]).astype(dtype)
        return members if weight is None else members * weight
    weight = np.ones(len(label), dtype=dtype) if weight is None else weight
    return sparse.csc_array((weight, label, np.arange(len(label) + 1, dtype=np.int32)), shape=(k, len(label)))


def _over_blocks(n: int, width: int, work: Callable[[slice], Any]) -> list[Any]:
    """Do some work for every block of rows; what it gives, in their order."""
    size = max(256, min(ROWS, BLOCK // width))
    return in_order(work, [slice(start, min(start + size, n)) for start in range(0, n, size)])


def in_order(work: Callable[[Any], Any], parts: Sequence[Any]) -> list[Any]:
    """Do some work for every part, on all processors; what it gives, in their order. Work that asks for more of it does that itself."""
    if len(parts) == 1 or current_thread().name.startswith(THREADS):
        return [work(part) for part in parts]
    return list(_threads().map(work, parts))


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count(), thread_name_prefix=THREADS)


os.register_at_fork(after_in_child=_threads.cache_clear)  # threads do not survive a fork


def _moved(matrix: Matrix, centres: Matrix, found: Reading, lengths: Matrix) -> Matrix:
    """Move every centre to the mean of its cluster, and one without members to the row worst served."""
    filled = found.masses > 0
    moved = centres.copy()
    moved[filled] = found.sums[filled] / found.masses[filled, None]
    empty = np.flatnonzero(~filled)
    if len(empty):
        worst = found.nearest + lengths
        far = np.argsort(-worst, kind="stable")[: len(empty)]
        far = far[worst[far] > 0]
        moved[empty[: len(far)]] = matrix[far]
    return moved
