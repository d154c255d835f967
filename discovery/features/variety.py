"""How varied words in their order are: HD-D, MATTR and MTLD of samples of words, whole and without groups of authors. Arrays in and out.

The order is that of the sample (records by hash), not author by author: a window then holds a random handful of a community's
records, and its value tells the community's words, not how many records each of its authors happens to have in the sample.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int32]

DRAWS = 42
"""Words drawn in HD-D, as published."""
WINDOW = 500
"""Tokens of a window of MATTR."""
TYPES, TOKENS = 18, 25
"""MTLD ends a factor where types / tokens falls below 18/25 = 0.72, as published; whole numbers, so that no rounding decides."""


MOST_ORDERED = 5_000
"""Tokens that MATTR and MTLD are read from, the first of a community: they are walked once for each group of authors that is left out,
and ten windows that share no token, or thirty factors and more, tell the value well enough. HD-D asks for counts alone, of all."""
STRIDE = 64
"""Tokens that MTLD reads in a step: near the length of a factor, so that little is read twice."""


class Tokens(NamedTuple):
    """Tokens in order, community after community."""

    word: npt.NDArray[np.uint64]
    """A hash of the word."""
    community: Whole
    """Ascending from 0."""
    group: Whole
    """The author's group, from 0."""


class Version(NamedTuple):
    """Communities without a group of authors, one text after the other, and where the same word is said beside each token.

    Positions are those among all tokens; reading backward they are counted from the end, so that both directions are read alike.
    """

    before: Whole
    """Where the word was said last; lower than any position of the text where it was not."""
    after: Whole
    """The same, reading backward."""
    length: Whole
    """Tokens of each text."""


def varieties(tokens: Tokens, *, communities: int, groups: int) -> Floats:
    """Measure every community whole and without each group of its authors.

    Returns:
        Shape (groups + 1, communities, 3): HD-D, MATTR and MTLD, the whole first; NaN where there are too few tokens.
    """
    order = np.lexsort((tokens.word, tokens.community))
    word = _numbered(tokens.word[order], tokens.community[order])
    spoken = tokens.community[order[np.flatnonzero(np.diff(word, prepend=-1))]]
    frequency = _remaining(word, tokens.group[order], groups=groups, size=len(spoken))
    length = _remaining(tokens.community, tokens.group, groups=groups, size=communities)
    each = list(_ordered(tokens, order, word, communities=communities, groups=groups))
    return np.stack([hdd(frequency, length, spoken=spoken), np.stack([mattr(one) for one in each]), mtld(each)], axis=2)


def _numbered(said: npt.NDArray[np.uint64], community: Whole) -> Whole:
    """Number the words of communities, where equal ones stand side by side."""
    new = (said[1:] != said[:-1]) | (community[1:] != community[:-1])
    return np.concatenate([np.zeros(len(said[:1]), dtype=np.int32), np.cumsum(new, dtype=np.int32)])


def _remaining(number: Whole, group: Whole, *, groups: int, size: int) -> Whole:
    """Count what is numbered from 0 to size: all of it, then without each group; shape (groups + 1, size)."""
    each = np.bincount(group.astype(np.int64) * size + number, minlength=groups * size)[: groups * size].reshape(groups, size)
    whole = np.bincount(number, minlength=size)
    return np.concatenate([whole[None], whole - each]).astype(np.int32)


def _ordered(tokens: Tokens, order: npt.NDArray[np.intp], word: Whole, *, communities: int, groups: int) -> Iterator[Version]:
    """Yield all versions of the first tokens of each community."""
    texts = np.bincount(tokens.community, minlength=communities).astype(np.int32)
    first = np.arange(len(tokens.community)) - np.repeat(_starts(texts), texts) < MOST_ORDERED
    community, group = tokens.community[first], tokens.group[first]
    kept = first[order]
    order, word = (np.cumsum(first) - 1)[order[kept]], word[kept]
    length = _remaining(community, group, groups=groups, size=communities)
    return versions(group, length, order=order, again=np.flatnonzero(word[1:] == word[:-1]))


def versions(group: Whole, length: Whole, *, order: npt.NDArray[np.intp], again: npt.NDArray[np.intp]) -> Iterator[Version]:
    """Yield the whole and what is left without each group.

    Args:
        group: The author's group of each token.
        length: Tokens of each text in each version, shape (groups + 1, communities).
        order: Every token, equal words of a community side by side.
        again: Places in ``order`` that the next one says again.
    """
    nowhere = len(group)
    earlier, later = np.full((2, nowhere + 1), nowhere, dtype=np.int32)
    earlier[order[again + 1]], later[order[again]] = order[again], order[again + 1]
    group = np.append(group, np.int32(len(length)))  # nowhere is in nobody's group
    for left_out, texts in enumerate(length, start=-1):
        stays = group[:-1] != left_out
        position = np.cumsum(np.append(stays, True), dtype=np.int32) - 1
        last = position[-1] - 1
        after = last - position[_passing(later, group, left_out)[:-1][stays]]
        position[-1] = -1
        yield Version(position[_passing(earlier, group, left_out)[:-1][stays]], after[::-1], texts)


def _passing(link: Whole, group: Whole, left_out: int) -> Whole:
    """Let links to tokens of a group go on to what those are linked to."""
    passing = link.copy()
    (lost,) = (group[link] == left_out).nonzero()
    while len(lost):
        passing[lost] = link[passing[lost]]
        lost = lost[group[passing[lost]] == left_out]
    return passing


def hdd(frequency: Whole, length: Whole, *, spoken: Whole) -> Floats:
    """Σ_w P(word w is among 42 tokens drawn) / 42 (McCarthy & Jarvis 2010), exactly; NaN below 42 tokens.

    Words that are said equally often are equally probable, so what is asked is how many of a community there are of each frequency.

    Args:
        frequency: How often words are said in each version of the communities, shape (versions, words).
        length: Tokens, shape (versions, communities).
        spoken: Community of each word, ascending.

    Returns:
        Shape (versions, communities).
    """
    room = np.broadcast_to(length[0] + 1, length.shape).ravel()
    begin, row = _starts(room), np.repeat(np.arange(length.size), room)
    words = np.bincount((begin.reshape(length.shape)[:, spoken] + frequency).ravel(), minlength=len(row))
    cell = np.flatnonzero(words)
    drawn = _drawn(cell - begin[row[cell]], length.ravel()[row[cell]])
    expected = np.bincount(row[cell], words[cell] * drawn, length.size).reshape(length.shape)
    return np.where(length >= DRAWS, expected / DRAWS, np.nan)


def _starts(length: Whole) -> Whole:
    """Give where each text begins when all stand one after the other."""
    return np.cumsum(length, dtype=np.int32) - length


def _drawn(frequency: npt.NDArray[np.int64], total: Whole) -> Floats:
    """Give the probability that a word of this frequency is among the 42 drawn: 1 − C(N − f, 42) / C(N, 42).

    The ratio is a product of min(f, 42) factors, exact where logarithms of factorials would lose five digits.
    """
    missed = np.ones(len(frequency))
    more, factors = np.maximum(frequency, DRAWS), np.minimum(frequency, DRAWS)
    for factor in range(DRAWS):
        (rest,) = (factors > factor).nonzero()
        missed[rest] *= np.maximum(total[rest] - more[rest] - factor, 0) / np.maximum(total[rest] - factor, 1)
    return 1 - missed


def mattr(texts: Version) -> Floats:
    """Mean share of different words over all windows of 500 tokens (Covington & McFall 2010); NaN below 500 tokens.

    A token is the first of its word in the windows that begin after the word's last place and hold the token: their number
    follows from two positions, so no window is ever read.
    """
    start, here = _starts(texts.length), np.arange(len(texts.before), dtype=np.int32)
    last = np.repeat(start + texts.length - WINDOW, texts.length)
    begins = np.minimum(here, last) - np.maximum(np.maximum(here - WINDOW, texts.before), np.repeat(start - 1, texts.length))
    until = np.append(0, np.cumsum(np.maximum(begins, 0), dtype=np.int64))
    windows = np.maximum(texts.length - WINDOW + 1, 0)
    different = until[start + texts.length] - until[start]
    share: Floats = np.divide(different, windows * WINDOW, out=np.full(len(windows), np.nan), where=windows > 0)
    return share


def mtld(each: Sequence[Version]) -> Floats:
    """Mean length of runs that keep types / tokens at .72, forward and backward (McCarthy & Jarvis 2010); NaN where no word recurs.

    All communities, in all their versions and both directions, walk side by side.

    Returns:
        Shape (len(each), communities).
    """
    sides = [side for texts in each for side in (texts.before, texts.after)]
    length = np.concatenate([side for texts in each for side in (texts.length, texts.length[::-1])])
    begin = np.repeat(_starts(np.array([len(side) for side in sides], dtype=np.int32)), [len(side) for side in sides])
    factors = _factors(np.concatenate(sides) + begin, length)
    with np.errstate(divide="ignore", invalid="ignore"):
        runs = np.where(factors > 0, length / factors, np.nan).reshape(len(each), 2, -1)
    return np.asarray((runs[:, 0] + runs[:, 1, ::-1]) / 2)


def _factors(before: Whole, length: Whole) -> Floats:
    """Count the factors of each text, the last one in part; texts stand one after the other in ``before``.

    A text goes on by a stride, or to the end of a factor inside it.
    """
    ahead = sliding_window_view(np.append(before, np.full(STRIDE, -1, dtype=np.int32)), STRIDE)
    place = _starts(length)
    begin, end = place.copy(), place + length
    spare, whole = np.zeros((2, len(length)), dtype=np.int32)
    walking = np.flatnonzero(length)
    while len(walking):
        row, left = np.arange(len(walking)), end[walking] - place[walking]
        repeated = ahead[place[walking]] >= begin[walking, None]
        gain = _NEW - TOKENS * np.cumsum(repeated, axis=1, dtype=np.int16)
        below = gain < -np.minimum(spare[walking], TYPES * STRIDE).astype(np.int16)[:, None]
        last = below.argmax(axis=1)
        full = below[row, last] & (last < left)
        last = np.where(full, last, np.minimum(left, STRIDE) - 1)
        place[walking] += last + 1
        spare[walking] = np.where(full, 0, spare[walking] + gain[row, last])
        whole[walking] += full
        begin[walking[full]] = place[walking[full]]
        walking = walking[last + 1 < left]
    rest = end - begin
    types = (spare + TYPES * rest) / TOKENS
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(rest > 0, (1 - types / rest) / (1 - TYPES / TOKENS), 0.0)
    return np.asarray(whole + part)


_NEW = (TOKENS - TYPES) * np.arange(1, STRIDE + 1, dtype=np.int16)
"""What a stride of new words adds to 25 · types − 18 · tokens; a word that was said before takes 25 off."""
