"""Variety of words: HD-D, MATTR, MTLD, and intervals that hold where authors repeat themselves."""

from __future__ import annotations

import hashlib
import math
from collections import Counter

import numpy as np
import pytest

from discovery.features.diversity import GROUPS, jackknife
from discovery.features.variety import Tokens, varieties
from tests.feature_records import crowd, estimate, measured, post

PEOPLE = "of the people by the people for the people"


def hdd(words: list[str]) -> float:
    """Compute HD-D as it is defined, with whole numbers."""
    total = len(words)
    return sum(1 - math.comb(total - f, 42) / math.comb(total, 42) for f in Counter(words).values()) / 42


def mattr(words: list[str]) -> float:
    """Read every window of 500."""
    windows = range(len(words) - 499)
    return sum(len(set(words[begin : begin + 500])) for begin in windows) / 500 / len(windows)


def mtld(words: list[str]) -> float:
    """Read word by word, forward and backward."""
    return (_stretch(words) + _stretch(words[::-1])) / 2


def _stretch(words: list[str]) -> float:
    factors, types, tokens = 0.0, set(), 0
    for word in words:
        types, tokens = types | {word}, tokens + 1
        if 25 * len(types) < 18 * tokens:
            factors, types, tokens = factors + 1, set(), 0
    return len(words) / (factors + ((1 - len(types) / tokens) / 0.28 if tokens else 0))


def texts(*said: list[str], groups: int = 1) -> Tokens:
    """Put texts one after the other, their words dealt to groups in turn."""
    every = [word for text in said for word in text]
    number = {word: n for n, word in enumerate(sorted(set(every)))}
    return Tokens(
        np.array([number[word] for word in every], dtype=np.uint64),
        np.repeat(np.arange(len(said), dtype=np.int32), [len(text) for text in said]),
        np.concatenate([np.arange(len(text), dtype=np.int32) % groups for text in said]),
    )


def drawn(size: int, *, seed: int, most: int = 400) -> list[str]:
    """Draw words as common as words are."""
    random = np.random.default_rng(seed)
    return [f"w{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in random.zipf(1.6, size=size).clip(max=most)]


def test_mtld_of_the_published_example():
    """Types / tokens falls below .72 at the sixth word (4 of 6) and, read backward, at the fifth (3 of 5): one factor in nine words."""
    whole = varieties(texts(PEOPLE.split()), communities=1, groups=0)[0, 0]
    assert whole[2] == 9
    assert np.isnan(whole[:2]).all()


def test_a_last_factor_counts_in_part():
    """After "a a" (1 of 2: a factor) "b c d b" keeps 3 of 4: (1 − 3/4) / (1 − .72) of a factor more; backward it ends at the last word."""
    found = varieties(texts(["a", "a", "b", "c", "d", "b"]), communities=1, groups=0)[0, 0, 2]
    assert found == pytest.approx((6 / (1 + 0.25 / 0.28) + 6 / 1) / 2)


def test_side_by_side_is_one_by_one():
    """Texts of any length measured at once, whole and without each group, give what each gives alone, read naively."""
    said = [drawn(size, seed=size) for size in (1_203, 0, 61, 700, 500, 499)]
    told = varieties(texts(*said, groups=3), communities=len(said), groups=3)
    for left_out in range(-1, 3):
        for row, words in enumerate(said):
            kept = [word for place, word in enumerate(words) if place % 3 != left_out]
            expected = [hdd(kept) if len(kept) >= 42 else math.nan, mattr(kept) if len(kept) >= 500 else math.nan]
            expected.append(mtld(kept) if kept else math.nan)
            assert told[left_out + 1, row] == pytest.approx(expected, rel=1e-10, nan_ok=True)


def test_no_word_twice_has_no_mtld():
    """Where no word recurs no factor ends: not measurable, not endless."""
    assert np.isnan(varieties(texts(list("abc")), communities=1, groups=0)[0, 0, 2])


def test_a_community_is_read_in_the_order_of_hashes():
    """HD-D, MATTR and MTLD are their definitions over the sampled words, records in the order of the hash of their ids."""
    rows = [post(name, 1, " ".join(drawn(40, seed=n))) for n, name in enumerate(crowd(30))]
    found = measured(rows)
    words = " ".join(row["text"] for row in sorted(rows, key=lambda row: _hash(row["record_id"]))).split()
    for name, definition in (("lexical_diversity", hdd), ("mattr", mattr), ("mtld", mtld)):
        row = estimate(found, name)
        assert row["value"] == pytest.approx(definition(words), rel=1e-12)
        assert row["low"] < row["value"] < row["high"]
        assert row["n"] == 1_200


def _hash(record: str) -> int:
    return int.from_bytes(hashlib.md5(record.encode(), usedforsecurity=False).digest()[8:], "little")


def test_authors_are_left_out_ten_at_a_time():
    """Of twenty authors, the n-th by the order of the sample is left out together with the one ten places on: HD-D is computed anew."""
    rows = [post(name, 1, " ".join(drawn(15, seed=n))) for n, name in enumerate(crowd(20))]
    found = estimate(measured(rows), "lexical_diversity")
    said = [row["text"].split() for row in sorted(rows, key=lambda row: _hash(row["record_id"]))]
    without = [hdd([word for place, words in enumerate(said) if place % 10 != group for word in words]) for group in range(10)]
    half = 1.8331129326536335 * math.sqrt(9) * np.std(without)
    assert (found["low"], found["high"]) == pytest.approx((found["value"] - half, found["value"] + half))


def test_windows_need_a_thousand_words():
    """MATTR of fewer than 1,000 words is missing, HD-D and MTLD of fewer than 200."""
    found = measured([post(name, 1, " ".join(drawn(33, seed=n))) for n, name in enumerate(crowd(30))])
    assert estimate(found, "mattr")["missing_reason"] == "small_n: 990 tokens, 1000 needed"
    assert estimate(found, "mtld")["missing_reason"] is None


def test_windows_and_stretches_are_of_the_first_five_thousand_words():
    """Of 6,500 sampled words MATTR and MTLD are measured on the first 5,000 in the order of the sample, and say so; HD-D on all."""
    rows = [post(name, 1, " ".join(drawn(50, seed=n))) for n, name in enumerate(crowd(130))]
    found = measured(rows)
    words = " ".join(row["text"] for row in sorted(rows, key=lambda row: _hash(row["record_id"]))).split()
    for name, expected, n in (
        ("lexical_diversity", hdd(words), 6_500),
        ("mattr", mattr(words[:5_000]), 5_000),
        ("mtld", mtld(words[:5_000]), 5_000),
    ):
        row = estimate(found, name)
        assert (row["value"], row["n"]) == (pytest.approx(expected, rel=1e-12), n)


def test_jackknife_by_hand():
    """Four groups left out give 1, 2, 3, 6: half-width t(3) · √(3/4 · (4 + 1 + 0 + 9)), t(3) = 2.353 at 95 %."""
    half = jackknife(np.array([0, 0, 0, 0, 1]), np.array([1.0, 2, 3, 6, 5]), size=3)
    assert half[0] == pytest.approx(2.3533634348 * math.sqrt(0.75 * 14))
    assert np.isnan(half[1:]).all()


@pytest.mark.parametrize("clumped", [pytest.param(0.0, id="independent"), pytest.param(0.6, id="repeating-themselves")])
def test_intervals_hold_where_authors_repeat_themselves(clumped):
    """In 200 seeded worlds of 40 authors the 90 % intervals of HD-D, MATTR and MTLD hold the mean of the worlds in 85 to 96 of 100."""
    random = np.random.default_rng(17)
    worlds = 200
    said, group = zip(*[_people(random, clumped) for _ in range(worlds)], strict=True)
    community = np.repeat(np.arange(worlds, dtype=np.int32), [len(words) for words in said])
    told = varieties(Tokens(np.concatenate(said), community, np.concatenate(group)), communities=worlds, groups=GROUPS)
    told[:, :, 2] = np.log(told[:, :, 2])  # as a length is estimated
    rows = np.tile(np.arange(worlds), GROUPS)
    for measure in range(3):
        value = told[0, :, measure]
        half = jackknife(rows, told[1:, :, measure].ravel(), size=worlds)
        assert 0.85 <= (abs(value - value.mean()) <= half).mean() <= 0.96


def _people(random: np.random.Generator, clumped: float) -> tuple[np.ndarray, np.ndarray]:
    """Let 40 authors say 25 to 35 words each; with this chance a word is one of the author's own before it."""
    words, group = [], []
    for author in range(40):
        own: list[int] = []
        for fresh in random.zipf(1.5, size=random.integers(25, 36)).clip(max=2_000):
            own.append(own[random.integers(len(own))] if own and random.random() < clumped else fresh)
        words += own
        group += [author % GROUPS] * len(own)
    return np.array(words, dtype=np.uint64), np.array(group, dtype=np.int32)
