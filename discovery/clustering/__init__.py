"""Clustering: the kinds of community there are, and whether they are kinds at all.

Feature values of communities in; a :class:`Clustering` out: labels, what kind of answer it is, and every curve behind it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from discovery.clustering.algorithms import ALGORITHMS, Model
from discovery.clustering.autokmeans import AutoKMeans
from discovery.clustering.choice import Structure
from discovery.clustering.density import AutoHDBSCAN
from discovery.clustering.partition import Labels, Matrix, Partition
from discovery.clustering.prepare import Preparation, prepare
from discovery.clustering.spherical import SphericalKMeans
from discovery.clustering.stability import LASTING, standing
from discovery.features import Feature
from discovery.settings import Algorithm, ClusteringSettings

__all__ = [
    "AutoHDBSCAN",
    "AutoKMeans",
    "Clustering",
    "ClusteringSettings",
    "Preparation",
    "SphericalKMeans",
    "TooFewCommunitiesError",
    "association",
    "cluster",
    "dissolved",
    "recluster",
    "standing",
    "ungrouped",
]

COMMUNITIES_AT_LEAST = 10
OUTLIER = -1


class TooFewCommunitiesError(ValueError):
    """There are too few communities to look for kinds of them; they can still be ranked."""


@dataclass(frozen=True)
class Clustering:
    """Communities, clustered. All Series are indexed by community, in sorted order, but for ``stability``."""

    algorithm: Algorithm
    labels: pd.Series
    """Label of each community, 0 for the largest cluster; -1 for an outlier."""
    structure: Structure
    n_clusters: int
    centers: Matrix
    """Shape (n_clusters, n_components), in the prepared space."""
    criteria: pd.DataFrame
    """criterion, k, value, error (NaN where there is none)."""
    votes: pd.Series
    """Criterion -> the k that it speaks for."""
    stability: pd.Series
    """Label -> mean bootstrap Jaccard similarity."""
    distance: pd.Series
    """To the nearest centre, in the prepared space."""
    confidence_by_community: pd.Series
    """How much nearer the nearest centre is than the second: 1 at the centre, 0 on the border; 1 where there is one cluster."""
    nearest: pd.Series
    """Label of the nearest centre among the clusters that last, for outliers too."""
    confidence: float
    """Share of resamples in which the same k and structure win."""
    platform_association: float
    """Cramér's V between labels and platforms; NaN with one platform or one cluster."""
    notes: list[str]
    prepared: Preparation | None
    """None where there were too few communities to prepare."""

    @property
    def archetypes(self) -> pd.Series:
        """Labels of the communities that belong to an archetype: a cluster of some structure that does not dissolve. Else -1."""
        lasting = _lasting(self.stability) if self.structure != "none" else []
        return self.labels.where(self.labels.isin(lasting), OUTLIER)


def cluster(
    values: pd.DataFrame,
    *,
    features: Mapping[str, Feature],
    platforms: pd.Series,
    settings: ClusteringSettings,
    last_k: int | None = None,
) -> Clustering:
    """Cluster communities and say whether the clusters are real.

    Args:
        values: Feature matrix of shape (n_communities, n_features), indexed by community; NaN is allowed.
        features: Declarations of the features by name.
        platforms: Platform of each community.
        settings: Algorithm, range of k, whether segments are allowed, variance kept, scaling, seed.
        last_k: Number of archetypes of the published run: kept unless another one wins in 80 % of the resamples, or it in
            less than 20 %.

    Raises:
        TooFewCommunitiesError: there are fewer than ten communities.
    """
    if len(values) < COMMUNITIES_AT_LEAST:
        raise TooFewCommunitiesError(
            f"{len(values)} communities are too few for archetypes: at least {COMMUNITIES_AT_LEAST} are needed. "
            "Add sources or widen `window_days` in config.yaml."
        )
    with threadpool_limits(limits=1):  # so that the last bits do not depend on the number of threads
        prepared = prepare(
            values, features=features, platforms=platforms, variance=settings.pca_variance, within_platform=settings.within_platform
        )
        fitted = prepared.matrix.drop(index=prepared.outliers).to_numpy()
        model = ALGORITHMS[settings.algorithm].fit(fitted, settings, last_k)
        return _told(model, settings.algorithm, prepared, platforms)


def ungrouped(communities: pd.Index, *, note: str) -> Clustering:
    """Say that communities were not grouped at all, and why: one group, no structure, nothing prepared."""
    alone = pd.Series(0, index=communities)
    nowhere = pd.Series(np.nan, index=communities)
    return Clustering(
        algorithm="kmeans",
        labels=alone,
        structure="none",
        n_clusters=1,
        centers=np.empty((0, 0)),
        criteria=pd.DataFrame(columns=["criterion", "k", "value", "error"]),
        votes=pd.Series(dtype=int),
        stability=pd.Series(dtype=float),
        distance=nowhere,
        confidence_by_community=nowhere,
        nearest=alone,
        confidence=float("nan"),
        platform_association=float("nan"),
        notes=[note],
        prepared=None,
    )


def _told(model: Model, algorithm: Algorithm, prepared: Preparation, platforms: pd.Series) -> Clustering:
    index = prepared.matrix.index
    labels = pd.Series(OUTLIER, index=index)
    labels[~index.isin(prepared.outliers)] = model.labels_
    distances = model.transform(prepared.matrix.to_numpy())
    stability = pd.Series(model.stability_)
    lasting = _lasting(stability)
    open_to_all = lasting or list(range(model.n_clusters_))
    return Clustering(
        algorithm=algorithm,
        labels=labels,
        structure=model.structure_ if lasting else "none",
        n_clusters=model.n_clusters_,
        centers=model.cluster_centers_,
        criteria=model.criteria_,
        votes=pd.Series(model.votes_, dtype=int),
        stability=stability,
        distance=pd.Series(distances.min(axis=1), index=index),
        confidence_by_community=pd.Series(_margin(distances), index=index),
        nearest=pd.Series(np.array(open_to_all)[distances[:, open_to_all].argmin(axis=1)], index=index),
        confidence=model.confidence_,
        platform_association=association(labels[labels != OUTLIER], platforms),
        notes=[*prepared.notes, *_sparse(model.labels_), *(dissolved(labels, stability) if model.structure_ != "none" else [])],
        prepared=prepared,
    )


def _sparse(labels: Labels) -> list[str]:
    """Tell the communities that lie in no cluster, which only HDBSCAN leaves out; they are listed as outliers are."""
    outside = int((labels == OUTLIER).sum())
    if not outside:
        return []
    return [f"{outside:,} of {len(labels):,} communities lie where too few others do: listed with the nearest archetype, and scored alone."]


def _lasting(stability: pd.Series) -> list[int]:
    return [label for label, value in enumerate(stability) if standing(value) != "dissolved"]


def dissolved(labels: pd.Series, stability: pd.Series) -> list[str]:
    """Tell the clusters that were found and do not come back; they are no archetypes."""
    return [
        f"One group of {(labels == label).sum():,} communities is no archetype: drawn again, {value:.2f} of it overlaps with a group on "
        f"average, and {LASTING} is needed. They are scored alone."
        for label, value in enumerate(stability)
        if standing(value) == "dissolved"
    ]


def _margin(distances: Matrix) -> Matrix:
    if distances.shape[1] == 1:
        return np.ones(len(distances))
    first, second = np.partition(distances, 1, axis=1)[:, :2].T
    margin: Matrix = 1 - first / np.where(second > 0, second, 1.0)
    return margin


def association(labels: pd.Series, platforms: pd.Series) -> float:
    """Measure how strongly labels follow platforms: Cramér's V, 0 to 1; NaN where either has one value only."""
    table = pd.crosstab(labels, platforms.reindex(labels.index)).to_numpy(dtype=float)
    if min(table.shape) < 2:
        return float("nan")
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    chi_square = ((table - expected) ** 2 / expected).sum()
    return float(np.sqrt(chi_square / table.sum() / (min(table.shape) - 1)))


def recluster(clustering: Clustering, values: pd.DataFrame) -> pd.Series:
    """Cluster other values of the same communities again: same preparation, same k, from what was found.

    A community may stand in ``values`` more than once, as in a bootstrap. Outliers stay outliers and are not fitted on. Labels
    keep the meaning of the cluster they started from.
    """
    if clustering.prepared is None:
        raise ValueError(f"the {len(clustering.labels)} communities were not grouped, so there is nothing to group them again by")
    with threadpool_limits(limits=1):
        matrix = clustering.prepared.transform(values)
        outlying = (clustering.labels.reindex(values.index) == OUTLIER).to_numpy()
        labels = np.full(len(values), OUTLIER, dtype=np.intp)
        labels[~outlying] = ALGORITHMS[clustering.algorithm].again(matrix[~outlying], *_fitted(clustering, clustering.prepared))
    return pd.Series(labels, index=values.index)


def _fitted(clustering: Clustering, prepared: Preparation) -> tuple[Matrix, Partition]:
    """Give the rows that were fitted, those in a cluster, and their partition."""
    inside = clustering.labels[clustering.labels != OUTLIER]
    return prepared.matrix.loc[inside.index].to_numpy(), Partition(clustering.centers, inside.to_numpy(), float("nan"))
