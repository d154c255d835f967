"""A reader's own SQL, answered within limits: one statement that can only read, a deadline, a cap on rows.

The query text flows in; columns and rows flow out.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any, NamedTuple

from storage.results_file import read_only

READING = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE})
STEPS_BETWEEN_CHECKS = 10_000
LONGEST_VALUE = 10_000_000
"""Bytes; stops a query from building a value that fills the memory."""


class QueryError(ValueError):
    """The query is wrong, does more than read, or takes too long."""


class Answer(NamedTuple):
    """What a query returned."""

    columns: list[str]
    rows: list[tuple[Any, ...]]
    truncated: bool
    """More rows were there than the cap allows."""


def ask(path: Path, query: str, *, seconds: float = 30.0, limit: int = 10_000) -> Answer:
    """Answer one SQL statement over the published results.

    Args:
        path: The results file.
        query: One SELECT (or WITH, VALUES, EXPLAIN) over the views and tables.
        seconds: Deadline for the whole query.
        limit: Rows returned at most.

    Raises:
        QueryError: With SQLite's reason, or the limit that was hit.
        ResultsFileError: The file is missing, foreign, damaged or newer.
    """
    with read_only(path) as connection:
        until = time.monotonic() + seconds
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_VALUE)
        connection.set_authorizer(_reading_only)
        connection.set_progress_handler(lambda: time.monotonic() > until, STEPS_BETWEEN_CHECKS)
        connection.row_factory = None
        try:
            cursor = connection.execute(query)
            rows = cursor.fetchmany(limit + 1)
        except (sqlite3.Error, sqlite3.Warning) as error:
            if "malformed" in str(error):  # the file's fault, not the query's
                raise
            raise QueryError(_reason(str(error), seconds=seconds)) from error
        except (ValueError, UnicodeEncodeError) as error:  # a NUL or a lone surrogate in the query
            raise QueryError(f"The query cannot be read: {error}.") from error
    if cursor.description is None:
        raise QueryError("The query holds no statement: use one SELECT.")
    return Answer([column[0] for column in cursor.description], rows[:limit], len(rows) > limit)


def _reading_only(action: int, *_: object) -> int:
    return sqlite3.SQLITE_OK if action in READING else sqlite3.SQLITE_DENY


def _reason(message: str, *, seconds: float) -> str:
    if message == "interrupted":
        return f"The query took longer than {seconds:g} seconds and was stopped: narrow it, or add LIMIT."
    if "one statement" in message:
        return "Only one statement is allowed: use one SELECT."
    if "not authorized" in message or "prohibited" in message:
        return f"Only reading is allowed here ({message}): use one SELECT."
    return f"SQLite refuses the query: {message}."
