"""Where nobody was seen to do a thing: shares over authors that not one event speaks for."""

from __future__ import annotations

import pandas as pd

from discovery.features.declaration import FEATURES
from discovery.features.measurement import Measurement


def silent(measurement: Measurement) -> pd.DataFrame:
    """Tell for every feature that is a share over authors in which communities no event at all was observed.

    Such a share is not zero: it is drawn towards its platform's mean, the more the fewer people it rests on, so that among silent
    communities it tells their size and nothing else. Whoever compares communities must treat them as alike.

    Returns:
        Index community, one boolean column per ratio feature; False where the feature is missing.
    """
    keys = measurement.communities.index
    sums = measurement.author_sums.groupby("row").sum().reindex(range(len(keys)), fill_value=0)
    values = measurement.values()
    told = {
        name: (sums[list(declared.ratio.numerator)] == 0).all(axis=1).to_numpy() & values[name].notna().to_numpy()
        for name, declared in sorted(FEATURES.items())
        if declared.ratio is not None
    }
    return pd.DataFrame(told, index=keys)
