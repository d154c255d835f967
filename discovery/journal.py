"""The run in hand: begun, or taken up where it was left; what its stages keep between them; how it ends.

A run's results are rows in SQLite. What takes long besides, each stage's value, is kept beside them until the run is published, so
that a run killed anywhere, or stopped after a stage, goes on from there and ends as if nothing had happened.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pandas as pd

from discovery import failures, stopping
from discovery.config import Config
from discovery.lock import locked
from storage import artifacts
from storage.results import Frozen, Provenance, Results
from storage.tables import Run

T = TypeVar("T")
READY = "rank"
"""The stage after which a run is saved, and only waits for its publication."""


class Journal:
    """One run: its results, what its stages keep, and its end."""

    def __init__(self, results: Results, *, run_id: str, work: Path, clock: Callable[[], int]) -> None:
        self.results, self.run_id, self.clock = results, run_id, clock
        self._work = work

    @property
    def published(self) -> bool:
        """Readers see this run already; only its report may be missing."""
        return self._run().published_at is not None

    def holds(self, stage: str) -> bool:
        """Tell whether a stage is done and its value kept."""
        return (self._work / stage).is_dir()

    def kept(self, stage: str, kind: type[T], work: Callable[[], T]) -> T:
        """Take a stage's value from where an earlier attempt kept it, else do the stage and keep it."""
        value = artifacts.load(self._work / stage, kind)
        if value is None:
            value = work()
            artifacts.save(self._work / stage, value)
        return value

    def rest(self, stage: str) -> None:
        """Stop after a stage, as asked; the next run goes on from here."""
        self.results.finish_run(self.run_id, status="interrupted", at=self.clock(), reason=f"stopped after {stage}, as asked")

    def fail(self, reason: str) -> None:
        """End without anything to publish."""
        self.results.finish_run(self.run_id, status="failed", at=self.clock(), reason=reason)

    def hold(self, reason: str) -> None:
        """End without publishing what was found."""
        self.results.finish_run(self.run_id, status="held", at=self.clock(), reason=reason)

    def publish(self, *, panel: pd.DataFrame | None = None, background: Frozen | None = None) -> None:
        """Show the run to readers, and freeze what later runs are compared with, where it is new."""
        self.results.publish(self.run_id, at=self.clock(), panel=panel, background=background)

    def forget(self) -> None:
        """Drop what the stages kept."""
        shutil.rmtree(self._work, ignore_errors=True)

    def left(self, error: BaseException) -> None:
        """Say how the run was left, if it has not ended: by a signal it can be taken up again, by an error it cannot.

        Raises:
            Stopped: the error only says in a library's words that a signal came.
        """
        if self._run().status == "running":
            if stopping.asked() or not isinstance(error, Exception):
                self.results.finish_run(self.run_id, status="interrupted", at=self.clock(), reason="stopped by a signal")
            else:
                self.fail(failures.told(error))
        stopping.heed()

    def _run(self) -> Run:
        return next(run for run in self.results.runs() if run.run_id == self.run_id)


@contextmanager
def begun(config: Config, provenance: Provenance, *, forced: bool, clock: Callable[[], int]) -> Iterator[Journal]:
    """Begin a run, or take up the newest where it was left; hold the data directory meanwhile, and say how it was left.

    Args:
        config: Where things are kept.
        provenance: What the run is made with; only a run made the same way is taken up.
        forced: Take up a run that the gate held, too, and any that only waits for its publication.
        clock: Seconds since 1970; only for when things happened, never for what they mean.

    Raises:
        RunLockedError: another run holds the data directory.
    """
    with locked(config.data_dir), Results.open(config.data_dir / "subcurrent.db") as results:
        work = config.data_dir / "work"
        newest = next(reversed(results.runs()), None)
        if newest and newest.status == "published" and _of(newest) == provenance and (work / newest.run_id).is_dir():
            run_id = newest.run_id
        else:
            if forced and newest and (work / newest.run_id / READY).is_dir():
                provenance = _of(newest)
            run_id = results.resume_or_begin(started_at=clock(), provenance=provenance, held=forced)
        _clear(work, keep=run_id)
        journal = Journal(results, run_id=run_id, work=work / run_id, clock=clock)
        try:
            yield journal
        except BaseException as error:
            journal.left(error)
            raise


def _of(run: Run) -> Provenance:
    return Provenance(version=run.version, seed=run.seed, config_sha256=run.config_sha256, invented=bool(run.invented))


def _clear(work: Path, *, keep: str) -> None:
    """Drop what runs kept that can no longer be taken up."""
    work.mkdir(exist_ok=True, mode=0o700)
    for folder in work.iterdir():
        if folder.name != keep:
            shutil.rmtree(folder)
