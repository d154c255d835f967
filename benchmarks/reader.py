"""What DuckDB's own reader needs for the same dumps: the fields that are kept, as typed columns, committed; nothing checked or hidden."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import duckdb

COLUMNS = {
    **dict.fromkeys(("id", "author", "title", "selftext", "body", "link_id", "parent_id", "domain", "subreddit"), "VARCHAR"),
    **dict.fromkeys(("score", "num_comments", "retrieved_on", "subreddit_subscribers"), "BIGINT"),
    **dict.fromkeys(("score_hidden", "is_self"), "BOOLEAN"),
    "created_utc": "DOUBLE",
    "_meta": "STRUCT(retrieved_2nd_on BIGINT)",
}


def read(dumps: Path, database: Path) -> tuple[int, float]:
    """Read all dumps of a folder into a new database; give the number of records and the seconds."""
    began = time.perf_counter()
    with duckdb.connect(str(database), config={"threads": 2, "memory_limit": "2GB", "preserve_insertion_order": False}) as connection:
        connection.execute(
            "CREATE TABLE records AS SELECT * FROM read_json($files, format = 'newline_delimited', columns = $columns)",
            {"files": f"{dumps}/*.zst", "columns": COLUMNS},
        )
        connection.execute("CHECKPOINT")
        rows = connection.execute("SELECT count(*) FROM records").fetchall()
    return rows[0][0], time.perf_counter() - began


if __name__ == "__main__":
    print(*read(Path(sys.argv[1]), Path(sys.argv[2])))
