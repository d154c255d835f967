"""Names and summaries by template: what is known about a group goes in, words that a person can check come out.

Also the twin of every label that a language model fails to give. A part of a continuum is worded as a cut, never as a kind.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from discovery.archetypes.phrases import PHRASES, Side, spoken

LONGEST_NAME = 60
LONGEST_SUMMARY = 300
SENTENCES = 3
NOTABLE = 0.25
"""Smallest effect size, in robust standard deviations of the market, that a text speaks of."""


class Trait(NamedTuple):
    """One feature of a group: its value, the market's median and the effect size."""

    feature: str
    value: float
    market: float
    z: float

    @property
    def side(self) -> Side:
        """The words for the side of the market on which the group lies."""
        phrase = PHRASES[self.feature]
        return phrase.high if self.z > 0 else phrase.low

    @property
    def sentence(self) -> str:
        """The trait as a sentence without its full stop, beginning in lower case."""
        style = PHRASES[self.feature].style
        return self.side.sentence.format(value=spoken(self.value, style), market=spoken(self.market, style))


class Ask(NamedTuple):
    """What people of a group ask for, and how many of them in how many communities."""

    need: str
    authors: int
    communities: int


@dataclass(frozen=True)
class Facts:
    """All that a label may rest on. Words of communities in it are already redacted."""

    entity: Literal["archetype", "niche"]
    group: int
    cut: bool
    """A part of a continuum, not a kind of its own."""
    communities: int
    authors: int
    traits: tuple[Trait, ...] = ()
    terms: tuple[str, ...] = ()
    asks: tuple[Ask, ...] = ()
    excerpts: tuple[str, ...] = ()
    """Short redacted pieces of text from sources that allow a language model to read them."""

    def telling(self) -> list[Trait]:
        """Traits worth speaking of, strongest first, one per family of features."""
        place = {feature: position for position, feature in enumerate(PHRASES)}
        strongest = sorted((trait for trait in self.traits if trait.feature in place), key=lambda trait: (-abs(trait.z), place[trait.feature]))
        first: dict[str, Trait] = {}
        for trait in strongest:
            if abs(trait.z) >= NOTABLE:
                first.setdefault(PHRASES[trait.feature].family, trait)
        return list(first.values())


class Label(NamedTuple):
    """A name, a summary, and who wrote them: ``template`` or a model's name."""

    name: str
    summary: str
    source: str = "template"


def labels(facts: Sequence[Facts]) -> list[Label]:
    """Label every group; no name and no sentence occurs twice."""
    names: set[str] = set()
    sentences: set[str] = set()
    found = []
    for fact in facts:
        name = _first_unused(_names(fact), names)
        summary = _summary(fact, sentences)
        names.add(name.casefold())
        found.append(Label(name, summary))
    return found


def _first_unused(candidates: Iterator[str], used: set[str]) -> str:
    return next(name for name in candidates if name.casefold() not in used)


def _names(fact: Facts) -> Iterator[str]:
    """Propose names, each more particular than the one before, and never run out."""
    proposals = _niche_names(fact) if fact.entity == "niche" and fact.terms else _trait_names(fact)
    last = ""
    for last in proposals:
        yield last
    number = 2
    while True:
        yield f"{last[: LONGEST_NAME - 8]} ({number})"
        number += 1


def _niche_names(fact: Facts) -> Iterator[str]:
    for count in range(min(3, len(fact.terms)), len(fact.terms) + 1):
        if len(name := ", ".join(fact.terms[:count])) <= LONGEST_NAME:
            yield name
    yield fact.terms[0][:LONGEST_NAME]


def _trait_names(fact: Facts) -> Iterator[str]:
    traits = fact.telling()
    for count in range(min(2, len(traits)), min(5, len(traits)) + 1):
        if len(name := _phrased(traits[:count], cut=fact.cut)) <= LONGEST_NAME:
            yield name
    plain = _phrased(traits[:1], cut=fact.cut)
    for term in fact.terms:
        if len(name := f"{plain}, {term}") <= LONGEST_NAME:
            yield name
    yield plain[:LONGEST_NAME]


def _phrased(traits: list[Trait], *, cut: bool) -> str:
    if not traits:
        return "The middle part" if cut else "Average communities"
    if cut:
        return f"The {', '.join(trait.side.comparative for trait in traits)} part"
    adjectives = ", ".join(trait.side.adjective for trait in traits)
    return f"{adjectives[0].upper()}{adjectives[1:]} communities"


def _summary(fact: Facts, used: set[str]) -> str:
    """Write up to three sentences that no other group has."""
    chosen: list[str] = []
    for sentence in _sentences(fact):
        if sentence not in used and len(" ".join([*chosen, sentence])) <= LONGEST_SUMMARY and len(chosen) < SENTENCES:
            chosen.append(sentence)
            used.add(sentence)
    return " ".join(chosen)


def _sentences(fact: Facts) -> Iterator[str]:
    """Propose sentences: for an archetype how people behave first, for a niche what they ask for first."""
    behaviour = [_capital(trait.sentence) + "." for trait in fact.telling()]
    if fact.cut and behaviour:
        behaviour[0] = f"A cut of a continuum, not a kind: {behaviour[0][0].lower()}{behaviour[0][1:]}"
    subject = list(_subject(fact))
    yield from (subject + behaviour) if fact.entity == "niche" else (behaviour[:2] + subject + behaviour[2:])
    size = f"{_counted(fact.communities, 'community')} with {_counted(fact.authors, 'active author')}"
    yield f"Group {fact.group + 1}: {size}, and little that sets them apart."


def _subject(fact: Facts) -> Iterator[str]:
    if fact.asks:
        ask = fact.asks[0]
        people, places = _counted(ask.authors, "author"), _counted(ask.communities, "community")
        yield f"Asked for most: “{ask.need}” ({people} in {places})."
    if fact.terms:
        yield f"Words that set it apart: {', '.join(fact.terms[:4])}."


def _counted(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun.removesuffix('y')}{'ies' if noun.endswith('y') else 's'}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
