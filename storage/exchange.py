"""Activity as a folder of Parquet files: what the store holds for measuring, pseudonyms and all, to be measured elsewhere.

``sources.parquet``, ``communities.parquet`` and the files of the folder ``records`` have the columns of the store's tables of these
names, but for ``key`` and ``digest``: not everybody reads unsigned numbers, and the key follows from the id. Texts are as the store
keeps them; the folder is as private as the store.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from storage.errors import ActivityFileError

SOURCES, COMMUNITIES, RECORDS = "sources", "communities", "records"
FILE_SIZE = "128MB"
"""A task of a cluster reads a file, or several."""


def export(connection: duckdb.DuckDBPyConnection, folder: Path) -> int:
    """Write the activity into a folder that is not there yet; return the number of records. What breaks off leaves ``folder.new``.

    Raises:
        FileExistsError: it is there.
    """
    if folder.exists():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(folder))
    fresh = folder.with_name(f"{folder.name}.new")
    before = os.umask(0o077)
    try:
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        for table in (SOURCES, COMMUNITIES):
            connection.table(table).write_parquet(str(fresh / f"{table}.parquet"), compression="zstd")
        files = f"'{_quoted(fresh / RECORDS)}' (FORMAT parquet, COMPRESSION zstd, FILE_SIZE_BYTES '{FILE_SIZE}')"
        count = int(connection.execute(f"COPY ({_RECORDS}) TO {files}").fetchall()[0][0])
        fresh.rename(folder)
        return count
    finally:
        os.umask(before)


_RECORDS = "SELECT * EXCLUDE (key, digest) FROM records"


@contextmanager
def imported(folder: str, *, records: bool, memory_limit: str, threads: int) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a folder of activity as tables in memory, with or without its records.

    Raises:
        ActivityFileError: a file of the folder is missing, or no Parquet.
    """
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory_limit,
        "threads": threads,
        "preserve_insertion_order": False,
        "autoinstall_known_extensions": False,
    }
    with duckdb.connect(config=settings) as connection:
        for table, files in ((SOURCES, "sources.parquet"), (COMMUNITIES, "communities.parquet"), (RECORDS, "records/*.parquet")):
            if table == RECORDS and not records:
                continue
            try:
                given = connection.read_parquet(f"{folder.rstrip('/')}/{files}")
                (given.project("*, md5_number_lower(record_id) AS key") if table == RECORDS else given).create(table)
            except duckdb.Error as error:
                fact = str(error).splitlines()[0]
                raise ActivityFileError(f"{folder} is no exported activity: {fact}. `subcurrent export` writes one.") from error
        yield connection


def _quoted(path: Path) -> str:
    """Write a path as SQL does."""
    return str(path).replace("'", "''")
