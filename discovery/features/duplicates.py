"""Communities that are the same one twice: mirrors, clones of a forum, rings that post everything everywhere.

Hashes of what each community says in, the community that each one repeats out. Pairs are found by MinHash (Broder 1997) and banded
buckets (Indyk & Motwani 1998), so their number grows with the communities and not with the square of it; what is told of a pair is
counted on the texts themselves, so the buckets decide what is looked at and nothing else.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

Ints = NDArray[np.int64]
Hashes = NDArray[np.uint64]

SAME = 0.5
"""Jaccard similarity from which two communities are one: half of what either says, the other says too. Of the 34 million pairs of
8,310 front pages two reach .3 and none reaches .5; where two share their people and subject it is rarely a fifth."""
LEAST_TEXTS = 20
"""Different texts from which a community can be compared; with fewer a habit of opening threads looks like a copy."""
KEPT_TEXTS = 256
"""Most texts of a community that are compared, those of the smallest hashes: of two communities the same texts are drawn."""
BANDS, ROWS = 32, 2
"""Hashes of a signature: a pair at .5 shares no band once in 10,000 times, one at .6 once in a million."""
NEAREST = 8
"""Others of its bucket that a community is compared with, beside the bucket's first."""
AT_ONCE = 1 << 15
"""Texts that are hashed together, so that they stay in the processor's cache; pairs that are compared together."""


class Said(NamedTuple):
    """What communities say. Rows follow the communities."""

    texts: sparse.csr_matrix
    """1 where a community says a text; columns are texts in the order of their hashes."""
    hashes: Hashes
    """Of each column."""
    last: Ints
    """Column of the last text that each community's sample reaches to: beyond the end where it holds all the community says."""


def duplicates(rows: Ints, hashes: Hashes, *, records: Ints, seed: int = 0) -> Ints:
    """Tell which community each one repeats.

    Args:
        rows: Community of each text, by position.
        hashes: Each text, well mixed; of a community with more than ``KEPT_TEXTS`` different ones, those with the smallest hashes.
        records: Records of each community. The one with most represents its like, of equals the first.
        seed: Seed of the hash functions; with another one no pair is told that is not alike, and one in thousands may be missed.

    Returns:
        For each community the position of the one it repeats, and -1 where it repeats none or says too little to tell.
    """
    order = np.argsort(-records, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    said = _said(rank[rows], hashes, size=len(records))
    first = _represented(said, candidates(said, seed=seed))
    repeats = first != np.arange(len(first))
    found = np.full(len(records), -1, dtype=np.int64)
    found[order[repeats]] = order[first[repeats]]
    return found


def _said(rows: Ints, hashes: Hashes, *, size: int) -> Said:
    """Arrange texts by community; one with too few has none."""
    known, codes = np.unique(hashes, return_inverse=True)
    texts = sparse.csr_matrix((np.ones(len(rows), dtype=np.int32), (rows, codes)), shape=(size, len(known)))
    texts.data[:] = 1  # the same text twice is one
    counts = np.diff(texts.indptr)
    few = np.repeat(counts < LEAST_TEXTS, counts)
    texts.data[few] = 0
    texts.eliminate_zeros()
    texts.sort_indices()
    ends = texts.indices[texts.indptr[1:][counts >= KEPT_TEXTS] - 1]
    last = np.full(size, len(known), dtype=np.int64)
    last[counts >= KEPT_TEXTS] = ends
    return Said(texts, known, last)


def signatures(said: Said, *, seed: int) -> tuple[Ints, Hashes]:
    """Give the communities that can be compared, and the MinHash signature of each, shape (communities, bands, rows).

    The functions are a·x + b modulo 2⁶⁴ with odd a.
    """
    drawn = np.random.default_rng(seed).integers(0, 2**64, size=(2, BANDS * ROWS), dtype=np.uint64)
    counts = np.diff(said.texts.indptr)
    able = np.flatnonzero(counts > 0)
    starts = said.texts.indptr[able].astype(np.int64)
    found = np.empty((len(able), BANDS * ROWS), dtype=np.uint64)
    cuts = np.unique(np.searchsorted(starts, np.arange(0, said.texts.nnz, AT_ONCE)))
    for begin, end in pairwise([*cuts, len(able)]):
        stop = starts[end] if end < len(able) else said.texts.nnz
        own, bounds = said.hashes[said.texts.indices[starts[begin] : stop]], starts[begin:end] - starts[begin]
        for at, (factor, shift) in enumerate(zip(drawn[0] | np.uint64(1), drawn[1], strict=True)):
            found[begin:end, at] = np.minimum.reduceat(own * factor + shift, bounds)
    return able, found.reshape(len(able), BANDS, ROWS)


def candidates(said: Said, *, seed: int) -> Ints:
    """Pair the communities that share a bucket, shape (n_pairs, 2), the lower first.

    In a bucket each meets its first, and its ``NEAREST`` next in the order of the band that follows, where those that are alike in
    more than one band stand together: at most 9 pairs per community and band, however full a bucket.
    """
    able, signature = signatures(said, seed=seed)
    if not len(able):
        return np.empty((0, 2), dtype=np.int64)
    keys = signature[..., 0] * np.uint64(0x9E3779B97F4A7C15) + signature[..., 1]
    size = said.texts.shape[0]
    pairs = np.empty(0, dtype=np.int64)
    for band in range(BANDS):
        order = np.lexsort((keys[:, (band + 1) % BANDS], keys[:, band]))
        pairs = np.unique(np.concatenate([pairs, *_met(able[order], keys[order, band], size)]))
    return np.column_stack(np.divmod(pairs, size))


def _met(communities: Ints, keys: Hashes, size: int) -> list[Ints]:
    """Pair what stands together in buckets of sorted keys, each pair as one number."""
    starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
    first = np.repeat(np.minimum.reduceat(communities, starts), np.diff(np.r_[starts, len(keys)]))
    met = [_as_one(first, communities, size)]
    for step in range(1, NEAREST + 1):
        same = keys[step:] == keys[:-step]
        met.append(_as_one(communities[step:][same], communities[:-step][same], size))
    return met


def _as_one(some: Ints, others: Ints, size: int) -> Ints:
    low, high = np.minimum(some, others), np.maximum(some, others)
    return (low * size + high)[low < high]


def likeness(said: Said, some: Ints, others: Ints) -> NDArray[np.float64]:
    """Measure the Jaccard similarity of pairs of communities on all texts that both samples reach to; exact where both hold all."""
    found = np.zeros(len(some))
    for at in range(0, len(some), AT_ONCE):
        one, two = some[at : at + AT_ONCE], others[at : at + AT_ONCE]
        both = np.asarray(said.texts[one].multiply(said.texts[two]).sum(axis=1)).ravel()
        reach = np.minimum(said.last[one], said.last[two])
        either = _reached(said, one, reach) + _reached(said, two, reach) - both
        found[at : at + AT_ONCE] = both / np.maximum(either, 1)
    return found


def _reached(said: Said, communities: Ints, reach: Ints) -> Ints:
    """Count the texts of each community up to a column."""
    width = said.texts.shape[1] + 1
    rows = np.repeat(np.arange(said.texts.shape[0]), np.diff(said.texts.indptr))
    places = rows * width + said.texts.indices
    found: Ints = np.searchsorted(places, communities * width + reach, side="right") - said.texts.indptr[communities]
    return found


def _represented(said: Said, pairs: Ints) -> Ints:
    """Give each community the first of those it is connected with, where it is alike to that one itself; else its own position.

    Who is only alike to somebody who is alike to the first is looked at again among the others that are left.
    """
    pairs = pairs[likeness(said, pairs[:, 0], pairs[:, 1]) >= SAME]
    everyone = np.arange(said.texts.shape[0])
    found = everyone.copy()
    while len(pairs):
        graph = sparse.coo_matrix((np.ones(len(pairs), dtype=np.int8), pairs.T), shape=(len(found), len(found)))
        _, group = connected_components(graph, directed=False)
        first = pd.Series(everyone).groupby(group).transform("min").to_numpy()
        others = np.flatnonzero(first != everyone)
        others = others[likeness(said, first[others], others) >= SAME]
        found[others] = first[others]
        settled = np.isin(everyone, np.concatenate([others, first[others]]))
        pairs = pairs[~settled[pairs].any(axis=1)]
    return found
