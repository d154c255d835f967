"""Activity on a Spark cluster: the parts of a measuring as Spark tasks, in each of which the same DuckDB statements run.

Only this file knows pyspark (extra ``cluster``), and only once it is asked for. Every executor needs this package installed; tasks are
sent by reference, and what they return is partials, a few hundred bytes a person.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd

from discovery.features.distributed import NARROW, Look, Packed
from storage.errors import MissingExtraError

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

SETTINGS = {"spark.sql.session.timeZone": "UTC", "spark.ui.showConsoleProgress": "false"}
_LOOKED = {"source_id": "bigint", "last_at": "bigint", "community": "string", "shown": "bigint", "posts": "bigint"}


def session() -> SparkSession:
    """Start Spark, or join the session that ``spark-submit`` has begun; without a master told it runs on this machine.

    Raises:
        MissingExtraError: pyspark is not installed.
    """
    if importlib.util.find_spec("pyspark") is None:
        raise MissingExtraError("Measuring on Spark needs pyspark and Java 17: pip install 'subcurrent[cluster]'.")
    from pyspark.sql import SparkSession  # noqa: PLC0415 - an extra, and heavy

    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)  # between us goes Arrow alone
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # tasks of this machine run in this environment
    builder = SparkSession.builder.appName("subcurrent")
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


class SparkParts:
    """Records of an exported activity that Spark reads, in as many parts as it likes."""

    def __init__(self, spark: SparkSession, path: str, *, memory_limit: str) -> None:
        self._records = spark.read.parquet(f"{path.rstrip('/')}/records")
        self._spark = spark
        self._memory_limit = memory_limit

    def look(self, look: Look) -> Iterable[pd.DataFrame]:
        """Look at each partition's narrow columns in a task."""
        import pyarrow as pa  # noqa: PLC0415 - comes with the extra

        memory_limit = self._memory_limit

        def task(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            held = list(batches)
            if held:
                with _opened(pa.Table.from_batches(held), memory_limit) as connection:
                    seen = look(connection)
                yield from pa.Table.from_pandas(seen.reindex(columns=list(_LOOKED)), schema=_schema(), preserve_index=False).to_batches()

        schema = ", ".join(f"{name} {kind}" for name, kind in _LOOKED.items())
        rows = self._records.select(*NARROW).mapInArrow(task, schema).collect()
        yield pd.DataFrame([row.asDict() for row in rows], columns=list(_LOOKED)).dropna(axis="columns", how="all")

    def reduce(self, places: pd.DataFrame, work: Callable[[duckdb.DuckDBPyConnection, pd.DataFrame], list[Packed]]) -> Iterable[Packed]:
        """Bring the records of each batch together in a task and work on them there."""
        import pyarrow as pa  # noqa: PLC0415 - comes with the extra
        from pyspark import StorageLevel  # noqa: PLC0415 - an extra, and heavy

        memory_limit = self._memory_limit
        told = self._spark.sparkContext.broadcast(places)

        def task(key: tuple[Any, ...], records: pa.Table) -> pa.Table:
            mine = told.value[told.value["batch"] == key[0].as_py()]
            with _opened(records.drop_columns(["batch"]), memory_limit) as connection:
                packed = work(connection, mine)
            return pa.table({"name": [one.name for one in packed], "rows": pa.array([one.rows for one in packed], pa.binary())})

        reduced = self._batched(places).groupBy("batch").applyInArrow(task, "name string, rows binary")
        kept = reduced.persist(StorageLevel.DISK_ONLY)
        kept.count()  # all batches at once; then they come one partition after the other, so that the driver holds little
        for row in kept.toLocalIterator():
            yield Packed(row["name"], bytes(row["rows"]))
        kept.unpersist()

    def _batched(self, places: pd.DataFrame) -> DataFrame:
        """Give each record the batches of its communities, each once."""
        from pyspark.sql import functions as f  # noqa: PLC0415 - an extra, and heavy

        pairs = zip(places["community"].tolist(), places["batch"].astype("int64").tolist(), strict=True)
        of = self._spark.createDataFrame(list(pairs), "community string, batch bigint")
        placed = self._records.select("record_id", f.explode(f.array_distinct("communities")).alias("community"))
        batches = placed.join(f.broadcast(of), "community").select("record_id", "batch").distinct()
        return self._records.join(batches, "record_id")


def _opened(given: pa.Table, memory_limit: str) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"memory_limit": memory_limit, "threads": 1, "preserve_insertion_order": False})
    connection.register("given", given)
    return connection


def _schema() -> pa.Schema:
    import pyarrow as pa  # noqa: PLC0415 - comes with the extra

    kinds = {"bigint": pa.int64(), "string": pa.string()}
    return pa.schema([(name, kinds[kind]) for name, kind in _LOOKED.items()])
