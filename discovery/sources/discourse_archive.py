"""Saved Discourse topics (``/t/ID.json``), a file each: posts go in; each category (or the site) is a community.

A topic's file may hold only its first posts, the rest in files of their own or nowhere. What is missing is counted and said,
so that it never reads as silence.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any, ClassVar, Literal

from pydantic import Field

from discovery.sources import Policy, discourse_json
from discovery.sources.archives import Member, plain
from discovery.sources.files import FileSource, Item, json_value, rejected, where
from discovery.sources.items import MALFORMED, MalformedItemError
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

    category: int
    title: str
    solved: bool | None
    promised: int
    numbers: set[int] = field(default_factory=set)


class DiscourseArchive(FileSource):
    """A folder or archive of saved topics of one forum, or one topic."""

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
        return f"{missing} posts are missing in {len(self._open)} of its topics ({shown} are there): fetch each topic with all its pages."

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
        category, title, solved, replies = item.context
        key = self._key(category)
        found = discourse_json.record(item.raw, host=self._host, community=key, title=title)
        if found is None:
            return ()
        if found.kind == "post":
            found = found.model_copy(update={"accepted": solved, "replies": replies})
        if not _HOST.fullmatch(self._host):
            found = found.model_copy(update={"url": None})
        if key in self._described:
            return (found,)
        self._described.add(key)
        name = f"category {category} ({self._host})" if self.unit == "category" else self._host
        return (found, Community(key=key, name=name, url=self._url(category)))

    def _posts(self, topic: Mapping[str, Any]) -> Iterator[tuple[Any, tuple[int, str, bool | None, int]]]:
        """Yield the posts of a topic's file, or of a page of one, with what its topic says; note which are still missing."""
        stream = topic["post_stream"]
        posts, number = stream["posts"], topic["id"]
        if "category_id" in topic:
            marks = [bool(post["accepted_answer"]) for post in posts if "accepted_answer" in post]
            solved = bool(topic.get("accepted_answer")) or any(marks) if marks or "accepted_answer" in topic else None
            promised = max(topic["posts_count"], len(stream.get("stream") or ()))
            known = self._open.setdefault(number, _Topic(topic["category_id"], topic["title"], solved, promised))
        elif number in self._open:
            known = self._open[number]
        else:
            raise MalformedItemError("a page of posts whose topic was not read before it")
        known.numbers.update(post["post_number"] for post in posts)
        self._shown.append(len(posts))
        if len(known.numbers) >= known.promised:
            del self._open[number]
        return ((post, (known.category, known.title, known.solved, known.promised - 1)) for post in posts)
