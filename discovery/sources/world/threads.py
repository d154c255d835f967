"""What invented people write, without words: who, when, in answer to whom, in which role.

In: a :class:`Site`, its :class:`People`, an era. Out: :class:`Threads`. A person who is present in a month writes at least once in it, and
what a person writes in a month stays in it; so whoever counts who returns finds the planted chance of leaving. A post that is not fated to
stay unanswered gets its first answer from another person within 47 hours; a question that is solved is thanked for within a week.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from discovery.sources.world.kinds import Site
from discovery.sources.world.people import INTENTS, Flags, Floats, Ints, People

HOUR = 3_600
DAY = 24 * HOUR
MONTH = 28 * DAY
PLAIN, ASK, FIRST, THANKS, STILL, JEER, MACHINE = range(7)
"""Roles: a question, its first answer, thanks that it is solved, a word that it is not, a brigade's jeer, a program's text, all else."""

_WEEK = np.array([1.0, 0.9, 0.9, 0.95, 1.0, 1.3, 1.4])
_HOURS = np.repeat(np.arange(24), [2, 1, 1, 1, 1, 2, 3, 4, 5, 5, 5, 5, 6, 5, 5, 5, 6, 7, 8, 9, 9, 8, 6, 4])


class Era(NamedTuple):
    """``[since, until)`` in seconds, and the months that overlap it."""

    since: int
    until: int

    @property
    def start(self) -> int:
        """Where the first month begins."""
        return self.since // MONTH * MONTH

    @property
    def months(self) -> int:
        """Count the months that overlap the era."""
        return -(-self.until // MONTH) - self.since // MONTH

    @property
    def whole(self) -> range:
        """Months that lie in the era wholly, counted from the first that overlaps it."""
        first = -(-self.since // MONTH) - self.since // MONTH
        return range(first, self.until // MONTH - self.since // MONTH)


class Threads(NamedTuple):
    """One row per record, in the order of time."""

    at: Ints
    person: Ints
    """Row of the person; -1 for the program."""
    thread: Ints
    """Row of the post that opened the thread."""
    parent: Ints
    """Row of the record it answers; -1 for a post."""
    role: Ints
    accepted: Flags
    """A post: has an accepted answer; a reply: is it."""
    wants: Flags
    """Shape (records, intents): what is said in it."""


class _Rows(NamedTuple):
    """Records while they are drawn; ``post`` is the row of the thread's post among the posts."""

    at: Ints
    person: Ints
    post: Ints
    role: Ints
    wants: Flags

    def of(self, rows: Flags) -> _Rows:
        """Choose rows."""
        return _Rows(self.at[rows], self.person[rows], self.post[rows], self.role[rows], self.wants[rows])


class _Slots(NamedTuple):
    """The records that persons are going to write, in the order of months."""

    person: Ints
    month: Ints
    wants: Flags
    starts: Flags
    """Opens a thread."""

    def of(self, rows: Flags) -> _Slots:
        """Choose rows."""
        return _Slots(self.person[rows], self.month[rows], self.wants[rows], self.starts[rows])


class _Scene(NamedTuple):
    """What every step of drawing needs."""

    site: Site
    people: People
    era: Era
    rng: np.random.Generator


def write(site: Site, people: People, era: Era, rng: np.random.Generator) -> Threads:
    """Draw everything that is written in a community during an era."""
    scene = _Scene(site, people, era, rng)
    slots = _slots(scene)
    posts, answered = _posts(scene, slots.of(slots.starts), slots.month)
    replies = slots.of(~slots.starts)
    first, free = _first_answers(scene, posts, answered, replies)
    other = _others(scene, posts, answered, replies.of(free))
    solved = (posts.role[first.post] == ASK) & (rng.random(len(first.at)) >= site.habits.stuck)
    thanks = _thanks(scene, posts, first.of(solved))
    accepted = [np.isin(posts.post, first.post[solved]), solved, np.zeros(len(other.at) + len(thanks.at), dtype=bool)]
    parts = [posts, first, other, thanks]
    if site.archetype.bot:
        parts.append(_silent(posts.at + 3, np.full(len(posts.at), -1), posts.post, MACHINE))
        accepted.append(np.zeros(len(posts.at), dtype=bool))
    return _assembled(scene, parts, np.concatenate(accepted))


def _slots(scene: _Scene) -> _Slots:
    """Draw how much each person writes in each month, at least one record, and in which of them each want is said."""
    site, people, era, rng = scene
    person, month = people.present(era.months)
    count = np.maximum(rng.poisson(people.pace[person]), 1)
    count[people.brigade[person]] = 1
    begin = np.cumsum(count) - count
    wants = np.zeros((count.sum(), len(INTENTS)), dtype=bool)
    said, intent = np.nonzero(people.wants[person])
    wants[begin[said] + (rng.random(len(said)) * count[said]).astype(int), intent] = True
    person, month = np.repeat(person, count), np.repeat(month, count)
    starts = people.starter[person] & (rng.random(len(person)) < site.habits.posts)
    silent = np.setdiff1d(month, month[starts])
    starts[np.searchsorted(month, silent)] = True  # a month of replies needs something to reply to
    return _Slots(person, month, wants, starts)


def _posts(scene: _Scene, slots: _Slots, months: Ints) -> tuple[_Rows, Flags]:
    """Draw when threads are opened, which of them ask, and which are fated to be answered."""
    site, people, _, rng = scene
    n = len(slots.person)
    asks = ((rng.random(n) < site.habits.asks) | slots.wants[:, INTENTS.index("seek")]) & ~people.promoter[slots.person]
    answered = rng.random(n) >= site.habits.unanswered
    lonely = np.setdiff1d(months, slots.month[answered])
    answered[np.searchsorted(slots.month, lonely)] = True  # replies of that month need a thread
    at = _moments(scene, slots.month)
    return _Rows(at, slots.person, np.arange(n), np.where(asks, ASK, PLAIN), slots.wants), answered


def _moments(scene: _Scene, month: Ints) -> Ints:
    """Draw an instant inside each month, by weekday and hour; the last ten minutes of a month stay free."""
    _, _, era, rng = scene
    days = era.start // DAY + np.arange(28 * era.months)
    rhythm = np.concatenate([[0.0], np.cumsum(_WEEK[(days + 3) % 7])])  # 1970-01-01 was a Thursday
    begin, end = rhythm[28 * month], rhythm[28 * month + 28]
    day = np.searchsorted(rhythm, begin + (end - begin) * rng.random(len(month)), side="right") - 1
    hour = _HOURS[rng.integers(len(_HOURS), size=len(month))]
    moment: Ints = era.start + day.clip(28 * month, 28 * month + 27) * DAY + hour * HOUR + rng.integers(3_000, size=len(month))
    return moment


def _month(scene: _Scene, at: Ints) -> Ints:
    month: Ints = (at - scene.era.start) // MONTH
    return month


def _after(scene: _Scene, at: Ints, lag: Floats, limit_s: float) -> Ints:
    """Add a lag of at least a second; one that would pass the limit or the end of the month is drawn anew within it."""
    room = np.minimum(limit_s, scene.era.start + (_month(scene, at) + 1) * MONTH - 100 - at)
    later: Ints = at + np.where(lag < room, lag, room * scene.rng.random(len(at))).astype(int).clip(1)
    return later


def _first_answers(scene: _Scene, posts: _Rows, answered: Flags, replies: _Slots) -> tuple[_Rows, Flags]:
    """Give each answered post a first answer by a visible other person; returns them, and which replies are still free."""
    people, rng = scene.people, scene.rng
    able = np.flatnonzero(people.visible[replies.person] & ~people.brigade[replies.person])
    able = able[np.lexsort((rng.random(len(able)), replies.month[able]))]
    asked = np.flatnonzero(answered)
    month = _month(scene, posts.at[asked])
    begin, end = (np.searchsorted(replies.month[able], month, side=side) for side in ("left", "right"))
    nth = begin + np.arange(len(asked)) - np.searchsorted(month, month)
    slot = np.append(able, -1)[np.where(nth < end, nth, -1)]
    authors = np.append(replies.person, -1)
    slot[authors[slot] == posts.person[asked]] = -1
    person, short = authors[slot], slot < 0
    person[short] = _somebody(scene, month[short], posts.person[asked[short]])
    free = np.ones(len(replies.person), dtype=bool)
    free[slot[~short]] = False
    wants = np.vstack([replies.wants, np.zeros((1, len(INTENTS)), dtype=bool)])[slot]
    at = _after(scene, posts.at[asked], _lags(scene, 1, len(asked)), 47 * HOUR)
    return _Rows(at, person, asked, np.full(len(asked), FIRST), wants).of(person >= 0), free


def _lags(scene: _Scene, times: float, n: int) -> Floats:
    """Draw waits in seconds around so many times the community's median."""
    return scene.site.habits.latency_h * HOUR * times * scene.rng.lognormal(sigma=0.9, size=n)


def _somebody(scene: _Scene, month: Ints, other_than: Ints) -> Ints:
    """Draw a visible person who is present in each month and is not the one named; -1 where there is none."""
    person, present = scene.people.present(scene.era.months)
    seen = scene.people.visible[person] & ~scene.people.brigade[person]
    person, present = np.append(person[seen], -1), present[seen]
    begin, end = (np.searchsorted(present, month, side=side) for side in ("left", "right"))
    count = end - begin
    nth = (scene.rng.random(len(month)) * count).astype(int)
    nth = np.where(person[begin + nth] == other_than, (nth + 1) % count.clip(1), nth)
    found = (count > 0) & (person[begin + nth] != other_than)
    return np.where(found, person[begin + nth], -1)


def _others(scene: _Scene, posts: _Rows, answered: Flags, slots: _Slots) -> _Rows:
    """Spread the free replies over the answered threads of their month, a few of which draw most; a brigade falls on one."""
    rng = scene.rng
    threads = np.flatnonzero(answered)
    begin, end = (np.searchsorted(_month(scene, posts.at[threads]), slots.month, side=side) for side in ("left", "right"))
    weight = np.concatenate([[0.0], np.cumsum(rng.pareto(1.5, len(threads)) + 0.1)])
    drawn = weight[begin] + (weight[end] - weight[begin]) * rng.random(len(slots.person))
    brigade = scene.people.brigade[slots.person]
    nth = np.where(brigade, begin, (np.searchsorted(weight, drawn, side="right") - 1).clip(begin, end - 1))
    post = threads[nth]
    lag = np.where(brigade, 3 * DAY * rng.random(len(post)), _lags(scene, 3, len(post)))
    own = (posts.person[post] == slots.person) & (posts.role[post] == ASK)
    role = np.where(brigade, JEER, np.where(own, STILL, PLAIN))
    return _Rows(_after(scene, posts.at[post], lag, MONTH), slots.person, post, role, slots.wants)


def _silent(at: Ints, person: Ints, post: Ints, role: int) -> _Rows:
    """Put together replies in which nothing is wanted."""
    return _Rows(at, person, post, np.full(len(at), role), np.zeros((len(at), len(INTENTS)), dtype=bool))


def _thanks(scene: _Scene, posts: _Rows, solution: _Rows) -> _Rows:
    """Let those who asked say that it is solved, within the week after the question."""
    wait = scene.rng.exponential(6 * HOUR, len(solution.at))
    at = _after(scene, solution.at, wait, 4 * DAY)
    return _silent(at, posts.person[solution.post], solution.post, THANKS)


def _assembled(scene: _Scene, parts: list[_Rows], accepted: Flags) -> Threads:
    """Put the posts, first answers and the rest in the order of time, and cut them to the era; a thread cut at its head is dropped."""
    posts, first = parts[:2]
    at, person, post, role, wants = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    opener = np.full(len(posts.at), -1)
    opener[first.post] = len(posts.at) + np.arange(len(first.at))
    human = np.flatnonzero(role != MACHINE)
    human = human[np.lexsort((human, at[human], post[human]))]
    before = np.full(len(at), -1)
    before[human[1:]] = human[:-1]
    talk = np.isin(role, (PLAIN, STILL)) & (scene.rng.random(len(at)) < 0.4)
    parent = np.where(talk, before, np.where(role == THANKS, opener[post], post))
    parent[: len(posts.at)] = -1

    kept = np.flatnonzero((posts.at[post] >= scene.era.since) & (at < scene.era.until))
    kept = kept[np.argsort(at[kept], kind="stable")]
    row = np.full(len(at) + 1, -1)
    row[kept] = np.arange(len(kept))
    return Threads(at[kept], person[kept], row[post[kept]], row[parent[kept]], role[kept], accepted[kept], wants[kept])
