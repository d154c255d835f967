"""The criteria for k: each a function from a matrix and its partitions to a number per k, each by its published name.

A criterion has no opinion on what is chosen; ``choice.py`` lets them vote.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components
from scipy.special import betaln, gammaln
from scipy.stats import binom, norm

from discovery.clustering.partition import ROUGH, Labels, Matrix, Partition, in_order, magnitude, polish, squared_distances, squared_lengths
from discovery.clustering.path import partitions

Curve = tuple[Matrix, Matrix]
"""Value and standard error for k = 1, 2, …; NaN where the criterion is not defined."""

WINDOW = 0.25
"""Half-width of the windows of the valley test, in half-distances between two centres."""
SEPARATED = 0.01
"""Level of the test that all neighbouring clusters together have valleys between them."""
LEANING = 0.1
"""Level at which a pair of them is then held to be apart."""
RIDGE = 1e-9
"""Share of the mean variance that is added to each, so that columns that go together have a likelihood."""
CAP = 3.0
"""Most that one pair counts for among all, in standard deviations, so that one wide valley does not speak for all."""
PLACES = np.array([-0.4, -0.2, 0.0, 0.2, 0.4])
"""Where between two centres (−1 and 1) the valley may lie."""


def inertia(path: Sequence[Partition]) -> Matrix:
    """Sum of squared distances to the own centre, for each k."""
    return np.array([part.inertia for part in path])


def silhouette(matrix: Matrix, path: Sequence[Partition], *, rows: Labels | None = None) -> Curve:
    """Mean silhouette (Rousseeuw 1987) for each k: exact, or of the given rows against all rows. Members of singletons count 0.

    All k share one distance matrix and one product with the stacked memberships. Where only some rows are asked, the simplified
    silhouette, which takes the distances to two centres and costs next to nothing, is known of all rows: as a control variate
    (Cochran 1977, the regression estimate) it takes away what is accidental in the choice of the rows, and most of the error.
    """
    asked = np.arange(len(matrix)) if rows is None else rows
    ends = np.cumsum([part.k for part in path])
    stacked = np.zeros((len(matrix), ends[-1]), dtype=matrix.dtype)
    for part, end in zip(path, ends, strict=True):
        stacked[np.arange(len(matrix)), end - part.k + part.labels] = 1
    lengths = squared_lengths(matrix)
    sums = np.concatenate(in_order(lambda block: _distances(matrix, block, lengths) @ stacked, _blocks(asked, 250)))
    known = [None] * len(path) if rows is None else _simplified(matrix, path)
    values, errors = [], []
    for part, end, simple in zip(path, ends, known, strict=True):
        widths = _silhouettes(sums[:, end - part.k : end].astype(np.float64), part, asked)
        value, error = _mean(widths) if simple is None else _regressed(widths, simple, asked)
        values.append(value if part.k > 1 else np.nan)
        errors.append(error if part.k > 1 else np.nan)
    return np.array(values), np.array(errors)


def _mean(widths: Matrix) -> tuple[float, float]:
    return float(widths.mean()), float(widths.std() / np.sqrt(len(widths)))


def _regressed(widths: Matrix, known: Matrix, rows: Labels) -> tuple[float, float]:
    """Mean of what is known of some rows, corrected by what is known of all, and its standard error."""
    here = known[rows] - known[rows].mean()
    slope = float(here @ widths / max(here @ here, np.finfo(float).tiny))
    value, error = _mean(widths - slope * here)
    return value + slope * float(known.mean() - known[rows].mean()), error


def _simplified(matrix: Matrix, path: Sequence[Partition]) -> Matrix:
    """Silhouettes from the distances to the own and to the next centre (Hruschka et al. 2004), shape (partitions, n)."""
    stacked = np.concatenate([part.centres for part in path])
    empty = np.concatenate([part.sizes == 0 for part in path])

    def one(rows: Labels) -> Matrix:
        squared = squared_distances(matrix[rows], stacked)
        squared[:, empty] = np.inf
        at, column, widths = np.arange(len(rows)), 0, np.empty((len(path), len(rows)))
        for part, width in zip(path, widths, strict=True):
            own = part.labels[rows]
            mine = squared[:, column : column + part.k]
            column += part.k
            inside, mine[at, own] = mine[at, own], np.inf
            outside = mine[at, mine.argmin(axis=1)]
            width[:] = _widths(np.sqrt(inside), np.sqrt(outside), alone=part.sizes[own] < 2)
        return widths

    return np.concatenate(in_order(one, _blocks(np.arange(len(matrix)), 2_500)), axis=1)


def _widths(inside: Matrix, outside: Matrix, *, alone: NDArray[np.bool_]) -> Matrix:
    """Silhouettes from the distances inside and outside; 0 for members of singletons."""
    largest = np.maximum(inside, outside)
    lone = alone | (largest <= 0) | ~np.isfinite(outside)
    return np.where(lone, 0.0, (np.where(lone, 0.0, outside) - inside) / np.where(lone, 1.0, largest))


def _blocks(rows: Labels, size: int) -> list[Labels]:
    return np.array_split(rows, max(1, len(rows) // size))


def _distances(matrix: Matrix, block: Labels, lengths: Matrix) -> Matrix:
    """Distances from some rows to all, exactly 0 to themselves."""
    squared: Matrix = (-2 * matrix[block]) @ matrix.T
    squared += lengths
    squared += lengths[block][:, None]
    np.maximum(squared, 0, out=squared)
    squared[np.arange(len(block)), block] = 0
    return np.sqrt(squared, out=squared)


def _silhouettes(sums: Matrix, part: Partition, rows: Labels) -> Matrix:
    """Silhouette of each row from its summed distances to every cluster, shape (rows, k)."""
    own = part.labels[rows]
    at = np.arange(len(rows))
    sizes = part.sizes
    inside = sums[at, own] / np.maximum(sizes[own] - 1, 1)
    means = sums / np.maximum(sizes, 1)
    means[at, own] = np.inf
    means[:, sizes == 0] = np.inf
    return _widths(inside, means.min(axis=1), alone=sizes[own] < 2)


def gap(matrix: Matrix, path: Sequence[Partition], *, references: Matrix) -> Curve:
    """Gap statistic (Tibshirani, Walther, Hastie 2001): log inertia of the references less that of the data.

    Args:
        matrix: The rows that were partitioned.
        path: Partitions for k = 1, 2, ….
        references: Log inertia per row of data without structure, from :func:`gap_references`; shape (draws, k).
    """
    used = references[:, : len(path)]
    observed = log_inertia(path, len(matrix))
    return used.mean(axis=0) - observed, used.std(axis=0) * np.sqrt(1 + 1 / len(used))


def gap_references(matrix: Matrix, k_max: int, *, random: np.random.Generator, draws: int) -> Matrix:
    """Log inertia per row of uniform data in the box along the principal axes of ``matrix``; shape (draws, k_max)."""
    centred = matrix - matrix.mean(axis=0)
    scores = centred @ np.linalg.svd(centred, full_matrices=False)[2].T
    low, high = scores.min(axis=0), scores.max(axis=0)
    drawn = (random.uniform(low, high, scores.shape) for _ in range(draws))
    return np.array([log_inertia(partitions(null, k_max, random=random), len(null)) for null in drawn])


def log_inertia(path: Sequence[Partition], n: int) -> Matrix:
    """Log of the mean squared distance to the own centre, for each k."""
    return np.log(np.maximum(inertia(path) / n, 1e-300))


def bic(matrix: Matrix, path: Sequence[Partition], *, full: bool) -> Curve:
    """Bayesian information criterion per row of the hard partition as gaussians, diagonal or full; smaller is better.

    Each cluster's covariance is shrunk towards the pooled one by d + 2 pseudo-members, so that no cluster of few members can
    reach an infinite likelihood. A hard cut of one gaussian gains less likelihood than its labels cost. NaN where there are fewer
    rows than parameters: there the penalty speaks for few clusters whatever the rows are.
    """
    size = magnitude(matrix)
    sized = np.ldexp(matrix.astype(np.float64), -size)
    results = [_bic(sized, part._replace(centres=np.ldexp(part.centres.astype(np.float64), -size)), full=full) for part in path]
    unit = 2 * matrix.shape[1] * size * np.log(2)
    return np.array([value for value, _ in results]) + unit, np.array([error for _, error in results])


def _bic(matrix: Matrix, part: Partition, *, full: bool) -> tuple[float, float]:
    n, d = matrix.shape
    parameters = part.k * (d + (d * (d + 1) // 2 if full else d)) + part.k - 1
    if n < parameters:
        return np.nan, np.nan
    residuals = matrix - part.centres[part.labels]
    ridge = max(RIDGE * float(np.square(matrix - matrix.mean(axis=0)).mean()), 1e-300)
    spread = _full_spread if full else _diagonal_spread
    pooled = residuals.T @ residuals / n + ridge * np.eye(d) if full else np.square(residuals).mean(axis=0) + ridge
    likelihood = np.empty(n)
    for label, size in enumerate(part.sizes):
        own = part.labels == label
        log_determinant, distances = spread(residuals[own], pooled)
        likelihood[own] = np.log(max(size, 1) / n) - 0.5 * (distances + log_determinant + d * np.log(2 * np.pi))
    return float(-2 * likelihood.mean() + parameters * np.log(n) / n), float(2 * likelihood.std() / np.sqrt(n))


def _full_spread(residuals: Matrix, pooled: Matrix) -> tuple[float, Matrix]:
    """Log determinant of a cluster's covariance, and its members' squared Mahalanobis distances."""
    n, d = residuals.shape
    covariance = (residuals.T @ residuals + (d + 2) * pooled) / (n + d + 2)
    return float(np.linalg.slogdet(covariance)[1]), (residuals @ np.linalg.inv(covariance) * residuals).sum(axis=1)


def _diagonal_spread(residuals: Matrix, pooled: Matrix) -> tuple[float, Matrix]:
    """Give the same for columns that do not go together."""
    n, d = residuals.shape
    squares = np.square(residuals)
    variances = (squares.sum(axis=0) + (d + 2) * pooled) / (n + d + 2)
    return float(np.log(variances).sum()), squares @ (1 / variances)


def valley(matrix: Matrix, path: Sequence[Partition], *, folds: Labels) -> tuple[Matrix, Matrix]:
    """Ask of every two neighbouring clusters whether there are fewer points between them than at both of their centres.

    Rows are held out in turn and projected on the line between two centres that were fitted without them. Only rows above the
    face that the two cells share count (a prism: its cross-section is the same everywhere, so uniform data shows no valley).
    Any density with one mode along the line has at least as many points in the middle window as in the emptier outer one;
    a pair is the more apart, the surer both one-sided binomial tests are that the middle has fewer. All pairs together must be sure.

    Args:
        matrix: The rows that were partitioned.
        path: Partitions for k = 1, 2, ….
        folds: Fold of each row.

    Returns:
        For each k the p-value of the least separated pair, and the number of groups that are separated from each other,
        when clusters without a valley between them are joined.
    """
    results = [_separation(matrix, part, folds=folds) for part in path]
    return np.array([weakest for weakest, _ in results]), np.array([groups for _, groups in results])


def _separation(matrix: Matrix, part: Partition, *, folds: Labels) -> tuple[float, int]:
    if part.k == 1:
        return 1.0, 1
    pairs = _neighbours(matrix, part)
    counts = np.zeros((len(pairs), 3), dtype=np.int64)
    for fold in range(int(folds.max()) + 1):
        train, test = matrix[folds != fold], matrix[folds == fold]
        if len(train) < part.k:
            return 1.0, 1
        centres = polish(train, part.centres, tol=ROUGH, max_iter=100).centres
        counts += _window_counts(train, test, centres, pairs)
    p = no_valley(counts)
    if _together(p, pairs) > SEPARATED:
        return float(p.max()), 1
    joined = pairs[p > LEANING]
    graph = csr_matrix((np.ones(len(joined)), (joined[:, 0], joined[:, 1])), shape=(part.k, part.k))
    groups, _ = connected_components(graph, directed=False)
    return float(p.max()), int(groups)


def _together(p: Matrix, pairs: Labels) -> float:
    """Combine the p-values of all pairs into one (Stouffer et al. 1949), as if as many were independent as share no cluster.

    A row near a centre counts for every pair of its cluster. The pairs fall into about as many sets without a common cluster as the
    busiest cluster has neighbours (Vizing 1964), and those of one set share no row.
    """
    independent = len(pairs) / np.bincount(pairs.ravel()).max()
    return float(norm.sf(np.clip(norm.isf(p), -CAP, CAP).mean() * np.sqrt(independent)))


def _neighbours(matrix: Matrix, part: Partition) -> Labels:
    """Pairs of clusters that are the two nearest of at least 5 % of the members of one of them; shape (pairs, 2)."""
    nearest = np.argsort(squared_distances(matrix, part.centres), axis=1, kind="stable")[:, :2]
    counts = np.zeros((part.k, part.k))
    np.add.at(counts, (nearest[:, 0], nearest[:, 1]), 1)
    share = counts / np.maximum(part.sizes, 1)[:, None]
    near = np.triu((share >= 0.05) | (share >= 0.05).T, 1)
    return np.argwhere(near)


def _window_counts(train: Matrix, test: Matrix, centres: Matrix, pairs: Labels) -> Labels:
    """Held-out rows near the first centre, in the valley that the training rows show, and near the second centre."""
    gram = centres @ centres.T
    far_train, far_test = (np.ascontiguousarray(squared_distances(some, centres).T) for some in (train, test))
    counts = np.zeros((len(pairs), 3), dtype=np.int64)
    for row, (i, j) in enumerate(pairs):
        seen, held = _heights(far_train, gram, i, j), _heights(far_test, gram, i, j)
        place = PLACES[int(np.argmin([_near(seen, at) for at in PLACES]))]
        counts[row] = [_near(held, at) for at in (-1.0, place, 1.0)]
    return counts


def _near(heights: Matrix, place: float) -> int:
    return int((np.abs(heights - place) <= WINDOW).sum())


def _heights(far: Matrix, gram: Matrix, i: int, j: int) -> Matrix:
    """Positions between centre i (−1) and centre j (1) of the rows that stand above their common Voronoi face."""
    span = gram[i, i] + gram[j, j] - 2 * gram[i, j]
    if span <= 0:
        return np.empty(0)
    height = (far[i] - far[j]) / span
    between = np.flatnonzero(np.abs(height) <= 1 + WINDOW)
    height, slack = height[between], far[:, between]
    slack -= slack[i].copy()
    slack += (gram[j] - gram[i] - gram[i, j] + gram[i, i])[:, None] * height  # (c_j − c_i)·(c_l − c_i) for every l
    slack[[i, j]] = 0.0
    above: Matrix = height[(slack >= 0).all(axis=0)]
    return above


def clearance(matrix: Matrix, path: Sequence[Partition]) -> Matrix:
    """Ask for each k how likely so long ways between the clusters would be, beside the steps within: p-values.

    A step is what joins rows of one cluster by single linkage (Sneath 1957), a way what joins two clusters. Where density does not
    change, the steps of rows on a line are exponential (Pyke 1965); in more columns they differ less. 1 where single linkage cuts the
    rows into other clusters, since some step is then at least as long as a way, and where a cluster has none of the rows.
    """
    if len(matrix) < 2:
        return np.ones(len(path))
    tree = linkage(matrix, "single")
    return np.array([_clearance(tree, part) for part in path])


def _clearance(tree: Matrix, part: Partition) -> float:
    """Ask the last merges: k − 1 of them join clusters, and the one before is the longest step. Rows that are the same take none."""
    lengths = tree[tree[:, 2] > 0, 2].tolist()
    if not 1 < part.k <= len(lengths):
        return 1.0
    cut = fcluster(tree, part.k, "maxclust")
    if not len(np.unique(part.labels)) == len(np.unique(cut)) == part.k == len(np.unique(part.labels * (part.k + 1) + cut)):
        return 1.0
    return longer(lengths[1 - part.k] / lengths[-part.k], part.k - 1, len(lengths))


def longer(times: float, most: int, n: int) -> float:
    """Chance that the ``most`` longest of n exponential lengths are all at least so many times as long as the next."""
    ways = gammaln(n + 1) - gammaln(most + 1) - gammaln(n - most)
    return float(np.exp(ways + betaln(times * most + 1, n - most)))


def no_valley(counts: Labels) -> Matrix:
    """Chance of so few rows in the middle if it were as dense as the emptier side; the larger of both sides' p-values."""
    left, middle, right = counts.T
    p: Matrix = np.maximum(binom.cdf(middle, middle + left, 0.5), binom.cdf(middle, middle + right, 0.5))
    return p
