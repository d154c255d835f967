"""Which k, and what kind of answer it is: the criteria's curves in, one choice out.

``clusters``: as many as there are regions of density that are real and that K-Means can follow, unless valleys set more groups apart;
else the largest k, up to the median of theirs, at which there are valleys of density between groups of rows that were held out.
``segments``: no such valley, but the cut comes back in split halves; a stable cut of a continuum. ``none``: neither.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from discovery.clustering import criteria
from discovery.clustering.criteria import Curve
from discovery.clustering.partition import Labels, Matrix, Partition
from discovery.clustering.path import carried
from discovery.clustering.stability import STABLE, Halves, halved, prediction_strength, split_half_agreement, weakest_jaccard

Structure = Literal["clusters", "segments", "none"]

SILHOUETTE_ROWS = 1_000
SILHOUETTE_PAIRS = 10_000_000
"""Distances that a silhouette takes at most: where rows are many, fewer of them are asked."""
GAP_ROWS = 2_000
VALLEY_ROWS = 4_000
CLEAR_ROWS = 500
"""Rows whose distances are all asked at most. More of them show a valley wherever they are clear of each other."""
CLEAR = 0.01
"""Level at which they are clear of each other: then all are groups, as if a valley lay between any two."""
SEGMENTS_AT_MOST = 8
"""More cuts of a continuum than a reader can tell apart are not offered."""
AGREEMENT = 0.7
"""Split-half adjusted Rand index that segments need, less one standard error."""
COMMON = 0.8
"""Split-half adjusted Rand index that clusters with a valley need. A ring has one wherever it is cut in two, and two halves of its rows
cut it at different places."""
DUST = 1e-6
"""Share of a column's range within which values are the same."""
SHARED = 0.5
"""A lattice has half as many values as rows at most."""
STRENGTH = 0.8
"""Prediction strength, plus one standard error, that speaks for a k (Tibshirani & Walther)."""


@dataclass(frozen=True)
class Effort:
    """How much work a set of curves costs."""

    restarts: int
    halvings: int
    folds: int
    draws: int


THOROUGH = Effort(restarts=1, halvings=12, folds=4, draws=10)
QUICK = Effort(restarts=1, halvings=1, folds=4, draws=6)
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

    @property
    def apart(self) -> frozenset[int]:
        """Each k at which there is a valley between any two groups of its clusters."""
        return frozenset(int(k) for k in np.flatnonzero(self.values["valley_groups"] > 1) + 1)


class Evidence(NamedTuple):
    """What is known of some rows beside the curves."""

    candidates: frozenset[int]
    """Each k whose clusters are large enough and come back."""
    apart: frozenset[int]
    """Each k at which a valley can be relied on."""
    kinds: int
    """Regions of density that K-Means can follow; 1 where there are none that are real."""


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
    halves = _halves(matrix, path, random, effort)
    gap_rows, gap_path = _sampled(matrix, path, GAP_ROWS, random)
    found = {
        "silhouette": _silhouette(matrix, path, random),
        "gap": criteria.gap(gap_rows, gap_path, references=references),
        "bic_diag": criteria.bic(matrix, path, full=False),
        "bic_full": criteria.bic(matrix, path, full=True),
        "prediction_strength": prediction_strength(matrix, halves, len(path)),
        "split_half_ari": split_half_agreement(matrix, halves, len(path)),
    }
    weakest, groups, clear = valleys(matrix, path, random, effort)
    none = np.full(len(path), np.nan)
    values = {name: value for name, (value, _) in found.items()}
    values |= {"inertia": criteria.inertia(path), "valley": weakest, "valley_groups": groups, "clearance": clear}
    return Curves(
        values=values,
        errors={name: found[name][1] if name in found else none for name in values},
        smallest=np.array([part.sizes.min() for part in path]),
    )


def curve(criterion: str, matrix: Matrix, path: list[Partition], *, random: np.random.Generator, effort: Effort) -> Curve:
    """Compute one criterion for all k of a path, as :func:`curves` does."""
    match criterion:
        case "silhouette":
            return _silhouette(matrix, path, random)
        case "gap":
            drawn = references(matrix, len(path), random=random, effort=effort)
            return criteria.gap(*_sampled(matrix, path, GAP_ROWS, random), references=drawn)
        case "bic_diag" | "bic_full":
            return criteria.bic(matrix, path, full=criterion == "bic_full")
        case "prediction_strength":
            return prediction_strength(matrix, _halves(matrix, path, random, effort), len(path))
        case "bootstrap_jaccard":
            return weakest_jaccard(matrix, path, random=random, resamples=effort.draws)
        case _:
            return criteria.inertia(path), np.full(len(path), np.nan)


def _silhouette(matrix: Matrix, path: list[Partition], random: np.random.Generator) -> Curve:
    return criteria.silhouette(matrix, path, rows=_rows(len(matrix), min(SILHOUETTE_ROWS, SILHOUETTE_PAIRS // len(matrix)), random))


def _halves(matrix: Matrix, path: list[Partition], random: np.random.Generator, effort: Effort) -> list[Halves]:
    return [halved(matrix, len(path), random=random, restarts=effort.restarts) for _ in range(effort.halvings)]


def valleys(matrix: Matrix, path: list[Partition], random: np.random.Generator, effort: Effort) -> tuple[Matrix, Matrix, Matrix]:
    """Ask every k for valleys of density: p-value of the least separated pair, number of groups, clearance; see ``criteria``.

    A test of counts cannot tell so few rows apart as a reader of their plot does: clusters that are clear of each other are all groups.
    """
    rows, sampled = _sampled(matrix, path, VALLEY_ROWS, random)
    folds = random.permutation(len(rows)) % effort.folds
    rows = spread(rows, random)
    weakest, groups = criteria.valley(rows, sampled, folds=folds)
    some = slice(None, None, -(-len(rows) // CLEAR_ROWS))
    clear = criteria.clearance(rows[some], [part._replace(labels=part.labels[some]) for part in sampled])
    return weakest, np.where(clear <= CLEAR, [part.k for part in sampled], groups), clear


def separated(matrix: Matrix, part: Partition, random: np.random.Generator) -> bool:
    """Tell whether there is a valley between any two groups of the clusters of one partition."""
    return bool(valleys(matrix, [part], random, THOROUGH)[1][0] > 1)


def spread(matrix: Matrix, random: np.random.Generator) -> Matrix:
    """Spread values that many rows share over what they stand for, halfway to their neighbours: the gaps of a lattice are no valleys.

    Values less than a millionth of their column's range apart are one, such as whole numbers with the dust of arithmetic. A column of two
    values is left as it is: the step between them may be what sets two kinds apart.
    """
    spread_out = matrix.copy()
    for at, column in enumerate(matrix.T):
        order = np.argsort(column, kind="stable")
        steps = np.diff(column[order])
        new = steps > DUST * (column[order[-1]] - column[order[0]])
        values = np.concatenate([[0], np.cumsum(new)])  # which value each row has, in their order
        if 2 < values[-1] + 1 <= SHARED * len(column):
            gaps = steps[new]
            below, above = np.append(gaps[0], gaps)[values], np.append(gaps, gaps[-1])[values]
            moved = random.uniform(-0.5, 0.5, len(column))
            spread_out[order, at] += np.where(moved < 0, below, above) * moved
    return spread_out


def _sampled(matrix: Matrix, path: list[Partition], most: int, random: np.random.Generator) -> tuple[Matrix, list[Partition]]:
    """Take a sample of the rows and fit it from the known centres; all of it where it is small enough."""
    if len(matrix) <= most:
        return matrix, path
    rows = _some(matrix, most, random)
    return rows, carried(rows, path)


def _some(matrix: Matrix, most: int, random: np.random.Generator) -> Matrix:
    return matrix[_rows(len(matrix), most, random)]


def _rows(n: int, most: int, random: np.random.Generator) -> Labels:
    return np.arange(n) if n <= most else np.sort(random.choice(n, most, replace=False))


def choose(found: Curves, known: Evidence, *, k_min: int, allow_segments: bool) -> Choice:
    """Let the criteria vote among the candidates (and k = 1, where that is allowed); the median of their votes is the most there are.

    k is a number: votes for 6 and 7 stand nearer to each other than to 2, and the median is the k from which no majority would
    move. Clusters without a valley between any two groups of them are a cut, not a find: then the next smaller k
    that is ``apart`` is taken, and where none is, segments are offered where allowed, else one cluster. Where regions of
    density are real, they are counted instead, unless valleys set more groups apart at that median: regions that touch are one.
    """
    allowed = sorted(k for k in known.candidates | {1} if k_min <= k <= found.k_max) or [min(k_min, found.k_max)]
    votes = _votes(found, allowed)
    said = sorted(votes.values())
    most = said[(len(said) - 1) // 2]
    groups = found.values["valley_groups"][most - 1] if most in known.apart else 1
    votes["density"] = known.kinds
    if known.kinds > 1 and known.kinds in allowed and known.kinds >= groups:
        return Choice(known.kinds, "clusters", votes)
    shown = [k for k in allowed if k <= most and k in known.apart]
    if shown:
        return Choice(shown[-1], "clusters", votes)
    cut = _segments(found, [k for k in allowed if k > 1]) if allow_segments else 0
    if cut:
        return Choice(cut, "segments", votes)
    return Choice(allowed[0], "none", votes)


def structure_of(matrix: Matrix, part: Partition, random: np.random.Generator) -> Structure:
    """Tell what the clusters of one partition are: separated, a cut that comes back in halves, or neither."""
    if part.k == 1:
        return "none"
    if separated(matrix, part, random):
        return "clusters"
    halves = [halved(matrix, part.k, random=random) for _ in range(THOROUGH.halvings)]
    agreement, error = split_half_agreement(matrix, halves, part.k)
    return "segments" if agreement[-1] - error[-1] >= AGREEMENT else "none"


def _votes(found: Curves, allowed: list[int]) -> dict[str, int]:
    """Ask each voter for its k, by its own published rule; one that cannot tell of every k allowed has no vote."""
    able = (name for name in VOTERS if not np.isnan(found.values[name][[k - 1 for k in allowed if k > 1]]).any())
    return {name: vote(name, found.values[name], found.errors[name], allowed) for name in able}


def vote(criterion: str, values: Matrix, errors: Matrix, allowed: list[int]) -> int:
    """Ask a criterion for its k among the allowed: its curve and its published rule. Where none passes, it says the smallest."""
    at = np.array(allowed) - 1
    return allowed[RULES[criterion](values[at], errors[at])]


def _lowest(values: Matrix) -> int:
    return int(np.nan_to_num(values, nan=np.inf).argmin())


def _last(passed: NDArray[np.bool_]) -> int:
    return int(np.flatnonzero(passed)[-1]) if passed.any() else 0


def _most_stable(values: Matrix) -> int:
    """Find the k after the first whose weakest cluster comes back best, if that is stable; one cluster always comes back."""
    return int(values[1:].argmax()) + 1 if len(values) > 1 and values[1:].max() >= STABLE else 0


def _elbow(values: Matrix) -> int:
    """Find where a falling curve lies farthest below the line between its ends (Satopää et al. 2011)."""
    return int((np.linspace(values[0], values[-1], len(values)) - values).argmax())


RULES: Mapping[str, Callable[[Matrix, Matrix], int]] = {
    "gap": lambda values, errors: int(np.argmax(values >= values.max() - errors[values.argmax()])),
    "bic_diag": lambda values, _: _lowest(values),
    "bic_full": lambda values, _: _lowest(values),
    "prediction_strength": lambda values, errors: _last(values + errors >= STRENGTH),
    "silhouette": lambda values, _: int(np.nan_to_num(values, nan=-1.0).argmax()),  # not defined at k = 1
    "bootstrap_jaccard": lambda values, _: _most_stable(values),
    "inertia": lambda values, _: _elbow(values),
}
"""How each criterion says which of some k it is for, from its values and standard errors."""
VOTERS = ("gap", "bic_diag", "bic_full", "prediction_strength", "silhouette")
"""Five, so that their median is one of them."""


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
