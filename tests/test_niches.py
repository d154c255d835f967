"""Tests of niches: found where subjects are planted, absent where there are none, the same whatever the order."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from benchmarks.niches import agreement, front_pages
from discovery.archetypes.embedding import embed, telling_words
from discovery.archetypes.niches import MOST_CHANCE, SMALLEST, find_niches, homogeneity
from discovery.clustering.stability import LASTING
from discovery.features import Measurement
from tests.markets import market, subjects
from tests.shared_data import DATA


def whole(measured: Measurement) -> pd.Series:
    """Take the whole market as one parent."""
    return pd.Series(0, index=measured.communities.index)


def test_planted_subjects_are_found_with_their_members():
    """Six subjects of twelve communities each, with a fifth of the words anybody's, come back as six niches."""
    words = subjects(6, each=12, seed=0, shared=0.2)
    found = find_niches(market(list(words), words=words), pd.Series(0, index=list(words)), seed=1)
    truth = [name.split("-")[0] for name in words]
    assert len(found.table) == 6
    assert adjusted_rand_score(truth, found.membership.loc[list(words)]) == 1.0
    assert (found.table["stability"] >= LASTING).all()
    assert found.cuts["p_held_out"].tolist() == [0.025]


@pytest.mark.parametrize("seed", range(6))
def test_words_drawn_at_random_give_no_niches(seed):
    """Where every community draws from the same words, nothing is reported."""
    words = subjects(1, each=60, seed=seed)
    found = find_niches(market(list(words), words=words), pd.Series(0, index=list(words)), seed=seed)
    assert found.table.empty
    assert (found.membership == -1).all()


def test_long_texts_that_are_alike_for_their_length_do_not_hold_together():
    """Random texts of 10 to 400 words group by length; on the words held out that passes as chance in most of twelve markets."""
    passed = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        terms = [f"w{chr(97 + number // 26)}{chr(97 + number % 26)}x" for number in range(400)]
        chance = 1 / np.arange(5, 405)
        drawn = [rng.multinomial(rng.integers(10, 400), chance / chance.sum()) for _ in range(150)]
        words = {f"made:{row:03d}": {terms[at]: int(said[at]) for at in np.flatnonzero(said)} for row, said in enumerate(drawn)}
        found = find_niches(market(list(words), words=words), pd.Series(0, index=list(words)), seed=seed)
        passed += bool(found.cuts["p_held_out"].iloc[0] <= MOST_CHANCE)
        assert found.table.empty
    assert passed <= 4


def test_niches_lie_inside_their_parents_and_are_large_enough():
    """A subject that two archetypes share makes a niche in each; a subject of four communities makes none; -1 takes no part."""
    words = subjects(4, each=16, seed=2)
    names = list(words)
    parents = pd.Series([(number // 8) % 2 for number in range(64)], index=names)
    parents.iloc[-12:] = -1
    found = find_niches(market(names, words=words), parents, seed=3)
    assert (found.table["communities"] >= SMALLEST).all()
    assert (found.membership[parents == -1] == -1).all()
    for _, niche in found.table.iterrows():
        assert set(parents[found.membership == niche["niche"]]) == {niche["parent"]}
    assert set(found.table["parent"]) == {0, 1}


def test_the_order_of_numbers_is_by_parent_then_size():
    """Niches are numbered from 0, by parent, larger ones first."""
    words = {**subjects(3, each=10, seed=4), **{f"x{name}": counts for name, counts in subjects(3, each=14, seed=4).items()}}
    parents = pd.Series([int(name.startswith("x")) for name in words], index=list(words))
    table = find_niches(market(list(words), words=words), parents, seed=5).table
    assert table["niche"].tolist() == list(range(len(table)))
    assert table.equals(table.sort_values(["parent", "communities"], ascending=[True, False], kind="stable"))


@pytest.mark.parametrize("n", [0, 1, 2, 4, 9])
def test_tiny_markets_have_no_niches(n):
    """Too few communities, and communities without words, give an empty table and no error."""
    words = subjects(1, each=n, seed=6) if n else {}
    measured = market(list(words), words=words)
    assert find_niches(measured, whole(measured), seed=1).table.empty
    silent = market([f"made:{i}" for i in range(n)])
    assert find_niches(silent, whole(silent), seed=1).table.empty


def test_identical_communities_make_no_niches():
    """Communities that say exactly the same are one subject, not several."""
    words = {f"made:{i:02d}": dict.fromkeys(("comb", "hive", "smoker", "queen", "honey", "swarm"), 9) for i in range(20)}
    measured = market(list(words), words=words)
    assert find_niches(measured, whole(measured), seed=1).table.empty


def test_needs_place_communities_too():
    """Two communities with the same words stand closer to the one that asks for the same."""
    words = {name: {**counts, "wood": 1} for name, counts in subjects(2, each=12, seed=7).items()}
    names = list(words)
    needs = [(name, "comb honey extractor" if i % 2 else "nib grinding wheel", 5) for i, name in enumerate(names)]
    words[names[0]] = {**words[names[0]], **dict.fromkeys(("comb", "honey", "extractor", "nib", "grinding", "wheel"), 1)}
    measured = market(names, words=words, needs=needs)
    vectors = embed(telling_words(measured), seed=1).vectors(np.arange(len(names)))
    alike = vectors @ vectors.T
    same = np.mean([alike[i, j] for i in range(12) for j in range(12) if i != j and i % 2 == j % 2])
    other = np.mean([alike[i, j] for i in range(12) for j in range(12) if i % 2 != j % 2])
    assert same > other


def test_homogeneity_is_the_mean_cosine_of_pairs():
    """Three unit vectors with cosines 0, 0 and 1 have mean 1/3; one vector has none."""
    vectors = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    assert homogeneity(vectors) == pytest.approx(1 / 3)
    assert np.isnan(homogeneity(vectors[:1]))


def test_the_same_seed_gives_the_same_niches():
    """Twice the same market and seed: the same membership and stabilities."""
    words = subjects(5, each=12, seed=8, shared=0.4)
    measured = market(list(words), words=words)
    first, second = (find_niches(measured, whole(measured), seed=9) for _ in range(2))
    pd.testing.assert_frame_equal(first.table, second.table)
    pd.testing.assert_series_equal(first.membership, second.membership)


@pytest.mark.real_data
def test_niches_of_real_communities_agree_with_their_topics():
    """On 8,310 real communities the niches hold most of those with a topic, and agree with the topics better than the plain way does."""
    if not (DATA / "labels").exists():
        pytest.skip(f"no real data at {DATA.name}")
    found = agreement(*front_pages(DATA), seed=1)
    assert found.niches >= 8
    assert found.placed > 0.7
    assert found.ours > max(found.plain, 0.529)
