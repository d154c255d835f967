"""A signal stops a process in order, once, also where a library swallows it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPT = """
import os, signal, sys
from discovery import stopping
stopping.listen()
def ask(number):
    try:
        os.kill(os.getpid(), number)
    except stopping.Stopped as stopped:
        return stopped
try:
    {body}
except stopping.Stopped as stopped:
    sys.exit(stopped.exit_code)
"""


def ended(body: str) -> int:
    """Do something in a process of its own that listens."""
    return subprocess.run([sys.executable, "-c", SCRIPT.format(body=body)], cwd=ROOT, check=False).returncode


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_is_an_exception(number: signal.Signals, code: int) -> None:
    """SIGINT ends with 130 and SIGTERM with 143, whoever catches ordinary exceptions on the way."""
    assert ended(f"os.kill(os.getpid(), {int(number)})") == code


def test_a_swallowed_signal_is_heeded() -> None:
    """Where a library turned the exception into an error of its own, heeding raises it again."""
    assert ended("stopping.heed(); ask(15); stopping.heed()") == 143


def test_nothing_is_heeded_without_a_signal() -> None:
    """Nothing is raised before a signal has come."""
    assert ended("stopping.heed(); sys.exit(7 if stopping.asked() else 0)") == 0


LONG = """
    import duckdb, threading
    with duckdb.connect() as connection, stopping.interrupting({interrupt}):
        for after in {after}:
            threading.Timer(after, os.kill, (os.getpid(), 15)).start()
        connection.execute("SELECT count(*) FROM range(10_000_000_000) a(i), range(100_000) b(j) WHERE hash(i * j) = 7").fetchall()
"""


def test_a_long_query_is_interrupted() -> None:
    """A query that would run for days ends at the signal, and the process with its code."""
    assert ended(LONG.format(interrupt="connection.interrupt", after=(0.3,)).strip()) == 143


def test_a_second_request_ends_what_does_not_listen() -> None:
    """Where a library cannot be interrupted, whoever asks again after a second ends the process."""
    assert ended(LONG.format(interrupt="lambda: None", after=(0.1, 1.3)).strip()) == 143


def test_the_same_request_twice_is_one() -> None:
    """A supervisor that signals the process and then its group does not interrupt the cleaning up."""
    assert ended("ask(15); os.kill(os.getpid(), 15); sys.exit(5)") == 5


def test_a_second_request_ends_at_once() -> None:
    """Whoever asks again after a second is obeyed at once."""
    assert ended("ask(15); stopping._asked[0] = (15, stopping._asked[0][1] - 2); os.kill(os.getpid(), 15); sys.exit(5)") == -15
