"""Measure false structure and power of the choice of k: ``python -m benchmarks.structure`` prints a Markdown table.

Shapes without structure: how many of the runs show a valley of density at any k that could be chosen. `clusters` needs one at the
chosen k, so this is the most that could be false. With ``--algorithm``: how many an algorithm itself calls `clusters`. Shapes with
structure: how often the right k is found, and how well.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping

import numpy as np
from scipy.stats import beta, norm
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from discovery.clustering import AutoKMeans, ClusteringSettings
from discovery.clustering.algorithms import ALGORITHMS
from discovery.clustering.choice import COMMON, THOROUGH, spread, valleys
from discovery.clustering.partition import Labels, Matrix, distinct
from discovery.clustering.path import partitions
from discovery.clustering.regions import least_size, regions
from discovery.clustering.stability import halved, split_half_agreement
from discovery.settings import Algorithm

Shape = Callable[[np.random.Generator, int, int], Matrix]
Claim = Callable[[Matrix, np.random.Generator], bool]
"""What is said of some rows, such as that they are clusters."""


def _correlated(strength: float) -> Shape:
    def shape(random: np.random.Generator, n: int, d: int) -> Matrix:
        common: Matrix = random.standard_normal((n, 1)) * np.sqrt(strength)
        return common + random.standard_normal((n, d)) * np.sqrt(1 - strength)

    return shape


def _ball(random: np.random.Generator, n: int, d: int) -> Matrix:
    directions = random.standard_normal((n, d))
    inside: Matrix = directions / np.linalg.norm(directions, axis=1, keepdims=True) * random.random((n, 1)) ** (1 / d)
    return inside


def _elongated(random: np.random.Generator, n: int, d: int) -> Matrix:
    return random.standard_normal((n, d)) * np.where(np.arange(d) == 0, 5.0, 1.0)


def _close(random: np.random.Generator, n: int, d: int) -> Matrix:
    """Two kinds 1.8 standard deviations apart: their sum has one mode."""
    rows = random.standard_normal((n, d))
    rows[:, 0] += 1.8 * (random.random(n) < 0.5)
    return rows


def _copula(random: np.random.Generator, n: int, d: int) -> Matrix:
    """Exponential margins over correlated normals."""
    exponential: Matrix = -norm.logsf(_correlated(0.6)(random, n, d))
    return exponential


def _ring(random: np.random.Generator, n: int, d: int) -> Matrix:
    """A circle in the first two columns, which any cut breaks at another place."""
    angle = random.uniform(0, 2 * np.pi, n)
    rows = random.normal(0, 0.05, (n, d))
    rows[:, 0] += np.cos(angle)
    rows[:, 1] += np.sin(angle)
    return rows


STRUCTURELESS: Mapping[str, Shape] = {
    "gaussian": lambda random, n, d: random.standard_normal((n, d)),
    "correlated .3": _correlated(0.3),
    "correlated .6": _correlated(0.6),
    "correlated .9": _correlated(0.9),
    "lognormal": lambda random, n, d: random.lognormal(0, 1, (n, d)),
    "gamma": lambda random, n, d: random.gamma(0.7, 1, (n, d)),
    "Student's t, 3 degrees": lambda random, n, d: random.standard_t(3, (n, d)),
    "uniform cube": lambda random, n, d: random.random((n, d)),
    "uniform ball": _ball,
    "copula": _copula,
    "elongated": _elongated,
    "ring": _ring,
    "mixture with one mode": _close,
    "mixture of two widths": lambda random, n, d: random.standard_normal((n, d)) * np.where(random.random((n, 1)) < 0.3, 3, 1),
    "counts": lambda random, n, d: random.poisson(1.5, (n, d)).astype(float),
    "counts, most of them zero": lambda random, n, d: random.poisson(random.gamma(0.5, 3, (n, d))).astype(float),
}


def blobs(random: np.random.Generator, *, sizes: Labels, d: int, apart: float) -> tuple[Matrix, Labels]:
    """Draw gaussians of width 1 whose centres are all equally far apart; at most d of them."""
    truth = np.repeat(np.arange(len(sizes)), sizes)
    return random.standard_normal((len(truth), d)) + np.eye(len(sizes), d)[truth] * apart / np.sqrt(2), truth


def shows_structure(rows: Matrix, random: np.random.Generator) -> bool:
    """Tell whether regions of density are real, or any k that could be chosen has a valley and is common to two halves of the rows."""
    k_max = distinct(rows, min(20, int(np.sqrt(len(rows) / 2))))
    path = partitions(rows, k_max, random=random, restarts=THOROUGH.restarts)
    _, groups, _ = valleys(rows, path, random, THOROUGH)
    large = np.array([part.sizes.min() >= least_size(len(rows)) for part in path])
    shown = np.flatnonzero(large & (groups > 1))
    if len(shown):
        most = int(shown[-1]) + 1
        agreement, _ = split_half_agreement(rows, [halved(rows, most, random=random) for _ in range(THOROUGH.halvings)], most)
        if (agreement[shown] >= COMMON).any():
            return True
    return regions(spread(rows, random), k_max, random=random, resamples=THOROUGH.draws).real


def called_clusters(algorithm: Algorithm) -> Claim:
    """Ask an algorithm whether it calls rows clusters, as a run would."""
    fit = ALGORITHMS[algorithm].fit
    return lambda rows, random: fit(rows, ClusteringSettings(seed=int(random.integers(2**31))), None).structure_ == "clusters"


def false_structure(shape: Shape, claim: Claim, *, runs: int, n: int, d: int) -> tuple[int, float]:
    """Count the runs of which a claim is made, and bound their rate at 95 % from above (Clopper & Pearson 1934)."""
    draws = (np.random.default_rng([seed, n, d]) for seed in range(runs))
    false = sum(claim(shape(random, n, d), random) for random in draws)
    return false, float(beta.ppf(0.95, false + 1, runs - false)) if false < runs else 1.0


def power(*, k: int, apart: float, runs: int, n: int, d: int) -> tuple[int, float]:
    """Count the runs that find k clusters of equal size, and average the adjusted Rand index."""
    hits, agreement = 0, 0.0
    for seed in range(runs):
        sizes = np.full(k, n // k)
        rows, truth = blobs(np.random.default_rng([seed, n, d]), sizes=sizes, d=d, apart=apart)
        model = AutoKMeans(random_state=seed).fit(rows)
        hits += model.structure_ == "clusters" and model.n_clusters_ == k
        agreement += adjusted_rand_score(truth, model.labels_) / runs
    return hits, agreement


def main() -> None:
    """Measure as the arguments say, and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.structure", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--runs", type=int, default=59, help="runs of each shape; 59 clean ones bound a rate at 5 %% [default: %(default)s]"
    )
    parser.add_argument("--rows", type=int, default=168, help="[default: %(default)s]")
    parser.add_argument("--columns", type=int, default=8, help="[default: %(default)s]")
    parser.add_argument("--power-runs", type=int, default=10, help="runs of each shape with structure [default: %(default)s]")
    parser.add_argument("--algorithm", choices=ALGORITHMS, help="ask it, and not for valleys at every k and for regions")
    parser.add_argument("--shapes", nargs="*", choices=STRUCTURELESS, default=list(STRUCTURELESS), help="[default: all]")
    told = parser.parse_args()
    claim = called_clusters(told.algorithm) if told.algorithm else shows_structure
    asked = f"called `clusters` by {told.algorithm}" if told.algorithm else "a valley or regions anywhere"
    print(f"{told.rows} rows, {told.columns} columns.\n\n| without structure | {asked} | rate at most |\n|---|---:|---:|")
    with threadpool_limits(limits=1):
        for name in told.shapes:
            false, bound = false_structure(STRUCTURELESS[name], claim, runs=told.runs, n=told.rows, d=told.columns)
            print(f"| {name} | {false} of {told.runs} | {bound:.1%} |", flush=True)
    if told.power_runs:
        print("\n| with structure | right k | mean ARI |\n|---|---:|---:|")
        for k in (2, 6):
            for apart in (3, 4, 5, 6):
                hits, agreement = power(k=k, apart=apart, runs=told.power_runs, n=told.rows, d=told.columns)
                print(f"| {k} kinds, {apart} standard deviations apart | {hits} of {told.power_runs} | {agreement:.2f} |", flush=True)


if __name__ == "__main__":
    main()
