"""What later runs are compared with: measures of the first run stay, whoever else is measured."""

from __future__ import annotations

import random

import pandas as pd
import pytest

from discovery.features import Background, FeatureSettings, Measurement, Scope, measure
from tests.feature_records import crowd, post, reply, store

SETTLED = ("engagement", "equal_retention")


def talk(name, seed, *, number=45, answers=2.0):
    """Let people of a community come for half a year, each at their own pace, and answer each other."""
    dice, rows = random.Random(seed), []  # noqa: S311 - made records, no secret
    for place, who in enumerate(crowd(number, start=1_000 * seed)):
        for turn in range(1 + int(dice.expovariate(0.3))):
            told = {"communities": [name], "id": f"{name}/{place}/{turn}"}
            rows.append(post(who, dice.uniform(0, 180), f"said {place} {turn}", **told))
            for number_of_reply in range(int(dice.expovariate(1 / answers))):
                other = f"person{1_000 * seed + dice.randrange(number)}"
                rows.append(reply(rows[-1], other, dice.uniform(0, 180), f"r {number_of_reply}", id=f"{told['id']}/{number_of_reply}"))
    return rows


FIRST = [row for seed in range(12) for row in talk(f"reddit:c{seed:02d}", seed, answers=0.5 + seed / 3)]
STRANGE = [row for seed in range(20, 24) for row in talk(f"reddit:x{seed}", seed, answers=9)]


def night(rows, frozen=None) -> Measurement:
    """Measure records against what is frozen."""
    return measure(store(rows), scope=Scope(sources=("one",)), settings=FeatureSettings(), frozen=frozen)


def told(measurement: Measurement) -> pd.DataFrame:
    """Give what a night says of the first communities."""
    rows = measurement.estimates[measurement.estimates["feature"].isin(SETTLED)]
    return rows.set_index(["community", "feature"])[["value"]]


@pytest.fixture(scope="module")
def first() -> Measurement:
    """Measure the first communities alone."""
    return night(FIRST)


def test_the_same_night_against_itself_says_the_same(first):
    """A run compared with what it froze itself, read back from rows, has the bits of the run that was its own background."""
    frozen = Background.of(first)
    again = night(FIRST, Background.from_rows(frozen.words(), frozen.measured()))
    pd.testing.assert_frame_equal(told(again), told(first), check_exact=True)
    assert told(first)["value"].notna().groupby("feature").sum().ge(10).all()


def test_the_axis_and_the_mix_stay(first):
    """Four communities of another kind join: measures are those of the frozen run, and not what tonight's communities would make them."""
    joined = night([*FIRST, *STRANGE], Background.of(first))
    pd.testing.assert_frame_equal(joined.measures, first.measures, check_exact=True)
    assert not night([*FIRST, *STRANGE]).measures.equals(first.measures)


def test_a_run_of_strangers_measures_by_itself(first):
    """Where most communities are not in the frozen run, axis and mix are tonight's, as the next version."""
    strange = night([*STRANGE, *FIRST[:400]], Background.of(first))
    assert strange.background_version == 2
    assert not strange.measures.equals(first.measures)
