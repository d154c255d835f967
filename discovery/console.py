"""What a person or a pipeline sees: rows as table, JSON, CSV or Markdown on standard output; progress on standard error.

Everything that came from outside loses its control characters before a terminal sees it.
"""

from __future__ import annotations

import csv
import json
import math
import re
import sys
from enum import StrEnum
from typing import Any

import structlog
from rich.console import Console
from rich.table import Table
from rich.text import Text

from scoring.escape import csv_cells, markdown_cell, terminal_text
from storage.reading import Answer
from storage.records import Tally

PIPE_WIDTH = 200
"""Columns of a table that no terminal shows."""
INVISIBLE = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]")
"""What JSON lets through and a terminal obeys: C1 controls, marks that turn text around, marks that hide it."""


class Format(StrEnum):
    """How rows are printed."""

    table = "table"
    json = "json"
    csv = "csv"
    markdown = "markdown"


def show(answer: Answer, *, form: Format, empty: str) -> None:
    """Print rows in the asked form; with no rows a table says ``empty`` on standard error, the other forms stay parseable."""
    printer = {Format.json: _json, Format.csv: _csv, Format.markdown: _markdown, Format.table: _table}[form]
    if form is Format.table and not answer.rows:
        sys.stderr.write(terminal_text(empty) + "\n")
    else:
        printer(answer)
    sys.stdout.flush()


def _json(answer: Answer) -> None:
    """Print a list of objects; of columns that share a name, the later ones are numbered, so that none is lost."""
    seen: dict[str, int] = {}
    names = []
    for column in answer.columns:
        seen[column] = seen.get(column, 0) + 1
        names.append(column if seen[column] == 1 else f"{column}_{seen[column]}")
    rows = [dict(zip(names, map(_exact, row), strict=True)) for row in answer.rows]
    text = json.dumps(rows, ensure_ascii=False, indent=2, allow_nan=False)
    sys.stdout.write(INVISIBLE.sub(lambda found: json.dumps(found[0])[1:-1], text) + "\n")


def _csv(answer: Answer) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\r\n")
    for row in (answer.columns, *answer.rows):
        cells = [terminal_text(cell) if isinstance(cell, str) and sys.stdout.isatty() else cell for cell in map(_exact, row)]
        writer.writerow(csv_cells(cells))


def _markdown(answer: Answer) -> None:
    sys.stdout.write("| " + " | ".join(map(markdown_cell, answer.columns)) + " |\n")
    sys.stdout.write("|" + " --- |" * len(answer.columns) + "\n")
    for row in answer.rows:
        sys.stdout.write("| " + " | ".join(markdown_cell(_plain(value)) for value in row) + " |\n")


def _table(answer: Answer) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for place, column in enumerate(answer.columns):
        numeric = all(isinstance(row[place], int | float | None) for row in answer.rows)
        table.add_column(Text(terminal_text(column)), justify="right" if numeric else "left", overflow="fold")
    for row in answer.rows:
        table.add_row(*(Text(terminal_text(_plain(value))) for value in row))
    Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, soft_wrap=False).print(table)


def _exact(value: Any) -> Any:
    """Keep a value as it is, but for what neither JSON nor CSV has a word for: bytes become hex, the infinite becomes nothing."""
    if isinstance(value, bytes):
        return value.hex()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _plain(value: Any) -> str:
    value = _exact(value)
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return "" if value is None else str(value)


class Progress:
    """Tells how a run goes: one rewritten line on a terminal, plain structured lines otherwise."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._terminal = Console(stderr=True) if sys.stderr.isatty() and not quiet else None
        self._status = self._terminal.status("") if self._terminal else None
        structlog.configure(
            processors=[
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.KeyValueRenderer(key_order=["timestamp", "event"]),
            ],
            logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        )
        self._log = structlog.get_logger()

    def stage(self, name: str, about: str) -> None:
        """Say which stage begins."""
        if self._status:
            self._status.update(f"{name}: {terminal_text(about)}")
            self._status.start()
        else:
            self._log.info(name, about=terminal_text(about))

    def collected(self, source: str, tally: Tally) -> None:
        """Say how far a source has come; on a terminal only, since a log needs its end, not its middle."""
        if self._status:
            self._status.update(f"collect: {terminal_text(source)}: {tally.fetched:,} read, {tally.stored:,} new")

    def done(self, name: str, about: str) -> None:
        """Say what a stage found."""
        if self._terminal and self._status:
            self._status.stop()
            self._terminal.print(Text(f"{name:<9}", style="bold") + Text(terminal_text(about)))
        else:
            self._log.info(name + " done", about=terminal_text(about))

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._status:
            self._status.stop()
