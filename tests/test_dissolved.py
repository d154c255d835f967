"""A cluster that does not come back when communities are drawn again is told, and never an archetype, however k was come by."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from discovery.clustering import AutoKMeans, dissolved, standing
from tests.test_autokmeans import blobs, clustered, communities


@pytest.mark.parametrize(
    ("stability", "expected"),
    [(1.0, "stable"), (0.75, "stable"), (0.74, "doubtful"), (0.6, "doubtful"), (0.59, "dissolved"), (float("nan"), "dissolved")],
)
def test_standings_are_hennigs(stability, expected):
    """From .75 a cluster is stable, from .6 doubtful, below it dissolves; so does one that could not be asked."""
    assert standing(stability) == expected


def test_what_dissolves_is_no_archetype():
    """Of three clusters the one that comes back by .59 has no archetype, and a note tells how many communities that is."""
    found = clustered(communities(blobs([60, 50, 40], distance=12.0)[0]), pca_variance=1.0, k_max=5)
    shaken = replace(found, stability=pd.Series([0.9, 0.59, 0.6]))
    fallen = found.labels == 1
    assert set(shaken.archetypes[fallen]) == {-1}
    assert shaken.archetypes[~fallen].equals(found.labels[~fallen])
    (note,) = dissolved(shaken.labels, shaken.stability)
    assert note.startswith(f"One group of {fallen.sum()} communities is no archetype: drawn again, 0.59 of it overlaps")


def test_a_forced_number_of_cuts_is_no_structure():
    """A round cloud that must be three is cut in three, and claims no kind."""
    found = clustered(communities(np.random.default_rng(0).normal(size=(150, 4))), k_min=3, k_max=4)
    assert (found.structure, set(found.archetypes)) == ("none", {-1})


def test_a_last_k_that_does_not_come_back_is_not_kept():
    """Last night's five clusters do not stay where tonight two of them dissolve."""
    matrix, _ = blobs([60, 50, 40], distance=7.0)
    assert AutoKMeans(k_max=6, random_state=0, n_resamples=4, last_k=5).fit(matrix).n_clusters_ == 3
