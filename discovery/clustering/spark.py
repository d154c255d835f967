"""Communities beyond one machine: k is chosen on a sample here, all rows are read where Spark keeps them, and centres alone travel.

Only this file of the clustering knows pyspark (extra ``cluster``). Every executor needs this package installed. Each task reads its rows
with the same kernel that :class:`AutoKMeans` reads with, so there is no second K-Means; docs/clustering.md compares it with MLlib's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from discovery.clustering.autokmeans import GAIN, SAMPLE, AutoKMeans
from discovery.clustering.partition import Matrix, assign, read, squared_lengths

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

READINGS = 300
_TOLD = "sums binary, masses binary, inertia double"


def fit(model: AutoKMeans, rows: DataFrame, *, key: str) -> DataFrame:
    """Choose k on a sample as ``model`` is set, fit all rows from there, and label them.

    The sample is the rows whose keys have the smallest hashes, so that neither partitions nor their order matter. A cluster that all
    rows together leave empty keeps its centre.

    Args:
        model: Is fitted; ``labels_`` and what says why k was chosen are of the sample.
        rows: One column of keys, each once, and columns of finite numbers, which are read in their order.
        key: The column of keys.

    Returns:
        key, and label (bigint).

    Raises:
        ValueError: as ``AutoKMeans.fit``, or a value is not finite.
    """
    from pyspark.sql import functions as f  # noqa: PLC0415 - an extra, and heavy

    names = [name for name in rows.columns if name != key]
    sample = rows.orderBy(f.xxhash64(key), key).limit(SAMPLE).select(*names).toArrow().to_pandas()
    model.fit(sample.to_numpy())
    centres, masses, inertia = _polished(rows.select(*names), model.cluster_centers_)
    model.adopt(centres, masses, inertia)
    final = model.cluster_centers_

    def task(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa  # noqa: PLC0415 - comes with the extra

        for batch in batches:
            matrix, near, _ = _near(batch.select(names), final)
            labels = assign(matrix, near)
            yield pa.RecordBatch.from_arrays([batch.column(key), pa.array(labels)], [key, "label"])

    return rows.mapInArrow(task, f"`{key}` {rows.schema[key].dataType.simpleString()}, label bigint")


def _polished(rows: DataFrame, centres: Matrix) -> tuple[Matrix, Matrix, float]:
    """Run Lloyd's algorithm over all rows; also the weight of each cluster, and the inertia."""
    for left in reversed(range(READINGS)):
        told = [
            (np.frombuffer(row["sums"]).reshape(centres.shape), np.frombuffer(row["masses"]), row["inertia"])
            for row in rows.mapInArrow(_reading(centres), _TOLD).collect()
        ]
        sums, masses, inertia = (sum(part) for part in zip(*told, strict=True))
        if not np.isfinite(inertia):
            raise ValueError("a value of the rows is not finite: leave such rows out, or fill them, first.")
        moved = np.where(masses[:, None] > 0, sums / np.maximum(masses, 1)[:, None], centres)
        gain = float(masses @ np.square(moved - centres, dtype=np.float64).sum(axis=1))
        if gain <= GAIN * inertia or not left:
            break
        centres = moved
    return centres, masses, float(inertia)


def _reading(centres: Matrix) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Read a partition once, and tell the sums, weights and inertia of its rows."""

    def task(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa  # noqa: PLC0415 - comes with the extra

        sums, masses, inertia = np.zeros(centres.shape), np.zeros(len(centres)), 0.0
        for batch in batches:
            matrix, near, middle = _near(batch, centres)
            found = read(matrix, near)
            sums += found.sums + found.masses[:, None] * middle
            masses += found.masses
            inertia += float((found.nearest + squared_lengths(matrix)).sum(dtype=np.float64))
        yield pa.RecordBatch.from_pydict({"sums": [sums.tobytes()], "masses": [masses.tobytes()], "inertia": [inertia]})

    return task


def _near(batch: pa.RecordBatch, centres: Matrix) -> tuple[Matrix, Matrix, Matrix]:
    """Move rows and centres to the middle of the centres, as distances that are taken from products need it; also tell the middle."""
    matrix = batch.to_pandas().to_numpy()
    middle = centres.mean(axis=0).astype(matrix.dtype)
    return np.ascontiguousarray(matrix - middle), (centres - middle).astype(matrix.dtype), middle
