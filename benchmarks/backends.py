"""Measure who finds nearest centres: ``python -m benchmarks.backends`` prints our search beside FAISS for few and many clusters.

With ``--spark`` (extra ``cluster`` and Java) it also lets a local Spark choose k and fit as ``discovery.clustering.spark`` does, beside
MLlib's KMeans for the k that was planted, and MLlib's own sweep by its silhouette. Rows are those of ``benchmarks.clusters``.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from benchmarks.clusters import K_MAX, KINDS, blobs
from discovery.clustering import AutoKMeans, faiss, spark
from discovery.clustering.partition import Labels, Matrix, placing, read
from discovery.features.spark import session

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

CLUSTERS = (20, 200, 1_000, 4_000)


def readings(n: int, d: int) -> Iterator[str]:
    """Read all rows once with either search, for each number of clusters: seconds, and the share of equal labels."""
    yield f"\n### One reading of {n:,} rows of {d}\n\n| clusters | ours, s | FAISS, s | same labels |\n|---:|---:|---:|---:|"
    rows = blobs(n, d)[0]
    read(rows[:1], rows[:1], None, faiss.placing)  # loads it
    for k in CLUSTERS:
        told = []
        for backend in (placing, faiss.placing):
            began = time.perf_counter()
            told.append((read(rows, rows[:k].copy(), None, backend).labels, time.perf_counter() - began))
        (ours, took), (theirs, other) = told
        yield f"| {k:,} | {took:.2f} | {other:.2f} | {(ours == theirs).mean():.6f} |"


def on_spark(n: int, d: int) -> Iterator[str]:
    """Let a local Spark choose and fit, and MLlib beside it."""
    rows, truth = blobs(n, d)
    yield f"\n### {n:,} rows of {d} on a local Spark, {KINDS} kinds\n"
    yield "| what | seconds | k | agreement | inertia |\n|---|---:|---:|---:|---:|"
    with tempfile.TemporaryDirectory(prefix="subcurrent-bench-") as folder:
        frame = _written(rows, Path(folder) / "rows.parquet")
        for name, fit in (("AutoKMeans by silhouette", _ours), ("MLlib, k told", _told), ("MLlib, k by its silhouette", _swept)):
            began = time.perf_counter()
            labels, inertia = fit(frame)
            seconds = time.perf_counter() - began
            yield f"| {name} | {seconds:.1f} | {labels.max() + 1} | {adjusted_rand_score(truth, labels):.3f} | {inertia:.4g} |"


def _written(rows: Matrix, path: Path) -> DataFrame:
    import pyarrow as pa  # noqa: PLC0415 - comes with the extra
    from pyarrow import parquet  # noqa: PLC0415 - comes with the extra

    table = pa.table({"key": np.arange(len(rows)), **{f"f{column}": rows[:, column] for column in range(rows.shape[1])}})
    parquet.write_table(table, path, row_group_size=50_000)
    frame = session().read.parquet(str(path))
    frame.count()  # Spark has started
    return frame


def _ours(frame: DataFrame) -> tuple[Labels, float]:
    model = AutoKMeans(2, K_MAX, criterion="silhouette", n_resamples=0, random_state=0)
    return _labels(spark.fit(model, frame, key="key"), "label"), model.inertia_


def _told(frame: DataFrame) -> tuple[Labels, float]:
    return _fitted(_assembled(frame), KINDS)[:2]


def _swept(frame: DataFrame) -> tuple[Labels, float]:
    from pyspark.ml.evaluation import ClusteringEvaluator  # noqa: PLC0415 - an extra, and heavy

    vectors = _assembled(frame).cache()
    fits = [_fitted(vectors, k) for k in range(2, K_MAX + 1)]
    best = max(fits, key=lambda fit: ClusteringEvaluator().evaluate(fit[2]))
    return best[:2]


def _assembled(frame: DataFrame) -> DataFrame:
    from pyspark.ml.feature import VectorAssembler  # noqa: PLC0415 - an extra, and heavy

    names = [name for name in frame.columns if name != "key"]
    return VectorAssembler(inputCols=names, outputCol="features").transform(frame).select("key", "features")


def _fitted(vectors: DataFrame, k: int) -> tuple[Labels, float, Any]:
    from pyspark.ml.clustering import KMeans  # noqa: PLC0415 - an extra, and heavy

    model = KMeans(k=k, seed=1).fit(vectors)
    placed = model.transform(vectors)
    return _labels(placed, "prediction"), model.summary.trainingCost, placed


def _labels(placed: DataFrame, column: str) -> Labels:
    labels: Labels = placed.select("key", column).toArrow().to_pandas().sort_values("key")[column].to_numpy()
    return labels


def main() -> None:
    """Measure as the arguments say, and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.backends", description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=200_000, help="rows of a reading [default: %(default)s]")
    parser.add_argument("--spark", action="store_true", help="measure a local Spark too, on 500,000 rows of 30")
    asked = parser.parse_args()
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} before.", flush=True)
    with threadpool_limits(limits=1):
        for d in (30, 100):
            for line in readings(asked.rows, d):
                print(line, flush=True)
    for line in on_spark(500_000, 30) if asked.spark else ():
        print(line, flush=True)


if __name__ == "__main__":
    main()
