"""Sufficient statistics per community, kept in the activity store from night to night, so that a night pays for what is new.

Every partial is a table of the schema ``partial`` whose rows belong to a community (column ``c``) and follow from that community's
records alone, never from ``now``: what the clock or other communities decide is decided when partials are combined. To renew a
partial is to delete the rows of the communities at hand and to run its query on their records. A computation from scratch is the
night on which every community is at hand, so both give the same bits, and any part of them may be computed elsewhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from importlib.metadata import version
from typing import TYPE_CHECKING

from discovery.features.measurement import Scope
from discovery.settings import FeatureSettings

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

NOTHING = -1
"""Number before that of the first page: the partials hold nothing yet."""
_PEERS = ("duckdb", "py3langid", "pyyaml")
"""What partials depend on besides our own code."""


@dataclass(frozen=True)
class Partial:
    """A table of the schema ``partial``: a query over the temporary tables of a batch, one of its columns ``c``."""

    name: str
    query: str
    values: Mapping[str, object] = field(default_factory=dict)


def fingerprint(scope: Scope, settings: FeatureSettings) -> str:
    """Identify what partials mean: which sources and window, which settings, and the definitions, which are the code of this package."""
    code = hashlib.sha256()
    for file in sorted(resources.files(__package__).iterdir(), key=lambda file: file.name):
        if file.name.endswith((".py", ".yaml")):
            code.update(file.read_bytes())
    peers = [f"{name} {version(name)}" for name in _PEERS]
    said = "\n".join([code.hexdigest(), *peers, settings.model_dump_json(), str(scope.window_days), *sorted(scope.sources)])
    return hashlib.sha256(said.encode()).hexdigest()


def known(connection: duckdb.DuckDBPyConnection, meaning: str) -> int:
    """Tell the last page of records that the partials of this meaning hold; those of another meaning are dropped."""
    connection.execute("CREATE SCHEMA IF NOT EXISTS partial")
    connection.execute("CREATE TABLE IF NOT EXISTS partial.state (fingerprint TEXT NOT NULL, page BIGINT NOT NULL)")
    found = connection.execute("SELECT page FROM partial.state WHERE fingerprint = ?", [meaning]).fetchall()
    if found:
        return int(found[0][0])
    connection.execute("DROP SCHEMA partial CASCADE; CREATE SCHEMA partial")
    connection.execute("CREATE TABLE partial.state (fingerprint TEXT NOT NULL, page BIGINT NOT NULL)")
    connection.execute("INSERT INTO partial.state VALUES (?, ?)", [meaning, NOTHING])
    return NOTHING


def advance(connection: duckdb.DuckDBPyConnection, page: int) -> None:
    """Note that the partials hold everything up to a page."""
    connection.execute("UPDATE partial.state SET page = ?", [page])


def renew(connection: duckdb.DuckDBPyConnection, *partials: Partial, of: str = "batch") -> None:
    """Compute the rows of the communities of a temporary table afresh."""
    for partial in partials:
        _replace(connection, partial.name, partial.query, dict(partial.values), of)


def renew_frame(connection: duckdb.DuckDBPyConnection, name: str, frame: pd.DataFrame, columns: str, *, of: str) -> None:
    """Put rows that Python computed in the place of those of these communities; ``columns`` names and types them, as SQL does."""
    connection.register("computed", frame)
    picked = ", ".join(f'computed."{column.split()[0]}"::{column.split()[1]} AS "{column.split()[0]}"' for column in columns.split(", "))
    _replace(connection, name, f"SELECT {picked} FROM computed", {}, of)  # noqa: S608 - columns are ours
    connection.unregister("computed")


def add_missing(connection: duckdb.DuckDBPyConnection, partial: Partial, needed: str) -> None:
    """Add what a partial lacks of the records that are needed, leaving the rest: readings depend on nothing but a record's words.

    ``needed`` is a query of c and key. The partial's query finds those it is to read in the temporary table ``wanted`` (c, key, rid).
    """
    exists = connection.execute("SELECT 1 FROM duckdb_tables() WHERE schema_name = 'partial' AND table_name = ?", [partial.name]).fetchall()
    lacking = f"ANTI JOIN partial.{partial.name} USING (c, key)" if exists else ""
    want(connection, f"SELECT c, key FROM ({needed}) {lacking}")  # noqa: S608 - the names are ours
    connection.execute(f"CREATE TABLE IF NOT EXISTS partial.{partial.name} AS FROM ({partial.query}) LIMIT 0", dict(partial.values))
    connection.execute(f"INSERT INTO partial.{partial.name} {partial.query}", dict(partial.values))


def want(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    """Find where the records of a query of c and key lie in the store: the temporary table ``wanted`` (c, key, rid).

    What is new lies together at the end, so that a night reads little of the words of all.
    """
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE wanted AS SELECT c, key, records.rowid AS rid FROM ({query}) JOIN records USING (key)"  # noqa: S608
    )


def _replace(connection: duckdb.DuckDBPyConnection, name: str, query: str, values: dict[str, object], of: str) -> None:
    connection.execute(f"CREATE TABLE IF NOT EXISTS partial.{name} AS FROM ({query}) LIMIT 0", values or None)
    connection.execute(f"DELETE FROM partial.{name} WHERE c IN (SELECT c FROM {of})")  # noqa: S608 - the names are ours
    connection.execute(f"INSERT INTO partial.{name} {query}", values or None)
