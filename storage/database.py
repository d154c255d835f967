"""The results file for its one writer: create it, bring it to this version's schema, open it.

A path flows in; a SQLAlchemy engine flows out. Rollback journal and full sync: with WAL and normal sync, acknowledged commits
are lost at a power cut, and SQLite 3.7.0 to 3.51.2 can corrupt a WAL file.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DatabaseError, OperationalError

from storage.errors import ResultsAccessError, ResultsFileError
from storage.results_file import APPLICATION_ID, SCHEMA_VERSION, identify

WRITER_WAIT_S = 60


def open_database(path: Path) -> Engine:
    """Open the results for writing; create them, or bring an older file to this schema in one transaction.

    Raises:
        ResultsFileError: The file is foreign, damaged or newer; it is then left as it is.
    """
    if not path.exists():
        _create(path)
    identify(path)
    path.chmod(0o600)
    engine = _engine(path)
    try:
        _check_pages(engine, path)
        with engine.begin() as connection:
            _upgrade(connection)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _create(path: Path) -> None:
    """Build an empty database beside its place and rename it in, so that a half-made file never stands there."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f"{path.name}.new")
    for leftover in (fresh, fresh.with_name(f"{fresh.name}-journal")):
        leftover.unlink(missing_ok=True)
    os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    engine = _engine(fresh)
    try:
        with engine.begin() as connection:
            _upgrade(connection)
    finally:
        engine.dispose()
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _engine(path: Path) -> Engine:
    # Parameters stay out of error messages: they may hold community text.
    engine = create_engine(URL.create("sqlite", database=str(path)), hide_parameters=True, connect_args={"timeout": WRITER_WAIT_S})

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # `begin` below is the only one who opens transactions
        # Without cache_spill = OFF a large save would lock readers out from its first overflowing page to its commit.
        for pragma in (
            "journal_mode = DELETE",
            "synchronous = FULL",
            "foreign_keys = ON",
            "trusted_schema = OFF",
            "secure_delete = ON",
            "cache_spill = OFF",
        ):
            connection.execute(f"PRAGMA {pragma}").fetchall()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # a deferred writer fails at once where this one waits

    @event.listens_for(engine, "handle_error")
    def tell(context: ExceptionContext) -> None:
        if "Could not decode" in str(context.original_exception):  # text of its own that is no text any more
            raise ResultsFileError(f"{engine.url.database} is damaged: it holds text that cannot be read. Restore a copy, or move it away.")
        if isinstance(context.sqlalchemy_exception, OperationalError):  # locked, or the disk: says nothing about the file
            raise ResultsAccessError(
                f"SQLite says: {context.original_exception}. Free some space or wait for the other program, then run again."
            )

    return engine


def _check_pages(engine: Engine, path: Path) -> None:
    try:
        with engine.connect() as connection:
            found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
    except UnicodeDecodeError as error:  # a damaged schema comes back inside SQLite's own message
        found = f"its schema is unreadable ({error.reason})"
    except (DatabaseError, sqlite3.DatabaseError) as error:
        cause = error.orig if isinstance(error, DatabaseError) else error
        if isinstance(cause, sqlite3.OperationalError):
            raise
        found = str(cause)
    if found != "ok":
        raise ResultsFileError(f"{path} is damaged: {found}. Move it away and run again, or restore a copy.")


def _upgrade(connection: Connection) -> None:
    """Run the missing migrations and renew the views, all in the caller's transaction: the old file or the new one, never between."""
    if connection.exec_driver_sql("PRAGMA user_version").scalar_one() < SCHEMA_VERSION:
        config = Config()
        config.set_main_option("script_location", "storage:migrations")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION}")
    _renew_views(connection)


def _renew_views(connection: Connection) -> None:
    """Views hold no data, so they are not migrated: whatever differs from ``views.sql`` is replaced."""
    wanted = list(_statements())
    stored = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'view' ORDER BY rowid").all()
    if [row.sql for row in stored] == wanted:
        return
    for row in reversed(stored):
        connection.exec_driver_sql(f'DROP VIEW "{row.name}"')
    for statement in wanted:
        connection.exec_driver_sql(statement)


def _statements() -> Iterator[str]:
    """Split ``views.sql`` into its statements, without comment lines."""
    script = (resources.files("storage") / "views.sql").read_text(encoding="utf-8")
    lines = [line for line in script.splitlines() if not line.startswith("--")]
    return (part.strip() for part in "\n".join(lines).split(";") if part.strip())
