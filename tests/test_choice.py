"""From the curves of the criteria to one k and what kind of answer it is."""

from __future__ import annotations

import numpy as np
import pytest

from discovery.clustering.choice import Curves, Evidence, choose, spread


def curves(*, gap, diag, full, strength, silhouette, groups) -> Curves:
    """Curves of k = 1 to 4 that speak for the given k, one for each criterion."""

    def peak(k: int) -> np.ndarray:
        return np.where(np.arange(1, 5) == k, 1.0, 0.0)

    values = {
        "gap": peak(gap), "bic_diag": -peak(diag), "bic_full": -peak(full), "prediction_strength": peak(strength),
        "silhouette": peak(silhouette), "valley_groups": np.array(groups), "split_half_ari": np.array([1.0, 0.9, 0.9, 0.1]),
    }  # fmt: skip
    return Curves(values, dict.fromkeys(values, np.zeros(4)), np.full(4, 10))


@pytest.mark.parametrize(
    ("groups", "segments", "expected"),
    [
        ([1, 1, 2, 1], False, (3, "clusters")),
        ([1, 2, 1, 3], False, (2, "clusters")),
        ([1, 1, 1, 4], True, (3, "segments")),
        ([1, 1, 1, 4], False, (1, "none")),
    ],
)
def test_the_median_is_the_most_clusters_there_are(groups, segments, expected):
    """Votes for 4, 4, 3, 2, 2 mean 3 at most: 3 where it shows a valley, else the 2 that does, else a cut or nothing; never the 4."""
    found = curves(gap=4, diag=3, full=2, strength=4, silhouette=2, groups=groups)
    choice = choose(found, Evidence(frozenset({2, 3, 4}), found.apart, 1), k_min=1, allow_segments=segments)
    assert (choice.k, choice.structure) == expected


def test_a_criterion_that_cannot_tell_of_every_candidate_has_no_vote():
    """A BIC that lacks rows for k = 4 would say fewer, whatever they are; the middle of the votes 2, 3, 4 and 4 is 3."""
    found = curves(gap=4, diag=3, full=1, strength=4, silhouette=2, groups=[1, 1, 2, 2])
    found.values["bic_full"][3] = np.nan
    choice = choose(found, Evidence(frozenset({2, 3, 4}), found.apart, 1), k_min=1, allow_segments=False)
    assert choice.k == 3
    assert set(choice.votes) == {"gap", "bic_diag", "prediction_strength", "silhouette", "density"}
    found = choose(found, Evidence(frozenset({2, 3}), found.apart, 1), k_min=1, allow_segments=False)
    assert found.votes["bic_full"] == 1


def test_regions_are_not_counted_where_valleys_set_more_groups_apart():
    """Three groups that valleys set apart stand against two regions, since regions that touch are one; against four they do not."""
    found = curves(gap=3, diag=3, full=3, strength=4, silhouette=2, groups=[1, 1, 3, 1])
    for kinds, apart, expected in ((2, {3}, 3), (2, set(), 2), (4, {3}, 4)):
        choice = choose(found, Evidence(frozenset({2, 3, 4}), frozenset(apart), kinds), k_min=1, allow_segments=False)
        assert (choice.k, choice.structure) == (expected, "clusters")


@pytest.mark.parametrize(
    ("column", "below", "above"),
    [
        pytest.param([0, 1, 3, 7], [1, 1, 2, 4], [1, 2, 4, 4], id="unequal-steps"),
        pytest.param([5, 6, 7], [1, 1, 1], [1, 1, 1], id="whole-numbers"),
        pytest.param([0, 1], [0, 0], [0, 0], id="two-values"),
    ],
)
def test_shared_values_are_spread_halfway_to_their_neighbours(column, below, above):
    """Each of 400 copies moves within half the gap below or above its value, and nearly fills it; dust makes no new values."""
    for dust in (0.0, 1e-9):
        rows = np.repeat(np.array(column, dtype=float), 400)
        rows += dust * np.random.default_rng(1).normal(size=len(rows))
        moved = (spread(rows[:, None], np.random.default_rng(0))[:, 0] - rows).reshape(len(column), 400)
        np.testing.assert_allclose(-2 * moved.min(axis=1), below, rtol=0.1, atol=1e-6)
        np.testing.assert_allclose(2 * moved.max(axis=1), above, rtol=0.1, atol=1e-6)


def test_values_of_their_own_are_not_spread():
    """Rows that share hardly any value stay to the last bit."""
    rows = np.random.default_rng(0).normal(size=(50, 3))
    assert spread(rows, np.random.default_rng(0)).tobytes() == rows.tobytes()


@pytest.mark.parametrize(("segments", "expected"), [(True, (3, "segments")), (False, (1, "none"))])
def test_clusters_that_resamples_do_not_show_are_a_cut(segments, expected):
    """Where the valley of a k is not to be relied on, the same curves give the stable cut or nothing, whatever valley they show."""
    found = curves(gap=4, diag=3, full=2, strength=4, silhouette=2, groups=[1, 1, 2, 1])
    choice = choose(found, Evidence(frozenset({2, 3, 4}), frozenset(), 1), k_min=1, allow_segments=segments)
    assert (choice.k, choice.structure) == expected


@pytest.mark.parametrize(("kinds", "expected"), [(4, 4), (2, 2), (1, 3), (5, 3)])
def test_regions_of_density_are_counted_and_not_voted_on(kinds, expected):
    """Where regions are real, a candidate of their number is the answer, above the median too; else the votes are, and density had one."""
    found = curves(gap=4, diag=3, full=2, strength=4, silhouette=2, groups=[1, 1, 2, 1])
    choice = choose(found, Evidence(frozenset({2, 3, 4}), found.apart, kinds), k_min=1, allow_segments=False)
    assert (choice.k, choice.structure, choice.votes["density"]) == (expected, "clusters", kinds)
