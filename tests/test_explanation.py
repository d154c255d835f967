"""Explanations: everything that is known of a place, as rows of one shape."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scoring import explanation
from scoring.explanation import PARTS, UnknownEntityError
from storage.results import Results
from tests.publication import publication, published


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published run by hand."""
    return published(tmp_path_factory.mktemp("explained") / "results.db")


@pytest.mark.parametrize(
    ("entity", "entity_id", "parts"),
    [
        ("archetype", "a0", ["standing", "component", "ingredient", "feature", "need", "word", "evidence", "community"]),
        ("niche", "n1", ["standing", "component", "ingredient", "need", "word", "evidence", "community"]),
        ("community", "reddit:place00", ["standing", "component", "ingredient", "feature", "need", "word", "evidence"]),
    ],
)
def test_an_explanation_has_every_part(results: Path, entity: str, entity_id: str, parts: list[str]) -> None:
    """Standing, score and everything behind it follow in this order, each row with the same columns."""
    answer = explanation.explain(results, entity, entity_id)
    assert answer.columns == list(PARTS)
    assert list(dict.fromkeys(row[0] for row in answer.rows)) == parts


def test_standing_says_score_and_rank_with_their_intervals(results: Path) -> None:
    """The first rows repeat the ranking, with its intervals and what would change the verdict."""
    ranking = explanation.ranking(results, "archetype", limit=1)
    first = dict(zip(ranking.columns, ranking.rows[0], strict=True))
    rows = {row[1]: row for row in explanation.explain(results, "archetype", first["archetype_id"]).rows if row[0] == "standing"}
    assert rows["score"][2:5] == (first["score"], first["score_low"], first["score_high"])
    assert rows["rank"][2:5] == (first["rank"], first["rank_low"], first["rank_high"])
    assert rows["would change"][5] == first["would_change"]
    assert rows["counter argument"][5] == first["counter_argument"]


def test_what_is_missing_says_why(results: Path) -> None:
    """A feature without a value is explained by its reason."""
    rows = explanation.explain(results, "community", "reddit:place00").rows
    assert [row[2:] for row in rows if row[:2] == ("feature", "unsolved_share")] == [(None, None, None, "too few threads")]


def test_a_ranking_is_limited_and_dated(results: Path, tmp_path: Path) -> None:
    """So many rows as asked, best first; of the named run, else of the published one."""
    assert [row[0] for row in explanation.ranking(results, "niche", limit=2).rows] == [1, 2]
    path = published(tmp_path / "two.db")
    published(path, tables=publication(communities=5))
    assert len(explanation.ranking(path, "community", limit=99).rows) == 5
    assert len(explanation.ranking(path, "community", limit=99, as_of="run-000001").rows) == 12


@pytest.mark.parametrize(
    ("entity", "listed"), [("archetype", "--of archetypes"), ("niche", "--of niches"), ("community", "--of communities")]
)
def test_an_unknown_name_says_where_names_are(results: Path, entity: str, listed: str) -> None:
    """Something the run does not have is told with the command that lists what it has."""
    with pytest.raises(
        UnknownEntityError, match=re.escape(f"Run run-000001 has no {entity} `x'; --`; `subcurrent ranking {listed}` lists them.")
    ):
        explanation.explain(results, entity, "x'; --")


def test_an_unknown_run_says_where_runs_are(results: Path) -> None:
    """A run that never was is told."""
    with pytest.raises(UnknownEntityError, match=r"There is no run `run-9`; `subcurrent runs` lists them\."):
        explanation.ranking(results, "niche", limit=1, as_of="run-9")


def test_before_the_first_publication(tmp_path: Path) -> None:
    """Results without a published run say which command makes one."""
    Results.open(tmp_path / "results.db").__exit__(None, None, None)
    for ask in (lambda path: explanation.ranking(path, "niche", limit=1), lambda path: explanation.explain(path, "niche", "n0")):
        with pytest.raises(UnknownEntityError, match=r"No run is published yet: `subcurrent run` makes one\."):
            ask(tmp_path / "results.db")
