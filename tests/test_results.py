"""Saving, publishing, going back, and what is frozen with a publication."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from discovery.search import search
from scoring.explanation import UnknownEntityError
from storage.reading import ask
from storage.results import KEPT_RUNS, SAVED, Frozen, Results
from storage.results_file import read_only
from storage.tables import SourceRun
from tests.publication import PROVENANCE, publication, published, shown

FIRST, SECOND = "run-000001", "run-000002"


BROUGHT = {
    2: "DROP TABLE background_text; ALTER TABLE run DROP COLUMN background_version;",
    3: "DROP TABLE background_measure;",
    4: "DROP TABLE criterion_vote; DROP TABLE cluster; DROP TABLE archetype_merge;",
    5: "DROP TABLE search_space; DROP TABLE search_place; DROP TABLE search_word; DROP TABLE search_cell; DROP TABLE search_group;",
    6: "ALTER TABLE community DROP COLUMN duplicate_of;",
    7: "".join(f"ALTER TABLE run DROP COLUMN {name};" for name in ("embedding_model", "embedding_version", "map_method")),
}
"""What each schema brought, taken away."""


def downgraded(connection: sqlite3.Connection, schema: int) -> None:
    """Make a results file one of an earlier schema."""
    for (view,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'view' ORDER BY rowid DESC").fetchall():
        connection.execute(f"DROP VIEW {view}")
    taken = [away for brought, away in sorted(BROUGHT.items(), reverse=True) if brought > schema]
    marked = f"UPDATE alembic_version SET version_num = '{schema:04}'; PRAGMA user_version = {schema}"  # noqa: S608  our own numbers
    connection.executescript(" ".join([*taken, marked]))


def begun(path: Path) -> Results:
    """Results with their first run under way."""
    results = Results.open(path)
    assert results.resume_or_begin(started_at=1, provenance=PROVENANCE) == FIRST
    return results


def test_what_is_saved_comes_back(tmp_path: Path) -> None:
    """Every row of every table is stored under its run, and NaN is stored as NULL with its reason."""
    tables = publication()
    path = published(tmp_path / "results.db", tables=tables)
    with read_only(path) as connection:
        counts = {name: connection.execute(f'SELECT count(*) FROM "{name}" WHERE run_id = ?', [FIRST]).fetchone()[0] for name in SAVED}  # noqa: S608
        missing = connection.execute(
            "SELECT DISTINCT feature, value, missing_reason FROM community_features WHERE value IS NULL"
        ).fetchall()
    assert counts == {name: len(tables[name]) for name in SAVED}
    assert [tuple(row) for row in missing] == [("unsolved_share", None, "too few threads")]


def test_values_survive_exactly(tmp_path: Path) -> None:
    """Hostile names, the largest integers beside a gap and the smallest floats come back as they went in."""
    names = ["'; DROP TABLE run; --", '"', "%_\\", "naïve 🜚 \u202eabc", "a\nb\tc", "𝔘" * 50, " "]
    tables = publication(communities=len(names))
    for row, name in zip(tables["community"], names, strict=True):
        row.update(name=name, distance=5e-324)
    frame = pd.DataFrame(tables["community"]).assign(members=pd.array([2**63 - 1] * 6 + [None], dtype="Int64"))
    path = published(tmp_path / "results.db", tables={**tables, "community": frame})
    stored = ask(path, "SELECT name, members, distance FROM communities JOIN archetype_communities USING (community_id, name)").rows
    assert stored == [(name, None if name == " " else 2**63 - 1, 5e-324) for name in names]


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        pytest.param({"comunity": []}, "no table comunity", id="unknown-table"),
        pytest.param({"term": [{"entity": "niche"}]}, "term lack entity_id, term, z, authors", id="missing-column"),
        pytest.param({"criterion": [{"criterion": "gap", "k": 1, "value": 1.0, "p": 1}]}, "no column p", id="unknown-column"),
        pytest.param({"criterion": [{"criterion": "gap", "k": 1, "value": math.inf}]}, "criterion.value: inf", id="infinite"),
        pytest.param({"criterion": [{"criterion": "gap", "k": 1.5, "value": 1.0}]}, "criterion.k: 1.5 is no whole", id="fraction"),
        pytest.param({"criterion": [{"criterion": "gap", "k": 2**70, "value": 1.0}]}, "does not fit 64 bits", id="too-large"),
        pytest.param({"criterion": [{"criterion": "gap", "k": "1", "value": 1.0}]}, "criterion.k: '1'", id="text-for-number"),
        pytest.param({"criterion": [{"criterion": "a\x00", "k": 1, "value": 1.0}]}, "NUL", id="nul"),
        pytest.param({"criterion": [{"criterion": "\ud800", "k": 1, "value": 1.0}]}, "lone surrogate at position 0", id="surrogate"),
        pytest.param({"criterion": [{"criterion": 7, "k": 1, "value": 1.0}]}, "a int is no text", id="number-for-text"),
        pytest.param({"criterion": [{"criterion": "gap", "k": 1, "value": math.nan}]}, "criterion break a rule", id="nan-where-needed"),
        pytest.param({"criterion": [{"criterion": "g", "k": 1, "value": 1.0}] * 2}, "UNIQUE", id="twice"),
        pytest.param({"run": [{"status": "published"}]}, "status is not for the run to say", id="own-status"),
        pytest.param({"run": [{"structure": "blobs"}]}, "facts of run run-000001 break a rule", id="unknown-structure"),
        pytest.param({"run": [{"reason": "a"}, {"reason": "b"}]}, "one row", id="two-facts"),
    ],
)
def test_what_does_not_fit_is_refused_whole(tmp_path: Path, tables: Mapping[str, Any], said: str) -> None:
    """A wrong table, column or value is an error that names it, and nothing of that save is kept."""
    good = {"source_run": publication()["source_run"]}
    with begun(tmp_path / "results.db") as results, pytest.raises(ValueError, match=said):
        results.save(FIRST, {**good, **tables})
    assert ask(tmp_path / "results.db", "SELECT * FROM source_runs").rows == []


def test_saving_again_replaces(tmp_path: Path) -> None:
    """A run that was interrupted after its save may save again: its rows are replaced, not doubled."""
    with begun(tmp_path / "results.db") as results:
        results.save(FIRST, publication())
        results.save(FIRST, publication(communities=5))
        results.publish(FIRST, at=9)
    assert ask(tmp_path / "results.db", "SELECT count(*) FROM communities").rows == [(5,)]


def test_numpy_and_booleans_are_numbers(tmp_path: Path) -> None:
    """Values of numpy and truth values are stored as plain numbers."""
    tables = publication(communities=1)
    tables["community"][0].update(is_exemplar=True, records=np.int64(7), distance=np.float32(0.5))
    path = published(tmp_path / "results.db", tables=tables)
    assert ask(path, "SELECT is_exemplar, records, distance FROM community").rows == [(1, 7, 0.5)]


def test_an_unfinished_run_is_taken_up_again(tmp_path: Path) -> None:
    """An interrupted or killed run goes on under its own id; a finished one is followed by the next number, whatever the clock says."""
    with Results.open(tmp_path / "results.db") as results:
        for started_at in (100, 5):
            assert results.resume_or_begin(started_at=started_at, provenance=PROVENANCE) == FIRST
        results.finish_run(FIRST, status="interrupted", at=6, reason="SIGTERM")
        assert results.resume_or_begin(started_at=7, provenance=PROVENANCE) == FIRST
        assert [(run.sequence, run.status, run.started_at, run.finished_at) for run in results.runs()] == [(1, "running", 100, None)]
        results.finish_run(FIRST, status="failed", at=8, reason="no records")
        assert results.resume_or_begin(started_at=3, provenance=PROVENANCE) == SECOND
        assert [run.run_id for run in results.runs()] == [FIRST, SECOND]


@pytest.mark.parametrize("change", [{"seed": 8}, {"version": "0.2.0"}, {"config_sha256": "other"}, {"invented": True}])
def test_a_run_goes_on_only_with_the_same_settings(tmp_path: Path, change: dict[str, Any]) -> None:
    """Another seed, version, configuration or world begins a new run, and the unfinished one is closed as given up."""
    with begun(tmp_path / "results.db") as results:
        assert results.resume_or_begin(started_at=2, provenance=PROVENANCE._replace(**change)) == SECOND
        assert [(run.status, run.finished_at, run.reason[:8]) for run in results.runs()] == [
            ("failed", 2, "given up"),
            ("running", None, ""),
        ]


def test_a_held_run_is_taken_up_only_on_demand(tmp_path: Path) -> None:
    """The next night leaves a held run alone; who asks for it may publish it after all."""
    path = tmp_path / "results.db"
    with begun(path) as results:
        results.save(FIRST, publication(communities=3))
        results.finish_run(FIRST, status="held", at=2, reason="drift")
        assert results.resume_or_begin(started_at=3, provenance=PROVENANCE, held=True) == FIRST
        results.finish_run(FIRST, status="held", at=4, reason="drift")
        assert results.resume_or_begin(started_at=5, provenance=PROVENANCE) == SECOND
        assert [run.status for run in results.runs()] == ["held", "running"]


def test_what_a_source_delivered_is_kept_at_once(tmp_path: Path) -> None:
    """Each source's counts are there before the run is saved, the last version counts, and an unbalanced count is refused."""
    row = SourceRun(run_id=FIRST, source="dump", kind="pushshift", started_at=1, status="partial", coverage="complete", fetched=3, stored=3)
    with begun(tmp_path / "results.db") as results:
        results.keep_source_run(row)
        row.status, row.refused, row.fetched = "complete", 1, 4
        results.keep_source_run(row)
        assert results.source_runs(FIRST) == [row]
        assert results.source_runs(SECOND) == []
        row.fetched = 5
        with pytest.raises(ValueError, match="nothing_is_lost"):
            results.keep_source_run(row)


def test_a_finished_run_never_changes(tmp_path: Path) -> None:
    """A published run cannot be saved, published or finished again, nor can an unknown one."""
    row = SourceRun(run_id=FIRST, source="late", kind="table", started_at=1, status="complete", coverage="unknown")
    with Results.open(published(tmp_path / "results.db")) as results:
        for change in (
            lambda: results.save(FIRST, {}),
            lambda: results.publish(FIRST, at=3),
            lambda: results.finish_run(FIRST, status="failed", at=3, reason="x"),
            lambda: results.keep_source_run(row),
        ):
            with pytest.raises(ValueError, match=r"is finished \(published\)"):
                change()
        with pytest.raises(ValueError, match="There is no run x"):
            results.save("x", {})


def test_publishing_needs_a_saved_run(tmp_path: Path) -> None:
    """The pointer never moves to a run without rows."""
    with begun(tmp_path / "results.db") as results:
        with pytest.raises(ValueError, match="has not been saved"):
            results.publish(FIRST, at=2)
        assert results.published() is None


def test_rollback_shows_the_same_bytes_again(tmp_path: Path) -> None:
    """Going back and forth shows each run exactly as it was first published."""
    path = tmp_path / "results.db"
    first = shown(published(path, tables=publication(communities=7)))
    second = shown(published(path, tables=publication(communities=9, structure="segments")))
    with Results.open(path) as results:
        results.rollback(FIRST)
        assert (shown(path), getattr(results.published(), "run_id", None)) == (first, FIRST)
        results.rollback(SECOND)
        assert shown(path) == second
        with pytest.raises(ValueError, match="There is no run x"):
            results.rollback("x")
        new = results.resume_or_begin(started_at=1, provenance=PROVENANCE)
        with pytest.raises(ValueError, match=r"never published \(running\)"):
            results.rollback(new)


def test_rollback_brings_the_older_search_back(tmp_path: Path) -> None:
    """A search answers from the run that readers see: going back brings the answers of before, and old runs drop what it reads."""
    path = tmp_path / "results.db"
    tables = publication(communities=4)
    published(path, tables=tables)
    before = search(path, "ink", k=9)
    published(path, tables={**tables, "search_word": tables["search_word"][:1]})
    assert before.answer.rows
    assert search(path, "ink", k=9).answer.rows == []
    with Results.open(path) as results:
        results.rollback(FIRST)
    assert search(path, "ink", k=9) == before


def test_old_runs_keep_their_ranking_only(tmp_path: Path) -> None:
    """Bulky rows stay for the newest published runs, the published one and the newest; rankings and history stay for all."""
    path = tmp_path / "results.db"
    names = [f"run-{number:06}" for number in range(1, KEPT_RUNS + 5)]
    for _ in range(KEPT_RUNS + 2):
        published(path, tables=publication(communities=2))
    with Results.open(path) as results:
        results.rollback(names[2])
        for number in (-2, -1):
            assert results.resume_or_begin(started_at=1, provenance=PROVENANCE) == names[number]
            results.save(names[number], publication(communities=2))
            results.finish_run(names[number], status="held", at=2, reason="drift")
        detailed = [run.run_id for run in results.runs() if run.detail]
        with pytest.raises(ValueError, match="keeps its ranking only"):
            results.rollback(FIRST)
    assert detailed == [*names[2:-2], names[-1]]
    assert ask(path, "SELECT DISTINCT run_id FROM community_feature ORDER BY 1").rows == [(run,) for run in detailed]
    assert ask(path, "SELECT count(DISTINCT run_id) FROM archetype_rankings").rows == [(KEPT_RUNS + 4,)]
    assert ask(path, "SELECT count(*) FROM archetype_history WHERE archetype_id = 'a0'").rows == [(KEPT_RUNS + 2,)]


def test_lineage_finds_the_published_memberships(tmp_path: Path) -> None:
    """The next night reads who belonged to what, where it stood, and every id that was ever given."""
    path = published(tmp_path / "results.db")
    with Results.open(path) as results:
        members = results.membership()
        assert list(members.columns) == ["archetype_id", "niche_id", "x", "y"]
        assert members.loc["reddit:place05"].tolist() == ["a0", "n1", math.cos(5), math.sin(5)]
        assert members["archetype_id"].isna().sum() == 1
        assert (results.used_ids("archetype"), results.used_ids("niche")) == ({"a0", "a1", "a2"}, {"n0", "n1", "n2", "n3"})


def test_the_panel_is_frozen_with_the_publication(tmp_path: Path) -> None:
    """A panel comes back as it was frozen, the newest version only, and a version cannot be given twice or skipped."""
    panel = pd.DataFrame({"version": 1, "ingredient": ["money", "pain"], "community_id": "reddit:a", "value": [0.25, 0.5]})
    with Results.open(tmp_path / "results.db") as results:
        assert results.panel() is None
        for version in (1, 2):
            run_id = results.resume_or_begin(started_at=1, provenance=PROVENANCE)
            results.save(run_id, {})
            with pytest.raises(ValueError, match=f"next reference panel is version {version}; these rows are of \\[3\\]"):
                results.publish(run_id, at=2, panel=panel.assign(version=3))
            results.publish(run_id, at=2, panel=panel.assign(version=version))
        pd.testing.assert_frame_equal(results.panel(), panel.assign(version=2))


def test_the_background_is_frozen_with_the_publication(tmp_path: Path) -> None:
    """Frozen words come back as they were frozen, the newest version only, and no version can be skipped."""
    words = pd.DataFrame({"version": 1, "community_id": ["reddit:a", "reddit:b"], "language": ["en", None], "words": ['{"hive": 2}', "{}"]})
    measures = pd.DataFrame({"version": 1, "feature": "engagement", "part": ["a middle", "a spread"], "value": [0.1, 1 / 3]})
    with Results.open(tmp_path / "results.db") as results:
        assert (results.background(), results.background_version()) == (None, None)
        for version in (1, 2):
            run_id = results.resume_or_begin(started_at=1, provenance=PROVENANCE)
            results.save(run_id, {})
            with pytest.raises(ValueError, match=f"next background is version {version}; these rows are of \\[3\\]"):
                results.publish(run_id, at=2, background=Frozen(words.assign(version=3), measures.assign(version=3)))
            results.publish(run_id, at=2, background=Frozen(words.assign(version=version), measures.assign(version=version)))
        found = results.background()
        assert found is not None
        assert found.words.where(found.words.notna(), None).to_dict("list") == words.assign(version=2).to_dict("list")
        assert found.measures.to_dict("list") == measures.assign(version=2).to_dict("list")
        assert results.background_version() == 2


def test_words_of_the_second_schema_have_no_measures(tmp_path: Path) -> None:
    """What was frozen before there were measures is read with none, and the next version brings them."""
    path = published(tmp_path / "results.db")
    words = pd.DataFrame({"version": 1, "community_id": ["reddit:a"], "language": ["en"], "words": ["{}"]})
    with closing(sqlite3.connect(path)) as connection:
        downgraded(connection, 2)
        connection.execute("INSERT INTO background_text VALUES (1, 'reddit:a', 'en', '{}')")
        connection.commit()
    with Results.open(path) as results:
        found = results.background()
        assert found is not None
        assert (len(found.words), len(found.measures)) == (1, 0)
        run_id = results.resume_or_begin(started_at=3, provenance=PROVENANCE)
        results.save(run_id, {})
        measures = pd.DataFrame({"version": 2, "feature": ["engagement"], "part": ["a middle"], "value": [0.5]})
        results.publish(run_id, at=4, background=Frozen(words.assign(version=2), measures))
        again = results.background()
        assert again is not None
        assert (again.words["version"].tolist(), again.measures["value"].tolist()) == ([2], [0.5])


def test_a_file_of_the_first_schema_is_upgraded(tmp_path: Path) -> None:
    """Results that know no background are opened, keep their runs, and say that those were compared with none that is frozen."""
    path = published(tmp_path / "results.db")
    with closing(sqlite3.connect(path)) as connection:
        downgraded(connection, 1)
    with Results.open(path) as results:
        assert results.background() is None
        assert [(run.run_id, run.background_version) for run in results.runs()] == [(FIRST, None)]
    assert ask(path, "SELECT run_id, background_version FROM runs").rows == [(FIRST, None)]


def test_runs_of_before_were_placed_by_words_and_drawn_by_components(tmp_path: Path) -> None:
    """A run that was saved by the fourth schema says what it was made with; one that found nothing says nothing."""
    path = published(tmp_path / "results.db")
    with closing(sqlite3.connect(path)) as connection:
        downgraded(connection, 4)
    with Results.open(path) as results:
        results.resume_or_begin(started_at=9, provenance=PROVENANCE)
    told = ask(path, "SELECT run_id, embedding_model, embedding_version, map_method FROM runs").rows
    assert told == [(FIRST, "tfidf-svd", "1", "pca"), (SECOND, None, None, None)]


def test_a_file_of_the_third_schema_is_upgraded(tmp_path: Path) -> None:
    """Runs of before have no clusters, votes and hierarchy; the next run brings them, in views that were empty until then."""
    path = published(tmp_path / "results.db")
    with closing(sqlite3.connect(path)) as connection:
        downgraded(connection, 3)
    views = ("clusters", "votes", "archetype_hierarchy")
    with Results.open(path):
        assert [ask(path, f"SELECT * FROM {view}").rows for view in views] == [[], [], []]  # noqa: S608  our own names
    published(path)
    assert [len(ask(path, f"SELECT * FROM {view}").rows) for view in views] == [4, 2, 2]  # noqa: S608  our own names


def test_a_file_of_the_fourth_schema_is_upgraded(tmp_path: Path) -> None:
    """Results of before there was a search keep their runs, say of those that they cannot be searched, and the next run can be."""
    path = published(tmp_path / "results.db")
    with closing(sqlite3.connect(path)) as connection:
        downgraded(connection, 4)
    Results.open(path).__exit__(None, None, None)
    with pytest.raises(UnknownEntityError, match="is of a version that could not search"):
        search(path, "nib", k=3)
    assert search(published(path), "nib", k=3).answer.rows
