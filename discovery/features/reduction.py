"""From the records of some communities to their partials, read top to bottom: entries → words → intent → threads → people → products.

In: the tables ``batch`` and ``bound`` and the members of those communities. Out: every partial of theirs. Nothing here knows ``now``
or another community, so any division of the communities gives the same partials: batches of one night, nights, or machines.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from discovery.features import (
    authors,
    crossposts,
    diversity,
    dynamicity,
    integrity,
    intent,
    needs,
    reception,
    replies,
    rhythm,
    saturation,
    selection,
    spending,
    vocabulary,
)
from discovery.features.partials import renew
from discovery.features.phrases import alone, groups, needed, runs
from discovery.settings import FeatureSettings

if TYPE_CHECKING:
    import duckdb

BATCH_TABLES = ("batch", "entry", "sample", "wanted", "reworded", "told", "monthly", "readable", "unread")
"""Temporary tables of a batch."""


def reduce(connection: duckdb.DuckDBPyConnection, *, settings: FeatureSettings, page: int) -> None:
    """Renew all partials of the communities in ``batch``; what was read of their records before is not read again.

    ``page`` is the last page of records that the members hold.
    """
    selection.enter(connection)
    renew(connection, *selection.PARTIALS, *crossposts.PARTIALS)
    vocabulary.read_words(connection, records=settings.sample_records)
    diversity.reduce(connection)
    dynamicity.reduce(connection)
    connection.execute("DROP TABLE told; DROP TABLE reworded")
    _read(connection, page)
    renew(connection, *intent.partials(settings.mentions_per_tier), *replies.PARTIALS, *authors.PARTIALS, *needs.PARTIALS)
    renew(connection, *rhythm.PARTIALS, *reception.PARTIALS, *integrity.PARTIALS, *spending.PARTIALS)
    saturation.read_capitals(connection)


def _read(connection: duckdb.DuckDBPyConnection, page: int) -> None:
    """Read what is unread for intent; keep spans, what is needed and the products and amounts named in words of buying."""
    intent.unread(connection)
    connection.execute(f"{needs.TABLES}; {saturation.TABLES}; {spending.TABLES}")
    hits: list[tuple[int, str, int, int]] = []
    wishes: list[tuple[int, bool, str]] = []
    said: list[tuple[int, str, int, str, str, bool]] = []
    products: list[tuple[int, str]] = []
    amounts: list[tuple[int, str, int]] = []
    for found in intent.search(connection):
        by_tier = {hit.tier: hit for hit in found.hits}
        hits.extend((found.key, *hit) for hit in found.hits)
        voiced = by_tier.get("T1") or by_tier.get("T0")
        if voiced and (phrase := needed(found.words, record=found.key, start=voiced.start, end=voiced.end)):
            wishes.append((found.key, phrase.asked, alone(phrase)))
            said.extend((found.key, " ".join(run.stems), len(run.stems), run.words, run.way, groups(run, phrase)) for run in runs(phrase))
        named = (
            saturation.named(found.words, start=by_tier[tier].start, end=by_tier[tier].end) for tier in ("SW", "T4") if tier in by_tier
        )
        products.extend((found.key, product) for product in named if product)
        if amount := spending.paid(found.words, by_tier):
            amounts.append((found.key, *amount))
    _keep(connection, "hit", hits, ("tier", "span_start", "span_end"))
    _keep(connection, "wish", wishes, ("asked", "alone"))
    _keep(connection, "run", said, ("stems", "size", "words", "way", "groups"))
    _keep(connection, "named", products, ("product",))
    _keep(connection, "paid", amounts, ("currency", "cents"))
    intent.have_read(connection, page)


def _keep(connection: duckdb.DuckDBPyConnection, name: str, rows: Sequence[tuple[object, ...]], columns: tuple[str, ...]) -> None:
    """Add what was read to a partial, in every community of the batch for which the record was unread."""
    if not rows:
        return
    told = dict(zip(("key", *columns), zip(*rows, strict=True), strict=True))
    frame = pd.DataFrame({**told, "key": np.array(told["key"], dtype="uint64")})
    connection.register("found", frame)
    connection.execute(f"INSERT INTO partial.{name} SELECT c, key, {', '.join(columns)} FROM found JOIN unread USING (key)")  # noqa: S608 - ours
    connection.unregister("found")
