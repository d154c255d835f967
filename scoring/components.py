"""The frozen panel that turns values into percentiles, and the components and scores they make; ``scoring.formula`` says of what.

In flow feature values in their own units, one row per community. Out flow percentiles per ingredient and the components
they make.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from scoring.formula import COMPONENTS, FEATURES, INGREDIENTS, Ingredient

Floats = NDArray[np.float64]

_ENDS = np.cumsum([len(component.ingredients) for component in COMPONENTS]).tolist()
SLOTS: dict[str, slice] = {
    component.name: slice(end - len(component.ingredients), end) for component, end in zip(COMPONENTS, _ENDS, strict=True)
}
"""Where a component's ingredients stand in every array whose columns follow ``INGREDIENTS``."""
WEIGHTS: Floats = np.array([component.weight for component in COMPONENTS])
SHARES: Floats = np.array([ingredient.weight for ingredient in INGREDIENTS])
PRIOR: Floats = np.array([component.weight * ingredient.weight for component in COMPONENTS for ingredient in component.ingredients])
"""Prior weight of each ingredient in the whole score; sums to one."""


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
