"""Any table a user holds: CSV, NDJSON or Parquet goes in; columns are found by their common names or mapped by settings.

What a table cannot say is not made up: without an author column nobody is an author; without a type column a row that
answers another is a reply; without ids a row is known by its content and place. A link is built from ids where we know
the platform and never copied from a cell, which may hold anything, a person's name included.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any, ClassVar
from urllib.parse import quote
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from discovery.sources import Policy, SourceError, delimited, reddit_json, values
from discovery.sources.archives import Member
from discovery.sources.columns import FILE, FOLDER, Cells, Layout, layout
from discovery.sources.files import FileSource, Item, json_value, lines, where
from discovery.sources.items import MalformedItemError
from discovery.sources.labels import holder
from discovery.sources.moments import moment
from storage import parquet
from storage.harmless import harmless
from storage.records import Community, Coverage, Record, Rejected

_POSTS = frozenset({"post", "submission", "question", "topic", "t3"})
_REPLIES = frozenset({"reply", "comment", "answer", "t1"})
_UNFIT = re.compile(r"[\s\x00-\x1f]")
_KNOWN = 50_000
"""Communities and headers remembered, so that memory does not grow with the table."""


def _own(name: str) -> str:
    """Know a community by its name, where that is harmless to show; else by the name's hash."""
    if " ".join(name.split()) == harmless(name):
        return _UNFIT.sub(lambda found: quote(found[0]), name)
    return f"unnamed-{hashlib.sha256(name.encode(errors='replace')).hexdigest()[:16]}"


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
    time_format: str | None = Field(None, description="Form of times that are neither numbers nor ISO 8601, for example %d/%m/%Y %H:%M")
    encoding: str = Field("utf-8", description="Encoding of a CSV, for example cp1252, as Excel writes in Europe")
    community: str | None = Field(None, description=f"Column of the community; {FILE} or {FOLDER} where each file or folder is one")
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

    @field_validator("time_format")
    @classmethod
    def _whole_date(cls, form: str | None) -> str | None:
        day = datetime(2001, 12, 31, tzinfo=UTC)
        try:
            whole = form is None or datetime.strptime(day.strftime(form), form).date() == day.date()  # noqa: DTZ007 - the date alone counts
        except ValueError:
            whole = False
        if not whole:
            raise ValueError(f"`{form}` does not tell year, month and day; write one like %d/%m/%Y %H:%M")
        return form

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, name: str) -> str:
        try:
            kept = "\n,;\t".encode(name) == b"\n,;\t"
        except LookupError:
            kept = False
        if not kept:
            raise ValueError(f"`{name}` is no encoding that keeps ASCII; write one like cp1252 or latin-1")
        return name

    def observed(self) -> Coverage:
        """Tell what the user says the table shows."""
        return self.shows

    def items(self, member: Member) -> Iterator[Item | Rejected]:
        """One row is one item."""
        match PurePosixPath(member.name).suffix.lower():
            case ".parquet":
                return self._parquet(member)
            case ".ndjson" | ".jsonl" | ".json":
                return _objects(member)
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
        named = self._place_of(member) or values.name(cells.community)
        if named is None or not (named := named.strip()):
            raise MalformedItemError("no community")
        spot = f"{member.name.rpartition('/')[2]}:{position}"
        if self.platform == "reddit" or (self.platform is None and (found.names[0] or "").lower() == "subreddit"):
            return self._reddit(cells, found, named.removeprefix("/").removeprefix("r/"), spot)
        key = f"{self.platform or self.kind}:{_own(named)}"
        record = self._record(cells, key, threaded=found.threaded, spot=spot)
        return (record,) if self._met(key) else (record, Community(key=key, name=named))

    def _place_of(self, member: Member) -> str | None:
        """Name the community of a whole file; None where each row names its own."""
        if self.community == FILE:
            return member.stem
        if self.community != FOLDER:
            return None
        return member.folders[-1] if member.folders else holder(self.path.parent if self.path.is_file() else self.path)

    def _reddit(self, cells: Cells, found: Layout, subreddit: str, spot: str) -> Iterable[Record | Community]:
        """Read a row as the Reddit object it came from; where the table has no ids, as any row of its subreddit."""
        thing = _thing(cells, subreddit, reply=_is_reply(cells), created_at=self._moment(cells.created_at))
        if found.has("id"):
            record = reddit_json.record(thing, retrieved_at=self._optional_moment(cells.retrieved_at))
        else:
            record = self._record(cells, reddit_json.key(thing), threaded=found.threaded, spot=spot)
            record = record.model_copy(update={"bot": record.author is not None and reddit_json.is_bot(record.author)})
        return (record,) if self._met(record.communities[0]) else (record, reddit_json.community(thing, retrieved_at=None))

    def _record(self, cells: Cells, key: str, *, threaded: bool, spot: str) -> Record:
        """Build the record of a row of a platform we do not know; ids are unique inside their community."""
        author, reply = values.author(cells.author), _is_reply(cells)
        created_at = self._moment(cells.created_at)
        text, title = values.words(cells.text), values.words(cells.title)
        given = values.identifier(cells.id)
        own = f"{key}/{given}" if given else f"{key}/~{_digest(key, str(created_at), title, text, spot)}"
        thread, parent = (
            f"{key}/{values.identifier(value)}" if values.identifier(value) else None for value in (cells.thread, cells.parent)
        )
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
            score=values.count(cells.score, cell="score"),
            replies=values.count(cells.replies, cell="replies"),
            bot=values.flag(cells.bot),
            domain=reddit_json.link_domain(cells.domain),
            retrieved_at=self._optional_moment(cells.retrieved_at),
        )

    def _moment(self, value: object) -> int:
        """Read a time in the form the user gave, else in those every source knows.

        Raises:
            MalformedItemError: it has none of them.
        """
        if not isinstance(value, str):
            return moment(value, self._zone)
        try:
            if self.time_format is not None:
                return moment(datetime.strptime(value.strip(), self.time_format), self._zone)  # noqa: DTZ007 - moment knows the zone
            return moment(value, self._zone)
        except ValueError:
            given = f"a time that is not of the form {self.time_format}"
            other = "a time of unknown form (if it is none: map created_at; if it has its own form: give it as time_format)"
            raise MalformedItemError(given if self.time_format else other) from None

    def _optional_moment(self, value: object) -> int | None:
        return None if value is None or value in values.NOTHING else self._moment(value)

    def _csv(self, member: Member) -> Iterator[Item | Rejected]:
        try:
            yield from self._rows(member)
        except delimited.OpenQuoteError as error:
            self.cut_short(member, str(error))

    def _rows(self, member: Member) -> Iterator[Item | Rejected]:
        found: Layout | None = None
        for number, row in delimited.rows(member.stream, encoding=self.encoding):
            if found is None:
                if isinstance(row, delimited.Fault):
                    raise SourceError(f"`{member.name}` has a header that cannot be read: {row.reason}. Save it again with LF line ends.")
                found = layout(row, self._mapped, where=f"`{member.name}`")
            elif isinstance(row, delimited.Fault):
                yield Rejected(position=where(member, number), reason=row.reason, sha256=row.sha256)
            else:
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


def _objects(member: Member) -> Iterator[Item | Rejected]:
    """Cut NDJSON into its lines.

    Raises:
        SourceError: the file is one list.
    """
    for number, item in enumerate(lines(member)):
        if not number and isinstance(item, Item) and item.raw.lstrip().startswith(b"["):
            way = f"write it so: jq -c '.[]' {PurePosixPath(member.name).name} > rows.ndjson"
            raise SourceError(f"`{member.name}` is one JSON list, and a table has an object on each line: {way}")
        yield item


def _is_reply(cells: Cells) -> bool:
    """Tell a reply: its type says so, else its id's prefix, else it answers something."""
    kind = str(cells.type).lower() if cells.type else ""
    if kind in _POSTS or kind in _REPLIES:
        return kind in _REPLIES
    given = str(cells.id)
    if given.startswith(("t1_", "t3_")):
        return given.startswith("t1_")
    return values.identifier(cells.parent) not in {None, values.identifier(cells.id)}


def _thing(cells: Cells, subreddit: str, *, reply: bool, created_at: int) -> dict[str, Any]:
    """Write a row as the Reddit object it came from."""
    thing = {
        "id": values.identifier(cells.id),
        "subreddit": subreddit,
        "author": values.author(cells.author),
        "created_utc": created_at,
        "score": values.count(cells.score, cell="score"),
        "num_comments": values.count(cells.replies, cell="replies"),
        "domain": cells.domain,
    }
    if reply:
        return {
            **thing,
            "body": values.words(cells.text),
            "link_id": values.identifier(cells.thread),
            "parent_id": values.identifier(cells.parent),
        }
    return {**thing, "selftext": values.words(cells.text), "title": values.words(cells.title)}


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x00".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
