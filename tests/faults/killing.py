"""A driver, run as a process of its own: it does a run again and again, each time killed at another commit point, then once more.

Everything is imported once and every attempt is a fork, so that a hundred attempts take a minute. Only here, and never inside the
tests' own process, is a commit wrapped: a counter kills the attempt with SIGKILL just before the n-th commit of either store, or the
n-th rename, takes effect. What was done since the commit before is then in flight, as it is when a machine kills a process.

Usage: ``python -m tests.faults.killing FOLDER CONFIG FIRST STEP``, where CONFIG names ``{data_dir}``: kills before the commits number
FIRST, FIRST + STEP, … until a run gets to its end. One JSON line an attempt on standard output.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NoReturn

import duckdb
from sqlalchemy.engine.default import DefaultDialect

from tests.command_line import become, load

KEY = bytes(range(32))
TIMES = {"started_at", "finished_at", "published_at", "id"}
"""What two equal runs may differ in; ``id`` numbers rows in the order of their insertion."""
PAGES = {"changed", "page"}
"""Numbers of pages, which a killed page uses up."""
COMMITS: tuple[tuple[type, str], ...] = (
    (duckdb.DuckDBPyConnection, "commit"),
    (DefaultDialect, "do_commit"),
    (Path, "rename"),
    (Path, "replace"),
)


def kill_before(last: int, log: Path) -> None:
    """Make this process kill itself just before its ``last``-th commit, and write down what the commits were."""
    count = 0

    def counted(commit: Callable[..., Any], name: str) -> Callable[..., Any]:
        @functools.wraps(commit)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            nonlocal count
            count += 1
            with log.open("a") as file:
                file.write(f"{name}\n")
            if count == last:
                os.kill(os.getpid(), signal.SIGKILL)
            return commit(*args, **kwargs)

        return wrapper

    for owner, name in COMMITS:
        setattr(owner, name, counted(getattr(owner, name), f"{owner.__name__}.{name}"))


def attempt(folder: Path, config: Path, *, before: int | None = None) -> int:
    """Fork and do a run as the command line does it; returns the child's wait status."""
    if not (child := os.fork()):
        _run(folder, config, before)
    return os.waitpid(child, 0)[1]


def _run(folder: Path, config: Path, before: int | None) -> NoReturn:
    os.dup2(os.open(folder / "stderr", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), 2)
    if before is not None:
        kill_before(before, folder / "commits")
    become(["run", "--config", str(config)])


def dump(folder: Path) -> dict[str, Any]:
    """Everything that both stores hold and the ranking says, less the times and the numbers of pages."""
    with duckdb.connect(str(folder / "activity.duckdb"), read_only=True) as connection:
        names = connection.execute("SELECT schema_name || '.' || table_name FROM duckdb_tables() ORDER BY 1").fetchall()
        records = {name: _rows(connection.execute(f"SELECT * FROM {name}"), PAGES) for (name,) in names}  # noqa: S608
    with closing(sqlite3.connect(folder / "subcurrent.db")) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")]
        results = {name: _rows(connection.execute(f'SELECT * FROM "{name}"'), TIMES) for name in tables}  # noqa: S608
    left = sorted(path.name for place in ("work", "reports") for path in (folder / place).iterdir() if path.name[0] != ".")
    return {"records": records, "results": results, "left": left}


def _rows(cursor: Any, without: set[str]) -> list[str]:
    kept = [place for place, column in enumerate(cursor.description) if column[0] not in without]
    return sorted(repr([row[place] for place in kept]) for row in cursor.fetchall())


def differences(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Name what differs between two dumps, with the first row that only one of them has."""
    found = [] if one["left"] == other["left"] else [f"folders: {other['left']}"]
    for store in ("records", "results"):
        for name, rows in one[store].items():
            if rows != (now := other[store].get(name)):
                only = sorted(set(now or ()) ^ set(rows))
                found.append(f"{name}: {only[:2]}")
    return found


def prepare(folder: Path, template: str, name: str) -> Path:
    """Make a data directory of its own, under the same key, and the configuration that names it."""
    own = folder / name
    own.mkdir(mode=0o700)
    (own / "pseudonym.key").write_bytes(KEY)
    config = folder / f"{name}.yaml"
    config.write_text(template.replace("{data_dir}", str(own)))
    return config


def attempts(folder: Path, template: str, first: int, step: int) -> Iterator[dict[str, Any]]:
    """Kill at one commit after the other until a run gets to its end; after each, run again and compare."""
    config = prepare(folder, template, "undisturbed")
    status = attempt(folder / "undisturbed", config)
    yield {"before": None, "killed": False, "code": os.waitstatus_to_exitcode(status), "differences": []}
    truth = dump(folder / "undisturbed")
    for before in range(first, 1_000, step):
        name = f"killed-{before}"
        config = prepare(folder, template, name)
        killed = os.WIFSIGNALED(attempt(folder / name, config, before=before))
        code = os.waitstatus_to_exitcode(attempt(folder / name, config)) if killed else 0
        commits = (folder / name / "commits").read_text().split()
        found = differences(truth, dump(folder / name)) if code == 0 else [(folder / name / "stderr").read_text()[-600:]]
        yield {"before": before, "at": commits[-1], "killed": killed, "code": code, "differences": found}
        if not killed:
            return


if __name__ == "__main__":
    load()
    for told in attempts(Path(sys.argv[1]), Path(sys.argv[2]).read_text(), int(sys.argv[3]), int(sys.argv[4])):
        print(json.dumps(told), flush=True)
