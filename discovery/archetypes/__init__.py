"""Archetypes: what the groups of a clustering are, what they are about, and the records that show it.

A measurement and a clustering flow in; profiles, exemplars, niches, words, needs, evidence and names flow out, as frames
in the shape of :mod:`storage.tables`. Nothing in here reads or changes a score.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from discovery.archetypes.embedding import Embedder, Embedding, by_words
from discovery.archetypes.evidence import TIERS, evidence
from discovery.archetypes.facts import Known, facts, known, shared_needs
from discovery.archetypes.naming import Namer
from discovery.archetypes.needs import needs
from discovery.archetypes.niches import Niches, find_niches
from discovery.archetypes.profile import exemplars, market_members
from discovery.archetypes.terms import terms
from discovery.clustering import Clustering, standing
from discovery.clustering.hierarchy import ward
from discovery.features import Measurement

QUOTED = 300
"""Communities that have evidence of their own: those that ask and pay most. Cutting quotes for all would outlast the run."""


@dataclass(frozen=True)
class Interpretation:
    """What the groups are, as frames with the columns of :mod:`storage.tables` (less ``run_id``).

    Until :meth:`identified` is called, an archetype's id is its label and a niche's id its number, as text.
    """

    archetypes: pd.DataFrame
    """archetype_id, name, summary, label_source, communities, active_authors, stability, homogeneity."""
    archetype_features: pd.DataFrame
    """archetype_id, feature, value, low, high, unit, z."""
    niches: pd.DataFrame
    """niche_id, archetype_id (None without archetypes), name, summary, label_source, communities, active_authors, top_need,
    stability, homogeneity."""
    communities: pd.DataFrame
    """Index community; archetype_id, niche_id, distance, confidence, is_exemplar, is_outlier, nearest_archetype_id."""
    evidence: pd.DataFrame
    """entity, entity_id, record_id, tier, community_id, url, quote, sha256, licence."""
    needs: pd.DataFrame
    """entity, entity_id, need, authors, communities."""
    terms: pd.DataFrame
    """entity, entity_id, term, z, authors."""
    clusters: pd.DataFrame
    """Every cluster that was found: cluster, communities, stability, standing, archetype_id (None where it is no archetype)."""
    hierarchy: pd.DataFrame
    """Merges above the archetypes: step, first_id, second_id (archetypes, or M and a step), height, communities."""
    cuts: pd.DataFrame
    """How each hierarchy of niches was cut: parent, communities, k, p_held_out, homogeneity."""
    embedding: Embedding
    """Where every community stands by its words; rows follow ``Measurement.communities``."""
    embedding_model: str
    """What placed communities by what they talk about, and its version."""
    embedding_version: str
    notes: list[str]
    """What a reader of the method should know."""

    @property
    def centroids(self) -> pd.DataFrame:
        """Archetypes, a row each: features in robust deviations from the market's median; NaN where no member has a value."""
        return self.archetype_features.pivot(index="archetype_id", columns="feature", values="z").astype(float)

    def identified(self, archetypes: Mapping[str, str], niches: Mapping[str, str]) -> Interpretation:
        """Replace labels by the ids that last over nights.

        Raises:
            KeyError: an archetype or niche has no id.
        """
        names = {"archetype": archetypes, "niche": niches}
        nodes = {**archetypes, **{_merged(step): _merged(step) for step in self.hierarchy["step"]}}
        columns = {
            "archetype_id": archetypes,
            "nearest_archetype_id": archetypes,
            "niche_id": niches,
            "first_id": nodes,
            "second_id": nodes,
        }

        def renamed(frame: pd.DataFrame) -> pd.DataFrame:
            frame = frame.copy()
            for column, ids in columns.items():
                if column in frame:
                    frame[column] = [None if pd.isna(value) else ids[value] for value in frame[column]]
            if "entity" in frame:
                pairs = zip(frame["entity"], frame["entity_id"], strict=True)
                frame["entity_id"] = [names[entity][key] if entity in names else key for entity, key in pairs]
            return frame

        frames = ("archetypes", "archetype_features", "niches", "communities", "evidence", "needs", "terms", "clusters", "hierarchy")
        changed: dict[str, Any] = {name: renamed(getattr(self, name)) for name in frames}
        return replace(self, **changed)


def interpret(  # noqa: PLR0913 - what is interpreted, and by which models
    measurement: Measurement, clustering: Clustering, *, namer: Namer, seed: int, key: bytes, embedder: Embedder = by_words
) -> Interpretation:
    """Say what the groups of a clustering are.

    Args:
        measurement: What the run measured.
        clustering: Its groups; where it found no structure there are no archetypes, and the niches are the whole market's.
        namer: What turns facts into names: :func:`discovery.archetypes.naming.namer` builds it.
        seed: Seed of the niches' resampling.
        key: Key of the hashes by which evidence can be recognised.
        embedder: What places communities for niches: :func:`discovery.archetypes.served.embedder` builds it.

    Returns:
        Archetypes, niches, and all that is known about them. Sensitive communities belong to no group.
    """
    structure = clustering.structure
    labels = _labels(measurement, clustering)
    parents = _whole_market(measurement) if structure == "none" else labels
    found = find_niches(measurement, parents, seed=seed, embedder=embedder)
    archetypes = known(measurement, labels, entity="archetype", key=key)
    niches = known(measurement, found.membership, entity="niche", key=key)
    alone = pd.Series(range(len(labels)), index=labels.index)
    quoted = evidence(measurement, alone.where(_loud(measurement), -1), key=key)
    return Interpretation(
        archetypes=_archetypes(_labelled(measurement, archetypes, namer, cut=structure == "segments"), clustering, found),
        archetype_features=_profile(archetypes.profile),
        niches=_niches(_labelled(measurement, niches, namer, cut=False), niches, found, structured=structure != "none"),
        communities=_communities(measurement, clustering, labels, found.membership),
        evidence=_together(archetypes.evidence, niches.evidence, quoted, labels.index).drop(columns="excerpt"),
        needs=_together(archetypes.needs, niches.needs, needs(measurement.needs, alone), labels.index),
        terms=_together(archetypes.terms, niches.terms, terms(measurement.vocabulary, alone), labels.index),
        clusters=_clusters(clustering, archetypes.groups()),
        hierarchy=_hierarchy(clustering, archetypes.groups()),
        cuts=found.cuts,
        embedding=found.embedding,
        embedding_model=found.placed.model,
        embedding_version=found.placed.version,
        notes=list(found.placed.notes),
    )


def _labels(measurement: Measurement, clustering: Clustering) -> pd.Series:
    """Give each community its archetype's label, -1 for outliers, members of no archetype and what is not of the market."""
    return market_members(measurement, clustering.archetypes).reindex(measurement.communities.index, fill_value=-1)


def _loud(measurement: Measurement) -> pd.Series:
    """Mark the communities with most records of money and of asking, three hundred at most; ties by key."""
    mentions = measurement.mentions
    heard = mentions.loc[mentions["tier"].isin(TIERS[: TIERS.index("T1") + 1]), "community"].value_counts()
    counts = heard.reindex(measurement.communities.index, fill_value=0)
    most = counts.sort_values(ascending=False, kind="stable").index[:QUOTED]
    return pd.Series(counts.index.isin(most), index=counts.index)


def _whole_market(measurement: Measurement) -> pd.Series:
    """Take all communities of the market as one parent, 0."""
    return pd.Series(0, index=measurement.market).reindex(measurement.communities.index, fill_value=-1)


def _labelled(measurement: Measurement, about: Known, namer: Namer, *, cut: bool) -> pd.DataFrame:
    """Name the groups: group, name, summary, label_source, communities, active_authors."""
    told = facts(measurement, about, cut=cut)
    rows = [
        (fact.group, label.name, label.summary, label.source, fact.communities, fact.authors)
        for fact, label in zip(told, namer(told), strict=True)
    ]
    return pd.DataFrame(rows, columns=["group", "name", "summary", "label_source", "communities", "active_authors"])


def _archetypes(labelled: pd.DataFrame, clustering: Clustering, found: Niches) -> pd.DataFrame:
    return labelled.assign(
        archetype_id=_ids(labelled["group"]),
        stability=labelled["group"].map(clustering.stability).astype(float),
        homogeneity=labelled["group"].map(found.cuts.set_index("parent")["homogeneity"]).astype(float),
    ).drop(columns="group")


def _niches(labelled: pd.DataFrame, about: Known, found: Niches, *, structured: bool) -> pd.DataFrame:
    of = found.table.set_index("niche")
    first = shared_needs(about.needs, labelled.set_index("group")["active_authors"]).drop_duplicates("group").set_index("group")["need"]
    parent = labelled["group"].map(of["parent"])
    return labelled.assign(
        niche_id=_ids(labelled["group"]),
        archetype_id=_ids(parent if structured else parent * 0 - 1),
        top_need=pd.Series([first.get(group) for group in labelled["group"]], index=labelled.index, dtype=object),
        stability=labelled["group"].map(of["stability"]),
        homogeneity=labelled["group"].map(of["homogeneity"]),
    ).drop(columns="group")


def _profile(profile: pd.DataFrame) -> pd.DataFrame:
    return profile.assign(archetype_id=_ids(profile["group"])).drop(columns=["group", "market"])


def _communities(measurement: Measurement, clustering: Clustering, labels: pd.Series, membership: pd.Series) -> pd.DataFrame:
    """Say of every community where it belongs, how near its archetype's centre, and whether it stands for it."""
    everywhere = measurement.communities.index
    placed = pd.DataFrame({"archetype_id": _ids(labels), "niche_id": _ids(membership)}, index=everywhere)
    if clustering.structure == "none":
        return placed.assign(distance=float("nan"), confidence=float("nan"), is_exemplar=False, is_outlier=False, nearest_archetype_id=None)
    outlier = clustering.labels.reindex(everywhere, fill_value=0) == -1
    adrift = clustering.archetypes.reindex(everywhere, fill_value=0) == -1
    return placed.assign(
        distance=clustering.distance.reindex(everywhere).where(labels >= 0),
        confidence=clustering.confidence_by_community.reindex(everywhere).where(labels >= 0),
        is_exemplar=exemplars(measurement, labels, distance=clustering.distance),
        is_outlier=outlier,
        nearest_archetype_id=_ids(clustering.nearest.reindex(everywhere, fill_value=-1).where(adrift, -1)),
    )


def _clusters(clustering: Clustering, archetypes: list[int]) -> pd.DataFrame:
    """Tell every cluster, whether it became an archetype or not."""
    sizes = clustering.labels.value_counts()
    rows = [(label, int(sizes.get(label, 0)), value, standing(value)) for label, value in enumerate(clustering.stability)]
    told = pd.DataFrame(rows, columns=["cluster", "communities", "stability", "standing"])
    return told.assign(archetype_id=_ids(told["cluster"].where(told["cluster"].isin(archetypes), -1)))


def _hierarchy(clustering: Clustering, archetypes: list[int]) -> pd.DataFrame:
    """Merge the archetypes by Ward's criterion, each weighing as many communities as it was made of."""
    sizes = clustering.labels.value_counts()
    merges = ward(clustering.centers[archetypes], [int(sizes[label]) for label in archetypes])
    nodes = [str(label) for label in archetypes] + [_merged(step) for step in merges["step"]]
    return pd.DataFrame(
        {
            "step": merges["step"],
            "first_id": [nodes[at] for at in merges["first"]],
            "second_id": [nodes[at] for at in merges["second"]],
            "height": merges["height"],
            "communities": merges["communities"],
        }
    )


def _merged(step: int) -> str:
    """Name what a step of the hierarchy made."""
    return f"M{step}"


def _ids(groups: pd.Series) -> pd.Series:
    """Write group numbers as ids, None for -1."""
    return pd.Series([str(int(group)) if group >= 0 else None for group in groups], index=groups.index, dtype=object)


def _together(archetypes: pd.DataFrame, niches: pd.DataFrame, communities: pd.DataFrame, keys: pd.Index) -> pd.DataFrame:
    """Put what is known of groups of all kinds one below the other, as ``entity`` and ``entity_id``; a community's id is its key."""
    parts = []
    for entity, frame in (("archetype", archetypes), ("niche", niches), ("community", communities)):
        ids = [keys[group] if entity == "community" else str(group) for group in frame["group"]]
        parts.append(frame.drop(columns="group").assign(entity=entity, entity_id=pd.Series(ids, index=frame.index, dtype=object)))
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
