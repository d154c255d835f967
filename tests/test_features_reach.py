"""Overlap with other communities and with the user's own."""

from __future__ import annotations

import math

import pytest

from tests.feature_records import crowd, estimate, measured, post


def members(community: str, people: list[str]):
    """Let people write once in a community."""
    return [post(name, 1 + index / 100, communities=[community]) for index, name in enumerate(people)]


def test_overlap_counts_people_who_are_elsewhere():
    """Ten of forty people also write in another community."""
    result = measured([*members("reddit:a", crowd(40)), *members("reddit:b", crowd(40, start=30))])
    assert result.author_sums.groupby("row")["shared"].sum().tolist() == [10, 10]
    assert estimate(result, "author_overlap")["value"] == pytest.approx(0.25, abs=0.01)


def test_one_record_in_two_communities_is_no_overlap():
    """A question under two tags does not make its author a member of both; only a record outside does."""
    both = ["stackexchange:x/one", "stackexchange:x/two"]
    result = measured([post(name, 1, communities=both) for name in crowd(30)] + members(both[1], crowd(3)))
    assert result.author_sums.groupby("row")["shared"].sum().tolist() == [3, 0]


def test_a_lone_community_has_no_overlap():
    """With one community of a platform overlap is missing, not zero."""
    found = estimate(measured([*members("reddit:a", crowd(40)), *members("discord:b", crowd(40))]), "author_overlap")
    assert found["missing_reason"] == "overlap: no other community of the platform is measured"


def test_lift_against_chance_by_hand():
    """25 of 50 and 40 people of 65 are shared, rounded down to 25: ln((25 + 5) / (50 · 40 / 65 + 5))."""
    rows = [*members("reddit:a", crowd(50)), *members("reddit:mine", crowd(40, start=25))]
    found = estimate(measured(rows, portfolio=("reddit:mine",)), "cross_promotion")
    assert found["value"] == pytest.approx(math.log(30 / (50 * 40 / 65 + 5)))
    assert found["low"] < found["value"] < found["high"]
    assert found["n"] == 25


def test_fewer_than_ten_shared_people_count_as_none():
    """Nine shared people are not told apart from none: k-anonymity."""
    rows = [*members("reddit:a", crowd(50)), *members("reddit:mine", crowd(40, start=41))]
    found = estimate(measured(rows, portfolio=("reddit:mine",)), "cross_promotion")
    assert (found["value"], found["n"]) == (pytest.approx(math.log(5 / (50 * 40 / 81 + 5))), 0)


@pytest.mark.parametrize(
    ("portfolio", "community", "reason"),
    [
        pytest.param((), "reddit:a", "no portfolio configured", id="none"),
        pytest.param(("reddit:x",), "reddit:a", "portfolio: none of its communities is on this platform in this run", id="not-measured"),
        pytest.param(("reddit:a",), "reddit:a", "portfolio: this is the only one of its communities here", id="itself"),
        pytest.param(("reddit:a",), "discord:b", "portfolio: none of its communities is on this platform in this run", id="elsewhere"),
    ],
)
def test_no_portfolio_is_missing(portfolio, community, reason):
    """Without a portfolio to compare with, the fit is missing and says why; it is never imputed."""
    rows = [*members("reddit:a", crowd(40)), *members("discord:b", crowd(40))]
    assert estimate(measured(rows, portfolio=portfolio), "cross_promotion", community)["missing_reason"] == reason
