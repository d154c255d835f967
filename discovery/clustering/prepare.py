"""Feature values in, a finite matrix fit for distances out, with everything needed to prepare other rows the same way.

Order: the declared transform, robust scaling (within platform where there are several), clipping at ±3, principal components. Every
feature weighs the same. Outliers and what was dropped are listed; the components are fitted without the outliers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import chi2

from discovery.clustering.partition import Matrix
from discovery.features import Feature

CLIP = 3.0
LARGEST = 1e300
"""Values are held below it, so that a median of two does not overflow."""
TINY = 1e-6
"""Guard for log and logit: values are shrunk before, so that none should lie this close to the border."""
MEASURED = 0.5
"""Share of communities that must have a value, else the feature is dropped for the run."""
SAME = 0.98
"""Correlation beyond which two features say the same."""
OUTLIERS_AT_MOST = 0.02
PLATFORM_SIZE = 10
"""Communities that a platform needs to be scaled by itself."""
ALL = ""
"""The group of everything."""

FORWARD: Mapping[str, Callable[[Matrix], Matrix]] = {
    "identity": lambda x: x,
    "log": lambda x: np.log(np.maximum(x, TINY)),
    "log1p": lambda x: np.log1p(np.maximum(x, 0.0)),
    "logit": lambda x: np.log(np.clip(x, TINY, 1 - TINY)) - np.log1p(-np.clip(x, TINY, 1 - TINY)),
}


@dataclass(frozen=True)
class Preparation:
    """A prepared matrix and how it came about, as plain arrays.

    Columns are in the order of ``names``; rows are sorted by community.
    """

    names: tuple[str, ...]
    transforms: tuple[str, ...]
    groups: pd.Series
    """Scaling group of each community: its platform, or "" for all."""
    centre: pd.DataFrame
    """Median of each group (rows) and feature, after the transform."""
    scale: pd.DataFrame
    mean: Matrix
    components: Matrix
    """Shape (n_components, n_features), orthonormal rows."""
    matrix: pd.DataFrame
    """Shape (n_communities, n_components), finite."""
    outliers: pd.Index
    """Communities that are listed and never fitted on."""
    missing: pd.Series
    """Feature -> communities without a value (they take the median)."""
    notes: tuple[str, ...]

    def scaled(self, values: pd.DataFrame) -> Matrix:
        """Transform, centre and scale rows of known communities, clipped at ±3; missing values become the median, 0."""
        groups = self.groups.reindex(values.index).fillna(ALL)
        at = self.centre.index.get_indexer(pd.Index(groups))
        raw = _transformed(values.loc[:, list(self.names)], self.transforms)
        return _clipped((raw - self.centre.to_numpy()[at]) / self.scale.to_numpy()[at])

    def transform(self, values: pd.DataFrame) -> Matrix:
        """Prepare rows the same way; a community that was not there is scaled as the whole market is."""
        return (self.scaled(values) - self.mean) @ self.components.T


def prepare(
    values: pd.DataFrame, *, features: Mapping[str, Feature], platforms: pd.Series, variance: float, within_platform: bool
) -> Preparation:
    """Prepare a feature matrix for clustering.

    Args:
        values: Shape (n_communities, n_features), indexed by community; NaN where missing, any order of rows and columns.
        features: Declarations by name; only those that are ``clustered`` are used.
        platforms: Platform of each community.
        variance: Share of the variance that the principal components keep.
        within_platform: Centre and scale each platform of at least ten communities by itself, where there are several.
    """
    values = _used(values, features)
    notes: list[str] = []
    values = _measured(values, notes)
    groups = _groups(platforms.reindex(values.index), split=within_platform)
    transforms = tuple(features[name].transform for name in values.columns)
    raw = pd.DataFrame(_transformed(values, transforms), index=values.index, columns=values.columns)
    centre, scale = _scales(raw, groups, notes)
    raw = raw[centre.columns]
    at = centre.index.get_indexer(pd.Index(groups))
    robust = (raw.to_numpy() - centre.to_numpy()[at]) / scale.to_numpy()[at]
    kept = _unlike(robust, raw.columns, notes)
    names = tuple(raw.columns[kept])
    robust, centre, scale = robust[:, kept], centre[list(names)], scale[list(names)]
    outlying = _outlying(robust)
    scaled = _clipped(robust)
    mean, components = _components(scaled[~outlying], variance)
    missing = values[list(names)].isna().sum()
    notes += [
        f"{name}: {count} of {len(values)} communities have no value; they take the median." for name, count in missing.items() if count
    ]
    if outlying.any():
        notes.append(f"{outlying.sum()} of {len(values)} communities are outliers: listed with the nearest archetype, not fitted on.")
    return Preparation(
        names=names,
        transforms=tuple(features[name].transform for name in names),
        groups=groups,
        centre=centre,
        scale=scale,
        mean=mean,
        components=components,
        matrix=pd.DataFrame((scaled - mean) @ components.T, index=values.index),
        outliers=values.index[outlying],
        missing=missing,
        notes=tuple(notes),
    )


def _used(values: pd.DataFrame, features: Mapping[str, Feature]) -> pd.DataFrame:
    """Sort rows and columns, so that no order of input matters, and keep what is clustered; an infinite value is none."""
    names = sorted(name for name in values.columns if features[name].clustered)
    chosen = values[names].astype(float).sort_index()
    return chosen.where(np.isfinite(chosen))


def _measured(values: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    present = values.notna().sum()
    few = present < MEASURED * len(values)
    notes += [
        f"{name}: measured in {present[name]} of {len(values)} communities; left out of the clustering." for name in values.columns[few]
    ]
    return values.loc[:, ~few]


def _groups(platforms: pd.Series, *, split: bool) -> pd.Series:
    sizes = platforms.value_counts()
    large = sizes.index[sizes >= PLATFORM_SIZE]
    if not split or len(large) < 2:
        return pd.Series(ALL, index=platforms.index, dtype=object)
    return platforms.where(platforms.isin(large), ALL).astype(object)


def _transformed(values: pd.DataFrame, transforms: tuple[str, ...]) -> Matrix:
    columns = values.to_numpy(dtype=float)
    columns = np.clip(np.where(np.isfinite(columns), columns, np.nan), -LARGEST, LARGEST)
    out = np.empty_like(columns)
    for i, how in enumerate(transforms):
        out[:, i] = FORWARD[how](columns[:, i])
    return out


def _clipped(robust: Matrix) -> Matrix:
    clipped: Matrix = np.clip(np.nan_to_num(robust, nan=0.0), -CLIP, CLIP)
    return clipped


def _scales(raw: pd.DataFrame, groups: pd.Series, notes: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Median and spread of each group and feature; a feature that never differs is dropped, with a note.

    A group too small or too uniform in a feature borrows the whole market's spread, and its median too if it is too small.
    """
    centre = pd.DataFrame(index=[ALL, *sorted(set(groups) - {ALL})], columns=raw.columns, dtype=float)
    scale = centre.copy()
    for name in raw.columns:
        whole = raw[name].dropna().to_numpy()
        overall = np.median(whole), spread(whole)
        for group in centre.index:
            own = whole if group == ALL else raw[name][groups == group].dropna().to_numpy()
            enough = group == ALL or len(own) >= PLATFORM_SIZE
            centre.loc[group, name] = np.median(own) if enough else overall[0]
            scale.loc[group, name] = (spread(own) if enough else 0.0) or overall[1]
    same = (scale == 0).any()
    notes += [f"{name}: the same in all communities; left out of the clustering." for name in raw.columns[same]]
    return centre.loc[:, ~same], scale.loc[:, ~same]


def spread(column: Matrix) -> float:
    """Median absolute deviation · 1.4826; where that is zero the interquartile range / 1.349, then the standard deviation.

    Zero where the values differ by no more than rounding.
    """
    largest = float(np.abs(column).max(initial=0.0))
    if largest == 0:
        return 0.0
    unit = column / largest  # so that no square overflows
    low, high = np.percentile(unit, [25, 75])
    estimates = np.median(np.abs(unit - np.median(unit))) * 1.4826, (high - low) / 1.349, unit.std()
    return next((float(found) * largest for found in estimates if found > 1e-12), 0.0)


def _unlike(robust: Matrix, names: pd.Index, notes: list[str]) -> list[int]:
    """Keep the first, by name, of features that say the same."""
    kept: list[int] = []
    columns = _clipped(robust)
    columns = columns - columns.mean(axis=0)
    norms = np.sqrt((columns**2).sum(axis=0))
    for i in range(len(names)):
        twin = next((j for j in kept if abs(columns[:, i] @ columns[:, j]) > SAME * norms[i] * norms[j]), None)
        if twin is None:
            kept.append(i)
        else:
            notes.append(f"{names[i]}: correlates beyond {SAME} with {names[twin]}; left out of the clustering.")
    return kept


def _outlying(robust: Matrix) -> NDArray[np.bool_]:
    """Mark rows beyond the 99.9 % chi-square quantile of the robust distance, the farthest 2 % at most.

    The distance is Mahalanobis's with the correlation of the clipped features (winsorised, Khan et al. 2007), shrunk towards
    independence where there are few rows; the distances themselves are of the values before clipping.
    """
    n, d = robust.shape
    marked = np.zeros(n, dtype=bool)
    if d == 0:
        return marked
    filled = np.clip(np.nan_to_num(robust, nan=0.0), -1e6, 1e6)
    clipped = _clipped(robust)
    covariance = clipped.T @ clipped / n
    deviations = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(deviations, deviations)
    shrunk = (n * correlation + d * np.eye(d)) / (n + d)
    squared = (filled @ np.linalg.inv(shrunk) * filled).sum(axis=1)
    far = np.argsort(-squared, kind="stable")[: int(OUTLIERS_AT_MOST * n)]
    marked[far[squared[far] > chi2.ppf(0.999, d)]] = True
    return marked


def _components(scaled: Matrix, variance: float) -> tuple[Matrix, Matrix]:
    """Mean and principal axes that keep ``variance``; each axis points to where its largest loading is positive."""
    mean = scaled.mean(axis=0)
    if scaled.shape[1] == 0:
        return mean, np.zeros((1, 0))  # nothing differs: every community stands at the same point
    _, singular, axes = np.linalg.svd(scaled - mean, full_matrices=False)
    kept = np.cumsum(singular**2) / max(float((singular**2).sum()), np.finfo(float).tiny)
    axes = axes[: int(np.searchsorted(kept, variance - 1e-12)) + 1]
    signs = np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])
    return mean, axes * signs[:, None]
