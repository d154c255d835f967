"""Words: HD-D, specificity, the sample, the vocabulary, the language."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from discovery.features.text import STOP_WORDS, language
from tests.feature_records import ENGLISH, crowd, estimate, measured, post

TOPICS = {
    "reddit:bees": "hive queen brood honey nectar",
    "reddit:pens": "nib ink feed barrel converter",
    "reddit:bread": "dough crumb levain oven crust",
}


def hdd(words: list[str]) -> float:
    """Compute HD-D as it is defined, with whole numbers."""
    total = len(words)
    return sum(1 - math.comb(total - f, 42) / math.comb(total, 42) for f in Counter(words).values()) / 42


def test_lexical_diversity_is_the_definition():
    """HD-D of the sampled words is the published sum over the hypergeometric distribution."""
    random = np.random.default_rng(8)
    words = [f"w{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in random.zipf(1.6, size=600).clip(max=400)]
    rows = [post(name, 1, " ".join(words[n * 20 : n * 20 + 20])) for n, name in enumerate(crowd(30))]
    found = estimate(measured(rows), "lexical_diversity")
    assert found["n"] == 600
    assert found["value"] == pytest.approx(hdd(words), abs=1e-12)
    assert found["low"] < found["value"] < found["high"]


def test_lexical_diversity_leaves_out_each_token():
    """The interval is the jackknife's over tokens: HD-D is computed anew without each of the 300 words."""
    random = np.random.default_rng(9)
    words = [f"w{chr(97 + n)}" for n in random.zipf(1.5, size=300).clip(max=25)]
    found = estimate(
        measured([post(name, 1, " ".join(words[n * 10 : n * 10 + 10])) for n, name in enumerate(crowd(30))]), "lexical_diversity"
    )
    without = [hdd(words[:place] + words[place + 1 :]) for place in range(300)]
    half = 1.6448536269514722 * math.sqrt(299) * np.std(without)
    assert (found["low"], found["high"]) == pytest.approx((found["value"] - half, found["value"] + half))


def test_links_code_quotes_and_numbers_are_no_words():
    """Only the author's own words count: no code, no link, no quoted line, no mention, no number; composed and lower case."""
    text = "Cafe\u0301 don’t 42 `code here` https://example.org/a?b=c @someone u/someone\n> quoted line\nLAST"
    result = measured([post(name, 1, text) for name in crowd(6)])
    assert set(result.vocabulary.terms) == {"café", "last"} - STOP_WORDS


def test_no_author_is_more_than_the_cap():
    """An author who writes most of a community gives at most fifty words while the others are few."""
    rows = [post("loud", day, " ".join(f"loud{chr(97 + n)}{chr(97 + day)}" for n in range(20))) for day in range(20)]
    rows += [post(name, 1, "quiet words here") for name in crowd(30)]
    found = estimate(measured(rows), "lexical_diversity")
    assert found["missing_reason"] == "small_n: 140 tokens, 200 needed"


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


def test_vocabulary_counts_words_and_authors():
    """The matrices hold tokens and distinct authors of content words; rows follow the communities."""
    result = measured([*talk("reddit:bees", "hive hive"), *talk("reddit:pens", "ink", number=7), post("x", 1, "hapax")])
    terms = list(result.vocabulary.terms)
    assert terms == sorted(terms)
    assert "hapax" not in terms
    assert result.vocabulary.counts[1:, terms.index("hive")].toarray().ravel().tolist() == [80, 0]
    assert result.vocabulary.authors[:, terms.index("garden")].toarray().ravel().tolist() == [0, 40, 7]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(ENGLISH * 3, "en", id="english"),
        pytest.param("wir haben das gestern mit den anderen im garten besprochen und finden es gut so " * 5, "de", id="german"),
        pytest.param("too short", None, id="too-short"),
    ],
)
def test_language(text, expected):
    """The language of a longer text is told, that of a short one is unknown."""
    assert language(text) == expected
