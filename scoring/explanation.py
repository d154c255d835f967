"""Why something is where it is, as rows: standing, components, ingredients, features, needs, words, evidence, communities.

The published results flow in; rows of one shape flow out, so that a table, JSON and CSV say the same.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scoring.arguments.plain import TITLES, short
from storage.reading import Answer
from storage.results_file import read_only

Row = dict[str, Any]
Part = tuple[str, str, Any, Any, Any, str]
PARTS = ("part", "item", "value", "low", "high", "note")
"""Columns of an explanation."""
RANKINGS = {"archetype": "archetype_rankings", "niche": "niche_rankings", "community": "community_rankings"}


class UnknownEntityError(ValueError):
    """The published run has no such archetype, niche, community or run."""


def ranking(path: Path, entity: str, *, limit: int, as_of: str | None = None) -> Answer:
    """Read the ranking of archetypes, niches or communities, of the published run or an earlier one.

    Raises:
        UnknownEntityError: no such run, or it keeps no ranking.
    """
    with read_only(path) as connection:
        run_id = as_of or _published(connection)
        if connection.execute("SELECT 1 FROM run WHERE run_id = ?", [run_id]).fetchone() is None:
            raise UnknownEntityError(f"There is no run `{run_id}`; `subcurrent runs` lists them.")
        found = connection.execute(f"SELECT * FROM {RANKINGS[entity]} WHERE run_id = ? ORDER BY rank LIMIT ?", [run_id, limit])  # noqa: S608 - names of ours
        rows = [tuple(row) for row in found]
        return Answer([column[0] for column in found.description], rows, truncated=False)


def explain(path: Path, entity: str, entity_id: str) -> Answer:
    """Explain an archetype, niche or community of the published run.

    Raises:
        UnknownEntityError: the published run has none of that name.
    """
    with read_only(path) as connection:
        run_id = _published(connection)
        found = connection.execute(
            f"SELECT * FROM {RANKINGS[entity]} WHERE run_id = ? AND {entity}_id = ?",  # noqa: S608 - names of ours
            [run_id, entity_id],
        ).fetchone()
        if found is None:
            raise UnknownEntityError(f"Run {run_id} has no {entity} `{entity_id}`; `subcurrent ranking --of {_plural(entity)}` lists them.")
        parts = [_standing(dict(found)), *(part(connection, run_id, entity, entity_id) for part in (_score, _features, _words, _members))]
        return Answer(list(PARTS), [row for part in parts for row in part], truncated=False)


def _published(connection: sqlite3.Connection) -> str:
    row = connection.execute("SELECT run_id FROM publication").fetchone()
    if row is None:
        raise UnknownEntityError("No run is published yet: `subcurrent run` makes one.")
    return str(row["run_id"])


def _plural(entity: str) -> str:
    return "communities" if entity == "community" else f"{entity}s"


def _row(part: str, item: str, value: Any = None, interval: tuple[Any, Any] = (None, None), note: str = "") -> Part:
    return part, item, value, *interval, note


def _standing(found: Row) -> Iterator[Part]:
    yield _row("standing", "name", found["name"], note=found.get("summary", ""))
    yield _row("standing", "verdict", found["verdict"], note=found["verdict_reason"])
    yield _row(
        "standing", "score", found["score"], (found["score_low"], found["score_high"]), f"0 to 100, 90 % interval, {found['score_status']}"
    )
    yield _row(
        "standing",
        "rank",
        found["rank"],
        (found["rank_low"], found["rank_high"]),
        f"among the best five in {_share(found['p_top5'])} of replicates",
    )
    yield _row("standing", "coverage", found["coverage"], note="share of the score's prior weight that was measured")
    for item in ("counter_argument", "would_change"):
        if found.get(item):
            yield _row("standing", item.replace("_", " "), note=found[item])


def _share(value: float | None) -> str:
    return "an unknown share" if value is None else f"{value:.0%}"


def _component_note(name: str, weight: float, contribution: float) -> str:
    """Say how much a component counts and what it takes off the score; a contribution is a logarithm."""
    return f"{TITLES[name]}, from 0 to 1: counts {weight:.0%}, takes {-math.expm1(contribution):.0%} off the score"


def _score(connection: sqlite3.Connection, run_id: str, entity: str, entity_id: str) -> Iterator[Part]:
    what = [run_id, entity, entity_id]
    for row in connection.execute(
        "SELECT * FROM score_component WHERE run_id = ? AND entity = ? AND entity_id = ? ORDER BY contribution, component", what
    ):
        yield _row("component", row["component"], row["value"], note=_component_note(row["component"], row["weight"], row["contribution"]))
    for row in connection.execute(
        "SELECT * FROM score_ingredient WHERE run_id = ? AND entity = ? AND entity_id = ? ORDER BY component, weight DESC, ingredient", what
    ):
        note = row["missing_reason"] or f"above {row['percentile']:.0%} of communities; {row['weight']:.0%} of {TITLES[row['component']]}"
        note = f"{short(row['ingredient'])}: {note}"
        yield _row("ingredient", row["ingredient"], row["value"], note=note)


def _features(connection: sqlite3.Connection, run_id: str, entity: str, entity_id: str) -> Iterator[Part]:
    if entity == "archetype":
        for row in connection.execute(
            "SELECT profile.*, feature.title FROM archetype_feature AS profile LEFT JOIN feature USING (run_id, feature) "
            "WHERE run_id = ? AND archetype_id = ? ORDER BY abs(z) DESC, feature",
            [run_id, entity_id],
        ):
            note = f"{row['title'] or row['feature']}, {row['unit']}; {row['z']:+.1f} spreads from the market's middle"
            yield _row("feature", row["feature"], row["value"], (row["low"], row["high"]), note)
    if entity == "community":
        for row in connection.execute(
            "SELECT measured.*, feature.unit, feature.title FROM community_feature AS measured LEFT JOIN feature USING (run_id, feature) "
            "WHERE run_id = ? AND community_id = ? ORDER BY feature",
            [run_id, entity_id],
        ):
            note = row["missing_reason"] or f"{row['title'] or row['feature']}, {row['unit'] or ''}; n = {row['n']:,}"
            yield _row("feature", row["feature"], row["value"], (row["low"], row["high"]), note)


def _words(connection: sqlite3.Connection, run_id: str, entity: str, entity_id: str) -> Iterator[Part]:
    what = [run_id, entity, entity_id]
    for row in connection.execute("SELECT * FROM need WHERE run_id = ? AND entity = ? AND entity_id = ? ORDER BY authors DESC, need", what):
        yield _row("need", row["need"], row["authors"], note=f"distinct authors, in {row['communities']} communities")
    for row in connection.execute("SELECT * FROM term WHERE run_id = ? AND entity = ? AND entity_id = ? ORDER BY z DESC, term", what):
        yield _row("word", row["term"], row["z"], note=f"used by {row['authors']:,} authors")
    for row in connection.execute(
        "SELECT * FROM evidence WHERE run_id = ? AND entity = ? AND entity_id = ? ORDER BY tier, record_id", what
    ):
        yield _row(
            "evidence", row["record_id"], row["tier"], note=f"{row['quote'] or '(not quoted)'} — {row['url'] or row['community_id']}"
        )


def _members(connection: sqlite3.Connection, run_id: str, entity: str, entity_id: str) -> Iterator[Part]:
    if entity == "community":
        return
    for row in connection.execute(
        f"SELECT * FROM community WHERE run_id = ? AND {entity}_id = ? ORDER BY is_exemplar DESC, distance, community_id LIMIT 50",  # noqa: S608 - names of ours
        [run_id, entity_id],
    ):
        yield _row("community", row["community_id"], row["authors"], note="exemplar" if row["is_exemplar"] else "")
