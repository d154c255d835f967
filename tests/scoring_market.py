"""Small markets for the tests of the score: communities, estimates and scores from a table of values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from scoring.components import Panel
from scoring.formula import FEATURES
from scoring.opportunity import SENSITIVE, Entities, Kind, Market, Scores, score

LADDER = np.arange(100) / 100
"""A panel in which a value v between 0 and 1 has percentile v, rounded up to hundredths."""


def keys(count: int) -> list[str]:
    """Name communities in ascending order."""
    return [f"forum:x/{number:04d}" for number in range(count)]


def ladder(*features: str) -> Panel:
    """Make a panel of a hundred communities valued 0, .01, …, .99 in the features named, or in all."""
    return Panel.freeze(pd.DataFrame(dict.fromkeys(features or FEATURES, LADDER), index=keys(100)))


def market(
    values: Mapping[str, Sequence[float]],
    *,
    authors: Sequence[int] | None = None,
    sensitive: Sequence[bool] | None = None,
    panel: Panel | None = None,
    width: float = 0.0,
) -> Market:
    """Make a market from columns of values, one entry per community; intervals are value ± width."""
    count = len(next(iter(values.values())))
    told = pd.DataFrame(
        {"authors": authors or [100] * count, "withheld": np.where(sensitive or [False] * count, SENSITIVE, "")}, index=keys(count)
    )
    long = pd.DataFrame(values, index=keys(count)).rename_axis("community").reset_index().melt("community", var_name="feature")
    long = long.assign(low=long["value"] - width, high=long["value"] + width)
    long["missing_reason"] = np.where(long["value"].isna(), "fewer than 30 authors", None)
    return Market.of(told, long, panel=panel, portfolio="cross_promotion" in values)


def groups(
    kind: Kind, labels: Sequence[str | None], *, authors: int = 1000, stability: float = 0.9, homogeneity: float = math.nan
) -> Entities:
    """Put communities into entities that share their facts."""
    members = pd.Series(labels, index=keys(len(labels)), dtype=object).dropna()
    facts = pd.DataFrame({"authors": authors, "stability": stability, "homogeneity": homogeneity}, index=sorted(set(members)))
    return Entities(kind, members, facts)


def alone(made: Market) -> Scores:
    """Score every community by itself."""
    return score(Entities.each_community(made.communities), made)


def certain(scores: Scores, *, margin: float = 0.0) -> pd.DataFrame:
    """Make intervals of a fixed margin around each score, as if they had been drawn."""
    points = scores.facts["score"]
    shares = dict.fromkeys(("p_top1", "p_top5"), 0.5) | {"presence": 1.0, "shift": 0.0}
    return pd.DataFrame(
        {"score_low": points - margin, "score_high": points + margin, "rank_low": 1, "rank_high": 2, **shares}, index=points.index
    )
