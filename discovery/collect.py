"""Collect: each source's batches into the activity store, one transaction a page; a source that fails harms only itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from discovery import stopping
from discovery.console import Progress
from discovery.journal import Journal
from discovery.sources import EVER, Source, SourceError, Window
from storage.activity import ActivityStore, SourceEntry
from storage.records import Batch, Cursor, Tally
from storage.tables import SourceRun

FUTURE = 600
"""Seconds by which a live record may be dated ahead of our clock."""
DAY = 86_400
READ = frozenset({"complete", "unverified"})
FEW = 20
"""Malformed items below which a source is no other kind than it was said to be, whatever their share."""
LISTED = 10_000
"""Quarantined items of one source that readers are shown; the activity store keeps them all."""


class Delivery(NamedTuple):
    """What the sources of a run delivered."""

    sources: list[SourceRun]
    quarantined: list[dict[str, Any]]
    """source, position, reason, sha256: the first ones of each source."""

    @property
    def filled(self) -> list[str]:
        """Sources that delivered records, by name."""
        return [row.source for row in self.sources if row.stored + row.unchanged]

    @property
    def failed(self) -> list[str]:
        """Sources that could not be read to their end, by name."""
        return [row.source for row in self.sources if row.status in {"failed", "partial"}]


def collect(sources: Sequence[Source], *, activity: ActivityStore, journal: Journal, progress: Progress) -> Delivery:
    """Read every source to its end, or as far as it goes; one that an interrupted attempt has read is not read again.

    Once a run is measured, what it collected is settled: a source that failed is read again by the next run.
    """
    rows = journal.results.source_runs(journal.run_id)
    if not journal.holds("measure"):
        read = {row.source: row for row in rows if row.status in READ}
        rows = [
            read.get(source.name) or _one(source, activity=activity, journal=journal, progress=progress)
            for source in sorted(sources, key=lambda source: source.name)
        ]
    listed = [activity.quarantined(row.source, run_id=journal.run_id, limit=LISTED) for row in rows]
    return Delivery(rows, [item for items in listed for item in items])


def _one(source: Source, *, activity: ActivityStore, journal: Journal, progress: Progress) -> SourceRun:
    started = journal.clock()
    progress.stage("collect", source.name)
    status, reasons = "complete", []
    try:
        cursor = activity.begin(_entry(source), run_id=journal.run_id)
        for batch in _pages(source, cursor, _window(source, started)):
            activity.append(batch, source=source.name, run_id=journal.run_id)
            progress.collected(source.name, activity.tally(source.name, run_id=journal.run_id))
        activity.settle(_entry(source), run_id=journal.run_id)
        if doubt := source.unverified():
            status, reasons = "unverified", [doubt]
    except SourceError as error:
        status, reasons = "failed", [str(error)]
    tally = activity.tally(source.name, run_id=journal.run_id)
    if _mostly_malformed(tally):
        status = "failed"
    if status == "failed" and tally.stored + tally.unchanged:
        status = "partial"
    reasons += _malformed(tally, activity.commonest_fault(source.name, run_id=journal.run_id))
    if activity.names_nobody(source.name):
        reasons.append("None of its records names an author: people are not measured.")
    row = SourceRun(
        run_id=journal.run_id,
        source=source.name,
        kind=source.kind,
        started_at=started,
        finished_at=journal.clock(),
        status=status,
        requests=source.requests(),
        coverage=source.observed(),
        reason=" ".join(reasons),
        **tally._asdict(),
    )
    journal.results.keep_source_run(row)
    progress.done("collect", _told(row))
    return row


def _mostly_malformed(tally: Tally) -> bool:
    """Tell a source of which more than half is malformed, which no damage explains: it is another kind, or lacks a setting."""
    return tally.quarantined >= FEW and 2 * tally.quarantined > tally.fetched


def _malformed(tally: Tally, commonest: tuple[str, str] | None) -> Iterator[str]:
    """Say how many items are malformed, why most of them, and where to look."""
    if commonest is None:
        return
    reason, position = commonest
    are = "is" if tally.quarantined == 1 else "are"
    yield f"{tally.quarantined:,} of {tally.fetched:,} items {are} malformed, most often `{reason}` (first at {position})."
    if _mostly_malformed(tally):
        yield "Is this the right kind of source, and has it the settings it needs?"
    if tally.quarantined > LISTED:
        yield f"The first {LISTED:,} are listed."


def _pages(source: Source, cursor: Cursor, window: Window) -> Iterator[Batch]:
    """Read a source's pages; whatever a platform makes a library do ends here, as an error of the source.

    Raises:
        SourceError: the source cannot go on.
    """
    try:
        yield from source.batches(cursor, window=window)
    except SourceError:
        raise
    except Exception as error:  # the border of a source, and the one place that may catch everything
        stopping.heed()
        raise SourceError(f"It broke on something its kind does not know ({type(error).__name__}). The other sources go on.") from error


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
    became = ", ".join(f"{getattr(row, fate):,} {fate}" for fate in ("stored", "unchanged", "quarantined", "refused"))
    return f"{row.source}: {row.status}, {row.fetched:,} read: {became}" + (f" - {row.reason}" if row.reason else "")
