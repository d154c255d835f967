"""The map: two coordinates per community, comparable from night to night."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.linalg import orthogonal_procrustes

from discovery.archetypes.embedding import Floats

METHOD = "pca"
DECIMALS = 6


def coordinates(matrix: pd.DataFrame, *, last: pd.DataFrame | None = None) -> pd.DataFrame:
    """Lay communities out on the first two principal components.

    Args:
        matrix: Prepared features, shape (n_communities, n_dimensions), finite; index ``community``.
        last: Coordinates ``x``, ``y`` of the published run; the new ones are turned and mirrored, never stretched, towards it.

    Returns:
        ``x`` and ``y`` per community, centred. Without ``last`` each axis points to where its largest loading is positive.
    """
    points = matrix.to_numpy(dtype=np.float64)
    centred = points - points.mean(axis=0) if len(points) else points
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    plane = _two_columns(centred @ _signed(axes[:2]).T)
    if last is not None:
        plane = plane @ _turn(pd.DataFrame(plane, index=matrix.index), last)
    return pd.DataFrame(np.round(plane, DECIMALS) + 0.0, index=matrix.index, columns=["x", "y"])


def _signed(axes: Floats) -> Floats:
    """Point each axis to the side on which its largest loading is positive."""
    largest = axes[np.arange(len(axes)), np.argmax(np.round(np.abs(axes), DECIMALS), axis=1)] if axes.size else np.ones(len(axes))
    return np.asarray(axes * np.where(largest < 0, -1.0, 1.0)[:, None])


def _two_columns(plane: Floats) -> Floats:
    return np.hstack([plane, np.zeros((len(plane), 2 - plane.shape[1]))])


def _turn(plane: pd.DataFrame, last: pd.DataFrame) -> Floats:
    """Find the rotation or reflection that brings the shared communities closest to where they were (Schönemann 1966)."""
    shared = plane.index.intersection(last.index)
    if len(shared) < 3:
        return np.eye(2)
    now, before = plane.loc[shared].to_numpy(), last.loc[shared, ["x", "y"]].to_numpy(dtype=np.float64)
    turn, _ = orthogonal_procrustes(now - now.mean(axis=0), before - before.mean(axis=0))
    return np.asarray(turn)
