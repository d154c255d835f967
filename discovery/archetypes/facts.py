"""Facts: everything that is known about the groups of one kind, gathered once, so that names and tables say the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from discovery.archetypes.evidence import evidence
from discovery.archetypes.needs import needs
from discovery.archetypes.people import foreign_languages, main_language, shared_names
from discovery.archetypes.phrases import UNTOLD
from discovery.archetypes.profile import profiles
from discovery.archetypes.template import Ask, Facts, Trait
from discovery.archetypes.terms import terms
from discovery.features import Measurement
from storage.harmless import visible

ASKING = 3
ASKING_SHARE = 0.001
"""Authors, and share of a group's authors, from whom on a need is the group's; a few people's wish is nobody's market."""


@dataclass(frozen=True)
class Known:
    """What is known about the groups of one kind; every frame has the column ``group``."""

    entity: Literal["archetype", "niche"]
    members: pd.Series
    """Community -> group, -1 for none; index follows ``Measurement.communities``."""
    profile: pd.DataFrame
    terms: pd.DataFrame
    needs: pd.DataFrame
    evidence: pd.DataFrame

    def groups(self) -> list[int]:
        """List the groups in order."""
        return sorted(set(self.members[self.members >= 0].tolist()))


def known(measurement: Measurement, members: pd.Series, *, entity: Literal["archetype", "niche"], key: bytes) -> Known:
    """Gather profile, words, needs and evidence of some groups of communities."""
    return Known(
        entity=entity,
        members=members,
        profile=profiles(measurement, members),
        terms=terms(measurement.vocabulary, main_language(measurement, members)),
        needs=needs(measurement.needs, members),
        evidence=evidence(measurement, members, key=key),
    )


def facts(measurement: Measurement, about: Known, *, cut: bool) -> list[Facts]:
    """Put what a label may rest on together, one :class:`Facts` per group."""
    authors = active_authors(measurement, about.members)
    shared = shared_needs(about.needs, authors)
    who, languages = shared_names(measurement, about.members), foreign_languages(measurement, about.members)
    return [
        Facts(
            entity=about.entity,
            group=group,
            cut=cut,
            communities=int((about.members == group).sum()),
            authors=int(authors[group]),
            traits=tuple(
                Trait(row.feature, row.value, row.market, row.z)
                for row in _of(about.profile, group)
                if np.isfinite(row.market) and row.feature not in UNTOLD
            ),
            terms=tuple(visible(row.term) for row in _of(about.terms, group)),
            asks=tuple(Ask(row.need, row.authors, row.communities) for row in _of(shared, group)),
            excerpts=tuple(row.excerpt for row in _of(about.evidence, group) if row.excerpt),
            who=who.get(group, ""),
            language=languages.get(group, ""),
        )
        for group in about.groups()
    ]


def shared_needs(asked: pd.DataFrame, authors: pd.Series) -> pd.DataFrame:
    """Keep the needs that enough of a group's authors have to be called the group's."""
    least = np.maximum(ASKING, ASKING_SHARE * asked["group"].map(authors).astype(float))
    return asked[asked["authors"] >= least]


def _of(frame: pd.DataFrame, group: int) -> list[Any]:
    return list(frame[frame["group"] == group].itertuples(index=False))


def active_authors(measurement: Measurement, members: pd.Series) -> pd.Series:
    """Add up the active authors (per 28 days) of each group's communities; where no member's are measured, all its authors.

    An upper bound, as who is active in several communities counts in each; never more than the run has authors.
    """
    estimates = measurement.estimates
    monthly = estimates[estimates["feature"] == "active_authors"].set_index("community")["value"].reindex(members.index)
    sums = monthly.groupby(members).sum(min_count=1)
    seen = measurement.communities["authors"].groupby(members).sum()
    return sums.fillna(seen.astype(float)).round().astype(int).clip(upper=measurement.authors)
