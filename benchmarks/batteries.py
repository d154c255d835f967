"""Measure the choice of k on sets whose kinds are known: ``python -m benchmarks.batteries`` prints a Markdown table.

scikit-learn's own labelled sets, generated sets of five kinds, and any folder of ``NAME.data.gz`` beside ``NAME.labels0.gz``
(whitespace text, as public clustering benchmarks are published; what is labelled 0 is noise, which is clustered but not scored).
AutoKMeans is asked as it comes, where it says one cluster unless there are valleys or regions of density, and with segments allowed,
as a run asks. Beside it stands a sweep of scikit-learn's KMeans by the silhouette, and the best agreement of that sweep at any k.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine, make_moons
from sklearn.metrics import adjusted_rand_score, silhouette_score
from threadpoolctl import threadpool_limits

from benchmarks.structure import blobs
from discovery.clustering import AutoKMeans
from discovery.clustering.partition import Labels, Matrix

ROWS = 4_000
"""Larger sets are sampled, for all contestants alike."""
K_MAX = 20
NOISE = 0


class Labelled(NamedTuple):
    """A set of rows with the kind of each; ``NOISE`` is of no kind."""

    name: str
    rows: Matrix
    truth: Labels

    @property
    def kinds(self) -> int:
        """How many kinds there are, noise left out."""
        return len(np.setdiff1d(self.truth, NOISE))

    def agreement(self, labels: Labels) -> float:
        """Adjusted Rand index of some labels with the kinds, noise left out."""
        told = self.truth != NOISE
        return float(adjusted_rand_score(self.truth[told], labels[told]))


def own() -> Iterator[Labelled]:
    """Labelled sets that scikit-learn ships, as they are."""
    for load in (load_iris, load_wine, load_digits, load_breast_cancer):
        found = load()
        yield Labelled(load.__name__.removeprefix("load_"), found.data, found.target + 1)


def generated(seed: int) -> Iterator[Labelled]:
    """One set of each of five kinds: equal, unequal, overlapping, drawn out, and bent (which K-Means cannot follow)."""
    random = np.random.default_rng(seed)
    yield _blobs("equal blobs", random, np.full(6, 150), apart=6)
    yield _blobs("unequal blobs", random, np.array([600, 240, 120, 60, 30]), apart=7)
    yield _blobs("overlapping blobs", random, np.full(4, 250), apart=4)
    drawn_out = _blobs("drawn-out blobs", random, np.full(3, 300), apart=8)
    yield drawn_out._replace(rows=drawn_out.rows @ np.diag([1, 1, 1, 1, 1, 1, 1, 4.0]))
    bent, side = make_moons(600, noise=0.08, random_state=seed)
    yield Labelled("two moons", bent, side + 1)


def _blobs(name: str, random: np.random.Generator, sizes: Labels, *, apart: float) -> Labelled:
    rows, truth = blobs(random, sizes=sizes, d=8, apart=apart)
    return Labelled(name, rows, truth + 1)


def folder(path: Path) -> Iterator[Labelled]:
    """Read every set of a folder and of those in it.

    Raises:
        ValueError: a set has no labels, or not one for each row.
    """
    for data in sorted(path.rglob("*.data.gz")):
        labels = data.with_name(data.name.removesuffix(".data.gz") + ".labels0.gz")
        if not labels.exists():
            raise ValueError(f"{data} has no labels: {labels.name} should stand beside it.")
        rows, truth = np.loadtxt(data, ndmin=2), np.loadtxt(labels, dtype=np.intp, ndmin=1)
        if len(rows) != len(truth):
            raise ValueError(f"{data} has {len(rows)} rows and {labels.name} {len(truth)} labels: one for each row is needed.")
        yield Labelled(str(data.relative_to(path)).removesuffix(".data.gz"), rows, truth)


def sampled(one: Labelled) -> Labelled:
    """Draw as many rows as all contestants are given."""
    if len(one.rows) <= ROWS:
        return one
    rows = np.sort(np.random.default_rng(0).choice(len(one.rows), ROWS, replace=False))
    return one._replace(rows=one.rows[rows], truth=one.truth[rows])


def measured(one: Labelled, *, starts: int) -> dict[str, object]:
    """Let AutoKMeans and the sweep choose, and compare them with the kinds."""
    model, cut = (AutoKMeans(k_max=K_MAX, allow_segments=segments, random_state=0).fit(one.rows) for segments in (False, True))
    sweep = {k: KMeans(k, n_init=starts, random_state=0).fit_predict(one.rows) for k in range(2, K_MAX + 1)}
    said = max(sweep, key=lambda k: silhouette_score(one.rows, sweep[k]))
    return {
        "set": one.name,
        "rows": len(one.rows),
        "kinds": one.kinds,
        "k": model.n_clusters_,
        "agreement": one.agreement(model.labels_),
        "k with segments": cut.n_clusters_,
        "structure": cut.structure_,
        "agreement with segments": one.agreement(cut.labels_),
        "k of the sweep": said,
        "agreement of the sweep": one.agreement(sweep[said]),
        "best of the sweep": max(one.agreement(labels) for labels in sweep.values()),
    }


def table(sets: Iterable[Labelled], *, starts: int) -> Iterator[str]:
    """Lay out a line for each set as it is measured, and what they come to."""
    lines = []
    for one in sets:
        lines.append(measured(sampled(one), starts=starts))
        if len(lines) == 1:
            yield "| " + " | ".join(lines[0]) + " |\n|---|" + "---:|" * 5 + "---|" + "---:|" * 4
        yield "| " + " | ".join(f"{value:.3f}" if isinstance(value, float) else f"{value}" for value in lines[-1].values()) + " |"
    if lines:
        yield _summary(pd.DataFrame(lines))


def _summary(lines: pd.DataFrame) -> str:
    told = pd.DataFrame(
        {
            "right k": [(lines[k] == lines["kinds"]).mean() for k in ("k", "k with segments", "k of the sweep")],
            "mean agreement": [lines[name].mean() for name in ("agreement", "agreement with segments", "agreement of the sweep")],
        },
        index=["AutoKMeans", "with segments", "the sweep"],
    )
    rows = "\n".join(f"| {name} | {hits:.3f} | {agreement:.3f} |" for name, hits, agreement in told.itertuples())
    return (
        f"\n{len(lines)} sets. Best agreement of the sweep at any k: {lines['best of the sweep'].mean():.3f}. "
        f"One cluster, with segments too: {(lines['k with segments'] == 1).sum()}.\n\n"
        f"| | right k | mean agreement |\n|---|---:|---:|\n{rows}"
    )


def main() -> None:
    """Measure as the arguments say, and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.batteries", description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="*", type=Path, help="folders of NAME.data.gz and NAME.labels0.gz, beside the built-in sets")
    parser.add_argument("--draws", type=int, default=3, help="generated sets of each of the five kinds [default: %(default)s]")
    parser.add_argument("--starts", type=int, default=10, help="starts of each KMeans of the sweep [default: %(default)s]")
    asked = parser.parse_args()
    batteries = {"scikit-learn's own": own(), "generated": (one for seed in range(asked.draws) for one in generated(seed))}
    batteries |= {str(path): folder(path) for path in asked.folders}
    with threadpool_limits(limits=1):
        for name, sets in batteries.items():
            print(f"\n### {name}\n")
            for line in table(sets, starts=asked.starts):
                print(line, flush=True)


if __name__ == "__main__":
    main()
