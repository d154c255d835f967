"""What can be grouped at all: communities with enough measured about them, by features that say something in this run.

A measurement flows in; the matrix that the clustering may see flows out, with a note on everything that was left aside.
"""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from discovery.features import FEATURES, Measurement

COMMON = 0.1
"""Share of communities, ten at least, that must have a value for a feature to be asked of the others."""
ENOUGH = 0.5
"""Share of those features that a community must have itself. Medians stand in for the rest, and a community made of medians
would make a kind of its own: the kind of which nothing is known."""

NOISY = 0.5
"""Share of a feature's variance between communities that may be error of measurement. On a listing of 50 posts lexical diversity
is four fifths error, and so is what few say at all; with them no group survives a second draw of the same people, without them
all do."""
WIDTH_90 = 3.29
"""Width of a normal's 90 % interval in standard deviations."""


class Groupable(NamedTuple):
    """The matrix to cluster, shape (n_communities, n_features), and what was left aside."""

    values: pd.DataFrame
    notes: list[str]


def groupable(measurement: Measurement) -> Groupable:
    """Choose the communities and features of a run that can be grouped; sensitive communities never are, and the same one counts once."""
    market = measurement.market
    values = measurement.values().loc[market, [name for name in sorted(FEATURES) if FEATURES[name].clustered]]
    notes = _repeated(measurement)
    noisy = _noisy(values, measurement)
    if noisy:
        titles = ", ".join(FEATURES[name].title for name in noisy)
        notes.append(f"Measured too roughly here to group by, as error hides what differs: {titles}.")
    values = values.drop(columns=noisy)
    asked = values.columns[values.notna().sum() >= max(10, COMMON * len(values))]
    known = values[asked].notna().mean(axis=1) >= ENOUGH if len(asked) else pd.Series(False, index=market)
    if not known.all():
        notes.append(f"{(~known).sum():,} of {len(market):,} communities have too little measured to be grouped; they are scored alone.")
    return Groupable(values[known], notes)


def _repeated(measurement: Measurement) -> list[str]:
    communities = measurement.communities
    again = int(communities["duplicate_of"].notna().sum())
    told = f"{again:,} of {len(communities):,} communities say what another one says: each is listed with that one and counts once."
    return [told] if again else []


def _noisy(values: pd.DataFrame, measurement: Measurement) -> list[str]:
    """List the features whose typical error is larger than what the middle two thirds of the communities differ by allows."""
    estimates = measurement.estimates.set_index(["feature", "community"])
    found = []
    for name in values.columns:
        own = estimates.loc[str(name)].reindex(values.index)
        error = ((own["high"] - own["low"]) / WIDTH_90).median()
        low, high = values[name].quantile([0.16, 0.84])
        if error**2 > NOISY * ((high - low) / 2) ** 2:
            found.append(str(name))
    return found
