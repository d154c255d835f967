"""Verdicts by the first rule that applies, their reasons, and the order of the ranking."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from scoring.formula import FEATURES
from scoring.opportunity import score
from scoring.thresholds import Thresholds
from scoring.verdicts import VERDICTS, Comparison, Gates, Saying, apart, comparisons, grade, order, rank, reason
from storage.tables import Score, ScoreComponent, ScoreIngredient
from tests.scoring_market import alone, certain, groups, keys, ladder, market

FINE = {
    "withheld": False,
    "coverage": 0.9,
    "authors": 500,
    "stability": 0.9,
    "demand": 0.7,
    "money": 0.7,
    "retained_reach": 0.6,
    "headroom": 0.6,
    "switching_wedge": 0.2,
    "score": 70,
    "score_low": 60,
}
JUST_BELOW = 1e-6


def gates(**changed):
    """Build the gates of one entity that deserves to be pursued, but for what is changed."""
    return Gates(**{name: np.array([value]) for name, value in (FINE | changed).items()})


def verdict(**changed):
    """Give its verdict."""
    return VERDICTS[grade(gates(**changed), Thresholds())[0]]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, "pursue"),
        ({"coverage": 0.6}, "pursue"),
        ({"coverage": 0.6 - JUST_BELOW}, "insufficient_evidence"),
        ({"authors": 30}, "pursue"),
        ({"authors": 29}, "insufficient_evidence"),
        ({"stability": 0.6}, "pursue"),
        ({"stability": 0.6 - JUST_BELOW}, "insufficient_evidence"),
        ({"stability": math.nan}, "pursue"),
        ({"demand": 0.5, "money": 0.5}, "pursue"),
        ({"demand": 0.5 - JUST_BELOW}, "watch"),
        ({"money": 0.5 - JUST_BELOW}, "watch"),
        ({"demand": 0.5 - JUST_BELOW, "money": 0.5 - JUST_BELOW}, "shallow"),
        ({"demand": 0.5, "money": 0.1}, "watch"),
        ({"retained_reach": 0.25}, "pursue"),
        ({"retained_reach": 0.25 - JUST_BELOW}, "shallow"),
        ({"headroom": 0.25}, "pursue"),
        ({"headroom": 0.25 - JUST_BELOW}, "saturated"),
        ({"headroom": 0.1, "switching_wedge": 0.5}, "saturated"),
        ({"headroom": 0.1, "switching_wedge": 0.5 + JUST_BELOW}, "pursue"),
        ({"headroom": 0.1, "switching_wedge": math.nan}, "saturated"),
        ({"score": 60, "score_low": 50}, "pursue"),
        ({"score": 60 - JUST_BELOW, "score_low": 50}, "watch"),
        ({"score": 60, "score_low": 50 - JUST_BELOW}, "watch"),
        ({"score_low": math.nan}, "watch"),
    ],
)
def test_each_threshold_at_equality(changed, expected):
    """A quantity equal to its threshold passes, one just below does not; a switching wedge must be above."""
    assert verdict(**changed) == expected


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"withheld": True, "coverage": 0.1}, "not_scored"),
        ({"coverage": 0.1, "retained_reach": 0.1}, "insufficient_evidence"),
        ({"retained_reach": 0.1, "headroom": 0.1}, "shallow"),
        ({"headroom": 0.1, "score": 95}, "saturated"),
    ],
)
def test_the_first_rule_that_applies_wins(changed, expected):
    """Rules are read in order: withheld, evidence, depth, room, score."""
    assert verdict(**changed) == expected


@pytest.mark.parametrize("name", ["demand", "money", "retained_reach", "headroom"])
def test_a_missing_quantity_neither_condemns_nor_promotes(name):
    """What is not measured fails no gate, and demand or money not measured keeps from pursuit."""
    assert verdict(**{name: math.nan}) == ("watch" if name in ("demand", "money") else "pursue")
    assert verdict(demand=math.nan, money=0.1) == "watch"


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"coverage": 0.41, "authors": 12},
         ("too little was measured (coverage 0.41, 0.60 needed); "
          "too few people were seen (distinct authors 12, 30 needed)")),
        ({"demand": 0.41, "money": 0.32},
         "too little is asked for (demand 0.41, 0.50 needed); too little money shows (money 0.32, 0.50 needed)"),
        ({"retained_reach": 0.2499, "money": 0.1}, "too few people stay and talk (retained reach 0.2499, 0.2500 needed)"),
        ({"headroom": 0.1, "switching_wedge": 0.5},
         ("products fill the market (headroom 0.10, 0.25 needed); "
          "too few people want to leave what they use (switching wedge 0.50, more than 0.50 needed)")),
        ({"headroom": 0.1, "switching_wedge": math.nan},
         "products fill the market (headroom 0.10, 0.25 needed); switching wedge is not measured"),
        ({"score": 58.26, "score_low": 49.98, "money": 0.3},
         ("not yet to pursue: the score is too low (score 58.3, 60.0 needed); it does not hold up when resampled "
          "(lower bound 49.98, 50.00 needed); too little money shows (money 0.30, 0.50 needed)")),
        ({},
         ("the score is high (score 70, 60 needed); it holds up when resampled (lower bound 60, 50 needed); "
          "enough is asked for (demand 0.70, 0.50 needed); money shows (money 0.70, 0.50 needed)")),
    ],
)  # fmt: skip
def test_reasons_carry_the_numbers(changed, expected):
    """A reason names every quantity that decided, with its number and the threshold's, told apart."""
    assert reason(verdict(**changed), comparisons(gates(**changed), Thresholds(), 0)) == expected


def test_numbers_are_told_apart():
    """Numbers that differ never print alike, and equal numbers do."""
    assert apart(0.4999999, 0.5) == ("0.4999999", "0.5000000")
    assert apart(0.5, 0.5) == ("0.50", "0.50")
    assert apart(12_000, 30) == ("12,000", "30")
    assert Comparison("x", Saying("yes", "no"), 0.5, 0.5, strict=True).words() == "no (x 0.50, more than 0.50 needed)"


def test_order_is_verdict_then_score_then_id():
    """A better verdict stands before a better score, and equal scores stand in the order of ids."""
    grades, scores = np.array([1, 0, 1, 4, 1]), np.array([50.0, 10.0, 70.0, math.nan, 70.0])
    assert order(grades, scores).tolist() == [1, 2, 4, 0, 3]


def test_thresholds_refuse_what_they_do_not_know():
    """An unknown threshold or a share above one is refused."""
    with pytest.raises(ValidationError):
        Thresholds(covrage=0.5)
    with pytest.raises(ValidationError):
        Thresholds(coverage=1.5)


def engaged_and_giant(*, giant_money, giant_demand, size):
    """Score a small engaged niche with money on the table beside a shallow giant that is at the top in all else."""
    rest = {feature: [0.7, 0.99] for feature in FEATURES if feature not in ("retention", "cross_promotion")}
    special = {
        "money": [0.7, giant_money],
        "seeking": [0.7, giant_demand],
        "pain": [0.7, giant_demand],
        "need_concentration": [0.7, giant_demand],
        "active_authors": [0.2, 9e9],
    }
    return market(rest | special, authors=[60, size], panel=ladder())


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 0.49), st.floats(0, 0.49), st.integers(1_000, 10**9), st.floats(0, 15))
def test_a_shallow_giant_never_outranks_an_engaged_niche_with_money(money, demand, size, margin):
    """Whatever its size and its other virtues, a giant without demand and money stands below an engaged niche with both."""
    scores = alone(engaged_and_giant(giant_money=money, giant_demand=demand, size=size))
    ranking = rank(scores, certain(scores, margin=margin), thresholds=Thresholds())
    assert ranking.table.index.tolist() == keys(2)
    assert ranking.table["verdict"].iloc[1] == "shallow"


def test_ranking_fills_its_tables():
    """The frames carry the columns of the score tables, one row per measured component, contributions that add up, no sensitive detail."""
    made = market({"money": [0.9, 0.2, 0.5], "seeking": [0.8, math.nan, 0.5]}, sensitive=[False, False, True], panel=ladder())
    scores = alone(made)
    ranking = rank(scores, certain(scores), thresholds=Thresholds(coverage=0.2))
    keyed = {"run_id", "entity", "entity_id"}
    assert set(Score.model_fields) - keyed <= set(ranking.table.columns)
    assert set(ScoreComponent.model_fields) - keyed | {"entity_id"} == set(ranking.components.columns)
    assert set(ScoreIngredient.model_fields) - keyed | {"entity_id"} == set(ranking.ingredients.columns)
    assert ranking.table["verdict"].tolist() == ["pursue", "watch", "not_scored"]
    assert ranking.table["rank"].tolist() == [1, 2, 3]
    assert ranking.components.groupby("entity_id").size().to_dict() == {keys(2)[0]: 2, keys(2)[1]: 1}
    logs = ranking.components.groupby("entity_id")["contribution"].sum()
    assert logs.to_numpy() == pytest.approx(np.log(scores.facts["score"].iloc[:2].to_numpy() / 100), abs=1e-9)
    assert set(ranking.ingredients["entity_id"]) == set(keys(2))
    assert (ranking.ingredients["percentile"].isna() == ranking.ingredients["missing_reason"].notna()).all()
    assert math.isnan(ranking.table["score"].iloc[2])
    assert "never scored" in ranking.table["verdict_reason"].iloc[2]


def test_component_percentile_is_among_the_runs_entities():
    """A component's percentile is the share of the run's entities of its kind strictly below."""
    scores = alone(market({"money": [0.9, 0.2, 0.2, math.nan]}, panel=ladder()))
    parts = rank(scores, certain(scores), thresholds=Thresholds()).components
    assert parts["percentile"].tolist() == pytest.approx([2 / 3, 0, 0])


def test_an_unstable_archetype_is_not_recommended():
    """An archetype whose stability is below its threshold has insufficient evidence, with the number."""
    values = {feature: [0.9, 0.9] for feature in FEATURES if feature != "cross_promotion"}
    scores = [score_of(values, stability) for stability in (0.59, 0.60)]
    rankings = [rank(each, certain(each), thresholds=Thresholds()).table.iloc[0] for each in scores]
    assert [row["verdict"] for row in rankings] == ["insufficient_evidence", "pursue"]
    assert rankings[0]["verdict_reason"] == "it falls apart when drawn again (stability 0.59, 0.60 needed)"


def score_of(values, stability):
    """Score one archetype of a given stability."""
    return score(groups("archetype", ["a", "a"], stability=stability, homogeneity=0.9), market(values, panel=ladder()))
