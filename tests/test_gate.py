"""The gate: what looks like something having broken is held, with its numbers."""

from __future__ import annotations

import pandas as pd
import pytest

from discovery.config import GateSettings
from discovery.gate import Candidate, Verdict, comparable, judge

SETTINGS = GateSettings(max_moved_share=0.15, max_lost_share=0.5)


def market(**archetypes: str | None) -> pd.Series:
    """Communities with their archetypes."""
    return pd.Series(archetypes, dtype=object).rename_axis("community_id")


def judged(now: pd.Series, last: pd.Series) -> Verdict:
    """Judge a run without a new panel."""
    return judge(Candidate(now, pd.DataFrame()), last=last, settings=SETTINGS)


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
