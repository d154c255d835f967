"""The algorithms that a run may cluster by, behind one interface: how each is fitted, and how other values are grouped by what it found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

import pandas as pd
from numpy.typing import ArrayLike

from discovery.clustering import density, spherical
from discovery.clustering.autokmeans import AutoKMeans
from discovery.clustering.choice import Structure
from discovery.clustering.density import AutoHDBSCAN
from discovery.clustering.partition import Labels, Matrix, Partition, assign, polish
from discovery.clustering.spherical import SphericalKMeans
from discovery.settings import Algorithm, ClusteringSettings


class Model(Protocol):
    """What a fitted algorithm tells; see :class:`AutoKMeans`. ``labels_`` are -1 for rows in no cluster."""

    labels_: Labels
    cluster_centers_: Matrix
    n_clusters_: int
    structure_: Structure
    stability_: Matrix
    confidence_: float
    criteria_: pd.DataFrame
    votes_: Mapping[str, int]

    def transform(self, X: ArrayLike) -> Matrix:  # noqa: N803 - scikit-learn's name
        """Distances to the clusters, shape (n_samples, n_clusters_)."""


class Ways(NamedTuple):
    """How an algorithm is fitted, and how other rows are grouped by what it found: those rows, the fitted rows, their partition."""

    fit: Callable[[Matrix, ClusteringSettings, int | None], Model]
    again: Callable[[Matrix, Matrix, Partition], Labels]


def _kmeans(rows: Matrix, settings: ClusteringSettings, last_k: int | None) -> Model:
    model: Model = AutoKMeans(
        settings.k_min, settings.k_max, allow_segments=settings.allow_segments, random_state=settings.seed, last_k=last_k
    ).fit(rows)
    return model


def _kmeans_again(matrix: Matrix, _: Matrix, part: Partition) -> Labels:
    if len(matrix) < part.k:
        return assign(matrix, part.centres)
    return assign(matrix, polish(matrix, part.centres, tol=1e-3, max_iter=20).centres)


def _spherical(rows: Matrix, settings: ClusteringSettings, last_k: int | None) -> Model:
    model: Model = SphericalKMeans(
        settings.k_min, settings.k_max, allow_segments=settings.allow_segments, random_state=settings.seed, last_k=last_k
    ).fit(rows)
    return model


def _hdbscan(rows: Matrix, settings: ClusteringSettings, _: int | None) -> Model:
    """Find what density shows: no range of k is searched, so that none can be kept from last night."""
    model: Model = AutoHDBSCAN(settings.k_max, random_state=settings.seed).fit(rows)
    return model


ALGORITHMS: Mapping[Algorithm, Ways] = {
    "kmeans": Ways(_kmeans, _kmeans_again),
    "spherical": Ways(_spherical, lambda matrix, _, part: spherical.again(matrix, part.centres)),
    "hdbscan": Ways(_hdbscan, lambda matrix, rows, part: density.again(matrix, rows, part.labels)),
}
