"""Specificity: words against a background that stays, whoever else is measured."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from discovery.features import Background, FeatureSettings, Measurement, Scope, measure
from tests.feature_records import ENGLISH, crowd, estimate, measured, post, store

TOPICS = {
    "reddit:bees": "hive queen brood honey nectar",
    "reddit:pens": "nib ink feed barrel converter",
    "reddit:bread": "dough crumb levain oven crust",
}


def talk(community: str, words: str, *, number: int = 40):
    """Let people talk about one thing, in English."""
    return [post(f"{community}{name}", 1, f"{ENGLISH} {words} garden {name[-1]}", communities=[community]) for name in crowd(number)]


def test_specificity_is_the_definition():
    """Specificity is the mean log ratio to the other communities, each token's own occurrence left out, by plain loops."""
    result = measured([row for community, words in TOPICS.items() for row in talk(community, words)])
    counts = result.vocabulary.counts.toarray().astype(float)
    own, others = counts[0], counts[1:].sum(axis=0)
    spread = (counts.sum(axis=0) > 0).sum()
    scores = []
    for word in np.flatnonzero(own):
        share = (others[word] + 1) / (others.sum() + spread)
        scores += [math.log((own[word] - 1 + 500 * share) / (own.sum() - 1 + 500)) - math.log(share)] * int(own[word])
    assert estimate(result, "specificity", "reddit:bees")["value"] == pytest.approx(np.mean(scores))


def test_own_words_are_more_specific_than_shared_ones():
    """A community that talks like the others is less specific than those with words of their own."""
    rows = [row for community, words in TOPICS.items() for row in talk(community, words)]
    values = measured([*rows, *talk("reddit:general", "hive ink dough nib crumb")]).values()["specificity"]
    assert values.idxmin() == "reddit:general"


def test_specificity_needs_a_background():
    """One community has nobody to differ from: missing, with the reason."""
    assert estimate(measured(talk("reddit:a", "hive")), "specificity")["missing_reason"].startswith("background")


def night(rows, frozen: Background | None = None) -> Measurement:
    """Measure with what an earlier night froze."""
    return measure(store(rows), scope=Scope(sources=("one",)), settings=FeatureSettings(), frozen=frozen)


def told(measurement: Measurement) -> pd.DataFrame:
    """Pick all there is of specificity."""
    rows = measurement.estimates[measurement.estimates["feature"] == "specificity"]
    return rows.set_index("community").drop(columns="feature")


FIRST = [row for community, words in TOPICS.items() for row in talk(community, words)]


def test_newcomers_move_nobody():
    """A second night with two unrelated communities, and without one of the first, tells the others the same, bit by bit."""
    before = night(FIRST)
    stayed = [row for row in FIRST if row["communities"] != ["reddit:bread"]]
    fresh = [*talk("reddit:ants", "queen mound colony honey"), *talk("reddit:wasps", "queen nest sting brood brood")]
    after = night([*stayed, *fresh], Background.of(before))
    kept = ["reddit:bees", "reddit:pens"]
    pd.testing.assert_frame_equal(told(after).loc[kept], told(before).loc[kept], check_exact=True)
    assert (before.background_version, after.background_version) == (1, 1)
    moved = told(night([*stayed, *fresh])).loc[kept, "value"]
    assert (moved != told(before).loc[kept, "value"]).all()


def test_a_background_survives_its_table():
    """Written as rows of its table, in any order, and read back, it says the same, bit by bit."""
    before = night(FIRST)
    frozen = Background.of(before)
    again = Background.from_rows(frozen.words().iloc[::-1], frozen.measured().iloc[::-1])
    pd.testing.assert_frame_equal(told(night(FIRST, again)), told(before), check_exact=True)


def test_a_newcomer_is_compared_with_all_of_the_background():
    """Two people's words are compared with the frozen counts, nothing left out; a word of five people counts though nobody said it."""
    frozen = Background.of(night(FIRST))
    found = estimate(night([*FIRST, *talk("reddit:ants", "honey mound", number=40)], frozen), "specificity", "reddit:ants")
    counts = dict(zip(frozen.terms, np.asarray(frozen.counts.sum(axis=0)).ravel().tolist(), strict=True))
    size, spread = sum(counts.values()), len(counts)
    scores = []
    for word, n in {"garden": 40, "honey": 40, "mound": 40}.items():
        share = (counts.get(word, 0) + 1) / (size + spread)
        scores += [math.log((n - 1 + 500 * share) / (120 - 1 + 500)) - math.log(share)] * n
    assert "mound" not in counts
    assert found["n"] == 120
    assert found["value"] == pytest.approx(np.mean(scores))


def test_strangers_are_a_background_of_their_own():
    """Where most communities of a night are not in the frozen background, the night is its own, as the next version."""
    frozen = Background.of(night(FIRST))
    others = [row for name in ("reddit:x", "reddit:y") for row in talk(name, f"{name[-1]}words honey")]
    after = night([*others, *FIRST[:40]], frozen)
    assert after.background_version == 2
    pd.testing.assert_frame_equal(told(after), told(night([*others, *FIRST[:40]])), check_exact=True)
