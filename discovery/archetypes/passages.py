"""Passages: what a served model reads of each community, and nothing that the results do not show anyway.

Its description, what several of its people ask for and its most telling words, redacted; and the content words of that in two halves,
dealt as everywhere by the hash of their stem, so that one half can check what the other one shows.
"""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from discovery.archetypes.embedding import Ints, seen
from discovery.archetypes.needs import needs
from discovery.archetypes.redaction import redact
from discovery.archetypes.terms import terms
from discovery.features import Measurement
from discovery.features.text import content_words, stem

MOST_CHARACTERS = 600
"""Of a description; what stands first says what a place is about."""
LONGEST_WORD = 40
"""Longer words are walls of code, not speech."""


class Passage(NamedTuple):
    """A community in words; any of them may be empty."""

    whole: str
    seen: str
    unseen: str


def passages(measurement: Measurement, rows: Ints) -> list[Passage]:
    """Write the passages of some communities, in the order of ``rows``."""
    everywhere = measurement.communities.index
    alone = pd.Series(range(len(everywhere)), index=everywhere)
    alone = alone.where(alone.isin(rows), -1)
    asked = needs(measurement.needs, alone).groupby("group")["need"].agg("; ".join)
    telling = terms(measurement.vocabulary, alone).groupby("group")["term"].agg(", ".join)
    described = measurement.communities["description"].fillna("").tolist()
    return [_passage(_short(described[row]), asked.get(row, ""), telling.get(row, "")) for row in rows.tolist()]


def _passage(*parts: str) -> Passage:
    whole = redact("\n".join(part for part in parts if part))
    content = [(word, seen(stem(word))) for word in content_words(whole)]
    return Passage(whole, " ".join(word for word, one in content if one), " ".join(word for word, one in content if not one))


def _short(description: str) -> str:
    """Redact before cutting, since half an address is no address to a pattern."""
    return " ".join(word for word in redact(description).split() if len(word) <= LONGEST_WORD)[:MOST_CHARACTERS]
