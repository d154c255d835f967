"""Measure the features' speed on invented records: ``python -m benchmarks.features`` prints Markdown.

Parts: ``sums`` (all but text, against pandas, polars and plain SQL), ``words`` (text, against plain SQL), ``night`` (a hundredth as many
new records, against a computation from scratch), ``rooms`` (what the seconds go to), ``growth`` (seconds and memory over sizes). Each
figure is of a process of its own; what is compared takes turns, and the middle of three turns counts; a quick look and what takes many
minutes have one. Nothing is kept.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from benchmarks.process import run

PACKAGES = ("duckdb", "numpy")
TURNS = 3
SEVERAL_TURNS = range(100_000, 2_000_000)
"""Sizes at which what is compared has several turns."""
LEAST_RECORDS = 6_000
LEAST_SHARE = 0.03
"""Of all the seconds, to be told where they go."""
MB = 1_000_000
PEERS = {"pandas": "pandas", "polars": "polars", "sql": "duckdb"}
"""Peers and the packages they are of."""
READERS = {
    "counts": "tokens and counts per community in plain SQL, every record",
    "sampled": "the same of as many records a community as ours reads",
    "separate": "intent, every record, one expression for each tier",
    "search": "intent, every record, our search (a few alternations, then exact)",
    "alternation": "its alternations alone",
    "column": "reading the words",
}


class NotTheSameError(RuntimeError):
    """What must be equal is not, so that times would not be of the same work."""


class Turn(NamedTuple):
    """What one process said of itself, and the most memory it held."""

    seconds: float
    peak: int
    said: tuple[str, ...]


class Stores:
    """Invented stores, written when they are first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, records: int, communities: int) -> Path:
        """Give the folder of a store; ``bare`` in it holds the same records without words."""
        folder = self._folder / f"{records}-{communities}"
        if not folder.exists():
            spent = run("-m", "benchmarks.features.invented", folder, str(records), str(communities))
            sys.stderr.write(f"write {records:,} records of {communities:,} communities: {spent.seconds:.1f} s\n")
        return folder


def sums(stores: Stores, records: int) -> Iterator[str]:
    """Compare everything but text with peers whose sums are ours."""
    bare = stores.get(records, records // 200) / "bare"
    commands = {"ours": ("ours", "added", bare), **{peer: ("peers", peer, bare) for peer in PEERS}}
    turns = _in_turns(commands, turns=turns_of(records))
    ours = turns["ours"]
    held_same("how many sums of peers were compared", {peer: turns[peer].said for peer in PEERS})
    yield f"### All but text\n\n{records:,} records without words of {int(ours.said[0]):,} communities."
    yield "`ours` is the whole of `measure()`: sums, what is kept for the next night, and every estimate with its interval and reason."
    yield f"Peers give sums only; {int(turns['pandas'].said[0]):,} of each peer's were found equal to ours.\n"
    yield "| what | seconds | records/s | peak memory, MB | seconds against ours |"
    yield "|---|---:|---:|---:|---:|"
    for name, turn in {"ours": ours, **{f"{package} {version(package)}": turns[peer] for peer, package in PEERS.items()}}.items():
        yield f"| {name} | {turn.seconds:.2f} | {records / turn.seconds:,.0f} | {turn.peak / MB:,.0f} | {turn.seconds / ours.seconds:.2f} |"


def words(stores: Stores, records: int) -> Iterator[str]:
    """Compare what text costs with plain SQL and with reading it."""
    folder = stores.get(records, records // 200)
    measuring = {"told": ("ours", "scratch", folder), "bare": ("ours", "scratch", folder / "bare")}
    turns = _in_turns({**measuring, **{reader: ("words", reader, folder) for reader in READERS}}, turns=turns_of(records))
    held_same("records with intent", {name: turns[name].said[0] for name in ("separate", "alternation")})
    told, bare, column = (turns[name].seconds for name in ("told", "bare", "column"))
    ours = told - bare
    yield f"### Text\n\n{records:,} records of {int(turns['told'].said[0]):,} communities. All that is ours of text (tokens, counts, "
    yield "languages, intent, needs, products) is `measure()` with words less `measure()` of the same records without.\n"
    yield "| what | seconds | against ours | against reading the words |"
    yield "|---|---:|---:|---:|"
    yield f"| ours: {told:.2f} − {bare:.2f} | {ours:.2f} | 1.00 | {ours / column:.1f} |"
    for name, label in READERS.items():
        seconds = turns[name].seconds
        yield f"| {label} | {seconds:.2f} | {seconds / ours:.2f} | {seconds / column:.1f} |"


def night(stores: Stores, records: int) -> Iterator[str]:
    """Compare a night with a computation from scratch, whose bits must be the same."""
    folder = stores.get(records, records // 200)
    before, again, scratch = (folder.with_name(name) for name in ("before", "again", "scratch"))
    for copy in (before, scratch):
        shutil.copytree(folder, copy)
    _turn("ours", "scratch", before)
    new, touched = run("-m", "benchmarks.features.ours", "arrival", scratch).said.split()
    turns: dict[str, list[Turn]] = {"again": [], "scratch": []}
    for _ in range(turns_of(records)):
        shutil.copytree(before, again)
        turns["again"].append(_turn("ours", "night", again))
        shutil.rmtree(again)
        turns["scratch"].append(_turn("ours", "scratch", scratch))
    one, other = (_agreed(name, of_name) for name, of_name in turns.items())
    held_same("communities, records and digest of the measurement", {"night": one.said, "from scratch": other.said})
    yield f"### A night\n\n{int(other.said[1]):,} records of {int(other.said[0]):,} communities, {int(new):,} of them new or changed, "
    yield f"in {int(touched):,} communities. Every bit measured is the same as from scratch.\n"
    yield "| what | seconds | peak memory, MB |\n|---|---:|---:|"
    yield f"| from scratch | {other.seconds:.2f} | {other.peak / MB:,.0f} |"
    yield f"| the night | {one.seconds:.2f} | {one.peak / MB:,.0f} |"
    yield f"| share | {one.seconds / other.seconds:.1%} | |"


def rooms(stores: Stores, records: int) -> Iterator[str]:
    """Show what the seconds go to: from scratch, without words, and in a night."""
    folder = stores.get(records, records // 200)
    copy = folder.with_name("rooms")
    shutil.copytree(folder, copy)
    told = {"from scratch": _spent("scratch", copy), "without words": _spent("scratch", copy / "bare"), "the night": _spent("night", copy)}
    shutil.rmtree(copy)
    yield f"### Where the seconds go\n\n{records:,} records of {records // 200:,} communities; what takes at least "
    yield f"{LEAST_SHARE:.0%} of a column. A statement counts for the partial that it renews, else for the module that asks; Python is "
    yield "what is not in the database.\n"
    yield f"| what | {' | '.join(told)} |\n|---|{'---:|' * len(told)}"
    whole = {column: sum(spent.values()) for column, spent in told.items()}
    most = {room: max(spent.get(room, 0) / whole[column] for column, spent in told.items()) for spent in told.values() for room in spent}
    for room in sorted((room for room, share in most.items() if share >= LEAST_SHARE), key=lambda room: -most[room]):
        yield f"| {room} | {' | '.join(f'{spent.get(room, 0):.2f}' for spent in told.values())} |"
    yield f"| everything | {' | '.join(f'{seconds:.2f}' for seconds in whole.values())} |"


def _spent(what: str, folder: Path) -> dict[str, float]:
    lines = run("-m", "benchmarks.features.rooms", what, folder).said.splitlines()
    return {room: float(seconds) for seconds, room in (line.split(maxsplit=1) for line in lines)}


def growth(stores: Stores, records: int) -> Iterator[str]:
    """Show how seconds and memory grow with records and with communities."""
    yield "### Growth\n"
    yield "| records | communities | seconds | microseconds a record | peak memory, MB |"
    yield "|---:|---:|---:|---:|---:|"
    sizes = [(records // 3, records // 600), (records, records // 200), (records * 10 // 3, records // 60)]
    for many, communities in (*sizes, (records, records // 300), (records, records // 15)):
        turn = _turn("ours", "scratch", stores.get(many, communities))
        told = int(turn.said[1])
        yield f"| {told:,} | {int(turn.said[0]):,} | {turn.seconds:.1f} | {turn.seconds / told * 1e6:.1f} | {turn.peak / MB:,.0f} |"


PARTS: Mapping[str, Callable[[Stores, int], Iterator[str]]] = {
    "sums": sums,
    "words": words,
    "night": night,
    "rooms": rooms,
    "growth": growth,
}


def middle(turns: Sequence[Turn]) -> Turn:
    """Give the turn of the median seconds; of an even number the faster of the two."""
    wanted = statistics.median_low(turn.seconds for turn in turns)
    return next(turn for turn in turns if turn.seconds == wanted)


def turns_of(records: int) -> int:
    """Tell how many turns a size deserves."""
    return TURNS if records in SEVERAL_TURNS else 1


def _in_turns(commands: Mapping[str, tuple[str | Path, ...]], *, turns: int) -> dict[str, Turn]:
    """Run commands one after the other, several times over, so that whatever else the machine does meets all of them."""
    told: dict[str, list[Turn]] = {name: [] for name in commands}
    for _ in range(turns):
        for name, command in commands.items():
            told[name].append(_turn(*command))
    return {name: _agreed(name, of_name) for name, of_name in told.items()}


def _agreed(name: str, turns: Sequence[Turn]) -> Turn:
    """Give the middle of several turns, which must all have found the same."""
    held_same(f"what {name} found", {f"turn {number}": turn.said for number, turn in enumerate(turns)})
    return middle(turns)


def _turn(module: str | Path, *arguments: str | Path) -> Turn:
    spent = run("-m", f"benchmarks.features.{module}", *arguments)
    seconds, *said = spent.said.split()
    sys.stderr.write(f"{module} {arguments[0]}: {float(seconds):.1f} s, {spent.peak / MB:,.0f} MB\n")
    return Turn(float(seconds), spent.peak, tuple(said))


def held_same(what: str, found: Mapping[str, object]) -> None:
    """Refuse to compare what did not find the same."""
    if len(set(found.values())) > 1:
        raise NotTheSameError(f"{what}: {found}. Times would not be of the same work.")


def main() -> None:
    """Measure as the arguments say, printing each part as soon as it is known."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.features", description=__doc__.splitlines()[0])
    parser.add_argument("part", nargs="*", metavar="PART", help=f"what to measure, of {', '.join(PARTS)} [default: all]")
    parser.add_argument("--records", type=int, default=300_000, help="size of the store [default: %(default)s]; 50000 is a quick look")
    arguments = parser.parse_args()
    if unknown := sorted(set(arguments.part) - set(PARTS)):
        parser.error(f"{', '.join(unknown)}: no such part; there are {', '.join(PARTS)}.")
    if arguments.records < LEAST_RECORDS:
        parser.error(f"--records {arguments.records}: fewer than {LEAST_RECORDS} are too few to measure anything by.")
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} before; Python {platform.python_version()}, ", end="")
    print(", ".join(f"{name} {version(name)}" for name in PACKAGES), flush=True)
    with tempfile.TemporaryDirectory(prefix="subcurrent-bench-") as folder:
        stores = Stores(Path(folder))
        for part in arguments.part or PARTS:
            print()
            for line in PARTS[part](stores, arguments.records):
                print(line, flush=True)
    print(f"\nLoad average {os.getloadavg()[0]:.1f} after.")


if __name__ == "__main__":
    main()
