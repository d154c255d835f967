"""Bad input, through the command line: a clear line with the remedy and the right exit code, or an honest report; never a traceback."""

from __future__ import annotations

import gzip
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from storage.reading import ask
from tests.command_line import Said, configured, subcurrent

HEADER = "community,author,created_at,text\n"
WORLD = "world:1?communities=9&days=56&scale=0.2"


class Bad(NamedTuple):
    """A source that cannot be used, or not as it stands."""

    name: str
    """KIND:PATH, where PATH may hold ``{}``, the folder of the file."""
    file: str = ""
    content: str | bytes = ""
    code: int = 1
    said: str = ""


def posts(community: str, *, people: int = 40, text: str = "I need a tool for this and would pay for it") -> str:
    """A post of each person on one of 28 days."""
    return "".join(f"{community},p{at},2024-01-{1 + at % 28:02}T10:00:00Z,{text}\n" for at in range(people))


UNUSABLE = {
    "missing-file": Bad("table:{}/absent.csv", said="There is no file or folder `.*absent.csv`. Check the path"),
    "missing-folder": Bad("discord_export:{}/absent/", said="There is no file or folder"),
    "unknown-kind": Bad("tabel:x.csv", code=2, said="`tabel` is no kind of source; the kinds are chat_log, "),
    "no-kind": Bad("x.csv", code=2, said="`x.csv` is no kind of source"),
    "no-path": Bad("table:", code=2, said="`table:` names no path. Write table:PATH"),
    "unknown-setting": Bad("table:{}/a.csv?colour=red", "a.csv", HEADER, 2, "colour: .* Its settings are path, platform"),
    "wrong-column": Bad(
        "table:{}/a.csv?author=who", "a.csv", HEADER + posts("a"), 1, "has no column `who` for author. Its columns are community"
    ),
    "no-column-we-know": Bad("table:{}/a.csv", "a.csv", "x,y\n1,2\n", 1, "has no column for community"),
    "no-file-of-the-kind": Bad("table:{}/sub", "sub/notes.txt", "hello", 1, "holds no file of this kind"),
    "corrupt-gzip": Bad(
        "pushshift:{}/RC_2020-01.gz", "RC_2020-01.gz", gzip.compress(b"{}\n" * 999)[:-9], 1, "cannot be read further .*rerun"
    ),
    "no-gzip": Bad("pushshift:{}/RC_2020-01.gz", "RC_2020-01.gz", b"garbage", 1, "not compressed as its ending"),
    "corrupt-zst": Bad("pushshift:{}/RC_2020-01.zst", "RC_2020-01.zst", b"\x28\xb5\x2f\xfd\x00", 1, "cannot be read further"),
    "binary-lines": Bad(
        "pushshift:{}/RC.ndjson", "RC.ndjson", bytes(range(256)) * 40, 1, "None of the .* items .* Is it another kind of file"
    ),
    "binary-table": Bad("table:{}/a.csv", "a.csv", bytes(range(256)) * 40, 1, "has no column for"),
    "binary-parquet": Bad("table:{}/a.parquet", "a.parquet", b"PAR1garbage", 1, "is no readable Parquet file"),
    "broken-xml": Bad("stackexchange_dump:{}/Posts.xml", "Posts.xml", "<posts><row Id=", 1, "cut short"),
    "not-a-number": Bad("world:first", code=2, said="seed: Input should be a valid integer"),
}
EMPTY = {
    "header-only": (HEADER, "it holds no record"),
    "empty-file": ("", "it holds no record"),
}
THIN = {
    "one-community": (posts("bees"), "Too few communities to say what kinds there are"),
    "all-identical": ("".join(posts(f"c{at}") for at in range(14)), "No kinds of community stand out"),
    "no-text": ("".join(posts(f"c{at}", text="") for at in range(12)), "No kinds of community stand out"),
    "one-record": (posts("bees", people=1), "Too few communities"),
}
CONFIGURATIONS = {
    "unknown-key": ("sead: 1", r"line 2: unknown key `sead`"),
    "unknown-key-inside": ("gate: {maximum: 1}", r"line 2: unknown key `gate\.maximum`. The keys of `gate` are max_moved_share"),
    "key-twice": ("seed: 1\nseed: 2", r"line 3: `seed` stands twice, first on line 2; keep one"),
    "not-yaml": ("seed: [", "this is not YAML"),
    "wrong-type": ("seed: many", r"line 2: `seed`: .*integer"),
    "unknown-kind": ("sources: [{kind: wurld, path: '1'}]", "`wurld` is no kind of source"),
    "no-source": ("sources: []", "No source is named: use --source KIND:PATH"),
    "same-source-twice": ("sources: [{kind: world, path: '1'}, {kind: world, path: '1'}]", "world:1 is named twice"),
}
DAMAGED = {
    "a-file-as-folder": ("", 2, "cannot be used as a folder"),
    "foreign-results": ("subcurrent.db", 1, "is not an SQLite file"),
    "foreign-activity": ("activity.duckdb", 1, "is no DuckDB database"),
    "foreign-key": ("pseudonym.key", 1, "A pseudonym key has 32 bytes, this one 7. Restore the key file"),
}


def told(said: Said) -> str:
    """What a command said besides its progress; it never shows how it broke."""
    assert "Traceback" not in said.err + said.out
    assert "This is a fault of the program" not in said.err
    return "\n".join(line for line in said.err.splitlines() if not line.startswith("timestamp="))


@pytest.mark.parametrize("bad", UNUSABLE.values(), ids=UNUSABLE)
def test_a_source_that_cannot_be_used(tmp_path: Path, bad: Bad) -> None:
    """What is wrong with a source is said with what to do, nothing is published, and a wrong name does not even begin a run."""
    if bad.file:
        (path := tmp_path / bad.file).parent.mkdir(exist_ok=True)
        path.write_bytes(bad.content if isinstance(bad.content, bytes) else bad.content.encode())
    said = subcurrent("run", "--config", configured(tmp_path), "--source", bad.name.format(tmp_path))
    assert said.code == bad.code, said.err
    assert re.search(bad.said, told(said)), said.err
    if bad.code == 2:
        assert not (tmp_path / "data").exists()
    else:
        assert ask(tmp_path / "data" / "subcurrent.db", "SELECT status FROM runs").rows == [("failed",)]


@pytest.mark.parametrize(("content", "why"), EMPTY.values(), ids=EMPTY)
def test_a_source_without_records(tmp_path: Path, content: str, why: str) -> None:
    """Nothing to read is answered honestly with exit code 0, and what readers saw before stays."""
    (tmp_path / "a.csv").write_text(content)
    config = configured(tmp_path)
    said = subcurrent("run", "--config", config, "--source", f"table:{tmp_path}/a.csv")
    assert said.code == 0
    assert "run-000001: not enough data, so there is nothing to publish." in told(said)
    assert why in told(said)
    assert subcurrent("ranking", "--config", config).code == 2


@pytest.mark.parametrize(("content", "decision"), THIN.values(), ids=THIN)
def test_too_little_to_group(tmp_path: Path, content: str, decision: str) -> None:
    """One community, the same one many times, or no words at all is published with a report that says what it cannot show."""
    (tmp_path / "a.csv").write_text(HEADER + content)
    said = subcurrent("run", "--config", configured(tmp_path), "--source", f"table:{tmp_path}/a.csv")
    assert said.code == 0, said.err
    report = (tmp_path / "data" / "reports" / "latest" / "report.md").read_text()
    assert decision in report
    assert "nothing here is worth building for" in report
    query = "SELECT status, fetched, stored + quarantined FROM source_runs"
    assert ask(tmp_path / "data" / "subcurrent.db", query).rows == [("unverified", content.count("\n"), content.count("\n"))]


@pytest.mark.parametrize(("text", "why"), CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_a_configuration_that_cannot_be_used(tmp_path: Path, text: str, why: str) -> None:
    """A fault in the configuration is named with its line before anything is written."""
    path = tmp_path / "config.yaml"
    path.write_text(f"data_dir: {tmp_path}/data\n{text}\n")
    said = subcurrent("run", "--config", path)
    assert said.code == 2
    assert re.search(why, told(said)), said.err
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(("name", "code", "why"), DAMAGED.values(), ids=DAMAGED)
def test_a_data_directory_that_is_none(tmp_path: Path, name: str, code: int, why: str) -> None:
    """What stands where our files should be is refused and left as it is."""
    foreign = tmp_path / "data" / name if name else tmp_path / "data"
    foreign.parent.mkdir(exist_ok=True)
    foreign.write_text("foreign")
    said = subcurrent("run", "--config", configured(tmp_path, WORLD))
    assert said.code == code
    assert why in told(said)
    assert foreign.read_text() == "foreign"


@pytest.mark.parametrize("name", ["subcurrent.db", "activity.duckdb", "pseudonym.key"])
def test_a_folder_where_a_file_belongs(tmp_path: Path, name: str) -> None:
    """It is refused before anything is written, with what to do."""
    (tmp_path / "data" / name).mkdir(parents=True)
    said = subcurrent("run", "--config", configured(tmp_path, WORLD))
    assert said.code == 2
    assert f"{name} is a folder, where a file of ours belongs: move it away" in told(said)


@pytest.mark.parametrize("name", ["work", "spill"])
def test_a_file_where_a_folder_belongs(tmp_path: Path, name: str) -> None:
    """It is refused before anything is written, with what to do."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / name).write_text("foreign")
    said = subcurrent("run", "--config", configured(tmp_path, WORLD))
    assert said.code == 2
    assert f"{name} is a file, where a folder of ours belongs: move it away" in told(said)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with one published run."""
    folder = tmp_path_factory.mktemp("published")
    assert subcurrent("run", "--config", configured(folder, WORLD)).code == 0
    return folder / "data"


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda content: content[: len(content) // 2], id="cut-short"),
        pytest.param(lambda content: content[:4096] + bytes(4096) + content[8192:], id="wrong-checksum"),
    ],
)
def test_damaged_records(published: Path, tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    """A damaged activity file is told as damaged, with the remedy, and what readers see stays."""
    shutil.copytree(published, tmp_path / "data", symlinks=True)
    file = tmp_path / "data" / "activity.duckdb"
    file.write_bytes(damage(file.read_bytes()))
    said = subcurrent("run", "--config", configured(tmp_path, WORLD))
    assert said.code == 1
    assert re.search("activity.duckdb cannot be (opened|used further): .*estore a copy", told(said))
    assert "version that wrote it" not in said.err
    assert subcurrent("ranking", "--of", "communities", "--config", configured(tmp_path)).code == 0


def test_a_folder_where_the_newest_report_is_linked(published: Path, tmp_path: Path) -> None:
    """The run is published, and the report says what stands in its way; nothing of a user's is removed."""
    shutil.copytree(published, tmp_path / "data")  # links become folders, as some copies make them
    said = subcurrent("run", "--config", configured(tmp_path, WORLD))
    assert said.code == 3
    assert "a folder stands where the link to the newest report belongs: move it away" in told(said)
    said = subcurrent("report", "--config", configured(tmp_path))
    assert said.code == 1
    assert "a folder stands where the link" in told(said)
    (tmp_path / "data" / "reports" / "latest").rename(tmp_path / "kept")
    assert subcurrent("report", "--config", configured(tmp_path)).code == 0


def test_one_bad_source_among_good_ones(tmp_path: Path) -> None:
    """The others are published, the bad one is named, and the exit code says partial."""
    said = subcurrent("run", "--config", configured(tmp_path), "--source", WORLD, "--source", f"table:{tmp_path}/absent.csv")
    assert said.code == 3
    assert f"But 1 of its sources failed: table:{tmp_path}/absent.csv." in told(said)


def test_bad_rows_are_counted_and_shown(tmp_path: Path) -> None:
    """Rows that cannot be read are quarantined with their row and reason, readable in SQL, and everything adds up."""
    (tmp_path / "a.csv").write_text(HEADER + posts("bees") + "bees,eve,not a time,x\nbees,eve,2024-01-01T00:00:00Z\n")
    config = configured(tmp_path)
    assert subcurrent("run", "--config", config, "--source", f"table:{tmp_path}/a.csv").code == 0
    found = ask(tmp_path / "data" / "subcurrent.db", "SELECT fetched, stored, quarantined FROM source_runs").rows
    assert found == [(42, 40, 2)]
    listed = ask(tmp_path / "data" / "subcurrent.db", "SELECT position, reason FROM quarantine ORDER BY position").rows
    assert [position for position, _ in listed] == ["a.csv:42", "a.csv:43"]  # the header is line 1
    assert all(reason for _, reason in listed)
    assert "eve" not in str(listed)
