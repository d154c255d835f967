"""What speaks against an entity and what would change its verdict."""

from __future__ import annotations

import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.arguments.against import counter_argument
from scoring.arguments.change import would_change
from scoring.arguments.plain import PLAIN, READINGS, VERDICTS
from scoring.components import Panel
from scoring.formula import FEATURES
from scoring.opportunity import score
from scoring.thresholds import Thresholds
from scoring.verdicts import rank
from tests.scoring_market import alone, certain, groups, keys, ladder, market

READ = [feature for feature in FEATURES if feature not in ("retention", "cross_promotion")]
TITLES = {PLAIN[name].name: reading for name, reading in READINGS.items()}


def one(margin=2.0, authors=500, **changed):
    """Rank one community that is at .7 in everything, but for what is changed."""
    scores = alone(
        market({name: [0.7] for name in READ} | {name: [value] for name, value in changed.items()}, authors=[authors], panel=ladder())
    )
    return rank(scores, certain(scores, margin=margin), thresholds=Thresholds())


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        pytest.param(
            {"money": 0.05, "authors": 5000},
            "Fewer people pay or want to buy than elsewhere (the share of people who",
            id="weakest",
        ),
        pytest.param(
            {"headroom": 0.0, "switching_wedge": 0.0},
            "The field is fuller than elsewhere (the room left in the market is above that of 0 % of communities)",
            id="saturation",
        ),
        pytest.param({"authors": 31}, "It rests on no more than 31 people", id="few-authors"),
        pytest.param({"margin": 30.0}, "By chance alone it may stand as low as place 2 of 1, at a score of 41", id="wide-interval"),
        pytest.param(
            {"money": math.nan},
            "24 % of what the score asks for is not measured, above all the share of people who pay",
            id="coverage",
        ),
    ],
)
def test_the_strongest_argument_comes_first(changed, expected):
    """The counter-argument begins with what puts most of the score at stake, in its own numbers."""
    assert counter_argument(one(**changed)).iloc[0].startswith(expected)


@pytest.mark.parametrize(("authors", "told"), [(99, True), (100, False)])
def test_many_people_are_no_argument(authors, told):
    """How many people there are speaks against an entity below a hundred only."""
    said = counter_argument(one(authors=authors, margin=0.0)).iloc[0]
    assert (f"{authors} people" in said) <= told


@pytest.mark.parametrize(("growth", "told"), [(-0.016, "Its crowd shrinks by 1.6 % a month"), (0.016, None)])
def test_a_shrinking_crowd_is_told_as_that(growth, told):
    """A crowd that loses people leads the case against; one that gains them is never said to shrink."""
    reference = ladder().values.assign(growth=np.linspace(-0.02, 0.5, len(ladder().values)))
    panel = Panel.freeze(reference)
    scores = alone(market({name: [0.99] for name in READ} | {"growth": [growth]}, authors=[500], panel=panel))
    said = counter_argument(rank(scores, certain(scores, margin=0.0), thresholds=Thresholds())).iloc[0]
    assert said.startswith(told) if told else "shrink" not in said


def test_a_doubtful_group_is_an_argument():
    """A group that falls apart when drawn again is argued against by its overlap and by how often it was not found."""
    made = market({name: [0.9, 0.9] for name in READ}, panel=ladder())
    scores = score(groups("archetype", ["a", "a"], stability=0.62, homogeneity=0.9), made)
    ranking = rank(scores, certain(scores).assign(presence=0.7), thresholds=Thresholds())
    said = counter_argument(ranking)["a"]
    assert "shares only 62 % of its communities" in said
    assert "30 % of the resampled runs did without it" in said


NOTHING_RIGHT = dict.fromkeys(("money", "seeking", "pain", "need_concentration", "rmst_90", "engagement", "active_authors"), 0.05)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        pytest.param(
            {"money": 0.45}, "It would be worth pursuing if the share of people who pay or want to buy rose from 45 % to 50 %", id="up"
        ),
        pytest.param(
            {"money": 0.45},
            "it would be no more than shallow if the share of people who look for a solution fell from 70 % to 29 %",
            id="down",
        ),
        pytest.param({"authors": 21}, "It would be worth pursuing if the number of people rose from 21 to 30", id="authors"),
        pytest.param(
            {"authors": 31},
            "It would be no more than a case of too little evidence if the number of people fell from 31 to below 30",
            id="fewer",
        ),
        pytest.param(
            {"margin": 24.0}, "It would be worth pursuing if the lower end of the score's 90 % interval rose from 46.6 to 50.0", id="surer"
        ),
        pytest.param(
            NOTHING_RIGHT,
            "No single change makes it better than shallow, because too little is asked for (demand 0.05, 0.50 needed) and",
            id="both",
        ),
        pytest.param(
            {},
            "It would be no more than worth watching if the share of people who pay or want to buy fell from 70 % to 49 %",
            id="already-best",
        ),
    ],
)
def test_what_would_change_the_verdict(changed, expected):
    """The sentence names the smallest single change, from where to where, in the feature's own unit."""
    assert expected in would_change(one(**changed), ladder()).iloc[0]


def test_below_shallow_there_is_only_a_lack_of_evidence():
    """A shallow community with plenty of authors is not told what would make it worse; one with few is."""
    shallow = {"rmst_90": 0.0, "engagement": 0.0}
    assert "no more than" not in would_change(one(**shallow), ladder()).iloc[0]
    assert (
        "it would be no more than a case of too little evidence if the number of people fell from 40"
        in would_change(one(authors=40, **shallow), ladder()).iloc[0]
    )


def test_a_gap_that_would_be_enough_is_named():
    """Where coverage is short, the lightest missing ingredient that alone would do is named (workarounds would not: .56 + .03)."""
    missing = dict.fromkeys(("pain", "unsolved_share", "growth", "rmst_90", "workaround_rate", "headroom", "engagement"), math.nan)
    said = would_change(one(**missing), ladder()).iloc[0]
    assert "the measured share of the score's weight rose from 0.56 to 0.60" in said
    assert "for which measuring the liveliness of talk alone would do" in said


CLAIMS = (
    re.compile(r"(?i)it would be (?:no more than )?(?P<verdict>[a-z ]+?) if (?P<change>.+)"),
    re.compile(r"(?i)if (?P<change>.+), it would be (?:no more than )?(?P<verdict>[a-z ]+)"),
    re.compile(r"(?i)it would no longer be .+, (?:but|only) (?P<verdict>[a-z ]+), if (?P<change>.+)"),
    re.compile(r"(?i)one change would (?:make|leave) it (?P<verdict>[a-z ]+): if (?P<change>.+)"),
)
CHANGE = re.compile(r"(?i)(?P<what>.+) (?:rose|fell) from .+? to (?P<level>[+-]?[\d.,]+)")


def test_the_change_does_what_the_sentence_says():
    """Making exactly the change that a sentence names gives exactly the verdict that it names, for the better and for the worse."""
    rng = np.random.default_rng(4)
    values = {name: (rng.integers(1, 99, 60) / 100).tolist() for name in READ}
    ranking, checked = many(values), 0
    titles = {name.casefold(): reading for name, reading in TITLES.items()}
    for entity, said in would_change(ranking, ladder()).items():
        at = keys(60).index(entity)
        for clause in said.rstrip(".").split("; "):
            claim = next((found for pattern in CLAIMS if (found := pattern.fullmatch(clause))), None)
            change = CHANGE.match(claim["change"]) if claim else None
            if change and (reading := titles.get(change["what"].casefold())):
                percent = reading.unit == "share" or reading.feature == "money" or reading.unit.startswith("log points")
                column = list(values[reading.feature])
                column[at] = float(change["level"].replace(",", "")) / (100 if percent else 1)
                after = many({name: [part[at]] for name, part in (values | {reading.feature: column}).items()})
                found = after.table["verdict"].iloc[0]
                assert VERDICTS.get(found, found) == claim["verdict"], said
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
    assert "who pay or want to buy, now seen in 2 of its 5 communities, reached" in would_change(ranking, made.panel)["n"]
    assert "(nobody in most of its communities)" in counter_argument(ranking)["n"]


def test_what_is_never_scored_says_so():
    """A sensitive community gets no argument but the reason why it is never scored."""
    scores = alone(market({"money": [0.2, 0.9]}, sensitive=[False, True], panel=ladder()))
    ranking = rank(scores, certain(scores), thresholds=Thresholds())
    last = keys(2)[1]
    assert "never scored" in counter_argument(ranking)[last]
    assert would_change(ranking, ladder())[last] == "Nothing: it is never scored."


def bare(said):
    """Take figures and quoted names out of the sentences."""
    return [re.sub(r"“.*?”|[+-]?\d[\d.,]*", "#", sentence) for sentence in said]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("count", [8, 40])
def test_no_two_groups_share_a_template(seed, count):
    """Over markets of many like groups, no two sentences are the same once their figures and quoted names are taken out."""
    rng = np.random.default_rng([seed, count])
    names = [f"a{number:02d}" for number in range(count)]
    made = market({name: (0.55 + rng.integers(0, 9, count) / 100).tolist() for name in READ}, panel=ladder())
    scores = score(groups("niche", names, stability=0.7), made)
    ranking = rank(scores, certain(scores, margin=3.0), thresholds=Thresholds())
    for said in (counter_argument(ranking, heard(names, rng)), would_change(ranking, made.panel)):
        assert len(set(bare(said))) == count


def heard(names, rng=None, **told):
    """What was said in some groups: many payers, no refusal, no product, unless told otherwise."""
    quiet = {"payers": 90, "buyers": 80, "seekers": 70, "refusers": 0, "pricey": 0, "promoters": 0, "products": (), "loudest": "one"}
    rows = pd.DataFrame([quiet | {"loudest_share": 0.2, "communities": 6} | told] * len(names), index=names)
    return rows if rng is None else rows.assign(payers=rng.integers(40, 90, len(names)), refusers=rng.integers(0, 9, len(names)))


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        pytest.param({"refusers": 100}, "100 of its people refuse to pay or use something free, against 170 who", id="refusals"),
        pytest.param({"payers": 2, "buyers": 1}, "The money rests on 2 people who say what they paid and 1 who", id="few-payers"),
        pytest.param({"loudest_share": 0.9, "loudest": "r/one"}, "90 % of those who ask or pay are in “r/one” alone", id="one-community"),
        pytest.param({"products": (("Wort", 9), ("Keg", 4))}, "They have “Wort” (9 records) already", id="incumbents"),
    ],
)
def test_what_people_said_against_it_is_told(told, expected):
    """Refusals, few payers, one community that carries all, and products already there are told with names and numbers."""
    low = {"headroom": [0.3], "switching_wedge": [0.9]} if "products" in told else {}
    made = market({name: [0.95] for name in READ} | low, panel=ladder())
    scores = score(groups("niche", ["n"], authors=9000, homogeneity=0.9), made)
    said = counter_argument(rank(scores, certain(scores, margin=0.0), thresholds=Thresholds()), heard(["n"], **told))["n"]
    assert said.startswith(expected)
