"""Partitions that come back say so, and cuts that do not come back say so too."""

from __future__ import annotations

import numpy as np
import pytest

from discovery.clustering import stability
from discovery.clustering.path import partition, partitions


def two_blobs(n: int = 60, distance: float = 10.0, seed: int = 0) -> np.ndarray:
    """Two unit gaussians in the plane."""
    random = np.random.default_rng(seed)
    return np.concatenate([random.normal(size=(n, 2)), random.normal(size=(n, 2)) + distance])


def halves(matrix: np.ndarray, k_max: int, times: int = 3) -> list[stability.Halves]:
    """Cut the rows in two a few times."""
    return [stability.halved(matrix, k_max, random=np.random.default_rng(seed), restarts=2) for seed in range(times)]


def test_separated_blobs_come_back():
    """Every bootstrap finds both blobs again: Jaccard 1."""
    matrix = two_blobs()
    part = partition(matrix, 2, random=np.random.default_rng(1), restarts=3)
    assert stability.bootstrap_jaccard(matrix, part, random=np.random.default_rng(2), resamples=10) == pytest.approx([1, 1])


def test_a_cut_through_a_blob_dissolves():
    """A partition that halves two blobs four ways is not stable in its halves, whatever their accidents."""
    weakest = []
    for seed in range(5):
        matrix = two_blobs(seed=seed)
        part = partition(matrix, 4, random=np.random.default_rng(1), restarts=3)
        weakest.append(stability.bootstrap_jaccard(matrix, part, random=np.random.default_rng(2), resamples=20).min())
    assert np.mean(weakest) < 0.75


def test_jaccard_by_hand():
    """Old cluster {0,1,2}, {3,4,5} against new {0,1}, {2,3,4,5}: 2/3 and 3/4; an absent cluster is not counted."""
    similarity, present = stability.best_jaccard(np.array([0, 0, 0, 1, 1, 1]), np.array([0, 0, 1, 1, 1, 1]), 3)
    assert similarity == pytest.approx([2 / 3, 3 / 4, 0])
    assert present.tolist() == [1, 1, 0]


def test_one_cluster_always_comes_back():
    """One cluster is the whole, and comes back."""
    matrix = two_blobs()
    assert stability.bootstrap_jaccard(matrix, partitions(matrix, 1, random=np.random.default_rng(0))[0], random=None, resamples=3) == [1]


def test_halves_agree_on_blobs_and_not_on_a_ball():
    """Split halves agree wholly on two blobs, and hardly on how to cut a round gaussian."""
    blobs, _ = stability.split_half_agreement(two_blobs(), halves(two_blobs(), 3), 3)
    assert blobs[:2] == pytest.approx([1, 1])
    ball = np.random.default_rng(3).normal(size=(400, 6))
    assert stability.split_half_agreement(ball, halves(ball, 3), 3)[0][1:].max() < 0.6


def test_prediction_strength_of_the_truth_is_one():
    """Two blobs predict each other's halves at k = 2 and fail at k = 4."""
    values, errors = stability.prediction_strength(two_blobs(), halves(two_blobs(), 4), 4)
    assert values[:2] == pytest.approx([1, 1])
    assert values[3] + errors[3] < 0.8


def test_strength_by_hand():
    """Own {0,1,2,3}, {4,5}; the other half tears 3 off the first: 3 of its 6 pairs stay together."""
    assert stability.strength(np.array([0, 0, 0, 1, 1, 1]), np.array([0, 0, 0, 0, 1, 1]), 2) == pytest.approx(0.5)


def test_a_half_too_small_for_k_is_not_measured():
    """Where a half has fewer distinct rows than k, the value is missing rather than made up."""
    matrix = np.repeat([[0.0], [1.0]], 10, axis=0)
    values, _ = stability.split_half_agreement(matrix, halves(matrix, 3), 3)
    assert values[:2] == pytest.approx([1, 1])
    assert np.isnan(values[2])
