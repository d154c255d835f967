"""Small values made by hand for all tests: a record, a community, a batch, an instant; a test names only what matters to it."""

from __future__ import annotations

from typing import Any

from discovery.sources import EVER, Source, Window
from storage.records import Batch, Community, Cursor, Record

DAY = 86_400
ORIGIN = 700 * 28 * DAY
"""Day 1 of the tests: the first instant of a month of 28 days (2023-08-30 00:00 UTC)."""
KEY = "world:1/bees"


def at(day: float, hour: float = 0) -> int:
    """Give the instant of a day, counted from 1, and an hour; days 1 to 28 are one month, 29 to 56 the next."""
    return ORIGIN + round((day - 1) * DAY + hour * 3_600)


def record(number: int = 1, **overrides: Any) -> Record:
    """Make a post by ana, or a reply to post 1 where ``kind="reply"``; the number makes its id and its hour."""
    own = f"{KEY}/{number}"
    head = f"{KEY}/1" if overrides.get("kind") == "reply" else None
    defaults = {
        "id": own,
        "communities": (KEY,),
        "kind": "post",
        "author": "ana",
        "created_at": at(1, number),
        "text": f"The hive looked strong this morning, note {number}.",
        "thread": head or own,
        "parent": head,
    }
    return Record(**{**defaults, **overrides})


def community(key: str = KEY, **overrides: Any) -> Community:
    """Make a community named after the last part of its key."""
    return Community(**{"key": key, "name": key.rpartition("/")[2], **overrides})


def batch(*records: Record, position: str = "end", exhausted: bool = True, **overrides: Any) -> Batch:
    """Make a page that balances and names the communities of its records."""
    keys = sorted({key for each in records for key in each.communities})
    cursor = Cursor(position=position, exhausted=exhausted)
    fetched = len(records) + len(overrides.get("quarantined", [])) + overrides.get("refused", 0)
    return Batch(
        **{"records": list(records), "cursor": cursor, "fetched": fetched, "communities": [community(key) for key in keys], **overrides}
    )


def gather(source: Source, *, window: Window = EVER, cursor: Cursor | None = None) -> list[Record]:
    """Read all records of a source."""
    return [each for page in source.batches(cursor or Cursor(), window=window) for each in page.records]
