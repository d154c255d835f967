"""Collecting: everything a source delivered is counted, and a source that fails harms only itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from discovery.collect import LISTED, Delivery, collect
from discovery.console import Progress
from discovery.journal import Journal
from discovery.sources import SourceError
from storage.activity import ActivityStore
from storage.errors import UnbalancedBatchError
from storage.pseudonyms import Pseudonyms
from storage.records import Batch, Cursor, Rejected
from storage.results import Provenance, Results
from tests.factories import batch, record
from tests.scripted import Scripted, Step, breaks, rejects


class Room(NamedTuple):
    """The stores of a run."""

    activity: ActivityStore
    journal: Journal
    work: Path

    def collect(self, *sources: Scripted) -> Delivery:
        """Collect from sources into the run."""
        return collect(sources, activity=self.activity, journal=self.journal, progress=Progress(quiet=True))


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    """A run that has begun."""
    pseudonyms = Pseudonyms.open(tmp_path / "key")
    with Results.open(tmp_path / "results.db") as results, ActivityStore.open(tmp_path / "a.duckdb", pseudonyms=pseudonyms) as activity:
        run_id = results.resume_or_begin(started_at=1, provenance=Provenance("1", 1, "c"))
        yield Room(activity, Journal(results, run_id=run_id, work=tmp_path / "work", clock=lambda: 7), tmp_path / "work")


def delivers(*numbers: int) -> Step:
    """Deliver a page of records."""
    return lambda: batch(*(record(number) for number in numbers))


def source(*steps: Step, label: str = "one", **settings: object) -> Scripted:
    """A source of these pages."""
    return Scripted(label=label, steps=steps, **settings)  # type: ignore[arg-type]  # settings are the model's own


def counts(delivery: Delivery) -> list[tuple[str, str, int, int, int]]:
    """What became of what each source delivered."""
    return [(row.source, row.status, row.fetched, row.stored + row.unchanged, row.quarantined) for row in delivery.sources]


def test_everything_is_counted(room: Room) -> None:
    """Pages add up to what was stored and quarantined, and the row is kept for readers."""
    delivery = room.collect(source(delivers(1, 2), rejects(3), delivers(2, 3)))
    assert counts(delivery) == [("scripted:one", "complete", 7, 4, 3)]
    assert room.journal.results.source_runs(room.journal.run_id)[0].fetched == 7
    assert [item["position"] for item in delivery.quarantined] == ["line 000000", "line 000001", "line 000002"]
    assert set(delivery.quarantined[0]) == {"source", "position", "reason", "sha256"}
    assert (delivery.filled, delivery.failed) == (["scripted:one"], [])


def test_sources_are_read_in_the_order_of_their_names(room: Room) -> None:
    """The order in which sources are named decides nothing."""
    delivery = room.collect(source(delivers(2), label="b"), source(delivers(1), label="a"))
    assert [row.source for row in delivery.sources] == ["scripted:a", "scripted:b"]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (SourceError("The server is gone."), "The server is gone."),
        (KeyError("data of ana"), r"It broke on something its kind does not know (KeyError). The other sources go on."),
        (RecursionError(), r"It broke on something its kind does not know (RecursionError). The other sources go on."),
    ],
)
def test_a_source_that_breaks_harms_only_itself(room: Room, error: Exception, said: str) -> None:
    """What was read before stays as partial, the reason names the type and never quotes, and the other source is complete."""
    delivery = room.collect(source(delivers(1), breaks(error), label="a"), source(delivers(2), label="b"))
    assert counts(delivery) == [("scripted:a", "partial", 1, 1, 0), ("scripted:b", "complete", 1, 1, 0)]
    assert delivery.sources[0].reason == said
    assert delivery.failed == ["scripted:a"]


def test_nothing_read_is_failed(room: Room) -> None:
    """A source that breaks before its first record has failed."""
    assert counts(room.collect(source(breaks(SourceError("no")))))[0][:2] == ("scripted:one", "failed")


def test_a_fault_of_the_store_is_not_the_sources(room: Room) -> None:
    """A batch that does not balance ends the run: its loss is ours, and no other source hides it."""
    with pytest.raises(UnbalancedBatchError, match="fetched 9 items and accounts for 1"):
        room.collect(source(lambda: batch(record(1))._replace(fetched=9)))


def test_doubt_is_told(room: Room) -> None:
    """Completeness that could not be checked is labelled."""
    row = room.collect(source(delivers(1), doubt="It has no checksum.")).sources[0]
    assert (row.status, row.reason) == ("unverified", "It has no checksum.")


def test_a_read_source_is_not_read_again(room: Room) -> None:
    """Of an interrupted run, complete sources keep their row; one that failed goes on from its last page."""
    done, broken = source(delivers(1), label="a"), source(delivers(2), breaks(SourceError("gone")), label="b")
    room.collect(done, broken)
    again = source(delivers(2), delivers(3), label="b")
    delivery = room.collect(done, again)
    assert (done.visits, again.visits) == ([""], ["1"])
    assert counts(delivery) == [("scripted:a", "complete", 1, 1, 0), ("scripted:b", "complete", 2, 2, 0)]


def test_what_was_measured_is_settled(room: Room) -> None:
    """After the measuring, a source that failed is not read again: its records would not be in what was measured."""
    room.collect(source(delivers(1), breaks(SourceError("gone"))))
    (room.work / "measure").mkdir(parents=True)
    again = source(delivers(1), delivers(2))
    assert counts(room.collect(again)) == [("scripted:one", "partial", 1, 1, 0)]
    assert again.visits == []


def test_a_long_quarantine_is_cut_and_said(room: Room) -> None:
    """Readers see the first ten thousand items of a source, and that there are more."""
    delivery = room.collect(source(delivers(1), rejects(LISTED + 5), doubt="It has no checksum."))
    assert len(delivery.quarantined) == LISTED
    assert delivery.sources[0].reason == (
        "It has no checksum. 10,005 of 10,006 items are malformed, most often `not JSON` (first at line 000000). "
        "Is this the right kind of source, and has it the settings it needs? The first 10,000 are listed."
    )


@pytest.mark.parametrize(("bad", "status"), [(21, "partial"), (20, "complete"), (19, "complete")])
def test_a_source_that_is_mostly_malformed_is_no_success(room: Room, bad: int, status: str) -> None:
    """Where more than half of what was read is malformed, the source counts as failed in part, and the run says so."""
    sound = range(1, 21) if bad > 19 else range(1, 2)
    delivery = room.collect(source(delivers(*sound), rejects(bad)))
    assert delivery.sources[0].status == status
    assert ("right kind" in delivery.sources[0].reason) == (status == "partial")


def test_a_source_of_malformed_items_alone_has_failed(room: Room) -> None:
    """A source that is nothing but malformed has delivered nothing."""
    assert counts(room.collect(source(rejects(30)))) == [("scripted:one", "failed", 30, 0, 30)]


def test_the_commonest_fault_is_told(room: Room) -> None:
    """Reasons that differ in their numbers alone are one reason; its first place is where to look."""
    reasons = ["no field id", "not JSON: at column 7", "not JSON: at column 12"]
    items = [Rejected(position=f"a:{number}", reason=reason, sha256="0" * 64) for number, reason in enumerate(reasons)]
    delivery = room.collect(source(delivers(1, 2), lambda: Batch([], Cursor(), 3, quarantined=items)))
    assert delivery.sources[0].reason == "3 of 5 items are malformed, most often `not JSON: at column 7` (first at a:1)."
    one_bad = room.collect(source(delivers(3), rejects(1), label="two"))
    assert one_bad.sources[0].reason == "1 of 2 items is malformed, most often `not JSON` (first at line 000000)."


def test_a_source_without_authors_says_so(room: Room) -> None:
    """Where no record names an author, people are not measured, and the run says so once instead of leaving gaps unexplained."""
    nameless = source(lambda: batch(record(1, author=None), record(2, author=None)), label="a")
    delivery = room.collect(nameless, source(lambda: batch(record(3, author=None), record(4)), label="b"))
    assert [row.reason for row in delivery.sources] == ["None of its records names an author: people are not measured.", ""]


def test_an_empty_source_delivers_nothing(room: Room) -> None:
    """A source that holds nothing is complete and empty."""
    delivery = room.collect(source(lambda: Batch([], batch(record(1)).cursor, 0)))
    assert counts(delivery) == [("scripted:one", "complete", 0, 0, 0)]
    assert delivery.filled == []
