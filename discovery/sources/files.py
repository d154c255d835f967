"""Reading files: what every file source shares, once for all kinds.

In: a path, and a kind that cuts members into items and reads an item into records. Out: balanced pages with a cursor;
malformed items quarantined, records outside the window refused, damage as a :class:`SourceError` that says what was read.

What counts: each record read counts as fetched; an item that fails counts as one fetched and quarantined. An item that
is no record by its platform's own words (a tag wiki, a join notice, a header) is not fetched: its kind reads it into
nothing, or into a :class:`Community` only.
"""

from __future__ import annotations

import hashlib
import json
import math
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar, NamedTuple, Self

from pydantic import Field, PrivateAttr
from pydantic_core import SchemaValidator, core_schema, from_json

from discovery.sources import Source, SourceError, UnknownSourceError, Window
from discovery.sources.archives import DAMAGE, ForeignFormatError, Member, Wanted, members, plain
from discovery.sources.items import MALFORMED, MalformedItemError, NotJsonError, RefusedItemError, reason
from storage.records import Batch, Community, Cursor, Record, Rejected

PAGE = 20_000
"""Items in a page, unless its text reaches :data:`PAGE_TEXT` characters first."""
PAGE_TEXT = 1 << 26
LINE = 1 << 20
"""Longest line in bytes."""
DEPTH = 64
"""Deepest nesting of a JSON value."""


class Item(NamedTuple):
    """A piece of a member that is read on its own and fails on its own."""

    position: int
    """Line or ordinal inside the member, from 1."""
    raw: Any
    """Its bytes, or the value that stands for them: what is read, and what is hashed where it cannot be."""
    context: Any = None
    """What the member says about it elsewhere: a header, a channel, a date."""
    ended: bool = True
    """Whether the member shows where it ends; a last line without its end may be the beginning of one."""


class _Files(NamedTuple):
    """Files of which the same is to be told: how many, and what there is to tell of the first."""

    files: int = 0
    first: str = ""

    def plus(self, told: str) -> _Files:
        return _Files(self.files + 1, self.first or told)


class _Shown(NamedTuple):
    """What reading has shown of the files, which a resumed run cannot see again."""

    unchecked: _Files = _Files()
    """No checksum covered their bytes."""
    cut: _Files = _Files()
    """They end before their end."""


class FileSource(Source):
    """Files of one kind at a path. A subclass says which names it reads, how a member is cut and how an item is read."""

    suffixes: ClassVar[frozenset[str]]
    """Suffixes, lower case, of the files it reads in a folder or archive."""
    rereads: ClassVar[bool] = False
    """Later files need earlier ones, so a resumed run passes through these again."""

    path: Path = Field(description="A file, a folder read recursively, or a tar archive; plain or .zst .gz .bz2 .xz")

    _shown: _Shown = PrivateAttr(default_factory=_Shown)

    @classmethod
    def from_argument(cls, path: str, options: Mapping[str, Any]) -> Self:
        """Build the source from ``KIND:PATH?option=value``."""
        if not path:
            raise UnknownSourceError(f"`{cls.kind}:` names no path. Write {cls.kind}:PATH.")
        return cls.model_validate({"path": path, **options})

    @property
    def name(self) -> str:
        """Kind and path as given."""
        return f"{self.kind}:{self.path}"

    def unverified(self) -> str | None:
        """Tell how many of the files read carry no checksum."""
        files, first = self._shown.unchecked
        return f"{files} of its files carry no checksum (the first is `{first}`): damage inside them would not show." if files else None

    def shortfall(self) -> str | None:
        """Tell, after reading, what the path should hold and does not; None if nothing."""
        files, first = self._shown.cut
        many = "files ends before its end" if files == 1 else "files end before their end"
        remedy = "What was read is kept as partial; fetch or export them again and rerun."
        return f"{files} of its {many}; the first is {first}. {remedy}" if files else None

    def cut_short(self, member: Member, why: str) -> None:
        """Note that a member ends before its end: what was read of it is kept, and the other files are read."""
        self._shown = self._shown._replace(cut=self._shown.cut.plus(f"`{member.name}`: {why}"))

    def accepts(self, name: str) -> bool:
        """Tell whether a file found in a folder or archive is of this kind."""
        return PurePosixPath(plain(name)).suffix.lower() in self.suffixes

    @classmethod
    def accepted(cls) -> str:
        """Say which names :meth:`accepts` takes."""
        return ", ".join(f"*{suffix}" for suffix in sorted(cls.suffixes))

    def order(self, name: str) -> tuple[int, str]:
        """Sort key of a file in a folder."""
        return 0, name

    @abstractmethod
    def items(self, member: Member) -> Iterator[Item | Rejected]:
        """Cut a member into its items, in its order, without reading them; what cannot be cut out is rejected."""

    @abstractmethod
    def read(self, item: Item, member: Member) -> Iterable[Record | Community]:
        """Turn an item into its record, what it says of its community, or nothing if it is no record.

        Raises:
            MalformedItemError: the item is no record; other errors of a wrong value also quarantine it.
            RefusedItemError: the item is a record that may not be kept.
        """

    def batches(self, cursor: Cursor, *, window: Window) -> Iterator[Batch]:
        """Yield pages of about 20,000 items; a resumed run passes over the items before its cursor unread.

        Raises:
            SourceError: nothing to read, nothing readable, or a damaged file, after the page of what could be read.
        """
        page, start = _Page(window), _Place.at(cursor)
        if cursor.exhausted or not self.rereads:
            self._shown = start.shown
        if start.fault:
            raise SourceError(start.fault)
        if cursor.exhausted:
            return
        last: tuple[Member, int] | None = None
        try:
            for member, count, item in self._after(start):
                self._take(item, member, page)
                last = member, count
                if page.full():
                    yield page.flush(_Place.of(*last, self._shown).cursor())
        except DAMAGE as error:
            place = _Place.of(*last, self._shown) if last else start
            if page.items:
                yield page.flush(place.cursor())
            raise SourceError(self._damaged(place, error)) from error
        nothing = page.bad and not page.good and not cursor.position
        strange = f"None of the {page.bad} items of `{self.path}` is a {self.kind} record: {page.fault}. Is it another kind of file?"
        fault = strange if nothing else self.shortfall() or ""
        yield page.flush(_Place(shown=self._shown, fault=fault).cursor(exhausted=True))  # said again if resumed
        if fault:
            raise SourceError(fault)

    def _take(self, item: Item | Rejected, member: Member, page: _Page) -> None:
        """Read one item into the page, whatever becomes of it."""
        if not isinstance(item, Item):  # asking for our exact type is several times as fast as asking a pydantic class about another
            page.reject(item)
            return
        try:
            page.add(tuple(self.read(item, member)))
        except RefusedItemError:
            page.refuse()
        except MALFORMED as error:
            if isinstance(error, NotJsonError) and not item.ended:
                self.cut_short(member, f"its last line, {item.position}, is cut short")
            page.reject(rejected(item, member, error))

    def _after(self, start: _Place) -> Iterator[tuple[Member, int, Item | Rejected]]:
        """Yield the items after a place, each with its member and its ordinal there."""
        begin = 0 if self.rereads else start.file
        wanted = Wanted(self.accepts, self.order, self.accepted())
        opened = members(self.path.expanduser(), wanted=wanted, begin=begin, unchecked=self._doubt)
        for member in opened:
            passed = start.passed(member)
            if passed is math.inf and not self.rereads:
                continue
            for count, item in enumerate(self.items(member), 1):
                if count > passed:
                    yield member, count, item

    def _doubt(self, name: str) -> None:
        self._shown = self._shown._replace(unchecked=self._shown.unchecked.plus(name))

    def _damaged(self, place: _Place, error: BaseException) -> str:
        what = error.strerror if isinstance(error, OSError) and error.strerror else str(error) or type(error).__name__
        read = f"after item {place.item} of `{place.name}`" if place.item else "at its beginning"
        remedy = "rerun" if isinstance(error, ForeignFormatError) else "fetch the file again and rerun"
        return f"`{self.path}` cannot be read further {read}: {what}. What was read before is kept as partial; {remedy}."


def lines(member: Member) -> Iterator[Item | Rejected]:
    """Cut a member into its lines that are not blank, without their ends; a line longer than 1 MiB is rejected."""
    number = 0
    while line := member.stream.readline(LINE + 1):
        number += 1
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if len(line) > LINE and not line.endswith(b"\n"):
            digest = hashlib.sha256(line)
            while (more := member.stream.readline(LINE)) and not more.endswith(b"\n"):
                digest.update(more)
            digest.update(more)
            yield Rejected(position=where(member, number), reason=f"a line longer than {LINE} bytes", sha256=digest.hexdigest())
        elif text := line.rstrip(b"\r\n"):
            yield Item(number, text, None, len(text) < len(line))


def json_value(raw: bytes | str, *, depth: int = DEPTH) -> Any:
    """Parse JSON from strangers: UTF-8 only, no NaN or infinity by name, nested at most ``depth`` deep.

    Raises:
        NotJsonError: it is none.
        MalformedItemError: it is nested deeper.
    """
    try:
        value = from_json(raw, allow_inf_nan=False, cache_strings="keys")
    except ValueError as error:
        raise NotJsonError(f"not JSON: {error}") from None
    opened = (raw.count(b"{") + raw.count(b"[")) if isinstance(raw, bytes) else (raw.count("{") + raw.count("["))
    if opened > depth and _deeper(value, depth):
        raise MalformedItemError(f"nested deeper than {depth}")
    return value


def json_fields(names: Iterable[str]) -> Callable[[bytes], dict[str, Any]]:
    """Build a parser of JSON objects that makes these fields alone, where others are many: of those it checks the syntax only.

    It raises a ``ValueError``; :func:`json_value` of the same bytes says more.
    """
    fields = {name: core_schema.typed_dict_field(core_schema.any_schema(), required=False) for name in names}
    return SchemaValidator(core_schema.typed_dict_schema(fields, extra_behavior="ignore")).validate_json


def rejected(item: Item, member: Member, error: Exception) -> Rejected:
    """Say where an item stood and why it is no record."""
    raw = item.raw if isinstance(item.raw, bytes) else repr(item.raw).encode()
    return Rejected(position=where(member, item.position), reason=reason(error), sha256=hashlib.sha256(raw).hexdigest())


def where(member: Member, number: int) -> str:
    """Member and number as text that can be stored and printed, whatever the file's name is."""
    return "".join(c if c.isprintable() else "?" for c in f"{member.name}:{number}")


def _deeper(value: object, depth: int) -> bool:
    """Tell whether lists and objects stand inside each other more than ``depth`` times."""
    level = [value]
    for _ in range(depth + 1):
        inside = [outer.values() if isinstance(outer, dict) else outer for outer in level if isinstance(outer, dict | list)]
        if not inside:
            return False
        level = [value for values in inside for value in values]
    return True


class _Place(NamedTuple):
    """Where the last stored item stood, and what reading up to there has shown: all that a resumed run cannot see again."""

    file: int = 0
    member: int = 0
    item: int = 0
    name: str = ""
    shown: _Shown = _Shown()
    fault: str = ""

    @classmethod
    def at(cls, cursor: Cursor) -> _Place:
        if not cursor.position:
            return cls()
        place = cls(*json.loads(cursor.position))
        return place._replace(shown=_Shown(*(_Files(*files) for files in place.shown)))

    @classmethod
    def of(cls, member: Member, item: int, shown: _Shown) -> _Place:
        return cls(*member.place, item, member.name, shown)

    def cursor(self, *, exhausted: bool = False) -> Cursor:
        return Cursor(position=json.dumps(self), exhausted=exhausted)

    def passed(self, member: Member) -> float:
        """Tell how many items of a member are stored already."""
        if member.place != (self.file, self.member):
            return math.inf if member.place < (self.file, self.member) else 0
        if self.name and self.name != member.name:
            raise SourceError(f"`{self.name}` has been replaced by `{member.name}` since the run was interrupted. Start a new run.")
        return self.item


@dataclass
class _Page:
    """The items since the last cursor, and how many there were in all."""

    window: Window
    records: list[Record] = field(default_factory=list)
    communities: dict[str, Community] = field(default_factory=dict)
    quarantined: list[Rejected] = field(default_factory=list)
    refused: int = 0
    items: int = 0
    text: int = 0
    good: int = 0
    bad: int = 0
    fault: str = ""

    def full(self) -> bool:
        return self.items >= PAGE or self.text >= PAGE_TEXT

    def add(self, found: tuple[Record | Community, ...]) -> None:
        self.items += 1
        self.good += 1
        for thing in found:
            if not isinstance(thing, Record):
                known = self.communities.get(thing.key)
                if known is None or (thing.retrieved_at or 0) >= (known.retrieved_at or 0):
                    self.communities[thing.key] = thing
            elif self.window.since <= thing.created_at < self.window.until:
                self.records.append(thing)
                self.text += len(thing.text)
            else:
                self.refused += 1

    def refuse(self) -> None:
        self.items += 1
        self.good += 1
        self.refused += 1

    def reject(self, item: Rejected) -> None:
        self.items += 1
        self.bad += 1
        self.fault = self.fault or f"the first, at {item.position}, has {item.reason}"
        self.quarantined.append(item)

    def flush(self, cursor: Cursor) -> Batch:
        fetched = len(self.records) + len(self.quarantined) + self.refused
        batch = Batch(self.records, cursor, fetched, list(self.communities.values()), self.quarantined, self.refused)
        self.records, self.communities, self.quarantined = [], {}, []
        self.refused = self.items = self.text = 0
        return batch
