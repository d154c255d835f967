"""The gate: what looks like something having broken is held, with its numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from discovery.config import GateSettings
from discovery.gate import Candidate, Night, Verdict, comparable, drift, judge

SETTINGS = GateSettings(max_moved_share=0.15, max_lost_share=0.5)


def market(**archetypes: str | None) -> pd.Series:
    """Communities with their archetypes."""
    return pd.Series(archetypes, dtype=object).rename_axis("community_id")


def judged(now: pd.Series, last: pd.Series) -> Verdict:
    """Judge a run without a new panel."""
    return judge(Candidate(now, pd.DataFrame(), pd.DataFrame()), last=last, settings=SETTINGS)


LAST = market(**{f"c{at:02}": f"A{at % 2}" for at in range(20)})


def moved(count: int) -> pd.Series:
    """Let so many communities change archetype."""
    now = LAST.copy()
    now.iloc[:count] = "A9"
    return now


@pytest.mark.parametrize(
    "now",
    [
        pytest.param(LAST, id="the-same"),
        pytest.param(moved(3), id="15-percent-moved"),
        pytest.param(LAST.iloc[:10], id="half-lost"),
        pytest.param(pd.concat([LAST, market(**{f"n{at}": "A1" for at in range(100)})]), id="many-new"),
        pytest.param(LAST.where(LAST.index != "c00", None), id="one-became-an-outlier"),
    ],
)
def test_ordinary_nights_pass(now: pd.Series) -> None:
    """Up to the limits, each inclusive, a run is published."""
    assert judged(now, LAST) == Verdict(True)


def test_too_many_moved() -> None:
    """One community more than the limit is held, with the share and the limit."""
    assert judged(moved(4), LAST) == Verdict(False, "20% of the communities changed archetype overnight, more than 15%.")


def test_a_night_that_loses_all_archetypes_is_held() -> None:
    """Archetypes that are lost are as much of a change as others; that there are some again is none."""
    lost = LAST.map(lambda _: None)
    assert judged(lost, LAST) == Verdict(False, "100% of the communities changed archetype overnight, more than 15%; 100% have none now.")
    assert judged(LAST, lost) == Verdict(True)
    assert judged(moved(4).iloc[:12], LAST) == Verdict(False, "33% of the communities changed archetype overnight, more than 15%.")


def test_too_many_lost() -> None:
    """More than half of the published communities gone is held, however few are left to compare."""
    assert judged(LAST.iloc[:9], LAST) == Verdict(False, "55% of the 20 published communities are gone, more than 50%.")


@pytest.mark.parametrize(
    ("now", "last"),
    [
        pytest.param(LAST, LAST.iloc[:0], id="first-run"),
        pytest.param(market(x="A1", y="A1"), LAST, id="other-communities"),
        pytest.param(LAST.map(lambda _: None), LAST.map(lambda _: None), id="no-archetypes"),
    ],
)
def test_what_cannot_be_compared_passes(now: pd.Series, last: pd.Series) -> None:
    """Without a publication, with other communities or without archetypes there is no drift to judge."""
    assert judged(now, last) == Verdict(True)


@pytest.mark.parametrize(
    ("now", "last", "same"),
    [("abcd", "abcd", True), ("ab", "abcd", True), ("abxy", "abcd", True), ("axyz", "abcd", False), ("a", "", False), ("xy", "ab", False)],
)
def test_the_same_market_shares_half(now: str, last: str, same: bool) -> None:
    """Two runs are comparable from half of the smaller one's communities on."""
    assert comparable(pd.Index(list(now), dtype=object), pd.Index(list(last), dtype=object)) is same


def night(archetypes: pd.Series, *, shift: float = 0.0, centre: float = 0.0) -> Night:
    """A night of communities whose one feature is their number, moved by ``shift``."""
    values = pd.DataFrame({"growth": np.arange(len(archetypes)) + shift}, index=archetypes.index)
    return Night(archetypes, values, pd.DataFrame({"growth": [0.0, centre]}, index=["A0", "A1"]))


MARKET = market(**{f"c{at:03}": f"A{at % 2}" for at in range(200)})


def test_what_moved_is_told_with_its_numbers() -> None:
    """Moved by half its width, a feature leaves five of its tenths: 5 · .1 · ln 1000 + .5 · ln 6; one of 200 communities changed."""
    now = MARKET.where(MARKET.index != "c000", "A1")
    feature, rest = drift(night(now, shift=100, centre=0.4), night(MARKET))
    assert feature == "growth: moved since the published run (population stability index 4.35)."
    assert rest == (
        "Since the published run 0.5% of the communities that had an archetype changed or lost it, and no continued archetype's "
        "centre moved by more than 0.40 robust deviations."
    )


def test_a_first_run_has_no_drift() -> None:
    """Without a published run, or with one of another market, there is nothing to tell."""
    nothing = Night(MARKET.iloc[:0], pd.DataFrame(), pd.DataFrame())
    assert drift(night(MARKET), nothing) == []
    assert drift(night(MARKET), night(MARKET.rename(lambda key: f"other {key}"))) == []
