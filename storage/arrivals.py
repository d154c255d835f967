"""What a batch changes in the store: records without names in, as rows inserted, replaced or left, and how many of each.

Everything here runs inside the transaction of its caller. The latest version of a record wins; of two read at the same
instant the greater by what it says, so that neither the order of arrival nor a key decides. A record bears the number of the
page that last changed it, by which a later measuring finds what is new to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from operator import attrgetter
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from storage.pseudonyms import Pseudonyms, candidates, without_names
from storage.records import Community, Record, Rejected

_SAID = (
    *("communities", "kind", "author", "created_at", "title", "text", "thread", "parent", "score", "replies", "accepted"),
    *("bot", "url", "domain"),
)
"""All that a record says: not when it was read, nor by whom it was delivered."""
_GIVEN = ("id", *_SAID, "retrieved_at")
_READ = attrgetter(*_GIVEN)
_FIELDS = (
    *("kind", "author", "created_at", "title", "text", "thread", "parent", "score", "replies", "accepted"),
    *("bot", "url", "domain", "retrieved_at", "digest"),
)
_ASSIGNED = ", ".join(f"{field} = a.{field}" for field in ("communities", *_FIELDS))
_SAYS = (
    "row(md5_number_lower(concat_ws(chr(31), {t}.title, {t}.text, {t}.kind, {t}.score, {t}.replies, {t}.accepted, {t}.created_at, "
    "{t}.url)), {t}.author IS NULL, {t}.author, {t}.digest)"
)
_ONCE = f"QUALIFY row_number() OVER (PARTITION BY record_id ORDER BY coalesce(retrieved_at, -1) DESC, {_SAYS.format(t='given')} DESC) = 1"

# An anti-join per page without an index on record_id: at a million records 3 to 5 times as fast as a primary key with ON CONFLICT.
_ARRIVING = f"""
CREATE OR REPLACE TEMP TABLE arriving AS
WITH given AS (
    SELECT record_id, [$source]::INTEGER[] AS source_ids, string_split(communities, chr(10)) AS communities, {", ".join(_FIELDS)}
    FROM incoming
), once AS (SELECT * FROM given %s)
SELECT once.*, r.rowid AS place, list_contains(r.source_ids, $source) AS credited,
    coalesce(once.retrieved_at, -1) > coalesce(r.retrieved_at, -1) AS later,
    CASE WHEN r.rowid IS NULL THEN 'new' WHEN once.digest = r.digest THEN 'same' WHEN later THEN 'newer'
        WHEN coalesce(once.retrieved_at, -1) = coalesce(r.retrieved_at, -1) THEN 'tie' ELSE 'older' END AS outcome
FROM once LEFT JOIN records r USING (record_id)
"""  # noqa: S608 - the columns are ours
_BREAK_TIES = f"""
UPDATE arriving AS a SET outcome = 'newer' FROM records r
WHERE r.rowid = a.place AND a.outcome = 'tie' AND {_SAYS.format(t="a")} > {_SAYS.format(t="r")}
"""  # noqa: S608 - the columns are ours
_OUTCOMES = """
SELECT outcome, count(*), count(*) FILTER (later), count(*) FILTER (NOT credited) FROM arriving GROUP BY outcome
UNION ALL SELECT 'repeated', (SELECT count(*) FROM incoming) - count(*), 0, 0 FROM arriving
"""
_INSERT = f"""
INSERT INTO records BY NAME
SELECT record_id, md5_number_lower(record_id) AS key, $page AS changed, source_ids, communities, {", ".join(_FIELDS)}
FROM arriving WHERE outcome = 'new'
"""  # noqa: S608 - the columns are ours
_REFRESH = (
    "UPDATE records AS r SET retrieved_at = a.retrieved_at FROM arriving a WHERE r.rowid = a.place AND a.outcome = 'same' AND a.later"
)
_CREDITED = "source_ids = list_sort(list_distinct(list_append(r.source_ids, $source))), changed = $page"
_CREDIT = f"UPDATE records AS r SET {_CREDITED} FROM arriving a WHERE r.rowid = a.place AND a.outcome <> 'newer' AND NOT a.credited"  # noqa: S608
_REPLACE = f"UPDATE records AS r SET {_CREDITED}, {_ASSIGNED} FROM arriving a WHERE r.rowid = a.place AND a.outcome = 'newer'"  # noqa: S608

# What is unknown never replaces what is known; of what was read at the same instant, the greater value stays.
_COMMUNITIES = """
WITH told AS (
    SELECT community, name, url, nullif(description, '') AS description, members, sensitive, coalesce(retrieved_at, -1) AS seen
    FROM incoming
    UNION ALL
    SELECT community, name, url, nullif(description, ''), members, sensitive, coalesce(retrieved_at, -1) FROM communities
    WHERE source_id = $source AND community IN (SELECT community FROM incoming)
)
INSERT INTO communities BY NAME
SELECT community, $source AS source_id, max({'seen': seen, 'said': name}).said AS name,
    (max({'seen': seen, 'said': url}) FILTER (url IS NOT NULL)).said AS url,
    coalesce((max({'seen': seen, 'said': description}) FILTER (description IS NOT NULL)).said, '') AS description,
    (max({'seen': seen, 'said': members}) FILTER (members IS NOT NULL)).said AS members,
    max({'seen': seen, 'said': sensitive}).said AS sensitive, nullif(max(seen), -1) AS retrieved_at
FROM told GROUP BY community
ON CONFLICT DO UPDATE SET name = excluded.name, url = excluded.url, description = excluded.description, members = excluded.members,
    sensitive = excluded.sensitive, retrieved_at = excluded.retrieved_at
"""


class Arrivals:
    """Writes what one source delivers, under the pseudonyms of one data directory."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, pseudonyms: Pseudonyms, *, source: int) -> None:
        self._connection = connection
        self._pseudonyms = pseudonyms
        self._source = source

    def records(self, records: Sequence[Record]) -> tuple[int, int]:
        """Insert what is new, replace what is older, credit the source; count stored and unchanged."""
        frame = _frame(records, self._pseudonyms, self._known_names(records))
        with self._incoming(frame):
            repeated = frame["record_id"].nunique() < len(frame)
            self._run(_ARRIVING % (_ONCE if repeated else ""), source=self._source)
            outcomes = self._outcomes()
            if "tie" in outcomes:
                self._run(_BREAK_TIES)
                outcomes = self._outcomes()
        page = self._run("SELECT nextval('page')")
        stored = self._run(_INSERT, page=page)
        if outcomes.get("same", (0, 0, 0))[1]:
            self._run(_REFRESH)
        if any(uncredited for _, _, uncredited in outcomes.values()):
            self._run(_CREDIT, source=self._source, page=page)
        if "newer" in outcomes:
            stored += self._run(_REPLACE, source=self._source, page=page)
        return stored, sum(count for outcome, (count, _, _) in outcomes.items() if outcome not in {"new", "newer"})

    def communities(self, communities: Sequence[Community]) -> None:
        """Insert communities, or fill and renew what is known of them."""
        told = [
            {**said.model_dump(exclude={"key"}), "community": said.key, "description": without_names(said.description)}
            for said in communities
        ]
        frame = pd.DataFrame(told, dtype=object)
        for field in ("members", "retrieved_at"):
            frame[field] = _integers(frame[field].tolist())
        with self._incoming(frame):
            self._run(_COMMUNITIES, source=self._source)

    def quarantine(self, items: Sequence[Rejected], *, run_id: str) -> None:
        """Keep where malformed items stood, why, and their hashes."""
        with self._incoming(pd.DataFrame([item.model_dump() for item in items])):
            self._run(
                "INSERT INTO quarantine SELECT $run, $source, position, reason, sha256 FROM incoming", source=self._source, run=run_id
            )

    def _outcomes(self) -> dict[str, tuple[int, int, int]]:
        """Count the arrivals by outcome: all, read later than what is stored, not credited to the source yet."""
        return {row[0]: row[1:] for row in self._connection.execute(_OUTCOMES).fetchall()}

    def _known_names(self, records: Sequence[Record]) -> dict[str, set[str]]:
        """Learn the names that chat lines and spaced mentions may use, and tell which of this batch's candidates are names.

        The store keeps names as keyed hashes, so that memory is bounded by the batch and a resumed run knows what it knew.
        """
        learned = {self._pseudonyms.name(platform(record), name) for record in records if (name := _called(record))}
        if learned:
            with self._incoming(pd.DataFrame({"name": np.fromiter(learned, "int64")})):
                self._run("INSERT INTO names SELECT name FROM incoming ANTI JOIN names USING (name)")
        asked = {
            (platform(record), name)
            for record in records
            if record.thread is None or "@" in record.text or "@" in record.title  # else there are no candidates
            for name in chain(candidates(record.text, chat=record.thread is None), candidates(record.title))
        }
        hashes = {self._pseudonyms.name(*pair): pair for pair in asked}
        known: dict[str, set[str]] = {}
        if hashes:
            with self._incoming(pd.DataFrame({"name": np.fromiter(hashes, "int64")})):
                found = self._connection.execute("SELECT name FROM incoming SEMI JOIN names USING (name)").fetchall()
            for row in found:
                known.setdefault(hashes[row[0]][0], set()).add(hashes[row[0]][1])
        return known

    @contextmanager
    def _incoming(self, frame: pd.DataFrame) -> Iterator[None]:
        self._connection.register("incoming", frame)
        yield
        self._connection.unregister("incoming")  # not after an error: the transaction is over then, and the next frame replaces this one

    def _run(self, statement: str, **values: object) -> int:
        """Execute a statement and give the number it answers with: of rows changed, where it changes any."""
        rows = self._connection.execute(statement, values or None).fetchall()
        return int(rows[0][0]) if rows else 0


def platform(record: Record) -> str:
    """Platform a record stands on: the first word of its communities' keys."""
    return record.communities[0].partition(":")[0]


def _called(record: Record) -> str | None:
    """Name by which others may call the author without a mark: a given name, or a nick in chat (``instance/nick``)."""
    if record.author_name is not None or record.thread is not None or record.author is None:
        return record.author_name
    return record.author.partition("/")[2] or record.author


def _frame(records: Sequence[Record], pseudonyms: Pseudonyms, known: Mapping[str, set[str]]) -> pd.DataFrame:
    """Records as columns, names replaced. The digest is taken before that, so that learning a name changes no record."""
    given: dict[str, Sequence[Any]] = dict(zip(_GIVEN, zip(*map(_READ, records), strict=True), strict=True))
    platforms = list(map(platform, records))
    given["author"] = [
        None if author is None else pseudonyms.author(name, author) for name, author in zip(platforms, given["author"], strict=True)
    ]
    said = zip(*(given[field] for field in _SAID), strict=True)
    columns: dict[str, Any] = {
        "record_id": _objects(given["id"]),
        "communities": _objects(["\n".join(keys) for keys in given["communities"]]),  # a key holds no line break
        "digest": np.fromiter(map(pseudonyms.digest, said), dtype="uint64", count=len(records)),
        "created_at": np.array(given["created_at"], dtype="int64"),
        "bot": np.array(given["bot"], dtype="bool"),
        "accepted": pd.array(given["accepted"], dtype="boolean"),
    }
    for field in ("title", "text"):
        columns[field] = _objects(
            [
                words and without_names(words, known=known.get(name, ()), chat=thread is None)
                for words, name, thread in zip(given[field], platforms, given["thread"], strict=True)
            ]
        )
    for field in ("kind", "thread", "parent", "url", "domain"):
        columns[field] = _objects(given[field])
    for field in ("author", "score", "replies", "retrieved_at"):
        columns[field] = _integers(given[field])
    return pd.DataFrame(columns, copy=False)


def _objects(values: Sequence[str | None]) -> pd.Series[Any]:
    return pd.Series(values, dtype=object)


def _integers(values: Sequence[int | None]) -> pd.Series[int]:
    """Whole numbers with gaps, never by way of a float."""
    numbers = np.array(values, dtype=object)
    missing = numbers == None  # noqa: E711 - element by element
    numbers[missing] = 0
    return pd.Series(pd.arrays.IntegerArray(numbers.astype("int64"), missing))
