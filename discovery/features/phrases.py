"""What is asked for: the object of a request, and requests that mean the same thing put together. Strings in, frames out."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import combinations
from typing import NamedTuple

import pandas as pd

from discovery.features.text import Sentences, content_words, prose, stem

MOST_WORDS = 5
LEAST_PAIR, LEAST_WORD = 2, 3
"""Distinct authors from which two words, or one word, make a kind of need."""
LEAST_PUBLIC = 2
"""Distinct authors a need must have to be kept."""

_ASKED = (
    r"\b(?:looking|searching|hunting) for\b",
    r"\b(?:is|are) there (?:a|an|any|some)\b",
    r"\b(?:need|want) something (?:that|which|to)\b",
    r"\bneed (?:a|an|some)\b",
    r"\b(?:recommend|suggest)\w*(?: (?:for|on|me))?\b",
    r"\buse (?:for|to)\b",
    r"\bwish (?:there (?:was|were)|someone \w+|somebody \w+)\b",
    r"\bany(?:one|body)\b[^.?!\n]{0,20}\b(?:know|use|have)\b(?: of)?",
    r"\bwhat(?:'s| is| are) the best\b",
)
_OBJECT = re.compile(r"(?:" + "|".join(_ASKED) + r")(?P<object>[^.?!\n]{3,120})", re.ASCII | re.IGNORECASE)
_CLAUSE = re.compile(
    r"[,;:()\[\]?!]|\b(?:because|but|since|so (?:i|we|that)|and (?:i|we|it|my)|if|when|as (?:i|we))\b|\s-\s", re.IGNORECASE
)


class Phrase(NamedTuple):
    """A request in its content words: as written, in order, lower case."""

    record: int
    words: tuple[str, ...]
    asked: bool
    """The object of a request; else the words around a pain, of which only pairs can be trusted."""


class Vote(NamedTuple):
    """One author's request in one thread of one community."""

    row: int
    author: int
    thread: int
    words: tuple[str, ...]
    asked: bool


def needed(text: str, *, record: int, start: int, end: int) -> Phrase:
    """Extract the content words of what the sentence around ``[start, end)`` asks for; else those around the hit itself."""
    own = prose(text)
    begin, finish = Sentences(own).bounds(start)
    sentence = own[begin:finish].replace("’", "'")
    asked = _OBJECT.search(sentence, max(start - begin - 1, 0)) or _OBJECT.search(sentence)
    if asked:
        told = _CLAUSE.split(asked["object"].lstrip(" ,:"), maxsplit=1)[0]
        words = tuple(dict.fromkeys(content_words(told)))[:MOST_WORDS]
        if words:
            return Phrase(record, words, asked=True)
    behind, before = list(content_words(own[end:finish][:160])), list(content_words(own[begin:start][-160:]))
    return Phrase(record, tuple(dict.fromkeys([*behind[:MOST_WORDS], *before[::-1]]))[:MOST_WORDS], asked=False)


def grouped(votes: Iterable[Vote]) -> pd.DataFrame:
    """Group requests of a community that share two content stems, else one, else stand alone.

    Returns:
        row, need, authors, threads: every kind of need, sorted by row, authors (most first) and need.
    """
    per_row: dict[int, list[Vote]] = defaultdict(list)
    for vote in votes:
        per_row[vote.row].append(vote)
    rows = [(row, *kind) for row in sorted(per_row) for kind in _kinds(per_row[row])]
    frame = pd.DataFrame(rows, columns=["row", "need", "authors", "threads"]).astype(
        {"row": "int64", "authors": "int64", "threads": "int64"}
    )
    return frame.sort_values(["row", "authors", "need"], ascending=[True, False, True], ignore_index=True)


def _kinds(votes: list[Vote]) -> list[tuple[str, int, int]]:
    """Give each kind of need in one community: its name, its distinct authors and threads."""
    supporters: dict[tuple[str, ...], set[int]] = defaultdict(set)
    stems = [tuple(sorted({stem(word) for word in vote.words})) for vote in votes]
    for vote, found in zip(votes, stems, strict=True):
        for unit in _units(found, single=vote.asked):
            supporters[unit].add(vote.author)
    members: dict[tuple[str, ...], list[Vote]] = defaultdict(list)
    for vote, found in zip(votes, stems, strict=True):
        members[_best(found, supporters, single=vote.asked)].append(vote)
    named: dict[str, list[Vote]] = defaultdict(list)
    for unit, group in members.items():
        named[_name(unit, group)].extend(group)
    return [(name, len({vote.author for vote in group}), len({vote.thread for vote in group})) for name, group in sorted(named.items())]


def _units(stems: tuple[str, ...], *, single: bool) -> list[tuple[str, ...]]:
    """List what a request may be grouped by: its pairs of stems, and single ones where they are the object of a request."""
    return [*combinations(stems, 2), *((one,) for one in stems if single)]


def _best(stems: tuple[str, ...], supporters: dict[tuple[str, ...], set[int]], *, single: bool) -> tuple[str, ...]:
    """Choose the best supported pair, else the best supported word, else all the stems; ties by alphabet."""
    for size, least in ((2, LEAST_PAIR), (1, LEAST_WORD)):
        candidates = [unit for unit in _units(stems, single=single) if len(unit) == size and len(supporters[unit]) >= least]
        if candidates:
            return min(candidates, key=lambda unit: (-len(supporters[unit]), unit))
    return stems


def _name(unit: tuple[str, ...], group: list[Vote]) -> str:
    """Name a kind of need by the words most of its requests use for its stems; ties by length, then alphabet."""
    surfaces = Counter(" ".join(word for word in vote.words if stem(word) in unit) for vote in group)
    return min(surfaces, key=lambda surface: (-surfaces[surface], len(surface), surface))
