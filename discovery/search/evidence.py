"""How well communities fit a query: the words they say, and where they stand beside it; read from the published results.

A connection, a run and the query's words flow in; places with scores flow out. Read are its words, the vectors of the cells nearest to
it, and the members of groups.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from discovery.clustering.retrieval import to_read
from discovery.search.words import FIGURED, meant, rarity_of, stem, taken_apart, told
from storage.blobs import unpack, unpack_runs, unpack_sorted, unpack_vectors

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]

MOST_WORDS = 200
"""Different words of a query that are read; more would be a text, not a question."""
MOST_UNKNOWN = 10
"""Unknown words that something is found for; each is compared with all that are known."""
GUESSED = 0.5
"""What a guessed word weighs beside one that is said."""
ASKED_AT_ONCE = 500


class Space(NamedTuple):
    """The space of a run's search."""

    dimensions: int
    communities: int
    impact: float
    centres: Floats
    sizes: NDArray[np.int32]


class Word(NamedTuple):
    """A word of the query that is known: what it is called, what it weighs, whom it speaks of and where it leads."""

    shown: str
    weight: float
    places: Ints
    impacts: Floats
    vector: Floats


class Query(NamedTuple):
    """What a query comes to: its known words, what it says that nobody here does, and its direction."""

    words: list[Word]
    notes: list[str]
    direction: Floats
    """Of length one, or zero where no word leads anywhere."""


def space_of(connection: sqlite3.Connection, run_id: str) -> Space | None:
    """Read the space of a run, None where it was published by a version that could not search."""
    row = connection.execute("SELECT * FROM search_space WHERE run_id = ?", [run_id]).fetchone()
    if row is None:
        return None
    dimensions = int(row["dimensions"])
    centres = unpack_vectors(row["centres"], dimensions=dimensions) if dimensions else np.zeros((0, 0), dtype=np.float32)
    return Space(dimensions, int(row["communities"]), float(row["impact"]), centres, unpack(row["sizes"], "int32"))


def understood(connection: sqlite3.Connection, run_id: str, text: str, space: Space) -> Query:
    """Look up the words of a query; an unknown one is read as a compound or as a slip, whichever more communities bear out."""
    counted = Counter(told(text))
    asked = dict(counted.most_common(MOST_WORDS))
    notes = [f"Only the first {MOST_WORDS} different words of the query were read."] if len(counted) > MOST_WORDS else []
    if not asked:
        notes.append("The query holds no word that could be looked for.")
    weights = {word: 1 + float(np.log(times)) for word, times in asked.items()}
    found = _read(connection, run_id, weights, space)
    unknown = [word for word in asked if word not in found]
    if unknown:
        known = {row["word"]: row["communities"] for row in connection.execute(_KNOWN, [run_id])}

        def together(parts: Sequence[str]) -> int:
            places = [word.places for word in _read(connection, run_id, dict.fromkeys(parts, 1.0), space).values() if word.weight]
            return len(reduce(np.intersect1d, places))

        replaced, said = _replaced(unknown, known, weights, together)
        found = _read(connection, run_id, replaced, space)
        notes += said
    words = list(found.values())
    direction = sum((word.weight * word.vector for word in words), np.zeros(space.dimensions, dtype=np.float32))
    length = float(np.sqrt(np.square(direction).sum()))
    return Query(words, notes, direction / length if length > 0 else direction)


_KNOWN = "SELECT word, communities FROM search_word WHERE run_id = ?"


def _replaced(
    unknown: Sequence[str], known: Mapping[str, int], weights: Mapping[str, float], together: Callable[[Sequence[str]], int]
) -> tuple[Mapping[str, float], list[str]]:
    """Put known words in the place of unknown ones, beside the others: the parts of a compound, or the word it is a slip of.

    A compound is one where some community says all its parts, and no fewer do than say the word it might be a slip of: "carpet" is no
    car and pet. A guess weighs half, and adds to what the word weighs where it is asked for too.
    """
    replaced: Counter[str] = Counter({word: weight for word, weight in weights.items() if word not in unknown})
    notes = []
    for word in unknown[:MOST_UNKNOWN]:
        guess, parts = meant(word, known), taken_apart(word, known)
        if parts and together(parts) >= max(1, known.get(guess or "", 0)):
            replaced.update(dict.fromkeys(parts, weights[word]))
            notes.append(f"Nobody says “{word}” here; read as “{' '.join(parts)}”.")
        elif guess:
            replaced.update({guess: weights[word] * GUESSED})
            notes.append(f"Nobody says “{word}” here; read as “{guess}”.")
        elif FIGURED.fullmatch(word):
            notes.append(f"“{word}” is in no name, description, need or quote; figures in other texts are not kept.")
        else:
            notes.append(f"Nobody says “{word}” here.")
    if len(unknown) > MOST_UNKNOWN:
        notes.append(f"{len(unknown) - MOST_UNKNOWN} more words that nobody says here were left out.")
    return replaced, notes


def _read(connection: sqlite3.Connection, run_id: str, weights: Mapping[str, float], space: Space) -> dict[str, Word]:
    """Read the known ones among some words, by the word; words of one stem are one word of the sum of their weights."""
    by_stem: dict[str, list[str]] = {}
    for word in weights:
        by_stem.setdefault(stem(word), []).append(word)
    stems = list(by_stem)
    found: dict[str, Word] = {}
    for start in range(0, len(stems), ASKED_AT_ONCE):
        some = stems[start : start + ASKED_AT_ONCE]
        marks = ", ".join("?" * len(some))
        query = f"SELECT * FROM search_word WHERE run_id = ? AND stem IN ({marks})"  # noqa: S608 - question marks
        for row in connection.execute(query, [run_id, *some]):
            forms = by_stem[row["stem"]]
            found |= dict.fromkeys(forms[1:], _nothing(space))
            found[forms[0]] = _word(row, forms[0], sum(weights[form] for form in forms), space)
    return {word: found[word] for word in weights if word in found}


def _word(row: sqlite3.Row, shown: str, weight: float, space: Space) -> Word:
    rarity = float(rarity_of(np.array([row["communities"]]), space.communities)[0])
    direction = unpack_vectors(row["vector"], dimensions=space.dimensions)[0] if space.dimensions else _nothing(space).vector
    vector = direction * np.float32(rarity)
    return Word(shown, weight, unpack_sorted(row["places"]), unpack(row["impacts"], "uint8") * np.float32(space.impact), vector)


def _nothing(space: Space) -> Word:
    return Word("", 0.0, np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32), np.zeros(space.dimensions, dtype=np.float32))


def impacts(query: Query, communities: int) -> Floats:
    """Add up what the query's words tell of each community."""
    total = np.zeros(communities, dtype=np.float32)
    for word in query.words:
        total[word.places] += np.float32(word.weight) * word.impacts
    return total


def similarities(connection: sqlite3.Connection, run_id: str, query: Query, space: Space) -> tuple[Ints, Floats]:
    """Compare the query with the communities of the nearest cells: places and cosines, none where the query leads nowhere."""
    if not query.direction.any():
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
    cells = to_read(space.centres, space.sizes, query.direction).tolist()
    rows: list[sqlite3.Row] = []
    for start in range(0, len(cells), ASKED_AT_ONCE):
        some = cells[start : start + ASKED_AT_ONCE]
        marks = ", ".join("?" * len(some))
        rows += connection.execute(f"SELECT places, vectors FROM search_cell WHERE run_id = ? AND cell IN ({marks})", [run_id, *some])  # noqa: S608 - marks alone
    places, _ = unpack_runs([row["places"] for row in rows])
    return places, unpack_vectors(*(row["vectors"] for row in rows), dimensions=space.dimensions) @ query.direction
