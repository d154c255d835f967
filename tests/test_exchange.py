"""Activity that leaves and comes back: exported as Parquet, measured from there, and refused where it is none."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from storage.errors import ActivityFileError
from storage.exchange import export, imported
from tests.command_line import configured, subcurrent
from tests.feature_records import post, store

WORLD = "world:3?communities=16&days=112&scale=.2"


def test_exported_activity_is_measured_as_it_was(tmp_path: Path) -> None:
    """The features printed from an export are those of the run it was made of."""
    config, folder = configured(tmp_path, WORLD), tmp_path / "activity"
    assert subcurrent("run", "--config", config).code == 0
    assert subcurrent("export", folder, "--config", config).code == 0
    query = "SELECT community_id, feature, value, low, high, n, coverage, missing_reason FROM community_features ORDER BY 1, 2"
    printed = json.loads(subcurrent("measure", "--activity", folder, "--config", config, "--json").out)
    stored = json.loads(subcurrent("sql", query, "--config", config, "--json").out)
    assert [list(row.values()) for row in printed] == [list(row.values()) for row in stored]


def test_an_export_is_private_and_never_overwrites(tmp_path: Path) -> None:
    """Only its owner may read the files, and a folder that is there stays as it is."""
    connection = store([post("ana", 1)])
    assert export(connection, tmp_path / "out") == 1
    files = [file for file in (tmp_path / "out").rglob("*") if file.is_file()]
    assert len(files) == 3
    assert all(stat.S_IMODE(file.stat().st_mode) & 0o077 == 0 for file in files)
    with pytest.raises(FileExistsError):
        export(connection, tmp_path / "out")


def test_a_folder_without_activity_is_named(tmp_path: Path) -> None:
    """A folder that holds no export is an error that says what writes one."""
    said = pytest.raises(ActivityFileError, match=r"is no exported activity.*subcurrent export")
    with said, imported(str(tmp_path), records=True, memory_limit="1GB", threads=1):
        pass
