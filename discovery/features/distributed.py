"""The same measuring where the records lie in parts, on one machine or many: placed by narrow looks, reduced batch by batch, combined.

No feature is defined here. A part is a DuckDB connection with a table ``records`` of its own, on which the very statements of a measuring
on one machine run; what crosses communities happens where the partials are gathered. Who has the parts, a cluster or a test, is told
by :class:`Parts`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import pandas as pd

from discovery.features import selection
from discovery.features.background import Background
from discovery.features.measure import combine
from discovery.features.measurement import Measurement, Scope
from discovery.features.members import READINGS, arrive, delivered, last_shown
from discovery.features.partials import known
from discovery.features.reduction import reduce
from discovery.features.selection import load
from discovery.settings import FeatureSettings

if TYPE_CHECKING:
    import duckdb

NARROW = ("record_id", "changed", "source_ids", "communities", "kind", "created_at")
"""Columns of the records that placing communities looks at."""
_WIDENED = """
CREATE TABLE records AS
SELECT *, md5_number_lower(record_id) AS key, NULL::BIGINT AS author, false AS bot, '' AS title, '' AS text, NULL::TEXT AS thread,
    NULL::TEXT AS parent, NULL::BIGINT AS score, NULL::BIGINT AS replies, NULL::BOOLEAN AS accepted, NULL::TEXT AS domain
FROM given
"""
_KEPT_HERE = ("member", "community", "credit", "bound", "state", "read_to", *(name for name in READINGS if name != "run"))
"""Tables of the schema ``partial`` that combining does not ask for."""
_QUOTED = "SELECT * FROM records SEMI JOIN partial.mention USING (key)"

Look = Callable[["duckdb.DuckDBPyConnection"], pd.DataFrame]


class Packed(NamedTuple):
    """A table of a part: its name, and its rows as the bytes of a Parquet file."""

    name: str
    rows: bytes


class Parts(Protocol):
    """Whoever holds the records in parts."""

    def look(self, look: Look) -> Iterable[pd.DataFrame]:
        """Run a look on every part of the records' narrow columns, each in a connection where they are called ``given``."""

    def reduce(self, places: pd.DataFrame, work: Callable[[duckdb.DuckDBPyConnection, pd.DataFrame], list[Packed]]) -> Iterable[Packed]:
        """Bring together the records of each batch of communities and work on them, in a connection where they are called ``given``.

        ``places`` has a row per community: community, batch and more; the work gets those of its batch. A record that stands in
        communities of several batches is in each of them, and may be in one more than once.
        """


def measure_parts(
    connection: duckdb.DuckDBPyConnection, parts: Parts, *, scope: Scope, settings: FeatureSettings, frozen: Background | None = None
) -> Measurement:
    """Measure records that lie in parts; ``connection`` holds the tables ``sources`` and ``communities``, and gets the partials.

    Raises:
        SourceNotStoredError: the scope names a source that ``sources`` does not hold.
    """
    sources = selection.sources_of(connection, scope)
    chosen = sources.index.tolist()
    shown = _merged(parts.look(partial(_last, sources=chosen)), ["source_id", "last_at"]).groupby("source_id").max().reset_index()
    spans = selection.spans(shown, sources, scope)
    counts = _merged(parts.look(partial(_counted, sources=chosen, spans=spans)), ["community", "source_id", "shown", "posts"])
    placed = selection.placed(counts.groupby(["community", "source_id"], as_index=False).sum(), sources, spans)
    places = _batched(placed, counts, records=settings.batch_records)
    _settle(connection, places)
    for packed in parts.reduce(places, partial(_reduced, sources=chosen, settings=settings)):
        _gather(connection, packed)
    connection.execute("CREATE OR REPLACE TABLE records AS SELECT DISTINCT ON (key) * FROM records")  # a record may be evidence in several
    return combine(connection, placed=placed, sources=sources, scope=scope, settings=settings, frozen=frozen)


_BOUND = ("c", "row", "since", "now", "listing")


def _merged(looks: Iterable[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    """Put what was seen in the parts together; there may be none."""
    seen = [look for look in looks if len(look)]
    return pd.concat(seen, ignore_index=True) if seen else pd.DataFrame(columns=columns)


def _batched(placed: pd.DataFrame, counts: pd.DataFrame, *, records: int) -> pd.DataFrame:
    """Give each community its number, which is its row, its bounds and its batch: about so many records each, none divided."""
    size = counts.groupby("community")["shown"].sum().reindex(placed["community"]).to_numpy()
    before = size.cumsum() - size
    listing = placed["coverage"] != "complete"
    return placed.assign(c=placed["row"], listing=listing, batch=before // records)[["community", "batch", *_BOUND]]


def _settle(connection: duckdb.DuckDBPyConnection, places: pd.DataFrame) -> None:
    """Number and bound communities as those who placed them have done."""
    known(connection, "")
    load(connection, "numbered", places[["c", "community"]])
    connection.execute("CREATE TABLE partial.community AS SELECT c::INTEGER AS c, community FROM numbered")
    load(connection, "bound", places[list(_BOUND)])


def _last(connection: duckdb.DuckDBPyConnection, *, sources: list[int]) -> pd.DataFrame:
    connection.execute(_WIDENED)
    _arrived(connection, sources)
    return last_shown(connection).astype("int64")


def _counted(connection: duckdb.DuckDBPyConnection, *, sources: list[int], spans: pd.DataFrame) -> pd.DataFrame:
    connection.execute(_WIDENED)
    _arrived(connection, sources)
    load(connection, "spans", spans)
    return delivered(connection).astype({"source_id": "int64", "shown": "int64", "posts": "int64"})


def _reduced(connection: duckdb.DuckDBPyConnection, places: pd.DataFrame, *, sources: list[int], settings: FeatureSettings) -> list[Packed]:
    """Reduce one batch: all its partials, and the records that may stand as evidence."""
    connection.execute("CREATE TABLE records AS SELECT DISTINCT ON (record_id) *, md5_number_lower(record_id) AS key FROM given")
    _settle(connection, places)
    load(connection, "batch", places[["c"]])
    page = _arrived(connection, sources)
    reduce(connection, settings=settings, page=page)
    found = connection.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'partial' ORDER BY 1").fetchall()
    packed = [_packed(connection, name, f"FROM partial.{name}") for (name,) in found if name not in _KEPT_HERE]
    return [*packed, _packed(connection, "records", _QUOTED)]


def _arrived(connection: duckdb.DuckDBPyConnection, sources: list[int]) -> int:
    return arrive(connection, sources=sources, known=known(connection, ""))


def _packed(connection: duckdb.DuckDBPyConnection, name: str, query: str) -> Packed:
    with tempfile.TemporaryDirectory(prefix="subcurrent-") as folder:
        file = Path(folder) / f"{name}.parquet"
        connection.execute(f"COPY ({query}) TO '{file}' (FORMAT parquet, COMPRESSION zstd)")
        return Packed(name, file.read_bytes())


def _gather(connection: duckdb.DuckDBPyConnection, packed: Packed) -> None:
    """Add the rows of a part to the table of their name."""
    table = packed.name if packed.name == "records" else f"partial.{packed.name}"
    with tempfile.TemporaryDirectory(prefix="subcurrent-") as folder:
        file = Path(folder) / "rows.parquet"
        file.write_bytes(packed.rows)
        connection.execute(f"CREATE TABLE IF NOT EXISTS {table} AS FROM read_parquet('{file}') LIMIT 0")
        connection.execute(f"INSERT INTO {table} FROM read_parquet('{file}')")
