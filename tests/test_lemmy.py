"""The Lemmy source against a loopback server that answers in the documented v3 shape."""

from __future__ import annotations

import json
from typing import Any

import pytest

from discovery.sources import EVER, SourceError, load
from storage.records import Batch, Cursor
from tests.loopback import Answer, Asked, answer, serving

QUICK = {"politeness": {"requests_per_second": 1000, "attempts": 1}}
COMMUNITY = {
    "id": 7,
    "name": "pens",
    "title": "Fountain pens",
    "description": "Ink and nibs",
    "actor_id": "https://home.example/c/pens",
    "nsfw": False,
    "deleted": False,
    "removed": False,
}


def post(number: int, published: str, **fields: Any) -> dict[str, Any]:
    """A post view as the server sends it."""
    own = {
        "id": number,
        "name": f"Title {number}",
        "body": "Which ink?",
        "published": published,
        "ap_id": f"https://home.example/post/{number}",
        "deleted": False,
        "removed": False,
        **fields,
    }
    creator = {"name": "ana", "actor_id": "https://away.example/u/ana", "bot_account": False}
    return {"post": own, "creator": creator, "community": COMMUNITY, "counts": {"score": 3, "comments": 1}}


def comment(number: int, published: str) -> dict[str, Any]:
    """A comment view on post 1."""
    own = {
        "id": number,
        "content": "Blue.",
        "published": published,
        "ap_id": f"https://away.example/comment/{number}",
        "deleted": False,
        "removed": False,
    }
    view = post(1, published)
    return {**view, "comment": own, "counts": {"score": 1, "child_count": 0}}


def instance(posts: dict[str, dict[str, Any]], comments: list[dict[str, Any]]) -> Any:
    """Answer like an instance with one community: post pages by cursor, one page of comments."""

    def reply(asked: Asked) -> Answer:
        match asked.path:
            case "/api/v3/community":
                return answer({"community_view": {"community": COMMUNITY, "counts": {"subscribers": 12}}})
            case "/api/v3/post/list":
                assert asked.query["community_id"] == "7"
                return answer(posts[asked.query.get("page_cursor", "")])
            case "/api/v3/comment/list":
                return answer({"comments": comments if asked.query["page"] == "1" else []})
            case _:
                return answer({"error": "unknown"}, 404)

    return reply


def read(url: str, cursor: Cursor | None = None) -> list[Batch]:
    """Read everything the source yields."""
    source = type(load(f"lemmy:{url}", credentials={}))(url=url, communities=("pens",), **QUICK)
    return list(source.batches(cursor or Cursor(), window=EVER))


TWO_PAGES = {
    "": {"posts": [post(3, "2026-03-03T00:00:00Z"), post(2, "2026-03-02T00:00:00.123456Z")], "next_page": "abc"},
    "abc": {"posts": [post(1, "2026-03-01T00:00:00")], "next_page": None},
}


def test_posts_and_comments_become_records():
    """Every post and comment of a community becomes one record with its home's identity, time and author."""
    with serving(instance(TWO_PAGES, [comment(9, "2026-03-04T00:00:00Z")])) as server:
        records = [record for batch in read(server.url) for record in batch.records]
    assert sorted(record.id for record in records) == [
        "lemmy:away.example/comment/9",
        "lemmy:home.example/post/1",
        "lemmy:home.example/post/2",
        "lemmy:home.example/post/3",
    ]
    first = next(record for record in records if record.id.endswith("/post/1"))
    assert (first.communities, first.author, first.created_at) == (("lemmy:home.example/pens",), "away.example/u/ana", 1772323200)
    reply = next(record for record in records if record.kind == "reply")
    assert reply.thread == "lemmy:home.example/post/1"


def test_a_batch_accounts_for_every_item():
    """A malformed post is quarantined and counted, and the rest of its page is kept."""
    pages = {"": {"posts": [post(2, "not a time"), post(1, "2026-03-01T00:00:00Z")], "next_page": None}}
    with serving(instance(pages, [])) as server:
        batches = read(server.url)
    assert [(batch.fetched, len(batch.records), len(batch.quarantined)) for batch in batches if batch.fetched] == [(2, 1, 1)]


def test_a_second_visit_reads_only_what_is_new():
    """The mark of a finished visit stops the next one at what is settled, two days before the newest post."""
    with serving(instance(TWO_PAGES, [])) as server:
        last = read(server.url)[-1].cursor
    newer = {
        "": {"posts": [post(4, "2026-03-09T00:00:00Z")], "next_page": "n1"},
        "n1": {"posts": [post(1, "2026-02-01T00:00:00Z")], "next_page": "n2"},
        "n2": {"posts": [post(0, "2026-01-01T00:00:00Z")], "next_page": None},
    }
    with serving(instance(newer, [])) as server:
        read(server.url, last)
        asked = [request.query.get("page_cursor") for request in server.asked if request.path == "/api/v3/post/list"]
    assert asked == [None, "n1"]


def test_an_interrupted_visit_goes_on_from_its_page():
    """A visit killed after its first page fetches that page never again, and loses nothing."""
    with serving(instance(TWO_PAGES, [])) as server:
        batches = read(server.url)
        at = next(index for index, batch in enumerate(batches) if json.loads(batch.cursor.position)["token"] == "abc")
        asked_before = len(server.asked)
        rest = read(server.url, batches[at].cursor)
        cursors = [request.query.get("page_cursor") for request in server.asked[asked_before:] if request.path == "/api/v3/post/list"]
    assert cursors == ["abc"]
    assert [record.id for batch in rest for record in batch.records] == ["lemmy:home.example/post/1"]


def test_a_server_that_pages_in_circles_is_left():
    """The same page again ends the stream instead of a night."""
    circle = {"posts": [post(1, "2026-03-01T00:00:00Z")], "next_page": "again"}
    with serving(instance({"": circle, "again": circle}, [])) as server:
        records = [record for batch in read(server.url) for record in batch.records]
    assert [record.id for record in records] == ["lemmy:home.example/post/1"]


def test_a_wider_circle_is_left_too():
    """A page that was here before ends the stream, also where others stood between."""
    pages = {
        "": {"posts": [post(2, "2026-03-02T00:00:00Z")], "next_page": "b"},
        "b": {"posts": [post(1, "2026-03-01T00:00:00Z")], "next_page": "a"},
        "a": {"posts": [post(2, "2026-03-02T00:00:00Z")], "next_page": "b"},
    }
    with serving(instance(pages, [])) as server:
        records = [record for batch in read(server.url) for record in batch.records]
    assert [record.id for record in records] == ["lemmy:home.example/post/2", "lemmy:home.example/post/1"]


def test_another_communitys_rows_are_not_taken():
    """A server that ignores which community was asked for has its rows quarantined, not mixed in."""
    stray = {**post(1, "2026-03-01T00:00:00Z"), "community": {**COMMUNITY, "id": 8}}
    with serving(instance({"": {"posts": [stray], "next_page": None}}, [])) as server:
        batch = next(batch for batch in read(server.url) if batch.fetched)
    assert (len(batch.records), batch.quarantined[0].reason) == (0, "a row of another community than was asked for")


def test_a_deleted_post_keeps_neither_text_nor_author():
    """A post its author or a moderator deleted is counted, without its text and author."""
    with serving(instance({"": {"posts": [post(1, "2026-03-01T00:00:00Z", deleted=True)], "next_page": None}}, [])) as server:
        record = next(record for batch in read(server.url) for record in batch.records)
    assert (record.author, record.text) == (None, "")


def test_a_reply_of_another_shape_is_said():
    """A server that does not speak v3 is an error with a remedy, not an empty community."""
    with serving(lambda asked: answer({"items": []}) if "list" in asked.path else instance({}, [])(asked)) as server:
        with pytest.raises(SourceError, match="v3"):
            read(server.url)
