"""Regions of density: counted where they are real and K-Means can follow them."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import make_circles, make_moons

from benchmarks.structure import STRUCTURELESS, blobs
from discovery.clustering import AutoKMeans
from discovery.clustering.path import partitions
from discovery.clustering.regions import NOISE, ROWS, regions


@pytest.mark.parametrize("seed", range(3))
def test_two_crescents_are_two_clusters(seed):
    """Two crescents of 300 rows are two, where the criteria for round clusters speak for many more."""
    rows, _ = make_moons(600, noise=0.06, random_state=seed)
    model = AutoKMeans(random_state=0, n_resamples=6).fit(rows)
    assert (model.n_clusters_, model.structure_) == (2, "clusters")
    assert model.votes_["density"] == 2
    assert np.median([k for name, k in model.votes_.items() if name != "density"]) > 2


def test_regions_that_means_cut_across_are_not_counted():
    """A ring around a ring is two regions; two means would halve both, so that they are no answer for K-Means."""
    rows, _ = make_circles(600, noise=0.04, factor=0.4, random_state=0)
    found = regions(rows, 10, random=np.random.default_rng(0), resamples=5)
    assert found.real
    assert found.labels.max() == 1
    assert found.count(partitions(rows, 10, random=np.random.default_rng(0))) == 1


@pytest.mark.parametrize("shape", ["gaussian", "lognormal", "elongated", "counts, most of them zero"])
def test_shapes_without_structure_have_no_real_regions(shape):
    """Whatever dense spots a shape without structure shows, no two come back in bootstraps."""
    draws = (STRUCTURELESS[shape](np.random.default_rng(seed), 168, 4) for seed in range(6))
    assert not any(regions(rows, 9, random=np.random.default_rng(0), resamples=6).real for rows in draws)


def test_rows_in_no_region_decide_nothing():
    """Three blobs among scattered rows are three, many scattered rows in none; identical rows and very few rows are none."""
    random = np.random.default_rng(1)
    rows = np.concatenate([blobs(random, sizes=np.full(3, 80), d=3, apart=12)[0], random.uniform(-6, 12, (30, 3))])
    found = regions(rows, 9, random=random, resamples=5)
    assert found.count(partitions(rows, 9, random=random)) == 3
    assert 0.3 < (found.labels[240:] == NOISE).mean() < 1
    for few in (np.ones((50, 3)), rows[:3], rows[:1]):
        assert not regions(few, 9, random=random, resamples=3).real


def test_a_large_matrix_is_looked_at_by_a_sample():
    """Of more rows than are looked at, a sample tells the number of regions."""
    rows, _ = blobs(np.random.default_rng(2), sizes=np.full(3, 1_000), d=2, apart=14)
    found = regions(rows, 9, random=np.random.default_rng(0), resamples=3)
    assert len(found.rows) == ROWS
    assert found.count(partitions(rows, 9, random=np.random.default_rng(0))) == 3
