"""The story of one run: collect, measure, cluster, interpret, rank, judge, publish, report.

Stages hand each other values; the journal keeps them until the run is published, so that a run killed anywhere, or stopped after a
stage, goes on from there and ends as if nothing had happened.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Literal, NamedTuple

import pandas as pd

from discovery import publication, stopping
from discovery.archetypes import Interpretation, interpret
from discovery.archetypes.map import Layout, Map, coordinates, layout
from discovery.archetypes.naming import namer
from discovery.archetypes.served import embedder
from discovery.clustering import Clustering, TooFewCommunitiesError, cluster, ungrouped
from discovery.clustering.groupable import groupable
from discovery.collect import Delivery, collect
from discovery.config import Config
from discovery.console import Progress
from discovery.features import FEATURES, Background, Measurement, Scope, measure
from discovery.gate import Candidate, Night, Verdict, comparable, drift, judge
from discovery.identity import identify
from discovery.journal import Journal, begun
from discovery.publication import Found
from discovery.ranking import rank
from discovery.sources import Source
from scoring.report import write_report
from storage.activity import ActivityStore
from storage.pseudonyms import Pseudonyms
from storage.results import Frozen, Provenance
from storage.tables import SourceRun

Stage = Literal["collect", "measure", "cluster", "rank", "publish"]
DONE, FAILED, PARTIAL, HELD = 0, 1, 3, 4


class Outcome(NamedTuple):
    """How a run ended: what to tell, and the exit code."""

    message: str
    exit_code: int


def run(config: Config, sources: Sequence[Source], *, until: Stage | None, progress: Progress, clock: Callable[[], int]) -> Outcome:
    """Do one run, or go on with the one that was left unfinished.

    Args:
        config: What the run is told.
        sources: What it reads.
        until: The last stage to do. None publishes if the gate allows it, ``publish`` whatever the gate says.
        progress: Who is told how it goes.
        clock: Seconds since 1970; only for when things happened, never for what they mean.

    Raises:
        RunLockedError: another run holds the data directory.
        MissingExtraError: the configuration asks for what needs an extra that is not installed.
    """
    drawing = layout(config.map, seed=config.seed)
    with begun(config, _provenance(config, sources), forced=until == "publish", clock=clock) as journal:
        night = _Night(config, sources, journal, progress, drawing)
        if journal.published:
            journal.forget()  # a second attempt at the report is the last: the next run is a new one
            return night.report()
        return night.story(until)


def _provenance(config: Config, sources: Sequence[Source]) -> Provenance:
    read = sorted(f"{source.name} {source.model_dump_json()}" for source in sources)
    return Provenance(
        version=version("subcurrent"),
        seed=config.seed,
        config_sha256=hashlib.sha256("\n".join([config.digest(), *read]).encode()).hexdigest(),
        invented=any(source.invented for source in sources),
    )


class _Night:
    """One run and whom it tells."""

    def __init__(self, config: Config, sources: Sequence[Source], journal: Journal, progress: Progress, drawing: Layout | None) -> None:
        self.config, self.sources, self.journal, self.progress, self.drawing = config, sources, journal, progress, drawing
        self.results = journal.results
        self.invented = any(source.invented for source in sources)
        self.pseudonyms = Pseudonyms.open(config.data_dir / "pseudonym.key")

    def story(self, until: Stage | None) -> Outcome:  # noqa: PLR0911 - a run may end after each of its stages
        """Tell the run from its sources to its report."""
        with self.activity() as activity, stopping.interrupting(activity.interrupt):
            delivery = collect(self.sources, activity=activity, journal=self.journal, progress=self.progress)
            if until == "collect":
                return self.rest(until)
            if not delivery.filled:
                return self.nothing(delivery)
            measurement = self.journal.kept("measure", Measurement, lambda: self.measure(activity, delivery))
        if until == "measure":
            return self.rest(until)
        clustering = self.journal.kept("cluster", Clustering, lambda: self.cluster(measurement))
        if until == "cluster":
            return self.rest(until)
        candidate = self.journal.kept("rank", Candidate, lambda: self.save(self.find(measurement, clustering), delivery))
        if until == "rank":
            return self.rest(until)
        verdict = judge(candidate, last=self.results.membership()["archetype_id"], settings=self.config.gate)
        if not verdict.publish and until != "publish":
            return self.hold(verdict)
        self.journal.publish(panel=candidate.panel, background=candidate.background)
        return self.report()

    def activity(self) -> ActivityStore:
        """Open the records."""
        limits = self.config.limits
        path = self.config.data_dir / "activity.duckdb"
        return ActivityStore.open(path, pseudonyms=self.pseudonyms, memory_limit=limits.memory, threads=limits.threads)

    def measure(self, activity: ActivityStore, delivery: Delivery) -> Measurement:
        """Measure the features of each community that the sources show."""
        self.progress.stage("measure", "features of each community")
        live = {source.name for source in self.sources if source.live}
        scope = Scope(
            sources=tuple(delivery.filled),
            now={row.source: row.started_at for row in delivery.sources if row.source in live},
            window_days=self.config.window_days,
            portfolio=self.config.portfolio,
            sites=self.config.sites,
        )
        rows = None if self.invented else self.results.background()
        frozen = None if rows is None else Background.from_rows(rows.words, rows.measures)
        measurement = measure(activity.connection, scope=scope, settings=self.config.features, frozen=frozen)
        self.progress.done("measure", f"{len(measurement.communities):,} communities, {len(FEATURES)} features")
        return measurement

    def cluster(self, measurement: Measurement) -> Clustering:
        """Find the kinds of community there are, among those that enough is known of; with too few of them there are none."""
        self.progress.stage("cluster", "the kinds of community there are")
        matrix, notes = groupable(measurement)
        try:
            clustering = cluster(
                matrix,
                features=FEATURES,
                platforms=measurement.communities.loc[matrix.index, "platform"],
                settings=self.config.clustering.model_copy(update={"seed": self.config.seed}),
                last_k=self.last_k(matrix.index),
            )
        except TooFewCommunitiesError as error:
            clustering = ungrouped(matrix.index, note=str(error))
        self.progress.done("cluster", f"structure: {clustering.structure}, k = {clustering.n_clusters}")
        return replace(clustering, notes=[*notes, *clustering.notes])

    def last_k(self, market: pd.Index) -> int | None:
        """Tell how many archetypes readers see, where the published run is of the same market and found any."""
        last = self.results.published()
        found = last is not None and last.structure in {"clusters", "segments"} and comparable(market, self.results.membership().index)
        return last.n_clusters if last and found else None

    def find(self, measurement: Measurement, clustering: Clustering) -> Found:
        """Say what the groups are, then score and rank them."""
        interpretation = self.journal.kept("interpret", Interpretation, lambda: self.interpret(measurement, clustering))
        self.progress.stage("rank", f"scores, and {self.config.score.replicates} replicates behind their intervals")
        panel = None if self.invented else self.results.panel()
        rankings = rank(measurement, clustering, interpretation, panel=panel, config=self.config)
        self.progress.done("rank", f"{len(rankings.community.table):,} communities scored on panel v{rankings.panel.version}")
        return Found(measurement, clustering, interpretation, rankings)

    def interpret(self, measurement: Measurement, clustering: Clustering) -> Interpretation:
        """Describe archetypes and niches, and give them the ids of the ones they continue."""
        self.progress.stage("interpret", "profiles, niches, words, evidence, names")
        found = interpret(
            measurement,
            clustering,
            namer=namer(self.config.llm),
            embedder=embedder(self.config.embeddings, self.config.data_dir / "vectors"),
            seed=self.config.seed,
            key=self.pseudonyms.evidence_key(),
        )
        identified = identify(found, measurement=measurement, results=self.results)
        self.progress.done("interpret", f"{len(found.archetypes)} archetypes, {len(found.niches)} niches")
        return identified

    def save(self, found: Found, delivery: Delivery) -> Candidate:
        """Write everything the run found; readers do not see it yet."""
        last = self.results.membership()
        moved = drift(
            Night(found.interpretation.communities["archetype_id"], found.measurement.values(), found.interpretation.centroids),
            Night(last["archetype_id"], self.results.features(), self.results.profiles()),
        )
        drawn = self.draw(found.clustering, last)
        rows = publication.rows(found, delivery=delivery, drawn=drawn, drift=moved, seed=self.config.seed)
        self.results.save(self.journal.run_id, rows)
        rankings, background, none = found.rankings, Background.of(found.measurement), pd.DataFrame()
        new = background.version != self.results.background_version() and not self.invented
        return Candidate(
            found.interpretation.communities["archetype_id"],
            panel=rankings.panel.rows() if rankings.panel_is_new and not self.invented else none,
            background=Frozen(background.words(), background.measured()) if new else Frozen(none, none),
        )

    def draw(self, clustering: Clustering, last: pd.DataFrame) -> Map:
        """Lay communities out on a map, in line with the published one if that was drawn by the same method."""
        if clustering.prepared is None:
            return Map(self.config.map, pd.DataFrame(columns=["x", "y"], dtype=float))
        published, before = self.results.published(), last[["x", "y"]].dropna()
        alike = published is not None and published.map_method == self.config.map and len(before) > 0
        places = coordinates(clustering.prepared.matrix, last=before if alike else None, layout=self.drawing)
        return Map(self.config.map, places)

    def report(self) -> Outcome:
        """Write the report of the published run; what fails from here on leaves the publication as it is."""
        self.progress.stage("report", "Markdown, HTML and figures")
        failed = [row.source for row in self.results.source_runs(self.journal.run_id) if row.status in {"failed", "partial"}]
        said, code = f"{self.journal.run_id} is published.", DONE
        try:
            folder = write_report(self.config.data_dir / "subcurrent.db", self.config.data_dir / "reports")
            said += f" Report: {_shown(folder)}/report.md"
            self.journal.forget()
        except OSError as error:
            said, code = f"{said}\nBut its report could not be written ({error}). `subcurrent report` writes it.", PARTIAL
        if failed:
            said, code = f"{said}\nBut {len(failed)} of its sources failed: {', '.join(failed)}.", PARTIAL
        return Outcome(said, code)

    def rest(self, stage: Stage) -> Outcome:
        """Stop after a stage, as asked."""
        self.journal.rest(stage)
        return Outcome(f"{self.journal.run_id} stands after {stage}; `subcurrent run` with the same options goes on from here.", DONE)

    def hold(self, verdict: Verdict) -> Outcome:
        """Keep the run from readers."""
        self.journal.hold(verdict.reason)
        said = f"{self.journal.run_id} is held: {verdict.reason} Readers still see the run before; `subcurrent publish` publishes anyway."
        return Outcome(said, HELD)

    def nothing(self, delivery: Delivery) -> Outcome:
        """End for want of records: that is a failure where a source failed, else the honest answer."""
        why = "\n".join(f"{row.source}: {row.reason if row.status == 'failed' else _empty(row)}" for row in delivery.sources)
        self.results.save(self.journal.run_id, publication.of_sources(delivery))
        if delivery.failed:
            self.journal.fail(f"No source delivered a record.\n{why}")
            return Outcome(f"{self.journal.run_id} failed: no source delivered a record.\n{why}", FAILED)
        self.journal.fail(f"Not enough data: no source holds a record.\n{why}")
        return Outcome(f"{self.journal.run_id}: not enough data, so there is nothing to publish.\n{why}", DONE)


def _empty(row: SourceRun) -> str:
    unread = row.quarantined + row.refused
    return (
        f"none of its {unread:,} items could be used ({row.quarantined:,} malformed, {row.refused:,} refused)."
        if unread
        else "it holds no record."
    )


def _shown(folder: Path) -> Path:
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder
