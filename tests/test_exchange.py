"""Activity that leaves and comes back: exported as Parquet, measured from there, and refused where it is none."""

from __future__ import annotations

import json
import stat
from importlib.util import find_spec
from pathlib import Path

import pytest

from storage.errors import ActivityFileError
from storage.exchange import export, imported
from tests.command_line import configured, hobbies, subcurrent
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


def test_exported_activity_is_compared_with_the_frozen_words(tmp_path: Path) -> None:
    """On a later night the words of the first published run are what an export is measured against, as the run itself is."""
    folder = hobbies(tmp_path, ("a.csv", "b.csv"))
    config = configured(tmp_path)
    alone = ("--source", f"table:{folder / 'posts' / 'a.csv'}")
    both = (*alone, "--source", f"table:{folder / 'posts' / 'b.csv'}")
    assert [subcurrent("run", "--config", config, *sources).code for sources in (both, alone)] == [0, 0]
    assert subcurrent("export", tmp_path / "activity", "--config", config).code == 0
    printed = json.loads(subcurrent("measure", "--activity", tmp_path / "activity", "--config", config, "--json").out)
    stored = json.loads(subcurrent("sql", "SELECT community_id, value FROM community_features WHERE feature = 'specificity'",
                                   "--config", config, "--json").out)  # fmt: skip
    told = {row["community"]: row["value"] for row in printed if row["feature"] == "specificity"}
    assert {row["community_id"]: row["value"] for row in stored}.items() <= told.items()
    assert any(row["value"] is not None for row in stored)


def test_nothing_to_export_is_said(tmp_path: Path) -> None:
    """Without a store, with a folder that is there, or without Spark, a line says what to do; nothing is made."""
    config = configured(tmp_path)
    said = subcurrent("export", tmp_path / "out", "--config", config)
    assert (said.code, "subcurrent collect" in said.err, (tmp_path / "out").exists()) == (1, True, False)
    export(store([post("ana", 1)]), tmp_path / "out")
    if not find_spec("pyspark"):
        said = subcurrent("measure", "--activity", tmp_path / "out", "--engine", "spark", "--config", config)
        assert (said.code, "pip install 'subcurrent[cluster]'" in said.err) == (2, True)


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
