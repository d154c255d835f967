"""Who a group is: the words its communities' names share, and the languages they speak."""

from __future__ import annotations

import pandas as pd
import pytest

from discovery.archetypes.people import foreign_languages, main_language, shared_names
from discovery.features import Measurement
from tests.markets import market


def named(*names: str, languages: list[str | None] | None = None) -> tuple[Measurement, pd.Series]:
    """Measure communities of these names, the first half one group and the rest another."""
    measured = market([f"made:{number}" for number in range(len(names))])
    measured.communities["name"] = names
    measured.communities["language"] = languages or ["en"] * len(names)
    return measured, pd.Series([int(2 * number >= len(names)) for number in range(len(names))], index=measured.communities.index)


def test_words_that_half_of_the_names_share_name_the_group():
    """Words are split at case and marks; the longest run that half of a group share and few others have is its name."""
    measured, groups = named(
        "Ash Home Brewers", "HomeBrewersOfOak", "home_brewers", "r/keg", "r/trains", "The Model Trains", "trains", "tram"
    )
    assert shared_names(measured, groups) == {0: "home brewers", 1: "trains"}


def test_words_that_everybody_has_name_nobody():
    """What other groups' names hold as well sets nobody apart, and neither does a stop word."""
    assert shared_names(*named("ask the cat", "ask the dog", "ask the hen", "ask the pen", "ask the ink", "ask the nib")) == {}


@pytest.mark.parametrize(
    ("spoken", "expected"),
    [
        (["en", "en", "es", "es"], None),
        (["es", "es", "es", "en"], "Spanish- and English"),
        (["es", "es", "es", None], "Spanish"),
        (["pt", "es", "es", "pt"], "Spanish- and Portuguese"),
        (["de", "ar", "tr", "pl"], "Arabic-, German- and other"),
        (["xx", "xx", "xx", "xx"], "Other"),
    ],
)
def test_groups_that_speak_something_else_are_named_for_it(spoken, expected):
    """A group that mostly speaks another language than English is named by its languages, the commonest first."""
    measured, groups = named(*"abcdefgh", languages=[*spoken, "en", "en", "en", "en"])
    assert foreign_languages(measured, groups).get(0) == expected


def test_words_of_a_few_foreign_communities_do_not_count():
    """In a mostly English group the others are left out of its words, and in a mostly foreign one the English."""
    measured, groups = named(*"abcdef", languages=["en", "en", "de", "de", "fr", "en"])
    assert main_language(measured, groups).tolist() == [0, 0, -1, 1, 1, -1]
