"""The same input, configuration and seed give the same ranking bytes, whatever the machine is set to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import hobbies, subcurrent

ROOT = Path(__file__).parents[2]
REAL = ROOT.parent / "shared" / "data" / "reddit_api_listings_2020"
VOLATILE = {"run_id", "published_at"}
PLAIN = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C"}
STRANGE = {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2", "PYTHONHASHSEED": "4711", "TZ": "Pacific/Chatham", "LC_ALL": "C.UTF-8"}
WORLD = "world:31?communities=112"


def ranked(folder: Path, sources: list[str], *, threads: int, env: dict[str, str]) -> dict[str, Any]:
    """Do a run in a folder with its own Python, and return the three rankings without what may differ."""
    config = folder / "config.yaml"
    config.write_text(json.dumps({"data_dir": str(folder / "data"), "limits": {"threads": threads}}))
    command = [sys.executable, "-m", "discovery"]
    settings = {**os.environ, **env, "PYTHONPATH": str(ROOT)}
    given = [word for source in sources for word in ("--source", source)]
    run = subprocess.run(
        [*command, "run", "--config", str(config), *given], cwd=folder, env=settings, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    rankings = {}
    for of in ("archetypes", "niches", "communities"):
        printed = subcurrent("ranking", "--of", of, "--limit", "100000", "--json", "--config", config).out
        rankings[of] = [{name: value for name, value in row.items() if name not in VOLATILE} for row in json.loads(printed)]
    return rankings


def test_neither_order_nor_threads_nor_place_matter(tmp_path: Path) -> None:
    """Sources and files in another order, two threads, another hash seed, time zone, locale and folder: the bytes are the same."""
    one, other = hobbies(tmp_path / "one", ("a.csv", "b.csv")), hobbies(tmp_path / "other" / "place", ("z.csv", "b.csv"))
    first = ranked(one, [WORLD, "table:posts"], threads=1, env=PLAIN)
    second = ranked(other, ["table:posts", WORLD], threads=2, env=STRANGE)
    assert json.dumps(first) == json.dumps(second)
    assert len(first["communities"]) == 114
    assert first["archetypes"]


@pytest.mark.real_data
@pytest.mark.skipif(not REAL.exists(), reason="the real community data is not beside the checkout")
def test_real_listings_give_the_same_bytes(tmp_path: Path) -> None:
    """Real front pages, read on one thread and on two, give the same bytes."""
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    first, second = (
        ranked(folder, [f"reddit_listings:{REAL}"], threads=threads, env=env)
        for folder, threads, env in zip(folders, (1, 2), (PLAIN, STRANGE), strict=True)
    )
    assert json.dumps(first) == json.dumps(second)
    assert first["communities"]
