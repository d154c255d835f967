"""Tables read for the tests, as the source reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from discovery.sources import EVER, SourceError, load
from storage.records import Batch, Cursor, Record, Rejected


def read(path: Path, options: str = "") -> Batch:
    """Read a table of one page."""
    (page,) = load(f"table:{path}{options}", credentials={}).batches(Cursor(), window=EVER)
    return page


def partial(path: Path, fault: str, options: str = "") -> tuple[list[Record], list[Rejected]]:
    """Read a table that is not whole: what it holds, after which the source says its fault."""
    pages: list[Batch] = []
    with pytest.raises(SourceError, match=fault):
        pages.extend(load(f"table:{path}{options}", credentials={}).batches(Cursor(), window=EVER))
    return [record for page in pages for record in page.records], [bad for page in pages for bad in page.quarantined]


def one(tmp_path: Path, options: str = "", **cells: Any) -> Record:
    """Read a table of one row."""
    (tmp_path / "t.ndjson").write_text(json.dumps({"community": "bees", "created_at": 1_577_880_000, **cells}))
    (record,) = read(tmp_path, options).records
    return record
