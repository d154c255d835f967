"""What a person or a pipeline sees: rows as table, JSON, CSV or Markdown on standard output; progress on standard error.

Everything that came from outside loses its control characters before a terminal sees it.
"""

from __future__ import annotations

import csv
import json
import math
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

import structlog
from rich.console import Console
from rich.table import Table
from rich.text import Text
from scoring.report.escape import csv_cells, markdown_cell, terminal_text

from storage.records import Tally

Row = Mapping[str, Any]


class Format(StrEnum):
    """How rows are printed."""

    table = "table"
    json = "json"
    csv = "csv"
    markdown = "markdown"


def show(rows: Sequence[Row], *, form: Format, empty: str) -> None:
    """Print rows in the asked form; with no rows a table says ``empty`` on standard error, the other forms stay parseable."""
    if form is Format.json:
        sys.stdout.write(
            json.dumps([{key: _finite(value) for key, value in row.items()} for row in rows], ensure_ascii=False, indent=2) + "\n"
        )
    elif form is Format.csv:
        _csv(rows)
    elif not rows:
        sys.stderr.write(empty + "\n")
    elif form is Format.markdown:
        _markdown(rows)
    else:
        _table(rows)


def _csv(rows: Sequence[Row]) -> None:
    if rows:
        writer = csv.writer(sys.stdout, lineterminator="\r\n")
        writer.writerow(rows[0])
        writer.writerows(csv_cells(row.values()) for row in rows)


def _markdown(rows: Sequence[Row]) -> None:
    columns = list(rows[0])
    print("| " + " | ".join(columns) + " |")
    print("|" + " --- |" * len(columns))
    for row in rows:
        print("| " + " | ".join(markdown_cell(_plain(value)) for value in row.values()) + " |")


def _table(rows: Sequence[Row]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in rows[0]:
        numeric = all(isinstance(row[column], int | float | None) for row in rows)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(terminal_text(_plain(value))) for value in row.values()))
    width = None if sys.stdout.isatty() else 200
    Console(width=width, soft_wrap=False).print(table)


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return str(value)


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
