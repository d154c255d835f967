"""Measure a store with the product's own call, in a process of its own: ``python -m benchmarks.features.ours NAME FOLDER``.

Out, on one line: seconds, communities, records, and a digest of every bit that was measured. Opening the store and putting records into it
are not in the seconds; the estimates of every feature, with their intervals, are.
"""

from __future__ import annotations

import hashlib
import sys
import time
from pathlib import Path

import duckdb
import pandas as pd

from benchmarks.features.invented import NIGHT, SOURCE, fill, opened
from discovery.features import FeatureSettings, Measurement, Scope, measure
from discovery.features.replies import PATIENCE

SUMS = "sums.csv"
SCOPE = Scope(sources=(SOURCE.name,))
_COUNTS = """
WITH clock AS (SELECT max(created_at) AS now FROM records),
heard AS (
    SELECT c, sum(stored)::BIGINT AS answers, sum(others)::BIGINT AS others,
        coalesce(sum(coalesce(first_other, now) - t) FILTER (a IS NOT NULL AND t <= now - $patience), 0)::BIGINT AS waited
    FROM partial.thread, clock GROUP BY c
), gone AS (
    SELECT c, count(*) FILTER (now - last_t > coalesce(silence, 28 * 86400)) AS gone
    FROM clock, partial.author LEFT JOIN partial.silence USING (c) GROUP BY c
)
SELECT community, entries, posts, authors, deleted, heard.answers, others, waited, pairs, mutual_pairs AS mutual, gone
FROM partial.community JOIN partial.fact USING (c) LEFT JOIN heard USING (c) LEFT JOIN gone USING (c) LEFT JOIN partial.pair USING (c)
"""
_OF_AUTHORS = ["months", "present", "stayed", "engaged", "seasoned", "newcomers", "aged", "unanswered"]


def timed(folder: Path, *, afresh: bool) -> tuple[float, Measurement]:
    """Measure a store, from scratch or from what the last measuring left; give the seconds."""
    with opened(folder) as store:
        if afresh:
            store.connection.execute("DROP SCHEMA IF EXISTS partial CASCADE")
        began = time.perf_counter()
        measurement = measure(store.connection, scope=SCOPE, settings=FeatureSettings())
        return time.perf_counter() - began, measurement


def digest(measurement: Measurement) -> str:
    """Sum up all the bits of a measurement."""
    bits = hashlib.sha256()
    for name in ("communities", "estimates", "author_sums", "needs", "mentions", "own_weight"):
        frame = getattr(measurement, name)
        for column in (frame.index, *(frame[column] for column in frame.columns)):
            values = column.to_numpy()
            bits.update(values.tobytes() if values.dtype.kind in "fiub" else repr(values.tolist()).encode())
    words = measurement.vocabulary
    for part in (words.counts, words.authors):
        bits.update(b"".join(piece.tobytes() for piece in (part.indptr, part.indices, part.data)))
    bits.update("\n".join(words.terms).encode())
    return bits.hexdigest()


def sums(folder: Path, measurement: Measurement) -> pd.DataFrame:
    """Give what our measuring added up per community, as peers name it: what it keeps in the store, and sums over authors."""
    with opened(folder) as store:
        kept = store.connection.execute(_COUNTS, {"patience": PATIENCE}).df().set_index("community")
    rows = measurement.communities.index.to_numpy()[measurement.author_sums["row"]]
    by_author = measurement.author_sums[_OF_AUTHORS].groupby(rows).sum()
    measured = measurement.estimates[measurement.estimates["feature"] == "inequality"].set_index("community")["value"]
    found = kept.join(by_author)
    return found.fillna(0).astype("int64").assign(gini=measured).sort_index()


def scratch(folder: Path) -> tuple[object, ...]:
    """Measure all of a store as if for the first time."""
    return _told(*timed(folder, afresh=True))


def added(folder: Path) -> tuple[object, ...]:
    """Measure all of a store, and write down what that added up, for peers."""
    seconds, measurement = timed(folder, afresh=True)
    sums(folder, measurement).to_csv(folder / SUMS)
    return _told(seconds, measurement)


def night(folder: Path) -> tuple[object, ...]:
    """Take in the records of a night, and measure a store that has been measured before."""
    fill(folder, folder / NIGHT)
    return _told(*timed(folder, afresh=False))


def arrival(folder: Path) -> tuple[object, ...]:
    """Take in the records of a night; give how many they are, and of how many communities."""
    fill(folder, folder / NIGHT)
    return duckdb.sql(f"SELECT count(*), count(DISTINCT communities) FROM '{folder / NIGHT}'").fetchall()[0]  # noqa: S608 - a path of ours


def _told(seconds: float, measurement: Measurement) -> tuple[object, ...]:
    return seconds, len(measurement.communities), measurement.records, digest(measurement)


TASKS = {task.__name__: task for task in (scratch, added, night, arrival)}

if __name__ == "__main__":
    print(*TASKS[sys.argv[1]](Path(sys.argv[2])))
