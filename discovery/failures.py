"""What can go wrong, told in one line: an exception goes in; a line, an exit code and, for a fault of ours, a log come out.

Our own errors say the fact and the remedy. What nobody foresaw is named by its type and place; its details go to a log that holds
no text of people, since messages of libraries may quote what they choked on.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from discovery.config import ConfigError
from discovery.lock import DataDirError, RunLockedError
from discovery.sources import UnknownSourceError
from scoring.escape import terminal_text
from scoring.explanation import UnknownEntityError
from storage.errors import (
    ActivityFileError,
    MissingExtraError,
    ResultsFileError,
    SourceNotStoredError,
    UnbalancedBatchError,
    UnknownCollectionError,
)
from storage.pseudonyms import PseudonymKeyError
from storage.reading import QueryError

FAILED, MISUSED, LOCKED = 1, 2, 75
EXIT_CODES: dict[type[Exception], int] = {
    ConfigError: MISUSED,
    UnknownSourceError: MISUSED,
    DataDirError: MISUSED,
    UnknownEntityError: MISUSED,
    MissingExtraError: MISUSED,
    QueryError: MISUSED,
    RunLockedError: LOCKED,
    ResultsFileError: FAILED,
    ActivityFileError: FAILED,
    PseudonymKeyError: FAILED,
    SourceNotStoredError: FAILED,
    UnbalancedBatchError: FAILED,
    UnknownCollectionError: FAILED,
    OSError: FAILED,
    MemoryError: FAILED,
}
FORESEEN = tuple(EXIT_CODES)
LOG = "errors.log"
REMEDIES = {
    "OutOfMemoryException": "Raise `limits.memory` in config.yaml, or set `window_days`.",
    "MemoryError": "The machine has too little memory for this: lower `limits.memory`, or set `window_days` in config.yaml.",
}
"""By type, for errors of libraries and of the machine."""


def exit_code(error: BaseException) -> int:
    """Give the exit code of an error that was foreseen."""
    return next(code for kind, code in EXIT_CODES.items() if isinstance(error, kind))


def told(error: BaseException) -> str:
    """Tell an error in a line, without anything that people wrote."""
    kind = type(error).__name__
    if isinstance(error, OSError) and error.strerror:
        said = f"{error.filename or 'The system says'}: {error.strerror}."
    elif isinstance(error, MemoryError) or not isinstance(error, FORESEEN):
        said = f"{kind} in {_place(error)}."
    else:
        said = str(error)
    return f"{said} {REMEDIES[kind]}" if kind in REMEDIES else said


def leave(error: Exception) -> None:
    """Say a foreseen error on standard error, and leave with its exit code."""
    for line in told(error).splitlines():
        sys.stderr.write(f"subcurrent: {terminal_text(line)}\n")
    sys.exit(exit_code(error))


Hook = Callable[[type[BaseException], BaseException, TracebackType | None], None]


def unforeseen(folder: Path | None) -> Hook:
    """Build what Python calls for an error that nobody foresaw: one line, and the details in a log in ``folder`` if there is one."""

    def say(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        log = _log(error, folder)
        where = f" The details are in {log}." if log else ""
        sys.stderr.write(f"subcurrent: {terminal_text(told(error))} This is a fault of the program, not of its user.{where}\n")

    return say


def _log(error: BaseException, folder: Path | None) -> Path | None:
    """Append the types and places of an error and of what led to it."""
    if folder is None or not folder.is_dir():
        return None
    lines = [f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"]
    link: BaseException | None = error
    while link is not None:
        lines += [f"  {type(link).__qualname__}", *(f"    {frame.filename}:{frame.lineno} {frame.name}" for frame in _frames(link))]
        link = link.__cause__ or link.__context__
    path = folder / LOG
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    return path


def _frames(error: BaseException) -> list[traceback.FrameSummary]:
    return list(traceback.extract_tb(error.__traceback__))


def _place(error: BaseException) -> str:
    """Name the last line of ours that was running."""
    ours = [
        frame for frame in _frames(error) if "site-packages" not in frame.filename and f"{os.sep}lib{os.sep}python" not in frame.filename
    ]
    return "/".join(Path(ours[-1].filename).parts[-2:]) + f", line {ours[-1].lineno}" if ours else "no line of ours"
