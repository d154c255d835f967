"""Judge: may readers see this run, or does it look less like the market moving than like something having broken?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from discovery.clustering.drift import moved_share
from discovery.config import GateSettings


class Verdict(NamedTuple):
    """Whether to publish, and if not, why, with the numbers."""

    publish: bool
    reason: str = ""


def judge(tonight: Mapping[str, Any], *, last: pd.DataFrame, settings: GateSettings) -> Verdict:
    """Compare a saved run with the published one.

    Runs over other communities (fewer than half shared) are not comparable and pass: they are another question, not a drift.

    Args:
        tonight: The rows of the run; ``community`` with community_id, archetype_id.
        last: The published run's communities, indexed by community_id, with archetype_id; empty before the first publication.
        settings: The limits.
    """
    now = tonight["community"].set_index("community_id")
    shared = last.index.intersection(now.index)
    if not len(shared) or 2 * len(shared) < min(len(last), len(now)):
        return Verdict(True)
    lost = 1 - len(shared) / len(last)
    if lost > settings.max_lost_share:
        return Verdict(False, f"{lost:.0%} of the {len(last):,} published communities are gone, more than {settings.max_lost_share:.0%}.")
    moved = moved_share(last["archetype_id"].dropna(), now["archetype_id"].dropna())
    if moved > settings.max_moved_share:
        return Verdict(False, f"{moved:.0%} of the communities changed archetype overnight, more than {settings.max_moved_share:.0%}.")
    return Verdict(True)
