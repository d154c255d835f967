"""Identify: tonight's archetypes and niches get the ids of the ones they continue; new ones get ids that were never used."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd

from discovery.archetypes import Interpretation
from discovery.clustering.lineage import Groups, trace
from discovery.features import Measurement
from storage.results import Results


def identify(found: Interpretation, *, measurement: Measurement, results: Results) -> Interpretation:
    """Replace labels by lasting ids, and say of each archetype and niche whether it was born, continued, split, merged or returned."""
    weights = np.sqrt(measurement.communities["authors"]).to_dict()
    last, nowhere = results.membership(), pd.DataFrame()
    archetypes = trace(
        Groups(_members(found.communities["archetype_id"]), found.centroids),
        before=Groups(_members(last["archetype_id"]), results.profiles()),
        gone=_members(results.gone("archetype")),
        weights=weights,
        prefix="A",
        last_number=_last_number(results, "archetype"),
    )
    niches = trace(  # niches are made of words, which have no place among the features
        Groups(_members(found.communities["niche_id"]), nowhere),
        before=Groups(_members(last["niche_id"]), nowhere),
        gone=_members(results.gone("niche")),
        weights=weights,
        prefix="N",
        last_number=_last_number(results, "niche"),
    )
    ids = [{label: identity.id for label, identity in traced.items()} for traced in (archetypes, niches)]
    named = found.identified(*ids)
    return replace(
        named,
        archetypes=named.archetypes.assign(event=[archetypes[label].event for label in found.archetypes["archetype_id"]]),
        niches=named.niches.assign(event=[niches[label].event for label in found.niches["niche_id"]]),
    )


def _last_number(results: Results, kind: Literal["archetype", "niche"]) -> int:
    return max((int(used[1:]) for used in results.used_ids(kind)), default=0)


def _members(labels: pd.Series) -> dict[str, frozenset[str]]:
    """Group communities by label, labels in the order of their numbers."""
    known = labels.dropna()
    ordered: Iterable[str] = sorted(known.unique(), key=lambda label: (len(label), label))
    return {label: frozenset(known.index[known == label]) for label in ordered}
