"""Reddit's dumps: a row of every year reads, and each mark of twenty years means what it meant."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discovery.sources import EVER, SourceError, load, reddit_json
from discovery.sources.items import MalformedItemError
from discovery.sources.pushshift import Pushshift
from storage.records import Batch, Cursor, Record
from tests.factories import gather
from tests.shared_data import DATA

SAMPLE = DATA / "pushshift_sample"
HOUR = 3600


def second(year: int) -> int:
    """Give an instant in the middle of a year."""
    return 1_136_073_600 + (year - 2006) * 31_556_952 + 15_000_000


def row(year: int, *, reply: bool, **overrides: Any) -> dict[str, Any]:
    """Make a submission or comment as the dumps of its year write it, which is to say with what they had by then."""
    made: dict[str, Any] = {
        "id": f"c{year}" if reply else f"p{year}",
        "subreddit": "Beekeeping",
        "subreddit_id": "t5_2q8v0",
        "author": "ana",
        "score": 7,
        "edited": False if year % 2 else float(second(year) + 60),
        "distinguished": None,
        "retrieved_on": second(year) + 90 * 24 * HOUR,
        "created_utc": second(year),
    }
    if reply:
        made |= {"body": "Try a mesh floor.", "link_id": f"t3_p{year}", "parent_id": f"t3_p{year}", "ups": 7}
    else:
        made |= {
            "title": "Hive stand?",
            "selftext": "Wood rots.",
            "num_comments": 3,
            "is_self": True,
            "domain": "self.Beekeeping",
            "over_18": False,
        }
    if 2008 <= year <= 2014:
        made |= {"created_utc": str(second(year)), "name": f"{'t1' if reply else 't3'}_{made['id']}", "score_hidden": False}
    if year >= 2018:
        made |= {"author_fullname": "t2_1a2b", "subreddit_type": "public", "quarantined" if reply else "quarantine": False}
    if year >= 2019 and not reply:
        made |= {
            "subreddit_subscribers": 1000 * year,
            "hide_score": False,
            "crosspost_parent": None,
            "media_metadata": {"x": {"s": {"u": "y"}}},
        }
    if year in {2022, 2023}:
        made["retrieved_utc"] = made.pop("retrieved_on")
    if year >= 2024:
        made |= {
            "created_utc": float(second(year)),
            "retrieved_on": second(year) + 15,
            "_meta": {"retrieved_2nd_on": second(year) + 36 * HOUR},
        }
    return made | overrides


def read(tmp_path: Path, *rows: dict[str, Any]) -> Batch:
    """Read rows as one dump."""
    (tmp_path / "R.ndjson").write_text("".join(json.dumps(each) + "\n" for each in rows))
    (page,) = load(f"pushshift:{tmp_path}", credentials={}).batches(Cursor(), window=EVER)
    return page


def one(tmp_path: Path, year: int, *, reply: bool = False, **overrides: Any) -> Record:
    """Read one row."""
    (record,) = read(tmp_path, row(year, reply=reply, **overrides)).records
    return record


@pytest.mark.parametrize("year", range(2006, 2027))
def test_every_year_reads(tmp_path: Path, year: int) -> None:
    """The submission and the comment of each year's schema become the same two records but for the year."""
    page = read(tmp_path, row(year, reply=False), row(year, reply=True))
    assert page.quarantined == []
    post, reply = page.records
    assert post.model_dump(exclude={"retrieved_at"}) == {
        "id": f"reddit:t3_p{year}",
        "communities": ("reddit:beekeeping",),
        "kind": "post",
        "author": "ana",
        "author_name": None,
        "created_at": second(year),
        "text": "Wood rots.",
        "title": "Hive stand?",
        "thread": f"reddit:t3_p{year}",
        "parent": None,
        "score": 7,
        "replies": 3,
        "accepted": None,
        "bot": False,
        "url": f"https://www.reddit.com/comments/p{year}/",
        "domain": None,
    }
    assert (reply.id, reply.kind, reply.text) == (f"reddit:t1_c{year}", "reply", "Try a mesh floor.")
    assert (reply.thread, reply.parent, reply.replies) == (f"reddit:t3_p{year}", f"reddit:t3_p{year}", None)
    assert post.retrieved_at == second(year) + (36 * HOUR if year >= 2024 else 90 * 24 * HOUR)
    (community,) = page.communities
    assert (community.key, community.name, community.members) == (
        "reddit:beekeeping",
        "r/Beekeeping",
        1000 * year if year >= 2019 else None,
    )


@pytest.mark.parametrize(
    ("overrides", "parent"),
    [
        pytest.param({"parent_id": "t1_c9"}, "reddit:t1_c9", id="comment"),
        pytest.param({"parent_id": "t3_p2006"}, "reddit:t3_p2006", id="post"),
        pytest.param({"parent_id": "c9"}, "reddit:t1_c9", id="no-prefix"),
        pytest.param({"parent_id": 441}, "reddit:t1_c9", id="number"),
        pytest.param({"parent_id": 1_169_286, "link_id": "t3_p286"}, "reddit:t3_p286", id="number-of-the-post"),
        pytest.param({"parent_id": None}, "reddit:t3_p2006", id="none"),
    ],
)
def test_what_a_comment_answers(tmp_path: Path, overrides: dict[str, Any], parent: str) -> None:
    """A parent is found with its prefix, without it, and as the base-10 number of the oldest dumps (c9 is 12·36 + 9)."""
    assert one(tmp_path, 2006, reply=True, **overrides).parent == parent


@pytest.mark.parametrize("gone", ["[deleted]", "[removed]", None, ""])
def test_deleted_people_and_words(tmp_path: Path, gone: str | None) -> None:
    """A deleted author is nobody and deleted text is empty; the record still counts."""
    assert one(tmp_path, 2015, author=gone).author is None
    assert one(tmp_path, 2015, selftext=gone).text == ""
    assert one(tmp_path, 2015, selftext=gone).title == "Hive stand?"


def test_text_deleted_later_is_dropped(tmp_path: Path) -> None:
    """What its author deleted after the dump first read it is not kept, title and body."""
    record = one(tmp_path, 2025, _meta={"was_deleted_later": True, "retrieved_2nd_on": second(2025) + 36 * HOUR})
    assert (record.text, record.title, record.score) == ("", "", 7)


@pytest.mark.parametrize(
    ("hours", "second_visit", "score"),
    [(1, None, None), (35.9, None, None), (36, None, 7), (1, 36, 7), (None, None, 7)],
)
def test_numbers_read_too_early_are_unknown(tmp_path: Path, hours: float | None, second_visit: int | None, score: int | None) -> None:
    """Score and comments within 36 hours of creation are placeholders unless they were read again; unknown is not 0."""
    read_on = None if hours is None else second(2020) + int(hours * HOUR)
    meta = {"retrieved_2nd_on": second(2020) + second_visit * HOUR} if second_visit else {}
    record = one(tmp_path, 2020, retrieved_on=read_on, _meta=meta)
    assert (record.score, record.replies) == (score, 3 if score else None)


def test_a_hidden_score_is_unknown(tmp_path: Path) -> None:
    """Reddit hides young comments' scores behind a 1."""
    assert one(tmp_path, 2014, reply=True, score=1, score_hidden=True).score is None


@pytest.mark.parametrize(("author", "bot"), [("AutoModerator", True), ("RemindMeBot", True), ("bot_lover", False), ("ana", False)])
def test_programs_are_marked_by_name(tmp_path: Path, author: str, bot: bool) -> None:
    """AutoModerator and names that end in "bot", in any case, are programs."""
    assert one(tmp_path, 2021, author=author).bot is bot


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("Shop.Example.com", "shop.example.com"),
        ("i.redd.it", None),
        ("old.reddit.com", None),
        ("self.Beekeeping", None),
        ("notreddit.com", "notreddit.com"),
        ("evil host/", None),
        (None, None),
    ],
)
def test_link_domains(tmp_path: Path, domain: str | None, expected: str | None) -> None:
    """A link post names the host it points to, unless that is Reddit itself or no host."""
    assert one(tmp_path, 2016, is_self=False, domain=domain).domain == expected


def test_entities_are_characters_again(tmp_path: Path) -> None:
    """Dumps write & < > as entities, over whatever entities the author's Markdown holds."""
    assert one(tmp_path, 2016, selftext="a &lt;b&gt; &amp;amp; &amp;#x200B;c &amp;nbsp;d AT&amp;T").text == "a <b> & c \xa0d AT&T"


def test_only_marks_of_the_subreddit_make_it_sensitive(tmp_path: Path) -> None:
    """One post over 18 says nothing of its subreddit; quarantine and the subreddit's own mark do."""
    adult, fenced, marked, reply = (
        row(2021, reply=False, subreddit="a", over_18=True),
        row(2021, reply=False, subreddit="b", quarantine=True),
        row(2021, reply=False, subreddit="c", sr_detail={"over_18": True}),
        row(2021, reply=True, subreddit="d", quarantined=True),
    )
    page = read(tmp_path, adult, fenced, marked, reply)
    assert {each.key: each.sensitive for each in page.communities} == {
        "reddit:a": False,
        "reddit:b": True,
        "reddit:c": True,
        "reddit:d": True,
    }


@pytest.mark.parametrize(
    "overrides",
    [{"subreddit": "u_ana"}, {"subreddit": "U_Ana"}, {"subreddit": "odd", "subreddit_type": "user"}, {"subreddit": None, "promoted": True}],
)
def test_profiles_and_advertisements_are_refused(tmp_path: Path, overrides: dict[str, Any]) -> None:
    """A profile is named after a person, so it never becomes a community; the refusal is counted."""
    page = read(tmp_path, row(2024, reply=False, **overrides))
    assert (page.fetched, page.refused, page.records, page.communities) == (1, 1, [], [])


def test_members_are_those_of_the_latest_reading(tmp_path: Path) -> None:
    """Of many counts of subscribers the one read last is kept, whatever the order of the lines."""
    late = row(2021, reply=False, subreddit_subscribers=9, retrieved_on=second(2022))
    early = row(2020, reply=False, subreddit_subscribers=5, retrieved_on=second(2020) + 1)
    for rows in ((late, early, row(2023, reply=True)), (row(2023, reply=True), early, late)):
        (community,) = read(tmp_path, *rows).communities
        assert (community.members, community.retrieved_at) == (9, second(2022))


@settings(max_examples=150, deadline=None)
@given(
    year=st.sampled_from([2007, 2012, 2019, 2025]),
    reply=st.booleans(),
    field=st.integers(0, 30),
    value=st.one_of(
        st.just("absent"),
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(),
        st.lists(st.none()),
    ),
)
def test_any_field_may_break(tmp_path_factory: pytest.TempPathFactory, year: int, reply: bool, field: int, value: Any) -> None:
    """Whatever becomes of one field, the line is read, refused or quarantined, and never ends the run."""
    good, broken = row(2020, reply=False, id="good"), row(year, reply=reply)
    name = sorted(broken)[field % len(broken)]
    if value == "absent":
        del broken[name]
    else:
        broken[name] = value
    page = read(tmp_path_factory.mktemp("dump"), good, broken)
    assert page.fetched == 2
    assert len(page.records) + len(page.quarantined) + page.refused == 2


class Asked(dict[str, Any]):
    """An object that notes which of its fields are asked for."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.names: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        """Note a field, and give it."""
        self.names.add(name)
        return super().get(name, default)

    def __getitem__(self, name: str) -> Any:
        self.names.add(name)
        return super().__getitem__(name)


@pytest.mark.parametrize("reply", [False, True])
def test_all_that_is_asked_of_a_line_is_parsed(reply: bool) -> None:
    """No field that reading a post or comment asks for is left out where a line is parsed down to those that are read."""
    names: set[str] = set()
    for year in range(2006, 2027):
        thing = Asked(row(year, reply=reply, subreddit=None if year == 2013 else "bees"))
        with suppress(MalformedItemError):
            record = reddit_json.record(thing, dump=True)
            reddit_json.community(thing, retrieved_at=record.retrieved_at)
        names |= thing.names
    assert {"id", "subreddit", "promoted", "retrieved_utc"} <= names <= set(reddit_json.FIELDS)


@pytest.mark.parametrize(
    ("name", "accepted"),
    [
        ("RC_2012-01.zst", True),
        ("AskReddit_comments.zst", True),
        ("reddit.com_submissions.zst", True),
        ("RS_2010-02", True),
        ("README", False),
    ],
)
def test_names_of_dumps(name: str, accepted: bool) -> None:
    """In a folder, what is compressed or named as a dump is read, and what lies beside it is not."""
    assert Pushshift.from_argument("any", {}).accepts(name) is accepted


def test_numbers_as_text_are_numbers(tmp_path: Path) -> None:
    """An export of BigQuery writes every number as text, and an empty text where a comment answers its post."""
    made = row(2015, reply=True, score="-12", created_utc=str(second(2015)), parent_id=""), row(2015, reply=False, num_comments="30")
    (tmp_path / "export.json").write_text("\n".join(map(json.dumps, made)))
    reply, post = gather(load(f"pushshift:{tmp_path}", credentials={}))
    assert (reply.score, reply.parent, reply.created_at, post.replies) == (-12, "reddit:t3_p2015", second(2015), 30)


@pytest.mark.parametrize("wrapped", [True, False], ids=["data", "array"])
@pytest.mark.parametrize("indent", [None, 2])
def test_a_saved_api_reply_is_sent_to_its_own_kind(tmp_path: Path, wrapped: bool, indent: int | None) -> None:
    """A reply is not a dump, and the error says which kind reads it."""
    made = [row(2015, reply=False)]
    (tmp_path / "reply.json").write_text(json.dumps({"data": made} if wrapped else made, indent=indent))
    with pytest.raises(SourceError, match="read by reddit_listings:PATH"):
        gather(load(f"pushshift:{tmp_path}", credentials={}))


@pytest.mark.real_data
@pytest.mark.skipif(not SAMPLE.exists(), reason="the dump sample is not beside the checkout")
def test_the_published_sample() -> None:
    """All 18 comments and 16 submissions of the sample are read; the one on a profile is refused."""
    source = load(f"pushshift:{SAMPLE}", credentials={})
    (page,) = source.batches(Cursor(), window=EVER)
    assert (page.fetched, page.refused, page.quarantined) == (34, 1, [])
    assert [record.kind for record in page.records] == ["reply"] * 18 + ["post"] * 15
    assert len(gather(source)) == 33


@pytest.mark.parametrize("time", [0, "0", 20200101, -5])
def test_a_time_before_reddit_is_a_placeholder(tmp_path: Path, time: object) -> None:
    """A row that is dated before Reddit began has no time that could be believed."""
    (tmp_path / "RC.ndjson").write_text(
        json.dumps(row(2020, reply=True, created_utc=time)) + "\n" + json.dumps(row(2021, reply=True)) + "\n"
    )
    (page,) = Pushshift(path=tmp_path / "RC.ndjson").batches(Cursor(), window=EVER)
    assert [bad.reason for bad in page.quarantined] == ["a time before Reddit began"]
    assert len(page.records) == 1
