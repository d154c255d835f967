"""The Reddit source: PRAW over our client, against a loopback server in Reddit's documented shape and its recorded replies."""

from __future__ import annotations

import io
import json
import tarfile
from collections import Counter
from typing import Any

import pytest
import zstandard
from pydantic import ValidationError

from discovery.sources import EVER, SourceError
from discovery.sources.client import Politeness
from discovery.sources.reddit import NAME, Reddit
from storage.records import Batch, Cursor
from tests.loopback import Answer, Asked, Server, answer, serving
from tests.shared_data import DATA

CASSETTES = DATA / "praw_cassettes" / "cassettes.tar.zst"

TOKEN = answer({"access_token": "T", "token_type": "bearer", "expires_in": 3600, "scope": "*"})


def post(number: int, **fields: Any) -> dict[str, Any]:
    """A t3 child as the API sends it."""
    own = {
        "id": f"p{number}",
        "subreddit": "pens",
        "title": f"Title {number}",
        "selftext": "Which ink?",
        "author": "ana",
        "created_utc": 1772323200.0 + number,
        "score": 5,
        "num_comments": 1,
        "is_self": True,
    }
    return {"kind": "t3", "data": {**own, **fields}}


def listing(children: list[dict[str, Any]], after: str | None = None) -> Answer:
    """A Listing."""
    return answer({"kind": "Listing", "data": {"children": children, "after": after}})


def reddit(pages: dict[str | None, Answer], refused: int | None = None) -> Any:
    """Answer like Reddit: a token, the subreddit's page, its posts by ``after``, no comments."""

    def reply(asked: Asked) -> Answer:
        match asked.path:
            case "/api/v1/access_token":
                return answer({"access_token": "T", "token_type": "bearer", "expires_in": 3600, "scope": "*"})
            case "/r/pens/about/":
                return answer(
                    {"kind": "t5", "data": {"display_name": "pens", "subscribers": 12, "public_description": "Ink", "over18": False}}
                )
            case "/r/pens/new/":
                return (
                    answer({"message": "Forbidden", "error": refused, "reason": "private"}, refused)
                    if refused
                    else pages[asked.query.get("after")]
                )
            case _:
                return listing([])

    return reply


def source(server: Server, names: str = "pens") -> Reddit:
    """The source pointed at a loopback server."""
    politeness = Politeness(requests_per_second=1000, attempts=2)
    return Reddit(
        subreddits=names, client_id="id", client_secret="canary", reddit_url=server.url, oauth_url=server.url, politeness=politeness
    )


def read(server: Server) -> list[Batch]:
    """Read everything."""
    return list(source(server).batches(Cursor(), window=EVER))


def test_pages_are_followed_to_the_end():
    """Posts of all pages become records, and the subreddit brings its members."""
    with serving(reddit({None: listing([post(2)], after="t3_p2"), "t3_p2": listing([post(1)])})) as server:
        batches = read(server)
    assert [record.id for batch in batches for record in batch.records] == ["reddit:t3_p2", "reddit:t3_p1"]
    assert [community.members for batch in batches for community in batch.communities] == [12]


def test_a_429_is_waited_out_and_its_page_not_lost():
    """Reddit's 429 in mid-listing is waited out by our client, where PRAW alone would lose the page."""
    seen: list[str | None] = []

    def reply(asked: Asked) -> Answer:
        if asked.path == "/r/pens/new/":
            seen.append(asked.query.get("after"))
            if seen.count("t3_p2") == 1 and seen[-1] == "t3_p2":
                return Answer(b"<html>slow down", 429, {"Content-Type": "text/html", "Retry-After": "0.05"})
        return reddit({None: listing([post(2)], after="t3_p2"), "t3_p2": listing([post(1)])})(asked)

    with serving(reply) as server:
        records = [record.id for batch in read(server) for record in batch.records]
    assert records == ["reddit:t3_p2", "reddit:t3_p1"]


@pytest.mark.parametrize("status", [403, 404])
def test_a_closed_subreddit_is_named_and_the_rest_is_read(status):
    """A private or banned subreddit fails alone: its comments stream is still read, and the end names it."""
    with serving(reddit({}, refused=status)) as server:
        with pytest.raises(SourceError, match="1 of 2 streams are closed"):
            read(server)
        assert any(asked.path == "/r/pens/comments/" for asked in server.asked)


def test_without_credentials_it_is_off_and_says_so():
    """Without credentials nothing is asked; the error says what to set, and what works without."""
    with pytest.raises(SourceError, match="SUBCURRENT_CREDENTIALS__REDDIT__CLIENT_ID"):
        list(Reddit(subreddits="pens").batches(Cursor(), window=EVER))


@pytest.mark.parametrize("name", ["../api/v1/me", "x/../../user/y", "a#b", "a?b", "a", "a" * 22, "ä_b"])
def test_only_names_of_subreddits_reach_a_path(name):
    """A name that could bend the path of a request is refused before any request."""
    with pytest.raises(ValidationError, match="no subreddit"):
        Reddit(subreddits=(name,))


def test_rejected_credentials_are_said_without_the_secret():
    """Reddit's no to the credentials is an error that never shows them."""
    with serving(lambda _: answer({"message": "Unauthorized", "error": 401}, 401)) as server:
        with pytest.raises(SourceError) as refused:
            read(server)
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize("body", [b'{"data": null}', b'{"kind": "Listing", "data": {"children": null}}', b"[]", b'"x"', b"<html>"])
def test_odd_replies_are_errors_of_ours(body):
    """A reply that is no listing is said, not crashed upon."""
    with serving(reddit({None: Answer(body)})) as server, pytest.raises(SourceError):
        read(server)


def _recorded() -> list[dict[str, Any]]:
    """Every recorded reply that is a listing of posts or comments."""
    with CASSETTES.open("rb") as packed:
        raw = zstandard.ZstdDecompressor().stream_reader(packed).read()
    found = []
    with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
        for member in archive:
            file = archive.extractfile(member)
            if file is None or not member.name.endswith(".json"):
                continue
            for interaction in json.load(file)["interactions"]:
                body = interaction["response"]["body"].get("string", "")
                if body.startswith('{"kind": "Listing"'):
                    found.append(json.loads(body))
    return found


def _ours(child: dict[str, Any]) -> bool:
    """A post or comment in a subreddit; the recordings also hold messages of an inbox."""
    return child["kind"] in {"t1", "t3"} and "subreddit" in child["data"] and "was_comment" not in child["data"]


@pytest.mark.real_data
@pytest.mark.skipif(not CASSETTES.exists(), reason="the recorded replies are not here")
def test_every_recorded_listing_is_read():
    """Each recorded listing, served for the subreddit most of its rows belong to, yields exactly those rows and quarantines none."""
    served = 0
    for reply in _recorded():
        rows = [child["data"] for child in reply["data"]["children"] if _ours(child)]
        names = Counter(row["subreddit"] for row in rows if NAME.fullmatch(row["subreddit"]) and not row["subreddit"].startswith("u_"))
        if not names:
            continue
        name, count = names.most_common(1)[0]
        recorded = answer({"kind": "Listing", "data": {"children": [{"kind": "t", "data": row} for row in rows], "after": None}})

        def reply_with(asked: Asked, recorded: Answer = recorded) -> Answer:
            if asked.path == "/api/v1/access_token":
                return TOKEN
            return recorded if asked.path.endswith("/new/") else listing([])

        with serving(reply_with) as server:
            batches = list(source(server, name).batches(Cursor(), window=EVER))
        assert [rejected.reason for batch in batches for rejected in batch.quarantined] == []
        assert sum(len(batch.records) for batch in batches) == count
        served += 1
    assert served >= 10
