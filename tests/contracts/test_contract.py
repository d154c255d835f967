"""The outward contract, from outside: after a real run, every command, view, column and exit code that others build on is there."""

from __future__ import annotations

import csv
import io
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import configured, hobbies, subcurrent

WORLD = "world:31?communities=112"
VIEWS = {
    "ranked_archetypes": "rank archetype_id name summary verdict score score_low score_high rank_low rank_high p_top5 communities "
    "active_authors structure stability coverage score_status run_id published_at",
    "ranked_niches": "rank niche_id archetype_id name summary verdict score score_low score_high rank_low rank_high communities "
    "active_authors top_need run_id published_at",
    "archetype_communities": "archetype_id niche_id community_id source name url distance confidence is_exemplar",
    "archetype_features": "archetype_id feature value low high unit z",
    "community_features": "community_id feature value low high n coverage missing_reason",
    "score_components": "archetype_id component value percentile weight contribution",
    "archetype_evidence": "archetype_id record_id community_id url tier quote sha256",
    "archetype_history": "archetype_id run_id finished_at rank score event",
    "runs": "run_id",
    "source_runs": "run_id source kind started_at finished_at status fetched stored unchanged quarantined refused requests coverage reason",
    "communities": "community_id source name url description members records authors first_at last_at language policy",
    "quarantine": "run_id source position reason sha256",
}
FILLED = VIEWS.keys() - {"quarantine"}
COMMANDS = (
    *("run", "collect", "measure", "cluster", "rank", "publish", "ranking", "explain archetype", "explain community"),
    *("sql", "report", "nightly", "runs", "rollback", "science-check", "sources"),
)
VERDICTS = ("pursue", "watch", "saturated", "shallow", "insufficient_evidence", "not_scored")


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The configuration of a published run that found archetypes."""
    folder = hobbies(tmp_path_factory.mktemp("contract"), ("a.csv", "b.csv"))
    config = configured(folder, WORLD, f"table:{folder}/posts")
    said = subcurrent("run", "--config", config)
    assert said.code == 0, said.err
    return config


def asked(config: Path, query: str) -> list[dict[str, Any]]:
    """Ask in SQL, as a pipeline does."""
    said = subcurrent("sql", query, "--config", config, "--json")
    assert said.code == 0, said.err
    found: list[dict[str, Any]] = json.loads(said.out)
    return found


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_has_its_columns(night: Path, view: str) -> None:
    """The promised columns stand first, in their order; columns may be added behind them."""
    header = next(csv.reader(io.StringIO(subcurrent("sql", f"SELECT * FROM {view} LIMIT 1", "--config", night, "--format", "csv").out)))  # noqa: S608
    promised = VIEWS[view].split()
    assert header[: len(promised)] == promised
    assert bool(asked(night, f"SELECT 1 AS one FROM {view} LIMIT 1")) or view not in FILLED  # noqa: S608


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_exists(command: str) -> None:
    """Each command of the contract has help and takes a configuration."""
    said = subcurrent(*command.split(), "--help")
    assert said.code == 0
    assert "--config" in said.out


@pytest.mark.parametrize("command", ["ranking", "explain community x", "sql x", "runs", "science-check", "sources"])
def test_printing_commands_take_a_format(command: str) -> None:
    """Where rows are printed, `--format` and `--json` choose the form."""
    page = subcurrent(*command.split()[:2] if command.startswith("explain") else command.split()[:1], "--help").out
    assert "--format" in page
    assert "--json" in page


def test_the_ranking_is_in_order(night: Path) -> None:
    """Ranks count from 1; verdicts stand in their order, and inside a verdict scores fall."""
    found = json.loads(subcurrent("ranking", "--config", night, "--json").out)
    assert [row["rank"] for row in found] == list(range(1, len(found) + 1))
    keys = [(VERDICTS.index(row["verdict"]), -(row["score"] or 0.0)) for row in found]
    assert keys == sorted(keys)
    assert found == asked(night, "SELECT * FROM ranked_archetypes")


def test_intervals_hold_their_values(night: Path) -> None:
    """Scores lie in their interval, ranks in theirs, and shares between 0 and 1."""
    for view in ("ranked_archetypes", "ranked_niches", "ranked_communities"):
        for row in asked(night, f"SELECT * FROM {view} WHERE score IS NOT NULL"):  # noqa: S608
            assert 0 <= row["score_low"] <= row["score_high"] <= 100
            assert 1 <= row["rank_low"] <= row["rank_high"]
            assert 0 <= row["p_top5"] <= 1


def test_contributions_add_up(night: Path) -> None:
    """In the published tables, a score is one hundred times e to the sum of its contributions."""
    query = (
        "SELECT max(abs(ln(score / 100) - total)) AS off FROM ranked_archetypes JOIN "
        "(SELECT archetype_id, sum(contribution) AS total FROM score_components GROUP BY 1) USING (archetype_id)"
    )
    assert asked(night, query)[0]["off"] < 1e-9


def test_nothing_is_missing_without_a_reason(night: Path) -> None:
    """A feature has a value or says why not, for every community and feature; NaN never reaches a reader as a number."""
    query = "SELECT count(*) AS n FROM community_features WHERE (value IS NULL) = (missing_reason IS NULL)"
    assert asked(night, query) == [{"n": 0}]
    grid = "SELECT (SELECT count(*) FROM communities) * (SELECT count(*) FROM features) - (SELECT count(*) FROM community_features) AS off"
    assert asked(night, grid) == [{"off": 0}]


def test_evidence_belongs_to_its_archetype(night: Path) -> None:
    """Every piece of evidence is of a community of that archetype, has a hash, and quotes at most 25 words."""
    found = asked(
        night,
        "SELECT e.quote, e.sha256, c.community_id AS of FROM archetype_evidence e LEFT JOIN archetype_communities c "
        "ON c.archetype_id = e.archetype_id AND c.community_id = e.community_id",
    )
    assert found
    assert all(row["of"] and len(row["sha256"]) == 64 and len(row["quote"].split()) <= 25 for row in found)


def test_explanations_are_rows(night: Path) -> None:
    """`explain archetype` and `explain community` print rows of one shape for what the ranking lists."""
    for entity, view in (("archetype", "ranked_archetypes"), ("community", "ranked_communities")):
        key = asked(night, f"SELECT {entity}_id AS key FROM {view}")[0]["key"]  # noqa: S608
        rows = json.loads(subcurrent("explain", entity, key, "--config", night, "--json").out)
        assert {"standing", "component", "ingredient", "feature"} <= {row["part"] for row in rows}
        assert {tuple(row) for row in rows} == {("part", "item", "value", "low", "high", "note")}


def test_state_lives_in_the_data_directory(night: Path) -> None:
    """Both stores, the reports and the key lie there, the key and the stores for their owner only, and the key is not in them."""
    data = night.parent / "data"
    for name in ("activity.duckdb", "subcurrent.db", "pseudonym.key"):
        assert stat.S_IMODE((data / name).stat().st_mode) == 0o600
    assert (data / "reports" / "latest" / "report.html").exists()
    key = (data / "pseudonym.key").read_bytes()
    assert all(
        key not in path.read_bytes() and key.hex().encode() not in path.read_bytes()
        for path in (data / "subcurrent.db", data / "activity.duckdb")
    )


def test_the_environment_moves_the_data_directory(tmp_path: Path) -> None:
    """`SUBCURRENT_DATA_DIR` says where state lives, over any file."""
    config = configured(tmp_path, "world:1?communities=3&days=56&scale=0.1")
    said = subcurrent("run", "--config", config, env={"SUBCURRENT_DATA_DIR": str(tmp_path / "elsewhere")})
    assert said.code == 0
    assert (tmp_path / "elsewhere" / "subcurrent.db").exists()
    assert not (tmp_path / "data").exists()


def test_an_invented_market_says_so(night: Path) -> None:
    """The planted world is marked as invented in the results and in the first lines of its report."""
    assert asked(night, "SELECT invented FROM runs") == [{"invented": 1}]
    assert "invented" in (night.parent / "data" / "reports" / "latest" / "report.md").read_text()[:600].lower()
