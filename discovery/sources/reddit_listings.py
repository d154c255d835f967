"""Reddit API replies saved as files: listings of posts, comment pages, or one listing a line with the time it was read.

Replies of the APIs over dumps (Pushshift, PullPush, Arctic Shift) are read too: their posts and comments stand bare in
a list, and say themselves when they were read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from discovery.sources import Policy, reddit_json
from discovery.sources.archives import Member
from discovery.sources.files import FileSource, Item, json_value, where
from discovery.sources.items import MALFORMED, MalformedItemError, reason
from discovery.sources.moments import moment
from storage.records import Community, Coverage, Record, Rejected

REPLY = 1 << 25
"""Longest reply in bytes; a reply holds up to a thousand things."""
_DEPTH = 200
"""A comment below a comment is five levels of JSON deeper."""


class RedditListings(FileSource):
    """Saved Reddit API listings (JSON or NDJSON); a post that stands in many of them is one record."""

    kind: ClassVar[str] = "reddit_listings"
    policy: ClassVar[Policy] = reddit_json.POLICY
    coverage: ClassVar[Coverage] = "listing"
    suffixes: ClassVar[frozenset[str]] = frozenset({".json", ".ndjson", ".jsonl"})

    def items(self, member: Member) -> Iterator[Item | Rejected]:
        """One thing of a listing is one item; replies below a comment follow it, and marks of replies not shown are none."""
        count = 0
        for reply in _replies(member):
            if isinstance(reply, Rejected):
                count += 1
                yield reply
            else:
                read_at, things = reply
                for thing in things:
                    count += 1
                    yield Item(count, thing, read_at)

    def read(self, item: Item, member: Member) -> Iterable[Record | Community]:
        """Turn a post or comment into its record and what it says of its subreddit; a subreddit's page is its description."""
        if _is_bare(item.raw):
            return (found := reddit_json.record(item.raw, dump=True), reddit_json.community(item.raw, retrieved_at=found.retrieved_at))
        kind, thing = item.raw["kind"], item.raw["data"]
        if kind == "t5":
            return (reddit_json.subreddit(thing, retrieved_at=item.context),)
        if kind not in {"t1", "t3"}:
            raise MalformedItemError("neither a post, a comment nor a subreddit")
        found = reddit_json.record(thing, retrieved_at=item.context)
        return (found, reddit_json.community(thing, retrieved_at=item.context if kind == "t3" else None))


def _replies(member: Member) -> Iterator[tuple[int | None, list[Any]] | Rejected]:
    """Parse a file that is one reply (on one line or many), or has one reply on each line."""
    number = 0
    while line := member.stream.readline(REPLY):
        number += 1
        if not line.strip():
            continue
        if number == 1 and not _complete(line):
            line += member.stream.read(REPLY)
        elif len(line) == REPLY and not line.endswith(b"\n"):
            while (more := member.stream.readline(REPLY)) and not more.endswith(b"\n"):
                pass
        try:
            yield _opened(json_value(line.removeprefix(b"\xef\xbb\xbf"), depth=_DEPTH))
        except MALFORMED as error:
            yield Rejected(position=where(member, number), reason=reason(error), sha256=hashlib.sha256(line).hexdigest())


def _complete(line: bytes) -> bool:
    """Tell whether a first line can be a whole reply, and not the beginning of one that was printed on many lines."""
    return line.rstrip().endswith((b"}", b"]")) and len(line) > len(b'{"kind":"Listing"}')


def _opened(value: Any) -> tuple[int | None, list[Any]]:
    """Take the things out of a reply, and the time it was read: as noted beside it, else not before its newest thing."""
    noted = None
    if isinstance(value, dict) and "listing" in value:
        noted, value = moment(value["retrieved_at"]), value["listing"]
    things, open_ = [], [value]
    while open_:
        node = open_.pop()
        if isinstance(node, list):
            open_ += reversed(node)
        elif isinstance(node, dict) and node.get("kind") == "Listing":
            open_ += reversed(node["data"]["children"])
        elif isinstance(node, dict) and "kind" not in node and isinstance(node.get("data"), list):
            open_ += reversed(node["data"])
        elif not isinstance(node, dict) or node.get("kind") != "more":
            things.append(node)
            open_ += _below(node)
    return noted or max((created for thing in things if (created := _created(thing))), default=None), things


def _is_bare(node: Any) -> bool:
    """Tell a post or comment that no ``kind`` and ``data`` are around."""
    return isinstance(node, dict) and "kind" not in node and "subreddit" in node


def _below(node: Any) -> list[Any]:
    """Replies below a comment; the API writes an empty text where there are none."""
    data = node.get("data") if isinstance(node, dict) else None
    replies = data.get("replies") if isinstance(data, dict) else None
    return [replies] if isinstance(replies, dict) else []


def _created(thing: Any) -> int | None:
    data = thing.get("data") if isinstance(thing, dict) else None
    created = data.get("created_utc") if isinstance(data, dict) else None
    return int(created) if isinstance(created, int | float) and 0 <= created < 2**33 else None
