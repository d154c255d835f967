"""Discourse's objects in our words: a post goes in as the API, a saved topic or an archive writes it.

The one place that knows the field names, shared by archives and the live source, so that both give the same record.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from discovery.sources import Policy
from discovery.sources.html import plain_text
from discovery.sources.items import MalformedItemError
from discovery.sources.moments import moment
from storage.records import Record

POLICY = Policy(quote_ok=True, llm_ok=True, licence="public forum; its owner's terms")
REGULAR = 1
"""``post_type`` of what people write; the others are notices of the system."""
LIKE = 2
"""``id`` of likes in ``actions_summary``."""


def record(post: Mapping[str, Any], *, host: str, community: str, title: str) -> Record | None:
    """Read a post of a topic; None where it is a notice, not a post.

    Raises:
        MalformedItemError: or a lookup, type or value error, where a field is missing or of another form.
    """
    if post["post_type"] != REGULAR:
        return None
    topic, number = _whole(post["topic_id"]), _whole(post["post_number"])
    gone = bool(post.get("user_deleted") or post.get("deleted_at") or post.get("hidden"))
    answered = post.get("reply_to_post_number")
    return Record(
        id=_identity(host, topic, number),
        communities=(community,),
        kind="post" if number == 1 else "reply",
        author=None if gone or not post["username"] else f"{host}/{post['username']}",
        author_name=None if gone else post["username"],
        created_at=moment(post["created_at"]),
        text="" if gone else plain_text(post["cooked"]),
        title=title if number == 1 else "",
        thread=_identity(host, topic, 1),
        parent=None if number == 1 else _identity(host, topic, _whole(answered or 1)),
        score=_likes(post.get("actions_summary")),
        accepted=bool(post["accepted_answer"]) if "accepted_answer" in post and number > 1 else None,
        bot=_whole(post["user_id"]) < 0 or post["username"] == "system",
        url=f"https://{host}/t/{topic}/{number}",
    )


def _identity(host: str, topic: int, number: int) -> str:
    return f"discourse:{host}/t/{topic}/{number}"


def _likes(summary: Any) -> int | None:
    """Likes, where the post says anything of what readers did."""
    if summary is None:
        return None
    return sum(_whole(action.get("count", 0)) for action in summary if action["id"] == LIKE)


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise MalformedItemError("a number that is no whole number")
    return value
