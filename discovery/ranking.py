"""Rank: what was measured and interpreted, put before the scorer, which knows neither features nor clusters by name."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from discovery.archetypes import Interpretation
from discovery.clustering import Clustering, recluster
from discovery.config import ScoreSettings
from discovery.features import FEATURES, Measurement
from scoring import opportunity, uncertainty, verdicts
from scoring.components import Panel
from scoring.opportunity import Entities, Market
from scoring.uncertainty import Resampling
from scoring.verdicts import Ranking


@dataclass(frozen=True)
class Rankings:
    """The three rankings of a run and the panel they were scored on."""

    archetype: Ranking
    niche: Ranking
    community: Ranking
    panel: Panel
    panel_is_new: bool

    def each(self) -> tuple[Ranking, Ranking, Ranking]:
        """Give them one after the other."""
        return self.archetype, self.niche, self.community


def rank(
    measurement: Measurement,
    clustering: Clustering,
    *,
    interpretation: Interpretation,
    panel: pd.DataFrame | None,
    settings: ScoreSettings,
    seed: int,
    portfolio: bool,
) -> Rankings:
    """Score and rank archetypes, niches and communities, each with the interval its evidence allows."""
    frozen = _panel(panel, measurement)
    market = Market.of(measurement.communities, measurement.estimates, panel=frozen, portfolio=portfolio)
    entities = (_entities("archetype", interpretation.archetypes, interpretation), _entities("niche", interpretation.niches, interpretation))
    scores = [opportunity.score(each, market) for each in (*entities, Entities.each_community(measurement.communities))]
    drawn = uncertainty.intervals(
        scores, market, resampling=_resampling(measurement, clustering, settings, seed), thresholds=settings.thresholds
    )
    archetype, niche, community = (verdicts.rank(scored, drawn[scored.kind], thresholds=settings.thresholds) for scored in scores)
    return Rankings(archetype, niche, community, panel=market.panel, panel_is_new=frozen is None or panel is None or frozen.version != panel["version"].iloc[0])


def _panel(rows: pd.DataFrame | None, measurement: Measurement) -> Panel | None:
    """Take the frozen panel where it covers at least half of tonight's communities; else tonight is a panel of its own.

    A panel of other communities would compare tonight's with a market they are not in.
    """
    if rows is None:
        return None
    known = measurement.communities.index.isin(rows["community_id"].unique())
    if 2 * known.sum() >= len(known):
        return Panel.from_rows(rows)
    values = measurement.values()[~measurement.communities["sensitive"].astype(bool)]
    return Panel.freeze(values, version=int(rows["version"].iloc[0]) + 1)


def _entities(kind: opportunity.Kind, table: pd.DataFrame, interpretation: Interpretation) -> Entities:
    facts = table.set_index(f"{kind}_id")[["active_authors", "stability", "homogeneity"]].rename(columns={"active_authors": "authors"})
    return Entities(kind, interpretation.communities[f"{kind}_id"].dropna(), facts.astype(float))


def _resampling(measurement: Measurement, clustering: Clustering, settings: ScoreSettings, seed: int) -> Resampling:
    known = set(clustering.labels.index)
    names = list(clustering.prepared.names) if clustering.prepared is not None else []

    def again(values: pd.DataFrame) -> pd.Series:
        labels = recluster(clustering, values.loc[values.index.isin(known), names])
        return labels.reindex(values.index, fill_value=-1)

    ratios = {name: (declared.ratio.numerator, declared.ratio.denominator) for name, declared in FEATURES.items() if declared.ratio}
    return Resampling(
        author_sums=measurement.author_sums,
        ratios=ratios,
        own_weight=measurement.own_weight,
        recluster=again if clustering.prepared is not None and clustering.structure != "none" else None,
        replicates=settings.replicates,
        seed=seed,
    )


