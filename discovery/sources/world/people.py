"""The persons of an invented community: when they come and go, and what they want. Truth about people is set here, and only here.

In: a :class:`Site`, a number of months, a random generator. Out: :class:`People`, one row per person.
A month is ``floor(epoch / 28 days)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from discovery.sources.world.kinds import Habits, Site

INTENTS = ("seek", "hurt", "patch", "pay", "procure", "pledge", "refuse", "gripe", "recommend")
"""What a person may want or think, each drawn on its own; promoters and brigades want nothing."""
SPREAD = 8.0
"""Concentration of the persons' hazards around their community's (Beta)."""
BRIGADE = 120
"""Accounts that come once, on one day, to jeer."""
POOL = 600
"""Accounts of a subject that are seen in several of its communities."""

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class People:
    """The persons of a community, one per row."""

    arrived: Ints
    """First month present, counted from the world's first."""
    left: Ints
    """First month absent."""
    hazard: Floats
    """The person's own chance of being gone after a month of presence."""
    brigade: Flags
    promoter: Flags
    copier: Flags
    """Pastes one of the subject's common texts."""
    visible: Flags
    """Has not deleted the account."""
    starter: Flags
    pace: Floats
    """Expected records in a month."""
    wants: Flags
    """Shape (persons, intents)."""
    account: Ints
    """Number of the account among the subject's common accounts; -1 where it is seen here only."""

    def __len__(self) -> int:
        """Count the persons."""
        return len(self.arrived)

    def present(self, months: int) -> tuple[Ints, Ints]:
        """List who is present when, as (person, month) in the order of months."""
        stay = np.minimum(self.left, months) - self.arrived
        person = np.repeat(np.arange(len(self)), stay)
        month = self.arrived[person] + np.arange(len(person)) - np.repeat(np.cumsum(stay) - stay, stay)
        order = np.argsort(month, kind="stable")
        return person[order], month[order]


class _Fate(NamedTuple):
    """Coming and going, one row per person."""

    arrived: Ints
    left: Ints
    hazard: Floats
    brigade: Flags


def settle(site: Site, months: int, rng: np.random.Generator, scale: float) -> People:
    """Draw the persons of a community over so many months, those present at the start included."""
    habits = site.habits
    expected = habits.people * scale * np.exp(habits.growth * np.arange(months))
    inflow = np.maximum(expected[1:] - (1 - habits.hazard) * expected[:-1], 0)
    arrived = np.repeat(np.arange(months), rng.poisson(np.concatenate([expected[:1], inflow])))
    # Whoever is found present tends to stay: the present follow Beta(sh, s(1 - h)), and those who arrive Beta(sh + 1, s(1 - h)).
    hazard = rng.beta(SPREAD * habits.hazard + (arrived > 0), SPREAD * (1 - habits.hazard)).clip(1e-4, 1)
    left = arrived + rng.geometric(hazard)
    fate = _Fate(arrived, left, hazard, np.zeros(len(arrived), dtype=bool))
    if site.brigaded:
        crowd, month = max(1, int(BRIGADE * scale)), months // 2
        columns = (np.full(crowd, month), np.full(crowd, month + 1), np.ones(crowd), np.ones(crowd, dtype=bool))
        fate = _Fate(*(np.concatenate(pair) for pair in zip(fate, columns, strict=True)))
    return _endowed(habits, fate, rng)


def _endowed(habits: Habits, fate: _Fate, rng: np.random.Generator) -> People:
    """Draw what persons are like, independently of their coming and going."""
    n, brigade = len(fate.arrived), fate.brigade
    promoter = (rng.random(n) < habits.promote) & ~brigade
    shares = np.array([getattr(habits, intent) for intent in INTENTS])
    roaming = np.flatnonzero((rng.random(n) < habits.roam) & ~brigade)[:POOL]
    account = np.full(n, -1)
    account[roaming] = rng.permutation(POOL)[: len(roaming)]
    return People(
        arrived=fate.arrived,
        left=fate.left,
        hazard=fate.hazard,
        brigade=brigade,
        promoter=promoter,
        copier=(rng.random(n) < habits.copy) & ~(promoter | brigade),
        visible=rng.random(n) >= habits.deleted,
        starter=(rng.random(n) < habits.starters) & ~brigade,
        pace=habits.pace * rng.gamma(0.8, 1 / 0.8, n),
        wants=(rng.random((n, len(INTENTS))) < shares) & ~(promoter | brigade)[:, None],
        account=account,
    )
