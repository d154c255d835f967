"""How the ranking hangs on the weights."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from scoring.formula import COMPONENTS
from scoring.opportunity import score
from scoring.sensitivity import leadership, one_at_a_time
from scoring.thresholds import Thresholds
from scoring.verdicts import rank
from tests.scoring_market import certain, groups, ladder, market

OPEN = Thresholds(coverage=0, authors=1, demand=0, money=0, score=0, score_low=0)


def ranked(values, *, sensitive=None):
    """Rank one archetype per community, with every gate open."""
    made = market(values, panel=ladder(), sensitive=sensitive)
    names = [f"a{number}" for number in range(len(made.communities))]
    scores = score(groups("archetype", names), made)
    return rank(scores, certain(scores), thresholds=OPEN)


def test_a_doubled_weight_can_turn_the_ranking():
    """Growth .3 against .6 loses to money .6 against .5, until growth weighs twice or money half."""
    moves = one_at_a_time(ranked({"money": [0.6, 0.5], "growth": [0.42, 0.6]}))
    turned = {(row.component, row.factor) for row in moves.itertuples() if row.entity_id == "a1" and row.moved == 1}
    assert turned == {("growth", 2.0), ("money", 0.5)}


def test_the_new_score_is_the_formula_with_the_new_weight():
    """With money's weight doubled, money .5 and growth .25 weigh .44 : .08."""
    moves = one_at_a_time(ranked({"money": [0.5], "growth": [0.25]}))
    row = moves[(moves["component"] == "money") & (moves["factor"] == 2.0)].iloc[0]
    assert row["score"] == pytest.approx(100 * math.exp((0.44 * math.log(0.51) + 0.08 * math.log(0.265)) / 0.52))


def test_nothing_moves_where_one_is_better_in_everything():
    """An archetype that is ahead in every component stays ahead; every component and factor is tried once."""
    moves = one_at_a_time(ranked({"money": [0.9, 0.5], "growth": [0.9, 0.5]}))
    assert (moves["moved"] == 0).all()
    assert len(moves) == len(COMPONENTS) * 2 * 2


def test_what_is_never_scored_is_left_out():
    """An archetype without a score has no row."""
    moves = one_at_a_time(ranked({"money": [0.9, 0.5]}, sensitive=[False, True]))
    assert set(moves["entity_id"]) == {"a0"}


NAMES = pd.Series({"a0": "Beekeepers", "a1": "Divers"})


def test_the_sentence_says_who_would_lead():
    """Two of sixteen changes put another first; they are named with the weight that does it."""
    assert leadership(ranked({"money": [0.6, 0.5], "growth": [0.42, 0.6]}), NAMES) == (
        "With one component's weight halved or doubled at a time, Beekeepers stays first in 14 of 16 cases; "
        "Divers comes first with money halved; Divers comes first with growth doubled."
    )


def test_who_stands_alone_leads_nothing():
    """Fewer than two entities with a score need no sentence."""
    assert leadership(ranked({"money": [0.9, 0.5]}, sensitive=[False, True]), NAMES) == ""
