"""The story of a run: it may stop after any stage and go on, be held and published later, and its end says what happened."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from discovery import night
from discovery.config import Config
from discovery.console import Progress
from discovery.night import DONE, FAILED, HELD, PARTIAL, Outcome, Stage
from discovery.sources import Source, SourceError
from discovery.sources.world import World
from scoring import explanation
from storage.reading import ask
from storage.records import Batch, Cursor
from storage.results import Results
from storage.tables import Run
from tests.factories import DAY, at, batch, record
from tests.faults.killing import KEY, differences, dump
from tests.loopback import answer, serving
from tests.scripted import Scripted, Step, breaks, rejects
from tests.test_served import model

SMALL = World(seed=1, communities=9, days=56, scale=0.2, page=400)


class Told(Progress):
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.stages: list[str] = []

    def stage(self, name: str, about: str) -> None:
        """Note the stage."""
        self.stages.append(name)

    def collected(self, source: str, tally: object) -> None:
        """Say nothing."""

    def done(self, name: str, about: str) -> None:
        """Say nothing."""


class Nights:
    """Runs in one data directory, an hour apart."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        folder.mkdir(exist_ok=True)
        (folder / "pseudonym.key").write_bytes(KEY)
        self.folder, self.config, self.clock = folder, Config(data_dir=folder, **settings), self._ticks()
        self.stages: list[str] = []

    def run(self, *sources: Source, until: Stage | None = None) -> Outcome:
        """Do a run; ``stages`` says which stages it did."""
        told = Told()
        outcome = night.run(self.config, sources, until=until, progress=told, clock=lambda: next(self.clock))
        self.stages = told.stages
        return outcome

    def runs(self) -> list[Run]:
        """All runs, oldest first."""
        with Results.open(self.folder / "subcurrent.db") as results:
            return results.runs()

    def ranking(self) -> list[list[Any]]:
        """What a reader sees, less run and time."""
        answer = explanation.ranking(self.folder / "subcurrent.db", "community", limit=100)
        return [
            [value for name, value in zip(answer.columns, row, strict=True) if name not in {"run_id", "published_at"}]
            for row in answer.rows
        ]

    @staticmethod
    def _ticks() -> Iterator[int]:
        yield from range(1_800_000_000, 1_900_000_000, 3_600)


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Nights:
    """A run without interruption."""
    nights = Nights(tmp_path_factory.mktemp("straight"))
    assert nights.run(SMALL).exit_code == DONE
    return nights


def source(*steps: Step, label: str = "one") -> Scripted:
    """A source of these pages."""
    return Scripted(label=label, steps=steps)


def bees(*days: int) -> Step:
    """Deliver a page with a post a day."""
    return lambda: batch(*(record(day, created_at=at(day), author=f"author {day}") for day in days))


def test_a_run_is_published_with_its_report(straight: Nights) -> None:
    """A straight run does every stage in order, is published, and leaves a report and nothing to clean up."""
    assert straight.stages == ["collect", "measure", "cluster", "interpret", "rank", "report"]
    assert [run.status for run in straight.runs()] == ["published"]
    assert (straight.folder / "reports" / "latest" / "report.md").read_text().startswith("# ")
    assert list((straight.folder / "work").iterdir()) == []


def test_a_run_says_what_placed_its_communities(tmp_path: Path, straight: Nights) -> None:
    """With a server of embeddings its model is told in SQL and in the report; without one, or with a broken one, the words are."""
    told = "SELECT embedding_model, embedding_version, map_method FROM published_run"
    assert ask(straight.folder / "subcurrent.db", told).rows == [("tfidf-svd", "2", "pca")]
    for reply, expected in ((model, ("tiny", "tiny-2 (48)")), (lambda _: answer({}, 503), ("tfidf-svd", "2"))):
        with serving(reply) as server:
            nights = Nights(tmp_path / expected[0], embeddings={"base_url": f"{server.url}v1", "model": "tiny"})
            assert nights.run(SMALL).exit_code == DONE
        assert ask(nights.folder / "subcurrent.db", told).rows == [(*expected, "pca")]
        report = (nights.folder / "reports" / "latest" / "report.md").read_text()
        assert ("what the model tiny makes of" in report) == (expected[0] == "tiny")
    assert "status 503" in nights.runs()[0].notes


def test_stage_by_stage_is_the_same(tmp_path: Path, straight: Nights) -> None:
    """Stopped after each stage and taken up again, no stage is done twice and the stores end the same, row by row."""
    nights = Nights(tmp_path)
    done: list[list[str]] = []
    for stage in ("collect", "measure", "cluster", "rank", "publish"):
        outcome = nights.run(SMALL, until=stage)  # type: ignore[arg-type]  # the stages, in order
        assert outcome.exit_code == DONE
        done.append(nights.stages)
        if stage != "publish":
            assert f"stands after {stage}" in outcome.message
            assert nights.runs()[-1].status == "interrupted"
    assert done == [["collect"], ["measure"], ["cluster"], ["interpret", "rank"], ["report"]]
    assert differences(dump(straight.folder), dump(nights.folder)) == []


def test_another_night_over_the_same_files_says_the_same(tmp_path: Path) -> None:
    """A second run is a new one, with the same ranking and the same records."""
    nights = Nights(tmp_path)
    nights.run(SMALL)
    before = nights.ranking()
    assert nights.run(SMALL).exit_code == DONE
    assert [run.status for run in nights.runs()] == ["published", "published"]
    assert nights.ranking() == before


def test_the_first_published_run_freezes_its_words(tmp_path: Path) -> None:
    """Later runs of the same market are compared with the first one's words; one of strangers freezes the next; a planted world none."""
    nights = Nights(tmp_path)
    ants = source(lambda: batch(record(9, communities=("reddit:ants",))), label="strangers")
    for each in (source(bees(1, 2)), source(bees(1, 2)), ants, SMALL):
        assert nights.run(each, until="publish").exit_code == DONE
    with Results.open(tmp_path / "subcurrent.db") as results:
        assert [run.background_version for run in results.runs()] == [1, 1, 2, 1]
        assert results.background_version() == 2


def test_a_failing_source_is_partial(tmp_path: Path) -> None:
    """One source that fails is named and lowers the exit code; what the other delivered is published."""
    nights = Nights(tmp_path)
    outcome = nights.run(SMALL, source(breaks(SourceError("The server is gone.")), label="gone"))
    assert outcome.exit_code == PARTIAL
    assert "But 1 of its sources failed: scripted:gone." in outcome.message
    assert nights.runs()[-1].status == "published"


def test_no_source_delivers(tmp_path: Path) -> None:
    """Where every source fails, nothing is published, and the reasons are told and kept."""
    nights = Nights(tmp_path)
    outcome = nights.run(source(breaks(SourceError("The server is gone."))))
    assert outcome == Outcome("run-000001 failed: no source delivered a record.\nscripted:one: The server is gone.", FAILED)
    assert (nights.runs()[-1].status, nights.runs()[-1].reason) == (
        "failed",
        "No source delivered a record.\nscripted:one: The server is gone.",
    )


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (lambda: Batch([], Cursor(), 0), "it holds no record."),
        (rejects(3), "none of its 3 items could be used (3 malformed, 0 refused)."),
        (lambda: Batch([], Cursor(), 2, refused=2), "none of its 2 items could be used (0 malformed, 2 refused)."),
    ],
)
def test_nothing_to_read_is_no_failure(tmp_path: Path, step: Step, said: str) -> None:
    """A source without a record is answered honestly, without a publication, and what was quarantined can be read."""
    nights = Nights(tmp_path)
    outcome = nights.run(source(step))
    assert outcome == Outcome(f"run-000001: not enough data, so there is nothing to publish.\nscripted:one: {said}", DONE)
    with Results.open(tmp_path / "subcurrent.db") as results:
        assert results.published() is None
        assert len(results.source_runs("run-000001")) == 1


def test_quarantined_items_reach_the_readers(tmp_path: Path) -> None:
    """What a source could not make sense of stands in the results of the run, position by position."""
    nights = Nights(tmp_path)
    nights.run(source(bees(1, 2), rejects(2)))
    assert [row[2:] for row in _asked(tmp_path, "SELECT * FROM quarantine ORDER BY position")] == [
        ("line 000000", "not JSON", f"{0:064x}"),
        ("line 000001", "not JSON", f"{1:064x}"),
    ]


def test_a_market_that_lost_too_much_is_held_until_it_is_forced(tmp_path: Path) -> None:
    """A held run leaves the published one to readers; `publish` publishes what was saved, without doing a stage again."""
    nights = Nights(tmp_path, gate={"max_lost_share": 0.1})
    nights.run(SMALL)
    fewer = World(seed=1, communities=7, days=56, scale=0.2, page=400)
    held = nights.run(fewer)
    assert held.exit_code == HELD
    assert "22% of the 9 published communities are gone, more than 10%" in held.message
    assert _asked(tmp_path, "SELECT count(*) FROM communities") == [(9,)]
    assert nights.run(until="publish").exit_code == DONE
    assert nights.stages == ["report"]
    assert [run.status for run in nights.runs()] == ["published", "published"]
    assert _asked(tmp_path, "SELECT count(*) FROM communities") == [(7,)]


def test_a_report_that_fails_does_not_undo_the_publication(tmp_path: Path) -> None:
    """Where the report cannot be written, the run is published and says so; the next run only writes the report."""
    nights = Nights(tmp_path)
    (tmp_path / "reports").write_text("in the way")
    outcome = nights.run(source(bees(1, 2, 3)))
    assert outcome.exit_code == PARTIAL
    assert outcome.message.startswith("run-000001 is published.\nBut its report could not be written (")
    assert outcome.message.endswith("`subcurrent report` writes it.")
    assert nights.runs()[-1].status == "published"
    (tmp_path / "reports").unlink()
    assert nights.run(source(bees(1, 2, 3))).exit_code == DONE
    assert (nights.stages, len(nights.runs())) == (["report"], 1)
    assert nights.run(source(bees(1, 2, 3))).exit_code == DONE
    assert len(nights.runs()) == 2


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [(KeyboardInterrupt(), "interrupted", "stopped by a signal"), (MemoryError(), "failed", "MemoryError in")],
)
def test_how_a_run_was_left_is_told(tmp_path: Path, error: BaseException, status: str, reason: str) -> None:
    """A run that a signal stops can be taken up, one that an error of ours ends cannot; both say why, and the error goes on."""
    nights = Nights(tmp_path)

    class Dying(Told):
        def stage(self, name: str, about: str) -> None:
            if name == "measure":
                raise error

    with pytest.raises(type(error)):
        night.run(nights.config, [source(bees(1))], until=None, progress=Dying(), clock=lambda: 1)
    assert nights.runs()[-1].status == status
    assert nights.runs()[-1].reason.startswith(reason)
    nights.run(source(bees(1)))
    assert [run.status for run in nights.runs()] == (["published"] if status == "interrupted" else ["failed", "published"])


def test_other_settings_are_another_run(tmp_path: Path) -> None:
    """A run is taken up only with the settings it was begun with, those of its sources included; what it kept is dropped."""
    nights = Nights(tmp_path)
    nights.run(SMALL, until="measure")
    assert [folder.name for folder in (tmp_path / "work").iterdir()] == ["run-000001"]
    other = SMALL.model_copy(update={"page": 300})
    nights.run(other, until="collect")
    assert [run.status for run in nights.runs()] == ["failed", "interrupted"]
    assert [folder.name for folder in (tmp_path / "work").iterdir()] == []


def test_now_is_what_a_file_shows(tmp_path: Path) -> None:
    """The clock of the machine moves no feature: years apart, the same file gives the same rows."""
    early, late = Nights(tmp_path / "early"), Nights(tmp_path / "late")
    late.clock = iter(range(2_500_000_000, 2_600_000_000, DAY))
    for nights in (early, late):
        nights.run(SMALL)
    assert differences(dump(early.folder), dump(late.folder)) == []


def _asked(folder: Path, query: str) -> list[tuple[Any, ...]]:
    return ask(folder / "subcurrent.db", query).rows
