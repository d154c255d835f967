"""Profiles: what a group of communities is like in the features' own units, against the market, and who stands for it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import binom

from discovery.archetypes.embedding import Floats
from discovery.clustering.prepare import FORWARD
from discovery.features import FEATURES, Measurement

ENOUGH_AUTHORS = 30
"""Fewest authors of a community that may stand for others, where there are enough of those."""
EXEMPLARS = 3


def market_members(measurement: Measurement, labels: pd.Series) -> pd.Series:
    """Label every community of the market (see :attr:`Measurement.market`), -1 where it lies in no group."""
    return labels.reindex(measurement.market, fill_value=-1).astype(int)


def profiles(measurement: Measurement, labels: pd.Series) -> pd.DataFrame:
    """Describe every group by every measured feature.

    Args:
        measurement: What the run measured.
        labels: Group of each community; -1 belongs to the market and to no group.

    Returns:
        group, feature, value (median of the measured members), low and high (90 % bootstrap interval of that median), market
        (the market's median), unit, z (from the market's median to the group's, in robust standard deviations on the feature's
        own scale). A feature that no member has measured has no row.
    """
    members = market_members(measurement, labels)
    values = measurement.values().loc[members.index]
    rows = []
    for name in [name for name in FEATURES if name in values]:
        column = values[name].to_numpy(dtype=float)
        forward = FORWARD[FEATURES[name].transform]
        centre, scale = robust_centre(forward(column))
        market = float(np.median(column[~np.isnan(column)])) if scale > 0 else float("nan")
        for group in sorted(set(members[members >= 0])):
            inside = np.sort(column[(members == group).to_numpy() & ~np.isnan(column)])
            if inside.size:
                median, low, high = median_interval(inside)
                offset = float(forward(np.array([median]))[0]) - centre
                rows.append((group, name, median, low, high, market, FEATURES[name].unit, offset / scale if scale > 0 else 0.0))
    return pd.DataFrame(rows, columns=["group", "feature", "value", "low", "high", "market", "unit", "z"])


def robust_centre(values: Floats) -> tuple[float, float]:
    """Median and 1.4826 MAD; where that is zero IQR / 1.349, then the standard deviation, then 0 (nothing varies)."""
    known = values[np.isfinite(values)]
    if not known.size:
        return float("nan"), 0.0
    centre = float(np.median(known))
    low, high = np.quantile(known, [0.25, 0.75])
    candidates = (1.4826 * float(np.median(np.abs(known - centre))), float(high - low) / 1.349, float(known.std()))
    return centre, next((scale for scale in candidates if scale > 1e-12), 0.0)


def median_interval(ordered: Floats) -> tuple[float, float, float]:
    """Median of ordered values with its 90 % bootstrap interval, exactly and without drawing.

    A resample's r-th value is at most the k-th of n with probability P(Bin(n, k / n) >= r) (Efron 1982, section 10.3), so
    the quantiles of the bootstrap are order statistics; with an even number the two middle values bracket them.
    """
    n = len(ordered)
    ranks = np.arange(1, n + 1)
    lower, upper = (n + 1) // 2, n // 2 + 1
    low = int(np.argmax(binom.sf(lower - 1, n, ranks / n) >= 0.05))
    high = int(np.argmax(binom.sf(upper - 1, n, ranks / n) >= 0.95))
    return float((ordered[lower - 1] + ordered[upper - 1]) / 2), float(ordered[low]), float(ordered[high])


def exemplars(measurement: Measurement, labels: pd.Series, *, distance: pd.Series) -> pd.Series:
    """Mark the three communities nearest to each centre, those with at least 30 authors first; never an outlier, never sensitive."""
    members = market_members(measurement, labels)
    members = members[members >= 0]
    table = pd.DataFrame(
        {
            "group": members,
            "thin": measurement.communities.loc[members.index, "authors"] < ENOUGH_AUTHORS,
            "distance": distance.reindex(members.index).astype(float).round(9),
        }
    ).rename_axis("community").reset_index()  # fmt: skip
    table = table.sort_values(["group", "thin", "distance", "community"], kind="stable")
    chosen = table.groupby("group").head(EXEMPLARS)["community"]
    return pd.Series(measurement.communities.index.isin(chosen), index=measurement.communities.index, name="is_exemplar")
