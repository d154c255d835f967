"""Stopping when asked: SIGINT and SIGTERM become one exception, so that a run closes its files and says how it was left."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)
SAME_S = 1.0
"""Seconds within which another signal is the same request: a supervisor may send it to the process and to its group."""
_asked: list[tuple[int, float]] = []
"""The first request: its signal, and when it came."""


class Stopped(BaseException):
    """A signal asked the process to stop."""

    def __init__(self, number: int) -> None:
        self.exit_code = 128 + number


def listen() -> None:
    """Raise :class:`Stopped` at the first signal; a later one ends the process at once, which harms nothing either."""
    for number in SIGNALS:
        signal.signal(number, _stop)


def asked() -> bool:
    """Tell whether a signal has come."""
    return bool(_asked)


def heed() -> None:
    """Raise again what a library swallowed: DuckDB turns an exception that arises inside a query into an error of its own.

    Raises:
        Stopped: a signal has come.
    """
    if _asked:
        raise Stopped(_asked[0][0])


@contextmanager
def interrupting(interrupt: Callable[[], None]) -> Iterator[None]:
    """Call ``interrupt`` at a signal from a thread of its own: Python's handlers wait for a library's call to return, for minutes.

    Whoever asks again after a second ends the process, whatever the library is doing.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    watch = threading.Thread(target=_watch, args=(reading, interrupt), daemon=True)
    watch.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        os.close(writing)
        watch.join()
        os.close(reading)


def _watch(reading: int, interrupt: Callable[[], None]) -> None:
    first = None
    while byte := os.read(reading, 1):
        number, now = byte[0], time.monotonic()
        if number not in SIGNALS:
            continue
        first = first or now
        if now - first > SAME_S:
            os._exit(128 + number)
        interrupt()


def _stop(number: int, _: FrameType | None) -> None:
    now = time.monotonic()
    if not _asked:
        _asked.append((number, now))
        raise Stopped(number)
    if now - _asked[0][1] > SAME_S:
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
