"""An archetype keeps its identity over nights as long as it keeps its members and its place."""

from __future__ import annotations

import pandas as pd
import pytest

from discovery.clustering.lineage import Groups, Identity, trace


def groups(centroids: dict[str, float] | None = None, **members: str) -> Groups:
    """Groups by key, members as letters, one centroid coordinate each."""
    frame = pd.DataFrame({"x": centroids}) if centroids else pd.DataFrame(index=list(members))
    return Groups({key: frozenset(letters) for key, letters in members.items()}, frame)


def traced(today: Groups, before: Groups, last_number: int = 7, **weights: float) -> dict[str, Identity]:
    """Trace archetypes."""
    return trace(today, before=before, gone={}, weights=weights, prefix="A", last_number=last_number)


def test_the_same_groups_keep_their_ids_whatever_their_labels():
    """Labels are swapped overnight; identities are not."""
    found = traced(groups(zero="defg", one="abc"), groups(A001="abc", A002="defg"))
    assert found == {"zero": Identity("A002", "continued", ("A002",)), "one": Identity("A001", "continued", ("A001",))}


def test_on_the_first_night_everything_is_born():
    """Without a night before, ids are numbered in the order of the labels."""
    found = traced(groups(zero="abc", one="de"), groups(), last_number=0)
    assert [(who.id, who.event) for who in found.values()] == [("A001", "born"), ("A002", "born")]


def test_ids_are_never_reused():
    """A new group gets the number after the highest ever given, even if lower ones are gone."""
    assert traced(groups(zero="xyz"), groups(A001="abc"), last_number=7)["zero"].id == "A008"


def test_a_split_keeps_one_and_names_the_other():
    """The larger part continues; the smaller is new, split from the same origin."""
    found = traced(groups(zero="abcdef", one="ghij"), groups(A001="abcdefghij"))
    assert found["zero"] == Identity("A001", "continued", ("A001",))
    assert found["one"] == Identity("A008", "split", ("A001",))


def test_a_merger_names_both():
    """The larger origin gives its id, the smaller one ends in it."""
    found = traced(groups(zero="abcdefghij"), groups(A001="abcdef", A002="ghij"))
    assert found["zero"] == Identity("A001", "merged", ("A001", "A002"))


def test_newcomers_do_not_count_against_a_match():
    """Only members that both nights know are compared."""
    assert traced(groups(zero="abc" + "pqrstuvw"), groups(A001="abc"))["zero"].event == "continued"


def test_weights_decide_which_members_matter():
    """One community of weight 10 outweighs three of weight 1."""
    before = groups(A001="abcd", A002="efg")
    today = groups(zero="aefg", one="bcd")
    assert traced(today, before)["zero"].id == "A002"
    assert traced(today, before, a=10.0)["zero"].id == "A001"


@pytest.mark.parametrize(
    ("moved", "event"),
    [pytest.param(0.0, "continued", id="same-place"), pytest.param(5.0, "split", id="far-away")],
)
def test_a_group_that_moved_far_is_another(moved, event):
    """Half of the members and the same place are a match; half of the members elsewhere are not: cost 1 − (¼ + ½·e^−distance)."""
    before = groups({"A001": 0.0, "A002": 50.0}, A001="abcd", A002="wxyz")
    today = groups({"zero": moved, "one": 50.0}, zero="abcw", one="xyzd")
    assert traced(today, before)["zero"].event == event


def test_the_assignment_is_best_in_total():
    """Two candidates for one id: the total cost decides, and each id is given once."""
    found = traced(groups(zero="abce", one="dfgh"), groups(A001="abcd", A002="efgh"))
    assert [who.id for who in found.values()] == ["A001", "A002"]
