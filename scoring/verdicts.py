"""Verdicts: what to do about an entity, by the first rule that applies, with the numbers that decided; and the rank that follows.

In flow point scores and the ends of their intervals. Out flow the ranking, as frames whose columns are those of the score
tables. Verdicts order the ranking and never change a score.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from scoring.components import Floats
from scoring.opportunity import Scores
from scoring.thresholds import Thresholds

VERDICTS = ("pursue", "watch", "saturated", "shallow", "insufficient_evidence", "not_scored")
"""From best to worst: the order of the ranking."""
PURSUE, WATCH, SATURATED, SHALLOW, INSUFFICIENT, NOT_SCORED = range(6)
Grades = NDArray[np.int64]


class Gates(NamedTuple):
    """The quantities that verdicts read, one array entry per entity. NaN = not measured, which neither condemns nor promotes."""

    withheld: NDArray[np.bool_]
    coverage: Floats
    authors: Floats
    stability: Floats
    demand: Floats
    money: Floats
    retained_reach: Floats
    headroom: Floats
    switching_wedge: Floats
    score: Floats
    score_low: Floats

    @classmethod
    def of(cls, scores: Scores, score_low: Floats) -> Gates:
        """Gather what the verdicts read of point scores."""
        facts, parts = scores.facts, scores.components
        wedge = scores.ingredients.loc[scores.ingredients["slot"] == "switching_wedge"].set_index("entity_id")["percentile"]
        return cls(
            withheld=(facts["withheld"] != "").to_numpy(bool),
            **{name: facts[name].to_numpy(float) for name in ("coverage", "authors", "stability", "score")},
            **{name: parts[name].to_numpy(float) for name in ("demand", "money", "retained_reach", "headroom")},
            switching_wedge=wedge.reindex(facts.index).to_numpy(float),
            score_low=score_low,
        )


def grade(gates: Gates, thresholds: Thresholds) -> Grades:
    """Give each entity its verdict, as a position in ``VERDICTS``: the first rule that applies.

    Quantities are compared to nine decimals, so that rounding in a weighted mean decides nothing.
    """
    gates = Gates(gates.withheld, *(np.round(quantity, 9) for quantity in gates[1:]))
    enough = (gates.coverage >= thresholds.coverage) & (gates.authors >= thresholds.authors) & ~(gates.stability < thresholds.stability)
    shallow = ((gates.demand < thresholds.demand) & (gates.money < thresholds.money)) | (gates.retained_reach < thresholds.retained_reach)
    saturated = (gates.headroom < thresholds.headroom) & ~(gates.switching_wedge > thresholds.switching_wedge)
    worth = (gates.score >= thresholds.score) & (gates.score_low >= thresholds.score_low)
    pursue = worth & (gates.demand >= thresholds.demand) & (gates.money >= thresholds.money)
    rules = [gates.withheld, ~enough, shallow, saturated, pursue]
    return np.select(rules, [NOT_SCORED, INSUFFICIENT, SHALLOW, SATURATED, PURSUE], default=WATCH).astype(np.int64)


def order(grades: Grades, score: Floats) -> NDArray[np.int64]:
    """Sort positions by verdict, then score, then position (entities stand in the order of their ids)."""
    return np.lexsort((-np.nan_to_num(score, nan=-math.inf), grades)).astype(np.int64)


class Saying(NamedTuple):
    """What it means that a quantity reaches its threshold, and that it does not."""

    enough: str
    lacking: str


class Comparison(NamedTuple):
    """One comparison of a verdict's rule, in words."""

    name: str
    said: Saying
    value: float
    least: float
    strict: bool = False
    """Must be above, not only at least."""

    @property
    def passes(self) -> bool:
        """Tell whether the quantity reaches its threshold; what is not measured does not."""
        return self.value > self.least if self.strict else self.value >= self.least

    @property
    def fails(self) -> bool:
        """Tell whether the quantity is measured and falls short."""
        return not self.passes and not math.isnan(self.value)

    def words(self) -> str:
        """Say what the comparison means, with both numbers in as many digits as keep them apart."""
        if math.isnan(self.value):
            return f"{self.name} is not measured"
        value, least = apart(self.value, self.least)
        said = self.said.enough if self.passes else self.said.lacking
        return f"{said} ({self.name} {value}, {'more than ' if self.strict else ''}{least} needed)"


def apart(value: float, other: float) -> tuple[str, str]:
    """Print two numbers with as few digits as tell them apart; equal numbers print alike."""
    if float(value).is_integer() and float(other).is_integer() and max(abs(value), abs(other)) > 1:
        return f"{value:,.0f}", f"{other:,.0f}"
    digits = 1 if max(abs(value), abs(other)) > 1.5 else 2
    while f"{value:.{digits}f}" == f"{other:.{digits}f}" and value != other and digits < 12:
        digits += 1
    return f"{value:,.{digits}f}", f"{other:,.{digits}f}"


TITLES = {
    "authors": "distinct authors",
    "retained_reach": "retained reach",
    "switching_wedge": "switching wedge",
    "score_low": "lower bound",
}
SAYINGS = {
    "coverage": Saying("enough was measured", "too little was measured"),
    "authors": Saying("enough people were seen", "too few people were seen"),
    "stability": Saying("it comes back when drawn again", "it falls apart when drawn again"),
    "demand": Saying("enough is asked for", "too little is asked for"),
    "money": Saying("money shows", "too little money shows"),
    "retained_reach": Saying("enough people stay and talk", "too few people stay and talk"),
    "headroom": Saying("there is room in the market", "products fill the market"),
    "switching_wedge": Saying("people want to leave what they use", "too few people want to leave what they use"),
    "score": Saying("the score is high", "the score is too low"),
    "score_low": Saying("it holds up when resampled", "it does not hold up when resampled"),
}


def comparisons(gates: Gates, thresholds: Thresholds, entity: int) -> dict[str, Comparison]:
    """Lay out every comparison for one entity (by position), by the name of its quantity."""
    return {
        name: Comparison(
            TITLES.get(name, name), SAYINGS[name], float(getattr(gates, name)[entity]), getattr(thresholds, name), name == "switching_wedge"
        )
        for name in Gates._fields
        if name != "withheld"
    }


def blocking(verdict: str, facts: dict[str, Comparison]) -> list[Comparison]:
    """List what stands between an entity and a better verdict; all of it must pass."""
    match verdict:
        case "insufficient_evidence":
            return [facts[name] for name in ("coverage", "authors", "stability") if facts[name].fails]
        case "shallow":
            wants = [facts["demand"], facts["money"]]
            return (wants if all(want.fails for want in wants) else []) + (
                [facts["retained_reach"]] if facts["retained_reach"].fails else []
            )
        case "saturated":
            return [facts["headroom"], facts["switching_wedge"]]
        case "watch":
            return [facts[name] for name in ("score", "score_low", "demand", "money") if not facts[name].passes]
        case _:
            return []


def reason(verdict: str, facts: dict[str, Comparison]) -> str:
    """Say which numbers gave the verdict."""
    if verdict == "pursue":
        return "; ".join(facts[name].words() for name in ("score", "score_low", "demand", "money"))
    said = "; ".join(item.words() for item in blocking(verdict, facts))
    return f"not yet to pursue: {said}" if verdict == "watch" else said


@dataclass(frozen=True)
class Ranking:
    """The ranked entities of one kind."""

    scores: Scores
    table: pd.DataFrame
    """In the order of rank, indexed by entity_id; the columns of ``storage.tables.Score``, and p_top1 and presence (share of the
    replicates in which the entity was found again)."""
    thresholds: Thresholds

    @property
    def components(self) -> pd.DataFrame:
        """The columns of ``storage.tables.ScoreComponent``: measured components of every entity that has a score."""
        scores = self.scores
        value = scores.components.rename_axis(columns="component")
        held = value.notna().to_numpy()
        below = value.rank(method="min").sub(1).div(value.notna().sum())
        frames = {"value": value, "percentile": below, "weight": scores.weights, "contribution": scores.contributions}
        rows, columns = np.nonzero(held)
        cells = {name: frame.to_numpy(float)[rows, columns] for name, frame in frames.items()}
        return pd.DataFrame({"entity_id": value.index[rows], "component": value.columns[columns], **cells})

    @property
    def ingredients(self) -> pd.DataFrame:
        """The columns of ``storage.tables.ScoreIngredient`` for every entity that may be scored."""
        scored = self.scores.facts.index[(self.scores.facts["withheld"] == "").to_numpy(bool)]
        columns = ["entity_id", "component", "ingredient", "value", "percentile", "weight", "missing_reason"]
        return self.scores.ingredients.loc[self.scores.ingredients["entity_id"].isin(scored), columns]


def rank(scores: Scores, intervals: pd.DataFrame, *, thresholds: Thresholds) -> Ranking:
    """Give every entity its verdict with the reason, and its rank: by verdict, then score, then id.

    Args:
        scores: Point scores of one kind.
        intervals: What :func:`scoring.uncertainty.intervals` gives for the same kind.
        thresholds: Where verdicts change.
    """
    known = intervals.reindex(scores.facts.index)
    gates = Gates.of(scores, known["score_low"].to_numpy(float))
    grades = grade(gates, thresholds)
    verdicts = [VERDICTS[position] for position in grades]
    withheld = scores.facts["withheld"]
    reasons = [withheld.iloc[at] or reason(verdict, comparisons(gates, thresholds, at)) for at, verdict in enumerate(verdicts)]
    table = scores.facts[["score", "coverage"]].join(known).assign(verdict=verdicts, verdict_reason=reasons)
    table = table.iloc[order(grades, gates.score)]
    return Ranking(scores, table.assign(rank=np.arange(1, len(table) + 1)), thresholds)
