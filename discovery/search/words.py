"""Words of a query and of what is searched: one way to take text apart, stems, and what stands in for a word nobody says."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from discovery.features.text import STOP_WORDS, stem

LETTERS = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
LONGEST = 40
SHORTEST_PART = 3
ALIKE = 0.55
"""Likeness from which a known word stands in for an unknown one."""
HINT = 0.4
"""Likeness from which a known word is worth naming."""


def told(text: str) -> Iterator[str]:
    """Yield the words of a text that are no stop words, lower case, in order."""
    for found in LETTERS.finditer(unicodedata.normalize("NFC", text).lower().replace("’", "'")):
        if 2 <= len(found[0]) <= LONGEST and found[0] not in STOP_WORDS:
            yield found[0]


def taken_apart(word: str, known: Collection[str]) -> tuple[str, ...]:
    """Take a compound apart into known words, the fewest there are: "fountainpens" is "fountain" and "pens"; () where that fails.

    Parts have three letters or more.
    """
    best: list[tuple[str, ...] | None] = [()]
    for end in range(1, len(word) + 1):
        ways = [
            (*before, word[start:end])
            for start in range(end - SHORTEST_PART + 1)
            if (before := best[start]) is not None and word[start:end] in known
        ]
        best.append(min(ways, key=lambda way: (len(way), way), default=None))
    return best[-1] or ()


def rarity_of(communities: NDArray[np.int_], of: int) -> NDArray[np.float64]:
    """Say how much words tell by how many communities say them (inverse document frequency)."""
    return np.asarray(np.log1p((of - communities + 0.5) / (communities + 0.5)))


def likeness(one: str, other: str) -> float:
    """Compare two words by their pairs of letters, begin and end included: 1 the same, 0 nothing shared (Dice 1945)."""
    ours, theirs = _pairs(one), _pairs(other)
    return 2 * len(ours & theirs) / (len(ours) + len(theirs))


def _pairs(word: str) -> set[str]:
    framed = f"^{word}$"
    return {framed[at : at + 2] for at in range(len(framed) - 1)}


def nearest(word: str, known: Mapping[str, int]) -> list[tuple[str, float]]:
    """Give the three known words most like an unknown one, with their likeness; of equals the more common first."""
    near = [(other, alike) for other in known if abs(len(other) - len(word)) <= 3 and (alike := likeness(word, other)) >= HINT]
    return sorted(near, key=lambda pair: (-pair[1], -known[pair[0]], pair[0]))[:3]


__all__ = ["ALIKE", "likeness", "nearest", "rarity_of", "stem", "taken_apart", "told"]
