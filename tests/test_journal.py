"""The run in hand: taken up where it was left, closed as it ended, and nothing of it left behind."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest

from discovery.config import Config
from discovery.journal import Journal, begun
from storage.results import Provenance, Results
from storage.tables import Run

PROVENANCE = Provenance(version="1", seed=1, config_sha256="c")


@dataclass(frozen=True)
class Value:
    """What a stage makes."""

    number: int


class Desk:
    """Runs in one data directory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._clock = iter(range(1, 1_000))

    def begun(self, *, provenance: Provenance = PROVENANCE, forced: bool = False) -> AbstractContextManager[Journal]:
        """Begin a run or take one up."""
        return begun(Config(data_dir=self.folder), provenance, forced=forced, clock=lambda: next(self._clock))

    def runs(self) -> list[Run]:
        """All runs."""
        with Results.open(self.folder / "subcurrent.db") as results:
            return results.runs()

    def kept(self) -> list[str]:
        """What runs have kept."""
        return sorted(path.relative_to(self.folder / "work").as_posix() for path in (self.folder / "work").glob("*/*"))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A data directory without runs."""
    return Desk(tmp_path)


def test_a_stage_is_done_once(desk: Desk) -> None:
    """A value that was kept is taken up by the next attempt instead of being made again."""
    for number in (7, 8):
        with desk.begun() as journal:
            assert journal.kept("measure", Value, lambda number=number: Value(number)) == Value(7)  # type: ignore[misc]
            assert journal.holds("measure")
            assert not journal.holds("cluster")
            journal.rest("measure")
    assert [(run.status, run.reason) for run in desk.runs()] == [("interrupted", "stopped after measure, as asked")]


def test_another_provenance_begins_anew(desk: Desk) -> None:
    """What was left by a run made otherwise is closed and dropped."""
    with desk.begun() as journal:
        journal.kept("measure", Value, lambda: Value(7))
        journal.rest("measure")
    with desk.begun(provenance=PROVENANCE._replace(seed=2)) as journal:
        assert journal.run_id == "run-000002"
        assert desk.kept() == []
        journal.fail("as the test asks")
    assert [run.status for run in desk.runs()] == ["failed", "failed"]


@pytest.mark.parametrize(("error", "status"), [(ValueError("secret of ana"), "failed"), (KeyboardInterrupt(), "interrupted")])
def test_an_error_closes_the_run(desk: Desk, error: BaseException, status: str) -> None:
    """Whatever leaves the run is told in it without quoting, and goes on."""
    with pytest.raises(type(error)), desk.begun():
        raise error
    (run,) = desk.runs()
    assert run.status == status
    assert "ana" not in run.reason


def test_an_error_after_the_end_changes_nothing(desk: Desk) -> None:
    """What goes wrong after a run has ended is not its end."""
    with pytest.raises(ValueError, match="is finished"), desk.begun() as journal:  # noqa: PT012 - what raises is what follows the end
        journal.results.save(journal.run_id, {})
        journal.publish()
        journal.publish()
    assert [(run.status, run.reason) for run in desk.runs()] == [("published", "")]


def test_a_published_run_with_its_rest_is_finished_first(desk: Desk) -> None:
    """A run killed between publication and report is taken up once more; when nothing of it is left, the next is a new one."""
    with desk.begun() as journal:
        journal.kept("rank", Value, lambda: Value(1))
        journal.results.save(journal.run_id, {})
        journal.publish()
    with desk.begun() as journal:
        assert journal.published
        assert journal.run_id == "run-000001"
        journal.forget()
    with desk.begun() as journal:
        assert not journal.published
        assert journal.run_id == "run-000002"


def test_force_takes_up_what_waits_whatever_made_it(desk: Desk) -> None:
    """A run that is saved and waits is published as it is, under the provenance it has, not the caller's."""
    with desk.begun() as journal:
        journal.kept("rank", Value, lambda: Value(1))
        journal.hold("too much moved")
    other = PROVENANCE._replace(config_sha256="other")
    with desk.begun(provenance=other, forced=True) as journal:
        assert journal.run_id == "run-000001"
        assert journal.holds("rank")
        journal.hold("again")
    with desk.begun(provenance=other) as journal:
        assert journal.run_id == "run-000002"
        assert desk.kept() == []
