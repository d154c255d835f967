"""Discord messages as older DiscordChatExporters write them to CSV, with semicolons or commas: rows in, records out.

Rows have neither message ids nor zones nor types. An id is a hash of channel, minute and text, so that overlapping exports
give one record; who wrote it stands in no hash, only the ordinal of its author among those who wrote the same.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b
from typing import BinaryIO, NamedTuple
from zoneinfo import ZoneInfo

from discovery.sources.files import LINE
from discovery.sources.items import MalformedItemError
from discovery.sources.labels import is_program
from discovery.sources.moments import moment
from storage.records import Record

_COLUMNS = {"authorid": "author_id", "author": "author", "date": "date", "content": "content", "reactions": "reactions"}
_MONTHS = {
    name: number for number, name in enumerate(("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1)
}
_NAMED = re.compile(r"(\d{1,2})-([A-Za-z]{3})-(\d{2}|\d{4}) (\d{1,2}):(\d{2}) ([AP])M")
_NUMBERED = re.compile(r"([1-9]\d?)/([1-9]\d?)/(\d{4}) (\d{1,2}):(\d{2})[ \u202f]([AP])M")
"""Month first, as the exporter writes in American English, without zeros before them; with zeros it is another country's order."""
_REACTIONS = re.compile(r"\((\d{1,9})\)(?:,|$)")
_RELAYED = re.compile(r"\[[^\]\n]{1,40}\] <([^<>\n]{1,60})> ?|<([^<>\n]{1,60})> ?")
_DELETED = frozenset({"Deleted User#0000", "Deleted User"})


class Row(NamedTuple):
    """A message as the file writes it."""

    author_id: str
    author: str
    date: str
    content: str
    reactions: str | None
    ordinal: int
    """Other authors before it who wrote the same in the same minute."""


class Ordinals:
    """Tells apart authors who wrote the same in the same minute, also where an export is cut into several files."""

    def __init__(self) -> None:
        self._minutes: dict[str, tuple[str, dict[str, list[str]]]] = {}

    def ordinal(self, channel: str, minute: str, content: str, author: str) -> int:
        """Count the other authors before this one; only the last minute of each channel is remembered."""
        known = self._minutes.get(channel)
        if known is None or known[0] != minute:
            known = self._minutes[channel] = minute, {}
        authors = known[1].setdefault(content, [])
        if author not in authors:
            authors.append(author)
        return authors.index(author)


def rows(stream: BinaryIO, *, channel: str, ordinals: Ordinals) -> Iterator[tuple[int, list[str], Row | None]]:
    """Yield row number, cells, and the message in them (None where cells are missing); an empty file is a quiet day.

    Raises:
        EOFError: the file ends inside a cell, or is no export.
    """
    text = _decoded(stream)
    head = next(text, "").removeprefix("\ufeff").strip()
    if not head:
        return
    delimiter = ";" if head.count(";") > head.count(",") else ","
    names = [cell.strip().strip('"').lower() for cell in head.split(delimiter)]
    place = {column: names.index(name) for name, column in _COLUMNS.items() if name in names}
    if missing := {"author", "date", "content"} - set(place):
        raise EOFError(f"its first line names no column {', '.join(sorted(missing))}, as exports of DiscordChatExporter do")
    least = max(place.values())
    try:
        for number, cells in enumerate(csv.reader(text, delimiter=delimiter, strict=True), 2):
            if len(cells) > least:
                author_id = cells[place["author_id"]] if "author_id" in place else ""
                author, date, content = cells[place["author"]], cells[place["date"]], cells[place["content"]]
                reactions = cells[place["reactions"]] if "reactions" in place else None
                ordinal = ordinals.ordinal(channel, date, content, f"{author_id}\n{author}")
                yield number, cells, Row(author_id, author, date, content, reactions, ordinal)
            elif cells:
                yield number, cells, None
    except csv.Error as error:
        raise EOFError(f"it ends inside a cell or its quotes are broken ({error})") from None


def _decoded(stream: BinaryIO) -> Iterator[str]:
    """Decode lines; what is not UTF-8 is refused later, with its record alone."""
    while line := stream.readline(LINE + 1):
        if len(line) > LINE:
            raise EOFError(f"it holds a line longer than {LINE} bytes")
        yield line.decode("utf-8", "surrogateescape")


def record(row: Row, *, community: str, guild: str, channel: str, time_zone: str) -> Record:
    """Turn a row into a record; who speaks through a bridge is its author.

    Raises:
        MalformedItemError: the date is none.
    """
    name, tag, number = row.author.rpartition("#")
    name = name if tag else number
    content = row.content.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    relayed = _RELAYED.match(content)
    bot = is_program(name)
    if relayed and (relayed[1] or bot):
        name, content, bot = (relayed[1] or relayed[2]).strip(), content[relayed.end() :], False
        author: str | None = f"{guild}/{name}"
    elif row.author in _DELETED:
        author, name = None, ""
    else:
        shown = f"{guild}/{name if number == '0000' else row.author}"  # a webhook is whoever it says it is
        author = row.author_id if row.author_id.isdigit() and number != "0000" else shown
    return Record(
        id=f"discord:{guild}/{channel}/{_identity(row)}",
        communities=(community,),
        kind="post",
        author=author,
        author_name=name or None,
        created_at=instant(row.date, time_zone),
        text=content,
        score=None if row.reactions is None else sum(int(count) for count in _REACTIONS.findall(row.reactions)),
        bot=bot,
    )


@lru_cache(maxsize=4096)
def instant(date: str, time_zone: str) -> int:
    """Seconds of a local time as the exporter writes it: ``12-Jul-19 08:37 AM``, ``7/12/2019 8:37 AM``, or ISO 8601."""
    if named := _NAMED.fullmatch(date):
        day, month, year, hour, minute = int(named[1]), _MONTHS.get(named[2].lower()), int(named[3]) % 2000 + 2000, int(named[4]), named[5]
        afternoon = named[6] == "P"
    elif numbered := _NUMBERED.fullmatch(date):
        month, day, year, hour, minute = int(numbered[1]), int(numbered[2]), int(numbered[3]), int(numbered[4]), numbered[5]
        afternoon = numbered[6] == "P"
    else:
        return moment(date, ZoneInfo(time_zone))
    if month is None or not 1 <= hour <= 12:
        raise MalformedItemError("a time of unknown form")
    return moment(f"{year:04}-{month:02}-{day:02}T{hour % 12 + 12 * afternoon:02}:{minute}", ZoneInfo(time_zone))


def _identity(row: Row) -> str:
    return blake2b(f"{row.date}\n{row.ordinal}\n{row.content}".encode(), digest_size=12).hexdigest()
