"""The map by UMAP (extra ``umap``): communities keep their neighbours; how far groups lie apart then tells little.

McInnes, Healy & Melville 2018, arXiv:1802.03426. Only this file knows umap, and only once it is asked for. Seeded and on one thread, so
that the same points from the same start give the same map; its bits may differ between machines and versions of umap-learn.
"""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from discovery.archetypes.embedding import Floats
from storage.errors import MissingExtraError

NEIGHBOURS = 15
FEWEST = 4
"""Points below which there are no neighbourhoods to keep."""

SMALL_STEP = 0.1
"""Learning rate from a map of before: neighbourhoods come out as true, and places move half as far as with 1 (docs/decisions.md)."""


class Umap:
    """Moves points about a plane, from where they start on it, until those that are neighbours stand near each other."""

    def __init__(self, *, seed: int) -> None:
        if importlib.util.find_spec("umap") is None:
            raise MissingExtraError("map: umap needs umap-learn: pip install 'subcurrent[umap]', or leave `map` at pca.")
        self._seed = seed

    def __call__(self, points: Floats, start: Floats, settled: bool) -> Floats:
        """Lay points of shape (n, d) out, shape (n, 2), centred; too few, and points all alike, stay where they start.

        Where the start is ``settled`` on, a map of before, points are moved by small steps and the map keeps its size.
        """
        if len(points) < FEWEST or not np.ptp(points, axis=0).any():
            return start
        import umap  # noqa: PLC0415 - an extra, and heavy

        neighbours, step = min(NEIGHBOURS, len(points) - 1), SMALL_STEP if settled else 1.0
        begin = self._spread(start)
        model: Any = umap.UMAP(n_neighbors=neighbours, learning_rate=step, init=begin, random_state=self._seed, n_jobs=1)
        with threadpool_limits(limits=1):
            plane = np.asarray(model.fit_transform(points), dtype=np.float64)
        plane -= plane.mean(axis=0)
        return np.asarray(plane * (_size(begin) / _size(plane)) if settled else plane)

    def _spread(self, start: Floats) -> Floats:
        """Draw places on an axis on which all start at one: UMAP divides by its length, and could not leave it."""
        drawn = np.random.default_rng(self._seed).normal(size=start.shape)
        return np.where(np.ptp(start, axis=0) > 0, start, drawn)


def _size(plane: Floats) -> float:
    """Root mean square distance from the middle."""
    return float(np.sqrt(np.square(plane - plane.mean(axis=0)).sum(axis=1).mean()))
