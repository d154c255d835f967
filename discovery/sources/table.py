"""Any table a user holds: CSV, NDJSON or Parquet goes in; columns are found by their common names or mapped by settings.

What a table cannot say is not made up: without an author column nobody is an author; without a type column a row that
answers another is a reply; without ids a row is known by its content and place. A link is built from ids where we know
the platform and never copied from a cell, which may hold anything, a person's name included.
"""

from __future__ import annotations

import csv
import hashlib
import math
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any, BinaryIO, ClassVar, Self
from urllib.parse import quote
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from discovery.sources import Policy, SourceError, reddit_json
from discovery.sources.archives import Member
from discovery.sources.columns import FILE, Cells, Layout, layout
from discovery.sources.files import LINE, FileSource, Item, json_value, lines, where
from discovery.sources.items import MalformedItemError
from discovery.sources.moments import moment
from storage import parquet
from storage.records import Community, Coverage, Record, Rejected

csv.field_size_limit(LINE)  # process-wide, as csv has it; a longer cell is rejected

_POSTS = frozenset({"post", "submission", "question", "topic", "t3"})
_REPLIES = frozenset({"reply", "comment", "answer", "t1"})
_UNFIT = re.compile(r"[\s\x00-\x1f]")
_DELIMITERS = (",", ";", "\t", "|")
_KNOWN = 50_000
"""Communities and headers remembered, so that memory does not grow with the table."""


class Table(FileSource):
    """Any table (CSV, NDJSON, Parquet) with a community and a time; common column names are recognised, others are mapped."""

    kind: ClassVar[str] = "table"
    policy: ClassVar[Policy] = Policy(quote_ok=True, llm_ok=False, licence="as the file's owner states")
    suffixes: ClassVar[frozenset[str]] = frozenset({".csv", ".tsv", ".ndjson", ".jsonl", ".parquet"})

    platform: str | None = Field(
        None, pattern=r"^[a-z0-9_]{1,32}$", description="Where the rows come from; `reddit` if a column is `subreddit`"
    )
    shows: Coverage = Field("unknown", alias="coverage", description="`complete` if the table holds every record of its span")
    time_zone: str = Field("UTC", description="Zone of times that name none")
    community: str | None = Field(None, description=f"Column of the community, or {FILE} where each file is one")
    created_at: str | None = Field(None, description="Column of the time: epoch seconds or milliseconds, or ISO 8601")
    id: str | None = None
    author: str | None = None
    text: str | None = None
    title: str | None = None
    type: str | None = Field(None, description="Column that says post or comment")
    thread: str | None = None
    parent: str | None = None
    score: str | None = None
    replies: str | None = None
    domain: str | None = None
    bot: str | None = None
    retrieved_at: str | None = None

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"`{zone}` is no time zone; write one like Europe/Berlin") from None
        return zone

    def observed(self) -> Coverage:
        """Tell what the user says the table shows."""
        return self.shows

    def items(self, member: Member) -> Iterator[Item | Rejected]:
        """One row is one item."""
        match PurePosixPath(member.name).suffix.lower():
            case ".parquet":
                return self._parquet(member)
            case ".ndjson" | ".jsonl" | ".json":
                return lines(member)
            case _:
                return self._csv(member)

    def read(self, item: Item, member: Member) -> Iterable[Record | Community]:
        """Turn a row into its record, and name its community when it is met first."""
        if isinstance(item.raw, bytes):
            row = json_value(item.raw)
            if not isinstance(row, dict):
                raise MalformedItemError("no JSON object")
            found = self._layout_of(tuple(row), member)
            cells = found.mapping(row)
        else:
            found = item.context
            if len(item.raw) != found.width:
                raise MalformedItemError(f"{len(item.raw)} cells where the header has {found.width}")
            cells = found.row(item.raw)
        return self._read(cells, found, member, item.position)

    def _read(self, cells: Cells, found: Layout, member: Member, position: int) -> Iterable[Record | Community]:
        named = member.stem if self.community == FILE else cells.community
        if named is None or not (named := str(named).strip()):
            raise MalformedItemError("no community")
        reply = _is_reply(cells)
        if self.platform == "reddit" or (self.platform is None and (found.names[0] or "").lower() == "subreddit"):
            thing = _thing(cells, named.removeprefix("/").removeprefix("r/"), reply=reply, created_at=moment(cells.created_at, self._zone))
            record = reddit_json.record(thing, retrieved_at=_optional_moment(cells.retrieved_at, self._zone))
            return (record,) if self._met(record.communities[0]) else (record, reddit_json.community(thing, retrieved_at=None))
        key = f"{self.platform or self.kind}:{_UNFIT.sub(lambda found: quote(found[0]), named)}"
        record = self._record(cells, key, reply=reply, threaded=found.threaded, spot=f"{PurePosixPath(member.name).name}:{position}")
        return (record,) if self._met(key) else (record, Community(key=key, name=named))

    def _record(self, cells: Cells, key: str, *, reply: bool, threaded: bool, spot: str) -> Record:
        """Build the record of a row of a platform we do not know; ids are unique inside their community."""
        author = _author(cells.author)
        created_at = moment(cells.created_at, self._zone)
        text, title = _text(cells.text), _text(cells.title)
        given = _id(cells.id)
        own = f"{key}/{given}" if given else f"{key}/~{_digest(key, str(created_at), title, text, spot)}"
        thread, parent = (f"{key}/{_id(value)}" if _id(value) else None for value in (cells.thread, cells.parent))
        return Record(
            id=own,
            communities=(key,),
            kind="reply" if reply else "post",
            author=author,
            created_at=created_at,
            text=text,
            title=title,
            thread=thread or (own if threaded and not reply else None),
            parent=parent if reply else None,
            score=_count(cells.score),
            replies=_count(cells.replies),
            bot=str(cells.bot).lower() in {"true", "1", "yes"},
            domain=reddit_json.link_domain(cells.domain),
            retrieved_at=_optional_moment(cells.retrieved_at, self._zone),
        )

    def _csv(self, member: Member) -> Iterator[Item | Rejected]:
        """Cut a CSV into rows; bytes that are not UTF-8 become marks that no record accepts."""
        text = _CsvLines(member.stream)
        first = next(text, "").removeprefix("\ufeff")
        if not first.strip():
            return
        delimiter = max(_DELIMITERS, key=first.count)
        try:
            header = next(csv.reader([first], delimiter=delimiter))
        except csv.Error:
            ends = "Its lines end with CR alone, or its first is too long: save it again with LF line ends."
            raise SourceError(f"`{member.name}` has a header that cannot be read. {ends}") from None
        found = layout(header, self._mapped, where=f"`{member.name}`")
        rows = csv.reader(text, delimiter=delimiter)
        while True:
            number = rows.line_num + 2  # the header is line 1, and a quoted cell may hold many lines
            try:
                row = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                fault = f"a cell longer than {LINE} bytes" if "limit" in str(error) else "a CR inside a cell without quotes"
                yield Rejected(position=where(member, number), reason=fault, sha256=text.digest())
            else:
                if text.ended:  # csv asked for a line more than there is
                    fault = "a quote that is never closed, so that the rest of the file is one cell"
                    yield Rejected(position=where(member, number), reason=fault, sha256=text.digest())
                elif row:
                    yield Item(number, row, found)

    def _parquet(self, member: Member) -> Iterator[Item]:
        if member.packed:
            raise SourceError(f"`{member.path}` is compressed around a Parquet file, which must be read out of order. Unpack it first.")
        found = layout(parquet.columns(member.path), self._mapped, where=f"`{member.name}`")
        for number, row in enumerate(parquet.rows(member.path), 1):
            yield Item(number, row, found)

    def _layout_of(self, keys: tuple[str, ...], member: Member) -> Layout:
        """Find the columns of a JSON object, once for all objects with the same keys."""
        found = self._layouts.get(keys)
        if found is None:
            try:
                found = layout(keys, self._mapped, where=f"`{member.name}`")
            except SourceError:
                if self._layouts:
                    raise MalformedItemError("no column of the community or the time") from None
                raise
            if len(self._layouts) >= _KNOWN:
                self._layouts.clear()
            self._layouts[keys] = found
        return found

    def _met(self, key: str) -> bool:
        """Tell whether a community was met before, and remember it."""
        if key in self._communities:
            return True
        if len(self._communities) >= _KNOWN:
            self._communities.clear()
        self._communities.add(key)
        return False

    @cached_property
    def _mapped(self) -> dict[str, str]:
        return {cell: column for cell in Cells._fields if (column := getattr(self, cell)) is not None}

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @cached_property
    def _layouts(self) -> dict[tuple[str, ...], Layout]:
        return {}

    @cached_property
    def _communities(self) -> set[str]:
        return set()


class _CsvLines:
    """Lines of a CSV as text; one that is too long comes as a cell that csv refuses, never as its beginning."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._last = b""
        self.ended = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        line = self._stream.readline(LINE)
        if not line:
            self.ended = True
            raise StopIteration
        self._last = line
        if len(self._last) < LINE or self._last.endswith(b"\n"):
            return self._last.decode("utf-8", "surrogateescape")
        while (more := self._stream.readline(LINE)) and not more.endswith(b"\n"):
            pass
        return "x" * (LINE + 1)

    def digest(self) -> str:
        """Hash of the line read last, or of its first MiB."""
        return hashlib.sha256(self._last).hexdigest()


def _is_reply(cells: Cells) -> bool:
    """Tell a reply: its type says so, else its id's prefix, else it answers something."""
    kind = str(cells.type).lower() if cells.type else ""
    if kind in _POSTS or kind in _REPLIES:
        return kind in _REPLIES
    given = str(cells.id)
    if given.startswith(("t1_", "t3_")):
        return given.startswith("t1_")
    return _id(cells.parent) not in {None, _id(cells.id)}


def _thing(cells: Cells, subreddit: str, *, reply: bool, created_at: int) -> dict[str, Any]:
    """Write a row as the Reddit object it came from."""
    thing = {
        "id": _id(cells.id),
        "subreddit": subreddit,
        "author": _author(cells.author),
        "created_utc": created_at,
        "score": _count(cells.score),
        "num_comments": _count(cells.replies),
        "domain": cells.domain,
    }
    if reply:
        return {**thing, "body": _text(cells.text), "link_id": _id(cells.thread), "parent_id": _id(cells.parent)}
    return {**thing, "selftext": _text(cells.text), "title": _text(cells.title)}


def _id(value: object) -> str | None:
    """An id as text; a number that a table wrote as a float is the number."""
    if value is None or value == "":
        return None
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else None
    text = str(value)
    return text[:-2] if text.endswith(".0") and text[:-2].isdigit() else text


def _author(value: object) -> str | None:
    return None if value in reddit_json.DELETED else _id(value)


def _text(value: object) -> str:
    return "" if value in reddit_json.DELETED else str(value)


def _count(value: Any) -> int | None:
    """Whole number from a cell; None where it is empty."""
    if value is None or type(value) is int:
        return value
    if isinstance(value, bool) or (isinstance(value, str) and not value.strip()):
        return None
    number = float(value)
    if math.isnan(number):
        return None
    if not number.is_integer():
        raise MalformedItemError("a count that is no whole number")
    return int(number)


def _optional_moment(value: object, zone: ZoneInfo) -> int | None:
    return None if value is None or value == "" else moment(value, zone)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x00".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
