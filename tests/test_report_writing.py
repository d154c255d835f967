"""Reports as files: the same every time, the last one found under one name, nothing half-written."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from scoring.report import write_report
from storage.results import Results
from tests.publication import BEGAN, PROVENANCE, publication, published


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the ordinary publication."""
    folder = tmp_path_factory.mktemp("report")
    return write_report(published(folder / "results.db"), folder / "reports")


def test_the_same_run_gives_the_same_bytes(tmp_path: Path, written: Path) -> None:
    """Another run of the same results gives the same report to the byte: no clock, no run id, no random ids."""
    path = published(published(tmp_path / "results.db", tables=publication(communities=9)))
    again = write_report(path, tmp_path / "reports")
    assert {file.name: file.read_bytes() for file in again.iterdir()} == {file.name: file.read_bytes() for file in written.iterdir()}


def test_latest_points_to_the_last_report(tmp_path: Path) -> None:
    """Each run has its folder, `latest` leads to the last one written, and nothing half-written stays behind."""
    path = published(tmp_path / "results.db")
    first = write_report(path, tmp_path / "reports")
    published(path, tables=publication(communities=9))
    second = write_report(path, tmp_path / "reports")
    assert (tmp_path / "reports" / "latest").resolve() == second
    with Results.open(path) as results:
        results.rollback("run-000001")
    (first / "report.md").write_text("scribbled")
    write_report(path, tmp_path / "reports")
    assert (tmp_path / "reports" / "latest").resolve() == first
    assert "Look first at" in (first / "report.md").read_text()
    assert sorted(entry.name for entry in (tmp_path / "reports").iterdir()) == ["latest", "run-000001", "run-000002"]


def test_a_report_needs_a_published_run(tmp_path: Path) -> None:
    """Before the first publication there is nothing to report, and nothing is written."""
    with Results.open(tmp_path / "results.db") as results:
        results.resume_or_begin(started_at=BEGAN, provenance=PROVENANCE)
    with pytest.raises(LookupError, match="No run has been published yet"):
        write_report(tmp_path / "results.db", tmp_path / "reports")
    assert not (tmp_path / "reports").exists()


def test_a_report_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    """Where the report folder cannot be made, the error is the system's own and nothing is left behind."""
    path = published(tmp_path / "results.db")
    folder = write_report(path, tmp_path / "reports")
    before = (folder / "report.md").read_bytes()
    shutil.move(tmp_path / "reports", tmp_path / "kept")
    (tmp_path / "reports").write_text("in the way")
    with pytest.raises(FileExistsError):
        write_report(path, tmp_path / "reports")
    assert (tmp_path / "kept" / "run-000001" / "report.md").read_bytes() == before
