"""Words: the sample, the vocabulary, the language."""

from __future__ import annotations

import pytest

from discovery.features.text import STOP_WORDS, language
from tests.feature_records import ENGLISH, crowd, estimate, measured, post


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
