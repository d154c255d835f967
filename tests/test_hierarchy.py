"""The hierarchy over the clusters: Ward's, each cluster weighing as many communities as it has."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import linkage

from discovery.clustering.hierarchy import COLUMNS, ward


def test_three_centres_by_hand():
    """Clusters of 2, 2 and 4 at 0, 1 and 4: the first two merge at √(2·4/4) = √2, at ½; the third at 3.5 · √(2·16/8) = 7."""
    merges = ward(np.array([[0.0], [1.0], [4.0]]), np.array([2, 2, 4]))
    assert merges[["step", "first", "second", "communities"]].to_numpy().tolist() == [[1, 0, 1, 4], [2, 2, 3, 8]]
    assert merges["height"].tolist() == pytest.approx([np.sqrt(2), 7.0])


def test_size_decides_what_is_near():
    """Two small clusters three apart are nearer than two large ones one apart: √(9·1) = 3 against √(1·50) = 7.07."""
    merges = ward(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 90.0], [3.0, 90.0]]), np.array([50, 50, 1, 1]))
    assert merges.iloc[0][["first", "second"]].tolist() == [2, 3]
    assert merges["height"].iloc[:2].tolist() == pytest.approx([3.0, np.sqrt(50)])


@given(st.integers(2, 9), st.integers(1, 4), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_merges_are_those_of_ward_over_all_communities(k, d, seed):
    """SciPy's Ward over as many rows at each centre as it has communities merges at the same heights, to the same sizes."""
    random = np.random.default_rng(seed)
    centres, sizes = random.normal(size=(k, d)), random.integers(1, 6, k)
    peers = linkage(np.repeat(centres, sizes, axis=0), "ward")[-(k - 1) :]
    merges = ward(centres, sizes)
    assert merges["height"].to_numpy() == pytest.approx(peers[:, 2])
    assert merges["communities"].tolist() == peers[:, 3].astype(int).tolist()
    assert (merges["height"].diff().dropna() >= -1e-9).all()


@pytest.mark.parametrize("k", [0, 1])
def test_nothing_to_merge(k):
    """Without two clusters there is no merge."""
    merges = ward(np.zeros((k, 3)), np.ones(k, dtype=int))
    assert merges.empty
    assert list(merges.columns) == COLUMNS


def test_clusters_in_one_place_merge_at_no_height():
    """Centres that are equal merge at height 0, the smaller numbers first."""
    assert ward(np.ones((3, 2)), np.array([1, 1, 1]))[["first", "second", "height"]].to_numpy().tolist() == [[0, 1, 0], [3, 2, 0]]
