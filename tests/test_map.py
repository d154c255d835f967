"""Tests of the map: two coordinates per community, stable from night to night."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from discovery.archetypes.embedding import Floats
from discovery.archetypes.map import coordinates, layout
from storage.errors import MissingExtraError
from tests.command_line import configured, subcurrent


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


def test_principal_components_need_nothing_to_move_them():
    """The default has no layout of its own."""
    assert layout("pca", seed=1) is None


@pytest.mark.skipif(find_spec("umap") is not None, reason="the extra `umap` is installed")
def test_a_missing_extra_is_told_before_anything_is_done(tmp_path: Path):
    """Without umap-learn a run that wants it is refused with the remedy, and no data directory has been made."""
    with pytest.raises(MissingExtraError, match="pip install"):
        layout("umap", seed=1)
    said = subcurrent("run", "--config", configured(tmp_path, "world:1?communities=9", map="umap"))
    assert said.code == 2
    assert "subcurrent[umap]" in said.err
    assert not (tmp_path / "data").exists()


def stay(_: Floats, start: Floats, __: bool) -> Floats:
    """Leave points where they start."""
    return start


def test_a_layout_starts_from_the_components():
    """Without a map of before, or with one of fewer than three of these communities, points start where the components put them."""
    matrix = points(30, 4, 6)
    plane = coordinates(matrix)
    elsewhere = pd.DataFrame(9.0, index=matrix.index[:2], columns=["x", "y"])
    assert coordinates(matrix, layout=stay).equals(plane)
    assert coordinates(matrix, last=elsewhere, layout=stay).equals(plane)


def test_a_layout_starts_where_communities_stood():
    """A community starts at its place of the last map, and a new one at that of the community most like it, in any order of the last."""
    matrix = points(30, 4, 6)
    matrix.iloc[29] = matrix.iloc[7] + 0.001
    last = pd.DataFrame(np.random.default_rng(1).normal(size=(29, 2)), index=matrix.index[:29], columns=["x", "y"])
    drawn = coordinates(matrix, last=last.iloc[::-1], layout=stay)
    assert drawn.iloc[:29].to_numpy() == pytest.approx(last.to_numpy(), abs=1e-5)
    assert drawn.iloc[29].to_numpy() == pytest.approx(last.iloc[7].to_numpy(), abs=1e-5)
