"""How sure a score and a rank are: replicates of the whole chain from authors to rank, never from the records again.

In flow point scores, sums per author, and the caller's clustering. Out flow intervals of score and rank, and how often an
entity stands at the top.

One replicate draws, in this order:

1. authors: every (community, author) row gets a Poisson(1) weight, and every feature that is a ratio of sums over authors
   moves by as much as its ratio does, times the part of its value that is the community's own;
2. every other feature from its own 90 % interval (a normal with one width below the value and one above it); so too a ratio
   that rests on fewer than five, as a resampling cannot draw what it never saw and would call a zero certain;
3. archetypes: communities are clustered again on the drawn values and matched by Jaccard. A cluster that shares less than
   half with an archetype is not that archetype (Hennig 2007: dissolved), and the archetype is absent from the replicate.
   Niches keep their communities, as the vocabulary that makes them is not drawn;
4. communities inside archetypes and niches: exponential weights (Bayesian bootstrap, Rubin 1981), which unlike counts never
   leave a niche of five without any;
5. the components' weights: Dirichlet(40 · prior).

The panel, stability, homogeneity, coverage and numbers of authors stay as they are. Features are drawn independently of each
other, but for those that share authors.

Noise on top of noise pulls percentiles to the middle of the panel, most for the entities at its ends. That pull says how
noisy values are, not that tonight's score is too high, so each component's mean shift over the replicates is taken out:
intervals tell spread. ``shift`` reports how much of the score the pull would have been.

Ranks are marginal and follow the order of the ranking (verdict, then score): by score alone a shallow giant's published rank
could lie outside its own interval. The lower bound that a verdict asks for keeps tonight's distance below the score.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import linear_sum_assignment

from scoring.components import WEIGHTS, Blend, Floats, Panel, blend, combine
from scoring.opportunity import NAMES, Market, Members, Scores, medians, pool
from scoring.thresholds import Thresholds
from scoring.verdicts import Gates, grade, order

NORMAL_90 = 1.6448536269514722
CONCENTRATION = 40
FEW = 5
"""Least weighted sum in a numerator that a resampling of authors is trusted with."""
SAME = 0.5
"""Least Jaccard at which a cluster of a replicate is still the same archetype."""


@dataclass(frozen=True)
class Resampling:
    """What the replicates draw from, and how the caller's own stages answer a draw."""

    author_sums: pd.DataFrame
    """One row per (community, author), in any order: ``row``, the position of the community in ``Market.communities``, and
    integer sums. Carries no author id."""
    ratios: Mapping[str, tuple[Mapping[str, float], str]]
    """By feature: the weights of the sums in its numerator, and the sum that is its denominator."""
    own_weight: pd.DataFrame
    """Community by feature: the part of a shrunk ratio that is the community's own, NaN where missing."""
    recluster: Callable[[pd.DataFrame], pd.Series] | None
    """From drawn values (community by feature) to labels per community, negative for outliers; deterministic. None where the run
    has no archetypes."""
    replicates: int = 200
    seed: int = 0


class _Draw(NamedTuple):
    """One replicate of the market."""

    values: pd.DataFrame
    emphasis: Floats
    """Exponential weight of each community."""
    weights: Floats
    """Weight of each component."""


def intervals(scores: Sequence[Scores], market: Market, *, resampling: Resampling, thresholds: Thresholds) -> dict[str, pd.DataFrame]:
    """Draw the replicates and summarise them, for every kind of entity.

    Args:
        scores: Point scores, one per kind.
        market: What they were scored on.
        resampling: What to draw from.
        thresholds: Where verdicts change, as ranks follow verdicts.

    Returns:
        Per kind a frame by entity id: score_low, score_high, rank_low, rank_high (90 %, marginal), p_top1, p_top5, presence
        (share of replicates that found it) and shift. NaN for what is never scored or never found.

    Raises:
        ValueError: archetypes are to be drawn without a way to cluster.
    """
    if resampling.recluster is None and any(scored.kind == "archetype" and len(scored.facts) for scored in scores):
        raise ValueError("archetypes need `recluster`: without it their replicates would keep tonight's clusters.")
    runs = [_Run.empty(scored, market, resampling.replicates) for scored in scores]
    for number, draw in enumerate(_draws(market, resampling)):
        blended = blend(draw.values, market.panel)
        for run in runs:
            members = run.members
            if run.scores.kind == "archetype" and resampling.recluster and len(run.scores.facts):
                members = rematched(run.scores, market, resampling.recluster(draw.values))
            run.keep(number, draw, blended, members)
    return {run.scores.kind: _summary(run, thresholds) for run in runs}


def _draws(market: Market, resampling: Resampling) -> Iterator[_Draw]:
    """Yield the replicates one by one: memory does not grow with their number."""
    sums = _Sums.of(market, resampling)
    names = sorted(market.values.columns)
    spread = _Spread.of(market, names)
    places = [names.index(name) for name in sums.features]
    own = resampling.own_weight.reindex(index=market.communities.index, columns=sums.features).to_numpy(float)
    everyone = np.ones(sums.rows)
    tonight = sums.ratios(everyone)
    seen = sums.numerators(everyone) >= FEW
    bounds = np.fmin.reduce(spread.value, axis=0), np.fmax.reduce(spread.value, axis=0)  # nan only for what nobody has
    for number in range(resampling.replicates):
        rng = np.random.default_rng([resampling.seed, number])
        moved = spread.value[:, places] + own * (sums.ratios(rng.poisson(1.0, sums.rows)) - tonight)
        values = spread.draw(rng)
        values[:, places] = np.where(seen & ~np.isnan(moved), moved, values[:, places])
        frame = pd.DataFrame(np.clip(values, *bounds), index=market.communities.index, columns=names)
        yield _Draw(frame, rng.exponential(size=len(frame)), rng.dirichlet(CONCENTRATION * WEIGHTS))


@dataclass(frozen=True)
class _Sums:
    """The authors' sums in an order that only their content decides: neither rows nor columns choose who draws which weight."""

    features: list[str]
    table: Floats
    """One row per (community, author), one column per sum."""
    starts: NDArray[np.int64]
    """Where each community's rows begin, and where the last one's end."""
    above: Floats
    """Weights of the sums in each feature's numerator, shape (sums, features)."""
    below: list[int]
    """Which sum is each feature's denominator."""

    @classmethod
    def of(cls, market: Market, resampling: Resampling) -> _Sums:
        features = sorted(set(resampling.ratios) & set(market.values.columns))
        told = [resampling.ratios[name] for name in features]
        names = sorted({name for top, base in told for name in (*top, base)})
        table = resampling.author_sums[["row", *names]].to_numpy(np.int64)
        table = table[np.lexsort(table.T[::-1])]
        starts = np.searchsorted(table[:, 0], np.arange(len(market.communities) + 1))
        above = np.array([[top.get(name, 0.0) for top, _ in told] for name in names]).reshape(len(names), len(features))
        below = [names.index(base) for _, base in told]
        return cls(features, np.ascontiguousarray(table[:, 1:], dtype=float), starts, above, below)

    @property
    def rows(self) -> int:
        return len(self.table)

    def totals(self, weights: NDArray[Any]) -> Floats:
        """Add up each sum per community. Whole numbers throughout, so exact in any order."""
        picked = sparse.csr_array((weights.astype(float), np.arange(self.rows), self.starts), shape=(len(self.starts) - 1, self.rows))
        return np.asarray(picked @ self.table)

    def ratios(self, weights: NDArray[Any]) -> Floats:
        """Divide, shape (communities, features); NaN where a community drew nobody."""
        totals = self.totals(weights)
        above, below = _weighted(totals, self.above), totals[:, self.below]
        ratio: Floats = np.divide(above, below, out=np.full(below.shape, math.nan), where=below > 0)
        return ratio

    def numerators(self, weights: NDArray[Any]) -> Floats:
        """Say how much each ratio rests on, shape (communities, features)."""
        return _weighted(self.totals(weights), np.abs(self.above) > 0)


def _weighted(totals: Floats, weights: NDArray[Any]) -> Floats:
    """Multiply in a fixed order: a BLAS product may round differently on another number of threads."""
    product: Floats = np.einsum("cs,sf->cf", totals, weights.astype(float), optimize=False)
    return product


class _Spread(NamedTuple):
    """Values with the standard deviations that their 90 % intervals tell, below and above."""

    value: Floats
    below: Floats
    above: Floats

    @classmethod
    def of(cls, market: Market, names: list[str]) -> _Spread:
        value, low, high = (table[names].to_numpy(float) for table in (market.values, market.low, market.high))
        return cls(value, *(np.nan_to_num(np.maximum(width, 0.0)) / NORMAL_90 for width in (value - low, high - value)))

    def draw(self, rng: np.random.Generator) -> Floats:
        normal = rng.standard_normal(self.value.shape)
        drawn: Floats = self.value + normal * np.where(normal < 0, self.below, self.above)
        return drawn


def rematched(scores: Scores, market: Market, labels: pd.Series) -> Members:
    """Find the archetypes again among new clusters: one cluster each, the largest total Jaccard, none below one half."""
    keys = market.communities.index
    old = pd.Series(scores.facts.index.get_indexer(pd.Index(scores.members)), index=scores.members.index).reindex(keys, fill_value=-1)
    free = (market.communities["withheld"] == "").to_numpy(bool)
    new = labels.reindex(keys, fill_value=-1).to_numpy()
    names, fresh = np.unique(new[free & (new >= 0)], return_inverse=True)
    codes = np.full(len(keys), -1)
    codes[free & (new >= 0)] = fresh
    size = len(scores.facts)
    both = (old.to_numpy() >= 0) & (codes >= 0)
    shared = np.bincount(old.to_numpy()[both] * len(names) + codes[both], minlength=size * len(names)).reshape(size, len(names))
    union = np.bincount(old[old >= 0], minlength=size)[:, None] + np.bincount(codes[codes >= 0], minlength=len(names)) - shared
    jaccard = shared / np.maximum(union, 1)
    archetypes, clusters = linear_sum_assignment(-jaccard)
    same = jaccard[archetypes, clusters] >= SAME
    entity = np.full(len(names) + 1, -1)  # the last place answers for -1, outliers
    entity[clusters[same]] = archetypes[same]
    found = entity[codes]
    rows = np.flatnonzero(found >= 0)
    return Members.of(rows, found[rows], authors=market.communities["authors"].to_numpy(float), size=size)


@dataclass(frozen=True)
class _Run:
    """The replicates of one kind of entity; rows of the arrays are replicates."""

    scores: Scores
    members: Members
    """Tonight's."""
    point: Floats
    """Components, and the switching wedge as a last column, which a gate reads."""
    parts: NDArray[np.float32]
    """What ``point`` became, shape (replicates, entities, columns)."""
    weights: Floats
    found: NDArray[np.bool_]
    panel: Panel

    @classmethod
    def empty(cls, scores: Scores, market: Market, replicates: int) -> _Run:
        keys, ids = market.communities.index, scores.facts.index
        rows, codes = keys.get_indexer(scores.members.index), ids.get_indexer(pd.Index(scores.members))
        members = Members.of(rows, codes, authors=market.communities["authors"].to_numpy(float), size=len(ids))
        point = np.column_stack([scores.components.to_numpy(float), Gates.of(scores, np.full(len(ids), math.nan)).switching_wedge])
        parts = np.full((replicates, *point.shape), math.nan, dtype=np.float32)
        return cls(scores, members, point, parts, np.empty((replicates, len(WEIGHTS))), np.zeros(parts.shape[:2], dtype=bool), market.panel)

    def keep(self, number: int, draw: _Draw, blended: Blend, members: Members) -> None:
        """Note what a replicate makes of the entities."""
        drawn = members._replace(shares=members.shares * draw.emphasis[members.rows])
        present = np.bincount(members.codes, minlength=members.size) > 0
        components = pool(drawn, blended, self.scores.facts["homogeneity"].to_numpy(float)).components
        median = medians(draw.values.filter(["switching_wedge"]), members)
        wedge = self.panel.percentile("switching_wedge", median.reindex(columns=["switching_wedge"]).to_numpy(float)[:, 0])
        self.parts[number] = np.where(present[:, None], np.column_stack([components, wedge]), math.nan)
        self.weights[number] = draw.weights
        self.found[number] = present & (self.scores.facts["withheld"] == "").to_numpy(bool)


def _summary(run: _Run, thresholds: Thresholds) -> pd.DataFrame:
    facts = run.scores.facts
    pull = _pull(run)
    settled = np.array([_score(np.clip(part - pull, 0, 1), weight) for part, weight in zip(run.parts, run.weights, strict=True)])
    pulled = np.array([_score(part, weight) for part, weight in zip(run.parts, run.weights, strict=True)])
    low, high = _quantile(settled, 0.05, "linear"), _quantile(settled, 0.95, "linear")
    ranks = _ranks(run, settled, pull, Gates.of(run.scores, low), thresholds)
    none = (facts["withheld"] != "").to_numpy(bool)
    shares = {"p_top1": ranks <= 1, "p_top5": ranks <= 5, "presence": run.found}
    return pd.DataFrame(
        {
            "score_low": low,
            "score_high": high,
            "rank_low": _quantile(ranks, 0.05, "lower"),
            "rank_high": _quantile(ranks, 0.95, "higher"),
            **{name: np.where(none, math.nan, holds.mean(axis=0)) for name, holds in shares.items()},
            "shift": _quantile(pulled, 0.5, "linear") - _quantile(settled, 0.5, "linear"),
        },
        index=facts.index,
    ).astype({"rank_low": "Int64", "rank_high": "Int64"})


def _pull(run: _Run) -> Floats:
    """Mean of the replicates minus tonight's value, per entity and component; 0 where there is nothing to compare."""
    total, count = np.zeros(run.point.shape), np.zeros(run.point.shape)
    for part in run.parts:
        known = ~np.isnan(part)
        total += np.where(known, part - run.point, 0.0)
        count += known
    return np.nan_to_num(total / np.maximum(count, 1))


def _score(parts: Floats, weights: Floats) -> Floats:
    return combine(parts[:, :-1].astype(float), weights)[0]


def _ranks(run: _Run, scores: Floats, pull: Floats, tonight: Gates, thresholds: Thresholds) -> Floats:
    """Rank the entities of each replicate by verdict, then score; NaN where one was not found."""
    ranks = np.full(scores.shape, math.nan)
    for number, score in enumerate(scores):
        parts = dict(zip([*NAMES, "switching_wedge"], np.clip(run.parts[number] - pull, 0, 1).T, strict=True))
        gates = tonight._replace(
            **{name: parts[name] for name in ("demand", "money", "retained_reach", "headroom", "switching_wedge")},
            score=score,
            score_low=score - (tonight.score - tonight.score_low),
        )
        found = np.flatnonzero(run.found[number] & ~np.isnan(score))
        best = order(grade(gates, thresholds)[found], score[found])
        ranks[number, found[best]] = np.arange(1, len(found) + 1)
    return ranks


def _quantile(table: Floats, share: float, method: Literal["linear", "lower", "higher"]) -> Floats:
    """Quantile of each column over its known rows; NaN for a column without any."""
    some = ~np.isnan(table).all(axis=0)
    result = np.full(table.shape[1], math.nan)
    result[some] = np.nanquantile(table[:, some], share, axis=0, method=method)
    return result
