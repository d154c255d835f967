"""A real llama.cpp server that babbles: it names nothing, keeps nobody waiting beyond the budget, and moves no score."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.command_line import configured, subcurrent

pytestmark = [
    pytest.mark.peers,
    pytest.mark.skipif(not (find_spec("xllamacpp") and find_spec("gguf")), reason="the extra `peers` is not installed"),
]
ROOT = Path(__file__).parents[2]
WORLD = "world:3?communities=16&days=112&scale=.3"
NAMING = {"name", "summary", "label_source", "run_id", "published_at"}
"""Columns in which a run with a model may differ from one without."""


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The root of a running server."""
    model = tmp_path_factory.mktemp("model") / "random.gguf"
    command = [sys.executable, "-m", "tests.peers.llama", str(model)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip() + "/v1"
        process.communicate()


def rankings(folder: Path, **settings: Any) -> list[dict[str, Any]]:
    """Do a run and return every row of its three rankings."""
    folder.mkdir()
    config = configured(folder, WORLD, **settings)
    said = subcurrent("run", "--config", config)
    assert said.code == 0, said.err
    printed = [subcurrent("ranking", "--of", of, "--json", "--config", config).out for of in ("archetypes", "niches", "communities")]
    return [row for rows in printed for row in json.loads(rows)]


def test_the_server_is_a_real_one(llama: str) -> None:
    """It answers a completion in the shape that OpenAI documents."""
    asked = {"messages": [{"role": "user", "content": "hello"}], "max_tokens": 1, "temperature": 0}
    answer = httpx.post(f"{llama}/chat/completions", json=asked, timeout=60)
    assert answer.status_code in {200, 500}, "a random word may be half a character, which llama.cpp calls its own error"
    assert answer.json().keys() & {"choices", "error"}


def test_a_babbling_model_names_nothing_and_moves_nothing(tmp_path: Path, llama: str) -> None:
    """Every label is the template's, and every other number of every ranking is the one of a run without a model."""
    budget = {"max_calls": 12, "deadline_seconds": 10, "run_deadline_seconds": 40, "max_tokens": 128}
    named = rankings(tmp_path / "with", llm={"base_url": llama, "model": "random", **budget})
    plain = rankings(tmp_path / "without")
    assert any("archetype_id" in row for row in plain)
    assert {row["label_source"] for row in named if "label_source" in row} <= {"template"}
    without = [[{key: row[key] for key in row.keys() - NAMING} for row in rows] for rows in (named, plain)]
    assert without[0] == without[1]
