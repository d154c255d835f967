"""Measure how fast and how well k is chosen and fitted: ``python -m benchmarks.clusters`` prints a Markdown table.

Gaussian blobs in float32. Every contestant is a process of its own, in turn, and draws the same rows; seconds are of the choice and
fit alone, memory is of the process beyond the rows. Peers choose k by the silhouette of 10,000 rows on the same sample of 20,000,
then fit all rows from the centres of that k.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import sys
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from statistics import median
from typing import Any, NamedTuple

import numpy as np
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.metrics import adjusted_rand_score, silhouette_score

from benchmarks.process import run
from discovery.clustering import AutoKMeans
from discovery.clustering.partition import Labels, Matrix

SAMPLE = 20_000
SILHOUETTE_ROWS = 10_000
KINDS = 12
K_MAX = 20
READINGS = 5
PEAK_UNIT = 1 if sys.platform == "darwin" else 1024
MB = 1_000_000

Answer = tuple[int, Labels, float]
"""k, the label of each row, and the inertia."""


def blobs(n: int, d: int) -> tuple[Matrix, Labels]:
    """Draw overlapping gaussians of unit width round random centres; no more memory than the rows take."""
    random = np.random.default_rng([n, d])
    centres = random.normal(0, 3 / np.sqrt(d) * 4, size=(KINDS, d)).astype(np.float32)
    truth = random.integers(KINDS, size=n)
    rows = np.empty((n, d), dtype=np.float32)
    for start in range(0, n, SAMPLE):
        block = slice(start, start + SAMPLE)
        random.standard_normal(out=rows[block], dtype=np.float32)
        rows[block] += centres[truth[block]]
    return rows, truth


def _alone(rows: Matrix) -> Answer:
    model = AutoKMeans(2, K_MAX, criterion="silhouette", n_resamples=0, random_state=0).fit(rows)
    return model.n_clusters_, model.labels_, model.inertia_


def _consensus(rows: Matrix) -> Answer:
    model = AutoKMeans(k_max=K_MAX, random_state=0).fit(rows)
    return model.n_clusters_, model.labels_, model.inertia_


def _sample(rows: Matrix) -> Matrix:
    some: Matrix = rows[np.sort(np.random.default_rng(0).choice(len(rows), min(SAMPLE, len(rows)), replace=False))]
    return some


def _silhouette(sample: Matrix, labels: Labels) -> float:
    return float(silhouette_score(sample, labels, sample_size=min(SILHOUETTE_ROWS, len(sample)), random_state=0))


def _sweep(kind: type[KMeans] | type[MiniBatchKMeans], starts: int) -> Callable[[Matrix], Answer]:
    def sweep(rows: Matrix) -> Answer:
        sample = _sample(rows)
        fits = [kind(k, n_init=starts, random_state=0).fit(sample) for k in range(2, K_MAX + 1)]
        best = max(fits, key=lambda fit: _silhouette(sample, fit.labels_))
        whole = KMeans(best.n_clusters, init=best.cluster_centers_, n_init=1).fit(rows)
        return best.n_clusters, whole.labels_, float(whole.inertia_)

    return sweep


def _faiss(rows: Matrix) -> Answer:
    import faiss  # noqa: PLC0415 - a package of the benchmark, which the tests do without

    def fit(some: Matrix, k: int) -> Any:
        found = faiss.Kmeans(some.shape[1], k, niter=25, nredo=10, seed=1, max_points_per_centroid=len(some))
        found.train(some)
        return found

    sample = _sample(rows)
    best = max((fit(sample, k) for k in range(2, K_MAX + 1)), key=lambda found: _silhouette(sample, found.assign(sample)[1]))
    whole = faiss.Kmeans(rows.shape[1], best.k, niter=25, max_points_per_centroid=len(rows))
    whole.train(rows, init_centroids=best.centroids)
    distances, labels = whole.assign(rows)
    return best.k, labels, float(distances.sum(dtype=np.float64))


CONTESTANTS: Mapping[str, Callable[[Matrix], Answer]] = {
    "AutoKMeans, silhouette alone": _alone,
    "AutoKMeans, consensus": _consensus,
    "KMeans of ten starts": _sweep(KMeans, 10),
    "KMeans of one start": _sweep(KMeans, 1),
    "MiniBatchKMeans of three starts": _sweep(MiniBatchKMeans, 3),
    "FAISS Kmeans of ten starts": _faiss,
}


class Told(NamedTuple):
    """What a contestant's process prints."""

    seconds: float
    beyond: float
    """Bytes held at most beyond the rows and what was there before."""
    read: float
    """Seconds to read all rows once: the middle of five readings, of which the first is slower."""
    k: int
    inertia: float
    agreement: float


def compete(name: str, n: int, d: int) -> Told:
    """Draw the rows, let one contestant choose and fit, and tell what it took."""
    rows, truth = blobs(n, d)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    read = median(_seconds_to_read(rows) for _ in range(READINGS))
    began = time.perf_counter()
    k, labels, inertia = CONTESTANTS[name](rows)
    seconds = time.perf_counter() - began
    beyond = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * PEAK_UNIT
    return Told(seconds, beyond, read, k, inertia, adjusted_rand_score(truth, labels))


def _seconds_to_read(rows: Matrix) -> float:
    began = time.perf_counter()
    rows.sum()
    return time.perf_counter() - began


def best_of_ten(n: int, d: int, k: int) -> float:
    """Smallest inertia of ten fits of scikit-learn on all rows."""
    return float(KMeans(k, n_init=10, random_state=0).fit(blobs(n, d)[0]).inertia_)


def _print(n: int, d: int, turns: int, *, best: bool) -> None:
    told: dict[str, list[Told]] = {name: [] for name in CONTESTANTS}
    for _ in range(turns):
        for name in CONTESTANTS:
            said = run("-m", "benchmarks.clusters", "--compete", name, "--size", f"{n}x{d}").said
            told[name].append(Told(*json.loads(said)))
    ours = next(iter(CONTESTANTS))
    own = median(one.seconds for one in told[ours])
    read = median(one.read for turn in told.values() for one in turn)
    print(f"\n### {n:,} rows of {d}, {KINDS} kinds, k of 2 to {K_MAX}\n\nTo read all rows once takes {1000 * read:.0f} ms.\n")
    print("| what | seconds | times ours | readings of the rows | memory beyond the rows, MB | k | agreement |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name, turn in told.items():
        seconds = median(one.seconds for one in turn)
        beyond = max(one.beyond for one in turn) / MB
        found = f"{turn[0].k} | {turn[0].agreement:.3f}"
        print(f"| {name} | {seconds:.2f} | {seconds / own:.1f} | {seconds / read:.0f} | {beyond:,.0f} | {found} |")
    if best:
        one = told[ours][0]
        print(f"\nInertia against the best of ten full fits at k = {one.k}: {one.inertia / best_of_ten(n, d, one.k):.5f}.", flush=True)


def main() -> None:
    """Measure as the arguments say, and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.clusters", description=__doc__.splitlines()[0])
    parser.add_argument("--size", action="append", help="ROWSxCOLUMNS, may be given again [default: 100000x30 and 1000000x100]")
    parser.add_argument("--turns", type=int, default=1, help="times each contestant runs; the middle one counts [default: %(default)s]")
    parser.add_argument("--no-best", action="store_true", help="leave out the ten full fits, which take longest")
    parser.add_argument("--compete", choices=CONTESTANTS, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    sizes = [tuple(map(int, size.split("x"))) for size in asked.size or ("100000x30", "1000000x100")]
    if asked.compete:
        print(json.dumps(compete(asked.compete, *sizes[0])))
        return
    packages = ", ".join(f"{name} {version(name)}" for name in ("scikit-learn", "faiss-cpu", "numpy"))
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} before; Python {platform.python_version()}, {packages}.")
    for n, d in sizes:
        _print(n, d, asked.turns, best=not asked.no_best)
    print(f"\nLoad average {os.getloadavg()[0]:.1f} after.")


if __name__ == "__main__":
    main()
