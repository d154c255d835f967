"""What becomes of a results file that is damaged, foreign, newer or half written: it is refused and left alone, or heals."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from storage.errors import ResultsFileError
from storage.reading import QueryError
from storage.results import Results
from storage.results_file import APPLICATION_ID, SCHEMA_VERSION, read_only
from tests.publication import publication, published, shown


def test_the_file_is_private_and_ours(tmp_path: Path) -> None:
    """The file is readable by its owner only, and says whose it is and which schema it has."""
    path = published(tmp_path / "deep" / "results.db")
    assert path.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(path)) as connection:
        found = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version", "journal_mode")]
        revision = connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]
    assert found == [APPLICATION_ID, SCHEMA_VERSION, "delete"]
    assert int(revision) == SCHEMA_VERSION
    path.chmod(0o644)
    with Results.open(path):
        assert path.stat().st_mode & 0o777 == 0o600


def test_another_database_is_refused(tmp_path: Path) -> None:
    """Only SQLite is supported, by path or URL; another kind is refused by name."""
    with Results.open(f"sqlite:///{tmp_path / 'results.db'}"):
        assert (tmp_path / "results.db").exists()
    with pytest.raises(ValueError, match="postgresql:// is not supported"):
        Results.open("postgresql://localhost/x")


def foreign(path: Path) -> None:
    """Somebody else's SQLite file."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (a)")


def newer(path: Path) -> None:
    """Results of a later version."""
    published(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")


def truncated(path: Path) -> None:
    """Results cut short."""
    os.truncate(published(path), 20_000)


def scribbled(path: Path) -> None:
    """Results with pages overwritten."""
    with published(path).open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 30_000)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        pytest.param(lambda path: path.write_bytes(b""), r"\(0 bytes\) is not an SQLite file", id="empty"),
        pytest.param(lambda path: path.write_text("name,score\n" * 20), "is not an SQLite file", id="text"),
        pytest.param(foreign, "another program", id="foreign"),
        pytest.param(newer, f"newer than schema {SCHEMA_VERSION}", id="newer"),
        pytest.param(truncated, "is damaged", id="truncated"),
        pytest.param(scribbled, "is damaged", id="scribbled"),
    ],
)
def test_a_strange_file_is_refused_and_left_alone(tmp_path: Path, make: Any, said: str) -> None:
    """An empty, foreign, newer or damaged file is refused with what it is, and not one byte of it changes."""
    path = tmp_path / "results.db"
    make(path)
    before = path.read_bytes()
    with pytest.raises(ResultsFileError, match=said):
        Results.open(path)
    assert path.read_bytes() == before


def test_missing_results_say_what_to_run(tmp_path: Path) -> None:
    """Reading before the first run names the command, and creates nothing."""
    with pytest.raises(ResultsFileError, match="Run `subcurrent run` first"), read_only(tmp_path / "none.db"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_flipped_bytes_are_found_or_harmless(tmp_path: Path) -> None:
    """After random damage, opening and reading either say so in our words or work; nothing else escapes."""
    path = published(tmp_path / "results.db", tables=publication(communities=4))
    whole = path.read_bytes()
    randomly = random.Random(5)  # noqa: S311  damage, not secrets
    refused = 0
    for _ in range(60):
        damaged = bytearray(whole)
        for _ in range(randomly.randint(1, 64)):
            damaged[randomly.randrange(len(damaged))] ^= randomly.randint(1, 255)
        path.write_bytes(damaged)
        try:
            with Results.open(path):
                shown(path)
        except (ResultsFileError, QueryError):
            refused += 1
    assert refused > 20


KILLED = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import Engine, event
from tests.publication import published, publication

left = int(sys.argv[2])

@event.listens_for(Engine, "before_cursor_execute")
def count(connection, cursor, statement, *rest):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

@event.listens_for(Engine, "commit")
def commit(connection):
    count(connection, None, "")

published(Path(sys.argv[1]), tables=publication(communities=9))
print("survived")
"""


@pytest.mark.parametrize("at", [4, 24, 46, 53])
def test_a_killed_publication_shows_the_old_run(tmp_path: Path, at: int) -> None:
    """Killed at any statement or commit, readers see the old run whole; taken up again, the new run is as if never disturbed."""
    path = published(tmp_path / "results.db")
    old = shown(path)
    killed = subprocess.run([sys.executable, "-c", KILLED, str(path), str(at)], capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr + killed.stdout
    assert shown(path) == old
    undisturbed = published(tmp_path / "other.db")
    new = publication(communities=9)
    assert shown(published(path, tables=new)) == shown(published(undisturbed, tables=new))


def test_a_reader_heals_what_a_killed_writer_left(tmp_path: Path) -> None:
    """A journal left by a writer killed in its commit is rolled back by the next reader, which sees the old rows."""
    path = published(tmp_path / "results.db")
    old = shown(path)
    script = (
        "import os, signal, sqlite3, sys\n"
        "c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('PRAGMA cache_size = 1'); c.execute('BEGIN IMMEDIATE')\n"
        "c.execute('UPDATE community_feature SET n = n + 1'); c.execute('UPDATE score SET rank = rank + 100')\n"
        "c.execute('UPDATE evidence SET quote = quote || hex(zeroblob(500))')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert path.with_name("results.db-journal").stat().st_size > 0
    assert shown(path) == old
