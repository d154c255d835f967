"""What speaks against an entity, strongest first, with the numbers and the names of that entity, by code alone.

In flow a ranking, and what people were heard to say in each group. The strength of a claim is the share of the score that its
part costs, or the share by which the evidence may be wrong.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd

from scoring.arguments.plain import PLAIN, READINGS, TITLES, figure, pictured, short
from scoring.arguments.telling import Claim, told, worded
from scoring.components import PRIOR
from scoring.opportunity import NAMES, SLOT_NAMES, Scores
from scoring.verdicts import Ranking

STABLE = 0.75
"""Bootstrap Jaccard from which a cluster counts as stable (Hennig 2007); below it, its existence is an argument."""
VOICES = ("payers", "buyers", "seekers", "refusers", "pricey", "promoters", "products", "loudest", "loudest_share", "communities")
"""Columns of what was heard in a group: people who say what they paid, want to buy, look for a solution, refuse to pay, find it
too expensive, promote their own; products (pairs of name and records that name it), the community with most voices of money and
demand, its share of them, and the number of communities."""
LEAST_SHARE = 0.4
"""Share of a group's voices from which one community carries it."""
REFUSED = 0.4
"""Weight of a refusal against a payment in the score."""
SPENT_WORDS = 0.5
"""What stands beside every score already, or is no weakness but only no strength, counts half."""
NAMED = 2.0
"""What a reader can go and look at, as a product by its name, or a crowd that shrinks, counts double."""
LEAST_SHRINKING = 0.005
"""Loss of active people a month from which a crowd is said to shrink; below it, it stands still."""
FEW = 100
"""People below whom their number is an argument."""


def counter_argument(ranking: Ranking, heard: pd.DataFrame | None = None) -> pd.Series:
    """State the two strongest arguments against each entity. Index entity_id, in the order of rank.

    Args:
        ranking: The entities of one kind.
        heard: Index entity_id, columns ``VOICES``; None where nothing is known but the scores.
    """
    scores = ranking.scores
    facts = scores.facts.join(ranking.table.drop(columns=["score", "coverage"])).loc[ranking.table.index]
    slots: dict[str, list[Any]] = {str(entity): [] for entity in facts.index}
    for slot in scores.ingredients.itertuples():
        slots[str(slot.entity_id)].append(slot)
    voices = {} if heard is None else {str(row.Index): row for row in heard.itertuples()}
    claims = {}
    for known in facts.itertuples():
        entity = str(known.Index)
        own = [*_weaknesses(scores, entity, slots[entity], voices.get(entity)), *_doubts(known, slots[entity], last=len(facts))]
        own += _heard(voices[entity]) if entity in voices else []
        withheld = [Claim(1.0, worded("withheld", ("{why}",), why=known.withheld))]
        claims[entity] = withheld if known.withheld else sorted(own, key=lambda claim: -claim.strength)
    return pd.Series(told(claims, joint="; besides, "), dtype=object).rename_axis("entity_id")


def _weaknesses(scores: Scores, entity: str, slots: list[Any], voices: Any) -> Iterator[Claim]:
    """Each measured component with what it takes off the score, told by the ingredient that costs it most."""
    at = scores.facts.index.get_loc(entity)
    values, logs = scores.components.to_numpy(float)[at], scores.contributions.to_numpy(float)[at]
    for name, value, log in zip(NAMES, values, logs, strict=True):
        own = [slot for slot in slots if slot.component == name and not math.isnan(slot.percentile) and slot.weight > 0]
        lost = -math.expm1(log)
        if not own or lost < 0.005:
            continue
        worst = max(own, key=lambda slot: slot.weight * (1 - slot.percentile))
        if worst.slot == "headroom" and voices is not None and voices.products:
            yield Claim(NAMED * lost, _incumbents(voices, lost))
        elif worst.ingredient == "growth" and worst.value < -LEAST_SHRINKING:
            yield Claim(NAMED * lost, _shrinking(worst, lost))
        elif value >= 0.5:  # above the middle of the market: no weakness of its own, only no strength
            yield Claim(SPENT_WORDS * lost, _middling(TITLES[name], worst, lost))
        else:
            yield Claim(lost, _weak(worst, lost, grouped=scores.kind != "community", voices=voices))


_COSTS = (
    "{clause} ({shown}), which takes {lost:.0f} % off the score",
    "{lost:.0f} % of the score is lost because {clause} ({shown})",
    "{clause}: {shown}, at a price of {lost:.0f} % of the score",
    "{clause} ({shown}); without that the score would be {more:.0f} % higher",
)


def _weak(worst: Any, lost: float, *, grouped: bool, voices: Any) -> tuple[Any, ...]:
    shown = _shown(worst, grouped=grouped, voices=voices)
    known = {"shown": shown, "lost": 100 * lost, "more": 100 * lost / (1 - lost)}
    return tuple(
        wording
        for form in _COSTS
        for clause in PLAIN[worst.ingredient].low
        for wording in worded(f"{clause}, {'none' if shown.startswith('nobody') else 'some'}", (form,), clause=clause, **known)
    )


def _shown(worst: Any, *, grouped: bool, voices: Any) -> str:
    """Give the figure behind a weakness; where most communities show nothing at all, how many people were heard instead."""
    count = {"seeking": "seekers", "money": "payers"}.get(worst.ingredient)
    if grouped and worst.value == 0:
        return f"nobody in most of its communities{_in_all(getattr(voices, count)) if voices is not None and count else ''}"
    above = f", above {100 * worst.percentile:.0f} % of communities" if pictured(READINGS[worst.ingredient]) else ""
    return f"{short(worst.ingredient)} is {_level(worst)}{above}"


def _level(slot: Any) -> str:
    """Give a value where a person can picture it, else the share of communities below it."""
    if slot.slot == "homogeneity":
        return f"{slot.value:.2f} of 1"
    reading = READINGS[slot.ingredient]
    return figure(reading, slot.value) if pictured(reading) else f"above that of {100 * slot.percentile:.0f} % of communities"


def _in_all(people: int) -> str:
    return f", {people:,} {'person' if people == 1 else 'people'} in all" if people else " or in any other"


def few(people: float) -> float:
    """Weigh how few people there are: half the score where there are none, nothing from ``FEW`` on."""
    return SPENT_WORDS * max(0.0, 1 - people / FEW)


def _middling(title: str, worst: Any, lost: float) -> tuple[Any, ...]:
    forms = (
        "{title} is good, not outstanding: {name} ({shown}) holds it back, and {lost:.0f} % of the score is lost",
        "{name} ({shown}) is nothing special and takes {lost:.0f} % off the score",
        "nothing much is wrong with {title}, but {name} ({shown}) costs {lost:.0f} % of the score",
        "with the best {name} (now {shown}), the score would gain up to {more:.0f} %",
    )
    name = short(worst.ingredient)
    shown = _level(worst)
    return worded(f"{title}, {name}", forms, title=title, name=name, shown=shown, lost=100 * lost, more=100 * lost / (1 - lost))


def _shrinking(worst: Any, lost: float) -> tuple[Any, ...]:
    forms = (
        "its crowd shrinks by {shown}, which takes {lost:.0f} % off the score",
        "there are fewer active people every month ({shown} less), at a price of {lost:.0f} % of the score",
        "people drift away, {shown} of the active ones, and {lost:.0f} % of the score with them",
    )
    return worded("shrinking", forms, shown=figure(READINGS["growth"], abs(worst.value)).removeprefix("+"), lost=100 * lost)


def _incumbents(voices: Any, lost: float) -> tuple[Any, ...]:
    named = [f"“{name}” ({n:,} {'record' if n == 1 else 'records'})" for name, n in voices.products[:3]]
    forms = (
        "they have {first} already, named in words of buying or switching; a full field takes {lost:.0f} % off the score",
        "whoever comes has to beat {all}, and the score loses {lost:.0f} % to them",
        "money already flows to {all}; what is taken costs {lost:.0f} % of the score",
        "{first} and its like are in the place already, at a cost of {lost:.0f} % of the score",
    )
    listed = named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"
    return worded(f"incumbents {len(named)}", forms, first=named[0], all=listed, lost=100 * lost)


def _doubts(known: Any, slots: list[Any], *, last: int) -> Iterator[Claim]:
    """What makes the numbers themselves doubtful: spread, few authors, gaps, a group that does not hold together."""
    if known.score_low < known.score and known.rank_low < known.rank_high:
        forms: tuple[str, ...] = (
            "by chance alone it may stand as low as place {rank:.0f} of {last}, at a score of {low:.0f}",
            "another draw of people and weights puts it anywhere down to rank {rank:.0f} of {last}",
            "its place is not sure: rank {best:.0f} to {rank:.0f}, and the score may be {low:.0f}",
            "resampled, the score falls to {low:.0f} and the rank to {rank:.0f}",
        )
        strength = SPENT_WORDS * (1 - known.score_low / known.score)
        yield Claim(strength, worded("spread", forms, rank=known.rank_high, best=known.rank_low, last=last, low=known.score_low))
    if known.authors < FEW:
        forms = (
            "it rests on no more than {n:,.0f} people",
            "all of it was said by {n:,.0f} people",
            "{n:,.0f} people are the whole sample",
        )
        yield Claim(few(known.authors), worded("people", forms, n=known.authors))
    if known.coverage < 1:
        yield _gap(known, slots)
    if known.stability < STABLE:
        forms = (
            "drawn again, it shares only {overlap:.0f} % of its communities with tonight's",
            "its borders are loose: a new draw gives only {overlap:.0f} % of the same communities",
            "who belongs to it is unsure, as only {overlap:.0f} % of it comes back when drawn again",
        )
        yield Claim(1 - known.stability, worded("stability", forms, overlap=100 * known.stability))
    if known.presence < 1:
        forms = (
            "{share:.0f} % of the resampled runs did without it",
            "it was not found again in {share:.0f} % of the resampled runs",
            "resampled, it is gone in {share:.0f} % of the runs",
        )
        yield Claim(1 - known.presence, worded("presence", forms, share=100 * (1 - known.presence)))


def _gap(known: Any, slots: list[Any]) -> Claim:
    largest = max(slots, key=lambda slot: (1 - slot.measured) * PRIOR[SLOT_NAMES.index(slot.slot)])
    forms = (
        "{share:.0f} % of what the score asks for is not measured, above all {name}",
        "nothing is known about {name}, and {share:.0f} % of the score's weight is missing in all",
        "{name} could not be measured, one of the gaps that leave {share:.0f} % of the score unknown",
    )
    name = short(largest.slot)
    return Claim(SPENT_WORDS * (1 - known.coverage), worded(f"gap {name}", forms, share=100 * (1 - known.coverage), name=name))


def _heard(voices: Any) -> Iterator[Claim]:
    """What people themselves said against it: refusals, prices; and how few voices the money rests on."""
    paid = voices.payers + voices.buyers
    if voices.refusers and paid:
        share = min(1.0, REFUSED * voices.refusers / paid)
        forms: tuple[str, ...] = (
            "{n:,} of its people refuse to pay or use something free, against {paid:,} who pay or want to buy",
            "for {paid:,} people who pay or want to buy there are {n:,} who will not pay",
            "{n:,} people say that they would never pay, or take what is free",
            "against {paid:,} who spend or mean to, {n:,} refuse",
        )
        yield Claim(share, worded("refusal", forms, n=voices.refusers, paid=paid))
    if 0 < paid < FEW:
        forms = (
            "the money rests on {payers:,} people who say what they paid and {buyers:,} who want to buy or switch",
            "only {payers:,} people tell of a payment, {buyers:,} of a purchase they plan",
            "{payers:,} payers and {buyers:,} would-be buyers are all that is heard of money",
        )
        yield Claim(few(paid), worded("payers", forms, payers=voices.payers, buyers=voices.buyers))
    if voices.pricey:
        forms = (
            "{n:,} people call what they find too expensive",
            "prices are a grievance for {n:,} of its people",
            "{n:,} people complain of prices, so a dear product will not do",
        )
        yield Claim(0.1 * min(1.0, voices.pricey / (1 + paid)), worded("price", forms, n=voices.pricey))
    if voices.communities > 2 and voices.loudest_share >= LEAST_SHARE:
        forms = (
            "{share:.0f} % of those who ask or pay are in “{name}” alone",
            "one community, “{name}”, carries {share:.0f} % of the voices",
            "without “{name}” {share:.0f} % of the demand and money would be gone",
        )
        strength = voices.loudest_share - 1 / voices.communities
        yield Claim(strength, worded("one community", forms, share=100 * voices.loudest_share, name=voices.loudest))
