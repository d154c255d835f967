"""The activity store: nothing lost, nothing doubled, no name kept, the same content whatever the order and whoever was killed."""

from __future__ import annotations

import random
import signal
import stat
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from storage.activity import ActivityStore, SourceEntry
from storage.errors import ActivityFileError, UnbalancedBatchError, UnknownCollectionError
from storage.pseudonyms import KEY_BYTES, Pseudonyms
from storage.records import Batch, Community, Cursor, Record, Rejected, Tally

KEY = bytes(range(KEY_BYTES))
ROOT = Path(__file__).parent.parent
TABLES = ("sources", "collections", "communities", "records", "names", "quarantine")


def entry(name="file:one", **values):
    """A source of the table kind."""
    defaults = {"kind": "table", "live": False, "coverage": "complete", "quote_ok": True, "llm_ok": True, "licence": "none"}
    return SourceEntry(name=name, **{**defaults, **values})


def record(number=1, **values):
    """A post of a forum that has threads."""
    defaults = {
        "id": f"forum:{number}",
        "communities": ("forum:example.org/1",),
        "kind": "post",
        "author": f"example.org/author{number % 7}",
        "created_at": 1_600_000_000 + number,
        "text": f"text {number}",
        "thread": f"forum:{number}",
    }
    return Record(**{**defaults, **values})


def batch(*records, position="end", **values):
    """A page that adds up."""
    extra = len(values.get("quarantined", ())) + values.get("refused", 0)
    return Batch(list(records), Cursor(position=position, exhausted=position == "end"), len(records) + extra, **values)


@pytest.fixture
def store(tmp_path):
    """An empty store with one source begun in run r1."""
    with ActivityStore.open(tmp_path / "data" / "activity.duckdb", pseudonyms=Pseudonyms(KEY), memory_limit="200MB") as opened:
        opened.begin(entry(), run_id="r1")
        yield opened


def add(store, *records, source="file:one", run_id="r1", **values):
    """Append records as a page of their own."""
    return store.append(batch(*records, **values), source=source, run_id=run_id)


def dump(store):
    """All that the store holds, in an order of its own; not by which page a record was last changed, which is a matter of paging."""
    rows = {table: store.connection.execute(f"SELECT COLUMNS(lambda c: c <> 'changed') FROM {table}").fetchall() for table in TABLES}  # noqa: S608 - ours
    return {table: sorted(map(repr, found)) for table, found in rows.items()}


def column(store, query):
    """First column of a query."""
    return [row[0] for row in store.connection.execute(query).fetchall()]


def test_records_are_stored_as_the_source_said(store):
    """Every field of a record arrives in its column, unknown ones as NULL, and 2^62 is not rounded."""
    full = record(
        communities=("forum:example.org/1", "forum:example.org/2"),
        title="Title",
        parent="forum:0",
        score=2**62,
        replies=3,
        accepted=True,
        bot=True,
        url="https://example.org/1",
        domain="example.net",
        retrieved_at=1_700_000_000,
    )
    assert add(store, full, record(2, author=None)) == Tally(2, 2, 0, 0, 0)
    author = Pseudonyms(KEY).author("forum", "example.org/author1")
    columns = "source_ids, communities, kind, author, created_at, title, text, thread, parent, score, replies, accepted, bot, url, domain"
    rows = store.connection.execute(f"SELECT {columns}, retrieved_at FROM records ORDER BY record_id").fetchall()  # noqa: S608 - ours
    assert rows == [
        (
            *([1], ["forum:example.org/1", "forum:example.org/2"], "post", author, 1_600_000_001, "Title", "text 1", "forum:1", "forum:0"),
            *(2**62, 3, True, True, "https://example.org/1", "example.net", 1_700_000_000),
        ),
        (
            *([1], ["forum:example.org/1"], "post", None, 1_600_000_002, "", "text 2", "forum:2", None),
            *(None, None, None, False, None, None, None),
        ),
    ]


def test_the_same_again_changes_nothing(store):
    """A file imported twice is unchanged the second time, in every table but the counts."""
    pages = [record(number, retrieved_at=5) for number in range(50)]
    assert add(store, *pages) == Tally(50, 50, 0, 0, 0)
    before = dump(store)
    store.begin(entry(), run_id="r2")
    assert add(store, *reversed(pages), run_id="r2") == Tally(50, 0, 50, 0, 0)
    after = dump(store)
    assert len(after.pop("collections")) == len(before.pop("collections")) + 1
    assert after == before


@pytest.mark.parametrize(
    ("versions", "tally", "text"),
    [
        pytest.param([("old", 1), ("new", 2)], Tally(2, 2, 0), "new", id="newer-replaces"),
        pytest.param([("new", 2), ("old", 1)], Tally(2, 1, 1), "new", id="older-does-not"),
        pytest.param([("unread", None), ("read", 0)], Tally(2, 2, 0), "read", id="unknown-is-oldest"),
        pytest.param([("same", 1), ("same", 2), ("between", 1)], Tally(3, 1, 2), "same", id="seen-again-is-renewed"),
    ],
)
def test_latest_version_wins(store, versions, tally, text):
    """The version retrieved last stays; what is the same or older counts as unchanged."""
    for said, retrieved_at in versions:
        add(store, record(text=said, retrieved_at=retrieved_at))
    assert store.tally("file:one", run_id="r1") == tally
    assert column(store, "SELECT text FROM records") == [text]


def test_order_of_arrival_decides_nothing(tmp_path):
    """Any order and any paging of the same versions, ties and unread ones included, leaves the same records."""
    draw = random.Random(7)  # noqa: S311 - draws test cases
    versions = [
        record(
            number, text=f"text {draw.randrange(3)}", retrieved_at=draw.choice([None, 1, 2]), author=draw.choice([None, "example.org/ana"])
        )
        for number in range(40)
        for _ in range(6)
    ]
    dumps = []
    for attempt in range(4):
        draw.shuffle(versions)
        with ActivityStore.open(tmp_path / f"{attempt}" / "a.duckdb", pseudonyms=Pseudonyms(KEY), threads=1 + attempt % 2) as store:
            store.begin(entry(), run_id="r1")
            size = draw.choice([17, 90]) if attempt else 240
            for start in range(0, len(versions), size):
                add(store, *versions[start : start + size])
            assert store.tally("file:one", run_id="r1").fetched == len(versions)
            assert column(store, "SELECT count(*) FROM records") == [40]
            dumps.append(dump(store)["records"])
    assert all(other == dumps[0] for other in dumps)


def test_ties_do_not_depend_on_the_key(tmp_path):
    """Of two versions read at the same instant the same one stays under any key."""
    kept = []
    for key in (KEY, bytes(KEY_BYTES), b"k" * KEY_BYTES):
        with ActivityStore.open(tmp_path / key.hex() / "a.duckdb", pseudonyms=Pseudonyms(key)) as store:
            store.begin(entry(), run_id="r1")
            for number in range(4):
                add(store, record(number, text="one"), record(number, text="two"))
            kept.append(column(store, "SELECT text FROM records ORDER BY record_id"))
    assert kept[0] == kept[1] == kept[2]
    assert set(kept[0]) <= {"one", "two"}


def test_a_second_source_is_credited_not_counted(store):
    """A record that another source delivers too is stored once, lists both sources in order, and is unchanged."""
    add(store, record(1), record(2))
    store.begin(entry("file:two"), run_id="r1")
    assert add(store, record(2), record(3), source="file:two") == Tally(2, 1, 1)
    assert add(store, record(2, text="changed", retrieved_at=9), source="file:two") == Tally(1, 1, 0)
    assert add(store, record(3, text="changed", retrieved_at=9)) == Tally(1, 1, 0)
    assert column(store, "SELECT source_ids FROM records ORDER BY record_id") == [[1], [1, 2], [1, 2]]


def test_everything_fetched_is_accounted_for(store):
    """Quarantined and refused items are counted and kept with place and reason; the tally of a run adds up over its pages."""
    rejected = Rejected(position="x:3", reason="no field id", sha256="ab")
    add(store, record(1), record(1), position="1", quarantined=[rejected], refused=2)
    add(store, record(2))
    assert store.tally("file:one", run_id="r1") == Tally(fetched=6, stored=2, unchanged=1, quarantined=1, refused=2)
    assert store.connection.execute("SELECT * FROM quarantine").fetchall() == [("r1", 1, "x:3", "no field id", "ab")]


def test_unbalanced_batch_is_refused(store):
    """A batch that accounts for fewer items than it fetched is an error and leaves nothing."""
    before = dump(store)
    with pytest.raises(UnbalancedBatchError, match="fetched 3 items and accounts for 1"):
        store.append(Batch([record()], Cursor(), 3), source="file:one", run_id="r1")
    assert dump(store) == before


def test_unbegun_source_is_refused(store):
    """A page of a source that was not begun in the run is an error that names both."""
    with pytest.raises(UnknownCollectionError, match="file:one was not begun in run r9"):
        add(store, record(), run_id="r9")
    assert store.tally("file:one", run_id="r9") == Tally()


def test_files_resume_in_their_run_live_sources_over_runs(store):
    """A file's cursor belongs to its run; a live source goes on where its last run stopped, never as exhausted."""
    store.begin(entry("live:x", live=True), run_id="r1")
    for name in ("file:one", "live:x"):
        add(store, record(), position="here", source=name)
    assert store.begin(entry(), run_id="r1") == Cursor(position="here")
    assert store.begin(entry(), run_id="r0") == Cursor()
    add(store, position="end", source="live:x")
    assert store.begin(entry("live:x", live=True), run_id="r1") == Cursor(position="end", exhausted=True)
    assert store.begin(entry("live:x", live=True), run_id="r0") == Cursor(position="end")


def test_sources_are_described_and_settled(store):
    """A source keeps its number and takes what it says last of itself; its platform is that of what it delivers."""
    add(store, record())
    store.begin(entry(licence="CC BY-SA"), run_id="r2")
    store.settle(entry(licence="CC BY-SA", coverage="listing"), run_id="r2")
    assert store.connection.execute("SELECT * FROM sources").fetchall() == [
        (1, "file:one", "table", "forum", False, "listing", True, True, "CC BY-SA")
    ]


def test_communities_are_filled_and_renewed(store):
    """What is read later replaces what is older, except that unknown never replaces known."""
    said = [
        Community(key="forum:x", name="X", members=5, retrieved_at=1),
        Community(key="forum:x", name="X2", url="https://example.org/x", description="ask u/somebody", retrieved_at=3, sensitive=True),
        Community(key="forum:x", name="old", members=7, description="old", retrieved_at=2),
    ]
    add(store, communities=said[:1])
    add(store, communities=said[1:])
    row = ("forum:x", 1, "X2", "https://example.org/x", "ask @someone", 7, True, 3)
    assert store.connection.execute("SELECT * FROM communities").fetchall() == [row]
    add(store, communities=list(reversed(said)))
    assert store.connection.execute("SELECT * FROM communities").fetchall() == [row]


def test_no_name_reaches_the_disk(tmp_path):
    """No author's name is in any file of the store, written ahead or at rest: not as author, not as mention, not as a hash of a word."""
    path = tmp_path / "activity.duckdb"
    names = ["Zaphodbeeblebrox", "Slartibartfast", "Agrajag Vogonson"]
    chat = {"communities": ("chat:log/x",), "thread": None}
    store = ActivityStore.open(path, pseudonyms=Pseudonyms(KEY))
    store.begin(entry(), run_id="r1")
    add(store, record(1, author=f"log/{names[0]}", text=f"hi @{names[1]}", title=f"for u/{names[1]}", **chat), position="1")
    add(store, record(2, author="log/77", author_name=names[2], text=f"{names[0]}: hello\n{names[0]}, you", **chat), position="2")
    add(store, record(3, author=f"log/{names[1]}", text=f"@{names[2]}, thanks", **chat), position="3")
    ahead = path.with_name("activity.duckdb.wal").read_bytes()
    assert column(store, "SELECT text FROM records ORDER BY record_id") == [
        "hi @someone",
        "@someone: hello\n@someone, you",
        "@someone, thanks",
    ]
    store.close()
    for written in (ahead, path.read_bytes()):
        assert b"@someone" in written
        assert not [name for word in names for name in word.split() if name.encode() in written or name.lower().encode() in written]


def test_learning_a_name_changes_no_record(store):
    """A line stored before its addressee spoke stays as it is when the file is imported again."""
    chat = {"communities": ("chat:log/x",), "thread": None}
    line = record(1, author="log/bo", text="ana: hello", **chat)
    add(store, line, position="1")
    add(store, record(2, author="log/ana", text="hello", **chat))
    store.begin(entry(), run_id="r2")
    assert add(store, line, run_id="r2") == Tally(1, 0, 1)


def test_files_are_private(tmp_path):
    """Database, write-ahead log and folder are their owner's alone."""
    path = tmp_path / "data" / "activity.duckdb"
    with ActivityStore.open(path, pseudonyms=Pseudonyms(KEY)) as store:
        store.begin(entry(), run_id="r1")
        add(store, record())
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (path.parent, *path.parent.iterdir())}
    assert modes == {"data": 0o700, "activity.duckdb": 0o600, "activity.duckdb.wal": 0o600}


def test_foreign_files_are_refused(tmp_path):
    """A file that is not ours, not readable, or written by a newer version or under another key is named and left as it is."""
    path = tmp_path / "activity.duckdb"
    for content in (b"", b"SQLite format 3\x00" * 10, b"\x00" * 8 + b"DUCK" + b"\x00" * 5000):
        path.write_bytes(content)
        with pytest.raises(ActivityFileError, match=r"activity\.duckdb"):
            ActivityStore.open(path, pseudonyms=Pseudonyms(KEY))
        assert path.read_bytes() == content
    path.unlink()
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE other AS SELECT 1")
    with pytest.raises(ActivityFileError, match="of another program"):
        ActivityStore.open(path, pseudonyms=Pseudonyms(KEY))
    path.unlink()
    ActivityStore.open(path, pseudonyms=Pseudonyms(KEY)).close()
    with pytest.raises(ActivityFileError, match="another pseudonym key"):
        ActivityStore.open(path, pseudonyms=Pseudonyms(bytes(KEY_BYTES)))
    with duckdb.connect(str(path)) as connection:
        connection.execute("UPDATE meta SET version = 99")
    with pytest.raises(ActivityFileError, match="schema 99"):
        ActivityStore.open(path, pseudonyms=Pseudonyms(KEY))


PAGES = 12
WRITER = """
import os, signal, sys
from pathlib import Path
from storage.activity import ActivityStore
from tests.test_activity import KEY, PAGES, Pseudonyms, entry, page

class Deadly(list):
    def __iter__(self):
        os.kill(os.getpid(), signal.SIGKILL)

kill_at, inside = int(sys.argv[2]), sys.argv[3] == "inside"
with ActivityStore.open(Path(sys.argv[1]), pseudonyms=Pseudonyms(KEY), memory_limit="200MB") as store:
    begin = int(store.begin(entry(), run_id="r1").position or 0)
    for number in range(begin, PAGES):
        whole = page(number)
        if number == kill_at and inside:
            whole = whole._replace(quarantined=Deadly(whole.quarantined))
        store.append(whole, source="file:one", run_id="r1")
        if number == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
"""


def page(number):
    """A page with new records, a changed one, a repeat, a community, a quarantined and a refused item."""
    records = [record(100 * number + i, retrieved_at=number) for i in range(100)]
    records += [record(5, text=f"changed {number}", retrieved_at=number), record(6, retrieved_at=0)]
    return batch(
        *records,
        position="end" if number == PAGES - 1 else str(number + 1),
        communities=[Community(key="forum:example.org/1", name="One", members=number, retrieved_at=number)],
        quarantined=[Rejected(position=f"x:{number}", reason="no field id", sha256="ab")],
        refused=1,
    )


def test_killed_and_resumed_is_as_undisturbed(tmp_path):
    """After SIGKILL in a transaction and after commits, resuming gives, in every table, what a run without kills gives."""
    path = tmp_path / "killed" / "activity.duckdb"
    for at, where in ((0, "inside"), (4, "inside"), (7, "after"), (PAGES - 1, "inside")):
        ended = subprocess.run([sys.executable, "-c", WRITER, path, str(at), where], cwd=ROOT, capture_output=True, check=False)
        assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    ended = subprocess.run([sys.executable, "-c", WRITER, path, "-1", "never"], cwd=ROOT, capture_output=True, check=False)
    assert ended.returncode == 0, ended.stderr.decode()
    with ActivityStore.open(tmp_path / "whole" / "activity.duckdb", pseudonyms=Pseudonyms(KEY)) as store:
        store.begin(entry(), run_id="r1")
        for number in range(PAGES):
            store.append(page(number), source="file:one", run_id="r1")
        whole = dump(store)
        assert store.tally("file:one", run_id="r1") == Tally(PAGES * 104, PAGES * 100 + PAGES - 1, PAGES + 1, PAGES, PAGES)
    with ActivityStore.open(path, pseudonyms=Pseudonyms(KEY)) as store:
        assert dump(store) == whole
