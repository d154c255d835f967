"""How k is selected: partitions for every k in, one choice out, with the curves behind it and how often it would be made again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from discovery.clustering import criteria
from discovery.clustering.choice import (
    COMMON,
    QUICK,
    RULES,
    THOROUGH,
    Choice,
    Curves,
    Effort,
    Evidence,
    choose,
    curve,
    curves,
    references,
    spread,
    structure_of,
    vote,
)
from discovery.clustering.partition import Matrix, Partition, distinct
from discovery.clustering.path import carried
from discovery.clustering.regions import Regions, dense, least_size, regions
from discovery.clustering.stability import LASTING, bootstrap_jaccard

CONSENSUS = "consensus"
CRITERIA = (CONSENSUS, *RULES)
"""What may choose k: all together, or one alone."""
RESAMPLE = 2_000
"""Rows of each resample behind the confidence at most."""
KEEP = 0.8
"""Share of resamples that a new k must win to replace the last one."""
SHOWN = 0.8
"""Share of resamples that must show a valley at a k for its clusters to be claimed: of one shape, half of them do by chance."""


class Search(NamedTuple):
    """What is asked for; the arguments of ``AutoKMeans``."""

    criterion: str
    k_min: int
    last_k: int | None
    n_resamples: int
    allow_segments: bool


class Shown(NamedTuple):
    """What some rows show."""

    curves: Curves
    kinds: int
    """Regions of density that K-Means can follow; 1 where there are none that are real."""


class Selection(NamedTuple):
    """What was chosen, how often it would be again, and every point of every curve: criterion, k, value, error."""

    choice: Choice
    confidence: float
    table: pd.DataFrame


def select(rows: Matrix, path: list[Partition], search: Search, *, random: np.random.Generator) -> Selection:
    """Choose among the partitions of a path: draw the curves, let them vote, and ask resamples whether they would say the same."""
    if len(path) == 1:
        return Selection(Choice(1, "none", {}), 1.0, _table({"inertia": criteria.inertia(path)}, {}))
    if search.criterion != CONSENSUS:
        return _alone(rows, path, search, random)
    candidates, jaccard = _candidates(rows, path, random, max(1, search.n_resamples // 2))
    found = regions(spread(rows, random), len(path), random=random, resamples=max(1, search.n_resamples // 2))
    shown = Shown(_curves(rows, path, random, THOROUGH), found.count(path))
    common = frozenset(k for k in candidates if shown.curves.values["split_half_ari"][k - 1] >= COMMON)
    apart = shown.curves.apart & common
    choice = _chosen(shown, apart, candidates, search)
    reach = max(choice.k, search.last_k or 1, *choice.votes.values()) + 1
    again = _resampled(rows, path[:reach], random, search.n_resamples, most=len(path) if shown.kinds > 1 else 1)
    sure = frozenset(k for k in apart if sum(k in one.curves.apart for one in again) >= SHOWN * len(again))
    choice = _chosen(shown, sure, candidates, search)  # a valley that resamples do not show at this k is no find
    wins = [_chosen(one, one.curves.apart & common, candidates, search) for one in again]
    lasting = {"clusters": apart | {shown.kinds}, "segments": candidates - apart}
    still = [win for win in wins if win.k == search.last_k and win.k in candidates & lasting.get(win.structure, set())]
    choice, confidence = _kept(choice, wins, still)
    return Selection(choice, confidence, _table({**shown.curves.values, "bootstrap_jaccard": jaccard}, shown.curves.errors))


def _alone(rows: Matrix, path: list[Partition], search: Search, random: np.random.Generator) -> Selection:
    """Let one criterion choose alone; the structure then tells what its clusters are, and does not change their number."""
    allowed = list(range(min(search.k_min, len(path)), len(path) + 1))

    def says(some: Matrix, parts: list[Partition], effort: Effort) -> tuple[int, Matrix, Matrix]:
        values, errors = curve(search.criterion, some, parts, random=random, effort=effort)
        return vote(search.criterion, values, errors, [k for k in allowed if k <= len(parts)]), values, errors

    k, values, errors = says(rows, path, THOROUGH)
    again = [says(*_resample(rows, path, random), QUICK)[0] for _ in range(search.n_resamples)]
    confidence = float(np.mean([other == k for other in again])) if again else np.nan
    choice = Choice(k, structure_of(rows, path[k - 1], random), {search.criterion: k})
    return Selection(choice, confidence, _table({"inertia": criteria.inertia(path), search.criterion: values}, {search.criterion: errors}))


def _curves(rows: Matrix, path: list[Partition], random: np.random.Generator, effort: Effort) -> Curves:
    drawn = references(rows, len(path), random=random, effort=effort)
    return curves(rows, path, references=drawn, random=random, effort=effort)


def _candidates(rows: Matrix, path: list[Partition], random: np.random.Generator, resamples: int) -> tuple[frozenset[int], Matrix]:
    """Keep each k whose smallest cluster has max(5, 2 %) members and whose every cluster comes back in bootstraps."""
    weakest = np.full(len(path), np.nan)
    for part in path:
        if part.sizes.min() >= least_size(len(rows)):
            weakest[part.k - 1] = bootstrap_jaccard(rows, part, random=random, resamples=resamples).min()
    return frozenset(int(k) for k in np.flatnonzero(weakest >= LASTING) + 1), weakest


def _chosen(shown: Shown, apart: frozenset[int], candidates: frozenset[int], search: Search) -> Choice:
    known = Evidence(frozenset(k for k in candidates if k <= shown.curves.k_max), apart, shown.kinds)
    return choose(shown.curves, known, k_min=search.k_min, allow_segments=search.allow_segments)


def _resampled(rows: Matrix, path: list[Partition], random: np.random.Generator, resamples: int, *, most: int) -> list[Shown]:
    """Ask subsamples of four fifths of the rows, at most 2,000, from the known centres and against shared references.

    They are asked for as many regions of density as ``most``; of one of them, regions are as real as those of all rows.
    """
    drawn = references(rows, len(path), random=random, effort=QUICK)
    found = []
    for _ in range(resamples):
        some, again = _resample(rows, path, random)
        kinds = Regions(np.arange(len(some)), dense(spread(some, random), most), real=True).count(again) if most > 1 else 1
        found.append(Shown(curves(some, again, references=drawn, random=random, effort=QUICK), kinds))
    return found


def _resample(rows: Matrix, path: list[Partition], random: np.random.Generator) -> tuple[Matrix, list[Partition]]:
    size = min(RESAMPLE, max(1, int(0.8 * len(rows))))
    some = rows[np.sort(random.choice(len(rows), size, replace=False))]
    return some, carried(some, path[: distinct(some, len(path))])


def _kept(choice: Choice, wins: list[Choice], still: list[Choice]) -> tuple[Choice, float]:
    """Count how often the choice wins; the last k stays unless the new one wins clearly, or hardly any resample is ``still`` for the last.

    Clusters do not become a cut because they were one, nor a cut clusters; only where there is neither tonight may it be either.
    """
    share = _share(choice, wins)
    same = [Choice(win.k, win.structure, choice.votes) for win in still if choice.structure in (win.structure, "none")]
    if share >= KEEP or not same or same[0].k == choice.k or len(same) < (1 - KEEP) * len(wins):
        return choice, share
    kept = max(same, key=lambda one: sum(one == other for other in same))
    return kept, _share(kept, wins)


def _share(choice: Choice, wins: list[Choice]) -> float:
    return sum((win.k, win.structure) == (choice.k, choice.structure) for win in wins) / max(len(wins), 1)


def _table(values: Mapping[str, Matrix], errors: Mapping[str, Matrix]) -> pd.DataFrame:
    """Tell every point of every curve that is defined."""
    frames = [
        pd.DataFrame({"criterion": name, "k": np.arange(1, len(value) + 1), "value": value, "error": errors.get(name, np.nan)})
        for name, value in sorted(values.items())
    ]
    return pd.concat(frames, ignore_index=True).dropna(subset="value").reset_index(drop=True)
