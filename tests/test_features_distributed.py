"""Records in parts: looked at narrowly, reduced batch by batch and combined, they are measured as in one store."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import duckdb
import pandas as pd
import pytest

from discovery.features import FeatureSettings, Scope, SourceNotStoredError, measure
from discovery.features.distributed import NARROW, Look, Packed, measure_parts
from tests.feature_records import store
from tests.test_features_measure import assert_same
from tests.test_features_nights import SCOPE, Town

COVERAGE = {1: "complete", 2: "listing"}


class Divided:
    """Records of a store in three parts, divided by their ids; every batch gets its records in the order of the parts."""

    def __init__(self, records: pd.DataFrame) -> None:
        part = records["key"] % 3
        self.records = records.drop(columns=["key", "digest"]).assign(part=part).sort_values("part", ignore_index=True)

    def look(self, look: Look) -> Iterator[pd.DataFrame]:
        """Look at each part in a connection of its own."""
        for _, part in self.records.groupby("part"):
            with duckdb.connect() as connection:
                connection.register("given", part[list(NARROW)])
                yield look(connection)

    def reduce(self, places: pd.DataFrame, work: Callable[[duckdb.DuckDBPyConnection, pd.DataFrame], list[Packed]]) -> Iterator[Packed]:
        """Give each batch the records of its communities, one that stands in two of them twice."""
        rows = self.records.explode("communities")[["communities"]].join(self.records.drop(columns=["communities", "part"]))
        everywhere = self.records["communities"]
        for _, batch in places.groupby("batch"):
            mine = rows[rows["communities"].isin(batch["community"])].drop(columns="communities").join(everywhere)
            with duckdb.connect() as connection:
                connection.register("given", mine)
                yield from work(connection, batch)


def emptied(rows: list[dict[str, object]]) -> tuple[duckdb.DuckDBPyConnection, pd.DataFrame]:
    """Fill a store, and take the records out of it."""
    connection = store(rows, coverage=COVERAGE)
    records = connection.execute("FROM records").df()
    for column in ("author", "score", "replies"):
        records[column] = records[column].astype("Int64")
    connection.execute("DROP TABLE records")
    return connection, records


@pytest.mark.parametrize("batch_records", [60, 2_000_000])
def test_parts_are_measured_as_one_store(batch_records):
    """Values, sums, evidence and words are the same bits, in one batch or many."""
    town = Town(11)
    next(town.nights())
    rows = list(town.rows.values())
    whole = measure(store(rows, coverage=COVERAGE), scope=SCOPE, settings=FeatureSettings())
    connection, records = emptied(rows)
    settings = FeatureSettings(batch_records=batch_records)
    assert_same(whole, measure_parts(connection, Divided(records), scope=SCOPE, settings=settings))


def test_an_unknown_source_is_an_error_here_too():
    """A source the activity does not hold is named."""
    connection, records = emptied([])
    with pytest.raises(SourceNotStoredError, match="nowhere"):
        measure_parts(connection, Divided(records), scope=Scope(sources=("nowhere",)), settings=FeatureSettings())
