"""Finding the columns of a table: its header and the user's mapping go in, what to pick from each row comes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from discovery.sources import SourceError

FILE = "@file"
"""In place of a community column: each file is a community, named after it."""

FOLDER = "@folder"
"""In place of a community column: each folder is a community, whatever its files are called."""

NONE = ""
"""In place of a column: the table has none, whatever its columns are called."""


class Cells(NamedTuple):
    """What we know to read in a row, as the table writes it; None where it has no such column."""

    community: Any
    created_at: Any
    id: Any = None
    author: Any = None
    text: Any = None
    title: Any = None
    type: Any = None
    thread: Any = None
    parent: Any = None
    score: Any = None
    replies: Any = None
    domain: Any = None
    bot: Any = None
    retrieved_at: Any = None


SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "community": (
        *("community", "subreddit", "channel", "channel_name", "forum", "group", "category", "board", "room", "list"),
        *("chat", "chat_name", "chat_title", "group_name", "forum_name"),
    ),
    "created_at": (
        *("created_at", "created_utc", "created", "timestamp", "datetime", "date", "time", "posted_at", "published_at"),
        *("creation_date", "sent_at"),
    ),
    "id": ("id", "record_id", "post_id", "comment_id", "message_id", "uuid"),
    "author": (
        *("author", "author_id", "user", "user_id", "username", "user_name", "author_name", "nick", "sender"),
        *("sender_id", "sender_name", "from_id", "owner_user_id"),
    ),
    "text": ("text", "body", "content", "selftext", "preview", "message"),
    "title": ("title", "subject", "headline"),
    "type": ("type", "kind", "record_type"),
    "thread": ("thread", "thread_id", "link_id", "topic_id", "conversation_id"),
    "parent": (
        *("parent", "parent_id", "reply_to", "in_reply_to", "reply_to_id"),
        *("in_reply_to_id", "reply_to_msg_id", "reply_to_message_id"),
    ),
    "score": ("score", "ups", "upvotes", "likes", "points", "votes", "num_points", "like_count", "favourites_count"),
    "replies": ("replies", "comments", "num_comments", "comms_num", "comment_count", "reply_count", "replies_count", "comments_count"),
    "domain": ("domain", "host"),
    "bot": ("bot", "is_bot"),
    "retrieved_at": ("retrieved_at", "retrieved_on", "scraped_at", "fetched_at"),
}
"""Names under which a column is found by itself, best first, in any case; the first two of a needed column are taken without doubt."""

_REQUIRED = ("community", "created_at")
_ANSWERING = frozenset({"type", "thread", "parent", "replies"})


class Layout(NamedTuple):
    """Which column of a table is which cell."""

    names: tuple[str | None, ...]
    """Column of each cell, in the order of :class:`Cells`."""
    places: tuple[int, ...]
    """Index of each cell in a row with a None put at its end."""
    width: int
    threaded: bool
    """The table says what answers what; a chat has no threads."""

    def has(self, cell: str) -> bool:
        """Tell whether the table has a column for a cell."""
        return self.names[Cells._fields.index(cell)] is not None

    def row(self, values: Sequence[Any]) -> Cells:
        """Pick the cells out of a row of values."""
        padded = [*values, None]
        return Cells._make([padded[place] for place in self.places])

    def mapping(self, values: Mapping[str, Any]) -> Cells:
        """Pick the cells out of an object; a key it lacks is a None."""
        return Cells._make([None if name is None else values.get(name) for name in self.names])


def layout(header: Sequence[str], mapped: Mapping[str, str], *, where: str) -> Layout:
    """Find each cell's column: the one mapped by the user, else the best of its common names.

    Raises:
        SourceError: a mapped column is not there, or the community's or time's column is missing or not the only candidate.
    """
    names = tuple(_column(cell, header, mapped, where) for cell in Cells._fields)
    places = tuple(len(header) if name is None else header.index(name) for name in names)
    threaded = any(name is not None for cell, name in zip(Cells._fields, names, strict=True) if cell in _ANSWERING)
    return Layout(names, places, len(header), threaded)


def _column(cell: str, header: Sequence[str], mapped: Mapping[str, str], where: str) -> str | None:
    wanted = mapped.get(cell)
    if wanted in {FILE, FOLDER} or (wanted == NONE and cell not in _REQUIRED):
        return None
    if wanted is not None:
        if wanted not in header:
            raise SourceError(f"{where} has no column `{wanted}` for {cell}. {_remedy(cell, header)}")
        return wanted
    common = {_common(name): name for name in reversed(header)}
    found = [name for name in SYNONYMS[cell] if name in common]
    if cell in _REQUIRED and (not found or (len(found) > 1 and found[0] not in SYNONYMS[cell][:2])):
        fault = f"may hold {cell} in any of {', '.join(common[name] for name in found)}" if found else f"has no column for {cell}"
        raise SourceError(f"{where} {fault}. {_remedy(cell, header)}")
    return common[found[0]] if found else None


def _remedy(cell: str, header: Sequence[str]) -> str:
    """Say what columns there are and how to name the right one; a first line that is no header may be people's words."""
    file = f", or ?{cell}={FILE} or ?{cell}={FOLDER} where each file or folder is one community" if cell == "community" else ""
    way = f"map one with table:PATH?{cell}=COLUMN{file}."
    known = {name for names in SYNONYMS.values() for name in names}
    if not any(_common(name) in known for name in header):
        return f"None of the {len(header)} cells of its first line is a column we know: check that it has a header, then {way}"
    return f"Its columns are {', '.join(name[:40] for name in header[:30])}{', ...' if len(header) > 30 else ''}: {way}"


def _common(name: str) -> str:
    return name.strip().lower().replace(" ", "_")
