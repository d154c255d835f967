"""The opportunity score of archetypes, niches and communities, which are all groups of communities; a community is a group of one.

In flow feature values per community, the panel, and who belongs to what. Out flow scores with their components, weights,
contributions and ingredients. Gates are not here: they never change a score (``verdicts``).
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from scoring.components import PRIOR, SHARES, SLOTS, Blend, Floats, Panel, blend, combine
from scoring.formula import COMPONENTS, FEATURES, INGREDIENTS, Ingredient

Kind = Literal["archetype", "niche", "community"]
Codes = NDArray[np.int64]
SENSITIVE = "a sensitive subject, or a source whose policy forbids it: counted, never scored"
NAMES = [component.name for component in COMPONENTS]
SLOT_NAMES = [ingredient.name for ingredient in INGREDIENTS]
COMPONENT_OF = {ingredient.name: component.name for component in COMPONENTS for ingredient in component.ingredients}


@dataclass(frozen=True)
class Market:
    """What the score knows of a run's communities. Frames are community by feature, in the order of ``communities``."""

    communities: pd.DataFrame
    """Index ``community``, ascending; columns authors (distinct) and withheld (why it is never scored, or empty)."""
    values: pd.DataFrame
    low: pd.DataFrame
    high: pd.DataFrame
    """Ends of the 90 % interval."""
    reasons: pd.DataFrame
    """Why a value is missing."""
    panel: Panel
    portfolio: bool
    """The user named communities of their own."""

    @classmethod
    def of(cls, communities: pd.DataFrame, estimates: pd.DataFrame, *, panel: Panel | None = None, portfolio: bool = False) -> Market:
        """Arrange a run's estimates (community, feature, value, low, high, missing_reason) for scoring.

        Without a panel, the run is its own: all communities that may be scored, as version 1.

        Raises:
            ValueError: communities are not in ascending order of their keys, each once.
        """
        told = communities[["authors", "withheld"]].rename_axis("community")
        keys = told.index
        if not (keys.is_monotonic_increasing and keys.is_unique):
            raise ValueError(
                f"the {len(keys)} communities are not in ascending order, each once: sort them, as author sums count by position."
            )
        tables = {
            column: estimates.pivot(index="community", columns="feature", values=column).reindex(keys)
            for column in ("value", "low", "high", "missing_reason")
        }
        if not portfolio:
            tables = {column: table.drop(columns="cross_promotion", errors="ignore") for column, table in tables.items()}
        values = tables["value"].astype(float)
        panel = panel or Panel.freeze(values[told["withheld"] == ""])
        return cls(told, values, tables["low"].astype(float), tables["high"].astype(float), tables["missing_reason"], panel, portfolio)

    def applicable(self, kind: Kind) -> NDArray[np.bool_]:
        """Tell which ingredients can exist at all for entities of a kind."""
        return np.array(
            [(self.portfolio or not item.needs_portfolio) and (kind != "community" or not item.group_only) for item in INGREDIENTS]
        )


@dataclass(frozen=True)
class Entities:
    """What is ranked among its like: who belongs to it, and the facts that verdicts ask for."""

    kind: Kind
    members: pd.Series
    """Index community, value entity id; communities that belong to none are absent."""
    facts: pd.DataFrame
    """Index entity id; columns authors (distinct), stability (bootstrap Jaccard) and homogeneity (0 to 1), NaN where none."""

    @classmethod
    def each_community(cls, communities: pd.DataFrame) -> Entities:
        """Let every community be an entity of its own."""
        keys = communities.index
        facts = pd.DataFrame({"authors": communities["authors"], "stability": math.nan, "homogeneity": math.nan}, index=keys)
        return cls("community", pd.Series(keys, index=keys), facts)


@dataclass(frozen=True)
class Scores:
    """The point scores of one kind of entity. Frames with one row per entity are sorted by entity id."""

    kind: Kind
    members: pd.Series
    """Index community, value entity id; without communities that are never scored."""
    facts: pd.DataFrame
    """Columns communities, authors, stability, homogeneity, withheld (why it is never scored, or empty), coverage and score."""
    components: pd.DataFrame
    weights: pd.DataFrame
    """After missing components dropped out."""
    contributions: pd.DataFrame
    ingredients: pd.DataFrame
    """One row per entity and applicable ingredient: entity_id, component, slot (the ingredient), ingredient (the feature it was
    read from), value, percentile, weight (what part of its component it carries), measured (share of the entity), missing_reason."""


class Pool(NamedTuple):
    """Groups of communities. Rows are groups; columns follow ``COMPONENTS`` or ``INGREDIENTS``."""

    components: Floats
    shares: Floats
    """What part of its component each ingredient carries."""
    measured: Floats
    """Share of the group in which each ingredient is measured."""


class Members(NamedTuple):
    """Which community, by position, belongs to which group, by position, with what share of it."""

    rows: Codes
    codes: Codes
    shares: Floats
    size: int
    """Number of groups."""

    @classmethod
    def of(cls, rows: Codes, codes: Codes, *, authors: Floats, size: int) -> Members:
        """Weigh each community by the square root of its authors, capped: see :func:`capped_shares`."""
        return cls(rows, codes, capped_shares(codes, np.sqrt(np.maximum(authors[rows], 1.0)), size=size), size)


def capped_shares(codes: Codes, weights: Floats, *, size: int) -> Floats:
    """Share of each member in its group: proportional to weight, but at most three equal shares and at most one half.

    Three equal shares leave ordinary differences of size alone (square roots of lognormal sizes exceed them in about 3 % of
    members) and stop one giant from speaking for all; one half matters in groups of up to five, where three equal shares
    would be a majority. What is cut off goes to the others in proportion.
    """
    count = np.bincount(codes, minlength=size)
    cap = np.where(count > 1, np.minimum(3 / np.maximum(count, 1), 0.5), 1.0)[codes]
    capped = np.zeros(codes.shape, dtype=bool)
    shares = _filled(codes, weights, capped, cap, size)
    while (over := (shares > cap * (1 + 1e-12)) & ~capped).any():
        capped |= over
        shares = _filled(codes, weights, capped, cap, size)
    return shares


def _filled(codes: Codes, weights: Floats, capped: NDArray[np.bool_], cap: Floats, size: int) -> Floats:
    """Give capped members their cap and share out the rest by weight."""
    free = np.bincount(codes, weights=np.where(capped, 0.0, weights), minlength=size)
    left = 1 - np.bincount(codes, weights=np.where(capped, cap, 0.0), minlength=size)
    rate: Floats = np.divide(left, free, out=np.zeros(size), where=free > 0)
    return np.where(capped, cap, weights * rate[codes])


def pool(members: Members, blended: Blend, homogeneity: Floats) -> Pool:
    """Average the members' components; a group's homogeneity joins its focus as an ingredient of its own."""
    rows, codes, shares, size = members
    components = np.column_stack([_mean(codes, shares, column[rows], size) for column in blended.components.T])
    measured = np.column_stack([_total(codes, shares, ~np.isnan(column[rows]), size) for column in blended.percentiles.T])
    carried = np.zeros((size, len(INGREDIENTS)))
    for position, place in enumerate(SLOTS.values()):
        speaks = ~np.isnan(blended.components[rows, position])
        for slot in range(place.start, place.stop):
            carried[:, slot] = np.nan_to_num(_mean(codes, shares, np.where(speaks, blended.shares[rows, slot], math.nan), size))
    _join_homogeneity(components, carried, measured, homogeneity)
    return Pool(components, carried, measured)


def _total(codes: Codes, shares: Floats, holds: NDArray[np.bool_], size: int) -> Floats:
    return np.bincount(codes, weights=shares * holds, minlength=size).astype(float)


def _mean(codes: Codes, shares: Floats, column: Floats, size: int) -> Floats:
    """Weighted mean per group over its measured members; NaN where none is."""
    holds = ~np.isnan(column)
    total = _total(codes, shares, holds, size)
    summed = np.bincount(codes, weights=shares * np.where(holds, column, 0.0), minlength=size)
    mean: Floats = np.divide(summed, total, out=np.full(size, math.nan), where=total > 0)
    return mean


def _join_homogeneity(components: Floats, carried: Floats, measured: Floats, homogeneity: Floats) -> None:
    slot, focus = SLOT_NAMES.index("homogeneity"), NAMES.index("focus")
    known = ~np.isnan(homogeneity)
    share = np.where(known, SHARES[slot], 0.0)
    others = np.where(np.isnan(components[:, focus]), 0.0, 1 - SHARES[slot])
    total = np.where(share + others > 0, share + others, 1.0)
    joined = (share * np.nan_to_num(homogeneity) + others * np.nan_to_num(components[:, focus])) / total
    components[:, focus] = np.where(share + others > 0, joined, math.nan)
    carried[:, SLOTS["focus"]] *= (others / total)[:, None]
    carried[:, slot] = share / total
    measured[:, slot] = known


def homogeneity(matrix: pd.DataFrame, members: pd.Series) -> pd.Series:
    """How alike a group's communities are: one minus their variance over the market's, 0 to 1; NaN for a group of one.

    Args:
        matrix: Communities by coordinates, finite, on the scale that clusters are made on.
        members: Index community, value entity id.
    """
    inside = matrix.loc[members.index]
    total = float(((matrix - matrix.mean()) ** 2).sum().sum()) / max(len(matrix) - 1, 1)
    spread = inside.groupby(members).var(ddof=1).sum(axis=1, min_count=1)
    return (1 - spread / total).clip(0, 1) if total > 0 else spread * math.nan


def score(entities: Entities, market: Market) -> Scores:
    """Score entities of one kind: members' components averaged, then ``S = 100 · Π g^w`` over the measured components.

    An entity without a community that may be scored gets no score, and the reason in ``facts.withheld``.

    Raises:
        ValueError: a community belongs to an entity without facts.
    """
    facts = entities.facts.rename_axis("entity_id").sort_index()
    if strangers := sorted(set(entities.members) - set(facts.index)):
        raise ValueError(f"{len(strangers)} {entities.kind}s have communities but no facts, first {strangers[0]}: give each its facts.")
    why = market.communities["withheld"]
    free = why.index[why == ""]
    members = entities.members.loc[entities.members.index.isin(free)].sort_index().rename_axis("community").rename("entity_id")
    placed = Members.of(
        np.asarray(market.communities.index.get_indexer(members.index), dtype=np.int64),
        np.asarray(facts.index.get_indexer(pd.Index(members)), dtype=np.int64),
        authors=market.communities["authors"].to_numpy(float),
        size=len(facts),
    )
    counts = np.bincount(placed.codes, minlength=len(facts))
    facts["homogeneity"] = facts["homogeneity"].astype(float).where(counts > 0)
    pooled = pool(placed, blend(market.values, market.panel), facts["homogeneity"].to_numpy(float))
    points, weights, contributions = combine(pooled.components)
    told = facts[["authors", "stability", "homogeneity"]].assign(
        communities=counts,
        withheld=_withheld(entities.members, why).reindex(facts.index, fill_value=SENSITIVE).where(counts == 0, ""),
        coverage=coverage(pooled.measured, market.applicable(entities.kind)),
        score=points,
    )
    ingredients = _ingredients(entities.kind, market, placed, pooled, told)
    shares, parts, logs = (pd.DataFrame(array, index=facts.index, columns=NAMES) for array in (weights, pooled.components, contributions))
    return Scores(entities.kind, members, told, components=parts, weights=shares, contributions=logs, ingredients=ingredients)


def _withheld(members: pd.Series, why: pd.Series) -> pd.Series:
    """Say of each entity why its first community is never scored."""
    return why.reindex(members.index).groupby(members.to_numpy()).first()


def coverage(measured: Floats, applicable: NDArray[np.bool_]) -> Floats:
    """Measured prior weight over applicable prior weight; an ingredient known for a third of a group counts for a third."""
    share: Floats = (measured * PRIOR)[:, applicable].sum(axis=1) / PRIOR[applicable].sum()
    return share


def medians(market_values: pd.DataFrame, members: Members) -> pd.DataFrame:
    """Median of each feature over a group's measured members, in its own unit. One row per group, in order."""
    present = [feature for feature in FEATURES if feature in market_values.columns]
    return market_values[present].iloc[members.rows].groupby(members.codes).median().reindex(range(members.size))


def _ingredients(kind: Kind, market: Market, members: Members, pooled: Pool, facts: pd.DataFrame) -> pd.DataFrame:
    """Lay out every applicable ingredient in its own unit (for a group: the members' median), with its percentile or its reason."""
    own = medians(market.values, members).assign(homogeneity=facts["homogeneity"].to_numpy(float))
    percentiles = blend(own, market.panel).percentiles
    percentiles[:, SLOT_NAMES.index("homogeneity")] = own["homogeneity"]  # a share already: no community has it, so no panel does
    parts = []
    for slot in np.flatnonzero(market.applicable(kind)):
        name = SLOT_NAMES[slot]
        read, value = _read(INGREDIENTS[slot], own)
        part = pd.DataFrame({"entity_id": facts.index, "component": COMPONENT_OF[name], "slot": name, "ingredient": read})
        part = part.assign(value=value, percentile=percentiles[:, slot], weight=pooled.shares[:, slot], measured=pooled.measured[:, slot])
        parts.append(part.assign(missing_reason=np.array(_reasons(INGREDIENTS[slot], market, members, part), dtype=object)))
    return pd.concat(parts, ignore_index=True)


def _read(ingredient: Ingredient, own: pd.DataFrame) -> tuple[NDArray[np.object_], Floats]:
    """Name the reading that each entity has, and its value; the preferred one where it has none."""
    read = np.full(len(own), ingredient.name, dtype=object)
    value = np.full(len(own), math.nan)
    for reading in ingredient.readings:
        if reading.feature in own.columns:
            here = own[reading.feature].to_numpy(float)
            fresh = np.isnan(value) & ~np.isnan(here)
            read[fresh], value = reading.feature, np.where(fresh, here, value)
    return read, value


def _reasons(ingredient: Ingredient, market: Market, members: Members, part: pd.DataFrame) -> list[str | None]:
    """Say for each entity without a percentile why it has none: the most frequent reason of its communities."""
    missing = np.flatnonzero(part["percentile"].isna())
    value = part["value"].to_numpy(float)
    reasons: list[str | None] = [None] * len(part)
    if not missing.size:
        return reasons
    known = market.reasons[ingredient.name].to_numpy(object) if ingredient.name in market.reasons else None
    order = np.argsort(members.codes, kind="stable")
    bounds = np.searchsorted(members.codes[order], np.arange(members.size + 1))
    for entity in missing:
        rows = members.rows[order[bounds[entity] : bounds[entity + 1]]]
        if ingredient.group_only:
            reasons[entity] = "a group of fewer than two communities has no likeness"
        elif not np.isnan(value[entity]):
            reasons[entity] = f"panel v{market.panel.version} has no value to compare it with"
        else:
            reasons[entity] = _commonest([str(known[row]) for row in rows] if known is not None else [])
    return reasons


def _commonest(reasons: list[str]) -> str:
    if not reasons:
        return "not measured in this run"
    often, _ = min(Counter(reasons).items(), key=lambda item: (-item[1], item[0]))
    return often if len(reasons) == 1 else f"measured in none of its {len(reasons)} communities, most often: {often}"
