"""Rows of a Parquet file as plain values, streamed: memory does not grow with the file."""

from __future__ import annotations

import glob
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

_CHUNK = 5_000
_ZONED = "TIMESTAMP WITH TIME ZONE"


class UnreadableParquetError(OSError):
    """A file that is no Parquet, or is damaged."""


def columns(path: Path) -> list[str]:
    """Names of a file's columns, in its order.

    Raises:
        UnreadableParquetError: no Parquet, or damaged.
    """
    with _reading() as connection:
        return [name for name, _ in _schema(connection, path)]


def rows(path: Path) -> Iterator[tuple[Any, ...]]:
    """Yield a file's rows in its order. An instant comes as whole seconds UTC, a time without a zone as a ``datetime``.

    Raises:
        UnreadableParquetError: no Parquet, or damaged.
    """
    with _reading() as connection:
        chosen = ", ".join(_expression(name, kind) for name, kind in _schema(connection, path))
        try:
            found = connection.execute(f"SELECT {chosen} FROM read_parquet(?)", [glob.escape(str(path))])  # noqa: S608 - quoted by _expression
            while chunk := found.fetchmany(_CHUNK):
                yield from chunk
        except duckdb.Error as error:
            raise _unreadable(path, error) from error


def _reading() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"memory_limit": "512MB", "threads": 1, "autoinstall_known_extensions": False})


def _schema(connection: duckdb.DuckDBPyConnection, path: Path) -> list[tuple[str, str]]:
    try:
        described = connection.execute("DESCRIBE SELECT * FROM read_parquet(?)", [glob.escape(str(path))]).fetchall()
    except duckdb.Error as error:
        raise _unreadable(path, error) from error
    return [(name, kind) for name, kind, *_ in described]


def _expression(name: str, kind: str) -> str:
    column = '"' + name.replace('"', '""') + '"'
    return f"epoch_us({column}) // 1000000" if kind == _ZONED else column


def _unreadable(path: Path, error: duckdb.Error) -> UnreadableParquetError:
    return UnreadableParquetError(f"`{path}` is no readable Parquet file ({str(error).splitlines()[0]})")
