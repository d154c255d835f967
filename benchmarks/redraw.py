"""Draw the communities of a planted world again and again: the population that the world's own communities are samples of.

In: a world and a number of draws. Out: one table of records per community, of all draws together, with what was planted in each
record. Persons, threads and words are drawn anew from the same habits, as many as the world has, so that what depends on size stays.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from discovery.sources.world import END, World
from discovery.sources.world.kinds import Site
from discovery.sources.world.people import INTENTS, People, settle
from discovery.sources.world.prose import speak
from discovery.sources.world.threads import ASK, DAY, MONTH, Era, Threads, write

WORD = re.compile(r"[a-z]+(?:'[a-z]+)*")
MENTION = re.compile(r"@\w+|https?://\S+")
SAMPLED = 50
"""Words read of a record."""
READ = 6
"""Draws whose words are read: there are enough of them sooner than of people."""
TONGUE = 2
"""The stream that the world draws a community's favourite words from: they are its own in every draw."""
AGAIN, LATER = 3, 4
"""Streams of chance that the world itself does not use."""
BEYOND = 5
"""Months by which lives are followed past the world's end, more than the ninety days they are asked about."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """A community drawn many times."""

    site: Site
    era: Era
    draws: int
    records: pd.DataFrame
    """draw, at, person (another in every draw), known, human, post, thread and parent (index of a record, -1 for none), asks, solved,
    promotes, account, title, text, and one column per intent: whether it is said in the record."""
    hazards: np.ndarray
    """Chance of leaving of every visible person in every whole month but the last."""
    lives: np.ndarray
    """Days between first and last record of every visible person who came before the world's end, however long they stayed."""

    @cached_property
    def named(self) -> pd.DataFrame:
        """thread, person, known, product: the products that people name, each where it stands."""
        said = self.records[self.records["human"]]
        pattern = rf"\b({'|'.join(self.site.subject.products)})\b"
        found = (said["title"] + "\n" + said["text"]).str.findall(pattern).explode().dropna()
        return said.loc[found.index, ["thread", "person", "known"]].assign(product=found.to_numpy())

    @cached_property
    def needs(self) -> pd.Series[str]:
        """The need that is named where somebody calls for something or complains, by record; all sentences draw needs alike."""
        voiced = self.records.loc[self.records["seek"] | self.records["hurt"], "text"]
        ways = {way: need.do for need in self.site.subject.needs for way in need}
        return voiced.str.extract(rf"({'|'.join(map(re.escape, ways))})")[0].map(ways).dropna()

    @cached_property
    def words(self) -> pd.Series[str]:
        """The words people say, fifty a record at most, by record of the first draws."""
        said = self.records[self.records["human"] & (self.records["draw"] < READ)]
        plain = (said["title"] + "\n" + said["text"]).str.replace(MENTION, " ", regex=True).str.lower()
        return plain.str.findall(WORD).str[:SAMPLED].explode().astype("category")

    def since(self, instant: int, *, listing: bool) -> Shown:
        """Show only the records from an instant on."""
        return Shown(self, max(instant, self.era.since), listing)


@dataclass(frozen=True, eq=False)
class Shown:
    """What a reader sees of the draws, who sees nothing older than ``since``."""

    drawn: Drawn
    since: int
    listing: bool
    """The reader cannot tell that it is all, even where it is."""

    @property
    def days(self) -> float:
        """Length of what is shown."""
        return (END - self.since) / DAY

    @cached_property
    def human(self) -> pd.DataFrame:
        """What people wrote."""
        records = self.drawn.records
        return records[records["human"] & (records["at"] >= self.since)]

    @cached_property
    def known(self) -> pd.DataFrame:
        """What people wrote whose accounts are still there."""
        return self.human[self.human["known"]]

    @cached_property
    def posts(self) -> pd.DataFrame:
        """The posts that are shown."""
        return self.human[self.human["post"]]

    @cached_property
    def replies(self) -> pd.DataFrame:
        """All replies under them, the program's too; ``asker`` and ``asked_at`` are of the post."""
        records = self.drawn.records
        under = records[~records["post"] & records["thread"].isin(self.posts.index)]
        return under.assign(
            asker=self.posts["person"].reindex(under["thread"]).to_numpy(), asked_at=self.posts["at"].reindex(under["thread"]).to_numpy()
        )

    @cached_property
    def words(self) -> pd.Series[int]:
        """How often each word is said."""
        said = self.drawn.words
        return said[self.drawn.records["at"].reindex(said.index).to_numpy() >= self.since].value_counts()

    @cached_property
    def first_answer(self) -> pd.Series[int]:
        """When another person first answered, by post; posts nobody answers are absent."""
        others = self.replies[self.replies["human"] & (self.replies["person"] != self.replies["asker"])]
        return others.groupby("thread")["at"].min()

    @cached_property
    def months(self) -> pd.DataFrame:
        """draw, person, account, month, days (active ones), records: the known persons' whole months, counted from the era's first."""
        month = (self.known["at"] - self.drawn.era.start) // MONTH
        whole = self.known.assign(month=month, day=self.known["at"] // DAY)[month.isin(self.drawn.era.whole)]
        told = {"account": ("account", "first"), "days": ("day", "nunique"), "records": ("day", "size")}
        return whole.groupby(["draw", "person", "month"]).agg(**told).reset_index()


def redraw(world: World, site: Site, *, draws: int) -> Drawn:
    """Draw a community anew."""
    era = Era(END - world.days * DAY, END)
    tables, hazards, lives = [], [], []
    for number in range(draws):
        rng = np.random.default_rng([world.seed, AGAIN, site.index, number])
        people = settle(site, era.months, rng, world.scale)
        threads = write(site, people, era, rng)
        tables.append(_table(site, people, threads, rng, seed=world.seed).assign(draw=number))
        person, month = people.present(era.months)
        asked = people.visible[person] & (month >= era.whole.start) & (month < era.whole.stop - 1)
        hazards.append(people.hazard[person[asked]])
        lives.append(_lives(world, site, number))
    return Drawn(site, era, draws, _joined(tables), np.concatenate(hazards), np.concatenate(lives))


def _table(site: Site, people: People, threads: Threads, rng: np.random.Generator, *, seed: int) -> pd.DataFrame:
    """Put what was planted into rows, one per record."""
    prose = speak(site, people, threads, rng, tongue=np.random.default_rng([seed, TONGUE, site.index]))
    human = threads.person >= 0
    return pd.DataFrame(
        {
            "at": threads.at,
            "person": threads.person,
            "known": human & people.visible[threads.person],
            "human": human,
            "post": threads.parent < 0,
            "thread": threads.thread,
            "parent": threads.parent,
            "asks": threads.role == ASK,
            "solved": threads.accepted & (threads.parent < 0),
            "promotes": human & people.promoter[threads.person],
            "account": np.where(human, people.account[threads.person], -1),
            "title": prose.titles,
            "text": prose.texts,
            **dict(zip(INTENTS, threads.wants.T, strict=True)),
        }
    )


def _joined(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Put draws together so that no two share a person or a record."""
    records, people = 0, 0
    for table in tables:
        table["thread"] += records
        table.loc[~table["post"], "parent"] += records
        table.loc[table["human"], "person"] += people
        records, people = records + len(table), people + int(table["person"].max()) + 1
    return pd.concat(tables, ignore_index=True)


def _lives(world: World, site: Site, number: int) -> np.ndarray:
    """Draw people once more, over a time that ends long after the world does, and give the days they are seen over."""
    era = Era(END - world.days * DAY, END + BEYOND * MONTH)
    rng = np.random.default_rng([world.seed, LATER, site.index, number])
    people = settle(site, era.months, rng, world.scale)
    threads = write(site, people, era, rng)
    human = threads.person >= 0
    at = pd.Series(threads.at[human]).groupby(threads.person[human]).agg(["min", "max"])
    seen = at[(at["min"] < END) & people.visible[at.index]]
    return ((seen["max"] - seen["min"]) // DAY).to_numpy()
