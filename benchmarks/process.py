"""Run a command as a process of its own; tell how long it took, what it needed and what it said."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
_PEAK_UNIT = 1 if sys.platform == "darwin" else 1024
"""Bytes in a unit of ``ru_maxrss``."""


class CommandFailedError(RuntimeError):
    """A command that is measured did not succeed."""


class Spent(NamedTuple):
    """What a process took."""

    seconds: float
    cpu: float
    """Seconds of processor time, of all its threads."""
    peak: int
    """Most memory it ever held, bytes; never less than its parent held when it began, so the parent imports little."""
    said: str
    """Its standard output."""


def run(*command: str | Path) -> Spent:
    """Run a Python module (``-m module``) or program of ours to its end.

    Raises:
        CommandFailedError: it left with another code than 0.
    """
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        began = time.perf_counter()
        process = subprocess.Popen([sys.executable, *map(str, command)], stdout=out, stderr=errors, cwd=ROOT)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        errors.seek(0)
        if process.returncode:
            last = "".join(errors.readlines()[-5:])
            raise CommandFailedError(f"{' '.join(map(str, command))} left with code {process.returncode}: {last}")
        return Spent(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * _PEAK_UNIT, out.read())
