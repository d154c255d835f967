"""Activity that leaves or comes as Parquet files: exported from the store, or measured where it lies, on this machine or on a cluster."""

from __future__ import annotations

from pathlib import Path

from discovery.config import Config
from discovery.features import Background, Measurement, Scope, measure
from discovery.features.distributed import measure_parts
from discovery.lock import locked
from storage import exchange
from storage.activity import ActivityStore
from storage.errors import ActivityFileError
from storage.pseudonyms import Pseudonyms
from storage.reading import Answer
from storage.results import Results

COLUMNS = ["community", "feature", "value", "low", "high", "n", "coverage", "missing_reason"]


def export(config: Config, folder: Path) -> int:
    """Write the activity store as Parquet files; return the number of records.

    Raises:
        ActivityFileError: there is no activity yet.
        FileExistsError: the folder is there already.
        RunLockedError: a run holds the store.
    """
    path = config.data_dir / "activity.duckdb"
    if not path.exists():
        raise ActivityFileError(f"There is no activity at {path}: `subcurrent collect` reads some.")
    with locked(config.data_dir):
        pseudonyms = Pseudonyms.open(config.data_dir / "pseudonym.key")
        limits = config.limits
        with ActivityStore.open(path, pseudonyms=pseudonyms, memory_limit=limits.memory, threads=limits.threads) as store:
            return exchange.export(store.connection, folder)


def measured(config: Config, folder: str, *, spark: bool) -> Measurement:
    """Measure exported activity, all of its sources; ``now`` is the last instant each of them shows.

    What the data directory has frozen is compared with, as its next run would.

    Raises:
        ActivityFileError: the folder holds no activity.
        MissingExtraError: it is to run on Spark, and pyspark is not installed.
    """
    from discovery.features.spark import SparkParts, session  # noqa: PLC0415 - an extra

    limits = config.limits
    with exchange.imported(folder, records=not spark, memory_limit=limits.memory, threads=limits.threads) as connection:
        names = tuple(name for (name,) in connection.execute("SELECT name FROM sources ORDER BY name").fetchall())
        scope = Scope(sources=names, window_days=config.window_days, portfolio=config.portfolio, sites=config.sites)
        if not spark:
            return measure(connection, scope=scope, settings=config.features, frozen=_frozen(config))
        with session() as running:
            parts = SparkParts(running, folder, memory_limit=limits.memory)
            return measure_parts(connection, parts, scope=scope, settings=config.features, frozen=_frozen(config))


def _frozen(config: Config) -> Background | None:
    """Read what later runs of the data directory are compared with, if anything is frozen."""
    path = config.data_dir / "subcurrent.db"
    if not path.exists():
        return None
    with locked(config.data_dir), Results.open(path) as results:
        rows = results.background()
    return None if rows is None else Background.from_rows(rows.words, rows.measures)


def answer(measurement: Measurement) -> Answer:
    """Lay the estimates out as rows, one per community and feature; NULL where there is a reason instead."""
    grid = measurement.estimates[COLUMNS].astype(object)
    return Answer(COLUMNS, [tuple(row) for row in grid.where(grid.notna(), None).itertuples(index=False)], False)
