"""Small activity stores made by hand: records in the words of the schema, on days of covered 28-day months."""

from __future__ import annotations

import itertools
import json
import tempfile
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

import duckdb

from discovery.features import FeatureSettings, Measurement, Scope, measure

DAY = 86_400
START = 700 * 28 * DAY
"""Day 0: the first instant of a 28-day month."""

SCHEMA = """
CREATE TABLE sources(source_id INTEGER PRIMARY KEY, name TEXT UNIQUE, kind TEXT, platform TEXT, live BOOLEAN, coverage TEXT,
    quote_ok BOOLEAN, llm_ok BOOLEAN, licence TEXT);
CREATE TABLE communities(community TEXT, source_id INTEGER, name TEXT, url TEXT, description TEXT, members BIGINT, sensitive BOOLEAN,
    retrieved_at BIGINT, PRIMARY KEY(community, source_id));
CREATE TABLE records(record_id TEXT, key UBIGINT, changed BIGINT, source_ids INTEGER[], communities TEXT[], kind TEXT,
    author BIGINT, created_at BIGINT, title TEXT, text TEXT, thread TEXT, parent TEXT, score BIGINT, replies BIGINT,
    accepted BOOLEAN, bot BOOLEAN,
    url TEXT, domain TEXT, retrieved_at BIGINT, digest UBIGINT);
"""
ENGLISH = "this is what we did with the thing that you and they have been at for it was not what she said they would do with us"
"""Filler that is English and shows no intent."""
_numbers = itertools.count()


def post(author: str | None, day: float, text: str = "", **more: Any) -> dict[str, Any]:
    """Make a post that opens its own thread."""
    number = more.pop("id", None) or f"p{next(_numbers):07d}"
    return {
        "record_id": number, "source_ids": [1], "communities": ["reddit:a"], "kind": "post", "author": pseudonym(author),
        "created_at": START + round(day * DAY), "title": "", "text": text, "thread": number, "parent": None, "score": None, "replies": None,
        "accepted": None, "bot": False, "url": None, "domain": None, "retrieved_at": None, "digest": 0, **more,
    }  # fmt: skip


def reply(to: Mapping[str, Any], author: str | None, day: float, text: str = "", **more: Any) -> dict[str, Any]:
    """Make a reply to a record, in its thread and communities."""
    places = {"communities": to["communities"], "thread": to["thread"], "parent": to["record_id"]}
    return post(author, day, text, **{**places, **more}) | {"kind": "reply"}


def pseudonym(author: str | None) -> int | None:
    """Turn a name into a number, as the store would."""
    return None if author is None else zlib.crc32(author.encode())


def store(
    records: Iterable[Mapping[str, Any]], *, coverage: Mapping[int, str] | None = None, threads: int = 2
) -> duckdb.DuckDBPyConnection:
    """Build an activity store in memory; source 1 is called ``one`` and complete, unless told."""
    connection = duckdb.connect()
    connection.execute(f"SET threads = {threads}")
    connection.execute(SCHEMA)
    for number, shown in (coverage or {1: "complete"}).items():
        name = {1: "one", 2: "two"}[number]
        connection.execute("INSERT INTO sources VALUES (?, ?, 'table', NULL, false, ?, true, false, 'CC0')", [number, name, shown])
    kinds = connection.execute("DESCRIBE records").fetchall()
    columns = "{" + ", ".join(f"{name}: '{kind}'" for name, kind, *_ in kinds) + "}"
    with tempfile.NamedTemporaryFile("w", suffix=".ndjson") as file:
        file.write("\n".join(json.dumps(record) for record in records))
        file.flush()
        connection.execute(f"INSERT INTO records SELECT * FROM read_ndjson(?, columns = {columns})", [file.name])  # noqa: S608 - our own schema
        connection.execute("UPDATE records SET key = md5_number_lower(record_id), changed = 1")
    return connection


def measured(records: Iterable[Mapping[str, Any]], *, coverage: Mapping[int, str] | None = None, **scope: Any) -> Measurement:
    """Measure records made by hand."""
    shown = coverage or {1: "complete"}
    wanted = Scope(**{"sources": tuple({1: "one", 2: "two"}[number] for number in shown), **scope})
    return measure(store(records, coverage=shown), scope=wanted, settings=FeatureSettings())


def estimate(measurement: Measurement, feature: str, community: str = "reddit:a") -> Any:
    """Pick the row of one feature of one community."""
    grid = measurement.estimates
    return grid[(grid["community"] == community) & (grid["feature"] == feature)].iloc[0]


def crowd(number: int, *, start: int = 0) -> list[str]:
    """Name people."""
    return [f"person{index}" for index in range(start, start + number)]
