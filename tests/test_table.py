"""Tables: columns found and mapped, what a row means without saying it, and the same rows from every format."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from discovery.sources import EVER, SourceError, UnknownSourceError, load
from storage.records import Cursor
from tests.factories import gather
from tests.shared_data import DATA
from tests.table_pages import one, read

REAL = DATA
HEADER = ("channel", "id", "user", "date", "message", "reply_to", "likes")
ROWS = (
    ("general chat", "1", "ana", "2020-01-01 12:00:00", "Hello, all", "", "2"),
    ("general chat", "2", "bo", "2020-01-01 12:01:00", 'He said "no",\nthen left', "1", ""),
    ("tools", "3", "[deleted]", "2020-01-02", "", "", "0"),
)


def as_csv(*rows: tuple[str, ...], delimiter: str = ",", end: str = "\r\n") -> bytes:
    """Write rows as CSV."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=end).writerows(rows)
    return text.getvalue().encode()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        pytest.param("t.csv", as_csv(HEADER, *ROWS), id="csv"),
        pytest.param("t.csv", b"\xef\xbb\xbf" + as_csv(HEADER, *ROWS, delimiter=";", end="\n"), id="semicolons"),
        pytest.param("t.tsv", as_csv(HEADER, *ROWS, delimiter="\t"), id="tabs"),
        pytest.param("t.csv.gz", gzip.compress(as_csv(tuple(name.upper() for name in HEADER), *ROWS)), id="gz-upper-case"),
        pytest.param("t.ndjson", b"\n".join(json.dumps(dict(zip(HEADER, row, strict=True))).encode() for row in ROWS), id="ndjson"),
        pytest.param("t.parquet", None, id="parquet"),
    ],
)
def test_the_same_rows_from_every_format(tmp_path: Path, name: str, data: bytes | None) -> None:
    """CSV in its dialects, NDJSON and Parquet give the same records under the same common names."""
    if data is None:
        (tmp_path / "source").write_bytes(as_csv(HEADER, *ROWS))
        duckdb.sql(f"COPY (FROM read_csv('{tmp_path}/source', all_varchar = true)) TO '{tmp_path}/t.parquet' (FORMAT parquet)")
    else:
        (tmp_path / name).write_bytes(data)
    page = read(tmp_path)
    assert [(record.id, record.kind, record.author, record.created_at, record.text, record.score) for record in page.records] == [
        ("table:general%20chat/1", "post", "ana", 1_577_880_000, "Hello, all", 2),
        ("table:general%20chat/2", "reply", "bo", 1_577_880_060, 'He said "no",\nthen left', None),
        ("table:tools/3", "post", None, 1_577_923_200, "", 0),
    ]
    assert page.records[1].parent == "table:general%20chat/1"
    assert [(community.key, community.name) for community in page.communities] == [
        ("table:general%20chat", "general chat"),
        ("table:tools", "tools"),
    ]


def test_a_mapping_names_the_columns(tmp_path: Path) -> None:
    """Columns of any name are mapped by settings, and the platform and coverage are as the user says."""
    (tmp_path / "t.csv").write_bytes(as_csv(("wo", "wer", "wann", "was"), ("Imkerei", "ana", "2020-01-01 13:00", "Hallo")))
    options = "?community=wo&author=wer&created_at=wann&text=was&platform=forum&coverage=complete&time_zone=Europe/Berlin"
    source = load(f"table:{tmp_path}{options}", credentials={})
    (record,) = gather(source)
    assert (record.communities, record.author, record.created_at, record.text) == (("forum:Imkerei",), "ana", 1_577_880_000, "Hallo")
    assert source.observed() == "complete"


@pytest.mark.parametrize(
    ("header", "options", "message"),
    [
        pytest.param(
            ("text", "date"),
            "",
            r"no column for community\. Its columns are text, date: .*\?community=COLUMN, or \?community=@file",
            id="none",
        ),
        pytest.param(("forum", "text"), "", r"no column for created_at.*\?created_at=COLUMN", id="no-time"),
        pytest.param(("forum", "channel", "date"), "", "may hold community in any of channel, forum", id="ambiguous"),
        pytest.param(("forum", "date", "time"), "", "may hold created_at in any of date, time", id="split-time"),
        pytest.param(("forum", "date"), "?author=who", "no column `who` for author", id="mapped-away"),
        pytest.param(("secretname", "hello"), "", "None of the 2 cells of its first line is a column we know", id="no-header"),
    ],
)
def test_columns_that_cannot_be_found(tmp_path: Path, header: tuple[str, ...], options: str, message: str) -> None:
    """A needed column that is missing or not the only candidate is an error that says how to map it, and quotes no data."""
    (tmp_path / "t.csv").write_bytes(as_csv(header, *[header]))
    with pytest.raises(SourceError, match=message) as caught:
        read(tmp_path, options)
    assert "secretname" not in str(caught.value)


def test_reddit_tables_give_reddits_records(tmp_path: Path) -> None:
    """A column named subreddit makes the rows Reddit's: keys, ids, links, bots and deleted words as from any other source."""
    header = ("subreddit", "id", "kind", "parent_id", "thread_id", "author", "created_utc", "title", "text", "score", "comments", "domain")
    rows = (
        ("r/Bees", "t3_a1", "post", "", "t3_a1", "HiveBot", "1577880000.0", "A &amp; B", "[removed]", "5.0", "3", "Example.com"),
        ("bees", "c1", "comment", "t3_a1", "t3_a1", "[deleted]", "1577880060", "", "yes", "", "", ""),
        ("u_secretname", "t3_a2", "post", "", "", "x", "1577880060", "t", "", "", "", ""),
    )
    (tmp_path / "t.csv").write_bytes(as_csv(header, *rows))
    page = read(tmp_path)
    post, reply = page.records
    assert (post.id, post.communities, post.bot, post.title, post.text) == ("reddit:t3_a1", ("reddit:bees",), True, "A & B", "")
    assert (post.score, post.replies, post.domain, post.url) == (5, 3, "example.com", "https://www.reddit.com/comments/a1/")
    assert (reply.id, reply.thread, reply.parent, reply.author, reply.title) == ("reddit:t1_c1", "reddit:t3_a1", "reddit:t3_a1", None, "")
    assert (page.fetched, page.refused) == (3, 1)


def test_a_file_may_be_a_community(tmp_path: Path) -> None:
    """With community=@file each file is a community under its own name."""
    for name in ("bees", "wasps"):
        (tmp_path / f"{name}.csv").write_bytes(as_csv(("id", "date"), ("1", "2020-01-01")))
    assert [record.id for record in read(tmp_path, "?community=@file").records] == ["table:bees/1", "table:wasps/1"]


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ({"type": "comment"}, "reply"),
        ({"type": "Submission", "parent_id": 5}, "post"),
        ({"id": 7, "parent_id": 5}, "reply"),
        ({"id": 7, "parent_id": 7}, "post"),
        ({"type": "image"}, "post"),
        ({}, "post"),
    ],
)
def test_post_or_reply(tmp_path: Path, cells: dict[str, Any], kind: str) -> None:
    """A row's type decides; without one, a row that answers another is a reply."""
    assert one(tmp_path, **cells).kind == kind


def test_threads_only_where_the_table_has_them(tmp_path: Path) -> None:
    """A table that says what answers what has threads; a chat has none."""
    assert one(tmp_path, id=7).thread is None
    assert one(tmp_path, id=7, parent=None).thread == "table:bees/7"
    assert one(tmp_path, id=8, parent=7, thread=7).thread == "table:bees/7"


def test_rows_without_ids_are_known_by_content_and_place(tmp_path: Path) -> None:
    """Twice the same words are two records, the same file again gives the same ids, and no id depends on the author."""
    rows = (("bees", "2020-01-01", "ana", "+1"), ("bees", "2020-01-01", "bo", "+1"))
    (tmp_path / "t.csv").write_bytes(as_csv(("community", "date", "author", "text"), *rows))
    ids = [record.id for record in read(tmp_path).records]
    assert len(set(ids)) == 2
    assert ids == [record.id for record in read(tmp_path / "t.csv").records]
    (tmp_path / "t.csv").write_bytes((tmp_path / "t.csv").read_bytes().replace(b"ana", b"cy"))
    assert ids == [record.id for record in read(tmp_path).records]


def test_ids_written_as_floats(tmp_path: Path) -> None:
    """10.0 is the person 10, in text and as a number; an empty or not-a-number score is unknown."""
    assert one(tmp_path, author=10.0).author == one(tmp_path, author="10.0").author == "10"
    assert [one(tmp_path, score=score).score for score in ("", " ", "3.0", -2.0, None)] == [None, None, 3, -2, None]


def test_an_empty_text_column(tmp_path: Path) -> None:
    """A table without words is still activity."""
    assert (one(tmp_path, text=None).text, one(tmp_path).title) == ("", "")


def test_objects_need_not_have_the_same_keys(tmp_path: Path) -> None:
    """NDJSON may leave keys out; only an object without community or time is quarantined."""
    rows = [
        {"forum": "a", "date": 10**9, "text": "x"},
        {"date": 10**9 + 1, "forum": "a"},
        {"forum": "a"},
        {"forum": "a", "date": 10**9 + 2, "likes": 4},
        [1],
        5,
    ]
    (tmp_path / "t.ndjson").write_text("\n".join(map(json.dumps, rows)))
    page = read(tmp_path)
    assert [(record.created_at, record.score) for record in page.records] == [(10**9, None), (10**9 + 1, None), (10**9 + 2, 4)]
    assert [item.position for item in page.quarantined] == ["t.ndjson:3", "t.ndjson:5", "t.ndjson:6"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("?time_zone=Mars/Base", "no time zone"),
        ("?coverage=some", "coverage"),
        ("?platform=My%20Forum", "platform"),
        ("?time_format=%H:%M", "does not tell year, month and day"),
        ("?time_format=%d.%m.%y %Q", "does not tell year, month and day"),
        ("?encoding=utf-16", "no encoding that keeps ASCII"),
        ("?encoding=mars", "no encoding that keeps ASCII"),
        ("?colour=red", "Its settings are path, platform, coverage"),
    ],
)
def test_wrong_settings(tmp_path: Path, options: str, message: str) -> None:
    """A setting that does not exist or cannot be is refused before anything is read."""
    with pytest.raises(UnknownSourceError, match=message):
        load(f"table:{tmp_path}{options}", credentials={})


def test_packed_parquet_must_be_unpacked(tmp_path: Path) -> None:
    """Parquet is read out of order, which a compressed stream does not allow; the error says what to do."""
    (tmp_path / "t.parquet.gz").write_bytes(gzip.compress(b"PAR1"))
    with pytest.raises(SourceError, match="Unpack it first"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("options", "written", "instant"),
    [
        ("?time_format=%d/%m/%Y", "01/02/2020", 1_580_515_200),
        ("?time_format=%m/%d/%Y %H:%M&time_zone=Europe/Berlin", "1/1/2020 13:00", 1_577_880_000),
        ("?time_format=%a %b %d %H:%M:%S %z %Y", "Wed Jan 01 12:00:00 +0000 2020", 1_577_880_000),
    ],
)
def test_a_time_of_its_own_form(tmp_path: Path, options: str, written: str, instant: int) -> None:
    """Day or month first is for the user to say; unsaid, such a time is refused."""
    assert one(tmp_path, options, created_at=written).created_at == instant
    with pytest.raises(SourceError, match=r"a time of unknown form .*time_format"):
        one(tmp_path, created_at=written)
    with pytest.raises(SourceError, match="a time that is not of the form"):
        one(tmp_path, options, created_at="2020-01-01T12:00")


@pytest.mark.parametrize("nothing", ["nan", "NULL", "None", "\\N", "NA", " ", None])
def test_what_programs_write_for_nothing_is_nobody(tmp_path: Path, nothing: str | None) -> None:
    """A missing author, id or score is missing, however it is written, and a missing community is no community."""
    record = one(tmp_path, author=nothing, parent=nothing, score=nothing)
    assert (record.author, record.parent, record.score, record.kind) == (None, None, None, "post")
    with pytest.raises(SourceError, match="no community"):
        one(tmp_path, community=nothing)


def test_parquet_of_unusual_types(tmp_path: Path) -> None:
    """Decimals are numbers, bytes are text, and a date written as a number is that date."""
    columns = "'a'::BLOB AS forum, 7.0::DECIMAL(9, 2) AS user, 20200101 AS date, 'x'::BLOB AS text, 5::DECIMAL(9, 2) AS score"
    duckdb.sql(f"COPY (SELECT {columns}) TO '{tmp_path}/t.parquet' (FORMAT parquet)")
    (record,) = read(tmp_path).records
    assert (record.communities, record.author, record.text, record.score) == (("table:a",), "7", "x", 5)
    assert record.created_at == 1_577_836_800


def test_a_reddit_table_without_ids(tmp_path: Path) -> None:
    """Rows of a subreddit that bear no ids are known by content and place; their community is Reddit's all the same."""
    rows = (("r/Bees", "AutoModerator", "1577880000", "hi"), ("bees", "ana ", "1577880000", "hi"), ("u_x", "x", "1577880000", "hi"))
    (tmp_path / "t.csv").write_bytes(as_csv(("subreddit", "author", "created_utc", "body"), *rows))
    page = read(tmp_path)
    assert [(record.communities, record.author, record.bot) for record in page.records] == [
        (("reddit:bees",), "AutoModerator", True),
        (("reddit:bees",), "ana", False),
    ]
    assert len({record.id for record in page.records}) == 2
    assert [(community.key, community.name) for community in page.communities] == [("reddit:bees", "r/Bees")]
    assert page.refused == 1


def test_a_column_that_is_no_count_can_be_left_out(tmp_path: Path) -> None:
    """A score in fractions is refused with its name and the way to do without it."""
    with pytest.raises(SourceError, match=r"a score that is no whole number \(`score=` leaves it out\)"):
        one(tmp_path, score=0.7)
    assert one(tmp_path, "?score=", score=0.7).score is None


@pytest.mark.parametrize("text", ['[{"community": "a", "created_at": 1577880000}]', '[\n {"community": "a", "created_at": 1577880000}\n]'])
def test_one_json_list_is_no_table(tmp_path: Path, text: str) -> None:
    """A list of objects is named as what it is, with the way to make a table of it."""
    (tmp_path / "t.json").write_text(text)
    with pytest.raises(SourceError, match=r"one JSON list.*jq -c"):
        read(tmp_path / "t.json")


def test_a_folder_may_be_a_community(tmp_path: Path) -> None:
    """With @folder, the files of a folder are one community, named after the innermost folder, and the path's own where there is none."""
    for name in ("bees/posts.csv", "bees/answers.csv", "old/tools/posts.csv", "posts.csv"):
        (tmp_path / "sites" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "sites" / name).write_bytes(as_csv(("user", "date"), ("7.0", "2020-01-01")))
    read_from = [read(tmp_path / "sites", "?community=@folder"), read(tmp_path / "sites/posts.csv", "?community=@folder")]
    assert [sorted(record.communities[0] for record in page.records) for page in read_from] == [
        ["table:bees", "table:bees", "table:sites", "table:tools"],
        ["table:sites"],
    ]
    assert len({record.id for record in read_from[0].records}) == 4


@pytest.mark.parametrize("name", ["t.csv", "t.ndjson"])
def test_an_empty_file_is_no_error(tmp_path: Path, name: str) -> None:
    """A file with nothing in it is a quiet day."""
    (tmp_path / name).touch()
    assert read(tmp_path).fetched == 0


@pytest.mark.real_data
@pytest.mark.skipif(not REAL.exists(), reason="the real tables are not beside the checkout")
@pytest.mark.parametrize(
    ("path", "records", "communities", "authors"),
    [
        ("tables/reddit_threads.parquet", 293_327, 4, 63_071),
        ("reddit_top_2013/csv.tar.zst?community=@file&platform=reddit", 97_035, 100, 0),
        ("stackexchange_outcomes/interactions.tar.zst?community=@folder&author=PostUserId&created_at=Time", 59_489, 4, None),
    ],
)
def test_the_published_tables(path: str, records: int, communities: int, authors: int | None) -> None:
    """Records, communities and, where they are told, authors are as published."""
    count, keys, people = 0, set(), set()
    for page in load(f"table:{REAL}/{path}", credentials={}).batches(Cursor(), window=EVER):
        assert page.quarantined == []
        count += page.fetched
        keys.update(key for record in page.records for key in record.communities)
        people.update(record.author for record in page.records)
    assert (count, len(keys)) == (records, communities)
    assert authors in {None, len(people - {None})}
