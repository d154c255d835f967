"""Tonight against the published run: how far features, memberships and centroids have moved. Frames of both nights in, numbers out."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import chi2

from discovery.clustering.partition import Matrix

ALARM = 0.25
"""Population stability index from which a feature's distribution has moved."""
FLOOR = 1e-4
"""Share that an empty bin counts as."""
BINS = 11
"""Ten tenths and the missing values."""
CHANCE = 0.999
"""Quantile of what two samples of one market differ by; an alarm lies beyond it, else small markets would ring every night."""


def population_stability(before: pd.DataFrame, now: pd.DataFrame) -> pd.Series:
    """Population stability index of each feature that both nights have: Σ (q − p) · ln(q / p) over the deciles of ``before``.

    Missing values are a bin of their own. NaN where a night has no community.
    """
    shared = sorted(set(before.columns) & set(now.columns))
    found = {name: _stability(before[name].to_numpy(dtype=float), now[name].to_numpy(dtype=float)) for name in shared}
    return pd.Series(found, dtype=float)


def alarms(before: pd.DataFrame, now: pd.DataFrame) -> pd.Series:
    """Give the features whose distribution has moved, with their index: beyond .25, and beyond what chance does to so few communities.

    Between samples of one distribution the index is about (1 / n + 1 / m) times a chi-square with one degree less than there are
    bins (Yurdakul 2018).
    """
    index = population_stability(before, now).dropna()
    noise = (1 / len(before) + 1 / len(now)) * chi2.ppf(CHANCE, BINS - 1) if len(index) else 0.0
    return index[index > max(ALARM, noise)]


def _stability(before: Matrix, now: Matrix) -> float:
    if not len(before) or not len(now):
        return float("nan")
    known = before[~np.isnan(before)]
    edges = np.unique(np.quantile(known, np.linspace(0.1, 0.9, 9))) if len(known) else np.empty(0)
    p, q = _shares(before, edges), _shares(now, edges)
    return float(((q - p) * np.log(q / p)).sum())


def _shares(column: Matrix, edges: Matrix) -> Matrix:
    known = column[~np.isnan(column)]
    counts = np.bincount(np.searchsorted(edges, known, side="left"), minlength=len(edges) + 1)
    counts = np.append(counts, len(column) - len(known))
    return np.maximum(counts / len(column), FLOOR)


def moved_share(before: pd.Series, now: pd.Series) -> float:
    """Share of the communities with an archetype before that have another one or none now; NaN where there are none.

    Both are indexed by community and hold identities (not labels), missing for those in none. A community of one night takes no part.
    """
    had = before.dropna()
    had = had[had.index.isin(now.index)]
    return float((now.reindex(had.index) != had).mean()) if len(had) else float("nan")


def centroid_shift(before: pd.DataFrame, now: pd.DataFrame) -> pd.Series:
    """Root mean square shift of each identity's centroid over the features of both nights, in the unit of the frames (MADs)."""
    ids = sorted(set(before.index) & set(now.index))
    shared = sorted(set(before.columns) & set(now.columns))
    moved = now.loc[ids, shared] - before.loc[ids, shared]
    return pd.Series(np.sqrt((moved**2).mean(axis=1)), index=ids, dtype=float)
