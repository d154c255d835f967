"""Reading platforms over the network: what every live source shares, once for all of them.

In: streams of pages, newest first, as a platform's API serves them, and a reading of one item. Out: balanced batches,
each with the cursor that resumes after it. A stream's mark moves only when the stream was read down to the last mark, so
an interrupted run loses nothing; the last two days are read again each time, since votes and edits still move.
"""

from __future__ import annotations

import hashlib
import json
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, Self

from pydantic import Field, PrivateAttr

from discovery.sources import Source, SourceError, Window
from discovery.sources.client import Client, Politeness
from discovery.sources.items import MALFORMED, RefusedItemError, reason
from storage.records import Batch, Community, Cursor, Record, Rejected

SETTLING = 48 * 3600
"""Seconds in which a record's votes, replies and text still change."""
DAY = 86_400


class StreamRefusedError(SourceError):
    """One stream is closed to us (private, banned, gone); the others are not."""


class Page(NamedTuple):
    """A page as the platform sent it."""

    items: list[Any]
    next: str | None
    """Token of the page after it; None at the stream's end."""
    communities: Sequence[Community] = ()


class _Place(NamedTuple):
    """Where reading stands: the marks of the streams, and the page to read next in the stream in hand."""

    marks: dict[str, int]
    stream: str = ""
    token: str | None = None
    newest: int = 0

    @classmethod
    def at(cls, cursor: Cursor) -> Self:
        return cls(**json.loads(cursor.position)) if cursor.position else cls({})

    def cursor(self, *, exhausted: bool = False) -> Cursor:
        return Cursor(position=json.dumps(self._asdict(), sort_keys=True), exhausted=exhausted)


class LiveSource(Source):
    """A platform read over one polite client. A subclass names its streams, fetches a page, and reads an item."""

    live: ClassVar[bool] = True

    lookback_days: int = Field(365, ge=1, description="How far back the first visit reads.")
    politeness: Politeness = Politeness()

    _requests: int = PrivateAttr(default=0)

    @classmethod
    @abstractmethod
    def from_argument(cls, path: str, options: Mapping[str, Any]) -> Self:
        """Build the source from ``KIND:ADDRESS?option=value``."""

    @abstractmethod
    def client(self) -> Client:
        """Open the client of this source's origin."""

    @abstractmethod
    def streams(self, client: Client) -> list[str]:
        """List the streams to read, in a stable order: a community's posts, its comments."""

    @abstractmethod
    def page(self, client: Client, stream: str, token: str | None) -> Page:
        """Fetch a page of a stream, newest first; the token is the page before's ``next``.

        Raises:
            StreamRefusedError: this stream is closed to us; the others are read.
            SourceError: out of budget, or not in the platform's documented shape.
        """

    @abstractmethod
    def read(self, item: Any, stream: str) -> Record | None:
        """Turn an item into its record; None where the platform says it is none (a notice, another community's row).

        Raises:
            MalformedItemError: or any error of ``MALFORMED``, which quarantines the item.
            RefusedItemError: sound, but not ours to keep.
        """

    def lookback(self) -> int:
        """Give the configured look-back."""
        return self.lookback_days

    def requests(self) -> int:
        """Count the requests sent so far."""
        return self._requests

    def batches(self, cursor: Cursor, *, window: Window) -> Iterator[Batch]:
        """Yield each stream's pages from the newest down to where the last visit ended.

        Raises:
            SourceError: see :meth:`page`; streams that are closed to us are named at the end, when the others are read.
        """
        place = _Place.at(cursor)
        closed: list[str] = []
        with self.client() as client:
            try:
                streams = self.streams(client)
                for stream in streams[streams.index(place.stream) if place.stream in streams else 0 :]:
                    try:
                        for batch, moved in self._stream(client, stream, place, window):
                            place = moved
                            yield batch
                    except StreamRefusedError as refusal:
                        closed.append(str(refusal))
                yield Batch([], _Place(place.marks).cursor(exhausted=True), 0)
            finally:
                self._requests = client.requests
        if closed:
            raise SourceError(f"{len(closed)} of {len(streams)} streams are closed to us: {'; '.join(closed)}")

    def _stream(self, client: Client, stream: str, place: _Place, window: Window) -> Iterator[tuple[Batch, _Place]]:
        token, newest = (place.token, place.newest) if place.stream == stream else (None, 0)
        floor = max(window.since, place.marks.get(stream, 0) - SETTLING)
        seen: set[str] = set()
        while True:
            page = self.page(client, stream, token)
            shown = hashlib.sha256(json.dumps(page.items, sort_keys=True, default=str).encode()).hexdigest()
            if shown in seen and page.items:
                page = Page([], None)  # a page that was here before: a server that pages in circles
            seen.add(shown)
            records, quarantined, refused, instants = self._read_page(page, stream, window)
            newest = max([newest, *instants])
            ended = page.next is None or not page.items or bool(instants and max(instants) < floor)
            marks = {**place.marks, stream: max(newest, place.marks.get(stream, 0))} if ended else place.marks
            place = _Place(marks) if ended else _Place(marks, stream, page.next, newest)
            fetched = len(records) + len(quarantined) + refused
            yield Batch(records, place.cursor(), fetched, list(page.communities), quarantined, refused), place
            if ended:
                return
            token = page.next

    def _read_page(self, page: Page, stream: str, window: Window) -> tuple[list[Record], list[Rejected], int, list[int]]:
        records: list[Record] = []
        quarantined: list[Rejected] = []
        instants: list[int] = []
        refused = 0
        for number, item in enumerate(page.items, 1):
            try:
                record = self.read(item, stream)
            except RefusedItemError:
                refused += 1
                continue
            except MALFORMED as error:
                digest = hashlib.sha256(json.dumps(item, sort_keys=True, default=str).encode()).hexdigest()
                quarantined.append(Rejected(position=f"{stream}:{number}", reason=reason(error), sha256=digest))
                continue
            if record is None:
                continue
            instants.append(record.created_at)
            if record.created_at in window:
                records.append(record)
            else:
                refused += 1
        return records, quarantined, refused, instants
