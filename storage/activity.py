"""The activity store: batches of records go in, each with the cursor that resumes after it, in one DuckDB transaction a page.

Author names end here: what is written are pseudonyms, and texts in which names are replaced. A record is stored once,
whoever delivers it: its latest version wins, and the order in which versions arrive decides nothing.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import duckdb

from storage.arrivals import Arrivals, platform
from storage.errors import ActivityFileError, UnbalancedBatchError, UnknownCollectionError
from storage.pseudonyms import Pseudonyms
from storage.records import Batch, Coverage, Cursor, Tally

APPLICATION = "subcurrent activity"
SCHEMA_VERSION = 2
MAGIC = b"DUCK"
"""At byte 8 of every DuckDB file."""
CHECKPOINT = "256MB"
"""Written-ahead data that is moved into the file at once: fewer checkpoints made imports 1.6 times as fast, files half as large."""

_SCHEMA = """
CREATE TABLE meta (application TEXT NOT NULL, version INTEGER NOT NULL, key_fingerprint BIGINT NOT NULL);
CREATE TABLE sources (
    source_id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, platform TEXT, live BOOLEAN NOT NULL,
    coverage TEXT NOT NULL CHECK (coverage IN ('complete', 'listing', 'unknown')), quote_ok BOOLEAN NOT NULL, llm_ok BOOLEAN NOT NULL,
    licence TEXT NOT NULL);
CREATE TABLE collections (
    run_id TEXT, source_id INTEGER, sequence BIGINT NOT NULL, position TEXT NOT NULL, exhausted BOOLEAN NOT NULL,
    fetched BIGINT NOT NULL, stored BIGINT NOT NULL, unchanged BIGINT NOT NULL, quarantined BIGINT NOT NULL, refused BIGINT NOT NULL,
    PRIMARY KEY (run_id, source_id), CHECK (fetched = stored + unchanged + quarantined + refused));
CREATE TABLE communities (
    community TEXT, source_id INTEGER, name TEXT NOT NULL, url TEXT, description TEXT NOT NULL, members BIGINT, sensitive BOOLEAN NOT NULL,
    retrieved_at BIGINT, PRIMARY KEY (community, source_id));
CREATE TABLE records (
    record_id TEXT NOT NULL, key UBIGINT NOT NULL, changed BIGINT NOT NULL, source_ids INTEGER[] NOT NULL, communities TEXT[] NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('post', 'reply')), author BIGINT, created_at BIGINT NOT NULL,
    title TEXT NOT NULL, text TEXT NOT NULL, thread TEXT, parent TEXT, score BIGINT, replies BIGINT, accepted BOOLEAN,
    bot BOOLEAN NOT NULL, url TEXT, domain TEXT, retrieved_at BIGINT, digest UBIGINT NOT NULL);
CREATE TABLE names (name BIGINT NOT NULL);
CREATE SEQUENCE page;
CREATE TABLE quarantine (
    run_id TEXT NOT NULL, source_id INTEGER NOT NULL, position TEXT NOT NULL, reason TEXT NOT NULL, sha256 TEXT NOT NULL);
"""

_UPGRADES = {
    1: """
    CREATE SEQUENCE page;
    ALTER TABLE records ADD COLUMN key UBIGINT;
    ALTER TABLE records ADD COLUMN changed BIGINT;
    UPDATE records SET key = md5_number_lower(record_id), changed = 1;
    SELECT nextval('page');
    """,
}
"""What turns a store of a schema into one of the next."""

_COUNT = """
UPDATE collections SET position = $position, exhausted = $exhausted, fetched = fetched + $fetched, stored = stored + $stored,
    unchanged = unchanged + $unchanged, quarantined = quarantined + $quarantined, refused = refused + $refused
WHERE run_id = $run AND source_id = $source
"""


_PLACE = "UPDATE sources SET platform = $platform WHERE source_id = $source AND platform IS NULL"


_OPENING = {
    "version number": "Install the version that wrote it.",
    "newer version": "Install the version that wrote it.",
    "set lock": "Close the other program that has it open.",
}
"""What to do where DuckDB cannot open a file, by a sign in what it says; else the file is damaged."""


class SourceEntry(NamedTuple):
    """A source as the store knows it."""

    name: str
    kind: str
    live: bool
    coverage: Coverage
    quote_ok: bool
    llm_ok: bool
    licence: str
    platform: str | None = None
    """None: the platform of the first communities it delivers."""


class ActivityStore:
    """The records of all sources, in one file that one process at a time holds open."""

    def __init__(self, path: Path, connection: duckdb.DuckDBPyConnection, pseudonyms: Pseudonyms) -> None:
        self._path = path
        self.connection = connection
        """For reading; whoever measures may make temporary tables."""
        self._pseudonyms = pseudonyms

    @classmethod
    def open(cls, path: Path, *, pseudonyms: Pseudonyms, memory_limit: str = "2GB", threads: int = 2) -> Self:
        """Open the store, making it if there is none; beyond ``memory_limit`` DuckDB spills to files beside it.

        Raises:
            ActivityFileError: the file is not ours to write; it is then left as it is.
        """
        settings = {
            "memory_limit": memory_limit,
            "threads": threads,
            "temp_directory": str(path.parent / "spill"),
            "preserve_insertion_order": False,
            "checkpoint_threshold": CHECKPOINT,
            "autoinstall_known_extensions": False,  # nothing is ever fetched from the network
        }
        if not path.exists():
            _create(path, pseudonyms)
        connection = _connect(path, settings)
        try:
            with _blamed(path):
                _identify(connection, path, pseudonyms)
        except BaseException:
            connection.close()
            raise
        path.chmod(0o600)
        return cls(path, connection, pseudonyms)

    def close(self) -> None:
        """Close the file; what is committed moves into it."""
        with _private():
            self.connection.close()

    def interrupt(self) -> None:
        """End the query that is running, if one is; any thread may ask for it."""
        self.connection.interrupt()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with _blamed(self._path):
            self.close()
            if isinstance(error, duckdb.Error):
                raise error

    def begin(self, source: SourceEntry, *, run_id: str) -> Cursor:
        """Make a source known to a run and tell where it resumes: a file inside its own run only, a live source after its last run."""
        with self._transaction():
            number = self._describe(source)
            saved = self._one("SELECT position, exhausted FROM collections WHERE run_id = ? AND source_id = ?", run_id, number)
            if saved:
                return Cursor(position=saved[0], exhausted=saved[1])
            last = self._one("SELECT position FROM collections WHERE source_id = ? ORDER BY sequence DESC LIMIT 1", number)
            position = last[0] if last and source.live else ""
            self.connection.execute(
                "INSERT INTO collections SELECT ?, ?, coalesce(max(sequence), 0) + 1, ?, false, 0, 0, 0, 0, 0 FROM collections",
                (run_id, number, position),
            ).fetchall()
        return Cursor(position=position)

    def settle(self, source: SourceEntry, *, run_id: str) -> None:
        """Keep what a source turned out to show, which some can tell only after their last page."""
        with self._transaction():
            self._number(source.name, run_id)
            self._describe(source)

    def append(self, batch: Batch, *, source: str, run_id: str) -> Tally:
        """Store a batch, its cursor and its counts in one transaction, and tell what became of its items.

        Raises:
            UnbalancedBatchError: the batch does not add up, or what the database counts does not.
            UnknownCollectionError: the source was not begun in this run.
        """
        accounted = len(batch.records) + len(batch.quarantined) + batch.refused
        if batch.fetched != accounted:
            raise UnbalancedBatchError(
                f"A batch of {source} fetched {batch.fetched} items and accounts for {accounted}. Its kind miscounts."
            )
        with self._transaction():
            number = self._number(source, run_id)
            arrivals = Arrivals(self.connection, self._pseudonyms, source=number)
            stored, unchanged = arrivals.records(batch.records) if batch.records else (0, 0)
            if batch.communities:
                arrivals.communities(batch.communities)
            if batch.quarantined:
                arrivals.quarantine(batch.quarantined, run_id=run_id)
            tally = Tally(batch.fetched, stored, unchanged, len(batch.quarantined), batch.refused)
            if not tally.balanced():
                raise UnbalancedBatchError(
                    f"Of {batch.fetched} items of {source}, the store counts {tally[1:]}. Nothing of the batch was kept."
                )
            counts = {**batch.cursor.model_dump(), **tally._asdict(), "run": run_id, "source": number}
            self.connection.execute(_COUNT, counts)
            if batch.records:
                self.connection.execute(_PLACE, {"platform": min(map(platform, batch.records)), "source": number})
        return tally

    def tally(self, source: str, *, run_id: str) -> Tally:
        """Tell what became of all items of a source in a run; nothing where it was not begun."""
        columns = ", ".join(Tally._fields)
        row = self._one(f"SELECT {columns} FROM collections JOIN sources USING (source_id) WHERE run_id = ? AND name = ?", run_id, source)  # noqa: S608
        return Tally(*row) if row else Tally()

    def quarantined(self, source: str, *, run_id: str, limit: int) -> list[dict[str, Any]]:
        """List items of a source that a run quarantined, by position: source, position, reason, sha256."""
        columns = ("source", "position", "reason", "sha256")
        found = self.connection.execute(
            "SELECT name, position, reason, sha256 FROM quarantine JOIN sources USING (source_id) WHERE name = ? AND run_id = ? "
            "ORDER BY position, sha256, reason LIMIT ?",
            (source, run_id, limit),
        ).fetchall()
        return [dict(zip(columns, row, strict=True)) for row in found]

    def commonest_fault(self, source: str, *, run_id: str) -> tuple[str, str] | None:
        """Tell why most of what a run quarantined of a source is malformed, and where that stood first; numbers in a reason differ."""
        return self._one(
            "SELECT arg_min(reason, q.rowid), arg_min(position, q.rowid) FROM quarantine q JOIN sources USING (source_id) "
            "WHERE name = ? AND run_id = ? GROUP BY regexp_replace(reason, '[0-9]+', '', 'g') ORDER BY count(*) DESC, min(reason) LIMIT 1",
            source,
            run_id,
        )

    def names_nobody(self, source: str) -> bool:
        """Tell whether a source has delivered records, and none of them with an author."""
        number = self._one("SELECT source_id FROM sources WHERE name = ?", source) or (0,)
        delivered = "SELECT 1 FROM records WHERE list_contains(source_ids, ?)"
        return bool(self._one(f"{delivered} LIMIT 1", *number)) and not self._one(f"{delivered} AND author IS NOT NULL LIMIT 1", *number)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with _private():
            self.connection.begin()
            try:
                yield
            except BaseException:
                self.connection.rollback()
                raise
            self.connection.commit()

    def _describe(self, source: SourceEntry) -> int:
        """Insert or update a source; give its number."""
        said = (source.kind, source.platform, source.live, source.coverage, source.quote_ok, source.llm_ok, source.licence)
        columns = "kind, platform, live, coverage, quote_ok, llm_ok, licence"
        known = self._one(f"SELECT source_id, {columns} FROM sources WHERE name = ?", source.name)  # noqa: S608 - the columns are ours
        if known is None:
            number: int = self.connection.execute("SELECT coalesce(max(source_id), 0) + 1 FROM sources").fetchall()[0][0]
            self.connection.execute("INSERT INTO sources VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (number, source.name, *said))
            return number
        if source.platform is None:
            said = (said[0], known[2], *said[2:])
        if known[1:] != said:
            assignments = ", ".join(f"{column} = ?" for column in columns.split(", "))
            self.connection.execute(f"UPDATE sources SET {assignments} WHERE source_id = ?", (*said, known[0]))  # noqa: S608 - ours
        return int(known[0])

    def _one(self, query: str, *values: object) -> tuple[Any, ...] | None:
        """First row of a result, read to its end, as the connection asks before anything else runs on it."""
        return next(iter(self.connection.execute(query, values).fetchall()), None)

    def _number(self, source: str, run_id: str) -> int:
        row = self._one("SELECT source_id FROM sources JOIN collections USING (source_id) WHERE name = ? AND run_id = ?", source, run_id)
        if row is None:
            raise UnknownCollectionError(f"The source {source} was not begun in run {run_id}. Call begin() first.")
        return int(row[0])


def _create(path: Path, pseudonyms: Pseudonyms) -> None:
    """Build an empty store beside its place and rename it in, so that a half-made file never stands there."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f"{path.name}.new")
    for leftover in (fresh, fresh.with_name(f"{fresh.name}.wal")):
        leftover.unlink(missing_ok=True)
    with _private(), duckdb.connect(str(fresh)) as connection:
        connection.execute(_SCHEMA)
        connection.execute("INSERT INTO meta VALUES (?, ?, ?)", (APPLICATION, SCHEMA_VERSION, pseudonyms.fingerprint()))
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _connect(path: Path, settings: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    with path.open("rb") as file:
        header = file.read(12)
    if header[8:] != MAGIC:
        raise ActivityFileError(f"{path} is no DuckDB database: damaged, or something else. Move it away and run again, or restore a copy.")
    try:
        with _private():
            return duckdb.connect(str(path), config=settings)
    except duckdb.Error as error:
        fact = str(error).splitlines()[0]
        remedy = next((remedy for sign, remedy in _OPENING.items() if sign in fact), "Restore a copy, or move it away and run again.")
        raise ActivityFileError(f"{path} cannot be opened: {fact}. {remedy}") from error


def _identify(connection: duckdb.DuckDBPyConnection, path: Path, pseudonyms: Pseudonyms) -> None:
    """Refuse what is not ours, what a newer version wrote, and what another key's pseudonyms are in."""
    try:
        application, version, fingerprint = connection.execute("SELECT application, version, key_fingerprint FROM meta").fetchall()[0]
    except (duckdb.CatalogException, duckdb.BinderException, IndexError):
        application, version, fingerprint = None, 0, 0
    if application != APPLICATION:
        raise ActivityFileError(f"{path} is a DuckDB database of another program. Choose another data_dir.")
    if fingerprint == pseudonyms.fingerprint():
        version = _upgraded(connection, version)
    if version != SCHEMA_VERSION:
        raise ActivityFileError(
            f"{path} has schema {version}, this version reads {SCHEMA_VERSION}. Install the version that wrote it, or one newer."
        )
    if fingerprint != pseudonyms.fingerprint():
        raise ActivityFileError(f"{path} was written under another pseudonym key. Restore the key file beside it, or begin a new data_dir.")


def _upgraded(connection: duckdb.DuckDBPyConnection, version: int) -> int:
    """Bring the tables of an older version up to this one's, a version a transaction; give the version they then have."""
    while version in _UPGRADES:
        connection.begin()
        connection.execute(_UPGRADES[version])
        connection.execute("UPDATE meta SET version = version + 1")
        connection.commit()
        version += 1
    return version


@contextmanager
def _blamed(path: Path) -> Iterator[None]:
    """Say of the file what DuckDB finds out about it, or about its disk, only while it reads and writes."""
    try:
        yield
    except duckdb.Error as error:
        if type(error) is not duckdb.Error and not isinstance(error, (duckdb.IOException, duckdb.FatalException)):
            raise  # a fault of the query, not of the file; a checksum that differs comes as the plain error
        fact = str(error).splitlines()[0]
        free = shutil.disk_usage(path.parent).free
        remedy = f"{free:,} bytes are free there: free some space" if "No space" in fact else "Move it away or restore a copy"
        raise ActivityFileError(f"{path} cannot be used further: {fact}. {remedy}, then run again.") from error


@contextmanager
def _private() -> Iterator[None]:
    """Let nobody else read the files that DuckDB makes: the database, what is written ahead, what is spilled."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)
