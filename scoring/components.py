"""What the score is made of: ingredients, components, and the frozen panel that turns values into percentiles.

In flow feature values in their own units, one row per community. Out flow percentiles per ingredient and the components
they make. Everything is declared once, here; report, SQL and sentences read these declarations.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Reading(NamedTuple):
    """A feature that an ingredient is read from, with the plain words a sentence uses."""

    feature: str
    title: str
    unit: str
    """Empty for a plain number; ``share`` is printed as per cent."""

    def words(self, value: float, *, digits: int = 3) -> str:
        """Print a value in the feature's own unit, with so many significant digits."""
        if self.unit == "share":
            return f"{100 * value:.{digits}g} %"
        return f"{value:,.{max(digits, len(str(int(abs(value)))))}g} {self.unit}".rstrip()


@dataclass(frozen=True)
class Ingredient:
    """A measured quantity that stands in exactly one component. More of it is always better."""

    readings: tuple[Reading, ...]
    """In order of preference: the first that is measured is read, on its own panel."""
    weight: float
    """Prior weight inside the component."""
    meaning: str
    cap: float = 1.0
    """Highest percentile it can earn."""
    group_only: bool = False
    """Exists for archetypes and niches only, as a share between 0 and 1 that needs no panel."""
    needs_portfolio: bool = False
    """Not applicable, so not missing either, where the user names no communities of their own."""

    @property
    def name(self) -> str:
        """The feature it is named for."""
        return self.readings[0].feature


@dataclass(frozen=True)
class Component:
    """One factor of the score: ``S = 100 · Π g^weight`` with ``g = 0.02 + 0.98 · component``."""

    name: str
    title: str
    weight: float
    """Prior weight; Dirichlet(40 · weight) in the replicates."""
    meaning: str
    ingredients: tuple[Ingredient, ...]


COMPONENTS: tuple[Component, ...] = (
    Component(
        "demand",
        "demand",
        0.22,
        "People say that something is missing, and they say the same thing.",
        (
            Ingredient((Reading("seeking", "share of authors who look for a solution", "share"),), 0.5, "asking for a tool or a way"),
            Ingredient((Reading("pain", "share of authors who describe a pain", "share"),), 0.25, "hours lost, manual work, frustration"),
            Ingredient(
                (Reading("need_concentration", "concentration of needs", ""),), 0.25, "many ask for one thing, not each for another"
            ),
        ),
    ),
    Component(
        "money",
        "money",
        0.22,
        "People speak of money they spend or mean to spend.",
        (
            Ingredient(
                (Reading("money", "money signals per author", ""),),
                1.0,
                "revealed spend 1, procurement .6, hypothetical pay .25, refusal −.4, per distinct author",
            ),
        ),
    ),
    Component(
        "retained_reach",
        "retained reach",
        0.15,
        "Enough people are there, they come back, and they talk with each other.",
        (
            Ingredient(
                (
                    Reading("rmst_90", "days that authors stay, of the first 90", "days"),
                    Reading("retention", "share of authors who return next month", "share"),
                ),
                0.5,
                "authors stay; where survival cannot be measured, monthly retention stands in",
            ),
            # Clipped, not rescaled: small size costs, great size buys nothing, and .75 stays a percentile like every other.
            # The clip takes the same constant from all that reach it, so it moves no order among them.
            Ingredient(
                (Reading("active_authors", "active authors", "per 28 days"),),
                0.25,
                "size, which counts up to the panel's upper quarter",
                cap=0.75,
            ),
            Ingredient(
                (Reading("engagement", "engagement", "(principal component)"),), 0.25, "depth of talk, people per thread, daily regulars"
            ),
        ),
    ),
    Component(
        "unmet",
        "unmet need",
        0.13,
        "What people ask for is not solved for them today.",
        (
            Ingredient(
                (Reading("unsolved_share", "share of questions left unsolved", "share"),),
                0.5,
                "help threads without an acknowledged answer",
            ),
            Ingredient((Reading("unanswered_48h", "share of posts without a reply in 48 hours", "share"),), 0.3, "nobody answers at all"),
            Ingredient(
                (Reading("workaround_rate", "share of authors who work around it", "share"),),
                0.2,
                "spreadsheets, scripts and other makeshift",
            ),
        ),
    ),
    Component(
        "headroom",
        "headroom",
        0.10,
        "The field is not full, or people want to leave what fills it.",
        (
            Ingredient(
                (Reading("headroom", "headroom", ""),), 0.7, "one minus saturation by product mentions, promotion and satisfied answers"
            ),
            Ingredient((Reading("switching_wedge", "switching wedge", ""),), 0.3, "one product dominates, and people ask for alternatives"),
        ),
    ),
    Component(
        "growth",
        "growth",
        0.08,
        "More people take part from month to month.",
        (Ingredient((Reading("growth", "growth of active authors", "log points per 28 days"),), 1.0, "slope of active authors, shrunk"),),
    ),
    Component(
        "cross_promotion",
        "cross-promotion fit",
        0.05,
        "Its people already meet the user's own communities.",
        (
            Ingredient(
                (Reading("cross_promotion", "author overlap with your communities", "(log lift)"),),
                1.0,
                "author-overlap lift",
                needs_portfolio=True,
            ),
        ),
    ),
    Component(
        "focus",
        "focus",
        0.05,
        "It is about something of its own, and its parts are alike.",
        (
            Ingredient((Reading("specificity", "topical specificity", "nats"),), 0.6, "words that set it apart from the market"),
            Ingredient(
                (Reading("homogeneity", "likeness of its communities", ""),),
                0.4,
                "one minus spread inside over spread of the market",
                group_only=True,
            ),
        ),
    ),
)
INGREDIENTS: tuple[Ingredient, ...] = tuple(ingredient for component in COMPONENTS for ingredient in component.ingredients)
_ENDS = np.cumsum([len(component.ingredients) for component in COMPONENTS]).tolist()
SLOTS: dict[str, slice] = {
    component.name: slice(end - len(component.ingredients), end) for component, end in zip(COMPONENTS, _ENDS, strict=True)
}
"""Where a component's ingredients stand in every array whose columns follow ``INGREDIENTS``."""
WEIGHTS: Floats = np.array([component.weight for component in COMPONENTS])
SHARES: Floats = np.array([ingredient.weight for ingredient in INGREDIENTS])
PRIOR: Floats = np.array([component.weight * ingredient.weight for component in COMPONENTS for ingredient in component.ingredients])
"""Prior weight of each ingredient in the whole score; sums to one."""
FEATURES: tuple[str, ...] = tuple(reading.feature for item in INGREDIENTS if not item.group_only for reading in item.readings)
"""The community features that the score reads."""


@dataclass(frozen=True)
class Panel:
    """The frozen reference: a percentile is the share of its communities strictly below, so last night's .70 equals tonight's."""

    version: int
    values: pd.DataFrame
    """Communities by feature, in the features' own units, NaN where not measured."""

    @classmethod
    def freeze(cls, values: pd.DataFrame, *, version: int = 1) -> Panel:
        """Freeze the features that the score reads. Give it only communities that may be scored."""
        return cls(version, values.reindex(columns=list(FEATURES)).sort_index().astype(float).rename_axis(index="community", columns=None))

    @classmethod
    def from_rows(cls, rows: pd.DataFrame) -> Panel:
        """Read a panel back from the columns of ``storage.tables.PanelValue``.

        Raises:
            ValueError: the rows hold no version, or more than one.
        """
        versions = sorted(set(rows["version"]))
        if len(versions) != 1:
            raise ValueError(f"a panel has one version, these {len(rows)} rows hold {len(versions)}: select the rows of one.")
        return cls.freeze(rows.pivot(index="community_id", columns="ingredient", values="value"), version=int(versions[0]))

    def rows(self) -> pd.DataFrame:
        """Write the panel as the columns of ``storage.tables.PanelValue``, measured values only."""
        long = self.values.rename_axis(index="community_id").reset_index().melt("community_id", var_name="ingredient").dropna()
        return long.assign(version=self.version)[["version", "ingredient", "community_id", "value"]]

    @cached_property
    def reference(self) -> dict[str, Floats]:
        """Each feature's measured values on the panel, ascending."""
        columns = ((feature, self.values[feature].to_numpy(float)) for feature in FEATURES)
        return {feature: np.sort(column[np.isfinite(column)]) for feature, column in columns}

    def percentile(self, feature: str, values: Floats) -> Floats:
        """Share of the panel's values strictly below each value: a common zero is zero. NaN stays NaN, and an empty column gives NaN."""
        reference = self.reference[feature]
        if not reference.size:
            return np.full(values.shape, math.nan)
        below = np.searchsorted(reference, values, side="left") / reference.size
        return np.where(np.isnan(values), math.nan, below)


class Blend(NamedTuple):
    """Communities on the panel. Rows are communities; columns follow ``INGREDIENTS`` or ``COMPONENTS``. NaN = not measured."""

    percentiles: Floats
    shares: Floats
    """What part of its component each ingredient carries after renormalisation over the measured ones; 0 where missing."""
    components: Floats


def blend(values: pd.DataFrame, panel: Panel) -> Blend:
    """Turn feature values into percentiles, and those into components: the weighted mean of the measured ingredients."""
    percentiles = np.column_stack([_standing(ingredient, values, panel) for ingredient in INGREDIENTS])
    shares = np.zeros_like(percentiles)
    components = np.full((len(values), len(COMPONENTS)), math.nan)
    for column, place in enumerate(SLOTS.values()):
        held = np.where(np.isnan(percentiles[:, place]), 0.0, SHARES[place])
        total = held.sum(axis=1)
        some = total > 0
        shares[some, place] = held[some] / total[some, None]
        components[some, column] = (shares[some, place] * np.nan_to_num(percentiles[some, place])).sum(axis=1)
    return Blend(percentiles, shares, components)


def _standing(ingredient: Ingredient, values: pd.DataFrame, panel: Panel) -> Floats:
    """Percentile of the first measured reading, capped."""
    standing = np.full(len(values), math.nan)
    if ingredient.group_only:
        return standing
    for reading in ingredient.readings:
        if reading.feature in values.columns:
            here = panel.percentile(reading.feature, values[reading.feature].to_numpy(float))
            standing = np.where(np.isnan(standing), here, standing)
    capped: Floats = np.minimum(standing, ingredient.cap)
    return capped


def combine(components: Floats, weights: Floats = WEIGHTS) -> tuple[Floats, Floats, Floats]:
    """Make the score of components in [0, 1].

    Args:
        components: Shape (n, number of components); NaN where missing.
        weights: Shape (number of components,), not negative.

    Returns:
        The score in [2, 100], NaN where nothing is measured; the weights after missing components dropped out, and the
        contributions ``weight · ln g``, both of the components' shape. Contributions add up to ``ln(score / 100)``.
    """
    held: Floats = np.where(np.isnan(components), 0.0, weights)
    total: Floats = held.sum(axis=1, keepdims=True)
    held = held / np.where(total > 0, total, 1.0)
    contributions: Floats = held * np.log(0.02 + 0.98 * np.nan_to_num(components, nan=1.0))
    score: Floats = np.where(total[:, 0] > 0, 100 * np.exp(contributions.sum(axis=1)), math.nan)
    return score, held, contributions
