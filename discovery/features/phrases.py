"""What is asked for: the object of a request, and requests that mean the same thing put together. Strings in, frames out."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import NamedTuple

import pandas as pd

from discovery.features.text import Sentences, content_words, prose, stem

Unit = tuple[str, ...]
"""Stems that make a kind of need, in the order of the alphabet."""
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
    told: str
    """From the first to the last of these words as the author put them."""
    asked: bool
    """The object of a request; else the words around a pain, of which only pairs can be trusted."""


class Vote(NamedTuple):
    """One author's request in one thread of one community."""

    row: int
    author: int
    thread: int
    phrase: Phrase


def needed(text: str, *, record: int, start: int, end: int) -> Phrase:
    """Extract the content words of what the sentence around ``[start, end)`` asks for; else those around the hit itself."""
    own = prose(text)
    begin, finish = Sentences(own).bounds(start)
    sentence = own[begin:finish].replace("’", "'")
    asked = _OBJECT.search(sentence, max(start - begin - 1, 0)) or _OBJECT.search(sentence)
    if asked:
        told = _CLAUSE.split(asked["object"].lstrip(" ,:"), maxsplit=1)[0].lower()
        words = tuple(dict.fromkeys(content_words(told)))[:MOST_WORDS]
        if words:
            return Phrase(record, words, _between(told, words), asked=True)
    behind, before = list(content_words(own[end:finish][:160])), list(content_words(own[begin:start][-160:]))
    words = tuple(dict.fromkeys([*behind[:MOST_WORDS], *before[::-1]]))[:MOST_WORDS]
    return Phrase(record, words, " ".join(words), asked=False)


def _between(told: str, words: tuple[str, ...]) -> str:
    """Cut a phrase to what stands between its first and its last content word; letters and inner marks only."""
    start = told.find(words[0])
    end = max(told.find(word, start) + len(word) for word in words)
    return " ".join(re.findall(r"[^\W\d_]+(?:[-'][^\W\d_]+)*", told[start:end]))


def grouped(votes: Iterable[Vote]) -> pd.DataFrame:
    """Group requests of a community that share two content stems, else one, else stand alone.

    A kind of need has the same name wherever it shows: the phrase most people of the run use for it.

    Returns:
        row, need, authors, threads: every kind of need, sorted by row, authors (most first) and need.
    """
    everyone = list(votes)
    stems = {vote: tuple(sorted({stem(word) for word in vote.phrase.words})) for vote in everyone}
    anywhere, here = defaultdict[Unit, set[int]](set), defaultdict[tuple[int, Unit], set[int]](set)
    for vote, found in stems.items():
        for unit in _units(found, single=vote.phrase.asked):
            anywhere[unit].add(vote.author)
            here[vote.row, unit].add(vote.author)
    members = defaultdict[tuple[int, Unit], list[Vote]](list)
    for vote in everyone:
        members[vote.row, _best(vote, stems[vote], here=here, anywhere=anywhere)].append(vote)
    names = _names(members)
    named = defaultdict[tuple[int, str], list[Vote]](list)
    for (row, unit), group in members.items():
        named[row, names[unit]].extend(group)
    rows = [(row, need, len({vote.author for vote in group}), len({vote.thread for vote in group})) for (row, need), group in named.items()]
    frame = pd.DataFrame(rows, columns=["row", "need", "authors", "threads"]).astype(
        {"row": "int64", "authors": "int64", "threads": "int64"}
    )
    return frame.sort_values(["row", "authors", "need"], ascending=[True, False, True], ignore_index=True)


def _units(stems: Unit, *, single: bool) -> list[Unit]:
    """List what a request may be grouped by: its pairs of stems, and single ones where they are the object of a request."""
    return [*combinations(stems, 2), *((one,) for one in stems if single)]


def _best(vote: Vote, stems: Unit, *, here: Mapping[tuple[int, Unit], set[int]], anywhere: Mapping[Unit, set[int]]) -> Unit:
    """Choose the pair most people of the community share, else the word, else all the stems; ties by the whole run, then alphabet."""
    for size, least in ((2, LEAST_PAIR), (1, LEAST_WORD)):
        units = [unit for unit in _units(stems, single=vote.phrase.asked) if len(unit) == size and len(here[vote.row, unit]) >= least]
        if units:
            return min(units, key=lambda unit: (-len(here[vote.row, unit]), -len(anywhere[unit]), unit))
    return stems


def _names(members: Mapping[tuple[int, Unit], list[Vote]]) -> dict[Unit, str]:
    """Name each kind of need: the phrase that at least two authors and most of all use, else the words for its stems."""
    whole, cut = defaultdict[Unit, dict[str, set[int]]](dict), defaultdict[Unit, dict[str, set[int]]](dict)
    for (_, unit), group in members.items():
        for vote in group:
            whole[unit].setdefault(vote.phrase.told, set()).add(vote.author)
            surface = " ".join(word for word in vote.phrase.words if stem(word) in unit)
            cut[unit].setdefault(surface, set()).add(vote.author)
    return {unit: _most(told, least=LEAST_PUBLIC) or _most(cut[unit], least=1) for unit, told in whole.items()}


def _most(phrases: Mapping[str, set[int]], *, least: int) -> str:
    """Choose the phrase of most authors; ties by length, then alphabet; empty where no phrase has enough."""
    enough = [phrase for phrase, authors in phrases.items() if len(authors) >= least]
    return min(enough, key=lambda phrase: (-len(phrases[phrase]), len(phrase), phrase), default="")
