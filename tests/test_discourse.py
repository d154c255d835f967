"""The live Discourse source against a loopback server that answers in the documented shape."""

from __future__ import annotations

from typing import Any

import pytest

from discovery.sources import EVER, SourceError
from discovery.sources.client import Politeness
from discovery.sources.discourse import Discourse
from storage.records import Batch, Cursor
from tests.loopback import Answer, Asked, answer, serving

QUICK = Politeness(requests_per_second=1000, attempts=1)
CATEGORIES = {
    "category_list": {
        "categories": [{"id": 4, "name": "Pens", "description_text": "Ink &amp; nibs", "subcategory_list": [{"id": 9, "name": "Nibs"}]}]
    }
}


def post(number: int, **fields: Any) -> dict[str, Any]:
    """A post as /posts.json sends it."""
    own = {
        "id": number,
        "username": "ana",
        "user_id": 7,
        "created_at": f"2026-03-{number:02d}T00:00:00.000Z",
        "cooked": "<p>Which <b>ink</b>?</p>",
        "post_number": 1,
        "post_type": 1,
        "topic_id": 100 + number,
        "topic_title": f"Title {number}",
        "category_id": 4,
        "reply_to_post_number": None,
        "actions_summary": [{"id": 2, "count": 3}],
    }
    return {**own, **fields}


def forum(posts: list[dict[str, Any]], per_page: int = 2) -> Any:
    """Answer like a forum that shows its newest posts, a page at a time by number."""

    def reply(asked: Asked) -> Answer:
        if asked.path == "/categories.json":
            return answer(CATEGORIES)
        before = int(asked.query.get("before", 10**9))
        older = sorted((one for one in posts if one["id"] < before), key=lambda one: -one["id"])
        return answer({"latest_posts": older[:per_page]})

    return reply


def read(url: str, cursor: Cursor | None = None, **settings: Any) -> list[Batch]:
    """Read everything."""
    return list(Discourse(url=url, politeness=QUICK, **settings).batches(cursor or Cursor(), window=EVER))


def test_every_post_becomes_one_record():
    """All posts of all pages are read once, as plain text, with their category, likes and author."""
    with serving(forum([post(number) for number in range(1, 6)])) as server:
        records = [record for batch in read(server.url) for record in batch.records]
        host = server.url.split("/")[2]
    assert [record.id for record in records] == [f"discourse:{host}/t/{100 + number}/1" for number in (5, 4, 3, 2, 1)]
    first = records[-1]
    assert (first.communities, first.author, first.text, first.title, first.score) == (
        (f"discourse:{host}/4",),
        f"{host}/ana",
        "Which ink?",
        "Title 1",
        3,
    )


def test_replies_know_their_thread():
    """A reply names the thread's first post and the post it answers."""
    with serving(forum([post(3, topic_id=50, post_number=3, reply_to_post_number=2)])) as server:
        record = next(record for batch in read(server.url) for record in batch.records)
    assert (record.kind, record.thread.split("/t/")[1], record.parent.split("/t/")[1]) == ("reply", "50/1", "50/2")


def test_notices_are_not_posts_and_system_accounts_are_bots():
    """A moderator's notice is no record, and what the system writes is marked as a program's."""
    posts = [post(1, post_type=3), post(2, user_id=-1, username="system")]
    with serving(forum(posts)) as server:
        records = [record for batch in read(server.url) for record in batch.records]
    assert [record.bot for record in records] == [True]


def test_categories_become_communities():
    """Categories and their subcategories bring their names and descriptions."""
    with serving(forum([post(1)])) as server:
        communities = [community for batch in read(server.url) for community in batch.communities]
    assert [(community.key.rpartition("/")[2], community.name, community.description) for community in communities] == [
        ("4", "Pens", "Ink & nibs"),
        ("9", "Nibs", ""),
    ]


def test_the_whole_site_can_be_one_community():
    """With ``unit: site`` every category belongs to one community."""
    with serving(forum([post(1), post(2, category_id=9)])) as server:
        keys = {key for batch in read(server.url, unit="site") for record in batch.records for key in record.communities}
        assert keys == {f"discourse:{server.url.split('/')[2]}/site"}


def test_a_second_visit_stops_at_what_is_settled():
    """The next visit asks no page older than two days before the newest post of the last one."""
    old = [post(number) for number in range(1, 21)]
    with serving(forum(old)) as server:
        last = read(server.url)[-1].cursor
        asked_before = len(server.asked)
        read(server.url, last)
        pages = [asked for asked in server.asked[asked_before:] if asked.path == "/posts.json"]
    assert len(pages) == 3


def test_a_key_travels_in_headers_only():
    """An API key is sent as a header and never stands in an address."""
    with serving(forum([post(1)])) as server:
        read(server.url, api_key="canary", api_user="bot")
        assert all(asked.headers["api-key"] == "canary" for asked in server.asked)
        assert not any("canary" in asked.path or "canary" in str(asked.query) for asked in server.asked)


@pytest.mark.parametrize(
    "reply", [Answer(b"<html>login"), answer({"errors": ["not_logged_in"]}, 403), answer([]), answer({"latest_posts": 1})]
)
def test_a_closed_or_odd_forum_is_said(reply):
    """A forum that asks for a login or speaks otherwise is an error of ours, not an empty community."""
    with serving(lambda _: reply) as server, pytest.raises(SourceError):
        read(server.url)


def test_a_malformed_post_is_set_aside():
    """A post without a time is quarantined with its reason; its page is kept."""
    broken = {name: value for name, value in post(2).items() if name != "created_at"}
    with serving(forum([post(1), broken])) as server:
        batch = next(batch for batch in read(server.url) if batch.fetched)
    assert (len(batch.records), [rejected.reason for rejected in batch.quarantined]) == (1, ["no field created_at"])
