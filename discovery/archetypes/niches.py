"""Niches: communities of one archetype that share a subject and a need, found by hierarchy and kept only if they come back.

Ward's linkage over the communities' vectors (of a sample where there are many; the rest join the nearest centre), cut where
the niches come back best when communities are resampled and words left out. A grouping that does not hold together on
words it has not seen is not reported.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.optimize import linear_sum_assignment
from threadpoolctl import threadpool_limits

from discovery.archetypes.embedding import (
    Embedder,
    Embedding,
    Floats,
    Ints,
    Placed,
    Space,
    Words,
    by_words,
    embed,
    placed,
    seen,
    telling_words,
    unit_length,
)
from discovery.clustering.spherical import nearest, settle, sums, unit_rows
from discovery.clustering.stability import LASTING
from discovery.features import Measurement

SMALLEST = 5
REPLICATES = 20
SHUFFLES = 39
MOST_CHANCE = 0.05
"""Largest share of shuffled groupings that may hold together as well on held-out words."""
SAMPLE = 2_000
FEW = 1_000
"""Communities up to which every number of niches is tried; beyond, every fourth or so."""
AGREED = 0.5
"""Share of the resamples that must put a community into a niche before it lies there, and of a group that must be left for a niche."""
ROUNDS = 5
"""Most rounds of settling after a cut; the few that still move then decide nothing."""
LEAST_WORDS = 5
"""A community with fewer telling words cannot be placed by what it talks about."""


@dataclass(frozen=True)
class Niches:
    """What was found: one row per niche, the niche of every community, and the cut of each hierarchy."""

    table: pd.DataFrame
    """niche, parent, communities, stability, homogeneity; numbered by parent, then by size."""
    membership: pd.Series
    """Community -> niche, -1 where it lies in none."""
    cuts: pd.DataFrame
    """One row per parent: parent, communities, k, p_held_out, homogeneity; k = 0 where there are too few."""
    placed: Placed
    """What the communities were grouped by."""
    embedding: Embedding
    """Where every community stands by its words, whatever they were grouped by."""


def find_niches(measurement: Measurement, parents: pd.Series, *, seed: int, embedder: Embedder = by_words) -> Niches:
    """Group the communities of every parent by subject and need.

    Args:
        measurement: What the run measured.
        parents: Archetype of each community, all zeros for the whole market; -1 takes no part.
        seed: Seed of the decomposition, the resampling and the shuffles.
        embedder: What may place the communities instead of their words alone.

    Returns:
        Only niches of at least five communities and stability .6, from groupings that beat every shuffled one in twenty on
        held-out words. How alike their communities are is told by words whatever placed them, as it is part of the score.
    """
    with threadpool_limits(limits=1):  # so that the last bits do not depend on the number of threads
        return _found(measurement, parents, seed, embedder)


def _found(measurement: Measurement, parents: pd.Series, seed: int, embedder: Embedder) -> Niches:
    words = telling_words(measurement)
    embedding = embed(words, seed=seed)
    own = placed(embedding, seed=seed)
    worded = np.diff(words.matrix.indptr) >= LEAST_WORDS
    label_of = parents.reindex(measurement.communities.index, fill_value=-1).to_numpy()
    places = embedder(measurement, np.flatnonzero((label_of >= 0) & worded), own)
    held_out = words.some(np.array([not seen(term) for term in words.terms], dtype=bool))
    found, cuts = [], []
    for parent in sorted(set(label_of[label_of >= 0].tolist())):
        rows = np.flatnonzero((label_of == parent) & worded & places.known)
        rng = np.random.default_rng([seed, int(parent)])
        groups, stability = _stable_grouping(places.whole, rows, rng)
        p = _held_out_p(places.half(rows), held_out, rows, k=len(stability), rng=rng) if len(stability) > 1 else 1.0
        cuts.append((parent, len(rows), len(stability), p, homogeneity(embedding.vectors(rows))))
        if p <= MOST_CHANCE:
            sizes = np.bincount(groups[groups >= 0], minlength=len(stability))
            kept = np.flatnonzero((stability >= LASTING) & (sizes >= SMALLEST))
            found += [(parent, rows[groups == group], float(stability[group])) for group in kept]
    table, membership = _numbered(found, embedding, measurement.communities.index)
    return Niches(table, membership, pd.DataFrame(cuts, columns=_CUT_COLUMNS), places, embedding)


_CUT_COLUMNS = ["parent", "communities", "k", "p_held_out", "homogeneity"]


def _numbered(found: list[tuple[int, Ints, float]], embedding: Embedding, communities: pd.Index) -> tuple[pd.DataFrame, pd.Series]:
    ordered = sorted(found, key=lambda niche: (niche[0], -len(niche[1]), communities[niche[1][0]]))
    membership = pd.Series(-1, index=communities, name="niche")
    table = []
    for niche, (parent, rows, stability) in enumerate(ordered):
        membership.iloc[rows] = niche
        table.append((niche, parent, len(rows), stability, homogeneity(embedding.vectors(rows))))
    return pd.DataFrame(table, columns=["niche", "parent", "communities", "stability", "homogeneity"]), membership


def homogeneity(vectors: Floats) -> float:
    """Mean cosine between two different members, NaN for fewer than two: (|Σv|² − Σ|v|²) / (n(n − 1))."""
    n = len(vectors)
    if n < 2:
        return float("nan")
    return float((np.square(vectors.sum(axis=0)).sum() - np.square(vectors).sum()) / (n * (n - 1)))


def _stable_grouping(space: Space, rows: Ints, rng: np.random.Generator) -> tuple[Ints, Floats]:
    """Choose the cut that comes back best when communities are resampled and words left out; groups (-1 in none) and stability.

    A group that most of its communities leave is none: its stability is 0. A few that always meet are found in random words too.
    """
    ladder = _ladder(len(rows))
    if not ladder:
        return np.full(len(rows), -1, dtype=np.int_), np.zeros(0)
    groupings = _cut(space.vectors(rows), ladder, rng)
    overlaps: dict[int, list[Floats]] = {k: [] for k in ladder}
    for _ in range(REPLICATES):
        _, bag, again = _resampled(space, rows, ladder, rng)
        for k in ladder:
            overlaps[k].append(_jaccard(groupings[k][bag], again[k], k))
    best = _smallest_as_good(groupings, overlaps)
    groups = _agreed(space, rows, groupings[best], best, rng)
    left = np.bincount(groups[groups >= 0], minlength=best) / np.maximum(np.bincount(groupings[best], minlength=best), 1)
    return groups, np.where(left >= AGREED, _stability(space, rows, groups, best, rng), 0.0)


def _resampled(space: Space, rows: Ints, ladder: list[int], rng: np.random.Generator) -> tuple[Floats, Ints, dict[int, Ints]]:
    """Leave words out and draw communities: the places of all of them, which were drawn, and the groups of those at every k."""
    vectors = space.shaken(rows, rng)
    bag = np.unique(rng.integers(len(rows), size=len(rows)))
    return vectors, bag, _cut(vectors[bag], ladder, rng)


def _agreed(space: Space, rows: Ints, groups: Ints, k: int, rng: np.random.Generator) -> Ints:
    """Let resamples vote for where each community belongs (bagged clustering); -1 where fewer than half agree.

    Dudoit & Fridlyand 2003, doi:10.1093/bioinformatics/btg038: groups of a resample are matched one to one with ``groups``, and every
    community joins the nearest of their centres.
    """
    votes = sparse.csr_matrix((len(rows), k))
    for _ in range(REPLICATES):
        vectors, bag, cut = _resampled(space, rows, [k], rng)
        match = linear_sum_assignment(_table(cut[k], groups[bag], k), maximize=True)[1]
        voted = match[nearest(vectors, unit_rows(sums(vectors[bag], cut[k], k)))]
        votes = votes + sparse.csr_matrix((np.ones(len(rows)), (np.arange(len(rows)), voted)), shape=votes.shape)
    most = votes.max(axis=1).toarray().ravel() >= AGREED * REPLICATES
    return np.where(most, np.asarray(votes.argmax(axis=1)).ravel(), -1)


def _stability(space: Space, rows: Ints, groups: Ints, k: int, rng: np.random.Generator) -> Floats:
    """Tell how well each group comes back in resamples that had no vote, among the communities that have a group."""
    overlaps = []
    for _ in range(REPLICATES):
        _, bag, cut = _resampled(space, rows, [k], rng)
        inside = groups[bag] >= 0
        overlaps.append(_jaccard(groups[bag][inside], cut[k][inside], k))
    return _mean_where_present(np.vstack(overlaps))


def _smallest_as_good(groupings: dict[int, Ints], overlaps: dict[int, list[Floats]]) -> int:
    """Choose the smallest k that comes back as well as the best one does, give or take the best one's standard error."""
    runs = {k: np.array([np.nan_to_num(overlap)[groupings[k]].mean() for overlap in overlaps[k]]) for k in groupings}
    best = max(runs, key=lambda k: (runs[k].mean(), -k))
    enough = runs[best].mean() - runs[best].std(ddof=1) / np.sqrt(REPLICATES)
    return min(k for k in runs if runs[k].mean() >= enough)


def _mean_where_present(overlaps: Floats) -> Floats:
    """Average over the replicates in which a niche had members at all; 0 for one that never had."""
    present = ~np.isnan(overlaps)
    return np.asarray(np.where(present, overlaps, 0.0).sum(axis=0) / np.maximum(present.sum(axis=0), 1))


def _ladder(n: int) -> list[int]:
    """Numbers of niches worth trying for n communities: from the cube root of n to three times that, at least five members each."""
    steps = 12 if n <= FEW else 4
    return [k for k in sorted({round((27 ** (step / steps) * n) ** (1 / 3)) for step in range(steps + 1)}) if 2 <= k <= n // SMALLEST]


def _cut(vectors: Floats, ladder: list[int], rng: np.random.Generator) -> dict[int, Ints]:
    """Cut one Ward hierarchy at every k: groups 0..k-1 of all rows, each row with its nearest centre."""
    n = len(vectors)
    sample = np.arange(n) if n <= SAMPLE else np.sort(rng.choice(n, SAMPLE, replace=False))
    tree = linkage(vectors[sample], "ward")
    return {k: _settled(vectors, vectors[sample], fcluster(tree, k, "maxclust") - 1, k) for k in ladder}


def _settled(vectors: Floats, sample: Floats, groups: Ints, k: int) -> Ints:
    """Let every row join the nearest centre until nothing moves (spherical k-means from Ward's cut)."""
    return settle(vectors, unit_rows(sums(sample, groups, k)), rounds=ROUNDS)[1]


def _jaccard(groups: Ints, again: Ints, k: int) -> Floats:
    """Best Jaccard that each of some groups finds among others over the same rows; NaN for a group with no row here."""
    table = _table(groups, again, k)
    either = table.sum(axis=1, keepdims=True) + table.sum(axis=0, keepdims=True) - table
    best = (table / np.maximum(either, 1)).max(axis=1)
    return np.where(table.sum(axis=1) > 0, best, np.nan)


def _table(groups: Ints, others: Ints, k: int) -> Floats:
    """Count the rows that lie in each pair of groups, shape (k, k)."""
    table = np.zeros((k, k))
    np.add.at(table, (groups, others), 1)
    return table


def _held_out_p(half: Floats, held_out: Words, rows: Ints, *, k: int, rng: np.random.Generator) -> float:
    """Group on one half of the words, and tell how often shuffled groups hold together as well on the other half."""
    groups = _cut(half, [k], rng)[k]
    unseen = unit_length(held_out.matrix[rows])
    actual = _cohesion(unseen, groups, k)
    shuffled = [_cohesion(unseen, rng.permutation(groups), k) for _ in range(SHUFFLES)]
    return (1 + sum(value >= actual for value in shuffled)) / (1 + SHUFFLES)


def _cohesion(vectors: sparse.csr_matrix, groups: Ints, k: int) -> float:
    """Mean product of two members of a group, weighted by size, of what unit rows tell beyond the direction that they share.

    Every long text is near that direction and so like every other, whatever it is about; beyond it none is by its length.
    """
    total = np.asarray(vectors.sum(axis=0)).ravel()
    shared = total / max(float(np.linalg.norm(total)), 1e-12)
    along = vectors @ shared
    beyond = np.asarray(vectors.multiply(vectors).sum(axis=1)).ravel() - along**2
    resultants = sums(vectors, groups, k) - np.outer(np.bincount(groups, along, minlength=k), shared)
    pairs = np.square(resultants).sum(axis=1) - np.bincount(groups, beyond, minlength=k)
    return float((pairs / np.maximum(np.bincount(groups, minlength=k) - 1, 1)).sum())
