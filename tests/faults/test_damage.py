"""Damaged files and a full disk: refused with a remedy or harmless, never overwritten, and what readers see stays whole."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.command_line import Said, configured, subcurrent

pytestmark = pytest.mark.faults
WORLD = "world:1?communities=9&days=56&scale=0.2"
OTHER = WORLD.replace("world:1", "world:2")
FILES = ("activity.duckdb", "subcurrent.db", "pseudonym.key")
DAMAGES = 12
"""Of each file, each drawn from its own seed: bits flipped, an end cut off, a page of zeros."""


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with one published run."""
    folder = tmp_path_factory.mktemp("published")
    assert subcurrent("run", "--config", configured(folder, WORLD)).code == 0
    return folder / "data"


def orderly(said: Said) -> Said:
    """A command that may have failed, but as one that foresaw it."""
    assert "Traceback" not in said.err
    assert "This is a fault of the program" not in said.err, said.err
    return said


def damaged(content: bytes, seed: int) -> bytes:
    """Damage some bytes, in one of three ways."""
    draw = random.Random(seed)  # noqa: S311 - no secret
    changed = bytearray(content)
    if seed % 3 == 0:
        return bytes(changed[: draw.randrange(len(changed))])
    if seed % 3 == 1:
        start = draw.randrange(0, len(changed), 4096)
        return bytes(changed[:start]) + bytes(len(changed[start : start + 4096])) + bytes(changed[start + 4096 :])
    for _ in range(draw.choice((1, 8, 64))):
        changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
    return bytes(changed)


@pytest.mark.parametrize("seed", range(DAMAGES))
@pytest.mark.parametrize("name", FILES)
def test_damage_is_refused_or_harmless(published: Path, tmp_path: Path, name: str, seed: int) -> None:
    """However a file is damaged, a run either refuses it, says a remedy and leaves what it holds as it is, or does its work.

    A bit inside a text shows only where that text is read: then the results know of a run that failed, and have lost nothing.
    """
    shutil.copytree(published, tmp_path / "data", symlinks=True)
    file = tmp_path / "data" / name
    file.write_bytes(before := damaged(file.read_bytes(), seed))
    said = orderly(subcurrent("run", "--config", configured(tmp_path, WORLD)))
    if said.code:
        assert "estore" in said.err or "another data_dir" in said.err, said.err
        assert name in said.err or "key" in said.err
        if name != "activity.duckdb":  # DuckDB notes in its header that it was opened
            after = file.read_bytes()
            assert after == before or rows_of(before, tmp_path / "before.db") <= rows_of(after, tmp_path / "after.db")


def rows_of(content: bytes, copy: Path) -> set[tuple[object, ...]]:
    """List every row of some results, texts as they lie there, each with its table."""
    copy.write_bytes(content)
    connection = sqlite3.connect(copy)
    connection.text_factory = bytes
    tables = [name.decode() for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = {(table, *row) for table in tables for row in connection.execute(f'SELECT * FROM "{table}"')}  # noqa: S608 - our own names
    connection.close()
    assert found
    return found


@contextmanager
def disk(folder: Path, kibibytes: int) -> Iterator[Path]:
    """Mount a small disk."""
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kibibytes}k", "none", str(folder)], check=False, capture_output=True)
    if mounted.returncode:
        pytest.skip("no disk may be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a disk of a few megabytes")
@pytest.mark.parametrize("spare", range(0, 2_400, 400))
def test_a_full_disk_keeps_what_was_published(published: Path, tmp_path: Path, spare: int) -> None:
    """With so many spare KiB a run fails in order or publishes; before it readers see the old run, and with space it goes through."""
    used = sum(file.stat().st_size for file in published.rglob("*") if file.is_file() and not file.is_symlink())
    with disk(tmp_path / "disk", used // 1024 + 200 + spare) as folder:
        shutil.copytree(published, folder / "data", symlinks=True)
        config = configured(folder, OTHER)
        ranking = ("ranking", "--of", "communities", "--json", "--config", config)
        before = subcurrent(*ranking)
        said = orderly(subcurrent("run", "--config", config))
        if said.code == 1:
            assert "ree some space" in said.err
            assert orderly(subcurrent(*ranking)) == before
        subprocess.run(["mount", "-o", "remount,size=100m", str(folder)], check=True)
        assert orderly(subcurrent("run", "--config", config)).code == 0
        assert subcurrent(*ranking).out != before.out
