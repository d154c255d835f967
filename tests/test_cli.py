"""The command line as a user calls it: verbs, forms, exit codes, signals, locks."""

from __future__ import annotations

import csv
import fcntl
import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.reading import ask
from tests.command_line import configured, source_settings, subcurrent

WORLD = "world:1?communities=9&days=56&scale=0.2"
VERBS = (
    "run",
    "collect",
    "measure",
    "cluster",
    "rank",
    "publish",
    "nightly",
    "ranking",
    "explain",
    "sql",
    "report",
    "runs",
    "rollback",
    "sources",
)


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The configuration of a data directory with one published run."""
    config = configured(tmp_path_factory.mktemp("night"), WORLD)
    said = subcurrent("run", "--config", config)
    assert said.code == 0, said.err
    return config


def rows(config: Path, query: str) -> list[tuple[object, ...]]:
    """Read the results as they stand on disk."""
    return ask(config.parent / "data" / "subcurrent.db", query).rows


READS = (
    ("ranking", "--of", "communities"),
    ("ranking", "--of", "niches"),
    ("ranking",),
    ("explain", "community", "{community}"),
    ("sql", "SELECT * FROM ranked_communities"),
    ("sql", "SELECT 1 AS one, 1 AS one WHERE 0"),
    ("runs",),
    ("sources",),
)


@pytest.mark.parametrize("read", READS, ids=" ".join)
def test_every_reading_command_can_be_parsed(night: Path, read: tuple[str, ...]) -> None:
    """JSON is a list of objects, `--json` is the same, CSV has as many rows, Markdown as many lines, a table says at least something."""
    community = str(rows(night, "SELECT community_id FROM ranked_communities LIMIT 1")[0][0])
    call = [word.replace("{community}", community) for word in read]
    said = {form: subcurrent(*call, "--config", night, "--format", form) for form in ("json", "csv", "markdown", "table")}
    assert {each.code for each in said.values()} == {0}
    found = json.loads(said["json"].out)
    assert subcurrent(*call, "--config", night, "--json").out == said["json"].out
    table = list(csv.reader(io.StringIO(said["csv"].out, newline="")))
    assert [len(row) for row in table] == [len(table[0])] * (len(found) + 1)
    assert len(said["markdown"].out.splitlines()) == len(found) + 2
    assert said["table"].out if found else said["table"].err


def test_a_ranking_without_archetypes_says_where_to_look(night: Path) -> None:
    """Where a run has no archetypes, the reader is pointed to niches, communities and the report, and JSON is an empty list."""
    said = subcurrent("ranking", "--config", night)
    assert (said.code, said.out) == (0, "")
    assert "This run has no archetypes: `--of communities` or `--of niches` may have some, and `subcurrent report` says why." in said.err
    assert subcurrent("ranking", "--config", night, "--json").out == "[]\n"


def test_a_ranking_fits_on_a_terminal_and_is_whole_in_json(night: Path) -> None:
    """The table shows what a person decides by; the other forms have every column of the view."""
    table = subcurrent("ranking", "--of", "communities", "--config", night, "--limit", "3").out.splitlines()
    assert table[0].split()[:4] == ["rank", "community_id", "name", "verdict"]
    assert max(map(len, table)) <= 200
    whole = json.loads(subcurrent("ranking", "--of", "communities", "--config", night, "--limit", "3", "--json").out)
    assert len(whole) == 3
    assert set(whole[0]) >= {"score_status", "verdict_reason", "run_id", "published_at", "coverage"}


def test_sql_only_reads(night: Path) -> None:
    """What would change anything is refused as wrong use, and changes nothing."""
    before = (night.parent / "data" / "subcurrent.db").read_bytes()
    for query in ("DELETE FROM run", "DROP VIEW runs", "PRAGMA journal_mode = WAL", "ATTACH 'x' AS y", "SELECT 1; SELECT 2", ""):
        said = subcurrent("sql", query, "--config", night)
        assert (said.code, said.out) == (2, ""), query
        assert said.err.startswith("subcurrent: "), query
    assert (night.parent / "data" / "subcurrent.db").read_bytes() == before


def test_sql_says_when_rows_are_cut(night: Path) -> None:
    """More rows than are shown are announced."""
    said = subcurrent(
        "sql", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 10001) SELECT i FROM n", "--config", night, "--json"
    )
    assert len(json.loads(said.out)) == 10_000
    assert said.err == "Only the first 10,000 rows are shown: add LIMIT and OFFSET.\n"


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (("explain", "archetype", "A999"), "has no archetype `A999`; `subcurrent ranking --of archetypes` lists them."),
        (("explain", "niche", "' OR 1=1 --"), "has no niche `' OR 1=1 --`"),
        (("explain", "community", "\x1b[31mred"), "has no community `[31mred`"),
        (("ranking", "--as-of", "run-9"), "There is no run `run-9`; `subcurrent runs` lists them."),
        (("rollback", "run-9"), "There is no run run-9; `subcurrent runs` lists them."),
        (("sql", "SELEKT"), "SQLite refuses the query"),
    ],
)
def test_what_is_not_there_is_wrong_use(night: Path, call: tuple[str, ...], said: str) -> None:
    """Unknown names are answered by a line on standard error and exit code 2, without control characters."""
    answer = subcurrent(*call, "--config", night)
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err
    assert "\x1b" not in answer.err


@pytest.mark.parametrize(
    "call", [("nonsense",), ("run", "--sauce", "x"), ("ranking", "--limit", "0"), ("sql",), ("ranking", "--format", "xml"), ()]
)
def test_wrong_use_is_2(call: tuple[str, ...]) -> None:
    """What typer refuses ends with 2, like what we refuse."""
    assert subcurrent(*call).code == 2


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(verb: str) -> None:
    """Each verb says what it does and which options it has."""
    said = subcurrent(verb, "--help")
    assert said.code == 0
    assert "--config" in said.out or verb == "explain"
    assert len(said.out.splitlines()) > 5


def test_help_teaches(tmp_path: Path) -> None:
    """The first page names every verb, the first steps and the exit codes."""
    page = " ".join(subcurrent("--help").out.split())
    assert [verb for verb in VERBS if f"│ {verb} " not in page] == []
    for said in ("First steps", "0 published", "1 failed", "2 wrong use", "3 published, but", "4 held", "75 another run", "130 and 143"):
        assert said in page


@pytest.mark.parametrize(
    "call", [("ranking",), ("explain", "niche", "N001"), ("sql", "SELECT 1"), ("report",), ("runs",), ("rollback", "run-1")]
)
def test_before_the_first_run(tmp_path: Path, call: tuple[str, ...]) -> None:
    """Without results every reading command says which command makes them, and makes nothing itself."""
    said = subcurrent(*call, "--config", configured(tmp_path, WORLD))
    assert (said.code, said.out) == (2, "")
    assert "`subcurrent run` makes" in said.err
    assert not (tmp_path / "data").exists()


def test_a_report_goes_where_it_is_asked_to(night: Path, tmp_path: Path) -> None:
    """`report --out` writes the published run there and prints the folder."""
    said = subcurrent("report", "--config", night, "--out", tmp_path / "out")
    assert said.code == 0
    assert (Path(said.out.strip()) / "report.html").read_text().startswith("<!doctype html>")


def test_rollback_shows_the_run_before(tmp_path: Path) -> None:
    """After two runs, going back shows the first again, and `runs` says which one is shown."""
    config = configured(tmp_path, WORLD)
    for _ in range(2):
        assert subcurrent("run", "--config", config).code == 0
    assert subcurrent("rollback", "run-000001", "--config", config).code == 0
    shown = {row["run_id"]: row["is_published"] for row in json.loads(subcurrent("runs", "--config", config, "--json").out)}
    assert shown == {"run-000001": 1, "run-000002": 0}


def test_sources_are_listed_with_their_settings(night: Path) -> None:
    """What is configured comes first, then every kind with what it can be told."""
    found = json.loads(subcurrent("sources", "--config", night, "--json").out)
    assert found[0]["source"] == "configured: 1"
    assert {row["kind"] for row in found} >= {"pushshift", "stackexchange_dump", "discord_export", "table", "reddit", "world"}
    assert next(row for row in found if row["source"] == "table:…")["settings"].startswith("path, ")


def test_cron_gets_one_line(tmp_path: Path) -> None:
    """The line survives cron and the shell: paths are quoted, `%` is escaped, and the sources that were named stand in it."""
    (folder := tmp_path / "a b").mkdir()
    said = subcurrent("nightly", "--cron", "--config", configured(folder, WORLD), "--source", "table:100%.csv", cwd=folder)
    line = said.out.strip()
    assert said.code == 0
    assert line.startswith("15 3 * * * cd '" + str(folder) + "' && ")
    assert line.endswith("--source table:100\\%.csv >> subcurrent-nightly.log 2>&1")
    assert "\n" not in line


def test_a_reader_that_has_seen_enough(night: Path) -> None:
    """A closed pipe ends a reading command quietly."""
    command = [sys.executable, "-m", "discovery", "sql", "SELECT * FROM community_features", "--json", "--config", str(night)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=Path(__file__).parents[1]) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_a_second_run_is_refused_at_once(tmp_path: Path) -> None:
    """While a process holds the data directory, a run ends with 75 and the holder's number, and changes nothing."""
    config = configured(tmp_path, WORLD)
    (tmp_path / "data").mkdir()
    with (tmp_path / "data" / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(str(os.getpid()))
        file.flush()
        said = subcurrent("run", "--config", config)
    assert said.code == 75
    assert said.err.startswith(f"subcurrent: Process {os.getpid()} is running on ")
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["lock"]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A run in a process of its own that has begun to measure."""
    config = configured(tmp_path, "world:1?communities=40&days=84")
    command = [sys.executable, "-m", "discovery", "nightly", "--config", str(config)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1]) as process:
        assert process.stderr is not None
        while "event='measure'" not in (line := process.stderr.readline()):
            assert line, "the run has ended"
        yield process


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_in_order(running: subprocess.Popen[str], tmp_path: Path, number: signal.Signals, code: int) -> None:
    """A run that is asked to stop says so, leaves its row interrupted and nothing locked, and ends with the signal's code."""
    running.send_signal(number)
    said = running.communicate()[1]
    assert running.returncode == code, said
    assert "subcurrent: stopped; the same command goes on from there." in said
    assert "Traceback" not in said
    config = tmp_path / "config.yaml"
    assert rows(config, "SELECT status, reason FROM runs") == [("interrupted", "stopped by a signal")]
    assert rows(config, "SELECT status FROM source_runs") == [("complete",)]


def test_a_report_in_the_way_is_said(tmp_path: Path) -> None:
    """A run whose report cannot be written is published and ends with 3; `report` writes it afterwards."""
    config = configured(tmp_path, WORLD)
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "data" / "reports").write_text("in the way")
    said = subcurrent("run", "--config", config)
    assert said.code == 3
    assert "run-000001 is published." in said.err
    assert "`subcurrent report` writes it." in said.err
    assert "Traceback" not in said.err
    failed = subcurrent("report", "--config", config)
    assert failed.code == 1
    assert re.fullmatch(r"subcurrent: .*reports.*: (File exists|Not a directory)\.\n", failed.err)
    (tmp_path / "data" / "reports").unlink()
    assert subcurrent("report", "--config", config).code == 0


def test_sources_by_argument_and_by_file_are_the_same(tmp_path: Path, night: Path) -> None:
    """`--source KIND:PATH?option=value` reads what the configuration would."""
    config = configured(tmp_path)
    assert subcurrent("collect", "--config", config, "--source", WORLD).code == 0
    assert rows(config, "SELECT source, fetched FROM source_runs") == rows(night, "SELECT source, fetched FROM source_runs")
    assert source_settings(WORLD) == {"kind": "world", "path": "1", "communities": "9", "days": "56", "scale": "0.2"}
