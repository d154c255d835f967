"""The kinds of community the planted world holds, as habits of their people, and which community stands where.

In: a seed and how many communities. Out: a :class:`Site` for each, the same whatever other communities there are. Habits are
shares of persons and of posts, sizes, and one slope; nothing here knows how a reader will measure them.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Literal

import numpy as np

from discovery.sources.world.subjects import CROWDS, TRADES, Need, Subject, words

Shape = Literal["archetypes", "continuum", "uniform"]


@dataclass(frozen=True)
class Habits:
    """How the people of a community behave. Shares lie strictly between 0 and 1."""

    # Shares of persons.
    hazard: float = 0.4
    """Chance that a person who is here this month is gone the next; persons differ around it."""
    seek: float = 0.08
    hurt: float = 0.08
    patch: float = 0.05
    """Gets by with a workaround."""
    pay: float = 0.03
    procure: float = 0.03
    pledge: float = 0.03
    """Says what they would pay."""
    refuse: float = 0.03
    gripe: float = 0.02
    """Finds the incumbent too expensive."""
    promote: float = 0.01
    recommend: float = 0.05
    """Is content with a product and says so."""
    deleted: float = 0.04
    roam: float = 0.08
    """Has an account that is seen in other communities of the subject."""
    copy: float = 0.002
    """Pastes the same text as others."""
    starters: float = 0.8
    """Ever opens a thread; the others only reply."""
    # Shares of what is written.
    posts: float = 0.35
    asks: float = 0.3
    unanswered: float = 0.2
    """Posts that nobody else ever answers."""
    stuck: float = 0.5
    """Answered questions that stay unsolved."""
    terse: float = 0.1
    focus: float = 0.6
    """Content words that are of the subject."""
    one_need: float = 0.7
    """Mentions of a need that mean the community's own."""
    favourite: float = 0.5
    """Mentions of a product that mean the first one."""
    # Sizes.
    people: float = 36.0
    """Persons present in the first month."""
    pace: float = 1.4
    """Records a person writes in a month, before the one that presence takes."""
    latency_h: float = 5.0
    post_sentences: float = 2.5
    reply_sentences: float = 1.4
    applause: float = 4.0
    """Median score of a record."""
    # A slope.
    growth: float = 0.0
    """Log change of the persons present, per 28 days."""


SLOPES = frozenset({"growth"})
SIZES = frozenset({"people", "pace", "latency_h", "post_sentences", "reply_sentences", "applause"})


@dataclass(frozen=True)
class Archetype:
    """A kind of community: what truth calls it, how its people behave and how its communities are titled."""

    name: str
    habits: Habits
    title: str
    weight: int
    """Communities in each cycle of :data:`CYCLE`."""
    block: int = 1
    """Communities that share a subject and a need, one after the other."""
    subjects: tuple[Subject, ...] = TRADES
    title_family: str = "subject_line"
    has_money: bool = False
    is_shallow_giant: bool = False
    marks_answers: bool = False
    bot: bool = False


ENGAGED = Habits(
    hazard=0.16, seek=0.22, hurt=0.16, patch=0.12, pay=0.13, procure=0.11, pledge=0.10, refuse=0.02, gripe=0.05, promote=0.01,
    recommend=0.04, deleted=0.02, roam=0.12, posts=0.38, asks=0.45, unanswered=0.28, stuck=0.6, terse=0.03, focus=0.75, one_need=0.85,
    favourite=0.6, people=38, pace=1.05, latency_h=5, post_sentences=3.2, reply_sentences=1.8, growth=0.01,
)  # fmt: skip
SUPPORT = Habits(
    hazard=0.58, seek=0.10, hurt=0.24, patch=0.06, pay=0.02, procure=0.015, pledge=0.01, refuse=0.02, gripe=0.03, recommend=0.02,
    posts=0.55, asks=0.88, unanswered=0.45, stuck=0.65, terse=0.05, focus=0.7, one_need=0.6, favourite=0.8, people=40, pace=1.0,
    latency_h=16, post_sentences=3.0, reply_sentences=1.6, applause=1.5,
)  # fmt: skip
GIANT = Habits(
    hazard=0.86, seek=0.006, hurt=0.01, patch=0.003, pay=0.002, procure=0.002, pledge=0.003, refuse=0.02, gripe=0.004, promote=0.01,
    recommend=0.01, deleted=0.10, roam=0.05, copy=0.01, starters=0.5, posts=0.15, asks=0.08, unanswered=0.3, stuck=0.8, terse=0.88,
    focus=0.15, one_need=0.5, people=170, pace=0.5, latency_h=0.4, post_sentences=1.1, reply_sentences=1.05, applause=60, growth=0.02,
)  # fmt: skip
SHOWCASE = Habits(
    hazard=0.30, seek=0.02, hurt=0.015, patch=0.01, pay=0.008, procure=0.01, pledge=0.008, refuse=0.01, gripe=0.005, promote=0.02,
    recommend=0.04, posts=0.28, asks=0.07, unanswered=0.05, stuck=0.3, terse=0.35, focus=0.5, people=36, pace=1.2, latency_h=2,
    post_sentences=1.4, reply_sentences=1.1, applause=25, growth=0.01,
)  # fmt: skip
DYING = Habits(
    hazard=0.48, seek=0.04, hurt=0.05, patch=0.03, pay=0.01, procure=0.02, pledge=0.008, refuse=0.05, gripe=0.02, promote=0.02,
    deleted=0.12, posts=0.5, asks=0.3, unanswered=0.62, stuck=0.75, terse=0.2, focus=0.5, people=80, pace=0.8, latency_h=30,
    post_sentences=2.0, reply_sentences=1.4, applause=1.5, growth=-0.12,
)  # fmt: skip
CROWDED = Habits(
    hazard=0.40, seek=0.12, hurt=0.05, patch=0.015, pay=0.05, procure=0.10, pledge=0.02, refuse=0.12, gripe=0.06, promote=0.25,
    recommend=0.30, copy=0.02, posts=0.42, asks=0.35, unanswered=0.12, stuck=0.2, terse=0.1, focus=0.55, one_need=0.5, favourite=0.15,
    people=38, pace=1.4, latency_h=2, post_sentences=2.4,
)  # fmt: skip
ANNOUNCING = Habits(
    hazard=0.34, seek=0.008, hurt=0.01, patch=0.004, pay=0.004, procure=0.004, pledge=0.003, refuse=0.008, gripe=0.01, promote=0.002,
    recommend=0.01, roam=0.03, starters=0.08, posts=0.8, asks=0.03, unanswered=0.5, stuck=0.5, terse=0.4, focus=0.65, people=34, pace=0.9,
    latency_h=10, post_sentences=4.0, reply_sentences=1.1,
)  # fmt: skip

ARCHETYPES: tuple[Archetype, ...] = (
    Archetype("engaged niche", ENGAGED, "{place} {people}", weight=42, block=6, has_money=True),
    Archetype("support desk", SUPPORT, "{product} Help Desk", weight=16, marks_answers=True, bot=True),
    Archetype("showcase", SHOWCASE, "{people} Gallery of {place}", weight=16, title_family="photo_line"),
    Archetype("crowded market", CROWDED, "{place} {people} Deals and Tools", weight=12),
    Archetype(
        "shallow giant",
        GIANT,
        "The Big {place} Room",
        weight=10,
        subjects=CROWDS,
        title_family="photo_line",
        is_shallow_giant=True,
        bot=True,
    ),
    Archetype("dying community", DYING, "Old {place} {people} Board", weight=10),
    Archetype("announcements", ANNOUNCING, "{product} Announcements", weight=6, title_family="notice_line"),
)
CYCLE = sum(archetype.weight for archetype in ARCHETYPES)
"""After so many communities every kind has had its full share; a larger world repeats the cycle with other subjects."""
MIDDLE = Archetype("continuum", Habits(), "{place} {people}", weight=0)
EVEN = Archetype("uniform", Habits(), "{place} {people}", weight=0)

WIDTH = 0.2
"""Standard deviation of a community around its kind: in logits for shares, in logs for sizes."""
PLACES = words(
    "Brindlemoor Tarnwick Ellowdale Harrowmere Quillhaven Osterfold Dunmarrow Pellingham Saltreach Wyndlebury Corvane Mirefell"
    " Ashbrooknine Thistledown Larkhollow Greyferry Oakenshaw Hollincross Emberley Fennimore Stonewater Kestrelby Marlowick Nettlebank"
    " Rookstead Silverdeep Umberlea Vexley Willowmarch Yarrowgate Cindervale Dappleford"
)


@dataclass(frozen=True)
class Site:
    """One community of the world before anybody has written in it."""

    index: int
    slug: str
    name: str
    description: str
    archetype: Archetype
    habits: Habits
    subject: Subject
    need: Need
    sensitive: bool = False
    brigaded: bool = False


@cache
def _cycle() -> tuple[tuple[int, int], ...]:
    """Deal the kinds out evenly: (position of the archetype, how many of it came before) for each place of a cycle."""
    dealt = [0] * len(ARCHETYPES)
    order = []
    for step in range(1, CYCLE + 1):
        due = [archetype.weight * step / CYCLE - count for archetype, count in zip(ARCHETYPES, dealt, strict=True)]
        chosen = int(np.argmax(due))
        order.append((chosen, dealt[chosen]))
        dealt[chosen] += 1
    return tuple(order)


def _encoded(habits: Habits) -> np.ndarray:
    values = asdict(habits)
    return np.array(
        [x if name in SLOPES else np.log(x) if name in SIZES else np.log(x / (1 - x)) for name, x in values.items()],
        dtype=float,
    )


def _decoded(numbers: np.ndarray) -> Habits:
    names = Habits.__dataclass_fields__
    return Habits(
        **{
            name: float(x) if name in SLOPES else float(np.exp(x)) if name in SIZES else float(1 / (1 + np.exp(-x)))
            for name, x in zip(names, numbers, strict=True)
        }
    )


def _varied(habits: Habits, rng: np.random.Generator) -> Habits:
    """Draw a community's habits around those of its kind."""
    centre = _encoded(habits)
    width = np.array([WIDTH / 20 if name in SLOPES else WIDTH for name in Habits.__dataclass_fields__])
    return _decoded(centre + width * rng.standard_normal(len(centre)))


def _between(rng: np.random.Generator) -> Habits:
    """Draw habits from one continuum that runs from a gallery to an engaged niche, with no gap anywhere."""
    place = 0.5 + 0.2 * rng.standard_normal()
    return _varied(_decoded((1 - place) * _encoded(SHOWCASE) + place * _encoded(ENGAGED)), rng)


def site(seed: int, index: int, shape: Shape) -> Site:
    """Plan one community; it depends on the seed and its own number alone."""
    rng = np.random.default_rng([seed, 0, index])
    cycle, step = divmod(index, CYCLE)
    if shape == "archetypes":
        kind, count = _cycle()[step]
        archetype = ARCHETYPES[kind]
        habits = _varied(archetype.habits, rng)
        turn = (cycle * archetype.weight + count) // archetype.block
        subject, need = _theme(archetype.subjects, turn)
    elif shape == "continuum":
        archetype, habits, count = MIDDLE, _between(rng), -1
        subject, need = _theme(TRADES, int(rng.integers(1000)))
    else:
        archetype, habits, count = EVEN, EVEN.habits, -1
        subject, need = _theme(TRADES, 0)
    product = subject.products[index % len(subject.products)]
    place = PLACES[int(rng.integers(len(PLACES)))]
    name = archetype.title.format(place=place, people=subject.people, product=product)
    return Site(
        index=index,
        slug=f"{re.sub('[^a-z]+', '-', name.lower()).strip('-')}-{index}",
        name=name,
        description=f"Invented community: {subject.topic} in {place}, much talk of how to {need.do}.",
        archetype=archetype,
        habits=replace(habits, growth=min(habits.growth, 0.05)),  # beyond that a long world would explode
        subject=subject,
        need=need,
        sensitive=archetype.name == "showcase" and cycle == 0 and count == 2,
        brigaded=archetype.name == "showcase" and cycle == 0 and count == 1,
    )


def _theme(subjects: tuple[Subject, ...], turn: int) -> tuple[Subject, Need]:
    """Choose subject and need: every subject once before the second need of any."""
    subject = subjects[turn % len(subjects)]
    return subject, subject.needs[turn // len(subjects) % len(subject.needs)]
