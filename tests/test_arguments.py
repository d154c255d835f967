"""What speaks against an entity and what would change its verdict."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.arguments import PLAIN, READINGS, counter_argument, would_change
from scoring.components import FEATURES, Panel
from scoring.opportunity import score
from scoring.thresholds import Thresholds
from scoring.verdicts import rank
from tests.scoring_market import alone, certain, groups, keys, ladder, market

READ = [feature for feature in FEATURES if feature not in ("retention", "cross_promotion")]
TITLES = {reading.title: reading for reading in READINGS.values()}


def one(margin=2.0, authors=500, **changed):
    """Rank one community that is at .7 in everything, but for what is changed."""
    scores = alone(
        market({name: [0.7] for name in READ} | {name: [value] for name, value in changed.items()}, authors=[authors], panel=ladder())
    )
    return rank(scores, certain(scores, margin=margin), thresholds=Thresholds())


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        pytest.param({"money": 0.05, "authors": 5000}, "Money is 0.05 of 1 (money signals per author: 0.05, above 5 %", id="weakest"),
        pytest.param({"headroom": 0.0, "switching_wedge": 0.0}, "Headroom is 0.00 of 1 (headroom: 0, above 0 %", id="saturation"),
        pytest.param({"authors": 31}, "It rests on 31 distinct authors", id="few-authors"),
        pytest.param({"margin": 30.0}, "Its score could be 40.6 to 100.6 (90 % interval around 70.6), its rank", id="wide-interval"),
        pytest.param({"money": math.nan}, "24 % of what the score asks for is not measured, above all money", id="coverage"),
    ],
)  # fmt: skip
def test_the_strongest_argument_comes_first(changed, expected):
    """The counter-argument begins with what puts most of the score at stake, in its own numbers."""
    assert counter_argument(one(**changed)).iloc[0].startswith(expected)


def test_a_doubtful_group_is_an_argument():
    """A group that falls apart when drawn again is argued against by its overlap and by how often it was not found."""
    made = market({name: [0.9, 0.9] for name in READ}, panel=ladder())
    scores = score(groups("archetype", ["a", "a"], stability=0.62, homogeneity=0.9), made)
    ranking = rank(scores, certain(scores).assign(presence=0.7), thresholds=Thresholds())
    said = counter_argument(ranking)["a"]
    assert "overlap only 0.62" in said
    assert "30 % of the resampled runs did without it" in said


NOTHING_RIGHT = dict.fromkeys(("money", "seeking", "pain", "need_concentration", "rmst_90", "engagement", "active_authors"), 0.05)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        pytest.param(
            {"money": 0.45}, "To become worth pursuing: money signals per author up from 0.45 to 0.5 (from above 45 % of", id="up"
        ),
        pytest.param(
            {"money": 0.45}, "to fall to shallow: share of authors who look for a solution down from 70 % to 29 % (from", id="down"
        ),
        pytest.param({"authors": 21}, "To become worth pursuing: distinct authors up from 21 to 30", id="authors"),
        pytest.param({"authors": 31}, "To fall to a case of too little evidence: distinct authors down from 31 to below 30", id="fewer"),
        pytest.param(
            {"margin": 24.0}, "To become worth pursuing: the lower end of the score's 90 % interval up from 46.6 to 50.0", id="surer"
        ),
        pytest.param(NOTHING_RIGHT, "No single change lifts it above shallow, because demand 0.05 is below 0.50 and money 0.05", id="both"),
        pytest.param({}, "To fall to watch: money signals per author down from 0.7 to 0.49", id="already-best"),
    ],
)
def test_what_would_change_the_verdict(changed, expected):
    """The sentence names the smallest single change, from where to where, in the feature's own unit."""
    assert expected in would_change(one(**changed), ladder()).iloc[0]


def test_below_shallow_there_is_only_a_lack_of_evidence():
    """A shallow community with plenty of authors is not told what would make it worse; one with few is."""
    shallow = {"rmst_90": 0.0, "engagement": 0.0}
    assert "to fall" not in would_change(one(**shallow), ladder()).iloc[0]
    assert (
        "to fall to a case of too little evidence: distinct authors down from 40"
        in would_change(one(authors=40, **shallow), ladder()).iloc[0]
    )


def test_a_gap_that_would_be_enough_is_named():
    """Where coverage is short, the lightest missing ingredient that alone would do is named (workarounds would not: .56 + .03)."""
    missing = dict.fromkeys(("pain", "unsolved_share", "growth", "rmst_90", "workaround_rate", "headroom", "engagement"), math.nan)
    said = would_change(one(**missing), ladder()).iloc[0]
    assert "the measured share of the score's weight up from 0.56 to 0.60, for which measuring engagement alone would do" in said


CLAIM = re.compile(r"(?i)to (?:become|fall to) ([a-z ]+): (.+?) (up|down) from .+? to ([\d.,]+)")


def test_the_change_does_what_the_sentence_says():
    """Making exactly the change that a sentence names gives exactly the verdict that it names, for the better and for the worse."""
    rng = np.random.default_rng(4)
    values = {name: (rng.integers(1, 99, 60) / 100).tolist() for name in READ}
    ranking, checked = many(values), 0
    for entity, said in would_change(ranking, ladder()).items():
        at = keys(60).index(entity)
        for clause in said.rstrip(".").split("; "):
            claim = CLAIM.match(clause)
            if claim and claim[2] in TITLES:
                verdict, reading = claim[1], TITLES[claim[2]]
                column = list(values[reading.feature])
                column[at] = float(claim[4].replace(",", "")) / (100 if reading.unit == "share" else 1)
                after = many({name: [part[at]] for name, part in (values | {reading.feature: column}).items()})
                assert PLAIN.get(found := after.table["verdict"].iloc[0], found) == verdict, said
                checked += 1
    assert checked > 40


def many(values):
    """Rank communities of certain values."""
    scores = alone(market(values, panel=ladder()))
    return rank(scores, certain(scores, margin=2.0), thresholds=Thresholds())


@settings(max_examples=10, deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 99)] * 4), min_size=2, max_size=12, unique=True))
def test_no_two_archetypes_share_a_sentence(rows):
    """Archetypes whose numbers differ end with different sentences, however alike they are."""
    columns = dict(zip(("money", "seeking", "headroom", "growth"), (np.array(rows).T / 100).tolist(), strict=True))
    made = market({name: [0.6] * len(rows) for name in READ} | columns, panel=ladder())
    names = [f"a{number:02d}" for number in range(len(rows))]
    scores = score(groups("archetype", names), made)
    ranking = rank(scores, certain(scores, margin=3.0), thresholds=Thresholds())
    assert counter_argument(ranking).is_unique
    assert would_change(ranking, ladder()).is_unique


def test_what_nobody_was_seen_to_do_is_said_as_that():
    """A group whose median is zero is told in how many of its communities it was seen at all, and how much half of them would need."""
    money = [0.0, 0.0, 0.0, 0.02, 0.03]
    reference = ladder().values
    reference.loc[keys(5), "money"] = money
    made = market({name: [0.6] * 5 for name in READ} | {"money": money, "seeking": [0.4] * 5}, panel=Panel.freeze(reference))
    scores = score(groups("niche", ["n"] * 5), made)
    ranking = rank(scores, certain(scores, margin=3.0), thresholds=Thresholds())
    assert "money signals per author, seen in 2 of its 5 communities, would have to be" in would_change(ranking, made.panel)["n"]
    assert "money signals per author: none seen in most of its communities" in counter_argument(ranking)["n"]


def test_what_is_never_scored_says_so():
    """A sensitive community gets no argument but the reason why it is never scored."""
    scores = alone(market({"money": [0.2, 0.9]}, sensitive=[False, True], panel=ladder()))
    ranking = rank(scores, certain(scores), thresholds=Thresholds())
    last = keys(2)[1]
    assert "never scored" in counter_argument(ranking)[last]
    assert would_change(ranking, ladder())[last] == "Nothing: it is never scored."
