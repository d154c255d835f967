"""What the report says, read from the published run: a read-only connection flows in, values that templates and figures take flow out."""

from __future__ import annotations

import math
import sqlite3
from dataclasses import dataclass, replace
from typing import Any

from scoring.arguments.telling import told
from scoring.formula import COMPONENTS
from scoring.report import queries
from scoring.report.against import against
from scoring.report.queries import KINDS, Kind
from scoring.report.tree import Join, joins

Row = dict[str, Any]
STRONGEST_FIRST = ("T4", "T3", "SW", "T1", "T2", "W", "T0", "S", "N")
"""Tiers of intent in the order in which they convince: what was paid, what is being bought, what is asked for, then talk."""
PROMISING = ("pursue", "watch")
PIECES = 3
ASKING, ASKING_SHARE = 3, 0.001
"""People, and share of an entity's people, from whom on what they ask for is its need; a few people's wish is nobody's market."""


@dataclass(frozen=True)
class Part:
    """One component of a score, in words and points."""

    title: str
    meaning: str
    percentile: float
    """Share of the entities of the same kind that are below."""
    cost: float
    """Points the score would gain if this part were the best possible."""


@dataclass(frozen=True)
class Opportunity:
    """A ranked archetype, niche or community with what its claim rests on."""

    kind: Kind
    facts: Row
    """Its row in the ranking, named as in the view, and ``id`` and ``parent`` (the name of what it belongs to)."""
    needs: list[Row]
    """What enough of its people ask for to be called its need."""
    thin: list[Row]
    """What a few ask for, where no need is shared."""
    exemplars: list[Row]
    evidence: list[Row]
    parts: list[Part]
    """The costliest first."""
    profile: list[Row]
    """An archetype's most unusual features, the most unusual first."""
    terms: list[str]


@dataclass(frozen=True)
class Contents:
    """Everything a report shows."""

    run: Row
    totals: Row
    kind: Kind
    """What the decision is about: niches where there are any, else archetypes, else communities."""
    leading: list[Opportunity]
    leads: list[Opportunity]
    """Where another kind has a better verdict to offer than the leading one: its best rows."""
    archetypes: list[Opportunity]
    """The top archetypes, where niches lead."""
    rankings: dict[Kind, list[Row]]
    verdicts: dict[Kind, dict[str, int]]
    sources: list[Row]
    licences: list[Row]
    """The terms under which each source is quoted."""
    sensitive: list[Row]
    """The subjects of the communities that are never scored, with their numbers."""
    set_aside: list[Row]
    """The commonest reasons for malformed items."""
    features: list[Row]
    """Every feature: in how many communities it could be measured, and the commonest reason where not."""
    unseen: list[str]
    """Features that no community seen through a listing has a value for."""
    criteria: list[Row]
    votes: dict[str, int]
    """Criterion to the number of groups that it alone would choose."""
    clusters: list[Row]
    """Every group that was found, kinds by rank first, those that are no kind last."""
    joins: list[Join]
    """The hierarchy above the kinds, the nearest first."""
    profiles: list[Row]
    places: list[Row]
    outliers: list[Row]


def read(connection: sqlite3.Connection, *, top: int, shown: int) -> Contents:
    """Read the published run.

    Args:
        connection: From ``storage.results_file.read_only``.
        top: Rows of each kind that get a section of their own.
        shown: Rows of each ranking that are listed.

    Raises:
        LookupError: Nothing has been published yet.
    """
    runs = _rows(connection, queries.RUN)
    if not runs:
        raise LookupError("No run has been published yet. Run `subcurrent run` first.")
    verdicts: dict[Kind, dict[str, int]] = {
        kind: {row["verdict"]: row["n"] for row in _rows(connection, queries.VERDICTS, kind)} for kind in KINDS
    }
    leading: Kind = next((kind for kind in KINDS if verdicts[kind]), "community")
    rankings: dict[Kind, list[Row]] = {kind: _rows(connection, queries.RANKED[kind], shown) for kind in KINDS}
    return Contents(
        run=runs[0],
        totals=_rows(connection, queries.TOTALS)[0],
        kind=leading,
        leading=_opportunities(connection, leading, limit=top),
        leads=_leads(connection, leading, rankings),
        archetypes=_opportunities(connection, "archetype", limit=top) if leading == "niche" else [],
        rankings=rankings,
        verdicts=verdicts,
        sources=_rows(connection, queries.SOURCES),
        licences=_rows(connection, queries.LICENCES),
        sensitive=_rows(connection, queries.SENSITIVE),
        set_aside=_rows(connection, queries.SET_ASIDE),
        features=_rows(connection, queries.FEATURE_COVERAGE),
        unseen=[row["feature"] for row in _rows(connection, queries.UNSEEN)],
        criteria=_rows(connection, queries.CRITERIA),
        votes={row["criterion"]: row["k"] for row in _rows(connection, queries.VOTES)},
        clusters=_rows(connection, queries.CLUSTERS),
        joins=joins(
            _rows(connection, queries.MERGES),
            {row["archetype_id"]: (row["rank"], row["name"]) for row in _rows(connection, queries.NAMED)},
        ),
        profiles=_rows(connection, queries.PROFILES),
        places=_rows(connection, queries.PLACES),
        outliers=_rows(connection, queries.OUTLIERS),
    )


def _leads(connection: sqlite3.Connection, leading: Kind, rankings: dict[Kind, list[Row]]) -> list[Opportunity]:
    """Read the best rows of another kind, where their verdict is better than that of the first of the leading kind."""
    best = {kind: _grade(rows[0]["verdict"]) for kind, rows in rankings.items() if rows}
    kind = min(best, key=lambda kind: best[kind], default=leading)
    if best.get(kind, len(PROMISING)) >= best.get(leading, len(PROMISING)):
        return []
    of_that = [row for row in rankings[kind] if _grade(row["verdict"]) == best[kind]]
    return _argued([_opportunity(connection, kind, facts) for facts in of_that[:PIECES]])


def _grade(verdict: str) -> int:
    """Place a verdict among those that are worth a reader's time."""
    return PROMISING.index(verdict) if verdict in PROMISING else len(PROMISING)


def _opportunities(connection: sqlite3.Connection, kind: Kind, *, limit: int) -> list[Opportunity]:
    """Read the top rows of one ranking with what they rest on."""
    return _argued([_opportunity(connection, kind, facts) for facts in _rows(connection, queries.RANKED[kind], limit)])


def _opportunity(connection: sqlite3.Connection, kind: Kind, facts: Row) -> Opportunity:
    identity = facts["id"]
    asked = _rows(connection, queries.NEEDS, kind, identity)
    least = max(ASKING, ASKING_SHARE * (facts["active_authors"] or 0))
    needs = [need for need in asked if need["authors"] >= least]
    return Opportunity(
        kind=kind,
        facts=facts,
        needs=needs,
        thin=[] if needs else asked[:1],
        exemplars=_rows(connection, queries.EXEMPLARS[kind], identity),
        evidence=_varied(_rows(connection, queries.EVIDENCE, kind, identity)),
        parts=[_part(row, score=facts["score"]) for row in _rows(connection, queries.PARTS, kind, identity)],
        profile=_rows(connection, queries.PROFILE, identity) if kind == "archetype" else [],
        terms=[row["term"] for row in _rows(connection, queries.TERMS, kind, identity)],
    )


def _argued(opportunities: list[Opportunity]) -> list[Opportunity]:
    """Give those that came without a counter-argument, as single communities do, one from their own numbers."""
    claims = {
        item.facts["id"]: against(item.facts, {part.title: part.cost for part in item.parts})
        for item in opportunities
        if item.parts and not item.facts["counter_argument"]
    }
    said = told(claims, joint="; besides, ")
    return [
        replace(item, facts=item.facts | {"counter_argument": said[item.facts["id"]]}) if item.facts["id"] in said else item
        for item in opportunities
    ]


def _varied(evidence: list[Row]) -> list[Row]:
    """Choose three records: quotable before not, strong before weak, and another community each time as long as there is one."""
    strength = {tier: place for place, tier in enumerate(STRONGEST_FIRST)}
    best = sorted(evidence, key=lambda row: (not row["quote"], strength.get(row["tier"], len(strength))))
    chosen: list[Row] = []
    while best and len(chosen) < PIECES:
        seen = {row["community_id"] for row in chosen}
        following = next((row for row in best if row["community_id"] not in seen), best[0])
        best = [row for row in best if row["record_id"] != following["record_id"]]
        chosen.append(following)
    return chosen


def _part(row: Row, *, score: float | None) -> Part:
    component = next(component for component in COMPONENTS if component.name == row["component"])
    return Part(component.title, component.meaning, row["percentile"], cost=(score or 0.0) * math.expm1(-row["contribution"]))


def _rows(connection: sqlite3.Connection, query: str, *values: object) -> list[Row]:
    return [dict(row) for row in connection.execute(query, values)]
