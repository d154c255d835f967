"""Lay out what a run found as the rows of the results' tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from discovery.archetypes import Interpretation
from discovery.archetypes.map import Map
from discovery.archetypes.voices import voices
from discovery.clustering import Clustering
from discovery.collect import Delivery
from discovery.features import FEATURES, Measurement
from discovery.ranking import Rankings
from discovery.search import index
from scoring.arguments.against import counter_argument
from scoring.arguments.change import would_change
from scoring.sensitivity import leadership
from scoring.verdicts import Ranking
from storage.tables import Score

TOO_FEW = 10


class Found(NamedTuple):
    """What a run found."""

    measurement: Measurement
    clustering: Clustering
    interpretation: Interpretation
    """The groups under their lasting ids."""
    rankings: Rankings


def rows(found: Found, *, delivery: Delivery, drawn: Map, drift: Sequence[str], seed: int) -> Mapping[str, Any]:
    """Give each table its rows; see ``storage.results.SAVED``.

    Args:
        found: What the run found.
        delivery: What the sources delivered.
        drawn: The map of its communities.
        drift: What has moved since that run, in words.
        seed: Seed of the cells that a search reads.
    """
    measurement, clustering, interpretation, _ = found
    notes = [*clustering.notes, *interpretation.notes, *drift, *_sensitivity(found)]
    return {
        "run": [{**_facts(found), "map_method": drawn.method, "notes": "\n".join(notes)}],
        **of_sources(delivery),
        "community": _communities(measurement, interpretation, drawn),
        "feature": _features(),
        "community_feature": measurement.estimates.rename(columns={"community": "community_id"}),
        "archetype": _argued(interpretation.archetypes, "archetype", found.rankings.archetype, found),
        "niche": _argued(interpretation.niches, "niche", found.rankings.niche, found),
        "archetype_feature": interpretation.archetype_features,
        "score": pd.concat([_scores(ranking) for ranking in found.rankings.each()], ignore_index=True),
        "score_component": pd.concat([_of(ranking, ranking.components) for ranking in found.rankings.each()], ignore_index=True),
        "score_ingredient": pd.concat([_of(ranking, ranking.ingredients) for ranking in found.rankings.each()], ignore_index=True),
        "evidence": interpretation.evidence,
        "need": interpretation.needs,
        "term": interpretation.terms,
        "criterion": clustering.criteria,
        "criterion_vote": clustering.votes.rename_axis("criterion").rename("k").reset_index(),
        "cluster": interpretation.clusters,
        "archetype_merge": interpretation.hierarchy,
        **index.rows(measurement, interpretation, seed=seed),
    }


def of_sources(delivery: Delivery) -> Mapping[str, Any]:
    """Give what the sources delivered its rows; all there is to keep of a run without a record."""
    return {"source_run": delivery.sources, "quarantined_item": delivery.quarantined}


def _facts(found: Found) -> dict[str, Any]:
    measurement, clustering, interpretation, rankings = found
    size = len(measurement.communities)
    return {
        "structure": "too_few" if size < TOO_FEW else clustering.structure,
        "n_clusters": clustering.n_clusters,
        "confidence": clustering.confidence,
        "records": measurement.records,
        "authors": measurement.authors,
        "communities": size,
        "platform_association": clustering.platform_association,
        "panel_version": rankings.panel.version,
        "background_version": measurement.background_version,
        "embedding_model": interpretation.embedding_model,
        "embedding_version": interpretation.embedding_version,
    }


def _sensitivity(found: Found) -> list[str]:
    """Say of archetypes, and of communities where there are none, whether the first place hangs on a weight."""
    archetypes, _, communities = found.rankings.each()
    if len(archetypes.table):
        sentence = leadership(archetypes, found.interpretation.archetypes.set_index("archetype_id")["name"])
    else:
        sentence = leadership(communities, found.measurement.communities["name"])
    return [sentence] if sentence else []


def _communities(measurement: Measurement, interpretation: Interpretation, drawn: Map) -> pd.DataFrame:
    columns = ["source", "name", "url", "description", "members", "records", "authors", "first_at", "last_at", "language", "coverage"]
    about = measurement.communities[[*columns, "duplicate_of"]].join(_with_likes(interpretation.communities, measurement))
    because = measurement.communities["sensitive_because"]
    once = np.where(measurement.communities["duplicate_of"].notna(), "duplicate", "scored")
    policy = np.where(because.notna(), "sensitive: " + because.fillna("").astype(str), once)
    about = about.assign(policy=policy, is_exemplar=about["is_exemplar"].astype(int), is_outlier=about["is_outlier"].astype(int))
    return about.join(drawn.places.reindex(about.index)).rename_axis("community_id").reset_index()


def _with_likes(placed: pd.DataFrame, measurement: Measurement) -> pd.DataFrame:
    """List a community that is the same as another one in that one's archetype and niche."""
    of = measurement.communities["duplicate_of"].dropna()
    placed, columns = placed.copy(), ["archetype_id", "niche_id", "nearest_archetype_id"]
    placed.loc[of.index, columns] = placed.loc[of, columns].to_numpy(dtype=object)
    return placed


def _features() -> list[dict[str, Any]]:
    return [
        {
            "feature": declared.name,
            "title": declared.title,
            "unit": declared.unit,
            "formula": declared.formula,
            "origin": declared.source,
            "block": declared.block,
            "clustered": int(declared.clustered),
        }
        for declared in FEATURES.values()
    ]


def _argued(table: pd.DataFrame, kind: str, ranking: Ranking, found: Found) -> pd.DataFrame:
    """Add to each archetype or niche what speaks against it and what would change its verdict."""
    ids = table[f"{kind}_id"]
    heard = voices(found.measurement, found.interpretation.communities[f"{kind}_id"])
    against, change = counter_argument(ranking, heard), would_change(ranking, found.rankings.panel)
    return table.drop(columns="homogeneity").assign(
        counter_argument=against.reindex(ids).to_numpy(object), would_change=change.reindex(ids).to_numpy(object)
    )


def _scores(ranking: Ranking) -> pd.DataFrame:
    columns = [name for name in Score.model_fields if name not in {"run_id", "entity", "entity_id"}]
    return _of(ranking, ranking.table[columns].rename_axis("entity_id").reset_index())


def _of(ranking: Ranking, frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(entity=ranking.scores.kind)
