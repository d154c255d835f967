"""Saved Discourse topics: posts and notices, categories, what is missing, and files that are no topics."""

from __future__ import annotations

import json

import pytest

from discovery.sources import EVER, load
from storage.records import Cursor, Record
from tests.factories import gather
from tests.shared_data import DATA

REAL = DATA / "discourse_urho3d" / "topics.tar.zst"
HOST = "forum.example.org"


def post(number, topic=7, **overrides):
    """A post of a topic."""
    defaults = {
        "id": 100 * topic + number,
        "username": "ana",
        "user_id": 3,
        "created_at": "2020-09-13T12:26:40.000Z",
        "cooked": "<p>Hello</p>",
        "post_number": number,
        "post_type": 1,
        "topic_id": topic,
        "reply_to_post_number": None,
        "actions_summary": [],
    }
    return {**defaults, **overrides}


def topic(*posts, number=7, **overrides):
    """A topic as ``/t/ID.json`` gives it."""
    stream = {"posts": list(posts), "stream": [each["id"] for each in posts]}
    return {"id": number, "title": "Title", "category_id": 5, "posts_count": len(posts), "post_stream": stream, **overrides}


def save(folder, **files):
    """Write each value to a file of its name."""
    folder.mkdir(exist_ok=True, parents=True)
    for name, value in files.items():
        (folder / f"{name}.json").write_text(value if isinstance(value, str) else json.dumps(value))
    return folder


def source(folder, options=f"?host={HOST}"):
    """The archive at a folder."""
    return load(f"discourse_archive:{folder}{options}", credentials={})


def test_private_messages_are_refused(tmp_path):
    """Messages to some people alone are sound and not ours to keep: counted as refused, with nothing of them stored."""
    save(
        tmp_path,
        a=topic(post(1), archetype="regular"),
        b=topic(post(1, 8), post(2, 8), number=8, category_id=None, archetype="private_message"),
    )
    (page,) = source(tmp_path).batches(Cursor(), window=EVER)
    assert (len(page.records), page.refused, page.quarantined, page.fetched) == (1, 2, [], 3)
    assert [community.key for community in page.communities] == [f"discourse:{HOST}/5"]


def test_posts_and_replies(tmp_path):
    """The first post opens the thread and carries the title, the others reply to it or to whom they say; notices are not counted."""
    posts = [
        post(1, cooked='<p>Why?</p><aside class="quote" data-username="bo"><blockquote>Because</blockquote></aside>'),
        post(2, username="bo", reply_to_post_number=1, actions_summary=[{"id": 2, "count": 4}]),
        post(3, username="system", user_id=-1, post_type=3, cooked=""),
        post(4, username="discobot", user_id=-2, reply_to_post_number=2),
    ]
    (batch,) = source(save(tmp_path, a=topic(*posts))).batches(Cursor(), window=EVER)
    first, second, third = batch.records
    assert batch.fetched == 3
    assert first == Record(
        id=f"discourse:{HOST}/t/7/1",
        communities=(f"discourse:{HOST}/5",),
        kind="post",
        author=f"{HOST}/ana",
        author_name="ana",
        created_at=1_600_000_000,
        text="Why?",
        title="Title",
        thread=f"discourse:{HOST}/t/7/1",
        score=0,
        replies=3,
        url=f"https://{HOST}/t/7/1",
    )
    assert (second.kind, second.parent, second.score, second.title, second.bot) == ("reply", first.id, 4, "", False)
    assert (third.parent, third.bot) == (second.id, True)
    assert [(each.key, each.name) for each in batch.communities] == [(f"discourse:{HOST}/5", f"category 5 ({HOST})")]


@pytest.mark.parametrize(
    ("marks", "said", "expected"),
    [
        pytest.param([None, None], {}, (None, None), id="no-marks-on-this-forum"),
        pytest.param([False, False], {}, (False, False), id="unsolved"),
        pytest.param([False, True], {}, (True, True), id="solved"),
        pytest.param([False, False], {"accepted_answer": {"post_number": 30}}, (True, False), id="solved-on-another-page"),
    ],
)
def test_accepted_answers(tmp_path, marks, said, expected):
    """A question knows whether it has an accepted answer, where the forum marks them."""
    posts = [post(number, **({} if mark is None else {"accepted_answer": mark})) for number, mark in enumerate(marks, 1)]
    assert tuple(each.accepted for each in gather(source(save(tmp_path, a=topic(*posts, **said))))) == expected


def test_missing_posts_are_said(tmp_path):
    """A topic that promises more posts than the archive holds makes it a listing and says how many are missing."""
    folder = save(tmp_path, a=topic(post(1), post(2), posts_count=25), b=topic(post(1, 8), number=8))
    archive = source(folder)
    assert [each.replies for each in gather(archive) if each.kind == "post"] == [24, 0]
    assert archive.observed() == "listing"
    assert archive.unverified() == "23 posts are missing in 1 of its topics (3 are there): fetch each topic with all its pages."


def test_pages_of_a_topic_complete_it(tmp_path):
    """Posts in files of their own take their topic's category, and then nothing is missing; without their topic they are quarantined."""
    page = {"id": 7, "post_stream": {"posts": [post(2)]}}
    orphan = {"id": 9, "post_stream": {"posts": [post(2, 9)]}}
    archive = source(save(tmp_path, a=topic(post(1), posts_count=3), b=page, c=topic(post(3), posts_count=3), d=orphan))
    (batch,) = archive.batches(Cursor(), window=EVER)
    assert [(each.id, each.communities[0]) for each in batch.records] == [
        (f"discourse:{HOST}/t/7/{number}", f"discourse:{HOST}/5") for number in (1, 2, 3)
    ]
    assert [each.reason for each in batch.quarantined] == ["a page of posts whose topic was not read before it"]
    assert archive.observed() == "complete"
    assert "no checksum" in archive.unverified()


def test_categories_and_sites(tmp_path):
    """A list of categories names them; the unit may be the whole site."""
    listed = {"category_list": {"categories": [{"id": 5, "name": "Support", "description": "<p>Ask</p>"}]}}
    folder = save(tmp_path, a=topic(post(1)), categories=listed)
    (batch,) = source(folder).batches(Cursor(), window=EVER)
    assert [(each.key, each.name, each.description) for each in batch.communities] == [(f"discourse:{HOST}/5", f"Support ({HOST})", "Ask")]
    (batch,) = source(folder, f"?host={HOST}&unit=site").batches(Cursor(), window=EVER)
    assert [each.communities for each in batch.records] == [(f"discourse:{HOST}/site",)]
    assert [(each.key, each.name) for each in batch.communities] == [(f"discourse:{HOST}/site", HOST)]


def test_host_is_the_telling_folder(tmp_path):
    """Without a host the folder names the forum, and no link is made up."""
    (record,) = gather(source(save(tmp_path / "bee_forum" / "posts" / "json", a=topic(post(1))), ""))
    assert (record.communities, record.url) == (("discourse:bee_forum/5",), None)


def test_removed_posts_keep_nothing(tmp_path):
    """A post its author deleted is counted without author and text."""
    (record,) = gather(source(save(tmp_path, a=topic(post(1, user_deleted=True)))))
    assert (record.author, record.author_name, record.text) == (None, None, "")


def test_what_is_no_topic_is_quarantined(tmp_path):
    """A file that is cut short, is something else, or holds a post of the wrong form is counted with its reason."""
    broken = topic(post(1, created_at=None), post(2))
    folder = save(tmp_path, a='{"id": 7, "post_str', b=broken, c={"users": []}, d="[" * 70 + "]" * 70)
    (batch,) = source(folder).batches(Cursor(), window=EVER)
    assert [each.position for each in batch.quarantined] == ["a.json:1", "b.json:1", "c.json:1", "d.json:1"]
    assert [each.reason.partition(":")[0] for each in batch.quarantined] == [
        "not JSON",
        "no time",
        "no field post_stream",
        "nested deeper than 64",
    ]
    assert (batch.fetched, len(batch.records)) == (5, 1)


@pytest.mark.real_data
def test_counts_of_a_real_archive():
    """3,301 topics and, without its 27 notices, all 22,459 posts come out, by 704 people and nothing missing."""
    if not REAL.exists():
        pytest.skip("the real data is not here")
    archive = source(REAL, "")
    records = gather(archive)
    assert len(records) == len({each.id for each in records}) == 22_459 - 27
    assert len({each.thread for each in records}) == 3_301
    assert len({each.author for each in records} - {None}) == 704
    assert len({each.communities for each in records}) == 11
    assert archive.observed() == "complete"
