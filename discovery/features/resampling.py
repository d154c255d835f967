"""The same measurement with other people: what the features would be had the authors been drawn again. Values in, values out."""

from __future__ import annotations

import numpy as np
import pandas as pd

from discovery.features.declaration import FEATURES, Floats, Ratio
from discovery.features.measurement import Measurement


def resample(measurement: Measurement, *, copies: Floats) -> pd.DataFrame:
    """Recompute every feature that is a ratio of author sums, from how often each author was drawn.

    Args:
        measurement: The measurement whose authors are drawn again.
        copies: How often each row of ``author_sums`` was drawn, shape (n_rows,).

    Returns:
        Index community, one column per ratio feature: ``value + own · (raw* − raw)``, the platform's share of the value held
        fixed; NaN where the feature is missing or no drawn author counts in its denominator.
    """
    table, size = measurement.author_sums, len(measurement.communities)
    rows, values = table["row"].to_numpy(), measurement.values()
    once = np.ones(len(table))

    def raw(ratio: Ratio, weights: Floats) -> Floats:
        numerator = sum((weight * table[column].to_numpy() for column, weight in ratio.numerator.items()), np.zeros(len(table)))
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.bincount(rows, weights * numerator, size) / np.bincount(rows, weights * table[ratio.denominator].to_numpy(), size)

    changed = {
        name: values[name].to_numpy() + measurement.own_weight[name].to_numpy() * (raw(declared.ratio, copies) - raw(declared.ratio, once))
        for name, declared in sorted(FEATURES.items())
        if declared.ratio is not None
    }
    return pd.DataFrame(changed, index=measurement.communities.index)
