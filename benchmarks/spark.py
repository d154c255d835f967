"""Measure an exported activity with DuckDB and with a local Spark: ``python -m benchmarks.spark`` prints a Markdown table.

Needs the extra ``cluster`` and Java, so it is no part of ``make bench``. That both print the same bytes is checked, not assumed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
from importlib.metadata import version
from pathlib import Path

from benchmarks.process import Spent, run

MB = 1_000_000


class DifferentFeaturesError(RuntimeError):
    """Spark and DuckDB measured different things."""


def measured(folder: Path, *, records: int, batch: int) -> tuple[int, dict[str, Spent]]:
    """Write invented dumps, collect and export them, and measure the export with either engine.

    Returns:
        Bytes of the exported records, and what each engine took.

    Raises:
        DifferentFeaturesError: the printed features differ in a byte.
    """
    run("-m", "benchmarks.dump", folder / "dumps", str(records))
    config, activity = folder / "config.yaml", folder / "activity"
    source = {"kind": "pushshift", "path": str(folder / "dumps")}
    config.write_text(json.dumps({"data_dir": str(folder / "data"), "sources": [source], "features": {"batch_records": batch}}))
    run("-m", "discovery", "collect", "--config", config)
    run("-m", "discovery", "export", activity, "--config", config)
    told = ("--config", config, "--activity", activity, "--json")
    spent = {engine: run("-m", "discovery", "measure", *told, "--engine", engine) for engine in ("duckdb", "spark")}
    if spent["duckdb"].said != spent["spark"].said:
        raise DifferentFeaturesError("Spark prints other features than DuckDB: the comparison would not be of the same work.")
    return sum(file.stat().st_size for file in (activity / "records").iterdir()), spent


def main() -> None:
    """Measure as the arguments say, and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.spark", description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=300_000, help="records to invent [default: %(default)s]")
    parser.add_argument("--batch", type=int, default=80_000, help="records of a task's communities [default: %(default)s]")
    told = parser.parse_args()
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="subcurrent-bench-") as folder:
        size, spent = measured(Path(folder), records=told.records, batch=told.batch)
    versions = ", ".join([f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in ("duckdb", "pyspark"))])
    print(f"{told.records:,} invented records, {size / MB:,.0f} MB as Parquet, tasks of about {told.batch:,} records.")
    print(f"{os.cpu_count()} cores, load average {before:.1f} before and {os.getloadavg()[0]:.1f} after; {versions}.\n")
    print("| engine | seconds | peak memory of the driver's Python, MB |\n|---|---:|---:|")
    for engine, took in spent.items():
        print(f"| {engine} | {took.seconds:.1f} | {took.peak / MB:,.0f} |")
    print("\nBoth print the same bytes.")


if __name__ == "__main__":
    main()
