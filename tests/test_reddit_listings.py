"""Saved Reddit listings: every shape a reply is saved in, and which copy of a post is the later one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from discovery.sources import EVER, load
from discovery.sources.reddit_listings import REPLY
from storage.records import Batch, Cursor
from tests.factories import gather
from tests.shared_data import DATA

REAL = DATA / "reddit_api_listings_2020"
CREATED = 1_600_000_000


def post(own: str, **overrides: Any) -> dict[str, Any]:
    """Make a post as a listing holds it."""
    made = {"id": own, "name": f"t3_{own}", "subreddit": "Bees", "author": "ana", "title": f"Post {own}", "selftext": "", "is_self": True}
    made |= {
        "created_utc": float(CREATED),
        "score": 1,
        "num_comments": 0,
        "subreddit_subscribers": 50,
        "over_18": False,
        "hide_score": True,
    }
    return {"kind": "t3", "data": made | overrides}


def comment(own: str, *below: dict[str, Any], parent: str = "t3_a") -> dict[str, Any]:
    """Make a comment with the replies below it; without any, the API writes an empty text."""
    made = {
        "id": own,
        "subreddit": "Bees",
        "author": "bo",
        "body": own,
        "link_id": "t3_a",
        "parent_id": parent,
        "created_utc": float(CREATED + 9),
    }
    return {"kind": "t1", "data": made | {"replies": listing(*below) if below else ""}}


def listing(*things: dict[str, Any]) -> dict[str, Any]:
    """Put things into a listing."""
    return {"kind": "Listing", "data": {"after": None, "children": list(things)}}


def read(tmp_path: Path, text: str) -> Batch:
    """Read one saved file."""
    (tmp_path / "saved.json").write_text(text)
    (page,) = load(f"reddit_listings:{tmp_path}", credentials={}).batches(Cursor(), window=EVER)
    return page


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(json.dumps(listing(post("a"), post("b"))), id="one-line"),
        pytest.param(json.dumps(listing(post("a"), post("b")), indent=2), id="many-lines"),
        pytest.param(json.dumps([listing(post("a")), listing(post("b"))], indent=1), id="list"),
        pytest.param(json.dumps(listing(post("a"))) + "\n\n" + json.dumps(listing(post("b"))) + "\n", id="a-line-each"),
        pytest.param(json.dumps({"retrieved_at": CREATED, "path": "x", "listing": listing(post("a"), post("b"))}), id="noted"),
    ],
)
def test_every_shape_of_a_saved_reply(tmp_path: Path, text: str) -> None:
    """The same two posts come out however the replies were saved."""
    assert [record.id for record in read(tmp_path, text).records] == ["reddit:t3_a", "reddit:t3_b"]


def test_a_comment_page_is_flattened(tmp_path: Path) -> None:
    """A post's page gives its post and all comments shown, in their order; a mark of comments not shown is no item."""
    more = {"kind": "more", "data": {"id": "z", "children": ["y"]}}
    tree = comment("c1", comment("c2", comment("c3", parent="t1_c2"), parent="t1_c1"), more)
    page = read(tmp_path, json.dumps([listing(post("a")), listing(tree, comment("c4"), more)]))
    assert [record.id.removeprefix("reddit:") for record in page.records] == ["t3_a", "t1_c1", "t1_c2", "t1_c3", "t1_c4"]
    assert [record.parent for record in page.records[1:4]] == ["reddit:t3_a", "reddit:t1_c1", "reddit:t1_c2"]
    assert {record.thread for record in page.records} == {"reddit:t3_a"}
    assert page.fetched == 5


def test_the_time_of_reading(tmp_path: Path) -> None:
    """A noted time decides, in its own zone; without one, a reply was read no earlier than its newest thing was written."""
    noted = {"retrieved_at": "2020-09-13T21:26:40+09:00", "path": "x", "listing": listing(post("a"))}
    assert [record.retrieved_at for record in read(tmp_path, json.dumps(noted)).records] == [CREATED]
    bare = listing(post("a"), post("b", created_utc=CREATED + 77.0))
    assert [record.retrieved_at for record in read(tmp_path, json.dumps(bare)).records] == [CREATED + 77, CREATED + 77]


def test_what_a_listing_shows_is_taken(tmp_path: Path) -> None:
    """A young post's score counts as seen, since a listing is no placeholder, and its subreddit's members are noted."""
    page = read(tmp_path, json.dumps(listing(post("a", score=4, num_comments=2))))
    (record,) = page.records
    assert (record.score, record.replies) == (4, 2)
    (community,) = page.communities
    assert (community.key, community.members, community.sensitive) == ("reddit:bees", 50, False)


def test_a_subreddits_own_page_is_no_record(tmp_path: Path) -> None:
    """A saved t5 describes a community, its own mark of adult content included, and counts as nothing fetched."""
    about = {"kind": "t5", "data": {"display_name": "Bees", "public_description": "A &amp; B", "subscribers": 7, "over18": True}}
    page = read(tmp_path, json.dumps(listing(about)))
    assert (page.fetched, page.records) == (0, [])
    (community,) = page.communities
    assert (community.description, community.members, community.sensitive) == ("A & B", 7, True)


def test_bad_items_and_bad_replies_are_quarantined_apart(tmp_path: Path) -> None:
    """A broken thing is one item, a broken line is one item, and the rest of both is read."""
    lines = [listing(post("a"), {"kind": "t3"}, None, {"kind": "t2", "data": {"name": "secretname"}}), {"error": 403}, listing(post("b"))]
    page = read(tmp_path, "\n".join([*map(json.dumps, lines), '{"kind": "Listing", "data"']))
    assert [record.id for record in page.records] == ["reddit:t3_a", "reddit:t3_b"]
    assert len(page.quarantined) == page.fetched - 2 == 5
    assert "secretname" not in str(page.quarantined)


@pytest.mark.parametrize("wrapped", [True, False], ids=["data", "array"])
@pytest.mark.parametrize("indent", [None, 2])
def test_replies_of_the_apis_over_dumps(tmp_path: Path, wrapped: bool, indent: int | None) -> None:
    """PullPush and Arctic Shift reply with bare posts and comments; what was read too early for its score has none."""
    made = post("a", retrieved_on=CREATED + 60)["data"], comment("b")["data"] | {"retrieved_on": CREATED + 200_000, "score": 7}
    page = read(tmp_path, json.dumps({"data": made, "error": None} if wrapped else made, indent=indent))
    assert [(record.id, record.score, record.retrieved_at) for record in page.records] == [
        ("reddit:t3_a", None, CREATED + 60),
        ("reddit:t1_b", 7, CREATED + 200_000),
    ]
    assert page.fetched == 2


@pytest.mark.real_data
@pytest.mark.skipif(not REAL.exists(), reason="the saved listings are not beside the checkout")
def test_the_published_listings() -> None:
    """The counts of seven months of twelve subreddits are those published: rows, posts and authors ([deleted] is nobody)."""
    source = load(f"reddit_listings:{REAL}", credentials={})
    records = gather(source)
    assert len(records) == 27_449
    assert len({record.id for record in records}) == 18_479
    assert len({key for record in records for key in record.communities}) == 12
    assert len({record.author for record in records}) == 10_819
    assert source.observed() == "listing"


def test_an_endless_line_is_one_bad_reply(tmp_path: Path) -> None:
    """A line longer than any reply is quarantined once, and those around it are read."""
    endless = '{"kind": "Listing", "data": "' + "x" * (2 * REPLY) + '"}'
    page = read(tmp_path, "\n".join([json.dumps(listing(post("a"))), endless, json.dumps(listing(post("b")))]))
    assert [record.id for record in page.records] == ["reddit:t3_a", "reddit:t3_b"]
    assert [bad.position for bad in page.quarantined] == ["saved.json:2"]
