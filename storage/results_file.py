"""The results file as its readers meet it: told from foreign, damaged and newer ones by its header, and opened to be read only.

A path flows in; a SQLite connection that can change nothing flows out.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from storage.errors import ResultsFileError

APPLICATION_ID = 0x73756243
"""Written into the file's header; tells our results from any other SQLite file."""
SCHEMA_VERSION = 7
"""Number of the newest migration; the file carries it as ``user_version``."""
MAGIC = b"SQLite format 3\x00"
READER_WAIT_S = 10


def identify(path: Path) -> None:
    """Refuse a file that is not ours, by the 100 bytes of its header.

    Raises:
        ResultsFileError: With what the file is, and what to do.
    """
    if not path.is_file():
        raise ResultsFileError(f"There are no results at {path}. Run `subcurrent run` first.")
    with path.open("rb") as file:
        header = file.read(100)
    if len(header) < 100 or not header.startswith(MAGIC):
        size = path.stat().st_size
        raise ResultsFileError(
            f"{path} ({size} bytes) is not an SQLite file: it is damaged or something else. Move it away and run again, or restore a copy."
        )
    application, version = (int.from_bytes(header[at : at + 4], "big") for at in (68, 60))
    if application != APPLICATION_ID:
        raise ResultsFileError(
            f"{path} is an SQLite file of another program (application id {application:#010x}, ours is {APPLICATION_ID:#010x}). "
            "Choose another data_dir."
        )
    if version > SCHEMA_VERSION:
        raise ResultsFileError(
            f"{path} has schema {version}, newer than schema {SCHEMA_VERSION} of this version. Install the version that wrote it, or newer."
        )


@contextmanager
def read_only(path: Path) -> Iterator[sqlite3.Connection]:
    """Open one unchanging view of the results that can change nothing.

    Raises:
        ResultsFileError: The file is missing, foreign, damaged or newer, or has not been brought to this schema yet.
    """
    identify(path)
    _finish_interrupted_write(path)
    with closing(
        sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=READER_WAIT_S, isolation_level=None)
    ) as connection:
        connection.row_factory = sqlite3.Row
        for pragma in ("query_only = ON", "trusted_schema = OFF"):
            connection.execute(f"PRAGMA {pragma}")
        try:
            connection.execute("BEGIN")
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version != SCHEMA_VERSION:
                raise ResultsFileError(f"{path} has schema {version}, this version reads {SCHEMA_VERSION}. `subcurrent run` upgrades it.")
            yield connection
        except UnicodeDecodeError as error:
            raise ResultsFileError(f"{path} is damaged ({error.reason}). Move it away and run again, or restore a copy.") from error
        except sqlite3.DatabaseError as error:
            if "malformed" in str(error) or "not a database" in str(error):
                raise ResultsFileError(f"{path} is damaged ({error}). Move it away and run again, or restore a copy.") from error
            raise


def _finish_interrupted_write(path: Path) -> None:
    """Let SQLite roll back what a killed writer left behind; a read-only connection may not."""
    if path.with_name(f"{path.name}-journal").exists():
        with closing(sqlite3.connect(path, timeout=READER_WAIT_S)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
