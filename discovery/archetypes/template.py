"""Names and summaries by template: what is known about a group goes in, words that a person can check come out.

Also the twin of every label that a language model fails to give. A part of a continuum is worded as a cut, never as a kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, NamedTuple

from discovery.archetypes.phrases import PHRASES, spoken

LONGEST_NAME = 90
LONGEST_SUMMARY = 300
NOTABLE = 0.25
"""Smallest effect size, in robust standard deviations of the market, that a text speaks of."""
LEAST_RATIO = 0.1
"""Smallest difference from the market, relative to the larger value, that a text speaks of."""
LEAST_APART = {"percent": 0.003, "number": 0.005, "change": 0.005}
"""Smallest difference between two values of a style that a text speaks of."""
WAYS = 3
"""Wordings of a trait."""
SIZES = ((2.0, "far "), (1.0, "clearly "), (0.0, "somewhat "))
"""Effect size, in robust standard deviations, from which a difference is called so."""
LEAST_WISHING, LEAST_SPREAD = 0.02, 0.3
"""Share of a group's people, and of its communities, that must ask for a thing before the group is called by it."""


class Trait(NamedTuple):
    """One feature of a group: its value, the market's median and the effect size."""

    feature: str
    value: float
    market: float
    z: float

    @property
    def clause(self) -> str:
        """What is different here, in plain words that follow "where"."""
        phrase = PHRASES[self.feature]
        return phrase.high if self.z > 0 else phrase.low

    def spoken(self) -> tuple[str, str]:
        """The value and the market's, as they are written."""
        style = PHRASES[self.feature].style
        return spoken(self.value, style), spoken(self.market, style)

    def sentences(self) -> list[str]:
        """The trait in several wordings without full stop, beginning in lower case, the most telling one first."""
        value, market = self.spoken()
        if not PHRASES[self.feature].fact:
            size = next(word for least, word in SIZES if abs(self.z) >= least)
            return [
                f"{self.clause}, {size}more so than is typical",
                f"{self.clause} here, {size}more so than in the typical community",
                f"compared with the typical community, {self.clause}, and {size}so",
            ]
        fact = PHRASES[self.feature].fact.format(value=value)
        return [
            f"{fact} (typically {market})",
            f"{fact}, against {market} in the typical community",
            f"typically {market}, but here {fact}",
        ]

    @property
    def notable(self) -> bool:
        """Tell whether the difference is worth a word: an effect of some size, and a difference that a reader would see."""
        apart = max(LEAST_RATIO * max(abs(self.value), abs(self.market)), LEAST_APART[PHRASES[self.feature].style])
        return abs(self.z) >= NOTABLE and abs(self.value - self.market) >= apart


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
    who: str = ""
    """Words that the names of its communities share and others' do not, such as "home brewers"."""
    language: str = ""
    """The language most of its communities speak, where that is not English."""

    def telling(self) -> list[Trait]:
        """Traits worth speaking of, strongest first, one per family of features."""
        place = {feature: position for position, feature in enumerate(PHRASES)}
        notable = [trait for trait in self.traits if trait.feature in place and trait.notable]
        first: dict[str, Trait] = {}
        for trait in sorted(notable, key=lambda trait: (-abs(trait.z), place[trait.feature])):
            first.setdefault(PHRASES[trait.feature].family, trait)
        return list(first.values())


class Label(NamedTuple):
    """A name, a summary, and who wrote them: ``template`` or a model's name."""

    name: str
    summary: str
    source: str = "template"


def labels(facts: Sequence[Facts]) -> list[Label]:
    """Label every group; no name and no sentence occurs twice, and no wording as long as there is another."""
    names: set[str] = set()
    wordings: set[str] = set()
    found = []
    for fact in facts:
        name = _first_unused(_names(fact), names)
        names.add(_alike(name))
        found.append(Label(name, _summary(fact, wordings)))
    return found


def _first_unused(candidates: Iterator[str], used: set[str]) -> str:
    return next(name for name in candidates if _alike(name) not in used)


def _alike(name: str) -> str:
    """Give what two names share that read alike: the same words in any order."""
    return " ".join(sorted(re.findall(r"\w+", name.casefold())))


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
    """Say who they are and what they want, as far as that is known; else what they talk about, in more and more words."""
    subjects = _subjects(fact)
    wishes = [_wish(ask.need) for ask in fact.asks if _common(ask, fact)]
    yield from _fitting(f"{_who(fact)} who {wish}" for wish in wishes)
    who = f"{fact.language}-language communities" if fact.language else fact.who
    yield from _fitting([who] if fact.language else [])
    for count in range(min(3, len(subjects)), len(subjects) + 1):
        yield from _fitting([f"{who}: {', '.join(subjects[:count])}" if who else _joined(subjects[:count])])
    yield _capital(fact.terms[0])[:LONGEST_NAME]


def _who(fact: Facts) -> str:
    """Call the people by the name of their communities where that is a plural, such as "home brewers"."""
    return fact.who if fact.who.endswith("s") else "people"


def _common(ask: Ask, fact: Facts) -> bool:
    """Tell whether a need is asked for by enough people, in enough communities, to call a group by it."""
    return ask.authors >= LEAST_WISHING * fact.authors and ask.communities >= LEAST_SPREAD * fact.communities


def _subjects(fact: Facts) -> list[str]:
    """Choose the words that can say what a group is about: none that its name holds, and in a foreign language long ones first."""
    words = [term for term in fact.terms if term not in fact.who.casefold().split()]
    if fact.language:
        return sorted(words, key=lambda word: -min(len(word), 6))
    return [word for word in words if not word.endswith(("ed", "ly"))] or words


def _wish(need: str) -> str:
    """Put a need into what follows "people who"."""
    for lead, verb in (("a way to ", "want to "), ("something for ", "want help with "), ("relief from ", "are tired of ")):
        if need.startswith(lead):
            return verb + need.removeprefix(lead)
    return f"ask for “{need}”"


def _fitting(names: Iterable[str]) -> Iterator[str]:
    return (_capital(name) for name in names if 0 < len(name) <= LONGEST_NAME)


def _joined(words: Sequence[str]) -> str:
    """Join words as a sentence does."""
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)


def _trait_names(fact: Facts) -> Iterator[str]:
    """Say how a group differs, by its most telling traits; a cut is called a part."""
    clauses = [trait.clause for trait in fact.telling()] or ["nothing stands out"]
    lead = f"{fact.language}-language " if fact.language else ""
    lead = f"The {lead}part where" if fact.cut else f"{lead}communities where"
    for count in range(min(2, len(clauses)), min(4, len(clauses)) + 1):
        yield from _fitting([f"{lead} {_joined(clauses[:count])}"])
    yield from _fitting(f"{lead} {clauses[0]}: {term}" for term in fact.terms)
    yield _capital(f"{lead} {clauses[0]}"[:LONGEST_NAME])


class _Sentence(NamedTuple):
    text: str
    wording: str
    """What two sentences share that differ in figures and quoted words only."""


def _summary(fact: Facts, used: set[str]) -> str:
    """Write one or two sentences in wordings that no other group has: who they are and what they ask for, then how they behave."""
    chosen: list[str] = []
    for proposals in (_request(fact), _behaviour(fact)):
        sentence = next((told for told in proposals if told.wording not in used and told.text not in used), None)
        if sentence and len(" ".join([*chosen, sentence.text])) <= LONGEST_SUMMARY:
            chosen.append(sentence.text)
            used |= {sentence.text, sentence.wording}
    size = f"{_counted(fact.communities, 'community')}, {fact.authors:,} active people at most"
    about = f"; its words are {', '.join(fact.terms[:4])}" if fact.terms else ""
    return " ".join(chosen) or f"Group {fact.group + 1}: {size}{about}."


def _behaviour(fact: Facts) -> Iterator[_Sentence]:
    """Tell the two most telling traits in one sentence, then other pairs, then three at a time, each pair in several wordings."""
    telling = fact.telling()
    for size in range(min(2, len(telling)), min(3, len(telling)) + 1):
        for traits in combinations(telling, size):
            for way in range(WAYS):
                told = [trait.sentences()[way] for trait in traits]
                about = f"{way} " + ", ".join(f"{trait.feature} {trait.z > 0}" for trait in traits)
                for form, opening in _openings(fact):
                    yield _Sentence(f"{_capital(opening + '; '.join(told))}.", form + about)


def _openings(fact: Facts) -> Iterator[tuple[str, str]]:
    """Begin with what a group is where no request says it: a cut, or people of a subject. The form, then the form filled."""
    subjects = [f"“{term}”" for term in _subjects(fact)[:3]]
    if fact.cut and fact.entity == "archetype":
        yield from ((form, form) for form in _CUTS)
    elif fact.entity == "niche" and not fact.asks and len(subjects) > 1:
        yield from ((form, form.format(subjects=_joined(subjects), n=f"{fact.communities:,}")) for form in _SUBJECTS)
    else:
        yield "", ""


_SUBJECTS = (
    "they talk about {subjects}, in {n} communities; ",
    "people of {n} communities with {subjects} in common; ",
    "{subjects} are the words of these {n} communities; ",
    "in {n} communities the talk is of {subjects}; ",
)


_CUTS = (
    "A cut of a continuum, not a kind: ",
    "Not a kind of its own but a stretch of a continuum: ",
    "One side of a line drawn through a continuum: ",
    "A part of one whole, cut where the cut is stable: ",
    "Only this end of what all share: ",
    "A stretch of a scale without gaps: ",
)


def _request(fact: Facts) -> Iterator[_Sentence]:
    """Tell who asks for what; where hardly any community shares the commonest need, that they differ."""
    if fact.asks:
        ask = fact.asks[0]
        shared = ask.communities >= LEAST_SPREAD * fact.communities
        people, places = _counted(ask.authors, "person").replace("persons", "people"), _counted(ask.communities, "community")
        for form in _SHARED if shared else _SCATTERED:
            sizes = {"n": f"{ask.authors:,}", "all": f"{fact.communities:,}"}
            text = form.format(who=_who(fact), need=f"“{ask.need}”", people=people, places=places, **sizes)
            yield _Sentence(_capital(text), form)


_SHARED = (
    "{who} in {all} communities, of whom {n} ask for {need}.",
    "{who}; what they ask for most is {need} ({people} in {places}).",
    "{people} in {places} of {who} look for {need}.",
    "{who} whose first need is {need}, with {people} in {places}.",
    "In {places} of {who}, {people} ask for {need}.",
    "{need} is what {people} in {places} of {who} would like to have.",
    "{who} who share a need: {people} in {places} want {need}.",
    "The commonest request of these {who}, from {people} in {places}, is {need}.",
    "{who}, {all} communities of them; {people} miss {need}.",
    "Among {who}, {need} is asked for by {people} in {places}.",
)
_SCATTERED = (
    "Needs differ from one community to the next; the commonest is {need} ({people} in {places} of {all}).",
    "No need runs through all {all} communities; {need} comes first, with {people} in {places}.",
    "What is asked for depends on the community: {people} in {places} of {all} want {need}.",
    "Each community has its own wishes, most often {need} ({people} in {places} of {all}).",
    "There is no common request in these {all} communities; {people} in {places} ask for {need}.",
    "{need} is the first of many wishes: {people} in {places} of {all}.",
    "Wishes belong to single communities, the first being {need} ({people} in {places} of {all}).",
    "No two communities ask for quite the same; {people} in {places} of {all} would like {need}.",
    "Of many separate needs {need} has most people behind it: {people} in {places} of {all}.",
    "Ask in {all} communities and you hear as many wishes; {need} leads with {people} in {places}.",
)


def _counted(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun.removesuffix('y')}{'ies' if noun.endswith('y') else 's'}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
