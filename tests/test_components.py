"""Ingredients, percentiles on the panel, components, and the formula of the score."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from scoring.components import PRIOR, SLOTS, WEIGHTS, Panel, blend, combine
from scoring.formula import COMPONENTS, INGREDIENTS, Reading
from storage.tables import PanelValue
from tests.scoring_market import keys, ladder

SHARES = st.floats(0, 1, allow_subnormal=False)
MAYBE = st.one_of(SHARES, st.just(math.nan))
ROWS = arrays(float, (3, len(COMPONENTS)), elements=MAYBE)


def column(name: str) -> int:
    """Find a component's place."""
    return [component.name for component in COMPONENTS].index(name)


def test_weights_are_shares():
    """Component weights sum to one, ingredient weights sum to one in each component, and no feature stands in two."""
    assert pytest.approx(1) == WEIGHTS.sum()
    assert pytest.approx(1) == PRIOR.sum()
    for component in COMPONENTS:
        assert sum(item.weight for item in component.ingredients) == pytest.approx(1)
    features = [reading.feature for item in INGREDIENTS for reading in item.readings]
    assert len(features) == len(set(features))


@pytest.mark.parametrize(
    ("panel", "value", "expected"),
    [
        pytest.param([0, 0, 0, 4], 0.0, 0.0, id="a-common-zero-is-zero"),
        pytest.param([0, 0, 0, 4], 4.0, 0.75, id="ties-below-count"),
        pytest.param([1, 2, 3, 4], 2.5, 0.5, id="between"),
        pytest.param([1, 2, 3, 4], 9.0, 1.0, id="beyond-the-panel"),
        pytest.param([1, 2, math.nan, 4], 4.0, 2 / 3, id="missing-panel-values-do-not-count"),
        pytest.param([1, 2, 3, 4], math.nan, math.nan, id="missing-stays-missing"),
        pytest.param([math.nan] * 4, 1.0, math.nan, id="nothing-to-compare-with"),
    ],
)
def test_percentile(panel, value, expected):
    """A percentile is the share of measured panel values strictly below."""
    frozen = Panel.freeze(pd.DataFrame({"money": panel}, index=keys(4)))
    assert frozen.percentile("money", np.array([value]))[0] == pytest.approx(expected, nan_ok=True)


def test_panel_survives_the_table():
    """A panel written as rows of its table and read back gives the same percentiles, whatever the order of rows."""
    panel = Panel.freeze(pd.DataFrame({"money": [3.0, math.nan, 1.0], "growth": [0.1, 0.2, 0.3]}, index=keys(3)), version=7)
    rows = panel.rows()
    assert set(rows.columns) == set(PanelValue.model_fields)
    assert len(rows) == 5
    again = Panel.from_rows(rows.sample(frac=1, random_state=1))
    assert again.version == 7
    pd.testing.assert_frame_equal(again.values, panel.values)


def test_a_panel_has_one_version():
    """Rows of two versions are refused, with their numbers."""
    rows = pd.concat([ladder("money").rows(), ladder("money").rows().assign(version=2)])
    with pytest.raises(ValueError, match="200 rows hold 2"):
        Panel.from_rows(rows)


def test_component_is_the_weighted_mean_of_its_ingredients():
    """Demand .8, .4, .2 with weights .5, .25, .25 is .55; without the first it is .3; without all it is missing."""
    rows = pd.DataFrame({"seeking": [0.8, math.nan, math.nan], "pain": [0.4, 0.4, math.nan], "need_concentration": [0.2, 0.2, math.nan]})
    made = blend(rows, ladder())
    assert made.components[:, column("demand")] == pytest.approx([0.55, 0.3, math.nan], nan_ok=True)
    assert made.shares[1, SLOTS["demand"]] == pytest.approx([0, 0.5, 0.5])


def test_size_counts_up_to_the_upper_quarter():
    """Active authors earn their percentile up to .75 and no more."""
    made = blend(pd.DataFrame({"active_authors": [0.3, 0.75, 0.99, 5000.0]}), ladder())
    assert made.components[:, column("retained_reach")] == pytest.approx([0.3, 0.75, 0.75, 0.75])


def test_retention_stands_in_for_survival():
    """Monthly retention is read, on its own panel, only where survival is missing."""
    panel = Panel.freeze(pd.DataFrame({"rmst_90": np.arange(10.0), "retention": np.arange(10) / 10}, index=keys(10)))
    made = blend(pd.DataFrame({"rmst_90": [9.0, math.nan], "retention": [0.1, 0.1]}), panel)
    assert made.components[:, column("retained_reach")] == pytest.approx([0.9, 0.1])


def test_score_by_hand():
    """Demand and money at .5 and .25, all else missing, weigh one half each: S = 100·√(.51·.265)."""
    row = np.full((1, len(COMPONENTS)), math.nan)
    row[0, [column("demand"), column("money")]] = [0.5, 0.25]
    points, weights, contributions = combine(row)
    assert points[0] == pytest.approx(100 * math.sqrt(0.51 * 0.265))
    assert weights[0, [column("demand"), column("growth")]] == pytest.approx([0.5, 0])
    assert contributions[0, column("money")] == pytest.approx(0.5 * math.log(0.265))


@pytest.mark.parametrize(("value", "expected"), [(1.0, 100.0), (0.0, 2.0), (math.nan, math.nan)])
def test_ends_of_the_scale(value, expected):
    """Every component at one scores 100, at zero 2, and nothing measured gives no score."""
    assert combine(np.full((1, len(COMPONENTS)), value))[0][0] == pytest.approx(expected, nan_ok=True)


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_contributions_add_up(rows):
    """Contributions sum to ln(S / 100) within a billionth, and held weights to one, whatever is missing."""
    points, weights, contributions = combine(rows)
    some = ~np.isnan(rows).all(axis=1)
    assert np.abs(contributions.sum(axis=1)[some] - np.log(points[some] / 100)).max(initial=0) < 1e-9
    assert weights.sum(axis=1)[some] == pytest.approx(1)


@settings(max_examples=60, deadline=None)
@given(ROWS, st.integers(0, len(COMPONENTS) - 1), SHARES)
def test_a_better_component_never_lowers_the_score(rows, position, value):
    """Raising one measured component never lowers S."""
    better = rows.copy()
    better[:, position] = np.maximum(rows[:, position], np.where(np.isnan(rows[:, position]), math.nan, value))
    before, after = combine(rows)[0], combine(better)[0]
    some = ~np.isnan(before)
    assert (after[some] >= before[some] - 1e-12).all()


@pytest.mark.parametrize(
    ("reading", "value", "expected"),
    [
        (Reading("a", "a", "share"), 0.01234, "1.23 %"),
        (Reading("a", "a", "per 28 days"), 12345.6, "12,346 per 28 days"),
        (Reading("a", "a", ""), 0.5, "0.5"),
        (Reading("a", "a", ""), -0.04, "-0.04"),
    ],
)
def test_values_in_words(reading, value, expected):
    """Shares print as per cent, counts without losing digits, plain numbers plainly."""
    assert reading.words(value) == expected
