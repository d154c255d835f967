"""What speaks against an entity, and what would change its verdict: sentences with the numbers of that entity, by code alone.

In flow a ranking. Out flow one sentence per entity. Where two entities would end with the same sentence, both get their next
argument as well, until they differ or have nothing left to say.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from scoring.components import COMPONENTS, INGREDIENTS, PRIOR, Floats, Panel, Reading, combine
from scoring.opportunity import COMPONENT_OF, NAMES, SLOT_NAMES, Scores
from scoring.verdicts import SHALLOW, VERDICTS, Gates, Grades, Ranking, apart, blocking, comparisons, grade

TITLES = {component.name: component.title for component in COMPONENTS}
STABLE = 0.75
"""Bootstrap Jaccard from which a cluster counts as stable (Hennig 2007); below it, its existence is an argument."""
READINGS = {reading.feature: reading for ingredient in INGREDIENTS for reading in ingredient.readings}


PLAIN = {"pursue": "worth pursuing", "saturated": "crowded", "insufficient_evidence": "a case of too little evidence"}
"""Verdicts whose names are not plain words."""


class Claim(NamedTuple):
    """An argument and its strength, roughly the share of the score that is at stake."""

    strength: float
    words: str


def counter_argument(ranking: Ranking) -> pd.Series:
    """State the two strongest arguments against each entity, strongest first. Index entity_id, in the order of rank."""
    scores = ranking.scores
    told = scores.facts.join(ranking.table.drop(columns=["score", "coverage"])).loc[ranking.table.index]
    slots: dict[str, list[Any]] = {str(entity): [] for entity in told.index}
    for slot in scores.ingredients.itertuples():
        slots[str(slot.entity_id)].append(slot)
    said = {}
    for known in told.itertuples():
        entity = str(known.Index)
        claims = [] if known.withheld else [*_weaknesses(scores, entity, slots[entity]), *_doubts(known, slots[entity])]
        said[entity] = [claim.words for claim in sorted(claims, key=lambda claim: -claim.strength)] or [str(known.withheld)]
    return _told_apart(said, joint="; besides, ")


def _weaknesses(scores: Scores, entity: str, slots: list[Any]) -> Iterator[Claim]:
    """Each measured component with what it takes off the score, told by the ingredient that costs it most."""
    at = scores.facts.index.get_loc(entity)
    values, logs = scores.components.to_numpy(float)[at], scores.contributions.to_numpy(float)[at]
    for name, value, log in zip(NAMES, values, logs, strict=True):
        own = [slot for slot in slots if slot.component == name and not math.isnan(slot.percentile) and slot.weight > 0]
        if not own:
            continue
        lost = -math.expm1(log)
        worst = max(own, key=lambda slot: slot.weight * (1 - slot.percentile))
        reading = READINGS[worst.ingredient]
        grouped = scores.kind != "community" and worst.slot != "homogeneity"
        above = "" if worst.slot == "homogeneity" else f", above {100 * worst.percentile:.0f} % of communities"
        value_told = f"{'a median of ' if grouped else ''}{reading.words(worst.value)}{above}"
        measured = f"{reading.title}: {'none seen in most of its communities' if grouped and worst.value == 0 else value_told}"
        yield Claim(lost, f"{TITLES[name]} is {value:.2f} of 1 ({measured}) and alone takes {100 * lost:.0f} % off the score")


def _doubts(known: Any, slots: list[Any]) -> Iterator[Claim]:
    """What makes the numbers themselves doubtful: spread, few authors, gaps, a group that does not hold together."""
    if known.score_low < known.score:
        span = f"{known.score_low:.1f} to {known.score_high:.1f}"
        ranks = f", its rank anywhere from {known.rank_low} to {known.rank_high}" if known.rank_low < known.rank_high else ""
        yield Claim(1 - known.score_low / known.score, f"its score could be {span} (90 % interval around {known.score:.1f}){ranks}")
    yield Claim(1 / math.sqrt(max(known.authors, 1)), f"it rests on {known.authors:,.0f} distinct authors")
    if known.coverage < 1:
        largest = max(slots, key=lambda slot: (1 - slot.measured) * PRIOR[SLOT_NAMES.index(slot.slot)])
        missing = f"{100 * (1 - known.coverage):.0f} % of what the score asks for is not measured, above all {READINGS[largest.slot].title}"
        yield Claim(1 - known.coverage, missing)
    if known.stability < STABLE:
        yield Claim(1 - known.stability, f"drawn again, its communities overlap only {known.stability:.2f} with tonight's (Jaccard)")
    if known.presence < 1:
        share = f"{100 * (1 - known.presence):.0f} % of the resampled runs" if known.presence > 0 else "every resampled run"
        yield Claim(1 - known.presence, f"{share} did without it")


@dataclass(frozen=True)
class _Case:
    """All entities of a ranking as arrays, ready to be changed in one quantity. Rows follow ``Scores.facts``."""

    ranking: Ranking
    gates: Gates
    components: Floats
    percentile: pd.DataFrame
    """Entity by ingredient; NaN where missing or not applicable."""
    share: pd.DataFrame

    @classmethod
    def of(cls, ranking: Ranking) -> _Case:
        scores = ranking.scores
        gates = Gates.of(scores, ranking.table["score_low"].reindex(scores.facts.index).to_numpy(float))
        wide = (
            scores.ingredients.pivot(index="entity_id", columns="slot", values=what).reindex(scores.facts.index)
            for what in ("percentile", "weight")
        )
        return cls(ranking, gates, scores.components.to_numpy(float), *wide)

    def grades(self, **changed: Any) -> Grades:
        return grade(self.gates._replace(**changed), self.ranking.thresholds)

    def moved(self, slot: str, step: Floats) -> Grades:
        """Verdicts if an ingredient moved by so many percentiles in all of an entity's communities; the interval keeps its width."""
        components = self.components.copy()
        column = NAMES.index(COMPONENT_OF[slot])
        components[:, column] = np.clip(components[:, column] + self.share[slot].to_numpy(float) * step, 0, 1)
        score = combine(components)[0]
        parts = {name: components[:, NAMES.index(name)] for name in ("demand", "money", "retained_reach", "headroom")}
        if slot == "switching_wedge":
            parts["switching_wedge"] = self.gates.switching_wedge + step
        return self.grades(**parts, score=score, score_low=score - (self.gates.score - self.gates.score_low))


class _Change(NamedTuple):
    """A single change that moves an entity to another verdict."""

    distance: float
    """Percentiles for an ingredient, a share of its range or size for anything else."""
    verdict: str
    words: str


def would_change(ranking: Ranking, panel: Panel) -> pd.Series:
    """Name the smallest single change to a better verdict and to a worse one. Index entity_id, in the order of rank."""
    case = _Case.of(ranking)
    ids = ranking.scores.facts.index
    changes = {better: _changes(case, panel, better=better) for better in (True, False)}
    said = {}
    for entity, at in zip(ranking.table.index, ids.get_indexer(ranking.table.index).tolist(), strict=True):
        if case.gates.withheld[at]:
            said[str(entity)] = ["nothing: it is never scored"]
            continue
        ups, downs = (sorted(changes[better][at]) for better in (True, False))
        first = [_up(case, at, ups), _down(case, at, downs)]
        rest = [f"or, to become {_plain(change.verdict)}: {change.words}" for change in ups[1:]]
        rest += [f"or, to fall to {_plain(change.verdict)}: {change.words}" for change in downs[1:]]
        said[str(entity)] = [words for words in (*first, *rest) if words]
    return _told_apart(said, joint="; ")


def _up(case: _Case, at: int, changes: list[_Change]) -> str:
    verdict = VERDICTS[case.grades()[at]]
    if verdict == "pursue":
        return ""
    if changes:
        return f"to become {_plain(changes[0].verdict)}: {changes[0].words}"
    facts = comparisons(case.gates, case.ranking.thresholds, at)
    said = " and ".join(item.words() for item in blocking(verdict, facts))
    return f"no single change lifts it above {_plain(verdict)}, because {said}"


def _down(case: _Case, at: int, changes: list[_Change]) -> str:
    if changes:
        return f"to fall to {_plain(changes[0].verdict)}: {changes[0].words}"
    return "" if case.grades()[at] >= SHALLOW else "no single fall makes it worse"  # below shallow there is only lack of evidence


def _plain(verdict: str) -> str:
    return PLAIN.get(verdict, verdict)


def _changes(case: _Case, panel: Panel, *, better: bool) -> list[list[_Change]]:
    """Collect, for every entity, each single change that suffices."""
    found: list[list[_Change]] = [[] for _ in case.ranking.scores.facts.index]
    for slot in case.percentile.columns:
        for at, change in _by_ingredient(case, panel, str(slot), better=better):
            found[at].append(change)
    for name in ("authors", "coverage", "stability", "score_low"):
        for at, change in _by_gate(case, name, better=better):
            found[at].append(change)
    return found


def _by_ingredient(case: _Case, panel: Panel, slot: str, *, better: bool) -> Iterator[tuple[int, _Change]]:
    """Find the nearest level of an ingredient that gives another verdict, among those that some community of the panel shows."""
    rows = case.ranking.scores.ingredients
    rows = rows[rows["slot"] == slot].set_index("entity_id").reindex(case.percentile.index)
    item, read = INGREDIENTS[SLOT_NAMES.index(slot)], rows["ingredient"].to_numpy(object)
    own, standing = rows["value"].to_numpy(float), rows["percentile"].to_numpy(float)
    for reading in item.readings:
        values = np.arange(101) / 100 if item.group_only else np.unique(panel.reference[reading.feature])
        levels = values if item.group_only else panel.percentile(reading.feature, values)
        values, levels = values[levels <= item.cap], levels[levels <= item.cap]
        levels, values = np.append(levels, math.nan), np.append(values, math.nan)  # the last place answers for -1, no such level
        reached = _nearest(case, slot, levels[:-1], better=better, of=read == reading.feature)
        verdicts = case.moved(slot, np.nan_to_num(levels[reached] - standing))
        for at in np.flatnonzero(reached >= 0):
            after = (float(values[reached[at]]), float(levels[reached[at]]))
            if own[at] == 0 and (seen := _seen(case, panel, reading, int(at))):
                words = f"{reading.title}, seen in {seen} communities, would have to be {reading.words(after[0], digits=2)} in half of them"
            else:
                words = _ingredient_words(case, reading, slot, before=(own[at], standing[at]), after=after)
            yield int(at), _Change(abs(float(levels[reached[at]] - standing[at])), VERDICTS[verdicts[at]], words)


def _nearest(case: _Case, slot: str, levels: Floats, *, better: bool, of: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Say which level first changes each entity's verdict, -1 for none.

    Searched by halves, for all entities at once: raising an ingredient never makes a verdict worse, lowering one never better.
    """
    standing, tonight, sign = case.percentile[slot].to_numpy(float), case.grades(), 1 if better else -1
    first = np.searchsorted(levels, standing, side="right") if better else np.searchsorted(levels, standing, side="left") - 1
    room = len(levels) - first if better else first + 1

    def turned(steps: NDArray[np.int64]) -> NDArray[np.bool_]:
        level = levels[np.clip(first + sign * steps, 0, max(len(levels) - 1, 0))]
        after = case.moved(slot, level - standing)
        return after < tonight if better else after > tonight

    open_to = of & ~np.isnan(standing) & (room > 0)
    if not open_to.any():
        return np.full(len(standing), -1)
    low, high = np.zeros(len(standing), dtype=np.int64), np.maximum(room - 1, 0)
    possible = open_to & turned(high)
    while (low < high).any():
        middle = (low + high) // 2
        enough = turned(middle)
        low, high = np.where(enough, low, np.minimum(middle + 1, high)), np.where(enough, middle, high)
    return np.where(possible, first + sign * high, -1)


def _seen(case: _Case, panel: Panel, reading: Reading, at: int) -> str:
    """Say in how many of a group's measured communities anything of a feature was seen; empty where the panel does not know them."""
    members = case.ranking.scores.members
    own = members.index[members == case.percentile.index[at]]
    values = panel.values[reading.feature].reindex(own).dropna() if case.ranking.scores.kind != "community" else pd.Series(dtype=float)
    return f"{(values > 0).sum():,} of its {len(values):,}" if len(values) else ""


def _ingredient_words(case: _Case, reading: Reading, slot: str, *, before: tuple[float, float], after: tuple[float, float]) -> str:
    """Say from where to where (value, percentile), in the feature's own unit and on the panel."""
    first, second = _values(reading, float(before[0]), float(after[0]))
    alone = slot == "homogeneity"
    grouped = case.ranking.scores.kind != "community" and not alone
    who = f"{reading.title} (median of its communities)" if grouped else reading.title
    reached = "" if alone else f" (from above {100 * before[1]:.0f} % of communities to {100 * after[1]:.0f} %)"
    return f"{who} {'up' if after[1] > before[1] else 'down'} from {first} to {second}{reached}"


def _values(reading: Reading, before: float, after: float) -> tuple[str, str]:
    """Print two values of a feature so that they can be told apart."""
    digits = 3
    while reading.words(before, digits=digits) == reading.words(after, digits=digits) and before != after and digits < 15:
        digits += 1
    return reading.words(before, digits=digits), reading.words(after, digits=digits)


def _by_gate(case: _Case, name: str, *, better: bool) -> Iterator[tuple[int, _Change]]:
    """Try a quantity that is no ingredient at its threshold, or just short of it."""
    tonight, value = case.grades(), getattr(case.gates, name)
    least = float(getattr(case.ranking.thresholds, name))
    short = least - 1 if name == "authors" else np.nextafter(least, 0)
    turned = case.grades(**{name: np.where(np.isnan(value), value, least if better else short)})
    for at in np.flatnonzero(turned < tonight if better else turned > tonight):
        size = max(value[at], least) if name == "authors" else 100 if name == "score_low" else 1
        far = float(abs(value[at] - least) / size)
        if not better and far > 0.5:
            continue  # evidence seldom shrinks by itself, and never by that much
        yield int(at), _Change(far if better else 2 * far, VERDICTS[turned[at]], _gate_words(case, name, int(at), better=better))


def _gate_words(case: _Case, name: str, at: int, *, better: bool) -> str:
    before, least = apart(float(getattr(case.gates, name)[at]), float(getattr(case.ranking.thresholds, name)))
    goal = f"{'up' if better else 'down'} from {before} to {least if better else f'below {least}'}"
    match name:
        case "authors":
            return f"distinct authors {goal}"
        case "coverage":
            return f"the measured share of the score's weight {goal}{_by_measuring(case, at) if better else ''}"
        case "stability":
            return f"the overlap of its communities when drawn again (Jaccard) {goal}"
        case _:
            return f"the lower end of the score's 90 % interval {goal}, by evidence alone and at the same score"


def _by_measuring(case: _Case, at: int) -> str:
    """Name the lightest gap that, once measured, would bring enough coverage."""
    rows = case.ranking.scores.ingredients
    own = rows[rows["entity_id"] == case.percentile.index[at]]
    prior = PRIOR[[SLOT_NAMES.index(slot) for slot in own["slot"]]]
    gains = prior * (1 - own["measured"].to_numpy(float)) / prior.sum()
    enough = np.flatnonzero(gains >= case.ranking.thresholds.coverage - case.gates.coverage[at] - 1e-12)
    if not enough.size:
        return ""
    slot = str(own["slot"].iloc[enough[np.argmin(gains[enough])]])
    return f", for which measuring {READINGS[slot].title} alone would do"


def _told_apart(said: dict[str, list[str]], *, joint: str) -> pd.Series:
    """Join two arguments of each entity, and more wherever two entities would say the same."""
    length = dict.fromkeys(said, 2)
    while True:
        texts = {entity: joint.join(words[: length[entity]]) for entity, words in said.items()}
        often = Counter(texts.values())
        alike = [entity for entity, text in texts.items() if often[text] > 1 and length[entity] < len(said[entity])]
        if not alike:
            break
        for entity in alike:
            length[entity] += 1
    return pd.Series({entity: f"{text[:1].upper()}{text[1:]}." for entity, text in texts.items()}, dtype=object).rename_axis("entity_id")
