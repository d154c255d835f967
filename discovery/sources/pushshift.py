"""Reddit dumps as Pushshift and Arctic Shift write them: one JSON object a line, submissions and comments, 2005 to today."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any, ClassVar

from discovery.sources import Policy, reddit_json
from discovery.sources.archives import Member, plain
from discovery.sources.files import FileSource, Item, json_fields, json_value, lines
from discovery.sources.items import MALFORMED, MalformedItemError
from storage.records import Community, Record, Rejected

_FIELDS = json_fields(reddit_json.FIELDS)
_KNOWN = 50_000
"""Subreddits remembered as described, so that memory does not grow with the dump."""


class Pushshift(FileSource):
    """Pushshift and Arctic Shift dumps (NDJSON, `.zst`), submissions and comments of any year, told apart line by line."""

    kind: ClassVar[str] = "pushshift"
    policy: ClassVar[Policy] = reddit_json.POLICY
    suffixes: ClassVar[frozenset[str]] = frozenset({".ndjson", ".jsonl", ".json"})

    @cached_property
    def _described(self) -> dict[str, object]:
        """What was last said of each subreddit."""
        return {}

    def accepts(self, name: str) -> bool:
        """Accept whatever is compressed (``AskReddit_comments.zst``), is named as a month's dump, or is NDJSON."""
        return plain(name) != name or PurePosixPath(name).name.startswith(("RC_", "RS_")) or super().accepts(name)

    @classmethod
    def accepted(cls) -> str:
        """Say so."""
        return f"{super().accepted()}, RC_*, RS_*, and whatever is compressed"

    def items(self, member: Member) -> Iterator[Item | Rejected]:
        """One line is one submission or comment."""
        return lines(member)

    def read(self, item: Item, member: Member) -> Iterable[Record | Community]:
        """Turn a line into its record, and what is new of its subreddit."""
        try:
            thing = _FIELDS(item.raw)
            found = reddit_json.record(thing, dump=True)
        except MALFORMED:
            thing = _object(item.raw)  # all of it, which tells exactly what is wrong
            found = reddit_json.record(thing, dump=True)
        return (found, *self._community(thing, found))

    def _community(self, thing: Mapping[str, Any], found: Record) -> tuple[Community, ...]:
        """Describe the subreddit when its members or marks differ from what was last said; a comment tells no members."""
        key, members = found.communities[0], thing.get("subreddit_subscribers")
        said = (members, thing.get("quarantine"), thing.get("quarantined"))
        known = self._described.get(key)
        if known == said or (known is not None and members is None):
            return ()
        if len(self._described) >= _KNOWN:
            self._described.clear()
        self._described[key] = said
        return (reddit_json.community(thing, retrieved_at=found.retrieved_at if members is not None else None),)


def _object(line: bytes) -> dict[str, Any]:
    """Parse a line; the reply of a dump's API, which holds its objects in a list, belongs to another kind.

    Raises:
        MalformedItemError: it is no object of its own.
    """
    if line.strip() in {b"[", b"{"}:
        raise MalformedItemError("no object on one line (a saved API reply is read by reddit_listings:PATH)")
    value: Any = json_value(line)
    if not isinstance(value, dict) or ("id" not in value and isinstance(value.get("data"), list)):
        raise MalformedItemError("no single object (a saved API reply is read by reddit_listings:PATH)")
    return value
