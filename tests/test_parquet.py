"""Parquet files as rows: plain values in the file's order, from names however odd, with memory that does not grow."""

from __future__ import annotations

import tracemalloc
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from storage import parquet


def write(path: Path, query: str) -> Path:
    """Write a query's rows."""
    duckdb.sql(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    return path


def test_rows_in_order_with_plain_values(tmp_path: Path) -> None:
    """An instant is whole seconds UTC, a time without zone a datetime, a null a None; odd names of columns and files are kept."""
    path = write(
        tmp_path / "a[1]*b?.parquet",
        "SELECT TIMESTAMPTZ '2020-01-01 14:00:00.9+02' AS at, TIMESTAMP '2020-01-01 12:00:00' AS \"lo\"\"cal\", NULL::INT AS gap, 'x' AS s",
    )
    (tmp_path / "a1zbz.parquet").write_bytes(b"what a pattern would have matched")
    assert parquet.columns(path) == ["at", 'lo"cal', "gap", "s"]
    assert list(parquet.rows(path)) == [(1_577_880_000, datetime(2020, 1, 1, 12), None, "x")]  # noqa: DTZ001 - the file names no zone


def test_order_is_the_files(tmp_path: Path) -> None:
    """Rows come in the order in which they stand, over all row groups."""
    path = write(tmp_path / "n.parquet", "SELECT range AS n FROM range(300000)")
    assert [n for (n,) in parquet.rows(path)] == list(range(300_000))


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """Ten times the rows need no more Python memory to pass over."""

    def peak(count: int) -> int:
        path = write(tmp_path / f"{count}.parquet", f"SELECT repeat('x', 2000) || range AS s FROM range({count})")  # noqa: S608 - a number of ours
        tracemalloc.start()
        assert sum(1 for _ in parquet.rows(path)) == count
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    assert peak(100_000) < 1.5 * peak(10_000)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_damaged_file_says_so(tmp_path: Path, share: float) -> None:
    """A file that is cut or is no Parquet raises an error that names it."""
    data = write(tmp_path / "whole.parquet", "SELECT range AS n FROM range(1000)").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(data[: int(len(data) * share)])
    with pytest.raises(parquet.UnreadableParquetError, match=r"cut\.parquet"):
        list(parquet.rows(tmp_path / "cut.parquet"))
