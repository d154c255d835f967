"""Tests of the map: two coordinates per community, stable from night to night."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from discovery.archetypes.map import coordinates


def points(n: int, d: int, seed: int) -> pd.DataFrame:
    """Draw points with axes of different lengths."""
    spread = np.linspace(3, 1, d)
    drawn = np.random.default_rng(seed).normal(size=(n, d)) * spread
    return pd.DataFrame(drawn, index=pd.Index([f"made:{i:03d}" for i in range(n)], name="community"))


def test_the_map_keeps_the_two_longest_directions():
    """On points that lie in a plane, distances on the map are distances between the points."""
    flat = points(40, 2, 0)
    turn, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(5, 2)))
    lifted = pd.DataFrame(flat.to_numpy() @ turn.T, index=flat.index)
    plane = coordinates(lifted).to_numpy()
    first = np.linalg.norm(flat.to_numpy()[:, None] - flat.to_numpy()[None], axis=2)
    assert np.linalg.norm(plane[:, None] - plane[None], axis=2) == pytest.approx(first, abs=1e-4)


def test_the_order_of_communities_changes_nothing():
    """Rows in another order give each community the same place."""
    matrix = points(60, 6, 2)
    shuffled = matrix.sample(frac=1, random_state=3)
    assert np.allclose(coordinates(shuffled).loc[matrix.index], coordinates(matrix), atol=2e-6)


def test_a_turned_map_is_turned_back_towards_the_last():
    """A quarter turn and a mirror against the published map are undone, and a new community does not disturb that."""
    matrix = points(50, 4, 4)
    last = coordinates(matrix.iloc[:-1])
    turned = pd.DataFrame({"x": -last["y"], "y": last["x"]}) * [1, -1]
    aligned = coordinates(matrix, last=turned)
    assert np.corrcoef(aligned["x"].iloc[:-1], turned["x"])[0, 1] > 0.99
    assert np.corrcoef(aligned["y"].iloc[:-1], turned["y"])[0, 1] > 0.99


@pytest.mark.parametrize(("n", "d"), [(0, 3), (1, 3), (2, 1), (5, 1), (4, 2)])
def test_tiny_and_flat_markets_have_a_map_too(n, d):
    """Any number of communities and dimensions gives finite coordinates."""
    plane = coordinates(points(n, d, 5))
    assert plane.shape == (n, 2)
    assert np.isfinite(plane.to_numpy()).all()


def test_identical_communities_share_one_place():
    """Without any difference every community stands at the origin."""
    matrix = pd.DataFrame(np.ones((6, 3)), index=[f"made:{i}" for i in range(6)])
    assert (coordinates(matrix).to_numpy() == 0).all()
