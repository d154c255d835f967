"""How varied words in their order are: HD-D, MATTR and MTLD of samples of words, whole and without groups of authors. Arrays in and out.

The order is that of the sample (records by hash), not author by author: a window then holds a random handful of a community's
records, and its value tells the community's words, not how many records each of its authors happens to have in the sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]

DRAWS = 42
"""Words drawn in HD-D, as published."""
WINDOW = 500
"""Tokens of a window of MATTR."""
TYPES, TOKENS = 18, 25
"""MTLD ends a factor where types / tokens falls below 18/25 = 0.72, as published; whole numbers, so that no rounding decides."""


class Tokens(NamedTuple):
    """Tokens in order, community after community."""

    word: npt.NDArray[np.uint64]
    """A hash of the word."""
    community: Whole
    """Ascending from 0."""
    group: Whole
    """The author's group, from 0."""


class Linked(NamedTuple):
    """Tokens as positions inside their community, each linked to the same word before and after it."""

    community: Whole
    place: Whole
    before: Whole
    """-1 where the word was not said before."""
    after: Whole
    """The community's length where the word is not said again."""
    length: Whole
    """Tokens per community."""
    spoken: Whole
    """Community of each different word."""
    frequency: Whole
    """How often that word is said."""


def varieties(tokens: Tokens, *, communities: int, groups: int) -> Floats:
    """Measure every community whole and without each group of its authors.

    Returns:
        Shape (groups + 1, communities, 3): HD-D, MATTR and MTLD, the whole first; NaN where there are too few tokens.
    """
    order = np.argsort(tokens.word, kind="stable")
    each = [linked(tokens, order, tokens.group != left_out, communities=communities) for left_out in range(-1, groups)]
    return np.stack([np.stack([hdd(one), mattr(one), walked], axis=1) for one, walked in zip(each, mtld(each), strict=True)])


def linked(tokens: Tokens, order: npt.NDArray[np.intp], stays: Mask, *, communities: int) -> Linked:
    """Link the tokens that stay. ``order`` lists all of them by word, equal words by position."""
    community = tokens.community[stays]
    length = np.bincount(community, minlength=communities).astype(np.int32)
    place = np.arange(len(community), dtype=np.int32) - np.repeat(_starts(length), length)
    order = order[stays[order]]
    at = (np.cumsum(stays, dtype=np.int32) - 1)[order]
    said, where = tokens.word[order], tokens.community[order]
    again = (said[1:] == said[:-1]) & (where[1:] == where[:-1])
    earlier, later = at[:-1][again], at[1:][again]
    before, after = np.full(len(place), -1, dtype=np.int32), np.repeat(length, length)
    before[later], after[earlier] = place[earlier], place[later]
    first = np.flatnonzero(np.concatenate([[True], ~again])[: len(at)])
    return Linked(community, place, before, after, length, where[first], np.diff(first, append=len(at)))


def _starts(length: Whole) -> Whole:
    """Give where each text begins when all stand one after the other."""
    return np.cumsum(length, dtype=np.int32) - length


def hdd(tokens: Linked) -> Floats:
    """Σ_w P(word w is among 42 tokens drawn) / 42 (McCarthy & Jarvis 2010), exactly; NaN below 42 tokens."""
    most = int(tokens.frequency.max(initial=0)) + 1
    cell, words = np.unique(tokens.spoken * most + tokens.frequency, return_counts=True)
    row, frequency = cell // most, cell % most
    expected = np.bincount(row, words * _drawn(frequency, tokens.length[row]), len(tokens.length))
    return np.where(tokens.length >= DRAWS, expected / DRAWS, np.nan)


def _drawn(frequency: Whole, total: Whole) -> Floats:
    """Give the probability that a word of this frequency is among the 42 drawn: 1 − C(N − f, 42) / C(N, 42).

    The ratio is a product of min(f, 42) factors, exact where logarithms of factorials would lose five digits.
    """
    missed = np.ones(len(frequency))
    more, factors = np.maximum(frequency, DRAWS), np.minimum(frequency, DRAWS)
    for factor in range(DRAWS):
        (rest,) = (factors > factor).nonzero()
        missed[rest] *= np.maximum(total[rest] - more[rest] - factor, 0) / np.maximum(total[rest] - factor, 1)
    return 1 - missed


def mattr(tokens: Linked) -> Floats:
    """Mean share of different words over all windows of 500 tokens (Covington & McFall 2010); NaN below 500 tokens.

    A token is the first of its word in the windows that begin after the word's last place and hold the token: their number
    follows from two positions, so no window is ever read.
    """
    last = (tokens.length - WINDOW)[tokens.community]
    begins = np.minimum(tokens.place, last) - np.maximum(tokens.place - WINDOW, tokens.before)
    different = np.bincount(tokens.community, np.maximum(begins, 0), len(tokens.length))
    windows = np.maximum(tokens.length - WINDOW + 1, 0)
    share: Floats = np.divide(different, windows * WINDOW, out=np.full(len(windows), np.nan), where=windows > 0)
    return share


def mtld(each: Sequence[Linked]) -> Floats:
    """Mean length of runs that keep types / tokens at .72, forward and backward (McCarthy & Jarvis 2010); NaN where no word recurs.

    All communities, in all their versions and both directions, walk side by side, a token a step.

    Returns:
        Shape (len(each), communities).
    """
    seen = [side for one in each for side in (one.before, (np.repeat(one.length, one.length) - 1 - one.after)[::-1])]
    length = np.concatenate([side for one in each for side in (one.length, one.length[::-1])])
    factors = _factors(np.concatenate(seen), length)
    with np.errstate(divide="ignore", invalid="ignore"):
        runs = np.where(factors > 0, length / factors, np.nan).reshape(len(each), 2, -1)
    return np.asarray((runs[:, 0] + runs[:, 1, ::-1]) / 2)


def _factors(before: Whole, length: Whole) -> Floats:
    """Count the factors of each text, the last one in part; texts stand one after the other in ``before``."""
    longest_first = np.argsort(-length, kind="stable")
    texts = length[longest_first]
    at = (np.cumsum(length, dtype=np.int64) - length)[longest_first]
    begin, spare, whole = np.zeros((3, len(texts)), dtype=np.int32)
    walking = np.searchsorted(-texts, -np.arange(texts.max(initial=0)), side="left")
    for step, left in enumerate(walking.tolist()):
        new = before[at[:left] + step] < begin[:left]
        spare[:left] += np.where(new, np.int32(TOKENS - TYPES), np.int32(-TYPES))
        (full,) = (spare[:left] < 0).nonzero()
        whole[full] += 1
        spare[full], begin[full] = 0, step + 1
    rest = texts - begin
    types = (spare + TYPES * rest) / TOKENS
    with np.errstate(invalid="ignore"):
        part = np.where(rest > 0, (1 - types / rest) / (1 - TYPES / TOKENS), 0.0)
    factors = np.empty(len(texts))
    factors[longest_first] = whole + part
    return factors
