"""Communities that are the same one twice: what counts as the same, that all are found, and that looking stays cheap."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discovery.features.duplicates import BANDS, KEPT_TEXTS, LEAST_TEXTS, NEAREST, SAME, _said, candidates, duplicates
from tests.feature_records import measured, post

TEXTS = 40


def said(*communities):
    """Lay out what communities say, sets of numbers, as rows and well-mixed hashes."""
    rows = np.repeat(np.arange(len(communities)), [len(each) for each in communities])
    mixed = np.random.default_rng(7).integers(0, 2**64, size=100_000, dtype=np.uint64)
    return rows, mixed[np.array([text for each in communities for text in sorted(each)], dtype=int)]


def of(*communities, records=None, seed=0):
    """Tell which community each one repeats, None where none."""
    found = duplicates(*said(*communities), records=np.array(records or [100] * len(communities)), seed=seed)
    return [None if at < 0 else int(at) for at in found]


def many(number: int, *, seed: int) -> list[set[int]]:
    """Make communities of which each third is an earlier one with up to seven in ten texts exchanged."""
    rng = np.random.default_rng(seed)
    made: list[set[int]] = []
    for at in range(number):
        own = set(rng.choice(100_000, TEXTS, replace=False).tolist())
        if at % 3 == 2:
            kept = rng.permutation(sorted(made[rng.integers(at)]))[rng.integers(0, 28) :]
            own = set(kept.tolist()) | set(sorted(own)[: TEXTS - len(kept)])
        made.append(own)
    return made


def jaccard(one: set[int], two: set[int]) -> float:
    """Measure by the definition."""
    return len(one & two) / len(one | two)


@pytest.mark.parametrize(
    ("shared", "expected"),
    [pytest.param(26, None, id="26-of-54"), pytest.param(27, 0, id="27-of-53"), pytest.param(40, 0, id="all")],
)
def test_half_of_what_either_says(shared, expected):
    """Two communities of 40 texts are one from 27 in common: 27 / 53 is more than a half, 26 / 54 is less."""
    assert of(set(range(40)), set(range(40 - shared, 80 - shared))) == [None, expected]


def test_too_little_is_not_measurable():
    """Communities of nineteen texts, or none, repeat nobody, however alike they are; of twenty they do."""
    few = set(range(LEAST_TEXTS - 1))
    assert of(few, few, set(), set()) == [None, None, None, None]
    assert of(few | {99}, few | {99}) == [None, 0]


def test_the_one_with_most_records_represents():
    """Of three that say the same the one with most records stands for all, of equals the first."""
    same = set(range(30))
    assert of(same, same, same, records=[5, 9, 9]) == [1, None, 1]


def test_whom_the_first_is_not_like_is_not_its_duplicate():
    """In a chain, the third is like the second and not like the first: it stands for itself."""
    first, second, third = set(range(40)), set(range(12, 52)), set(range(24, 64))
    assert jaccard(first, second) > SAME > jaccard(first, third)
    assert of(first, second, third, records=[3, 2, 1]) == [None, 0, None]
    assert of(first, second, third, records=[3, 1, 2]) == [None, 0, None]
    assert of(first, second, third, records=[1, 2, 1]) == [1, None, 1]


def test_all_pairs_that_brute_force_finds():
    """Of 300 communities all pairs that the definition says are one are looked at, one of the two repeats somebody, and only of those."""
    made = many(300, seed=1)
    pairs = {(a, b) for b in range(300) for a in range(b) if jaccard(made[a], made[b]) >= SAME}
    met = {(int(a), int(b)) for a, b in candidates(_said(*said(*made), size=300), seed=0)}
    assert len(pairs) > 50
    assert pairs <= met
    found = of(*made)
    assert all((at, number) in pairs and found[at] is None for number, at in enumerate(found) if at is not None)
    assert all(found[a] is not None or found[b] is not None for a, b in pairs)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32), shuffle=st.integers(0, 2**32))
def test_neither_seed_nor_order_decides(seed, shuffle):
    """Another family of hash functions and another order of communities and texts name the same communities."""
    made = many(60, seed=3)
    expected = of(*made, records=list(range(60)))
    order = np.random.default_rng(shuffle).permutation(60)
    moved = of(*(made[at] for at in order), records=order.tolist(), seed=seed)
    assert {int(order[at]): None if to is None else int(order[to]) for at, to in enumerate(moved)} == dict(enumerate(expected))


def test_said_twice_is_said_once():
    """Texts that are given again change nothing."""
    rows, hashes = said(*many(30, seed=2))
    records = np.full(30, 100)
    again = duplicates(np.tile(rows, 2), np.tile(hashes, 2), records=records)
    assert again.tolist() == duplicates(rows, hashes, records=records).tolist()


def test_large_communities_are_compared_on_the_same_texts():
    """Of two that share 600 of 1,000 texts the kept ones tell so; of one and a tenth of it, that they are not alike."""
    rows, hashes = said(set(range(800)), set(range(200, 1000)), set(range(80)))
    kept = [np.sort(hashes[rows == at])[:KEPT_TEXTS] for at in range(3)]
    found = duplicates(np.repeat(np.arange(3), [len(each) for each in kept]), np.concatenate(kept), records=np.array([3, 2, 1]))
    assert found.tolist() == [-1, 0, -1]


def test_looking_grows_with_the_communities():
    """A thousand copies of one, and a thousand that share a few lines, are looked at in some pairs each, not in a million."""
    copies = [set(range(30))] * 1000
    alike = [set(range(10)) | set(range(100 + 15 * at, 115 + 15 * at)) for at in range(1000)]
    for made in (copies, alike):
        assert len(candidates(_said(*said(*made), size=1000), seed=0)) <= 1000 * BANDS * (NEAREST + 1)
    assert len(candidates(_said(*said(*copies), size=1000), seed=0)) <= 1000 * (NEAREST + 1)
    assert of(*copies) == [None, *[0] * 999]


def town(place: str, *, dressed: bool = False, **more):
    """Post thirty different things to a place, as they are or in another dress."""
    for number in range(30):
        title = f"how do you keep {'abcdefghij'[number % 10]} bees {'xyz'[number // 10]} warm in winter"
        yield post(
            f"person{number}", number / 10, "in the garden", title=f"{title.upper()}?!" if dressed else title, communities=[place], **more
        )


def test_a_mirror_is_told():
    """The same titles in another place, in capitals and under other ids, make it the same community; the larger one stands for both."""
    rows = [
        *town("reddit:bees"),
        *town("lemmy:bees", dressed=True),
        post("ana", 1, "and one more question of my own", communities=["reddit:bees"]),
    ]
    found = measured(rows)
    assert found.communities["duplicate_of"].to_dict() == {"lemmy:bees": "reddit:bees", "reddit:bees": None}
    assert list(found.market) == ["reddit:bees"]


def test_order_of_texts_changes_nothing():
    """A mirror that tells its records in another order, and at other times, is one all the same."""
    rows = [*town("reddit:bees"), *reversed(list(town("lemmy:bees")))]
    assert measured(rows).communities["duplicate_of"].to_dict() == {"lemmy:bees": None, "reddit:bees": "lemmy:bees"}


def test_what_one_is_marked_as_holds_for_both():
    """A mirror of a sensitive community is sensitive, whatever it is called."""
    found = measured([*town("reddit:depression"), *town("lemmy:garden")]).communities
    assert found["sensitive_because"].tolist() == ["mental health", "mental health"]
