"""One matrix in, partitions out: K-Means for one k, and for every k at once.

scikit-learn's kernel does the work. What is ours is the shared work around it: every k starts from fresh k-means++ seeds and
from the best k − 1 centres plus the point worst served by them, so that inertia can only fall as k grows.
"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

Matrix = NDArray[np.float64]
Labels = NDArray[np.intp]

ROUGH = 3e-4
"""Relative tolerance of fits that only feed a criterion; the chosen k is polished to scikit-learn's default."""


class Partition(NamedTuple):
    """Centres of shape (k, d), labels of shape (n,), and the sum of squared distances to the own centre."""

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


def whole(matrix: Matrix) -> Partition:
    """Take everything as one cluster."""
    centre = matrix.mean(axis=0, keepdims=True)
    return Partition(centre, np.zeros(len(matrix), dtype=np.intp), float(((matrix - centre) ** 2).sum()))


def partition(matrix: Matrix, k: int, *, random: np.random.Generator, starts: tuple[Matrix, ...] = (), restarts: int = 1) -> Partition:
    """Fit k clusters: the best of ``restarts`` k-means++ seedings and of the given starts. Ties go to the earlier one."""
    if k == 1:
        return whole(matrix)
    fits = [_fit(matrix, start, k) for start in starts]
    fits += [_fit(matrix, int(random.integers(2**31)), k) for _ in range(restarts)]
    return min(fits, key=lambda fit: fit.inertia)


def distinct(matrix: Matrix) -> int:
    """Count the distinct rows."""
    return len(np.unique(matrix, axis=0))


def polish(matrix: Matrix, start: Matrix, *, tol: float = 1e-4, max_iter: int = 300) -> Partition:
    """Run Lloyd's algorithm from given centres until they rest."""
    return whole(matrix) if len(start) == 1 else _fit(matrix, start, len(start), tol=tol, max_iter=max_iter)


def partitions(matrix: Matrix, k_max: int, *, random: np.random.Generator, restarts: int = 1) -> list[Partition]:
    """Fit every k from 1 to ``k_max``; inertia never rises with k."""
    path = [whole(matrix)]
    for k in range(2, k_max + 1):
        path.append(partition(matrix, k, random=random, starts=(_grown(matrix, path[-1]),), restarts=restarts))
    return path


def carried(matrix: Matrix, path: list[Partition]) -> list[Partition]:
    """Fit every k of a path again on other rows, from the centres that are known."""
    return [polish(matrix, part.centres, tol=ROUGH, max_iter=100) for part in path]


def assign(matrix: Matrix, centres: Matrix) -> Labels:
    """Give each row its nearest centre; ties go to the lower label."""
    nearest: Labels = squared_distances(matrix, centres).argmin(axis=1)
    return nearest


def squared_distances(matrix: Matrix, centres: Matrix) -> Matrix:
    """Squared Euclidean distances, shape (n, k), taken from near the centres, so that a far origin costs no digits."""
    origin = centres.mean(axis=0)
    matrix, centres = matrix - origin, centres - origin
    cross = matrix @ centres.T
    squared: Matrix = (matrix**2).sum(axis=1)[:, None] + (centres**2).sum(axis=1)[None, :] - 2 * cross
    np.maximum(squared, 0.0, out=squared)
    return squared


def _grown(matrix: Matrix, smaller: Partition) -> Matrix:
    """Add the point that lies farthest from its centre."""
    far = ((matrix - smaller.centres[smaller.labels]) ** 2).sum(axis=1).argmax()
    return np.vstack([smaller.centres, matrix[far]])


def _fit(matrix: Matrix, start: Matrix | int, k: int, *, tol: float = ROUGH, max_iter: int = 100) -> Partition:
    """Run Lloyd's algorithm from centres, or from the k-means++ seeds of a number."""
    seed, init = (start, "k-means++") if isinstance(start, int) else (0, start)
    with config_context(assume_finite=True, skip_parameter_validation=True), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct rows than k: a cluster stays empty, and every caller counts
        model = KMeans(k, init=init, n_init=1, random_state=seed, tol=tol, max_iter=max_iter).fit(matrix)
    return Partition(model.cluster_centers_, model.labels_.astype(np.intp), float(model.inertia_))
