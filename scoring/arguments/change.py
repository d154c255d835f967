"""What would change a verdict: the nearest single change for the better and for the worse, tried out on the scorer itself.

In flow a ranking and the panel. Out flows one sentence per entity, with the level that a quantity would have to reach, in its own
unit; that level is one that some community of the panel shows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from scoring.arguments.plain import PLAIN, figure, short, verdict
from scoring.arguments.telling import Claim, told, worded
from scoring.components import PRIOR, Floats, Panel, combine
from scoring.formula import INGREDIENTS, Reading
from scoring.opportunity import COMPONENT_OF, NAMES, SLOT_NAMES
from scoring.verdicts import SHALLOW, VERDICTS, Gates, Grades, Ranking, apart, blocking, comparisons, grade


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
    about: str
    """What would have to change, and how it is told: alike where only figures differ."""
    words: str


_BETTER = (
    "it would be {verdict} if {words}",
    "if {words}, it would be {verdict}",
    "it would no longer be {now}, but {verdict}, if {words}",
    "one change would make it {verdict}: if {words}",
)
_WORSE = (
    "it would be no more than {verdict} if {words}",
    "if {words}, it would be no more than {verdict}",
    "it would no longer be {now}, only {verdict}, if {words}",
    "one change would leave it {verdict}: if {words}",
)


def would_change(ranking: Ranking, panel: Panel) -> pd.Series:
    """Name the smallest single change to a better verdict and to a worse one. Index entity_id, in the order of rank."""
    case = _Case.of(ranking)
    ids = ranking.scores.facts.index
    changes = {better: _changes(case, panel, better=better) for better in (True, False)}
    claims = {}
    for entity, at in zip(ranking.table.index, ids.get_indexer(ranking.table.index).tolist(), strict=True):
        if case.gates.withheld[at]:
            claims[str(entity)] = [Claim(1.0, worded("withheld", ("nothing: it is never scored",)))]
            continue
        ups, downs = (sorted(changes[better][at]) for better in (True, False))
        first = [_up(case, at, ups), _down(case, at, downs)]
        now = VERDICTS[case.grades()[at]]
        rest = [_claim(change, _BETTER, now) for change in ups[1:4]] + [_claim(change, _WORSE, now) for change in downs[1:4]]
        claims[str(entity)] = [claim for claim in (*first, *rest) if claim is not None]
    return pd.Series(told(claims, joint="; "), dtype=object).rename_axis("entity_id")


def _claim(change: _Change, forms: tuple[str, ...], now: str) -> Claim:
    said = verdict(change.verdict)
    return Claim(1 - change.distance, worded(f"{said}, {change.about}", forms, verdict=said, now=verdict(now), words=change.words))


def _up(case: _Case, at: int, changes: list[_Change]) -> Claim | None:
    grade_now = VERDICTS[case.grades()[at]]
    if grade_now == "pursue":
        return None
    if changes:
        return _claim(changes[0], _BETTER, grade_now)
    lacking = blocking(grade_now, comparisons(case.gates, case.ranking.thresholds, at))
    forms = (
        "no single change makes it better than {verdict}, because {words}",
        "more than one thing keeps it {verdict}: {words}",
        "it takes several changes at once to be more than {verdict}: {words}",
        "{words}, so that no one change makes it more than {verdict}",
    )
    about = f"{grade_now} {' '.join(item.name for item in lacking)}"
    words = " and ".join(item.words() for item in lacking)
    return Claim(1.0, worded(about, forms, verdict=verdict(grade_now), words=words))


def _down(case: _Case, at: int, changes: list[_Change]) -> Claim | None:
    grade_now = case.grades()[at]
    if changes:
        return _claim(changes[0], _WORSE, VERDICTS[grade_now])
    if grade_now >= SHALLOW:
        return None  # below shallow there is only lack of evidence
    return Claim(0.0, worded("no fall", ("no single fall makes it worse",)))


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
            name = PLAIN[reading.feature].name
            if own[at] == 0 and (seen := _seen(case, panel, reading, int(at))):
                about, words = (
                    f"{name} seen",
                    f"{name.rstrip(',')}, now seen in {seen} communities, reached {figure(reading, after[0])} in half of them",
                )
            else:
                about, words = name, _ingredient_words(case, reading, slot, before=(own[at], standing[at]), after=after)
            yield int(at), _Change(abs(float(levels[reached[at]] - standing[at])), VERDICTS[verdicts[at]], about, words)


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
    """Say from where to where, in the feature's own unit."""
    first, second = _values(reading, float(before[0]), float(after[0]))
    of = " in its typical community" if case.ranking.scores.kind != "community" and slot != "homogeneity" else ""
    return f"{PLAIN[reading.feature].name} {'rose' if after[1] > before[1] else 'fell'} from {first} to {second}{of}"


def _values(reading: Reading, before: float, after: float) -> tuple[str, str]:
    """Print two values of a feature so that they can be told apart."""
    digits = 3
    while figure(reading, before, digits=digits) == figure(reading, after, digits=digits) and before != after and digits < 15:
        digits += 1
    return figure(reading, before, digits=digits), figure(reading, after, digits=digits)


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
        yield int(at), _Change(far if better else 2 * far, VERDICTS[turned[at]], name, _gate_words(case, name, int(at), better=better))


def _gate_words(case: _Case, name: str, at: int, *, better: bool) -> str:
    before, least = apart(float(getattr(case.gates, name)[at]), float(getattr(case.ranking.thresholds, name)))
    goal = f"{'rose' if better else 'fell'} from {before} to {least if better else f'below {least}'}"
    match name:
        case "authors":
            return f"the number of people {goal}"
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
    return f", for which measuring {short(slot)} alone would do"
