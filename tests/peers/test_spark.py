"""A local Spark measures exported activity to the very numbers that DuckDB alone gives."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest

from discovery.config import read_config
from discovery.exchange import measured
from storage.exchange import export
from tests.feature_records import store
from tests.test_features_nights import Town

pytestmark = [
    pytest.mark.peers,
    pytest.mark.skipif(not (find_spec("pyspark") and shutil.which("java")), reason="the extra `cluster` or Java is not installed"),
]


def test_spark_gives_the_same_features(tmp_path: Path) -> None:
    """Every value, limit, n, coverage and reason is the same, with communities divided over several tasks."""
    town = Town(12)
    next(town.nights())
    export(store(list(town.rows.values()), coverage={1: "complete", 2: "listing"}), tmp_path / "activity")
    file = tmp_path / "config.yaml"
    file.write_text(f"data_dir: {tmp_path / 'data'}\nfeatures: {{batch_records: 100}}\n")
    here, there = (measured(read_config(file), str(tmp_path / "activity"), spark=spark).estimates for spark in (False, True))
    pd.testing.assert_frame_equal(here, there, check_exact=True)
