"""Which k, and what kind of answer it is: the criteria's curves in, one choice out.

``clusters``: the largest k, up to the median of the criteria's, at which there are valleys of density between groups of rows that
were held out.
``segments``: no such valley, but the cut comes back in split halves; a stable cut of a continuum. ``none``: neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from discovery.clustering import criteria
from discovery.clustering.partition import Labels, Matrix, Partition, partitions
from discovery.clustering.stability import halved, prediction_strength, split_half_agreement

Structure = Literal["clusters", "segments", "none"]

SILHOUETTE_ROWS = 2_000
GAP_ROWS = 2_000
VALLEY_ROWS = 4_000
SEGMENTS_AT_MOST = 8
"""More cuts of a continuum than a reader can tell apart are not offered."""
AGREEMENT = 0.7
"""Split-half adjusted Rand index that segments need, less one standard error."""
STRENGTH = 0.8
"""Prediction strength, plus one standard error, that speaks for a k (Tibshirani & Walther)."""


@dataclass(frozen=True)
class Effort:
    """How much work a set of curves costs."""

    restarts: int
    halvings: int
    folds: int
    draws: int


THOROUGH = Effort(restarts=2, halvings=4, folds=4, draws=10)
QUICK = Effort(restarts=2, halvings=1, folds=2, draws=6)
"""For each of the resamples behind a confidence."""


@dataclass(frozen=True)
class Curves:
    """Every criterion for k = 1, 2, …: values and standard errors (NaN where there is none)."""

    values: Mapping[str, Matrix]
    errors: Mapping[str, Matrix]
    smallest: Labels
    """Members of the smallest cluster, for each k."""

    @property
    def k_max(self) -> int:
        """The largest k on the curves."""
        return len(self.smallest)


@dataclass(frozen=True)
class Choice:
    """The chosen k, what kind of answer it is, and what each criterion would have said."""

    k: int
    structure: Structure
    votes: Mapping[str, int]


def references(matrix: Matrix, k_max: int, *, random: np.random.Generator, effort: Effort) -> Matrix:
    """Draw the gap statistic's references for (a sample of) a matrix; resamples of the matrix may share them."""
    return criteria.gap_references(_some(matrix, GAP_ROWS, random), k_max, random=random, draws=effort.draws)


def curves(matrix: Matrix, path: list[Partition], *, references: Matrix, random: np.random.Generator, effort: Effort) -> Curves:
    """Compute all criteria for all k of a path of partitions; the costly ones on a sample of the rows."""
    k_max = len(path)
    halves = [halved(matrix, k_max, random=random, restarts=effort.restarts) for _ in range(effort.halvings)]
    gap_rows, gap_path = _sampled(matrix, path, GAP_ROWS, random)
    found = {
        "silhouette": criteria.silhouette(matrix, path, rows=_rows(len(matrix), SILHOUETTE_ROWS, random)),
        "gap": criteria.gap(gap_rows, gap_path, references=references),
        "bic_diag": criteria.bic(matrix, path, full=False),
        "bic_full": criteria.bic(matrix, path, full=True),
        "prediction_strength": prediction_strength(matrix, halves, k_max),
        "split_half_ari": split_half_agreement(matrix, halves, k_max),
    }
    weakest, groups = valleys(matrix, path, random, effort)
    none = np.full(k_max, np.nan)
    values = {name: value for name, (value, _) in found.items()}
    values |= {"inertia": criteria.inertia(path), "valley": weakest, "valley_groups": groups}
    return Curves(
        values=values,
        errors={name: found[name][1] if name in found else none for name in values},
        smallest=np.array([part.sizes.min() for part in path]),
    )


def valleys(matrix: Matrix, path: list[Partition], random: np.random.Generator, effort: Effort) -> tuple[Matrix, Matrix]:
    """Ask every k for valleys of density: p-value of the least separated pair, number of groups; see ``criteria.valley``."""
    rows, sampled = _sampled(matrix, path, VALLEY_ROWS, random)
    folds = random.permutation(len(rows)) % effort.folds
    return criteria.valley(_spread(rows, random), sampled, folds=folds)


def _spread(matrix: Matrix, random: np.random.Generator) -> Matrix:
    """Spread whole numbers over the intervals they stand for: the gaps of a lattice are no valleys of density.

    The unit of a column is the smallest step between its values: next to nothing where they are of no lattice. The one step between
    two values is no unit, since it may be what sets two kinds apart.
    """
    steps = np.diff(np.sort(matrix, axis=0), axis=0)
    unit = np.where(steps > 0, steps, np.inf).min(axis=0, initial=np.inf)
    width = np.where((steps > 0).sum(axis=0) > 1, unit, 0.0)
    return matrix + width * random.uniform(-0.5, 0.5, matrix.shape)


def _sampled(matrix: Matrix, path: list[Partition], most: int, random: np.random.Generator) -> tuple[Matrix, list[Partition]]:
    """Take a sample of the rows and the best partitions of it; all of it where it is small enough."""
    if len(matrix) <= most:
        return matrix, path
    rows = _some(matrix, most, random)
    return rows, partitions(rows, len(path), random=random)


def _some(matrix: Matrix, most: int, random: np.random.Generator) -> Matrix:
    return matrix[_rows(len(matrix), most, random)]


def _rows(n: int, most: int, random: np.random.Generator) -> Labels:
    return np.arange(n) if n <= most else np.sort(random.choice(n, most, replace=False))


def choose(found: Curves, *, candidates: frozenset[int], k_min: int, allow_segments: bool, allow_clusters: bool = True) -> Choice:
    """Let the criteria vote among the candidates (and k = 1, where that is allowed); the median of their votes is the most there are.

    k is a number: votes for 6 and 7 stand nearer to each other than to 2, and the median is the k from which no majority would
    move. Clusters without a valley between any two groups of them are a cut, not a find: then the next smaller k that shows one is
    taken, and where none does (or clusters are not allowed), segments are offered where allowed, else one cluster.
    """
    allowed = sorted(k for k in candidates | {1} if k_min <= k <= found.k_max) or [min(k_min, found.k_max)]
    votes = _votes(found, allowed)
    most = sorted(votes.values())[len(votes) // 2]
    apart = [k for k in allowed if k <= most and separated(found, k)]
    if apart and allow_clusters:
        return Choice(apart[-1], "clusters", votes)
    cut = _segments(found, [k for k in allowed if k > 1]) if allow_segments else 0
    if cut:
        return Choice(cut, "segments", votes)
    return Choice(allowed[0], "none", votes)


def separated(found: Curves, k: int) -> bool:
    """Tell whether there is a valley between any two groups of the k clusters."""
    return bool(found.values["valley_groups"][k - 1] > 1)


def _votes(found: Curves, allowed: list[int]) -> dict[str, int]:
    """Ask each criterion for its k by its own published rule; where none passes, it says the smallest. They are five, for a median."""
    at = np.array(allowed) - 1

    def last(passed: Matrix) -> int:
        return allowed[int(np.flatnonzero(passed)[-1])] if passed.any() else allowed[0]

    gap, error = found.values["gap"][at], found.errors["gap"][at]
    strength = found.values["prediction_strength"][at] + found.errors["prediction_strength"][at]
    widths = np.nan_to_num(found.values["silhouette"][at], nan=-1.0)  # not defined at k = 1
    return {
        "gap": allowed[int(np.argmax(gap >= gap.max() - error[gap.argmax()]))],
        "bic_diag": allowed[int(found.values["bic_diag"][at].argmin())],
        "bic_full": allowed[int(found.values["bic_full"][at].argmin())],
        "prediction_strength": last(strength >= STRENGTH),
        "silhouette": allowed[int(widths.argmax())],
    }


def _segments(found: Curves, allowed: list[int]) -> int:
    """Find the finest stable cut: go up from the first stable k while the cut stays stable; 0 where none is.

    Finer cuts serve a ranking better, so the largest stable k is wanted. It is searched from below without a gap, because far up
    an isolated k passes the threshold by luck, and would be another one tomorrow.
    """
    lower = found.values["split_half_ari"] - found.errors["split_half_ari"]
    cut = 0
    for k in allowed:
        if k <= SEGMENTS_AT_MOST and lower[k - 1] >= AGREEMENT:
            cut = k
        elif cut:
            break
    return cut
