"""Save a run, publish it, go back: the only writer of the results.

The tables of a run flow in as rows or DataFrames, one transaction each; what the next night needs of the published run flows out.
Readers use the views (``storage.results_file.read_only``), which follow one pointer that is flipped in one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, NamedTuple, Self

import pandas as pd
from sqlalchemy import Column, Connection, Engine, Table, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, SQLModel, col

from storage import cluster_tables, search_tables, tables
from storage.database import open_database
from storage.rows import Rows, checked


class Provenance(NamedTuple):
    """What a run was made with."""

    version: str
    seed: int
    config_sha256: str
    invented: bool = False
    """Its communities come from the planted world."""


SAVED: dict[str, Table] = {
    model.__tablename__: SQLModel.metadata.tables[model.__tablename__]
    for model in (
        tables.SourceRun,
        tables.Quarantine,
        tables.CommunityRow,
        tables.FeatureRow,
        tables.CommunityFeature,
        tables.Archetype,
        tables.Niche,
        tables.ArchetypeFeature,
        tables.Score,
        tables.ScoreComponent,
        tables.ScoreIngredient,
        tables.Evidence,
        tables.Need,
        tables.Term,
        cluster_tables.Criterion,
        cluster_tables.CriterionVote,
        cluster_tables.ClusterRow,
        cluster_tables.ArchetypeMerge,
        search_tables.SearchSpace,
        search_tables.SearchPlace,
        search_tables.SearchWord,
        search_tables.SearchCell,
        search_tables.SearchGroup,
    )
}
"""What :meth:`Results.save` takes beside the facts of the run itself."""
FACTS = frozenset(run.name for run in SQLModel.metadata.tables["run"].c) - {
    *("run_id", "sequence", "status", "detail", "started_at", "finished_at", "published_at"),
    *Provenance._fields,
}
"""What a run may say of itself when it is saved."""
KEPT_FOREVER = ("source_run", "archetype", "archetype_feature", "niche", "score")
KEPT_RUNS = 5
"""Published runs that keep their bulky rows, so that a rollback is possible.

A night of 8,310 communities is about 40 MB, nearly all of it features. A ranking that was wrong for longer than five nights needs a
new run, not an old one; and what history needs (rankings, profiles, counters) stays for ever.
"""
INSERTED_AT_ONCE = 20_000
"""Rows handed to the driver in one call: bounds the copies it makes."""
UNFINISHED = frozenset({"running", "interrupted"})
run_table: Table = SQLModel.metadata.tables["run"]
publication_table: Table = SQLModel.metadata.tables["publication"]
panel_table: Table = SQLModel.metadata.tables["panel_value"]
background_table: Table = SQLModel.metadata.tables["background_text"]
measure_table: Table = SQLModel.metadata.tables["background_measure"]


@dataclass(frozen=True)
class Frozen:
    """What later runs are compared with, all of one version; without words, nothing is frozen."""

    words: pd.DataFrame
    """Rows of ``background_text``."""
    measures: pd.DataFrame
    """Rows of ``background_measure``; none where a version from before there were any froze it."""


class Results:
    """The results file, open for the one run that holds the lock."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, where: str | Path) -> Self:
        """Open or create the results at a path or an ``sqlite:///`` URL.

        Raises:
            ResultsFileError: The file is foreign, damaged or newer.
            ValueError: The URL names another kind of database.
        """
        place = str(where).removeprefix("sqlite:///")
        if "://" in place:
            raise ValueError(f"Results live in SQLite: {place.split('://')[0]}:// is not supported. Give a path or sqlite:///PATH.")
        return cls(open_database(Path(place)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._engine.dispose()

    def resume_or_begin(self, *, started_at: int, provenance: Provenance, held: bool = False) -> str:
        """Take up the newest run where it was left unfinished with the same provenance, else begin a new one.

        The caller holds the run lock, so whatever else stands unfinished is nobody's: it is closed as failed.

        Args:
            started_at: Instant at which a new run begins; only for people, runs are ordered by their sequence.
            provenance: What the run is made with.
            held: Take up a run that the gate held, too.

        Returns:
            The id of the run.
        """
        made_with = {**provenance._asdict(), "invented": int(provenance.invented)}
        with self._engine.begin() as connection:
            newest = connection.execute(select(run_table).order_by(run_table.c.sequence.desc()).limit(1)).one_or_none()
            left = {"running", "interrupted", "held"} if held else {"running", "interrupted"}
            if newest and newest.status in left and all(getattr(newest, name) == value for name, value in made_with.items()):
                _set(connection, newest.run_id, status="running", finished_at=None, reason="")
                return str(newest.run_id)
            stale = run_table.c.status.in_(("running", "interrupted"))
            reason = "given up: another run was begun before it was finished"
            connection.execute(update(run_table).where(stale).values(status="failed", finished_at=started_at, reason=reason))
            sequence = newest.sequence + 1 if newest else 1
            run_id = f"run-{sequence:06}"
            new = {"run_id": run_id, "sequence": sequence, "status": "running", "started_at": started_at, **made_with}
            connection.execute(insert(run_table).values(new))
        return run_id

    def finish_run(self, run_id: str, *, status: Literal["failed", "held", "interrupted"], at: int, reason: str) -> None:
        """Close a run that is not published. An interrupted one may be taken up again."""
        with self._engine.begin() as connection:
            _unfinished(connection, run_id)
            _set(connection, run_id, status=status, finished_at=at, reason=reason)

    def keep_source_run(self, row: tables.SourceRun) -> None:
        """Keep what a source delivered as soon as it has, so that an interrupted run need not read it again."""
        with self._engine.begin() as connection:
            _unfinished(connection, row.run_id)
            table = SAVED["source_run"]
            connection.execute(delete(table).where(table.c.run_id == row.run_id, table.c.source == row.source))
            _insert(connection, table, checked(table, [row]))

    def source_runs(self, run_id: str) -> list[tables.SourceRun]:
        """Return what the sources of a run have delivered, by name."""
        with Session(self._engine) as session:
            chosen = select(tables.SourceRun).where(col(tables.SourceRun.run_id) == run_id)
            return list(session.scalars(chosen.order_by(col(tables.SourceRun.source))))

    def save(self, run_id: str, publication: Mapping[str, Rows]) -> None:
        """Write everything a run found in one transaction, in place of what an interrupted attempt of the same run wrote.

        Args:
            run_id: A run that has begun and is not finished.
            publication: Table name to rows (see ``SAVED``), and ``run``: one row of facts about the run itself. ``run_id`` is filled in.

        Raises:
            ValueError: An unknown table or column, a value of the wrong type, a missing value without its reason.
        """
        unknown = sorted(publication.keys() - SAVED.keys() - {"run"})
        if unknown:
            raise ValueError(f"The results have no table {', '.join(unknown)}; they have {', '.join(SAVED)}.")
        with self._engine.begin() as connection:
            _unfinished(connection, run_id)
            for name, table in SAVED.items():
                connection.execute(delete(table).where(table.c.run_id == run_id))
                _insert(connection, table, checked(table, publication.get(name, []), run_id=run_id))
            _set(connection, run_id, detail=1, **_facts(publication.get("run", [])))
            _prune(connection, keep=run_id)

    def publish(self, run_id: str, *, at: int, panel: pd.DataFrame | None = None, background: Frozen | None = None) -> None:
        """Show a saved run to readers, in one transaction.

        Args:
            run_id: A run that was saved and is not finished.
            at: Instant of the publication.
            panel: Rows of ``panel_value`` to freeze as the next version of the reference panel; without rows, none is frozen.
            background: What to freeze as the next version of what runs are compared with, likewise.

        Raises:
            ValueError: The run is not saved, or finished; or what is frozen is not the next version.
        """
        with self._engine.begin() as connection:
            run = _unfinished(connection, run_id)
            if not run.detail:
                raise ValueError(f"Run {run_id} has not been saved: there is nothing to publish.")
            _set(connection, run_id, status="published", finished_at=at, published_at=at)
            if panel is not None and len(panel):
                _freeze(connection, {panel_table: panel}, called="reference panel")
            if background is not None and len(background.words):
                _freeze(connection, {background_table: background.words, measure_table: background.measures}, called="background")
            _point_to(connection, run_id)

    def rollback(self, run_id: str) -> None:
        """Show an earlier published run again.

        Raises:
            ValueError: The run is unknown, was never published, or is too old to have kept its rows.
        """
        with self._engine.begin() as connection:
            run = _known(connection, run_id)
            if run.published_at is None:
                raise ValueError(f"Run {run_id} was never published ({run.status}); `subcurrent runs` lists those that were.")
            if not run.detail:
                raise ValueError(f"Run {run_id} keeps its ranking only: the newest {KEPT_RUNS} published runs can be shown again.")
            _point_to(connection, run_id)

    def published(self) -> tables.Run | None:
        """Return the run that readers see, None before the first publication."""
        with Session(self._engine) as session:
            pointer = session.get(tables.Publication, 1)
            return session.get(tables.Run, pointer.run_id) if pointer else None

    def runs(self) -> list[tables.Run]:
        """Return every run, oldest first."""
        with Session(self._engine) as session:
            return list(session.scalars(select(tables.Run).order_by(col(tables.Run.sequence))))

    def membership(self) -> pd.DataFrame:
        """Return the published run's communities with archetype, niche and place on the map: what tonight is compared with.

        A community that is the same as another one is left out, as it is tonight.
        """
        community = SAVED["community"]
        columns = [community.c[name] for name in ("community_id", "archetype_id", "niche_id", "x", "y")]
        published = community.c.run_id == select(publication_table.c.run_id).scalar_subquery()
        chosen = select(*columns).where(published, community.c.duplicate_of.is_(None))
        with self._engine.connect() as connection:
            return pd.read_sql_query(chosen.order_by(community.c.community_id), connection, index_col="community_id")

    def gone(self, kind: Literal["archetype", "niche"]) -> pd.Series:
        """Return what the published run lacks and earlier ones, as far as their rows are kept, had: the id by community.

        Each stands with the communities that it had when it was last published; a community may be in several.
        """
        community = SAVED["community"]
        group = community.c[f"{kind}_id"]
        runs = community.join(run_table, run_table.c.run_id == community.c.run_id)
        chosen = select(community.c.community_id, group, run_table.c.run_id, run_table.c.sequence).select_from(runs)
        chosen = chosen.where(run_table.c.published_at.is_not(None), group.is_not(None), community.c.duplicate_of.is_(None))
        with self._engine.connect() as connection:
            had = pd.read_sql_query(chosen.order_by(community.c.community_id), connection, index_col="community_id")
            published = connection.scalar(select(publication_table.c.run_id))
        alive = set(had.loc[had["run_id"] == published, group.name])
        lately = had["sequence"] == had.groupby(group.name)["sequence"].transform("max")
        return had.loc[lately & ~had[group.name].isin(alive), group.name]

    def features(self) -> pd.DataFrame:
        """Return the published run's feature values, a row per community; NaN where not measured."""
        return self._published("community_feature", "community_id", "value")

    def profiles(self) -> pd.DataFrame:
        """Return the published run's archetypes, a row each: features in robust deviations from the market's median."""
        return self._published("archetype_feature", "archetype_id", "z")

    def _published(self, name: str, key: str, value: str) -> pd.DataFrame:
        """Read a table of one value per key and feature as a matrix."""
        table = SAVED[name]
        chosen = select(table.c[key], table.c.feature, table.c[value])
        chosen = chosen.where(table.c.run_id == select(publication_table.c.run_id).scalar_subquery())
        with self._engine.connect() as connection:
            return pd.read_sql_query(chosen, connection).pivot(index=key, columns="feature", values=value).astype(float)

    def used_ids(self, kind: Literal["archetype", "niche"]) -> set[str]:
        """Return every id that any run ever gave: ids are never reused."""
        table = SAVED[kind]
        with self._engine.connect() as connection:
            return set(connection.scalars(select(table.c[f"{kind}_id"]).distinct()))

    def panel(self) -> pd.DataFrame | None:
        """Return the rows of the newest reference panel, None before the first is frozen."""
        return self._newest(panel_table, panel_table.c.ingredient, panel_table.c.community_id)

    def background(self) -> Frozen | None:
        """Return what was frozen last for later runs to be compared with, None before anything was."""
        words = self._newest(background_table, background_table.c.community_id)
        if words is None:
            return None
        measure = measure_table.c
        chosen = select(measure_table).where(measure.version == int(words["version"].iloc[0])).order_by(measure.feature, measure.part)
        with self._engine.connect() as connection:
            return Frozen(words, pd.read_sql_query(chosen, connection))

    def background_version(self) -> int | None:
        """Return the version of the newest frozen words."""
        with self._engine.connect() as connection:
            return connection.execute(select(func.max(background_table.c.version))).scalar()

    def _newest(self, table: Table, *order: Column[Any]) -> pd.DataFrame | None:
        """Read the newest version of what is frozen."""
        newest = select(func.max(table.c.version)).scalar_subquery()
        with self._engine.connect() as connection:
            rows = pd.read_sql_query(select(table).where(table.c.version == newest).order_by(*order), connection)
        return None if rows.empty else rows


def _insert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    try:
        for start in range(0, len(rows), INSERTED_AT_ONCE):
            connection.execute(insert(table), rows[start : start + INSERTED_AT_ONCE])
    except IntegrityError as error:
        raise ValueError(f"The rows of {table.name} break a rule of the results: {error.orig}.") from error


def _set(connection: Connection, run_id: str, **facts: Any) -> None:
    try:
        connection.execute(update(run_table).where(run_table.c.run_id == run_id).values(facts))
    except IntegrityError as error:
        raise ValueError(f"The facts of run {run_id} break a rule of the results: {error.orig}.") from error


def _facts(rows: Rows) -> dict[str, Any]:
    facts = checked(run_table, rows, partial=True)
    if len(facts) > 1:
        raise ValueError(f"`run` takes one row of facts about the run, not {len(facts)}.")
    found = facts[0] if facts else {}
    foreign = sorted(found.keys() - FACTS)
    if foreign:
        raise ValueError(f"`run` takes {', '.join(sorted(FACTS))}; {', '.join(foreign)} is not for the run to say.")
    return found


def _point_to(connection: Connection, run_id: str) -> None:
    connection.execute(delete(publication_table))
    connection.execute(insert(publication_table).values(id=1, run_id=run_id))


def _known(connection: Connection, run_id: str) -> Any:
    run = connection.execute(select(run_table).where(run_table.c.run_id == run_id)).one_or_none()
    if run is None:
        raise ValueError(f"There is no run {run_id}; `subcurrent runs` lists them.")
    return run


def _unfinished(connection: Connection, run_id: str) -> Any:
    run = _known(connection, run_id)
    if run.status not in UNFINISHED:
        raise ValueError(f"Run {run_id} is finished ({run.status}) and is never changed.")
    return run


def _freeze(connection: Connection, frozen: Mapping[Table, pd.DataFrame], *, called: str) -> None:
    """Insert rows of tables that are frozen together; the first of them counts the versions."""
    first = next(iter(frozen))
    following = int(connection.execute(select(func.max(first.c.version))).scalar() or 0) + 1
    versions = sorted({version for rows in frozen.values() for version in rows["version"]})
    if versions != [following]:
        raise ValueError(f"The next {called} is version {following}; these rows are of {versions}.")
    for table, rows in frozen.items():
        _insert(connection, table, checked(table, rows))


def _prune(connection: Connection, *, keep: str) -> None:
    """Drop the bulky rows of every run but this one, the published one and the newest published ones."""
    newest = select(run_table.c.run_id).where(run_table.c.published_at.is_not(None)).order_by(run_table.c.sequence.desc()).limit(KEPT_RUNS)
    kept = {keep, *connection.scalars(select(publication_table.c.run_id)), *connection.scalars(newest)}
    old = list(connection.scalars(select(run_table.c.run_id).where(run_table.c.detail == 1, run_table.c.run_id.not_in(kept))))
    for run_id in old:
        for name in SAVED.keys() - set(KEPT_FOREVER):
            connection.execute(delete(SAVED[name]).where(SAVED[name].c.run_id == run_id))
        score = SAVED["score"]
        connection.execute(delete(score).where(score.c.run_id == run_id, score.c.entity == "community"))
        _set(connection, run_id, detail=0)
