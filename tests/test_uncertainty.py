"""Replicates: intervals of score and rank, and what they must not depend on."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from scoring.formula import FEATURES
from scoring.opportunity import Entities, score
from scoring.thresholds import Thresholds
from scoring.uncertainty import Resampling, intervals, rematched
from scoring.verdicts import rank
from tests.scoring_market import alone, groups, keys, ladder, market

READ = [feature for feature in FEATURES if feature not in ("retention", "cross_promotion")]
NOBODY = pd.DataFrame({"row": np.array([], dtype=np.int64)})
NO_SHARE = pd.DataFrame()


def split(values):
    """Cluster by the sign of money: a stand-in for the caller's clustering."""
    return (values["money"] > 0.5).astype(int)


def drawn(*, seed=1, recluster=None, replicates=60):
    """Resample nothing but intervals and weights."""
    return Resampling(NOBODY, {}, NO_SHARE, recluster, replicates, seed)


def random_market(count=60, *, width=0.05, seed=5):
    """Make communities with random values in every ingredient."""
    rng = np.random.default_rng(seed)
    return market({feature: rng.random(count).tolist() for feature in READ}, panel=ladder(), width=width)


def voters(made, *, authors=40, seed=2):
    """Give every community authors who look for a solution or do not, and the market's values their shares."""
    rng = np.random.default_rng(seed)
    rows = np.repeat(np.arange(len(made.communities)), authors)
    chance = np.linspace(0.2, 0.8, len(made.communities))
    sums = pd.DataFrame({"row": rows, "people": 1, "seekers": (rng.random(len(rows)) < chance[rows]).astype(int)})
    share = (np.bincount(rows, sums["seekers"]) / authors).tolist()
    return sums, share


def with_voters(*, count=40, authors=40, recluster=None, seed=1):
    """Make a market whose seeking comes from voters, and what it takes to resample them."""
    sums, share = voters(random_market(count), authors=authors)
    made = market({"seeking": share, "money": np.linspace(0, 1, count).tolist()}, panel=ladder(), width=0.02)
    own = pd.DataFrame({"seeking": 1.0}, index=keys(count))
    return made, Resampling(sums, {"seeking": ({"seekers": 1.0}, "people")}, own, recluster, 60, seed)


def test_nothing_depends_on_the_order_of_rows_or_columns():
    """Author rows, memberships and columns in any order give the same intervals to the last bit, for every kind."""
    made, resampling = with_voters(recluster=split)
    halves = ["low" if number <= 20 else "high" for number in range(40)]
    entities = [groups("archetype", halves), groups("niche", [f"n{number // 5}" for number in range(40)])]
    first = intervals([score(each, made) for each in entities] + [alone(made)], made, resampling=resampling, thresholds=Thresholds())
    mixed_sums = resampling.author_sums.sample(frac=1, random_state=7)[["seekers", "row", "people"]]
    again = Resampling(mixed_sums, resampling.ratios, resampling.own_weight.iloc[::-1], split, 60, 1)
    shuffled = [Entities(each.kind, each.members.sample(frac=1, random_state=3), each.facts.iloc[::-1]) for each in entities]
    second = intervals([score(each, made) for each in shuffled] + [alone(made)], made, resampling=again, thresholds=Thresholds())
    for kind, frame in first.items():
        pd.testing.assert_frame_equal(frame, second[kind], check_exact=True)


def test_the_seed_decides():
    """Another seed draws other replicates; the same seed draws the same."""
    made = random_market()
    runs = [intervals([alone(made)], made, resampling=drawn(seed=seed), thresholds=Thresholds())["community"] for seed in (1, 1, 2)]
    pd.testing.assert_frame_equal(runs[0], runs[1], check_exact=True)
    assert (runs[0]["score_low"] != runs[2]["score_low"]).any()


def test_an_interval_contains_its_point():
    """The point score of nearly every entity lies inside its interval, and its published rank inside its rank interval."""
    made = random_market(80)
    for scores in (alone(made), score(groups("niche", [f"n{number // 8}" for number in range(80)], homogeneity=0.4), made)):
        out = intervals([scores], made, resampling=drawn(), thresholds=Thresholds())[scores.kind]
        table = rank(scores, out, thresholds=Thresholds()).table
        assert table["score"].between(table["score_low"], table["score_high"]).mean() >= 0.95
        assert ((table["rank_low"] <= table["rank"]) & (table["rank"] <= table["rank_high"])).mean() >= 0.8


def test_intervals_cover_the_truth():
    """When values are drawn around a truth by their own errors, the 90 % interval covers the true score at least 80 % of the time."""
    rng = np.random.default_rng(11)
    truth = {feature: rng.uniform(0.1, 0.9, 120) for feature in READ}
    seen = {feature: (column + rng.normal(0, 0.06, 120)).tolist() for feature, column in truth.items()}
    made = market(seen, panel=ladder(), width=0.06 * 1.645)
    true = alone(market({feature: column.tolist() for feature, column in truth.items()}, panel=ladder())).facts["score"]
    out = intervals([alone(made)], made, resampling=drawn(), thresholds=Thresholds())["community"]
    assert ((out["score_low"] <= true) & (true <= out["score_high"])).mean() >= 0.8


def width_of(authors):
    """Mean width of the score's interval with so many authors per community."""
    made, resampling = with_voters(authors=authors)
    out = intervals([alone(made)], made, resampling=resampling, thresholds=Thresholds())["community"]
    return (out["score_high"] - out["score_low"]).mean()


def test_fewer_authors_make_a_score_less_sure():
    """Resampling 20 authors spreads a score more than resampling 500."""
    assert width_of(20) > 1.2 * width_of(500)


def test_what_was_never_seen_is_not_certain():
    """A ratio with no hit at all is drawn from its interval, so that its zero is not taken for a fact."""
    made = market({"seeking": [0.0, 0.3], "money": [0.5, 0.5]}, panel=ladder(), width=0.2)
    sums = pd.DataFrame({"row": [0] * 50 + [1] * 50, "people": 1, "seekers": [0] * 50 + [1] * 15 + [0] * 35})
    resampling = Resampling(sums, {"seeking": ({"seekers": 1.0}, "people")}, pd.DataFrame({"seeking": 1.0}, index=keys(2)), None, 60, 1)
    with_interval = intervals([alone(made)], made, resampling=resampling, thresholds=Thresholds())["community"]
    sure = market({"seeking": [0.0, 0.3], "money": [0.5, 0.5]}, panel=ladder())
    without = intervals([alone(sure)], sure, resampling=resampling, thresholds=Thresholds())["community"]
    widths = [(out["score_high"] - out["score_low"]).iloc[0] for out in (with_interval, without)]
    assert widths[0] > 1.5 * widths[1]


def test_weights_are_drawn_even_where_all_values_are_certain():
    """With certain values only the weights move the score: not at all where components are equal, somewhat where they differ."""
    made = market({"money": [0.5, 0.9], "seeking": [0.5, 0.3]}, panel=ladder())
    out = intervals([alone(made)], made, resampling=drawn(), thresholds=Thresholds())["community"]
    widths = (out["score_high"] - out["score_low"]).tolist()
    assert widths[0] == pytest.approx(0, abs=1e-4)
    assert widths[1] > 3


def test_someone_is_first_in_every_replicate():
    """The chances to be first add up to one, those to be among the first five to five."""
    made = random_market(30)
    out = intervals([alone(made)], made, resampling=drawn(), thresholds=Thresholds())["community"]
    assert out["p_top1"].sum() == pytest.approx(1)
    assert out["p_top5"].sum() == pytest.approx(5)
    assert (out["presence"] == 1).all()


def test_rank_intervals_follow_the_verdicts():
    """A shallow community with the higher score stays second in every replicate, as in the ranking."""
    made = market(
        {"money": [0.7, 0.05], "seeking": [0.7, 0.05], **{name: [0.6, 0.99] for name in READ if name not in ("money", "seeking")}},
        panel=ladder(),
    )
    scores = alone(made)
    lenient = Thresholds(score=0, score_low=0)
    out = intervals([scores], made, resampling=drawn(), thresholds=lenient)["community"]
    assert out["rank_high"].tolist() == [1, 2]
    assert out["rank_low"].tolist() == [1, 2]


def test_sensitive_communities_have_no_interval():
    """What is never scored gets no interval, no rank interval and no chance."""
    made = market({"money": [0.2, 0.9], "seeking": [0.3, 0.4]}, sensitive=[False, True], panel=ladder(), width=0.1)
    out = intervals([alone(made)], made, resampling=drawn(), thresholds=Thresholds())["community"]
    assert out.drop(columns="shift").iloc[1].isna().all()
    assert out["rank_high"].iloc[0] == 1


def test_archetypes_are_found_again_by_overlap():
    """Clusters are matched by the largest total Jaccard whatever their labels; a dissolved one is absent."""
    made = market({"money": [0.5] * 12}, panel=ladder())
    scores = score(groups("archetype", ["a"] * 6 + ["b"] * 6), made)
    renamed = pd.Series([7] * 5 + [3] * 7, index=keys(12))
    again = rematched(scores, made, renamed)
    assert again.codes.tolist() == [0] * 5 + [1] * 7
    scattered = pd.Series([0] * 6 + [1, 2, 3, 4, 5, -1], index=keys(12))
    assert set(rematched(scores, made, scattered).codes.tolist()) == {0}


def test_presence_is_how_often_an_archetype_was_found():
    """An archetype that hangs on a coin's toss is absent from some replicates, and one that never comes back has no interval."""
    count = 20
    money = [0.4] * 10 + [0.6] * 10
    made = market({"money": money, "seeking": [0.5] * count}, panel=ladder(), width=0.4)
    scores = score(groups("archetype", ["low"] * 10 + ["high"] * 10), made)
    noisy = intervals([scores], made, resampling=drawn(recluster=split), thresholds=Thresholds())["archetype"]
    assert noisy["presence"].between(0.05, 0.95).all()
    lost = drawn(recluster=lambda values: pd.Series(np.arange(count), index=values.index))
    gone = intervals([scores], made, resampling=lost, thresholds=Thresholds())["archetype"]
    assert gone["presence"].tolist() == [0, 0]
    assert gone[["score_low", "rank_high"]].isna().all().all()


def test_a_niche_of_five_is_never_absent():
    """Communities are weighted, not dropped: a niche of five is in every replicate, and wider than its weights alone make it."""
    spread = market({"money": [0.1, 0.3, 0.5, 0.7, 0.9], "seeking": [0.5] * 5}, panel=ladder())
    alike = market({"money": [0.5] * 5, "seeking": [0.5] * 5}, panel=ladder())
    outs = [
        intervals([score(groups("niche", ["a"] * 5), made)], made, resampling=drawn(), thresholds=Thresholds())["niche"].iloc[0]
        for made in (spread, alike)
    ]
    assert [out["presence"] for out in outs] == [1, 1]
    assert outs[0]["score_high"] - outs[0]["score_low"] > 5 + outs[1]["score_high"] - outs[1]["score_low"]


def test_archetypes_need_a_clustering():
    """Archetypes without a way to cluster again are refused; a run without archetypes needs none."""
    made = market({"money": [0.1, 0.9]}, panel=ladder())
    with pytest.raises(ValueError, match="recluster"):
        intervals([score(groups("archetype", ["a", "b"]), made)], made, resampling=drawn(), thresholds=Thresholds())
    out = intervals([score(groups("archetype", [None, None]), made)], made, resampling=drawn(), thresholds=Thresholds())
    assert out["archetype"].empty


def test_nothing_measured_is_survived():
    """Communities with no measured ingredient have no score and no interval, and disturb nobody."""
    made = market({"money": [math.nan, 0.4], "growth": [math.nan, math.nan]}, panel=ladder(), width=0.1)
    out = intervals([alone(made)], made, resampling=drawn(), thresholds=Thresholds())["community"]
    assert math.isnan(out["score_low"].iloc[0])
    assert out["score_low"].iloc[1] <= alone(made).facts["score"].iloc[1] <= out["score_high"].iloc[1]
