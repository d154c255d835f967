"""The public SQL: its columns, what it shows, and the limits of a reader's own query."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from storage.reading import QueryError, ask
from storage.results import Results
from storage.results_file import read_only
from tests.publication import PROVENANCE, publication, published

CONTRACT = {
    "ranked_archetypes": "rank, archetype_id, name, summary, verdict, score, score_low, score_high, rank_low, rank_high, p_top5, "
    "communities, active_authors, structure, stability, coverage, score_status, run_id, published_at",
    "ranked_niches": "rank, niche_id, archetype_id, name, summary, verdict, score, score_low, score_high, rank_low, rank_high, "
    "communities, active_authors, top_need, run_id, published_at",
    "archetype_communities": "archetype_id, niche_id, community_id, source, name, url, distance, confidence, is_exemplar",
    "archetype_features": "archetype_id, feature, value, low, high, unit, z",
    "community_features": "community_id, feature, value, low, high, n, coverage, missing_reason",
    "score_components": "archetype_id, component, value, percentile, weight, contribution",
    "archetype_evidence": "archetype_id, record_id, community_id, url, tier, quote, sha256",
    "archetype_history": "archetype_id, run_id, finished_at, rank, score, event",
    "runs": "run_id",
    "source_runs": "run_id, source, kind, started_at, finished_at, status, fetched, stored, unchanged, quarantined, refused, requests, "
    "coverage, reason",
    "quarantine": "run_id, source, position, reason, sha256",
    "clusters": "cluster, communities, stability, standing, archetype_id",
    "votes": "criterion, k",
    "criteria": "criterion, k, value, error",
    "archetype_hierarchy": "step, first_id, second_id, height, communities, share",
    "communities": "community_id, source, name, url, description, members, records, authors, first_at, last_at, language, policy",
}
OF_EVERY_RUN = {"archetype_history", "runs", "source_runs", "quarantine"}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two published runs; the second has one community less."""
    path = published(tmp_path_factory.mktemp("views") / "results.db")
    return published(path, tables=publication(communities=11))


def schema(path: Path) -> list[tuple[str, str]]:
    """Every object of the database with its statement."""
    return [(row[0], row[1]) for row in ask(path, "SELECT name, sql FROM sqlite_master ORDER BY name").rows]


@pytest.mark.parametrize("view", CONTRACT)
def test_columns_are_the_contract(results: Path, view: str) -> None:
    """Every promised view begins with the promised columns in the promised order, and has rows."""
    answer = ask(results, f'SELECT * FROM "{view}"')  # noqa: S608  our own names
    promised = CONTRACT[view].split(", ")
    assert answer.columns[: len(promised)] == promised
    assert answer.rows


@pytest.mark.parametrize("view", sorted(CONTRACT.keys() - OF_EVERY_RUN))
def test_views_show_the_published_run_only(tmp_path: Path, view: str) -> None:
    """A saved run that is not published adds nothing to a view of the published run."""
    path = published(tmp_path / "results.db")
    before = ask(path, f'SELECT * FROM "{view}"')  # noqa: S608  our own names
    with Results.open(path) as writer:
        writer.save(writer.resume_or_begin(started_at=1, provenance=PROVENANCE), publication(communities=5))
    assert ask(path, f'SELECT * FROM "{view}"') == before  # noqa: S608  our own names


@pytest.mark.parametrize(("view", "in_each_run"), [("archetype_history", 3), ("source_runs", 2), ("quarantine", 1), ("runs", 1)])
def test_history_shows_every_run(results: Path, view: str, in_each_run: int) -> None:
    """History, runs, sources and quarantine hold the rows of both runs."""
    answer = ask(results, f'SELECT run_id, count(*) FROM "{view}" GROUP BY run_id')  # noqa: S608  our own names
    assert answer.rows == [("run-000001", in_each_run), ("run-000002", in_each_run)]


def test_removing_a_community_changes_no_schema(results: Path, tmp_path: Path) -> None:
    """The schema depends on the program only, never on what a run found."""
    full = published(tmp_path / "full.db")
    bare = published(tmp_path / "bare.db", tables=publication(communities=1, structure="too_few"))
    assert schema(full) == schema(bare) == schema(results)


def test_a_mirror_can_be_left_out_of_an_archetype(tmp_path: Path) -> None:
    """A mirror stands among an archetype's communities with the one it repeats, so that those counted once can be told from it."""
    tables = publication()
    first, mirror = (row for row in tables["community"][:4] if row["archetype_id"] == "a0")
    mirror["duplicate_of"] = first["community_id"]
    path = published(tmp_path / "results.db", tables=tables)
    told = ask(path, "SELECT community_id, duplicate_of FROM archetype_communities WHERE archetype_id = 'a0'").rows
    assert {row[1] for row in told if row[0] == mirror["community_id"]} == {first["community_id"]}
    assert {row[1] for row in told if row[0] != mirror["community_id"]} == {None}


def test_shares_of_the_hierarchy_add_up(results: Path) -> None:
    """Merges at heights 3 and 4 blur 9 and 16 parts of 25 of what tells the archetypes apart."""
    assert ask(results, "SELECT step, share FROM archetype_hierarchy").rows == [(1, 9 / 25), (2, 16 / 25)]


def test_contributions_add_up_to_the_score(results: Path) -> None:
    """In SQL, a score is one hundred times e to the sum of its contributions."""
    query = (
        "SELECT max(abs(ln(score / 100) - total)) FROM ranked_archetypes JOIN "
        "(SELECT archetype_id, sum(contribution) AS total FROM score_components GROUP BY archetype_id) USING (archetype_id)"
    )
    assert ask(results, query).rows[0][0] < 1e-12


def test_a_ranking_of_an_earlier_run_stays_readable(results: Path) -> None:
    """The rankings of every run can be read, with the same columns as the published one."""
    earlier = ask(results, "SELECT * FROM niche_rankings WHERE run_id = 'run-000001'")
    assert len(earlier.rows) == 4
    assert earlier.columns == ask(results, "SELECT * FROM ranked_niches").columns


@pytest.mark.parametrize(
    ("query", "said"),
    [
        pytest.param("DELETE FROM run", "Only reading", id="delete"),
        pytest.param("CREATE TABLE t (a)", "Only reading", id="create"),
        pytest.param("ATTACH DATABASE 'other.db' AS other", "Only reading", id="attach"),
        pytest.param("PRAGMA query_only = OFF", "Only reading", id="pragma"),
        pytest.param("VACUUM INTO 'copy.db'", "VACUUM", id="vacuum-into"),
        pytest.param("BEGIN; SELECT 1", "Only reading", id="two-statements"),
        pytest.param("SELECT 1; DROP TABLE run", "one statement", id="drop-behind"),
        pytest.param("SELECT * FROM absent", "no such table: absent", id="unknown-table"),
        pytest.param("SELEKT", "syntax error", id="syntax"),
        pytest.param("SELECT load_extension('x')", "not authorized", id="extension"),
        pytest.param("SELECT zeroblob(900000000)", "too big", id="huge-value"),
        pytest.param("SELECT '\ud800'", "cannot be read", id="surrogate"),
        pytest.param("-- nothing", "no statement", id="comment"),
        pytest.param("", "no statement", id="empty"),
    ],
)
def test_a_query_can_only_read(results: Path, query: str, said: str) -> None:
    """Whatever a query tries beyond one SELECT is refused with the reason, and the file stays as it is."""
    before = results.read_bytes()
    with pytest.raises(QueryError, match=said):
        ask(results, query)
    assert results.read_bytes() == before


def test_a_query_ends_at_its_deadline(results: Path) -> None:
    """An endless query is stopped, and says so."""
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    with pytest.raises(QueryError, match=r"longer than 0\.2 seconds"):
        ask(results, endless, seconds=0.2)


def test_rows_beyond_the_cap_are_cut_and_told(results: Path) -> None:
    """The cap cuts, the answer says that it did; exactly as many rows are not cut."""
    assert ask(results, "SELECT * FROM communities", limit=3).truncated
    assert len(ask(results, "SELECT * FROM communities", limit=3).rows) == 3
    assert not ask(results, "SELECT * FROM communities", limit=11).truncated


def test_a_read_only_connection_cannot_write(results: Path) -> None:
    """The reader's connection refuses writes by itself, without the query's limits."""
    with read_only(results) as connection, pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("DELETE FROM publication")
