"""CSV in its dialects: bytes go in, rows of cells come out, and a row that cannot be one says why.

The delimiter is told by the header, or by the line that Excel writes before it. The standard parser does the rest; what it
would do in silence (join the rest of a file into one cell, read another encoding's letters as marks) is a fault here.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO, NamedTuple, Self

from discovery.sources.files import LINE

csv.field_size_limit(LINE)  # process-wide, as csv has it; a longer cell is rejected

_DELIMITERS = (",", ";", "\t", "|")


class Fault(NamedTuple):
    """Why a row is none, in our words, and the hash of the line where that showed."""

    reason: str
    sha256: str


class OpenQuoteError(ValueError):
    """A quote that nothing closes: where the row ends, and what follows it, cannot be known."""


def rows(stream: BinaryIO, *, encoding: str) -> Iterator[tuple[int, list[str] | Fault]]:
    """Yield the header and then each row that is not empty, with the line it begins on.

    Raises:
        OpenQuoteError: a cell goes on to the end of the file, or for more than a MiB of lines.
    """
    text = _Lines(stream, encoding)
    first = next((line for line in text if line.strip("\ufeff\r\n")), "").removeprefix("\ufeff")
    delimiter = max(_DELIMITERS, key=first.count)
    if first.lower().startswith("sep=") and len(told := first.rstrip("\r\n")) == len("sep=;"):
        delimiter, first = told[-1], ""
        text.before = text.number
    reader = csv.reader(chain([first] if first else [], text), delimiter=delimiter)
    while True:
        number = text.before + 1
        try:
            row: list[str] | Fault = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            limit = "limit" in str(error)
            if limit and text.number > number:
                raise OpenQuoteError(f"a quote in the row of line {number} is not closed for {LINE} bytes") from None
            row = text.fault(f"a cell longer than {LINE} bytes" if limit else "a CR inside a cell without quotes, or as a line's only end")
        else:
            if text.ended:  # csv asked for a line more than there is
                line = number + sum(cell.count("\n") for cell in row[:-1])
                raise OpenQuoteError(f"a quote that opens on line {line} is never closed, so that the rest of the file is one cell")
        if text.foreign:
            row = text.fault(f"bytes that are not {encoding}: save the file as UTF-8, or name its encoding")
        text.before, text.foreign = text.number, False
        if row:
            yield number, row


class _Lines:
    """Lines of a CSV as text; one that is too long comes as a cell that csv refuses, never as its beginning."""

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        self._stream = stream
        self._encoding = encoding
        self._last = b""
        self.number = 0
        """Lines given."""
        self.before = 0
        """Lines given before the row in hand; a quoted cell may hold many."""
        self.foreign = False
        """The row in hand holds bytes that its encoding does not have."""
        self.ended = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        self._last = line = self._stream.readline(LINE)
        if not line:
            self.ended = True
            raise StopIteration
        self.number += 1
        if len(line) == LINE and not line.endswith(b"\n"):
            while (more := self._stream.readline(LINE)) and not more.endswith(b"\n"):
                pass
            return "x" * (LINE + 1)
        try:
            return line.decode(self._encoding)
        except UnicodeDecodeError:
            self.foreign = True
            return line.decode(self._encoding, "replace")

    def fault(self, reason: str) -> Fault:
        """Tell a fault with the hash of the line read last, or of its first MiB."""
        return Fault(reason, hashlib.sha256(self._last).hexdigest())
