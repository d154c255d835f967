"""A run killed at any commit point and run again ends as if nothing had happened."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLE = """community,author,created_at,title,text
hives,ana,2024-01-01T00:00:00Z,Hello,I would pay for a hive scale
hives,ben,not a time,Hi,a broken row
hives,cleo,2024-01-02T00:00:00Z,Again,What do you use to track mites?
"""
CONFIG = """
data_dir: {{data_dir}}
sources:
  - {{kind: world, path: "1", communities: 9, days: 56, scale: .2, page: 120}}
  - {{kind: table, path: {table}}}
"""
DRIVERS = 2


def test_killed_at_every_commit_point_and_run_again(tmp_path: Path) -> None:
    """After SIGKILL just before each commit of either store and each rename, a second run leaves the same rows in both stores."""
    table, config = tmp_path / "posts.csv", tmp_path / "config.yaml"
    table.write_text(TABLE)
    config.write_text(CONFIG.format(table=table))
    drivers = []
    for first in range(1, DRIVERS + 1):
        (folder := tmp_path / f"driver-{first}").mkdir()
        command = [sys.executable, "-m", "tests.faults.killing", str(folder), str(config), str(first), str(DRIVERS)]
        drivers.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT))
    attempts = [json.loads(line) for driver in drivers for line in driver.communicate()[0].splitlines()]
    killed = sorted((attempt for attempt in attempts if attempt["killed"]), key=lambda attempt: attempt["before"])

    assert [attempt for attempt in attempts if attempt["code"] or attempt["differences"]] == []
    assert [attempt["before"] for attempt in killed] == list(range(1, len(killed) + 1))
    where = [attempt["at"] for attempt in killed]
    assert where.count("DuckDBPyConnection.commit") >= 8, "every page, begin and end of two sources"
    assert where.count("DefaultDialect.do_commit") >= 6, "begun, two sources, saved, published"
    assert where.count("Path.rename") >= 5, "what each stage keeps, and the report"
