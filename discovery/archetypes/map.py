"""The map: two coordinates per community, comparable from night to night."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.linalg import orthogonal_procrustes
from sklearn.neighbors import NearestNeighbors

from discovery.archetypes.embedding import Floats
from discovery.archetypes.umap import Umap
from discovery.settings import MapMethod

DECIMALS = 6
LEAST_SHARED = 3
"""Communities of both maps, below which they cannot be brought into line."""

Layout = Callable[[Floats, Floats, bool], Floats]
"""Moves points about a plane, from where they start on it; the last word says whether that is a map of before."""


class Map(NamedTuple):
    """Where communities stand to each other, and by what method."""

    method: MapMethod
    places: pd.DataFrame
    """x and y per community; no rows where nothing could be drawn."""


def layout(method: MapMethod, *, seed: int) -> Layout | None:
    """Choose what moves points about; of principal components nothing does.

    Raises:
        MissingExtraError: the method needs an extra that is not installed.
    """
    return Umap(seed=seed) if method == "umap" else None


def coordinates(matrix: pd.DataFrame, *, last: pd.DataFrame | None = None, layout: Layout | None = None) -> pd.DataFrame:
    """Lay communities out on the first two principal components, or from there on by ``layout``.

    Args:
        matrix: Prepared features, shape (n_communities, n_dimensions), finite; index ``community``.
        last: Coordinates ``x``, ``y`` of the published run by the same method; the new ones are turned and mirrored, never
            stretched, towards it, and a layout starts from it.
        layout: What moves the points about.

    Returns:
        ``x`` and ``y`` per community, centred. Without ``last`` each axis points to where its largest loading is positive.
    """
    points = matrix.to_numpy(dtype=np.float64)
    centred = points - points.mean(axis=0) if len(points) else points
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    plane = _two_columns(centred @ _signed(axes[:2]).T)
    if layout is not None:
        before = _before(matrix, last)
        plane = layout(points, plane if before is None else before, before is not None)
    if last is not None:
        plane = plane @ _turn(pd.DataFrame(plane, index=matrix.index), last)
    return pd.DataFrame(np.round(plane, DECIMALS) + 0.0, index=matrix.index, columns=["x", "y"])


def _signed(axes: Floats) -> Floats:
    """Point each axis to the side on which its largest loading is positive."""
    largest = axes[np.arange(len(axes)), np.argmax(np.round(np.abs(axes), DECIMALS), axis=1)] if axes.size else np.ones(len(axes))
    return np.asarray(axes * np.where(largest < 0, -1.0, 1.0)[:, None])


def _two_columns(plane: Floats) -> Floats:
    return np.hstack([plane, np.zeros((len(plane), 2 - plane.shape[1]))])


def _before(matrix: pd.DataFrame, last: pd.DataFrame | None) -> Floats | None:
    """Find where communities stood last, a new one where the one most like it did; None where too few did."""
    known = matrix.index.isin(last.index) if last is not None else np.zeros(len(matrix), dtype=bool)
    if last is None or known.sum() < LEAST_SHARED:
        return None
    points = matrix.to_numpy(dtype=np.float64)
    _, like = NearestNeighbors(n_neighbors=1).fit(points[known]).kneighbors(points)
    like[known, 0] = np.arange(known.sum())
    return np.asarray(last.loc[matrix.index[known], ["x", "y"]].to_numpy(dtype=np.float64)[like[:, 0]])


def _turn(plane: pd.DataFrame, last: pd.DataFrame) -> Floats:
    """Find the rotation or reflection that brings the shared communities closest to where they were (Schönemann 1966)."""
    shared = plane.index.intersection(last.index)
    if len(shared) < LEAST_SHARED:
        return np.eye(2)
    now, before = plane.loc[shared].to_numpy(), last.loc[shared, ["x", "y"]].to_numpy(dtype=np.float64)
    turn, _ = orthogonal_procrustes(now - now.mean(axis=0), before - before.mean(axis=0))
    return np.asarray(turn)
