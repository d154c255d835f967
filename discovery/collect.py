"""Collect: each source's batches into the activity store, one transaction a page; a source that fails harms only itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from discovery.console import Progress
from discovery.sources import EVER, Source, SourceError, Window
from storage.activity import ActivityStore, SourceEntry
from storage.results import Results
from storage.tables import SourceRun

FUTURE = 600
"""Seconds by which a live record may be dated ahead of our clock."""
DAY = 86_400
READ = frozenset({"complete", "unverified"})


def collect(
    sources: Sequence[Source],
    *,
    activity: ActivityStore,
    results: Results,
    run_id: str,
    clock: Callable[[], int],
    progress: Progress,
) -> list[SourceRun]:
    """Read every source to its end, or as far as it goes; one that an interrupted attempt has read is not read again."""
    read = {row.source: row for row in results.source_runs(run_id) if row.status in READ}
    delivered = []
    for source in sorted(sources, key=lambda source: source.name):
        row = read.get(source.name) or _one(source, activity=activity, run_id=run_id, clock=clock, progress=progress)
        results.keep_source_run(row)
        progress.done("collect", _told(row))
        delivered.append(row)
    return delivered


def _one(source: Source, *, activity: ActivityStore, run_id: str, clock: Callable[[], int], progress: Progress) -> SourceRun:
    started = clock()
    progress.stage("collect", source.name)
    status, reason = "complete", ""
    try:
        cursor = activity.begin(_entry(source), run_id=run_id)
        for batch in source.batches(cursor, window=_window(source, started)):
            activity.append(batch, source=source.name, run_id=run_id)
            progress.collected(source.name, activity.tally(source.name, run_id=run_id))
        activity.settle(_entry(source), run_id=run_id)
        if doubt := source.unverified():
            status, reason = "unverified", doubt
    except SourceError as error:
        status, reason = "failed", str(error)
    except Exception as error:  # noqa: BLE001 - the border of a source: whatever a platform makes a library do ends here, counted
        status, reason = "failed", f"it broke on something its kind does not know ({type(error).__name__}); the other sources go on."
    tally = activity.tally(source.name, run_id=run_id)
    if status == "failed" and tally.stored + tally.unchanged:
        status = "partial"
    return SourceRun(
        run_id=run_id,
        source=source.name,
        kind=source.kind,
        started_at=started,
        finished_at=clock(),
        status=status,
        requests=source.requests(),
        coverage=source.observed(),
        reason=reason,
        **tally._asdict(),
    )


def _entry(source: Source) -> SourceEntry:
    return SourceEntry(
        name=source.name,
        kind=source.kind,
        live=source.live,
        coverage=source.observed(),
        quote_ok=source.policy.quote_ok,
        llm_ok=source.policy.llm_ok,
        licence=source.policy.licence,
    )


def _window(source: Source, now: int) -> Window:
    """A file holds what it holds; a live source is asked for its look-back and believed up to our clock."""
    lookback = source.lookback()
    return EVER if lookback is None else Window(now - lookback * DAY, now + FUTURE)


def _told(row: SourceRun) -> str:
    counts = f"{row.fetched:,} read: {row.stored:,} stored, {row.unchanged:,} unchanged, {row.quarantined:,} quarantined, {row.refused:,} refused"
    return f"{row.source}: {row.status}, {counts}" + (f" - {row.reason}" if row.reason else "")
