"""The same archetype over nights: groups of two nights in, an identity for each of tonight's groups out. Niches use it too.

An identity is a number that is given once. Two groups are the same where they share members and lie close together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from discovery.clustering.partition import Matrix

Event = Literal["born", "continued", "split", "merged", "returned"]
Members = Mapping[str, frozenset[str]]
"""Members of each group, by label or identity."""

MATCH = 0.5
"""Highest cost at which two groups are the same."""
OVERLAP = 0.3
"""Jaccard similarity from which a group that is not the match is an origin (Greene et al. 2010)."""


@dataclass(frozen=True)
class Groups:
    """The groups of one night, by label (tonight) or identity (before)."""

    members: Members
    centroids: pd.DataFrame
    """Rows by the same keys, columns by feature, in deviations of the market (a MAD is about 1), NaN where a group has no value; no
    columns where there are none."""


@dataclass(frozen=True)
class Identity:
    """Who a group is, and where it came from."""

    id: str
    event: Event
    origins: tuple[str, ...]
    """Groups of the night before that it continues, was split from or was merged from."""


def trace(  # noqa: PLR0913 - two nights, those before, and how to count and to number
    today: Groups, *, before: Groups, gone: Members, weights: Mapping[str, float], prefix: str, last_number: int
) -> dict[str, Identity]:
    """Give each of tonight's groups its identity.

    Cost = 1 − (½ · weighted Jaccard of the members seen on both nights + ½ · exp(−root mean square distance of centroids)); where
    there are no centroids the members alone decide. The assignment of least total cost is taken, and a pair is a match up to ½.
    A group that matches none may match, by its members, one that earlier nights had and the one before had not: that one has returned.

    Args:
        today: Tonight's groups by label; new ones are numbered in this order.
        before: The published groups by identity.
        gone: Members of groups that earlier nights had, by identity, when each was last there.
        weights: What a community counts, for example the root of its active authors; 1 where it is not named.
        prefix: ``A`` for archetypes, ``N`` for niches.
        last_number: The highest number ever given under this prefix; the next new group gets the one after it.
    """
    labels, ids = list(today.members), sorted(before.members)
    seen = _all(today.members) & _all(before.members)
    similarity = _similarity(today.members, before.members, weights, seen)
    matched = _matched(_cost(similarity, _closeness(today, before)))
    taken = {ids[old] for old in matched.values()}
    returned = _returned({label: today.members[label] for row, label in enumerate(labels) if row not in matched}, gone, weights)
    found: dict[str, Identity] = {}
    for row, label in enumerate(labels):
        origins = tuple(ids[old] for old in np.flatnonzero(similarity[row] >= OVERLAP))
        if row in matched:
            same = ids[matched[row]]
            merged = tuple(origin for origin in origins if origin not in taken)
            found[label] = Identity(same, "merged" if merged else "continued", tuple(sorted({same, *merged})))
        elif label in returned:
            found[label] = Identity(returned[label], "returned", origins)
        else:
            last_number += 1
            found[label] = Identity(f"{prefix}{last_number:03d}", "split" if origins else "born", origins)
    return found


def _returned(new: Members, gone: Members, weights: Mapping[str, float]) -> dict[str, str]:
    """Find which of the groups without a match were there once; communities that have left since count against it."""
    labels, ids = list(new), sorted(gone)
    matched = _matched(_cost(_similarity(new, gone, weights, _all(new) | _all(gone)), None))
    return {labels[row]: ids[old] for row, old in matched.items()}


def _all(groups: Members) -> frozenset[str]:
    return frozenset().union(*groups.values())


def _similarity(today: Members, before: Members, weights: Mapping[str, float], seen: frozenset[str]) -> Matrix:
    """Weighted Jaccard similarity over some communities; shape (today, before)."""

    def weight(members: frozenset[str]) -> float:
        return sum(weights.get(member, 1.0) for member in sorted(members & seen))

    def jaccard(a: frozenset[str], b: frozenset[str]) -> float:
        return weight(a & b) / whole if (whole := weight(a | b)) > 0 else 0.0

    old = [before[key] for key in sorted(before)]
    return np.array([[jaccard(new, other) for other in old] for new in today.values()]).reshape(len(today), len(old))


def _closeness(today: Groups, before: Groups) -> Matrix | None:
    """Closeness exp(−distance) of centroids over the features that both nights have; None without any."""
    shared = sorted(set(today.centroids.columns) & set(before.centroids.columns))
    if not shared:
        return None
    new = today.centroids.reindex(list(today.members))[shared].to_numpy(dtype=float)
    old = before.centroids.reindex(sorted(before.members))[shared].to_numpy(dtype=float)
    squared = (new[:, None, :] - old[None, :, :]) ** 2
    known = ~np.isnan(squared)
    distances = np.sqrt(np.nan_to_num(squared).sum(axis=2) / np.maximum(known.sum(axis=2), 1))
    closeness: Matrix = np.where(known.any(axis=2), np.exp(-distances), 0.0)
    return closeness


def _cost(similarity: Matrix, closeness: Matrix | None) -> Matrix:
    return 1 - similarity if closeness is None else 1 - (0.5 * similarity + 0.5 * closeness)


def _matched(cost: Matrix) -> dict[int, int]:
    rows, columns = linear_sum_assignment(cost)
    return {int(row): int(column) for row, column in zip(rows, columns, strict=True) if cost[row, column] <= MATCH}
