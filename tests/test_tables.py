"""The tables: what SQLite enforces by itself."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlmodel import SQLModel

from storage import cluster_tables, search_tables, tables
from tests.publication import published

TABLES = sorted(
    model.__tablename__
    for model in (*vars(tables).values(), *vars(cluster_tables).values(), *vars(search_tables).values())
    if isinstance(model, type) and issubclass(model, SQLModel) and model is not SQLModel
)


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """A results file made by the migrations, opened without any of our code."""
    with closing(sqlite3.connect(published(tmp_path_factory.mktemp("tables") / "results.db"))) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        yield connection


def schema(connection: sqlite3.Connection) -> dict[str, Any]:
    """Everything SQLite knows of each table, without the wording of its statement."""
    found = {}
    for name in TABLES:
        (statement,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", [name]).fetchone()
        found[name] = {
            "columns": connection.execute('SELECT name, type, "notnull", pk FROM pragma_table_xinfo(?)', [name]).fetchall(),
            "keys": connection.execute('SELECT "table", "from", "to" FROM pragma_foreign_key_list(?)', [name]).fetchall(),
            "indexes": sorted(connection.execute("SELECT name, origin FROM pragma_index_list(?)", [name]).fetchall()),
            "kind": connection.execute("SELECT strict, wr FROM pragma_table_list(?)", [name]).fetchall(),
            "checks": sorted(re.findall(r"CHECK \((.*)\)", statement)),
        }
    return found


def test_migrations_build_exactly_the_declared_tables(migrated: sqlite3.Connection, tmp_path: Path) -> None:
    """The migrations and the declared tables give the same schema: columns, keys, indexes, checks, STRICT."""
    engine = create_engine(f"sqlite:///{tmp_path / 'declared.db'}")
    SQLModel.metadata.create_all(engine, tables=[SQLModel.metadata.tables[name] for name in TABLES])
    engine.dispose()
    with closing(sqlite3.connect(tmp_path / "declared.db")) as declared:
        assert schema(migrated) == schema(declared)


def test_every_table_is_strict(migrated: sqlite3.Connection) -> None:
    """Every table refuses values of the wrong type."""
    strict = dict(migrated.execute("SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND type = 'table'"))
    assert {name: strict[name] for name in TABLES} == dict.fromkeys(TABLES, 1)


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("UPDATE community_feature SET value = 'many' WHERE feature = 'money'", id="text-in-a-number"),
        pytest.param("UPDATE community_feature SET value = NULL WHERE feature = 'money'", id="missing-without-reason"),
        pytest.param("UPDATE community_feature SET missing_reason = 'why' WHERE feature = 'money'", id="reason-without-missing"),
        pytest.param("UPDATE score_ingredient SET percentile = NULL", id="ingredient-missing-without-reason"),
        pytest.param("UPDATE source_run SET stored = stored - 1", id="a-record-lost"),
        pytest.param("UPDATE score SET score = 101", id="score-above-100"),
        pytest.param("UPDATE score SET score = NULL WHERE verdict = 'pursue'", id="pursue-without-score"),
        pytest.param("UPDATE score SET entity = 'person'", id="unknown-entity"),
        pytest.param("UPDATE run SET status = 'fine'", id="unknown-status"),
        pytest.param("UPDATE run SET structure = 'blobs'", id="unknown-structure"),
        pytest.param("INSERT INTO publication (id, run_id) SELECT 2, run_id FROM run", id="two-publications"),
        pytest.param("UPDATE publication SET run_id = 'nobody'", id="publication-of-no-run"),
        pytest.param("UPDATE cluster SET standing = 'fine'", id="unknown-standing"),
        pytest.param("UPDATE cluster SET standing = 'dissolved'", id="dissolved-archetype"),
        pytest.param("DELETE FROM run", id="rows-without-their-run"),
    ],
)
def test_nonsense_is_refused(migrated: sqlite3.Connection, statement: str) -> None:
    """SQLite itself refuses what would make a reader's query lie."""
    with pytest.raises(sqlite3.IntegrityError), migrated:
        migrated.execute(statement)
