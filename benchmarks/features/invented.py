"""Invent a store of any size within seconds: the same records every time, made in SQL.

In: a folder, how many records, how many communities. Out: ``activity.duckdb``, a store of that many records; ``night.parquet``, a hundredth
as many that arrive later, some of them late or edits; ``bare``, a folder of a store of the same records without words, and of
``records.parquet``, the same for peers.

Communities follow Zipf's law, and so do the people of each; every tenth record is by someone who may speak anywhere. Threads are short,
a few are long, and all is said by the last instant. Words are drawn from phrases, of which each community prefers its own; one record in
twenty says something that the intent patterns look for. The planted world says more, and is written record by record.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import duckdb

from discovery.features.intent import TIERS, lexicon
from discovery.features.text import STOP_WORDS
from storage.activity import ActivityStore, SourceEntry
from storage.pseudonyms import Pseudonyms

DAY = 86_400
NIGHT = "night.parquet"
SINCE = 700 * 28 * DAY
"""The first instant, at which a 28-day month begins."""
SPAN = 400 * DAY
SOURCE = SourceEntry("invented", "table", live=False, coverage="complete", quote_ok=False, llm_ok=False, licence="invented")
PHRASES, WORDS_OF_A_PHRASE = 20_000, 8
SYLLABLES = "ba ke li mo nu ra se ti vo zu pla cre dri flo gru sta".split()  # noqa: SIM905 - sixteen quoted syllables tell nothing more

_MACROS = """
CREATE MACRO u(what, turn) AS hash(what, turn)::DOUBLE / 18446744073709551616.0;
CREATE MACRO zipf(most, what, turn) AS least(most, floor(pow(most + 1.0, u(what, turn)))::BIGINT) - 1;
"""
_DRAWN = """
CREATE TABLE drawn AS
SELECT *, count(*) OVER (PARTITION BY c) AS size
FROM (
    SELECT c, row_number() OVER (PARTITION BY c ORDER BY i) - 1 AS j
    FROM (SELECT range AS i, zipf($communities, i, 1) AS c FROM range($all))
)
"""
_PLACED = """
CREATE TABLE placed AS
WITH numbered AS (SELECT *, c * 16777216 + j AS id, j // 5 AS block, j % 5 = 0 AS post FROM drawn),
threaded AS (SELECT *, CASE WHEN post OR hash(id, 2) % 4 > 0 THEN block ELSE block - block % 8 END * 5 AS opener FROM numbered),
opened AS (
    SELECT *, ($since + $span * (opener + u(c * 16777216 + opener, 3)) / (size + 5))::BIGINT AS began,
        CASE WHEN post THEN 0 ELSE -21600 * ln(1 - u(id, 4)) * CASE WHEN hash(c, opener) % 6 = 0 THEN 20 ELSE 1 END END AS wait,
        $since + $span - began AS rest
    FROM threaded
), timed AS (SELECT *, began + CASE WHEN wait > rest THEN u(id, 18) * rest ELSE wait END::BIGINT AS t FROM opened),
spoken AS (
    SELECT *, CASE WHEN u(id, 5) < 0.03 THEN NULL WHEN u(id, 6) < 0.1 THEN zipf(50000, id, 7)
        ELSE 1048576 * (c + 1) + zipf(greatest(3, size // 6), id, 7) END AS author FROM timed
)
SELECT id, c, j, post, t, author, coalesce(author % 200 = 199, false) AS bot, c * 16777216 + opener AS thread,
    CASE WHEN post THEN NULL WHEN u(id, 8) < 0.6 OR block * 5 + hash(id, 9) % 5 = j THEN c * 16777216 + opener
        ELSE c * 16777216 + block * 5 + (hash(id, 9) % 5)::BIGINT END AS parent
FROM spoken
"""
_WORDED = """
SELECT 'reddit:t' || id AS record_id, md5_number_lower('reddit:t' || id) AS key, 1::BIGINT AS changed, [1]::INTEGER[] AS source_ids,
    ['reddit:c' || c] AS communities, CASE WHEN post THEN 'post' ELSE 'reply' END AS kind, author::BIGINT AS author, t AS created_at,
    CASE WHEN post THEN getvariable('phrases')[1 + (c * 97 + zipf(2000, id, 10)) % $phrases] ELSE '' END
        || CASE WHEN post AND u(id, 11) < 0.4 THEN '?' ELSE '' END AS title,
    array_to_string(list_transform(range(1 + (hash(id, 12) % 8)::BIGINT),
        lambda x: getvariable('phrases')[1 + (c * 97 + zipf(2000, id, 100 + x)) % $phrases]), '. ')
        || CASE WHEN u(id, 13) < 0.05 THEN '. ' || getvariable('wishes')[1 + (hash(id, 14) % $wishes)::BIGINT] ELSE '' END AS text,
    'reddit:t' || thread AS thread, 'reddit:t' || parent AS parent, (hash(id, 15) % 40)::BIGINT AS score, NULL::BIGINT AS replies,
    NULL::BOOLEAN AS accepted, bot, NULL::TEXT AS url, NULL::TEXT AS domain, t AS retrieved_at, hash(id) AS digest
FROM (FROM placed WHERE {which})
"""
_LATER = "(t > (SELECT quantile_disc(t, 0.9911) FROM placed) OR hash(id, 16) % 1000 = 0)"
"""Of a hundred and one parts the last nine tenths of one by time, and a tenth of one of all times."""
_EDITED = f"(NOT {_LATER} AND hash(id, 17) % 2000 = 0)"
_NARROW = f"SELECT id, c, author, post, t, thread, parent, bot FROM placed WHERE NOT {_LATER} ORDER BY hash(id)"  # noqa: S608 - a constant of ours


def write(folder: Path, *, records: int, communities: int) -> None:
    """Write all of it into a folder, which is made."""
    (folder / "bare").mkdir(parents=True)
    with duckdb.connect(str(folder / "inventing.duckdb"), config={"threads": 2, "memory_limit": "3GB"}) as connection:
        connection.execute(_MACROS)
        connection.execute(_DRAWN, {"communities": communities, "all": records * 101 // 100})
        connection.execute(_PLACED, {"since": SINCE, "span": SPAN})
        connection.execute(f"COPY ({_NARROW}) TO '{folder / 'bare' / 'records.parquet'}' (COMPRESSION zstd)")
        phrases, wishes = _phrases()
        connection.execute("SET VARIABLE phrases = $phrases", {"phrases": phrases})
        connection.execute("SET VARIABLE wishes = $wishes", {"wishes": wishes})
        sizes = {"phrases": len(phrases), "wishes": len(wishes)}
        edited = f"SELECT * REPLACE (text || ' edited' AS text) FROM ({_WORDED.format(which=_EDITED)})"  # noqa: S608 - ours
        night = f"SELECT * REPLACE (2::BIGINT AS changed) FROM ({_WORDED.format(which=_LATER)} UNION ALL {edited})"  # noqa: S608 - ours
        connection.execute(f"COPY ({night}) TO '{folder / NIGHT}' (COMPRESSION zstd)", sizes)
        connection.execute(f"COPY ({_WORDED.format(which=f'NOT {_LATER}')}) TO '{folder / 'first.parquet'}' (COMPRESSION zstd)", sizes)
    fill(folder, folder / "first.parquet")
    for leftover in ("inventing.duckdb", "first.parquet"):
        (folder / leftover).unlink()
    _bare(folder)


def _bare(folder: Path) -> None:
    """Write a store of the same records that say nothing, and what they are for peers, into ``bare`` in the folder."""
    bare = folder / "bare"
    with opened(folder) as store:
        store.connection.execute("CREATE TEMP VIEW wordless AS SELECT * REPLACE ('' AS title, '' AS text) FROM records")
        store.connection.execute(f"COPY wordless TO '{bare / 'first.parquet'}'")
    fill(bare, bare / "first.parquet")
    (bare / "first.parquet").unlink()


def opened(folder: Path) -> ActivityStore:
    """Open the store of a folder as a run would, its limits as by default."""
    return ActivityStore.open(folder / "activity.duckdb", pseudonyms=Pseudonyms.open(folder / "pseudonym.key"))


def fill(folder: Path, file: Path) -> None:
    """Put the records of a Parquet file into the store of a folder, in the place of those it holds already."""
    with opened(folder) as store:
        store.begin(SOURCE, run_id=file.stem)
        store.connection.begin()
        store.connection.execute(f"DELETE FROM records WHERE key IN (SELECT key FROM '{file}')")  # noqa: S608 - a path of ours
        store.connection.execute(f"INSERT INTO records BY NAME FROM '{file}'")
        store.connection.commit()


def _phrases() -> tuple[list[str], list[str]]:
    """Make what people say, half of it stop words, and what they say who want something."""
    dice = random.Random(1)  # noqa: S311 - invented words, no secret
    common = sorted(STOP_WORDS)
    rare = ["".join(dice.choices(SYLLABLES, k=dice.randint(2, 4))) for _ in range(8_000)]
    half = WORDS_OF_A_PHRASE // 2
    phrases = [
        " ".join(word for _ in range(half) for word in (common[int(len(common) ** dice.random()) - 1], dice.choice(rare)))
        for _ in range(PHRASES)
    ]
    examples = [example for code, tier in lexicon().items() if code in TIERS for example in tier.matches]
    requests = [f"is there an app for {dice.choice(rare[:60])} {dice.choice(rare[:60])}" for _ in examples]
    return phrases, examples + requests


if __name__ == "__main__":
    write(Path(sys.argv[1]), records=int(sys.argv[2]), communities=int(sys.argv[3]))
