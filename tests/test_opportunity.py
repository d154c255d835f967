"""Scores of communities, niches and archetypes: weighting, missing values, coverage, likeness."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.formula import FEATURES
from scoring.opportunity import Entities, Market, capped_shares, homogeneity, score
from tests.scoring_market import alone, groups, keys, ladder, market

INGREDIENT_FEATURES = [feature for feature in FEATURES if feature not in ("retention", "cross_promotion")]


def ingredient(scores, entity, slot):
    """Pick one ingredient's row."""
    rows = scores.ingredients
    return rows[(rows["entity_id"] == entity) & (rows["slot"] == slot)].iloc[0]


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        pytest.param([7], [1.0], id="alone"),
        pytest.param([9, 1], [0.5, 0.5], id="two-count-alike"),
        pytest.param([10, 1, 1, 1, 1], [0.5, 0.125, 0.125, 0.125, 0.125], id="at-most-one-half"),
        pytest.param([91] + [1] * 9, [0.3] + [0.7 / 9] * 9, id="at-most-three-equal-shares"),
        pytest.param([2, 1, 1], [0.5, 0.25, 0.25], id="ordinary-differences-stay"),
        pytest.param([100, 100] + [1] * 8, [0.3, 0.3] + [0.05] * 8, id="two-giants"),
    ],
)
def test_no_community_speaks_for_all(weights, expected):
    """A member's share is capped at three equal shares and one half; the rest is shared out by weight."""
    codes = np.zeros(len(weights), dtype=np.int64)
    assert capped_shares(codes, np.array(weights, dtype=float), size=1) == pytest.approx(expected)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.floats(0.01, 1e6)), min_size=1, max_size=40))
def test_shares_sum_to_one(members):
    """In every group shares sum to one, respect the cap, and keep the order of weights."""
    codes = np.array([code for code, _ in members], dtype=np.int64)
    weights = np.array([weight for _, weight in members])
    shares = capped_shares(codes, weights, size=5)
    for code in set(codes.tolist()):
        own, count = shares[codes == code], int((codes == code).sum())
        assert own.sum() == pytest.approx(1)
        assert own.max() <= (1 if count == 1 else min(3 / count, 0.5)) + 1e-9
        assert (np.diff(own[np.argsort(weights[codes == code], kind="stable")]) >= -1e-9).all()


def test_archetype_by_hand():
    """With 100, 100 and 400 authors the square roots weigh 1 : 1 : 2, and S follows from the weighted components."""
    made = market({"money": [0.2, 0.4, 0.8], "growth": [0.5, 0.5, math.nan]}, authors=[100, 100, 400], panel=ladder())
    scores = score(groups("archetype", ["a", "a", "a"]), made)
    money, growth = 0.25 * 0.2 + 0.25 * 0.4 + 0.5 * 0.8, 0.5
    expected = 100 * math.exp((0.22 * math.log(0.02 + 0.98 * money) + 0.08 * math.log(0.02 + 0.98 * growth)) / 0.30)
    assert scores.components.loc["a", ["money", "growth"]].tolist() == pytest.approx([money, growth])
    assert scores.facts.at["a", "score"] == pytest.approx(expected)
    assert scores.contributions.loc["a"].sum() == pytest.approx(math.log(expected / 100), abs=1e-9)


def test_a_group_of_one_scores_like_its_community():
    """Without likeness, a niche of one community has that community's score."""
    made = market({"money": [0.2, 0.9], "seeking": [0.4, 0.1], "specificity": [0.3, 0.5]}, panel=ladder())
    grouped = score(groups("niche", ["a", "b"]), made)
    assert grouped.facts["score"].tolist() == pytest.approx(alone(made).facts["score"].tolist())


def test_likeness_joins_focus():
    """Focus of a group is .6 specificity and .4 likeness, and likeness alone where specificity is missing."""
    made = market({"specificity": [0.5, 0.5, math.nan, math.nan], "money": [0.5] * 4}, panel=ladder())
    scores = score(groups("archetype", ["a", "a", "b", "b"], homogeneity=0.9), made)
    assert scores.components["focus"].tolist() == pytest.approx([0.6 * 0.5 + 0.4 * 0.9, 0.9])


def test_coverage_counts_prior_weight():
    """Money in half of a group and seeking in all of it: (.22·½ + .22·½·1) over what applies without a portfolio (.95)."""
    made = market({"money": [0.5, math.nan], "seeking": [0.5, 0.5]}, panel=ladder())
    scores = score(groups("archetype", ["a", "a"], homogeneity=0.5), made)
    assert scores.facts.at["a", "coverage"] == pytest.approx((0.22 * 0.5 + 0.22 * 0.5 + 0.05 * 0.4) / 0.95)


def test_without_a_portfolio_cross_promotion_does_not_apply():
    """Cross-promotion counts as missing with a portfolio, and not at all without one."""
    with_portfolio = alone(market({"money": [0.5], "cross_promotion": [math.nan]}, panel=ladder()))
    without = alone(market({"money": [0.5]}, panel=ladder()))
    assert with_portfolio.facts["coverage"].iloc[0] == pytest.approx(0.22 / (1 - 0.02))
    assert without.facts["coverage"].iloc[0] == pytest.approx(0.22 / (0.95 - 0.02))
    assert "cross_promotion" not in set(without.ingredients["slot"])


def test_sensitive_communities_are_counted_never_scored():
    """A sensitive community moves no archetype, and an archetype of nothing else has no score but a reason."""
    made = market({"money": [0.2, 0.9, 0.9]}, sensitive=[False, True, True], panel=ladder())
    scores = score(groups("archetype", ["a", "a", "b"], homogeneity=0.5), made)
    assert scores.components.at["a", "money"] == pytest.approx(0.2)
    assert math.isnan(scores.facts.at["b", "score"])
    assert "never scored" in scores.facts.at["b", "withheld"]
    assert scores.facts["communities"].tolist() == [1, 0]


def test_the_first_run_is_its_own_panel_without_sensitive_communities():
    """Without a panel, percentiles are taken among the run's communities that may be scored."""
    made = market({"money": [1, 2, 3, 4]}, sensitive=[False, False, False, True])
    assert made.panel.version == 1
    assert alone(made).components["money"].iloc[:3].tolist() == pytest.approx([0, 1 / 3, 2 / 3])


def test_group_ingredient_is_the_median_in_its_own_unit():
    """A group shows its members' median, the percentile of that median, and in how much of the group it is measured."""
    made = market({"money": [0.10, 0.30, 0.80, math.nan]}, panel=ladder())
    row = ingredient(score(groups("niche", ["a"] * 4), made), "a", "money")
    assert (row["value"], row["percentile"], row["measured"]) == pytest.approx((0.30, 0.30, 0.75))
    assert row["missing_reason"] is None or pd.isna(row["missing_reason"])


def test_missing_ingredients_say_why():
    """A missing ingredient carries its community's reason; a group says that none of its communities has it."""
    made = market({"money": [math.nan, math.nan], "growth": [0.5, 0.5]}, panel=ladder("growth", "seeking"))
    assert ingredient(alone(made), keys(1)[0], "money")["missing_reason"] == "fewer than 30 authors"
    grouped = score(groups("niche", ["a", "a"]), made)
    assert ingredient(grouped, "a", "money")["missing_reason"] == "measured in none of its 2 communities, most often: fewer than 30 authors"
    assert ingredient(grouped, "a", "seeking")["missing_reason"] == "not measured in this run"
    unknown = market({"money": [0.5]}, panel=ladder("growth"))
    assert ingredient(alone(unknown), keys(1)[0], "money")["missing_reason"] == "panel v1 has no value to compare it with"


def test_the_reading_that_stood_in_is_named():
    """Where retention stands in for survival, the ingredient carries its name and its value."""
    row = ingredient(alone(market({"rmst_90": [math.nan], "retention": [0.4]}, panel=ladder())), keys(1)[0], "rmst_90")
    assert (row["ingredient"], row["value"]) == ("retention", 0.4)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.floats(0, 1), min_size=5, max_size=5), min_size=len(INGREDIENT_FEATURES), max_size=len(INGREDIENT_FEATURES)),
    st.integers(0, len(INGREDIENT_FEATURES) - 1),
    st.integers(0, 4),
    st.floats(0, 1),
)
def test_more_of_a_good_thing_never_lowers_a_score(table, feature, community, value):
    """Raising any ingredient of any community lowers neither its own score nor its group's."""
    values = dict(zip(INGREDIENT_FEATURES, table, strict=True))
    raised = {name: list(column) for name, column in values.items()}
    raised[INGREDIENT_FEATURES[feature]][community] = max(raised[INGREDIENT_FEATURES[feature]][community], value)
    entities, panel = groups("archetype", ["a", "a", "a", "b", "b"], homogeneity=0.4), ladder()
    for kind in (alone, lambda made: score(entities, made)):
        before, after = kind(market(values, panel=panel)).facts["score"], kind(market(raised, panel=panel)).facts["score"]
        assert (after >= before - 1e-9).all()


def test_order_of_rows_changes_nothing():
    """Estimates and memberships in any order give the same scores to the last bit."""
    rng = np.random.default_rng(3)
    values = {feature: rng.random(30).tolist() for feature in INGREDIENT_FEATURES}
    made = market(values)
    long = made.values.reset_index().melt("community", var_name="feature").assign(low=0.0, high=1.0, missing_reason=None)
    shuffled = Market.of(made.communities, long.sample(frac=1, random_state=2))
    entities = groups("niche", ["a", "b", "c"] * 10, homogeneity=0.3)
    mixed = Entities("niche", entities.members.sample(frac=1, random_state=4), entities.facts.iloc[::-1])
    first, second = score(entities, made), score(mixed, shuffled)
    pd.testing.assert_frame_equal(first.facts, second.facts, check_exact=True)
    pd.testing.assert_frame_equal(first.components, second.components, check_exact=True)


def test_homogeneity_is_the_variance_explained():
    """Likeness is 1 − inner variance ÷ market variance: 1 for twins, by hand for a pair, missing for one alone."""
    matrix = pd.DataFrame({"x": [0.0, 0.0, 2.0, 4.0, 9.0]}, index=keys(5))
    members = pd.Series(["a", "a", "b", "b", "c"], index=keys(5))
    total = np.var([0, 0, 2, 4, 9], ddof=1)
    assert homogeneity(matrix, members).tolist() == pytest.approx([1.0, 1 - 2 / total, math.nan], nan_ok=True)


def test_homogeneity_of_identical_communities_is_missing():
    """Where all communities are the same, there is no spread to explain."""
    matrix = pd.DataFrame({"x": [1.0] * 4}, index=keys(4))
    assert homogeneity(matrix, pd.Series(["a"] * 4, index=keys(4))).isna().all()


def test_no_archetypes_is_a_legal_answer():
    """A run without archetypes scores none of them."""
    scores = score(groups("archetype", [None, None]), market({"money": [0.1, 0.2]}))
    assert scores.facts.empty
    assert scores.ingredients.empty


def test_unsorted_communities_are_refused():
    """Communities out of order are an error, as sums per author count by their position."""
    told = pd.DataFrame({"authors": 1, "withheld": ""}, index=["b", "a"])
    with pytest.raises(ValueError, match="ascending"):
        Market.of(told, pd.DataFrame(columns=["community", "feature", "value", "low", "high", "missing_reason"]))


def test_an_entity_needs_its_facts():
    """A community that belongs to an entity nobody described is an error that names it."""
    entities = groups("niche", ["a", "b"])
    with pytest.raises(ValueError, match="first b"):
        score(Entities("niche", entities.members, entities.facts.loc[["a"]]), market({"money": [0.1, 0.2]}))
