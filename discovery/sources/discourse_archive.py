"""Saved Discourse topics (``/t/ID.json``), a file each: posts go in; each category (or the site) is a community.

A topic's file may hold only its first posts, the rest in files of their own or nowhere. What is missing is counted and said,
so that it never reads as silence.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any, ClassVar, Literal

from pydantic import Field

from discovery.sources import Policy, discourse_json
from discovery.sources.archives import Member, plain
from discovery.sources.files import FileSource, Item, json_value, rejected, where
from discovery.sources.html import plain_text
from discovery.sources.items import MALFORMED, MalformedItemError, RefusedItemError
from discovery.sources.labels import holder
from storage.records import Community, Coverage, Record, Rejected

LARGEST = 1 << 26
"""Bytes of a topic's file."""
TOLERATED = 0.01
"""Share of posts that may be missing (deleted, whispered) in an archive that still counts as complete."""
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_LISTS = frozenset({"categories.json", "site.json"})


@dataclass
class _Topic:
    """A topic of which posts may still come."""

    category: int | None
    """None for a private message, which stands in none."""
    private: bool
    """A message to some people alone."""
    title: str
    solved: bool | None
    promised: int
    numbers: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, topic: Mapping[str, Any], posts: Sequence[Mapping[str, Any]], promised: int) -> _Topic:
        private = topic.get("archetype") == "private_message"
        return cls(topic.get("category_id") if private else topic["category_id"], private, topic["title"], _solved(topic, posts), promised)


@dataclass
class _Seen:
    """What was read so far."""

    posts: int = 0
    open: dict[int, _Topic] = field(default_factory=dict)
    """Topics that are not whole yet; the others are forgotten, so that memory does not grow with the archive."""
    described: set[str] = field(default_factory=set)


class DiscourseArchive(FileSource):
    """Saved topics of one Discourse forum (`/t/ID.json`); every category is a community."""

    kind: ClassVar[str] = "discourse_archive"
    policy: ClassVar[Policy] = discourse_json.POLICY
    suffixes: ClassVar[frozenset[str]] = frozenset({".json"})
    rereads: ClassVar[bool] = True

    unit: Literal["category", "site"] = Field("category", description="What a community is: each category, or the whole site")
    host: str | None = Field(None, pattern=r"^[^\s/]+$", description="Host name of the forum; else the folder's name")

    def order(self, name: str) -> tuple[int, str]:
        """Read lists of categories first, for their names."""
        return int(not _is_list(name)), name

    def observed(self) -> Coverage:
        """Tell a listing where more posts are missing than deletion explains."""
        missing, shown = self._missing()
        return "listing" if missing > TOLERATED * (missing + shown) else "complete"

    def unverified(self) -> str | None:
        """Tell how many posts the forum counts and the archive lacks."""
        missing, shown = self._missing()
        if not missing:
            return super().unverified()
        return (
            f"{missing} posts are missing in {len(self._seen.open)} of its topics ({shown} are there): fetch each topic with all its pages."
        )

    def items(self, member: Member) -> Iterator[Item | Rejected]:
        """One post is one item; a file that is no topic is one item that cannot be read."""
        raw = member.stream.read(LARGEST + 1)
        whole = Item(1, raw)
        if len(raw) > LARGEST:
            yield Rejected(position=where(member, 1), reason=f"a file of more than {LARGEST} bytes", sha256=hashlib.sha256(raw).hexdigest())
            return
        try:
            value = json_value(raw)
            found = list(_categories(value) if _is_list(member.name) else self._posts(value))
        except MALFORMED as error:
            yield rejected(whole, member, error)
        else:
            yield from (Item(number, *pair) for number, pair in enumerate(found, 1))

    def read(self, item: Item, member: Member) -> Iterable[Record | Community]:
        """Turn a post into its record; notices are no posts."""
        if item.context is None:
            return (self._category(item.raw),) if self.unit == "category" else ()
        topic = item.context
        if topic.private:
            raise RefusedItemError
        key = self._key(topic.category)
        found = discourse_json.record(item.raw, host=self._host, community=key, title=topic.title)
        if found is None:
            return ()
        if found.kind == "post":
            found = found.model_copy(update={"accepted": topic.solved, "replies": topic.promised - 1})
        if not _HOST.fullmatch(self._host):
            found = found.model_copy(update={"url": None})
        if key in self._seen.described:
            return (found,)
        self._seen.described.add(key)
        name = f"category {topic.category} ({self._host})" if self.unit == "category" else self._host
        return (found, Community(key=key, name=name, url=self._url(topic.category)))

    def _posts(self, topic: Mapping[str, Any]) -> Iterator[tuple[Any, _Topic]]:
        """Yield the posts of a topic's file, or of a page of one, with what its topic says; note which are still missing."""
        stream = topic["post_stream"]
        posts, number = stream["posts"], topic["id"]
        if "category_id" in topic or "archetype" in topic:
            promised = max(topic["posts_count"], len(stream.get("stream") or ()))
            known = self._seen.open.setdefault(number, _Topic.of(topic, posts, promised))
        elif number in self._seen.open:
            known = self._seen.open[number]
        else:
            raise MalformedItemError("a page of posts whose topic was not read before it")
        known.numbers.update(post["post_number"] for post in posts)
        self._seen.posts += len(posts)
        if len(known.numbers) >= known.promised:
            del self._seen.open[number]
        return ((post, known) for post in posts)

    def _category(self, said: Mapping[str, Any]) -> Community:
        """Describe a category by what a list of categories says."""
        key, number = self._key(said["id"]), said["id"]
        self._seen.described.add(key)
        return Community(
            key=key,
            name=f"{said['name']} ({self._host})",
            url=self._url(number),
            description=plain_text(said.get("description") or ""),
            sensitive=False,
        )

    def _key(self, category: object) -> str:
        if type(category) is not int:
            raise MalformedItemError("a category that is no whole number")
        return f"discourse:{self._host}/{category if self.unit == 'category' else 'site'}"

    def _url(self, category: int) -> str | None:
        if not _HOST.fullmatch(self._host):
            return None
        return f"https://{self._host}/c/{category}" if self.unit == "category" else f"https://{self._host}/"

    def _missing(self) -> tuple[int, int]:
        """Count the posts that are promised and not there, and those that are there."""
        return sum(topic.promised - len(topic.numbers) for topic in self._seen.open.values()), self._seen.posts

    @cached_property
    def _host(self) -> str:
        return (self.host or holder(self.path)).lower()

    @cached_property
    def _seen(self) -> _Seen:
        return _Seen()


def _is_list(name: str) -> bool:
    return PurePosixPath(plain(name)).name in _LISTS


def _categories(value: Mapping[str, Any]) -> Iterator[tuple[Any, None]]:
    """Yield the categories of ``categories.json`` or ``site.json``."""
    found = value["category_list"]["categories"] if "category_list" in value else value["categories"]
    return ((category, None) for category in found)


def _solved(topic: Mapping[str, Any], posts: Sequence[Mapping[str, Any]]) -> bool | None:
    """Tell whether a topic has an accepted answer; None on a forum that does not mark them."""
    marks = [bool(post["accepted_answer"]) for post in posts if "accepted_answer" in post]
    if "accepted_answer" in topic:
        marks.append(bool(topic["accepted_answer"]))
    return any(marks) if marks else None
