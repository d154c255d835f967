"""The story of one run: collect, measure, cluster, interpret, rank, judge, publish, report.

Stages hand each other values. What took long is kept beside the stores until the run is published, so that a run killed
anywhere, or stopped after a stage, goes on from there and ends as if nothing had happened.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

from discovery import publication
from discovery.archetypes import Interpretation, interpret
from discovery.archetypes.naming import namer
from discovery.clustering import Clustering, TooFewCommunitiesError, cluster, ungrouped
from discovery.collect import collect
from discovery.config import Config
from discovery.console import Progress
from discovery.features import FEATURES, Measurement, Scope, measure
from discovery.gate import Verdict, judge
from discovery.identity import identify
from discovery.lock import locked
from discovery.ranking import Rankings, rank
from discovery.sources import Source
from scoring.report import write_report
from storage import artifacts
from storage.activity import ActivityStore
from storage.pseudonyms import Pseudonyms
from storage.results import Provenance, Results
from storage.tables import SourceRun

Stage = Literal["collect", "measure", "cluster", "rank", "publish"]
PUBLISHED, FAILED, PARTIAL, HELD = 0, 1, 3, 4
T = TypeVar("T")


class Outcome(NamedTuple):
    """How a run ended: what to tell, and the exit code."""

    run_id: str
    message: str
    exit_code: int


def run(
    config: Config, sources: Sequence[Source], *, until: Stage, force: bool, progress: Progress, clock: Callable[[], int]
) -> Outcome:
    """Do one run, or go on with the one that was interrupted.

    Args:
        config: What the run is told.
        sources: What it reads.
        until: The last stage to do; the run waits there for the next command.
        force: Publish also what the gate would hold.
        progress: Who is told how it goes.
        clock: Seconds since 1970; only for when things happened, never for what they mean.

    Raises:
        RunLockedError: another run holds the data directory.
    """
    with locked(config.data_dir), Results.open(config.data_dir / "subcurrent.db") as results:
        night = _Night(config, sources, results, progress, clock)
        try:
            return night.story(until, force=force)
        except BaseException as error:
            night.leave(error)
            raise


class _Night:
    """One run in hand: where it keeps things, and whom it tells."""

    def __init__(
        self, config: Config, sources: Sequence[Source], results: Results, progress: Progress, clock: Callable[[], int]
    ) -> None:
        self.config, self.sources, self.results, self.progress, self.clock = config, sources, results, progress, clock
        names = "\n".join(sorted(source.name for source in sources))
        self.provenance = Provenance(
            version=version("subcurrent"),
            seed=config.seed,
            config_sha256=hashlib.sha256(f"{config.digest()}\n{names}".encode()).hexdigest(),
            invented=any(source.invented for source in sources),
        )
        self.run_id = results.resume_or_begin(started_at=clock(), provenance=self.provenance)
        self.work = config.data_dir / "work" / self.run_id
        self.pseudonyms = Pseudonyms.open(config.data_dir / "pseudonym.key")

    def story(self, until: Stage, *, force: bool) -> Outcome:
        """Tell the run from its sources to its report."""
        with self._activity() as activity:
            delivered = collect(
                self.sources, activity=activity, results=self.results, run_id=self.run_id, clock=self.clock, progress=self.progress
            )
            if until == "collect":
                return self._wait(until)
            if not any(row.stored + row.unchanged for row in delivered):
                return self._fail(delivered)
            measurement = self._kept("measure", Measurement, lambda: self._measure(activity, delivered))
        if until == "measure":
            return self._wait(until)
        clustering = self._kept("cluster", Clustering, lambda: self._cluster(measurement))
        if until == "cluster":
            return self._wait(until)
        interpretation = self._interpret(measurement, clustering)
        rankings = self._rank(measurement, clustering, interpretation)
        tonight = publication.rows(
            measurement, clustering, interpretation=interpretation, rankings=rankings, source_runs=delivered, last=self.results.membership()
        )
        self.results.save(self.run_id, tonight)
        if until == "rank":
            return self._wait(until)
        verdict = judge(tonight, last=self.results.membership(), settings=self.config.gate)
        return self._close(verdict, delivered, rankings, force=force)

    def leave(self, error: BaseException) -> None:
        """Say in the results how an unfinished run was left: by a signal it can be taken up again, by an error of ours not."""
        interrupted = not isinstance(error, Exception)
        reason = "stopped by a signal" if interrupted else f"{type(error).__name__}: {error}"
        self.results.finish_run(self.run_id, status="interrupted" if interrupted else "failed", at=self.clock(), reason=reason)

    def _activity(self) -> ActivityStore:
        limits = self.config.limits
        path = self.config.data_dir / "activity.duckdb"
        return ActivityStore.open(path, pseudonyms=self.pseudonyms, memory_limit=limits.memory, threads=limits.threads)

    def _kept(self, stage: str, kind: type[T], work: Callable[[], T]) -> T:
        """Take a stage's value from where an interrupted attempt kept it, else do the stage and keep it."""
        value = artifacts.load(self.work / stage, kind)
        if value is None:
            value = work()
            artifacts.save(self.work / stage, value)
        return value

    def _measure(self, activity: ActivityStore, delivered: list[SourceRun]) -> Measurement:
        self.progress.stage("measure", "features of each community")
        live = {source.name for source in self.sources if source.live}
        scope = Scope(
            sources=tuple(row.source for row in delivered if row.stored + row.unchanged),
            now={row.source: row.started_at for row in delivered if row.source in live},
            window_days=self.config.window_days,
            portfolio=self.config.portfolio,
        )
        measurement = measure(activity.connection, scope=scope, settings=self.config.features)
        self.progress.done("measure", f"{len(measurement.communities):,} communities, {len(FEATURES)} features")
        return measurement

    def _cluster(self, measurement: Measurement) -> Clustering:
        self.progress.stage("cluster", "the kinds of community there are")
        settings = self.config.clustering.model_copy(update={"seed": self.config.seed})
        market = measurement.communities.index[~measurement.communities["sensitive"].astype(bool)]
        last = self.results.published()
        try:
            clustering = cluster(
                measurement.values().loc[market],
                features=FEATURES,
                platforms=measurement.communities.loc[market, "platform"],
                settings=settings,
                last_k=last.n_clusters if last and last.structure in {"clusters", "segments"} else None,
            )
        except TooFewCommunitiesError as error:
            clustering = ungrouped(market, note=str(error))
        self.progress.done("cluster", f"structure: {clustering.structure}, k = {clustering.n_clusters}")
        return clustering

    def _interpret(self, measurement: Measurement, clustering: Clustering) -> Interpretation:
        self.progress.stage("interpret", "profiles, niches, words, evidence, names")
        found = interpret(
            measurement, clustering, namer=namer(self.config.llm), seed=self.config.seed, key=self.pseudonyms.evidence_key()
        )
        found = identify(found, measurement=measurement, results=self.results)
        self.progress.done("interpret", f"{len(found.archetypes)} archetypes, {len(found.niches)} niches")
        return found

    def _rank(self, measurement: Measurement, clustering: Clustering, interpretation: Interpretation) -> Rankings:
        self.progress.stage("rank", f"scores, and {self.config.score.replicates} replicates behind their intervals")
        rankings = rank(
            measurement,
            clustering,
            interpretation=interpretation,
            panel=None if self.provenance.invented else self.results.panel(),
            settings=self.config.score,
            seed=self.config.seed,
            portfolio=bool(self.config.portfolio),
        )
        self.progress.done("rank", f"{len(rankings.community.table):,} communities scored on panel v{rankings.panel.version}")
        return rankings

    def _close(self, verdict: Verdict, delivered: list[SourceRun], rankings: Rankings, *, force: bool) -> Outcome:
        """Publish and report, or hold."""
        if not verdict.publish and not force:
            self.results.finish_run(self.run_id, status="held", at=self.clock(), reason=verdict.reason)
            said = f"{self.run_id} is held: {verdict.reason} Readers still see the run before; `subcurrent publish` publishes anyway."
            return Outcome(self.run_id, said, HELD)
        frozen = rankings.panel.rows() if rankings.panel_is_new and not self.provenance.invented else None
        self.results.publish(self.run_id, at=self.clock(), panel=frozen)
        shutil.rmtree(self.work, ignore_errors=True)
        folder = write_report(self.config.data_dir / "subcurrent.db", self.config.data_dir / "reports")
        failed = [row.source for row in delivered if row.status in {"failed", "partial"}]
        said = f"{self.run_id} is published. Report: {_shown(folder)}/report.md"
        if failed:
            return Outcome(self.run_id, f"{said}\nBut {len(failed)} of {len(delivered)} sources failed: {', '.join(failed)}.", PARTIAL)
        return Outcome(self.run_id, said, PUBLISHED)

    def _wait(self, stage: Stage) -> Outcome:
        self.results.finish_run(self.run_id, status="interrupted", at=self.clock(), reason=f"stopped after {stage}, as asked")
        return Outcome(self.run_id, f"{self.run_id} stands after {stage}; `subcurrent run` goes on from here.", PUBLISHED)

    def _fail(self, delivered: list[SourceRun]) -> Outcome:
        why = " ".join(f"{row.source}: {row.reason or 'it holds no record'}." for row in delivered)
        reason = f"No source delivered a record. {why}".replace("..", ".")
        self.results.finish_run(self.run_id, status="failed", at=self.clock(), reason=reason)
        return Outcome(self.run_id, f"{self.run_id} failed: {reason}", FAILED)


def _shown(folder: Path) -> Any:
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder
