"""Words of a query and of what is searched: one way to take text apart, and what stands in for a word nobody says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from discovery.features.text import LONGEST, stem, taken_apart, words

FIGURED = re.compile(r"(?<![^\W_])(?=[^\W_]*\d)(?=[^\W_]*[^\W\d_])[^\W_]+")
SLIPS = ((5, 1), (8, 2))
"""Letters from which a word may hold this many slips of the pen; a shorter one is what it says."""
SURE = {1: 1, 2: 3}
"""First letters that a word with so many slips shares with what was meant. People rarely slip at the beginning."""


def told(text: str) -> Iterator[str]:
    """Yield the words of a text that are no stop words, lower case: as the vocabulary has them, then those with a figure.

    "esp32" is "esp" to the vocabulary, which counts no figures; names, descriptions, needs and quotes also tell "esp32".
    """
    yield from words(text)
    for found in FIGURED.finditer(text.lower()):
        if len(found[0]) <= LONGEST:
            yield found[0]


def rarity_of(communities: NDArray[np.int_], of: int) -> NDArray[np.float64]:
    """Say how much words tell by how many communities say them (inverse document frequency)."""
    return np.asarray(np.log1p((of - communities + 0.5) / (communities + 0.5)))


def slips(one: str, other: str) -> int:
    """Count the letters too many, missing, wrong or swapped with their neighbour (optimal string alignment, Damerau 1964)."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        row = [i]
        for j, theirs in enumerate(other, start=1):
            least = min(last[j] + 1, row[-1] + 1, last[j - 1] + (letter != theirs))
            swapped = i > 1 and j > 1 and (letter, one[i - 2]) == (other[j - 2], theirs)
            row.append(min(least, before[j - 2] + 1) if swapped else least)
        before, last = last, row
    return last[-1]


def meant(word: str, known: Mapping[str, int]) -> str | None:
    """Guess which known word an unknown one is a slip of: the fewest slips, of equals the most common; None where none is likely.

    One slip is allowed in words of five to seven letters, two in longer ones, none in shorter ones and in those with a figure.
    """
    most = max((allowed for letters, allowed in SLIPS if len(word) >= letters), default=0)
    if most == 0 or FIGURED.fullmatch(word):
        return None
    near = [
        (count, -communities, other)
        for other, communities in known.items()
        if _comparable(word, other, most) and (count := slips(word, other)) <= most and other.startswith(word[: SURE[max(1, count)]])
    ]
    return min(near, default=(0, 0, None))[2]


def _comparable(word: str, other: str, most: int) -> bool:
    """Tell, at little cost, whether two words can be so few slips apart: each slip changes at most two of the letters there are."""
    return word[0] == other[0] and abs(len(word) - len(other)) <= most and len(set(word) ^ set(other)) <= 2 * most


__all__ = ["FIGURED", "meant", "rarity_of", "slips", "stem", "taken_apart", "told"]
