"""Where the time of a measuring goes: ``python -m benchmarks.features.rooms NAME FOLDER``, with ``scratch`` or ``night``.

A thin watch stands between the product and its connection to the database, and adds up what each call takes: by the partial that a
statement renews, else by the module that asks. Out: lines of seconds and what they went to, the most first; what is not spent in the
database is Python's.
"""

from __future__ import annotations

import re
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.features.invented import NIGHT, fill, opened
from benchmarks.features.ours import SCOPE
from discovery.features import FeatureSettings, measure

PYTHON = "Python"
_PRODUCT = "discovery.features."
_CARRIES = f"{_PRODUCT}partials"
"""Runs the statements of others."""
_PARTIAL = re.compile(r"\s*(?:DELETE FROM|INSERT INTO|CREATE TABLE IF NOT EXISTS) (partial\.\w+)")


class Watch:
    """A connection that notes what its calls take."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.spent: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._connection, name)

        def watched(*values: Any, **named: Any) -> Any:
            began = time.perf_counter()
            result = found(*values, **named)
            self.spent[_room(values)] += time.perf_counter() - began
            return self if result is self._connection else result

        return watched


def _room(values: tuple[Any, ...]) -> str:
    """Tell what a call is for."""
    told = _PARTIAL.match(values[0]) if values and isinstance(values[0], str) else None
    if told:
        return told[1]
    frame = sys._getframe(2)  # of whoever called the connection
    while frame.f_back and (not frame.f_globals["__name__"].startswith(_PRODUCT) or frame.f_globals["__name__"] == _CARRIES):
        frame = frame.f_back
    return str(frame.f_globals["__name__"]).removeprefix(_PRODUCT)


def watched(folder: Path, *, afresh: bool) -> Counter[str]:
    """Measure a store, and give the seconds by what they went to."""
    with opened(folder) as store:
        if afresh:
            store.connection.execute("DROP SCHEMA IF EXISTS partial CASCADE")
        watch = Watch(store.connection)
        began = time.perf_counter()
        measure(watch, scope=SCOPE, settings=FeatureSettings())
        whole = time.perf_counter() - began
    return watch.spent + Counter({PYTHON: whole - watch.spent.total()})


if __name__ == "__main__":
    what, where = sys.argv[1], Path(sys.argv[2])
    if what == "night":
        fill(where, where / NIGHT)
    for room, seconds in watched(where, afresh=what != "night").most_common():
        print(seconds, room)
