"""UMAP draws the map: kinds stay apart, the same bits again, and last night's places are kept."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_blobs
from sklearn.manifold import trustworthiness
from sklearn.metrics import silhouette_score

from discovery.archetypes.map import coordinates, layout
from tests.command_line import configured, subcurrent

pytestmark = [
    pytest.mark.peers,
    pytest.mark.skipif(not find_spec("umap"), reason="the extra `umap` is not installed"),
    pytest.mark.filterwarnings("ignore:Tensorflow not installed:ImportWarning"),
]


def blobs(n: int = 240) -> tuple[pd.DataFrame, np.ndarray]:
    """Draw eight kinds in twenty dimensions, of which a plane can show few."""
    rows, kinds = make_blobs(n, 20, centers=8, cluster_std=2.0, random_state=4)
    return pd.DataFrame(rows, index=[f"made:{at:03}" for at in range(n)]), kinds


def test_neighbours_stay_neighbours() -> None:
    """Eight kinds of twenty dimensions are further apart on the map by UMAP than by principal components, and neighbours truer."""
    matrix, kinds = blobs()
    by_components, by_umap = coordinates(matrix), coordinates(matrix, layout=layout("umap", seed=1))
    assert silhouette_score(by_umap, kinds) > max(0.6, silhouette_score(by_components, kinds))
    assert trustworthiness(matrix, by_umap) > trustworthiness(matrix, by_components)
    assert np.allclose(by_umap.mean(), 0, atol=1e-4)


def test_the_same_seed_draws_the_same_map() -> None:
    """Twice the same points and seed: the same places, to the last digit."""
    matrix, _ = blobs(150)
    first, second = (coordinates(matrix, layout=layout("umap", seed=7)) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)


def test_a_night_later_communities_stand_where_they_stood() -> None:
    """With a tenth of the communities new and all a little changed, the others move less than two thirds as far as in a map begun anew."""
    matrix, _ = blobs()
    last = coordinates(matrix.iloc[24:], layout=layout("umap", seed=1))
    changed = matrix + np.random.default_rng(2).normal(scale=0.3, size=matrix.shape)
    kept = coordinates(changed, last=last, layout=layout("umap", seed=1))
    anew = coordinates(changed, layout=layout("umap", seed=1))
    turned = coordinates(anew.loc[last.index], last=last)  # two dimensions lose nothing by components, and are turned
    moved, moved_anew = (np.median(np.linalg.norm(plane.loc[last.index] - last, axis=1)) for plane in (kept, turned))
    assert moved < 2 / 3 * moved_anew
    assert trustworthiness(changed, kept) > trustworthiness(changed, anew) - 0.02


@pytest.mark.parametrize("n", [0, 1, 3, 4, 5, 12])
def test_tiny_markets_have_a_map_too(n: int) -> None:
    """Any number of communities gives finite places, those that differ in one dimension or not at all, too."""
    matrix, _ = blobs()
    for rows in (matrix.iloc[:n], matrix.iloc[:n, :1], matrix.iloc[:n] * 0):
        plane = coordinates(rows, layout=layout("umap", seed=1))
        assert plane.shape == (n, 2)
        assert np.isfinite(plane.to_numpy()).all()


def test_a_night_of_another_method_is_not_kept_in_line_with(tmp_path: Path) -> None:
    """A run by UMAP after one by components starts anew and says so; one more by UMAP stays in line with it."""
    methods, drawn = ("pca", "umap", "umap"), []
    for method in methods:
        config = configured(tmp_path, "world:3?communities=40&days=112&scale=.3", map=method)
        assert subcurrent("run", "--config", config).code == 0
        rows = json.loads(subcurrent("sql", "SELECT x, y FROM community JOIN publication USING (run_id)", "--json", "--config", config).out)
        drawn.append(np.array([[row["x"], row["y"]] for row in rows if row["x"] is not None]))
        report = (tmp_path / "data" / "reports" / "latest" / "report.md").read_text()
        assert ("(UMAP)" in report) == (method == "umap")
    told = subcurrent("sql", "SELECT map_method FROM runs ORDER BY sequence", "--json", "--config", config).out
    assert [row["map_method"] for row in json.loads(told)] == list(methods)
    again, spread = np.linalg.norm(drawn[2] - drawn[1], axis=1), np.linalg.norm(drawn[1], axis=1).mean()
    assert np.median(again) < 0.3 * spread
