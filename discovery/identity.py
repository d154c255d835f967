"""Identify: tonight's archetypes and niches get the ids of the ones they continue; new ones get ids that were never used."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd

from discovery.archetypes import Interpretation
from discovery.clustering.lineage import Groups, Identity, trace
from discovery.features import Measurement
from storage.results import Results


def identify(found: Interpretation, *, measurement: Measurement, results: Results) -> Interpretation:
    """Replace labels by lasting ids, and say of each archetype and niche whether it was born, continued, split or merged."""
    weights = np.sqrt(measurement.communities["authors"]).to_dict()
    archetypes = _traced(found.communities["archetype_id"], kind="archetype", results=results, weights=weights)
    niches = _traced(found.communities["niche_id"], kind="niche", results=results, weights=weights)
    ids = [{label: identity.id for label, identity in traced.items()} for traced in (archetypes, niches)]
    named = found.identified(*ids)
    return replace(
        named,
        archetypes=named.archetypes.assign(event=[archetypes[label].event for label in found.archetypes["archetype_id"]]),
        niches=named.niches.assign(event=[niches[label].event for label in found.niches["niche_id"]]),
    )


def _traced(labels: pd.Series, *, kind: Literal["archetype", "niche"], results: Results, weights: dict[str, float]) -> dict[str, Identity]:
    before = results.membership()[f"{kind}_id"]
    prefix = kind[0].upper()
    numbers = [int(used[1:]) for used in results.used_ids(kind)]
    return trace(
        Groups(_members(labels), pd.DataFrame()),
        before=Groups(_members(before), pd.DataFrame()),
        weights=weights,
        prefix=prefix,
        last_number=max(numbers, default=0),
    )


def _members(labels: pd.Series) -> dict[str, frozenset[str]]:
    """Group communities by label, labels in the order of their numbers."""
    known = labels.dropna()
    ordered: Iterable[str] = sorted(known.unique(), key=lambda label: (len(label), label))
    return {label: frozenset(known.index[known == label]) for label in ordered}
