"""The planted world: invented communities whose truth is known. Demo, benchmark and tests read it like any other source.

In: a seed and a few settings. Out: batches of records, and :meth:`World.truth`, which says of each community what was planted.
Everything here is invented: the communities, their people, what they write, the products they name. Truth is set at the level of
persons (chances of leaving, wants, fates of threads), never through the features that are to find it again. A community depends on
the seed and its own number alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import pandas as pd
from pydantic import Field

from discovery.sources import Policy, Source, SourceError, Window
from discovery.sources.world.kinds import PLACES, Shape, Site, site
from discovery.sources.world.people import INTENTS, People, settle
from discovery.sources.world.prose import speak
from discovery.sources.world.subjects import CROWDS, TRADES, words
from discovery.sources.world.threads import ASK, DAY, MACHINE, Era, Threads, write
from storage.records import Batch, Community, Coverage, Cursor, Record

END = 1_767_225_600
"""2026-01-01 00:00 UTC, in the middle of a month of 28 days: the world never moves."""

_FIRST_NAMES = words("Otto Mira Basil Juno Edda Rufus Linn Cato Vera Milo Greta Anso Tilda Bram Iris Pelle")
_MENTIONS = 0.03
"""Replies that call by name whom they answer."""


class Written(NamedTuple):
    """A community with everything that happened in it, without words."""

    site: Site
    people: People
    threads: Threads


class World(Source):
    """The planted world: invented communities of several kinds, drawn from a seed."""

    kind: ClassVar[str] = "world"
    invented: ClassVar[bool] = True
    policy: ClassVar[Policy] = Policy(quote_ok=True, llm_ok=True, licence="invented")

    seed: int = Field(ge=0, lt=2**63, description="Two worlds of one seed and the same settings are the same")
    communities: int = Field(112, ge=1, le=1_000_000)
    days: int = Field(392, ge=56, le=7_300, description="Length of the world; it always ends at the same instant")
    shape: Shape = Field("archetypes", description="`continuum`: no kinds, only more and less; `uniform`: all communities are the same")
    scale: float = Field(1.0, gt=0, le=1_000, description="Multiplies the persons of every community")
    listing: int | None = Field(None, ge=1, description="Show only the newest items of each community, as listings do")
    platform: str = Field("world", pattern=r"^[a-z0-9_]+$", description="Another platform has other accounts, even for the same seed")
    without: str = Field("", description="Slug of a community to leave out")
    page: int = Field(20_000, ge=1, description="Records in a batch")

    @classmethod
    def from_argument(cls, path: str, options: Mapping[str, Any]) -> Self:
        """Build the world from ``world:SEED?option=value``."""
        return cls.model_validate({"seed": path, **options})

    @property
    def name(self) -> str:
        """Seed and the settings that differ from the defaults."""
        told = self.model_dump(exclude_defaults=True, exclude={"seed", "page"})
        return f"world:{self.seed}" + ("?" + "&".join(f"{key}={value}" for key, value in told.items()) if told else "")

    def observed(self) -> Coverage:
        """Tell that a listing is one."""
        return "complete" if self.listing is None else "listing"

    def batches(self, cursor: Cursor, *, window: Window) -> Iterator[Batch]:
        """Yield the communities one after the other, each in the order of time.

        Raises:
            SourceError: the cursor is none of ours, or ``without`` names no community.
        """
        if cursor.exhausted:
            return
        start, passed = _place(cursor)
        records: list[Record] = []
        met: list[Community] = []
        fetched = 0
        sites = self.sites()
        for ordinal, place in enumerate(sites[start:], start):
            written = self.written(place)
            if not passed:
                met.append(self._community(written))
            for position, record in enumerate(islice(self._records(written), passed, None), passed + 1):
                fetched += 1
                if record.created_at in window:
                    records.append(record)
                if fetched == self.page:
                    yield Batch(records, Cursor(position=f"{ordinal}/{position}"), fetched, met, refused=fetched - len(records))
                    records, met, fetched = [], [], 0
            passed = 0
        end = Cursor(position=f"{len(sites)}/0", exhausted=True)
        yield Batch(records, end, fetched, met, refused=fetched - len(records))

    def truth(self) -> pd.DataFrame:
        """Tell what was planted in each community, one row each, by key.

        Shares are of the visible persons who wrote (``deleted``: of all who wrote); ``hazard`` is the mean chance of leaving over the
        visible persons of all whole months but the last; ``unanswered`` and ``growth`` are the habits themselves, ``unsolved`` follows
        from them; ``records`` and ``records_per_day`` count what people wrote, before any listing cuts it.
        """
        rows = [self._planted(self.written(place)) for place in self.sites()]
        return pd.DataFrame(rows).set_index("community")

    def sites(self) -> list[Site]:
        """Plan the communities, in the order of their numbers."""
        every = [site(self.seed, index, self.shape) for index in range(self.communities)]
        kept = [place for place in every if place.slug != self.without]
        if self.without and len(kept) == len(every):
            raise SourceError(f"The world of seed {self.seed} has no community `{self.without}`: none of its {len(every)} slugs is that.")
        return kept

    @property
    def _era(self) -> Era:
        return Era(END - self.days * DAY, END)

    def written(self, place: Site) -> Written:
        """Draw everything that happens in a community, before any listing cuts it."""
        rng = np.random.default_rng([self.seed, 1, place.index])
        people = settle(place, self._era.months, rng, self.scale)
        return Written(place, people, write(place, people, self._era, rng))

    def key(self, place: Site) -> str:
        """Give the key that a community is known by."""
        return f"{self.platform}:{self.seed}/{place.slug}"

    def _community(self, written: Written) -> Community:
        place = written.site
        return Community(
            key=self.key(place),
            name=place.name,
            url=f"https://example.invalid/{self.seed}/{place.slug}",
            description=place.description,
            members=3 * len(written.people),
            sensitive=place.sensitive,
            retrieved_at=END,
        )

    def _records(self, written: Written) -> Iterator[Record]:
        """Put a community into words, oldest record first."""
        place, _, threads = written
        key = self.key(place)
        ids = [f"{key}/{number}" for number in range(len(threads.at))]
        hidden = 0 if self.listing is None else max(0, len(ids) - self.listing)
        for number, row in islice(enumerate(_columns(written, self.seed)), hidden, None):
            author, at, title, text, thread, parent, score, replies, accepted, bot, domain = row
            yield Record(
                id=ids[number],
                communities=(key,),
                kind="post" if parent < 0 else "reply",
                author=author,
                created_at=at,
                title=title,
                text=text,
                thread=ids[thread],
                parent=None if parent < 0 else ids[parent],
                score=score,
                replies=replies,
                accepted=accepted,
                bot=bot,
                domain=domain,
                retrieved_at=END,
            )

    def _planted(self, written: Written) -> dict[str, object]:
        place, people, threads = written
        habits, kind = place.habits, place.archetype
        wrote = np.unique(threads.person[threads.person >= 0])
        seen = wrote[people.visible[wrote]]
        human = int((threads.role != MACHINE).sum())
        return {
            "community": self.key(place),
            "archetype": kind.name,
            "subject": place.subject.topic,
            "need": place.need.do,
            "has_money": kind.has_money,
            "is_shallow_giant": kind.is_shallow_giant,
            "sensitive": place.sensitive,
            "brigaded": place.brigaded,
            "hazard": _hazard(people, self._era),
            **{intent: float(people.wants[seen, number].mean()) for number, intent in enumerate(INTENTS)},
            "promote": float(people.promoter[seen].mean()),
            "deleted": 1 - len(seen) / len(wrote),
            "unanswered": habits.unanswered,
            "unsolved": 1 - (1 - habits.unanswered) * (1 - habits.stuck),
            "asks": float((threads.role[threads.parent < 0] == ASK).mean()),
            "growth": habits.growth,
            "persons": len(seen),
            "records": human,
            "records_per_day": human / self.days,
        }


def _place(cursor: Cursor) -> tuple[int, int]:
    """Read where a batch ended: so many communities, and so many records of the next."""
    first, separator, second = (cursor.position or "0/0").partition("/")
    if not (separator and first.isdecimal() and second.isdecimal()):
        raise SourceError(f"`{cursor.position}` is no place in a planted world: start the import again from the beginning.")
    return int(first), int(second)


def _hazard(people: People, era: Era) -> float:
    """Average the planted chance of leaving over the visible persons of every whole month that has a whole month after it."""
    person, month = people.present(era.months)
    asked = people.visible[person] & (month >= era.whole.start) & (month < era.whole.stop - 1)
    return float(people.hazard[person[asked]].mean()) if asked.any() else float("nan")


def _names(written: Written, seed: int) -> list[str]:
    """Name the accounts: those that roam have the same name in every community of the subject."""
    common = (TRADES + CROWDS).index(written.site.subject)
    tags = [
        (number, f"{number}x{written.site.index}w{seed}") if shared < 0 else (shared, f"{shared}s{common}w{seed}")
        for number, shared in enumerate(written.people.account.tolist())
    ]
    return [f"{_FIRST_NAMES[number % len(_FIRST_NAMES)]}{PLACES[number % len(PLACES)]}{tag}" for number, tag in tags]


def _columns(written: Written, seed: int) -> Iterator[tuple[Any, ...]]:
    """Yield for each record author, instant, title, text, thread, parent, score, replies, accepted, bot and domain."""
    place, people, threads = written
    rng = np.random.default_rng([seed, 2, place.index])
    prose = speak(place, people, threads, rng)
    n, is_post, bot = len(threads.at), threads.parent < 0, threads.person < 0
    named = np.array([*_names(written, seed), f"{place.archetype.name.title().replace(' ', '')}Program{place.index}w{seed}"], dtype=object)
    named[:-1][~people.visible] = None
    author = named[threads.person]  # the program is the last

    texts = prose.texts
    called = author[threads.parent]
    for row in np.flatnonzero(~is_post & ~bot & (rng.random(n) < _MENTIONS)).tolist():
        if called[row] is not None:
            texts[row] = f"@{called[row]} {texts[row]}"

    score = np.rint(place.habits.applause * rng.lognormal(sigma=1.0, size=n) * np.where(is_post, 2, 1)).astype(int)
    replies = np.bincount(threads.thread[~is_post], minlength=n).astype(object)
    replies[~is_post] = None
    accepted = threads.accepted.astype(object) if place.archetype.marks_answers else np.full(n, None)
    domains = np.array([f"{product.lower()}.example" for product in place.subject.products], dtype=object)
    domain = domains[threads.person % len(domains)]
    domain[~is_post | bot | ~people.promoter[threads.person]] = None
    columns = (threads.at, threads.thread, threads.parent, score, replies, accepted, bot, domain)
    at, thread, parent, *rest = (column.tolist() for column in columns)
    return zip(author.tolist(), at, prose.titles, texts, thread, parent, *rest, strict=True)
