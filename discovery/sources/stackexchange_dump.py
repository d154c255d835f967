"""Stack Exchange dumps: Posts.xml, and Comments.xml where it lies beside it, go in; a tag (or the site) is a community.

Tags stand on questions alone, so what answers and comments need of them waits in a temporary database on disk.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from functools import cached_property
from pathlib import PurePosixPath
from typing import ClassVar, Literal, NamedTuple
from urllib.parse import quote
from xml.etree.ElementTree import ParseError, fromstring

from pydantic import Field, PrivateAttr

from discovery.sources import Policy, Window
from discovery.sources.archives import Member, plain
from discovery.sources.files import FileSource, Item, lines, rejected
from discovery.sources.html import plain_text
from discovery.sources.items import MALFORMED, MalformedItemError
from discovery.sources.moments import moment
from storage.records import Batch, Community, Cursor, Record, Rejected

_QUESTION, _ANSWER = "1", "2"
_COMMUNITY_USER = "-1"
_TAG = re.compile(r"[^<>|\s]+")
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_UNFIT = re.compile(r"[\s\x00-\x1f/]")
_CONTROL = re.compile(rb"&#(?:x0*(?:[0-8bcefBCEF]|1[0-9a-fA-F]|[fF]{3}[efEF])|0*(?:[0-8]|1[1245-9]|2[0-9]|3[01]));")
"""References to characters that XML forbids and that old posts hold."""
_INVALID_CHARACTER = 14
_KNOWN = 50_000
"""Tags remembered as described, so that memory does not grow with the dump."""


class StackexchangeDump(FileSource):
    """A Stack Exchange site's dump, unpacked (`Posts.xml`, `Comments.xml`); every tag is a community."""

    kind: ClassVar[str] = "stackexchange_dump"
    policy: ClassVar[Policy] = Policy(
        quote_ok=True, llm_ok=True, licence="CC BY-SA; attribution: the site and the post's author, by its link"
    )
    suffixes: ClassVar[frozenset[str]] = frozenset({".xml"})
    rereads: ClassVar[bool] = True

    unit: Literal["tag", "site"] = Field("tag", description="What a community is: each tag, or the whole site")
    site: str | None = Field(None, description="Host name of the site; else the folder's name")

    _threads: _Threads = PrivateAttr()

    def batches(self, cursor: Cursor, *, window: Window) -> Iterator[Batch]:
        """Yield pages as every file source does, with the questions' tags at hand."""
        with closing(_Threads()) as self._threads:
            yield from super().batches(cursor, window=window)

    def accepts(self, name: str) -> bool:
        """Accept posts and comments; the dump's other files hold people and votes."""
        return PurePosixPath(plain(name)).name.lower() in {"posts.xml", "comments.xml"}

    @classmethod
    def accepted(cls) -> str:
        """Say so."""
        return "Posts.xml and Comments.xml"

    def order(self, name: str) -> tuple[int, str]:
        """Read posts before the comments on them."""
        return int(_is_comments(name)), name

    def items(self, member: Member) -> Iterator[Item | Rejected]:
        """One row is one item; which question a post belongs to is noted on the way.

        Raises:
            EOFError: the closing tag is missing.
        """
        posts, site, last = not _is_comments(member.name), self._site_of(member), b""
        for item in lines(member):
            if isinstance(item, Rejected):
                yield item
                continue
            last = item.raw.strip()
            if not last.startswith(b"<row"):
                if b"<row " in last:
                    yield rejected(item, member, MalformedItemError("rows that do not stand each on its own line"))
                continue
            try:
                row = _row(last)
                if posts:
                    self._threads.note(site, row)
            except MALFORMED as error:
                yield rejected(item, member, error)
            else:
                yield Item(item.position, last, (site, row))
        if not last.endswith((b"</posts>", b"</comments>")):
            raise EOFError("it does not end with its closing tag, so it is cut short (or an archive that must be unpacked first)")

    def read(self, item: Item, member: Member) -> Iterable[Record | Community]:
        """Turn a row into its record and the communities met first; wikis and notices are no posts."""
        site, row = item.context
        if "PostId" in row:
            found = self._record(row, site, f"c{int(row['Id'])}", int(row["PostId"]))
        elif row["PostTypeId"] in {_QUESTION, _ANSWER}:
            found = self._record(row, site, str(int(row["Id"])), int(row["Id"]))
        else:
            return ()
        new = [key for key in found.communities if key not in self._described]
        if len(self._described) > _KNOWN:
            self._described.clear()
        self._described.update(new)
        return (found, *(self._community(key, site) for key in new))

    def _record(self, row: Mapping[str, str], site: str, own: str, post: int) -> Record:
        """Build the record of a question, an answer, or a comment on a post of either kind."""
        thread = self._threads.of(site, post)
        question, answer, comment = row.get("PostTypeId") == _QUESTION, row.get("PostTypeId") == _ANSWER, "PostId" in row
        author = row.get("OwnerUserId") or row.get("UserId")
        scope = f"stackexchange:{site}"
        accepted = "AcceptedAnswerId" in row if question else thread.accepted == post
        return Record(
            id=f"{scope}/{own}",
            communities=tuple(f"{scope}/{tag}" for tag in thread.tags) if self.unit == "tag" else (f"{scope}/site",),
            kind="post" if question else "reply",
            author=f"{site}/{author}" if author else None,
            created_at=moment(row["CreationDate"]),
            text=row["Text"] if comment else plain_text(row["Body"]),
            title=row.get("Title", "") if question else "",
            thread=f"{scope}/{thread.question}",
            parent=None if question else f"{scope}/{thread.question if answer else post}",
            score=int(row["Score"]) if "Score" in row else None,
            replies=None if comment else int(row.get("AnswerCount", 0)) + int(row.get("CommentCount", 0)),
            accepted=None if comment else accepted,
            bot=author == _COMMUNITY_USER,
            url=f"https://{site}/q/{thread.question if comment else own}" if _HOST.fullmatch(site) else None,
        )

    def _community(self, key: str, site: str) -> Community:
        """Describe a tag, or the site."""
        tag = key.removeprefix(f"stackexchange:{site}/") if self.unit == "tag" else ""
        path = f"questions/tagged/{quote(tag)}" if tag else ""
        url = f"https://{site}/{path}" if _HOST.fullmatch(site) else None
        return Community(key=key, name=f"{tag} ({site})" if tag else site, url=url)

    def _site_of(self, member: Member) -> str:
        """Name the site: as set, else the folder that holds the file."""
        holder = member.folders[-1] if member.folders else (self.path.name if self.path.is_dir() else self.path.absolute().parent.name)
        return _UNFIT.sub("_", self.site or holder).lower()

    @cached_property
    def _described(self) -> set[str]:
        return set()


class _Thread(NamedTuple):
    """What a post inherits from its question."""

    question: int
    tags: list[str]
    accepted: int | None


class _Threads:
    """Which question each post belongs to, in a temporary database that SQLite removes by itself."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.executescript(
            """PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
            CREATE TABLE posts (site TEXT, id INTEGER, question INTEGER, tags TEXT, accepted INTEGER, PRIMARY KEY (site, id)) WITHOUT ROWID;
            BEGIN"""
        )

    def close(self) -> None:
        """Remove the database."""
        self._database.close()

    def note(self, site: str, row: Mapping[str, str]) -> None:
        """Note a question with its tags, or an answer with its question."""
        own, kind = int(row["Id"]), row["PostTypeId"]
        if kind == _QUESTION:
            accepted = int(row["AcceptedAnswerId"]) if "AcceptedAnswerId" in row else None
            noted: tuple[object, ...] = (site, own, own, " ".join(_TAG.findall(row.get("Tags", ""))) or "untagged", accepted)
        elif kind == _ANSWER:
            noted = (site, own, int(row["ParentId"]), None, None)
        else:
            return
        self._database.execute("INSERT OR REPLACE INTO posts VALUES (?, ?, ?, ?, ?)", noted)

    def of(self, site: str, post: int) -> _Thread:
        """Find the question of a post.

        Raises:
            MalformedItemError: the post or its question has not been read.
        """
        found = self._database.execute(
            "SELECT q.id, q.tags, q.accepted FROM posts p JOIN posts q ON q.site = p.site AND q.id = p.question"
            " WHERE p.site = ? AND p.id = ?",
            (site, post),
        ).fetchone()
        if found is None or found[1] is None:
            raise MalformedItemError("its question is not in the dump, or comes after it (Posts.xml belongs before Comments.xml)")
        return _Thread(found[0], found[1].split(" "), found[2])


def _row(line: bytes) -> dict[str, str]:
    """Attributes of one row. A text that begins with its element can declare no entity, so the plain parser is safe.

    Raises:
        MalformedItemError: no XML.
    """
    try:
        return fromstring(line).attrib  # noqa: S314 - see above; defusedxml would take four times as long
    except ParseError as error:
        if error.code != _INVALID_CHARACTER:
            raise MalformedItemError(f"no XML row (error {error.code})") from None
    try:
        return fromstring(_CONTROL.sub(b" ", line)).attrib  # noqa: S314 - as above
    except ParseError as error:
        raise MalformedItemError(f"no XML row (error {error.code})") from None


def _is_comments(name: str) -> bool:
    return "comments" in PurePosixPath(name).name.lower()
