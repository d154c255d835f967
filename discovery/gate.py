"""Judge: may readers see this run, or does it look less like the market moving than like something having broken?

And tell what moved between two nights, for those who read how a ranking came about.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from discovery.clustering.drift import alarms, centroid_shift, moved_share
from discovery.settings import GateSettings
from storage.results import Frozen


@dataclass(frozen=True)
class Candidate:
    """A run that is saved and waits for its verdict."""

    archetypes: pd.Series
    """Archetype of each community, None for those that have none; index community."""
    panel: pd.DataFrame
    """Rows of the reference panel that its publication freezes; empty where none is new."""
    background: Frozen
    """What later runs are compared with, likewise."""


class Night(NamedTuple):
    """What two nights are compared by."""

    archetypes: pd.Series
    """Archetype of each community, None for those that have none."""
    features: pd.DataFrame
    """Value of each feature, a row per community; NaN where not measured."""
    profiles: pd.DataFrame
    """Features of each archetype in robust deviations from the market's median, a row per archetype."""


class Verdict(NamedTuple):
    """Whether to publish, and if not, why, with the numbers."""

    publish: bool
    reason: str = ""


def comparable(now: pd.Index, last: pd.Index) -> bool:
    """Tell whether two runs look at the same market: they share at least half the communities of the smaller one."""
    shared = len(last.intersection(now))
    return shared > 0 and 2 * shared >= min(len(last), len(now))


def judge(candidate: Candidate, *, last: pd.Series, settings: GateSettings) -> Verdict:
    """Compare a saved run with the published one.

    Runs over other communities are not comparable and pass: they are another question, not a drift.

    Args:
        candidate: The saved run.
        last: Archetype of each published community; empty before the first publication.
        settings: The limits.
    """
    now = candidate.archetypes
    if not comparable(now.index, last.index):
        return Verdict(True)
    lost = 1 - len(last.index.intersection(now.index)) / len(last)
    if lost > settings.max_lost_share:
        return Verdict(False, f"{lost:.0%} of the {len(last):,} published communities are gone, more than {settings.max_lost_share:.0%}.")
    moved = moved_share(last, now)
    if moved > settings.max_moved_share:
        told = f"{moved:.0%} of the communities changed archetype overnight, more than {settings.max_moved_share:.0%}"
        none = now.reindex(last.dropna().index.intersection(now.index)).isna().mean()
        return Verdict(False, f"{told}; {none:.0%} have none now." if none else f"{told}.")
    return Verdict(True)


def drift(now: Night, last: Night) -> list[str]:
    """Tell what has moved since the published run: features that raise an alarm, communities, centres; nothing of another market."""
    if not comparable(now.archetypes.index, last.archetypes.index):
        return []
    told = [
        f"{name}: moved since the published run (population stability index {index:.2f})."
        for name, index in alarms(last.features, now.features).items()
    ]
    moved, shifts = moved_share(last.archetypes, now.archetypes), centroid_shift(last.profiles, now.profiles)
    if len(shifts):
        told.append(
            f"Since the published run {moved:.1%} of the communities that had an archetype changed or lost it, and no continued "
            f"archetype's centre moved by more than {shifts.max():.2f} robust deviations."
        )
    return told
