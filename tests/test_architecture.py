"""The house: import order, sizes, and what may stand in one place only."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("discovery", "scoring", "storage")
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
LONGEST_FILE, LONGEST_FUNCTION = 400, 60
HEAVY = {"alembic", "duckdb", "httpx", "jinja2", "matplotlib", "numpy", "openai", "pandas", "praw", "scipy", "sklearn", "sqlalchemy"}


def named(path: Path) -> str:
    """Path as it is called in the project."""
    return path.relative_to(ROOT).as_posix()


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function of a file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_imports_run_downwards() -> None:
    """Every contract on imports holds."""
    said = subprocess.run([Path(sys.executable).parent / "lint-imports"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout


def test_everything_is_caught_in_one_place() -> None:
    """Only the border of a source catches every exception."""
    handlers = [
        (named(path), node.type) for path in FILES for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ExceptHandler)
    ]
    catching = [name for name, caught in handlers if caught is None or (isinstance(caught, ast.Name) and caught.id == "Exception")]
    assert catching == ["discovery/collect.py"]


@pytest.mark.parametrize("path", FILES, ids=named)
def test_a_file_can_be_read_in_one_sitting(path: Path) -> None:
    """Files and functions stay short."""
    assert len(path.read_text().splitlines()) <= LONGEST_FILE
    long = [each.name for each in functions(path) if (each.end_lineno or 0) - each.lineno >= LONGEST_FUNCTION]
    assert long == []


def test_most_functions_are_short() -> None:
    """Nine functions of ten have at most 25 lines."""
    lengths = sorted((each.end_lineno or 0) - each.lineno + 1 for path in FILES for each in functions(path))
    assert lengths[int(0.9 * len(lengths))] <= 25


def test_the_middle_has_no_clock() -> None:
    """Features, clusters, archetypes and scores read no clock and draw on no global randomness."""
    middle = [path for path in FILES if re.search(r"discovery/(features|clustering|archetypes)/|scoring/", named(path))]
    allowed = {"discovery/archetypes/endpoint.py"}  # deadlines of a server
    clocks = re.compile(
        r"\b(time\.time|datetime\.now|time\.monotonic|np\.random\.(?!Generator|default_rng|SeedSequence|RandomState)|random\.random|uuid4)\b"
    )
    assert [named(path) for path in middle if clocks.search(path.read_text()) and named(path) not in allowed] == []


def test_nothing_is_unpickled() -> None:
    """No artefact is ever read in a form that can run code."""
    assert [
        named(path)
        for path in FILES
        if re.search(r"\b(pickle\.load|joblib\.load|allow_pickle=True|yaml\.load\(|eval\(|exec\()", path.read_text())
    ] == []


def test_the_story_is_the_top_of_the_house() -> None:
    """`night.py` tells the stages in their order, and only the commands import it."""
    text = (ROOT / "discovery" / "night.py").read_text()
    story = text[text.index("def story(") : text.index("def activity(")]
    stages = ["collect(", '"measure"', '"cluster"', '"rank"', "judge(", "publish(", "report("]
    assert [story.index(stage) for stage in stages] == sorted(story.index(stage) for stage in stages)
    assert [
        named(path)
        for path in FILES
        if re.search(r"^\s*from discovery(\.night)? import .*\bnight\b|import discovery\.night", path.read_text(), re.M)
    ] == ["discovery/commands.py"]


def test_reading_commands_import_nothing_heavy() -> None:
    """What only reads results, or says how to call it, loads neither the measuring nor the writing side, so that it answers at once."""
    program = "import sys, discovery.commands; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert HEAVY & set(loaded) == set()
