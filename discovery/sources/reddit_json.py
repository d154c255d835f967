"""Reddit's objects in our words: a post (t3), comment (t1) or subreddit (t5) goes in as the API or a dump writes it.

The one place that knows the field names, shared by dumps, saved listings and the live source. Twenty years of schema
meet here: times as numbers or text, parents as numbers, names missing, marks of deletion in several forms.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any

from discovery.sources import Policy
from discovery.sources.items import MalformedItemError, RefusedItemError
from storage.records import Community, Record

POLICY = Policy(quote_ok=True, llm_ok=False, licence="Reddit user agreement; private report only")

FIELDS = (
    *("id", "author", "title", "selftext", "body", "link_id", "parent_id", "score", "score_hidden", "num_comments", "is_self", "domain"),
    *("created_utc", "retrieved_on", "retrieved_utc", "_meta", "promoted", "quarantine", "quarantined", "sr_detail"),
    *("subreddit", "subreddit_type", "subreddit_subscribers"),
)
"""All that :func:`record` and :func:`community` ask of a post or comment."""

SETTLED = 36 * 3600
"""Seconds after which a dump reads score and comment count again; what it read earlier are placeholders (1 and 0)."""

DELETED: frozenset[object] = frozenset(
    {None, "", "[deleted]", "[removed]", "[deleted by user]", "[removed by reddit]", "[ Removed by Reddit ]"}
)
_EARLIEST = 1_100_000_000
"""Before Reddit's first post, in June 2005: a time of a placeholder, not of a record."""
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,8});")
_WHOLE = re.compile(r"-?[0-9]{1,15}")
_ID = re.compile(r"(?:t[13]_)?([0-9a-z]{1,13})")
_SUBREDDIT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,49}")
_HOST = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})+")
_REDDIT = re.compile(r"(?:^|\.)(?:reddit\.com|redd\.it|reddituploads\.com|redditmedia\.com)$")


def record(thing: Mapping[str, Any], *, retrieved_at: int | None = None, escaped: bool = True, dump: bool = False) -> Record:
    """Read a post or comment.

    Args:
        thing: The object as the API or a dump gives it.
        retrieved_at: When it was read, where the object itself does not say so.
        escaped: Text writes ``&lt; &gt; &amp;`` for its characters, as every reply without ``raw_json=1`` does.
        dump: Numbers read within 36 hours of creation are placeholders unless they were read a second time.

    Raises:
        MalformedItemError: neither a post nor a comment.
        RefusedItemError: an advertisement, or on somebody's profile, whose community would be a person.
    """
    reply = "title" not in thing
    own = _identifier(thing["id"])
    post = _post_of(thing) if reply else own
    meta = thing.get("_meta") or {}
    created_at = instant(thing["created_utc"])
    if created_at < _EARLIEST:
        raise MalformedItemError("a time before Reddit began")
    read_at = _read_at(thing, meta, retrieved_at)
    settled = not dump or "retrieved_2nd_on" in meta or read_at is None or read_at - created_at >= SETTLED
    author = thing.get("author")
    author = None if author in DELETED else author
    kept = not meta.get("was_deleted_later")
    return Record(
        id=f"reddit:t1_{own}" if reply else f"reddit:t3_{own}",
        communities=(key(thing),),
        kind="reply" if reply else "post",
        author=author,
        created_at=created_at,
        text=plain_text(thing["body"] if reply else thing.get("selftext"), escaped=escaped) if kept else "",
        title=plain_text(thing["title"], escaped=escaped) if kept and not reply else "",
        thread=f"reddit:t3_{post}",
        parent=_parent(thing.get("parent_id"), post) if reply else None,
        score=None if not settled or thing.get("score_hidden") else _count(thing.get("score")),
        replies=_count(thing.get("num_comments")) if settled and not reply else None,
        bot=author is not None and is_bot(author),
        url=f"https://www.reddit.com/comments/{post}/_/{own}/" if reply else f"https://www.reddit.com/comments/{own}/",
        domain=None if reply or thing.get("is_self") else link_domain(thing.get("domain")),
        retrieved_at=read_at,
    )


def key(thing: Mapping[str, Any]) -> str:
    """Community key of a post or comment.

    Raises:
        RefusedItemError: an advertisement stands in no subreddit; a profile's subreddit is named after its person.
    """
    name = thing.get("subreddit")
    if name is None and thing.get("promoted"):
        raise RefusedItemError
    if thing.get("subreddit_type") == "user" or (isinstance(name, str) and name[:2].lower() == "u_"):
        raise RefusedItemError
    return f"reddit:{_subreddit(name).lower()}"


def community(thing: Mapping[str, Any], *, retrieved_at: int | None) -> Community:
    """Read what a post or comment says of its subreddit. One post marked over 18 does not mark the subreddit."""
    detail = thing.get("sr_detail") or {}
    name = _subreddit(thing["subreddit"])
    return Community(
        key=f"reddit:{name.lower()}",
        name=f"r/{name}",
        url=f"https://www.reddit.com/r/{name}/",
        members=_count(thing.get("subreddit_subscribers")),
        sensitive=any(map(bool, (thing.get("quarantine"), thing.get("quarantined"), detail.get("over_18"), detail.get("quarantine")))),
        retrieved_at=retrieved_at,
    )


def subreddit(thing: Mapping[str, Any], *, retrieved_at: int | None, escaped: bool = True) -> Community:
    """Read a subreddit's own page (t5).

    Raises:
        RefusedItemError: somebody's profile.
    """
    name = _subreddit(thing["display_name"])
    if thing.get("subreddit_type") == "user" or name[:2].lower() == "u_":
        raise RefusedItemError
    return Community(
        key=f"reddit:{name.lower()}",
        name=f"r/{name}",
        url=f"https://www.reddit.com/r/{name}/",
        description=plain_text(thing.get("public_description"), escaped=escaped),
        members=_count(thing.get("subscribers")),
        sensitive=bool(thing.get("over18") or thing.get("quarantine")),
        retrieved_at=retrieved_at,
    )


def instant(value: object) -> int:
    """Whole seconds from a number or its text."""
    if type(value) is int:
        return value
    if isinstance(value, bool) or not isinstance(value, float | str):
        raise MalformedItemError("a time that is no number")
    return int(float(value))


def _read_at(thing: Mapping[str, Any], meta: Mapping[str, Any], retrieved_at: int | None) -> int | None:
    """Latest of the times at which the object says it was read."""
    said = meta.get("retrieved_2nd_on") or thing.get("retrieved_on") or thing.get("retrieved_utc")
    return retrieved_at if said is None else instant(said)


def _identifier(value: object) -> str:
    """Base-36 id without its type's prefix; very old dumps write a number."""
    if isinstance(value, str) and (found := _ID.fullmatch(value)):
        return found[1]
    if type(value) is int and value > 0:
        return _base36(value)
    raise MalformedItemError("an id that is not base 36")


def _post_of(comment: Mapping[str, Any]) -> str:
    """Id of a comment's post: its link, else what it answers if that is a post."""
    parent = comment.get("parent_id")
    link = comment.get("link_id") or (parent if isinstance(parent, str) and parent.startswith("t3_") else None)
    if link is None:
        raise MalformedItemError("neither a post (title) nor a comment with its post (link_id)")
    return _identifier(link)


def _parent(value: object, post: str) -> str:
    """Record id of what a comment answers; without a prefix it is the post if the ids agree, else a comment."""
    if value is None or not value:
        return f"reddit:t3_{post}"
    own = _identifier(value)
    if isinstance(value, str) and value[:3] in {"t1_", "t3_"}:
        return f"reddit:{value}"
    return f"reddit:t3_{own}" if own == post else f"reddit:t1_{own}"


def _base36(number: int) -> str:
    digits = ""
    while number > 0:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits


def _subreddit(name: object) -> str:
    if not isinstance(name, str) or not _SUBREDDIT.fullmatch(name):
        raise MalformedItemError("a subreddit's name of the wrong form")
    return name


def plain_text(value: str | None, *, escaped: bool) -> str:
    """Text as people read it, its Markdown kept; nothing where it was deleted."""
    if value in DELETED or value is None:
        return ""
    if "&" not in value:
        return value
    if escaped:
        value = value.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return _ENTITY.sub(lambda entity: html.unescape(entity[0]), value).replace("\u200b", "")


def _count(value: object) -> int | None:
    """Whole number from a number; None where it is not shown."""
    if value is None or type(value) is int:
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and _WHOLE.fullmatch(value):  # BigQuery exports every number so
        return int(value)
    raise MalformedItemError("a count that is no whole number")


def is_bot(author: str) -> bool:
    """Tell a program by its name: AutoModerator, or a name that ends in "bot"."""
    return author == "AutoModerator" or author[-3:].lower() == "bot"


def link_domain(value: object) -> str | None:
    """Host a link post points to, where it is neither the post itself nor Reddit's own store of media."""
    if not isinstance(value, str) or not _HOST.fullmatch(host := value.lower()):
        return None
    return None if host.startswith("self.") or _REDDIT.search(host) else host
