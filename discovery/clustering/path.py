"""One matrix in, a partition for every k out: one seeding shared by all, one pass up and one pass down.

Up: the best k − 1 centres and the row that serves the others best. Down: the best k + 1 centres, of which two are joined that cost
least (Ward 1963). Each k keeps the best of what came from the seeds, from below and from above, so that inertia never rises with k.
Of many rows all this is done on some of them, and each k is then carried to all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from discovery.clustering.partition import ROUGH, Matrix, Partition, in_order, polish, squared_distances, squared_lengths, whole

ITERATIONS = 100
"""Most iterations of a fit that only feeds a criterion."""
PLAIN = 3e-3
"""Share of the inertia that an iteration must gain while starts are compared."""
SOUGHT = 10_000
"""Rows on which starts are sought and compared at most; the best of each k then runs on all of them."""
CARRIED = 1e-4
"""Share of the inertia that an iteration must gain there."""
BESIDE = 100_000
"""Numbers of a matrix from which fits run beside each other."""


def partitions(matrix: Matrix, k_max: int, *, random: np.random.Generator, restarts: int = 1) -> list[Partition]:
    """Fit every k from 1 to ``k_max``.

    Args:
        matrix: The rows, shape (n, d).
        k_max: Largest k.
        random: Source of the seeds.
        restarts: How many seedings.
    """
    if len(matrix) > SOUGHT:
        return carried(matrix, partitions(_some(matrix, random), k_max, random=random, restarts=restarts), tol=CARRIED)
    lengths = squared_lengths(matrix)
    seedings = [seeds(matrix, k_max, random=random, lengths=lengths) for _ in range(restarts)] if k_max > 1 else []

    path = [whole(matrix)]
    for k in range(2, k_max + 1):
        grown = np.vstack([path[-1].centres, seeds(matrix, 1, random=random, lengths=lengths, after=path[-1])])
        path.append(_best(matrix, [grown, *(seeding[:k] for seeding in seedings)], lengths))
    for k in range(k_max - 1, 1, -1):
        path[k - 1] = min(path[k - 1], _best(matrix, [joined(path[k])], lengths), key=_inertia)
    return path


def partition(matrix: Matrix, k: int, *, random: np.random.Generator, starts: Iterable[Matrix] = (), restarts: int = 1) -> Partition:
    """Fit k clusters: the best of the given starts and of ``restarts`` seedings. Ties go to the earlier one."""
    if k == 1:
        return whole(matrix)
    starts = list(starts)
    if len(matrix) > SOUGHT:
        found = partition(_some(matrix, random), k, random=random, starts=starts, restarts=restarts)
        return polish(matrix, found.centres, tol=ROUGH, max_iter=ITERATIONS)
    lengths = squared_lengths(matrix)
    begun = [*starts, *(seeds(matrix, k, random=random, lengths=lengths) for _ in range(restarts))]
    return _best(matrix, begun, lengths)


def carried(matrix: Matrix, path: list[Partition], *, tol: float = ROUGH) -> list[Partition]:
    """Fit every k of a path again on other rows, from the centres that are known."""
    lengths = squared_lengths(matrix)
    starts = [part.centres for part in path]
    return _each(matrix, starts, lambda start: polish(matrix, start, lengths=lengths, tol=tol, max_iter=ITERATIONS))


def seeds(matrix: Matrix, k: int, *, random: np.random.Generator, lengths: Matrix, after: Partition | None = None) -> Matrix:
    """Draw k rows by greedy k-means++ (Arthur & Vassilvitskii 2007), each the best of 2 + ln k; prefixes are seeds of smaller k.

    Args:
        matrix: The rows, shape (n, d).
        k: How many.
        random: Source of the draws.
        lengths: Squared lengths of the rows.
        after: A partition whose centres come before them.
    """
    chosen: list[int] = []
    tries = 2 + int(np.log(k if after is None else after.k + 1))
    if after is None:
        chosen.append(int(random.integers(len(matrix))))
        near = _to(matrix, chosen, lengths)[0]
    else:
        near = np.square(matrix - after.centres[after.labels]).sum(axis=1)
    while len(chosen) < k:
        drawn = _drawn(near, random.uniform(size=tries))
        nearer = np.minimum(_to(matrix, drawn, lengths), near)
        best = int(nearer.sum(axis=1, dtype=np.float64).argmin())
        chosen.append(drawn[best])
        near = nearer[best]
    return matrix[chosen]


def joined(part: Partition) -> Matrix:
    """Join the two clusters whose joining costs least: the k − 1 centres that are left."""
    sizes = part.sizes.astype(np.float64)
    cost = squared_distances(part.centres, part.centres) * (sizes[:, None] * sizes / np.maximum(sizes[:, None] + sizes, 1))
    cost[np.tril_indices(part.k)] = np.inf
    one, other = np.unravel_index(int(cost.argmin()), cost.shape)
    share = sizes[one] / max(sizes[one] + sizes[other], 1)
    centres = np.delete(part.centres, other, axis=0)
    centres[one] = share * part.centres[one] + (1 - share) * part.centres[other]
    return centres


def _some(matrix: Matrix, random: np.random.Generator) -> Matrix:
    return matrix[np.sort(random.choice(len(matrix), SOUGHT, replace=False))]


def _drawn(mass: Matrix, at: Matrix) -> list[int]:
    """Draw rows in proportion to their mass; evenly, where there is none."""
    heaped = np.cumsum(mass, dtype=np.float64)
    if heaped[-1] <= 0:
        heaped = np.arange(1.0, len(mass) + 1)
    found: list[int] = np.minimum(np.searchsorted(heaped, at * heaped[-1], side="right"), len(mass) - 1).tolist()
    return found


def _to(matrix: Matrix, rows: list[int], lengths: Matrix) -> Matrix:
    """Squared distances from some rows to all, shape (rows, n)."""
    squared: Matrix = (matrix @ (-2 * matrix[rows].T)).T
    squared += lengths
    squared += lengths[rows][:, None]
    np.maximum(squared, 0, out=squared)
    return squared


def _best(matrix: Matrix, starts: list[Matrix], lengths: Matrix) -> Partition:
    """Run from every start until it is plain which is best, and only that one to its end."""
    if len(starts) > 1:
        runs = _each(matrix, starts, lambda start: polish(matrix, start, lengths=lengths, tol=PLAIN, max_iter=ITERATIONS))
        starts = [min(runs, key=_inertia).centres]
    return polish(matrix, starts[0], lengths=lengths, tol=ROUGH, max_iter=ITERATIONS)


def _each(matrix: Matrix, starts: list[Matrix], run: Callable[[Matrix], Partition]) -> list[Partition]:
    """Run from every start: beside each other, where there are enough numbers for that to be quicker."""
    return in_order(run, starts) if matrix.size >= BESIDE else [run(start) for start in starts]


def _inertia(part: Partition) -> float:
    return part.inertia
