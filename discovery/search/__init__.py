"""Search the published run: archetypes and niches first, then communities, then the records that show it.

A query in plain words flows in, rows flow out. Two kinds of evidence are added: the words a community says (BM25), and how near its
vector lies to the query's, which finds those that speak of the same in other words. What has neither is no answer.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from discovery.search.evidence import Floats, Ints, Query, Space, impacts, similarities, space_of, understood
from discovery.search.words import stem, told
from scoring.explanation import UnknownEntityError
from storage.blobs import unpack_runs, unpack_vectors
from storage.errors import ResultsFileError
from storage.reading import Answer
from storage.results_file import read_only

COLUMNS = ("part", "id", "name", "verdict", "score", "similarity", "words", "url", "note")
"""What a row of an answer holds; ``words`` are those of the query that are said there."""
Row = tuple[str, str, str, str | None, float | None, float | None, str, str | None, str]
GROUPS = ("archetype", "niche")
SIMILAR = 0.3
"""Cosine from which what says none of the words is an answer."""
NEARNESS = 0.6
"""What a cosine of 1 counts beside the most that words tell; measured (docs/decisions.md)."""
MOST = 1000
TINY = 1e-9


class Found(NamedTuple):
    """An answer, and what a person should know of how the query was read."""

    answer: Answer
    notes: list[str]


class Community(NamedTuple):
    """A community that fits: its number, its cosine where its cell was read, and the words of the query that it says."""

    place: int
    similarity: float | None
    words: str


def search(path: Path, text: str, *, k: int) -> Found:
    """Search the published run.

    Args:
        path: The results file.
        text: What is looked for, in plain words.
        k: Most communities and most records; a third as many archetypes and niches.

    Returns:
        Archetypes, niches, communities and records, best first; no rows where nothing fits, and notes that say why.

    Raises:
        UnknownEntityError: no run is published, or it is of a version that kept nothing to search.
        ResultsFileError: the results are damaged.
    """
    with read_only(path) as connection:
        run_id, space = _published(connection)
        query = understood(connection, run_id, text, space)
        told_of = impacts(query, space.communities)
        communities = best(told_of, *similarities(connection, run_id, query, space), query=query, k=k)
        groups = _groups(connection, run_id, told_of, query, space)
        chosen = _described(connection, run_id, communities)
        parts = [
            *([_named(connection, run_id, group) for group in _best_groups(groups, entity)[: max(1, k // 3)]] for entity in GROUPS),
            [row for row, _ in chosen],
            _records(connection, run_id, [row[1] for row, scored in chosen if scored], query)[:k],
        ]
        return Found(Answer(list(COLUMNS), [row for part in parts for row in part], truncated=False), query.notes)


def _published(connection: sqlite3.Connection) -> tuple[str, Space]:
    row = connection.execute("SELECT run_id FROM publication").fetchone()
    if row is None:
        raise UnknownEntityError("No run is published yet: `subcurrent run` makes one.")
    space = space_of(connection, row["run_id"])
    if space is None:
        raise UnknownEntityError(f"Run {row['run_id']} is of a version that could not search: `subcurrent run` makes one that can.")
    return row["run_id"], space


def best(told_of: Floats, places: Ints, cosines: Floats, *, query: Query, k: int) -> list[Community]:
    """Find the communities that fit best, in order; ties by place.

    Args:
        told_of: What the words of the query tell of each community, by place.
        places: The communities whose vectors were read.
        cosines: How near those lie to the query.
        query: The query, to name its words.
        k: Most communities.
    """
    near = np.full(len(told_of), np.nan, dtype=np.float32)
    near[places] = cosines
    chosen = ranked(told_of, np.nan_to_num(near))[:k]
    return [Community(place, None if np.isnan(near[place]) else float(near[place]), _words(query, place)) for place in chosen]


def ranked(told_of: Floats, near: Floats) -> list[int]:
    """Rank by what words tell, as a share of the most they tell of any, plus six tenths of the cosine; at most 1,000, ties in order.

    What says none of the words must be near.
    """
    value = told_of / max(float(told_of.max(initial=0)), TINY) + NEARNESS * np.maximum(near, 0)
    value[(told_of <= 0) & (near <= SIMILAR)] = 0
    fits = np.flatnonzero(value > 0)
    return [int(place) for place in fits[np.argsort(-value[fits], kind="stable")[:MOST]]]


def _words(query: Query, place: int) -> str:
    """Name the words of the query that a community says, those that tell most of it first."""
    said = []
    for word in query.words:
        at = int(np.searchsorted(word.places, place))
        if at < len(word.places) and word.places[at] == place:
            said.append((-float(word.weight * word.impacts[at]), word.shown))
    return ", ".join(shown for _, shown in sorted(said))


class Group(NamedTuple):
    """An archetype or niche beside a query: the mean of what words tell of its members, and the cosine of their middle."""

    entity: str
    entity_id: str
    told_of: float
    similarity: float | None


def _groups(connection: sqlite3.Connection, run_id: str, told_of: Floats, query: Query, space: Space) -> list[Group]:
    rows = connection.execute("SELECT * FROM search_group WHERE run_id = ? ORDER BY entity, entity_id", [run_id]).fetchall()
    if not rows:
        return []
    places, members = unpack_runs([row["places"] for row in rows])
    told = np.bincount(np.repeat(np.arange(len(rows)), members), told_of[places], minlength=len(rows)) / np.maximum(members, 1)
    near: list[float | None] = [None] * len(rows)
    if query.direction.any():
        near = (unpack_vectors(*(row["vector"] for row in rows), dimensions=space.dimensions) @ query.direction).tolist()
    return [Group(row["entity"], row["entity_id"], *facts) for row, *facts in zip(rows, told.tolist(), near, strict=True)]


def _best_groups(groups: Sequence[Group], entity: str) -> list[Group]:
    """Rank the groups of a kind that fit at all, as communities are ranked."""
    ours = [group for group in groups if group.entity == entity]
    told_of = np.array([group.told_of for group in ours], dtype=np.float32)
    near = np.array([group.similarity or 0.0 for group in ours], dtype=np.float32)
    return [ours[at] for at in ranked(told_of, near)]


def _named(connection: sqlite3.Connection, run_id: str, group: Group) -> Row:
    query = _GROUP.format(entity=group.entity)
    name, summary, verdict, score = _only(connection.execute(query, [run_id, group.entity_id]), f"{group.entity} {group.entity_id}", run_id)
    return group.entity, group.entity_id, name, verdict, score, group.similarity, "", None, summary


_GROUP = """
SELECT named.name, named.summary, score.verdict, score.score FROM {entity} AS named
LEFT JOIN score ON score.run_id = named.run_id AND score.entity = '{entity}' AND score.entity_id = named.{entity}_id
WHERE named.run_id = ? AND named.{entity}_id = ?
"""


_COMMUNITY = """
SELECT about.community_id, about.name, about.url, about.description, about.policy, score.verdict, score.score
FROM search_place AS placed
JOIN community AS about ON about.run_id = placed.run_id AND about.community_id = placed.community_id
LEFT JOIN score ON score.run_id = about.run_id AND score.entity = 'community' AND score.entity_id = about.community_id
WHERE placed.run_id = ? AND placed.place = ?
"""


def _described(connection: sqlite3.Connection, run_id: str, communities: Iterable[Community]) -> list[tuple[Row, bool]]:
    """Give each community its row, and say whether it is one that is scored: of sensitive ones no record is shown."""
    rows = []
    for found in communities:
        about = _only(connection.execute(_COMMUNITY, [run_id, found.place]), f"community at place {found.place}", run_id)
        facts = (about["community_id"], about["name"], about["verdict"], about["score"], found.similarity, found.words)
        rows.append((("community", *facts, about["url"], about["description"]), about["policy"] == "scored"))
    return rows


def _only(rows: sqlite3.Cursor, what: str, run_id: str) -> sqlite3.Row:
    """Read the one row there must be."""
    row: sqlite3.Row | None = rows.fetchone()
    if row is None:
        raise ResultsFileError(f"The results are damaged: run {run_id} lists no {what}. Restore a copy, or run again.")
    return row


def _records(connection: sqlite3.Connection, run_id: str, communities: Sequence[str], query: Query) -> list[Row]:
    """Give the evidence of some communities: what says most of the query first, then in the order of the communities."""
    weight = {stem(word.shown): word.weight for word in query.words}
    ranked = []
    for rank, community_id in enumerate(communities):
        for row in connection.execute(_EVIDENCE, [run_id, community_id]):
            said = {each: word for word in told(row["quote"]) if (each := stem(word)) in weight}
            facts = (row["record_id"], community_id, None, None, None, ", ".join(said.values()), row["url"], row["quote"] or "(not quoted)")
            ranked.append((-sum(weight[each] for each in said), rank, ("record", *facts)))
    return [row for *_, row in sorted(ranked, key=lambda each: (each[0], each[1], each[2][1]))]


_EVIDENCE = """
SELECT DISTINCT record_id, url, quote FROM evidence WHERE run_id = ? AND entity = 'community' AND entity_id = ? ORDER BY record_id
"""
