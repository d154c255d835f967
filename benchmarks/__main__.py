"""Measure a whole run on invented dumps: ``python -m benchmarks --records 1000000`` prints a Markdown table.

Dumps are written first, then read by the command line as a user would, each stage in a process of its own. Nothing is kept.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from benchmarks.process import Spent, run

STAGES = {
    "collect": "file to committed",
    "measure": "features",
    "cluster": "automatic k",
    "rank": "interpret and rank",
    "publish": "publish and report",
    "report": "the report again",
}
PACKAGES = ("duckdb", "numpy", "pandas", "pydantic", "scikit-learn")
MB = 1_000_000


class Dumps(NamedTuple):
    """Dumps that were written."""

    folder: Path
    records: int
    communities: int
    size: int
    """Bytes before compression."""

    def stored(self) -> int:
        """Bytes on the disk."""
        return sum(file.stat().st_size for file in self.folder.iterdir())


class Figures(NamedTuple):
    """What was measured."""

    dumps: Dumps
    start: Spent
    """A process that only starts: the same in every stage."""
    help: Spent
    """``subcurrent --help``, which needs none of what the stages import."""
    stages: dict[str, Spent]
    quarter: tuple[Dumps, Spent]
    """Collecting a quarter as much."""
    reader: float
    """Seconds of DuckDB's own reader."""
    load: tuple[float, float]
    """Load average before and after."""

    def rate(self, spent: Spent) -> float:
        """Records in a second of a stage, the start of its process left out; NaN where there is little besides."""
        work = spent.seconds - self.start.seconds
        return self.dumps.records / work if work > self.start.seconds / 2 else math.nan


def measured(folder: Path, *, records: int, until: str) -> Figures:
    """Write dumps, read them with every stage up to ``until``, and with DuckDB's reader before and after collecting."""
    before = os.getloadavg()[0]
    few, dumps = (_written(folder / name, records=count) for name, count in (("few", records // 4), ("all", records)))
    start, help_ = _fastest("start", "-c", "import discovery.night"), _fastest("help", "-m", "discovery", "--help")
    part = _told("collect a quarter", run("-m", "discovery", "collect", "--config", _config(few)))
    config = _config(dumps)
    reader = [_read(dumps)]
    stages = {}
    for stage in list(STAGES)[: list(STAGES).index(until) + 1]:
        stages[stage] = _told(stage, run("-m", "discovery", stage, "--config", config))
        if stage == "collect":
            reader.append(_read(dumps))
    return Figures(dumps, start, help_, stages, (few, part), sum(reader) / len(reader), (before, os.getloadavg()[0]))


def markdown(figures: Figures) -> str:
    """Lay the figures out."""
    versions = ", ".join([f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in PACKAGES)])
    dumps, (before, after) = figures.dumps, figures.load
    return f"""\
{dumps.records:,} invented records of {dumps.communities:,} communities in the format of Reddit's dumps: \
{dumps.stored() / MB:,.0f} MB compressed, {dumps.size / MB:,.0f} MB of lines.
{os.cpu_count()} cores, load average {before:.1f} before and {after:.1f} after; {versions}.

| stage | seconds | CPU seconds | records/s | peak memory, MB |
|---|---:|---:|---:|---:|
{_rows(figures)}

{_remarks(figures)}"""


def _rows(figures: Figures) -> str:
    return "\n".join(
        f"| {stage} ({STAGES[stage]}) | {spent.seconds:.1f} | {spent.cpu:.1f} | {_whole(figures.rate(spent))} | {spent.peak / MB:,.0f} |"
        for stage, spent in figures.stages.items()
    )


def _whole(rate: float) -> str:
    return "" if math.isnan(rate) else f"{rate:,.0f}"


def _remarks(figures: Figures) -> str:
    (few, part), collect = figures.quarter, figures.stages["collect"]
    once = [spent for stage, spent in figures.stages.items() if stage != "report"]
    seconds, peak = sum(spent.seconds for spent in once), max(spent.peak for spent in once)
    ours, theirs = figures.rate(collect), figures.dumps.records / figures.reader
    return f"""\
- Each stage is a process of its own. Starting one takes {figures.start.seconds:.1f} s and {figures.start.peak / MB:,.0f} MB: \
counted in its seconds and memory, not in its records/s, which are left out where little else was done.
- `subcurrent --help` takes {figures.help.seconds:.1f} s, {figures.help.cpu:.1f} CPU seconds and {figures.help.peak / MB:,.0f} MB.
- These stages, without the second report: {seconds:,.0f} s, at most {peak / MB:,.0f} MB.
- Memory of collect: {part.peak / MB:,.0f} MB for {few.records:,} records, {collect.peak / MB:,.0f} MB for {figures.dumps.records:,}: what \
grows is the store's cache, up to `limits.memory`.
- DuckDB's own reader stores the same dumps, unchecked and with their names, at {theirs:,.0f} records/s\
{"" if math.isnan(ours) else f"; collect reaches {ours / theirs:.2f} of that"}."""


def _written(folder: Path, *, records: int) -> Dumps:
    spent = _told(f"write {records:,} records", run("-m", "benchmarks.dump", folder, str(records)))
    communities, size = map(int, spent.said.split())
    return Dumps(folder, records, communities, size)


def _config(dumps: Dumps) -> Path:
    """Write a configuration beside the dumps that reads them, all else as by default; JSON is YAML too."""
    path = dumps.folder.with_suffix(".yaml")
    data = dumps.folder.with_suffix(".data")
    path.write_text(json.dumps({"data_dir": str(data), "sources": [{"kind": "pushshift", "path": str(dumps.folder)}]}))
    return path


def _read(dumps: Dumps) -> float:
    database = dumps.folder.with_suffix(".duckdb")
    rows, seconds = _told("DuckDB's reader", run("-m", "benchmarks.reader", dumps.folder, database)).said.split()
    database.unlink()
    if int(rows) != dumps.records:
        raise RuntimeError(f"DuckDB's reader found {rows} of {dumps.records} records: the comparison would not be of the same work.")
    return float(seconds)


def _fastest(what: str, *command: str) -> Spent:
    """Run what is soon done three times; the fastest was disturbed least."""
    return min((_told(what, run(*command)) for _ in range(3)), key=lambda spent: spent.seconds)


def _told(what: str, spent: Spent) -> Spent:
    sys.stderr.write(f"{what}: {spent.seconds:.1f} s, {spent.peak / MB:,.0f} MB\n")
    return spent


def main() -> None:
    """Measure as the arguments say, and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=1_000_000, help="size of the dumps [default: %(default)s]; 50000 is a quick look")
    parser.add_argument("--until", choices=STAGES, default="report", help="last stage to measure [default: %(default)s]")
    arguments = parser.parse_args()
    if arguments.records < 1_000:
        parser.error(f"--records {arguments.records}: fewer than 1000 are too few to measure anything by.")
    with tempfile.TemporaryDirectory(prefix="subcurrent-bench-") as folder:
        print(markdown(measured(Path(folder), records=arguments.records, until=arguments.until)))


if __name__ == "__main__":
    main()
