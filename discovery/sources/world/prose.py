"""Words for what invented people write.

In: a :class:`Site`, its :class:`People` and :class:`Threads`, a random generator. Out: :class:`Prose`, a title and a text for each record.
Nouns, verbs and adjectives follow Zipf's law; the communities of one subject share their words, those of one need also the frequent ones.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from discovery.sources.world.kinds import Site
from discovery.sources.world.people import INTENTS, Flags, Floats, Ints, People
from discovery.sources.world.sentences import FAMILIES
from discovery.sources.world.subjects import ADJECTIVES, CROWDS, NOUNS, TRADES, VERBS, Subject
from discovery.sources.world.threads import ASK, FIRST, JEER, MACHINE, STILL, THANKS, Threads

Words = NDArray[np.object_]

_URN = 4096
"""Balls in an urn of words; a frequent word has many."""
_AMOUNTS = np.array(
    [f"${amount}" for amount in (5, 8, 9, 12, 15, 18, 20, 24, 29, 30, 35, 39, 45, 49, 60, 75, 80, 99, 120, 150)], dtype=object
)
_PASTED = 3
"""Texts of a subject that people paste."""

_SENTENCES = np.array([sentence for family in FAMILIES.values() for sentence in family], dtype=object)
_SIZE = np.array([len(family) for family in FAMILIES.values()])
_BEGIN = np.cumsum(_SIZE) - _SIZE
_FAMILY = {name: number for number, name in enumerate(FAMILIES)}
_OF_INTENT = np.array([_FAMILY[intent] for intent in INTENTS])
_OF_ROLE = {FIRST: "answer", THANKS: "thanks", STILL: "still", JEER: "jeer", MACHINE: "machine"}


class Prose(NamedTuple):
    """A title (empty for replies) and a text for each record."""

    titles: list[str]
    texts: list[str]


def speak(site: Site, people: People, threads: Threads, rng: np.random.Generator, *, tongue: np.random.Generator | None = None) -> Prose:
    """Put everything that was written in a community into words; ``tongue`` draws which words the community prefers, else ``rng`` does."""
    voice = _Voice(site, tongue or rng)
    voice.rng = rng
    is_post, role = threads.parent < 0, threads.role
    promoting = (threads.person >= 0) & people.promoter[threads.person]
    record, family, key = _plan(site, threads, promoting, rng)
    order = np.lexsort((key, record))
    record, family = record[order], family[order]
    product = np.where(promoting, threads.person, -1)
    sentences = voice.say(family, product[record])
    bounds = np.searchsorted(record, np.arange(len(role) + 1)).tolist()
    texts = [" ".join(sentences[begin:end]) for begin, end in pairwise(bounds)]
    pasting = np.flatnonzero(is_post & (threads.person >= 0) & people.copier[threads.person])
    for row, pasted in zip(pasting.tolist(), voice.pasted(len(pasting)), strict=True):
        texts[row] = pasted

    plain = np.where(promoting, _FAMILY["launch_line"], _FAMILY[site.archetype.title_family])
    heads = np.flatnonzero(is_post)
    titles = [""] * len(role)
    for row, title in zip(heads.tolist(), voice.say(np.where(role == ASK, _FAMILY["question"], plain)[heads], product[heads]), strict=True):
        titles[row] = title
    return Prose(titles, texts)


def _plan(site: Site, threads: Threads, promoting: Flags, rng: np.random.Generator) -> tuple[Ints, Ints, Floats]:
    """Choose the sentences: of which record, of which family, and a key that orders them inside it."""
    role, habits = threads.role, site.habits
    is_post = threads.parent < 0
    special = np.full(len(role), -1)
    for which, name in _OF_ROLE.items():
        special[role == which] = _FAMILY[name]
    if site.archetype.title_family == "photo_line":
        special[(role == FIRST) & (role[threads.thread] != ASK)] = _FAMILY["praise"]
    special[promoting] = _FAMILY["promote"]
    opening = np.flatnonzero(special >= 0)

    usual = np.where(is_post, habits.post_sentences, habits.reply_sentences)
    idle = rng.poisson(np.maximum(usual - 1, 0)) + (special < 0)
    idle[np.isin(role, (THANKS, STILL, JEER, MACHINE))] = 0
    chatting = np.repeat(np.arange(len(role)), idle)
    talk = np.where(is_post & (site.archetype.title_family == "notice_line"), _FAMILY["notice"], _FAMILY["talk"])[chatting]
    talk = np.where(rng.random(len(chatting)) < habits.terse, _FAMILY["short"], talk)

    wanting, intent = np.nonzero(threads.wants)
    record = np.concatenate([opening, chatting, wanting])
    family = np.concatenate([special[opening], talk, _OF_INTENT[intent]])
    key = rng.random(len(record))
    key[: len(opening)] = -1
    return record, family, key


class _Voice:
    """How a community talks: its urns of words, which need and which products it means."""

    def __init__(self, site: Site, rng: np.random.Generator) -> None:
        self.site, self.rng = site, rng
        subject, habits = site.subject, site.habits
        turn = subject.needs.index(site.need) * len(subject.nouns) // len(subject.needs)
        own = (subject.nouns[turn:] + subject.nouns[:turn], subject.verbs, subject.adjectives)
        self.nouns, self.verbs, self.adjectives = (
            np.concatenate([_urn(theirs, round(_URN * habits.focus), rng), _urn(common, _URN - round(_URN * habits.focus), rng)])
            for theirs, common in zip(own, (NOUNS, VERBS, ADJECTIVES), strict=True)
        )
        self.needs = _objects([site.need, *(need for need in subject.needs if need != site.need)])
        self.products = np.array(subject.products, dtype=object)

    def say(self, family: Ints, product: Ints) -> list[str]:
        """Say one sentence of each family; about the product of that number where it is not -1."""
        rng, habits, n = self.rng, self.site.habits, len(family)
        sentence = _SENTENCES[_BEGIN[family] + (rng.random(n) * _SIZE[family]).astype(int)]
        nouns, more_nouns, verbs, adjectives = (
            urn[rng.integers(len(urn), size=n)] for urn in (self.nouns, self.nouns, self.verbs, self.adjectives)
        )
        need = np.where(rng.random(n) < habits.one_need, 0, rng.integers(len(self.needs), size=n))
        liked = (self.site.index + np.where(rng.random(n) < habits.favourite, 0, rng.integers(len(self.products), size=n))) % len(
            self.products
        )
        liked = np.where(product >= 0, product % len(self.products), liked)
        other = (liked + rng.integers(1, len(self.products), size=n)) % len(self.products)
        amount = _AMOUNTS[rng.integers(len(_AMOUNTS), size=n)]
        columns = (sentence, nouns, more_nouns, adjectives, verbs, self.needs[need], self.products[liked], self.products[other], amount)
        return list(map(str.format, *(column.tolist() for column in columns)))

    def pasted(self, n: int) -> list[str]:
        """Draw from the few texts that are pasted all over the subject."""
        stock = _stock(self.site.subject)
        return [stock[number] for number in self.rng.integers(len(stock), size=n).tolist()]


def _objects(values: list[tuple[str, str]]) -> Words:
    """Make an array of tuples that numpy does not take apart."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _urn(words: tuple[str, ...], balls: int, rng: np.random.Generator) -> Words:
    """Fill an urn by Zipf's law, in about the order of the words; each community has small preferences of its own."""
    rank = np.argsort(np.arange(len(words)) + rng.normal(scale=len(words) / 10, size=len(words)))
    mass = np.cumsum(1 / (np.arange(len(words)) + 2.7))
    drawn = np.searchsorted(mass, (np.arange(balls) + 0.5) / balls * mass[-1])
    urn: Words = np.array(words, dtype=object)[rank[drawn]]
    return urn


def _stock(subject: Subject) -> list[str]:
    """Write the texts that are pasted all over a subject."""
    rng = np.random.default_rng([(TRADES + CROWDS).index(subject), _PASTED])
    family = FAMILIES["talk"]
    return [
        " ".join(
            family[rng.integers(len(family))].format(
                *rng.choice(subject.nouns, 2), rng.choice(subject.adjectives), rng.choice(subject.verbs)
            )
            for _ in range(4)
        )
        for _ in range(_PASTED)
    ]
