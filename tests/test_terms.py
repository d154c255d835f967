"""Tests of terms: the words that set a group apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from discovery.archetypes.terms import log_odds_z, terms
from tests.markets import market


def test_z_is_the_log_odds_over_its_standard_error():
    """A word said 30 of 100 times inside and 30 of 900 outside, with a prior of 500 * 60 / 1000 = 30 tokens."""
    here, there = 30 + 30, 30 + 30
    odds = np.log(here / (100 + 500 - here)) - np.log(there / (900 + 500 - there))
    z = log_odds_z(np.array([30.0]), np.array([60.0]), tokens=np.array([100.0]), market_tokens=1000.0)
    assert z[0] == pytest.approx(odds / np.sqrt(1 / here + 1 / there))


def test_only_words_of_enough_authors_and_communities_set_a_group_apart():
    """A word needs five authors, two communities where the group has two, content, and odds that are not chance."""
    words = {
        "made:a": {"comb": 30, "smoker": 40, "the": 90, "hive": 2, "common": 30},
        "made:b": {"comb": 30, "hive": 2, "the": 90, "common": 30},
        "made:c": {"nib": 30, "the": 90, "common": 30},
        "made:d": {"nib": 30, "the": 90, "common": 30},
    }
    found = terms(market(list(words), words=words).vocabulary, pd.Series([0, 0, 1, -1], index=list(words)))
    assert found[found["group"] == 0]["term"].tolist() == ["comb"]
    assert found[found["group"] == 1]["term"].tolist() == ["nib"]
    assert found[found["group"] == 0]["authors"].tolist() == [60]


def test_a_market_without_words_has_no_terms():
    """Empty text columns give an empty list, not an error."""
    found = terms(market(["made:a", "made:b"]).vocabulary, pd.Series([0, 1], index=["made:a", "made:b"]))
    assert found.empty
    assert list(found.columns) == ["group", "term", "z", "authors"]


def test_strongest_words_come_first_and_at_most_twenty():
    """Words are sorted by z, then by name, and cut at twenty a group."""
    words = {name: {f"{name[-1] * 3}{chr(97 + i)}x": 10 + i % 5 for i in range(26)} for name in ("made:a", "made:b")}
    found = terms(market(list(words), words=words).vocabulary, pd.Series([0, 1], index=list(words)))
    group = found[found["group"] == 0]
    assert len(group) == 20
    assert group.equals(group.sort_values(["z", "term"], ascending=[False, True], kind="stable"))


def test_of_twins_one_stays():
    """A word and its plural, possessive or other forms are one word, shown bare; moods, months and what tells nothing are none."""
    said = {"song": 60, "songs": 40, "trump's": 50, "driver's": 30, "driver": 20, "august": 80, "wow": 80, "tool": 80}
    words = {"made:a": said, "made:b": said, "made:c": {"nib": 900}, "made:d": {"nib": 900}}
    found = terms(market(list(words), words=words).vocabulary, pd.Series([0, 0, 1, 1], index=list(words)))
    assert found[found["group"] == 0]["term"].tolist() == ["song", "trump", "driver"]
