"""Where people also write: communities placed by the people they share."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from discovery.features.neighbours import Visits, placed, roamers
from tests.feature_records import crowd, estimate, measured, post


def two_crowds(**more):
    """Let two crowds of forty write once in each of their five communities, and whoever is named in more of them."""
    rows = []
    for side, start in (("a", 0), ("b", 100)):
        for number in range(5):
            name = f"reddit:{side}{number}"
            rows += [post(who, 1 + number + turn / 100, communities=[name]) for turn, who in enumerate(crowd(40, start=start))]
    for name, people in more.items():
        rows += [post(who, 9 + turn / 100, communities=[f"reddit:{name}"]) for turn, who in enumerate(people)]
    return rows


def test_a_person_is_as_special_as_their_places_are_alike():
    """Three records at one place and four at a place at right angles to it: |(3, 4)| / 7; and a half of 1 and of that, over two people."""
    seen = Visits(
        row=np.array([0, 1, 0, 2]),
        person=np.array([0, 0, 1, 1]),
        records=np.array([3, 4, 1, 1]),
        roams=np.array([True, True, True, True]),
    )
    found = roamers(seen, np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]))
    assert found["people"].tolist() == [2, 1, 1]
    assert found["alike"].tolist() == pytest.approx([5 / 7 + 1, 5 / 7, 1])
    assert found["squares"].tolist() == pytest.approx([25 / 49 + 1, 25 / 49, 1])


def test_communities_of_the_same_people_point_the_same_way():
    """Two groups of five communities that share nobody: within a group the cosine is 1, between them 0."""
    row = np.repeat(np.arange(10), 6)
    person = np.concatenate([np.arange(6) + 6 * (number // 5) for number in range(10)])
    order = np.lexsort((row, person))
    seen = Visits(row[order], person[order], np.ones(60, dtype=np.int64), np.ones(60, dtype=bool))
    vectors = placed(seen, pd.Series(["reddit"] * 10))
    expected = np.kron(np.eye(2), np.ones((5, 5)))
    assert vectors @ vectors.T == pytest.approx(expected, abs=1e-6)


def test_people_who_keep_to_their_kind_are_specialists():
    """Who writes only where the same people write scores 1; half a crowd that also writes in the other one's lowers it there."""
    alone, mixed = measured(two_crowds()), measured(two_crowds(b0=crowd(20)))
    assert estimate(alone, "specialisation", "reddit:a0")["value"] == pytest.approx(1, abs=1e-6)
    assert estimate(mixed, "specialisation", "reddit:b0")["value"] < estimate(mixed, "specialisation", "reddit:b1")["value"]


def test_fit_is_place_times_likeness():
    """Of the nine others four share all forty people with one's own: five have less, so 5 / 9; one that shares nobody fits 0."""
    found = measured(two_crowds(), portfolio=("reddit:a0",))
    mine, other = (estimate(found, "portfolio_fit", name) for name in ("reddit:a1", "reddit:b1"))
    assert (mine["value"], mine["n"]) == (pytest.approx(5 / 9), 40)
    assert other["value"] == pytest.approx(0, abs=1e-6)


def test_too_few_communities_place_nobody():
    """With nine communities of a platform the fit is missing and says so; specialisation lacks histories."""
    rows = [row for row in two_crowds() if row["communities"] != ["reddit:b4"]]
    found = measured(rows, portfolio=("reddit:a0",))
    few = "communities: fewer than 10 of the platform are measured, too few to place them by their people"
    assert estimate(found, "portfolio_fit", "reddit:a1")["missing_reason"] == few
    assert estimate(found, "specialisation", "reddit:a1")["missing_reason"].startswith("histories: fewer than 10")


def test_links_to_own_sites_and_below_count():
    """Of forty links ten lead to the site and five to a host below it, shrunk by two of 15.5 / 41; one that only ends alike is none."""
    hosts = ["example.org"] * 8 + ["www.example.org"] * 2 + ["shop.example.org"] * 5 + ["notexample.org"] * 25
    rows = [post(who, 1 + turn / 100, domain=host) for turn, (who, host) in enumerate(zip(crowd(40), hosts, strict=True))]
    found = estimate(measured(rows, sites=("example.org",)), "link_fit")
    assert (found["value"], found["n"]) == (pytest.approx((15 + 2 * 15.5 / 41) / 42), 40)
    assert estimate(measured(rows), "link_fit")["missing_reason"] == "no sites configured"


def test_participation_is_active_people_of_the_members():
    """Members of a platform that tells none are not made up."""
    found = measured([post(who, 29 + turn / 100) for turn, who in enumerate(crowd(40))])
    assert estimate(found, "participation")["missing_reason"] == "members: the source does not tell how many there are"
    assert math.isnan(estimate(found, "participation")["value"])
