"""Rank: what was measured and interpreted, put before the scorer, which knows neither features nor clusters by name."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from discovery.archetypes import Interpretation
from discovery.clustering import Clustering, recluster
from discovery.config import Config
from discovery.features import FEATURES, Measurement
from discovery.features.silence import silent
from scoring import formula, opportunity, uncertainty, verdicts
from scoring.components import Panel
from scoring.opportunity import Entities, Market
from scoring.uncertainty import Resampling
from scoring.verdicts import Ranking

_RATIOS = {name: (declared.ratio.numerator, declared.ratio.denominator) for name, declared in FEATURES.items() if declared.ratio}
"""Of each feature that is a ratio over authors: the weights of the sums in its numerator, and the sum below."""


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
    measurement: Measurement, clustering: Clustering, interpretation: Interpretation, *, panel: pd.DataFrame | None, config: Config
) -> Rankings:
    """Score and rank archetypes, niches and communities, each with the interval its evidence allows.

    Args:
        measurement: What was measured.
        clustering: How it was grouped.
        interpretation: What the groups are, under their lasting ids.
        panel: Rows of the newest reference panel; None where the run is its own.
        config: What the run is told of scores.
    """
    thresholds = config.score.thresholds
    estimates = common_zeros(measurement)
    frozen = _panel(panel, estimates, measurement)
    market = Market.of(_scored(measurement), estimates, panel=frozen, portfolio=bool(config.portfolio))
    entities = (
        _entities("archetype", interpretation.archetypes, interpretation),
        _entities("niche", interpretation.niches, interpretation),
        Entities.each_community(measurement.communities),
    )
    scores = [opportunity.score(each, market) for each in entities]
    resampling = _resampling(measurement, estimates, clustering, config)
    drawn = uncertainty.intervals(scores, market, resampling=resampling, thresholds=thresholds)
    archetype, niche, community = (verdicts.rank(scored, drawn[scored.kind], thresholds=thresholds) for scored in scores)
    known = panel is not None and market.panel.version == panel["version"].iloc[0]
    return Rankings(archetype, niche, community, panel=market.panel, panel_is_new=not known)


def common_zeros(measurement: Measurement) -> pd.DataFrame:
    """Give the estimates as the scorer reads them: a ratio that not one event speaks for is 0, whatever its interval.

    A measured share is drawn towards its platform's mean, the more the fewer people it rests on. Where *nobody* said a thing, that
    leaves .15 % in a large community and .20 % in a small one; on a panel where most values are such leftovers, the one stands above
    a third of the market and the other above half, for their sizes alone. A percentile is the share of the panel strictly below, so
    that a common zero is zero: these zeros are made common. The interval stays: it says how many might have been missed.
    """
    estimates = measurement.estimates.copy()
    quiet = silent(measurement)
    for name in sorted(set(formula.FEATURES) & set(quiet.columns)):
        rows = estimates["feature"] == name
        estimates.loc[rows, "value"] = estimates.loc[rows, "value"].mask(
            quiet[name].reindex(estimates.loc[rows, "community"]).to_numpy(), 0.0
        )
    return estimates


def _scored(measurement: Measurement) -> pd.DataFrame:
    """Give the authors of each community, and why it is never scored, or empty."""
    told = measurement.communities
    same = "the same community as " + told["duplicate_of"].fillna("").astype(str) + ": counted once"
    why = same.where(told["duplicate_of"].notna(), "").mask(told["sensitive"].astype(bool), opportunity.SENSITIVE)
    return told[["authors"]].assign(withheld=why)


def _panel(rows: pd.DataFrame | None, estimates: pd.DataFrame, measurement: Measurement) -> Panel | None:
    """Take the frozen panel where it covers at least half of tonight's communities; else tonight is a panel of its own.

    A panel of other communities would compare tonight's with a market they are not in.
    """
    if rows is None:
        return None
    known = measurement.communities.index.isin(rows["community_id"].unique())
    if 2 * known.sum() >= len(known):
        return Panel.from_rows(rows)
    values = _matrix(estimates).loc[measurement.market]
    return Panel.freeze(values, version=int(rows["version"].iloc[0]) + 1)


def _matrix(estimates: pd.DataFrame) -> pd.DataFrame:
    return estimates.pivot(index="community", columns="feature", values="value")


def _entities(kind: opportunity.Kind, table: pd.DataFrame, interpretation: Interpretation) -> Entities:
    facts = table.set_index(f"{kind}_id")[["active_authors", "stability", "homogeneity"]].rename(columns={"active_authors": "authors"})
    return Entities(kind, interpretation.communities[f"{kind}_id"].dropna(), facts.astype(float))


def _resampling(measurement: Measurement, estimates: pd.DataFrame, clustering: Clustering, config: Config) -> Resampling:
    prepared = clustering.prepared
    names = [] if prepared is None else list(prepared.names)
    known = clustering.labels.index
    zeroed = (_matrix(measurement.estimates) - _matrix(estimates)).reindex(index=known, columns=names).fillna(0.0)

    def again(values: pd.DataFrame) -> pd.Series:
        """Cluster a draw, on the scale that the archetypes were made on: with what the common zeros took given back."""
        labels = recluster(clustering, values.loc[known, names] + zeroed)
        return labels.reindex(values.index, fill_value=-1)

    return Resampling(
        author_sums=measurement.author_sums,
        ratios=_RATIOS,
        own_weight=measurement.own_weight,
        recluster=again if prepared is not None and clustering.structure != "none" else None,
        replicates=config.score.replicates,
        seed=config.seed,
    )
