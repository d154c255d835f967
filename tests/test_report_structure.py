"""What a report says of its groups: how many and why, how well they come back, which are near each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from scoring.report import write_report
from scoring.report.tree import joins, places
from tests.publication import publication, published
from tests.report_pages import report

KINDS = {"a0": (1, "One"), "a1": (3, "Three"), "a2": (2, "Two")}
MERGES = [
    {"step": 1, "first_id": "a0", "second_id": "a2", "height": 3.0, "share": 0.36},
    {"step": 2, "first_id": "M1", "second_id": "a1", "height": 4.0, "share": 0.64},
]


def test_every_group_is_told_with_its_standing(tmp_path: Path) -> None:
    """Stable, doubtful and dissolved groups stand in one table; what dissolves has no name and is no kind."""
    text = report(tmp_path, publication())
    assert "| 1. Engaged makers who pay | 4 | 91 % | stable |" in text
    assert "| 3. Quiet link walls | 4 | 68 % | doubtful: its border moves |" in text
    assert "| a group without a name | 4 | 41 % | no kind, as it does not come back; its communities are ranked one by one |" in text
    assert "The communities fall into 3 separate kinds" in text


def test_votes_are_told(tmp_path: Path) -> None:
    """What each measure alone would choose stands beside what was chosen."""
    assert "What each measure alone would choose: Gap to structureless data 3 and Silhouette 2." in report(tmp_path, publication())


def test_the_hierarchy_is_told_in_words(tmp_path: Path) -> None:
    """A reader who sees no figure reads which kinds are nearest, at what height, and what is lost by joining them."""
    text = report(tmp_path, publication())
    assert r"| 1\. Engaged makers who pay | 3\. Quiet link walls | 3 | 36 % |" in text
    assert r"| 1 + 3 | 2\. Busy question desks | 4 | 64 % |" in text
    assert "](hierarchy.svg)" in text


@pytest.mark.parametrize("structure", ["none", "too_few"])
def test_without_kinds_there_is_no_hierarchy(tmp_path: Path, structure: str) -> None:
    """Where nothing was grouped no tree is drawn and no table of groups stands."""
    text = report(tmp_path, publication(structure=structure))
    assert "hierarchy.svg" not in text
    assert "Which kinds are near" not in text
    assert "Overlap when drawn again |" not in text


@pytest.mark.parametrize("merges", [0, 1])
def test_of_one_kind_or_two_no_hierarchy_is_told(tmp_path: Path, merges: int) -> None:
    """Of two kinds a tree could only say that they are two; groups are told all the same."""
    tables = publication()
    tables["archetype_merge"] = tables["archetype_merge"][:merges]
    text = report(tmp_path, tables)
    assert "hierarchy.svg" not in text
    assert "| a group without a name |" in text


def test_figures_show_the_tree_and_the_curves(tmp_path: Path) -> None:
    """The tree and the curves are files beside the report, and the page holds them."""
    folder = write_report(published(tmp_path / "results.db"), tmp_path / "reports")
    assert {"hierarchy.svg", "criteria.svg", "map.svg"} <= {path.name for path in folder.iterdir()}
    assert (folder / "report.html").read_text().count("data:image/svg+xml") == len(list(folder.glob("*.svg")))


def test_joined_kinds_are_named_by_their_ranks() -> None:
    """Two kinds have their names, what they become has their ranks."""
    first, second = joins(MERGES, KINDS)
    assert (first.first.title, first.second.title) == ("1. One", "2. Two")
    assert (second.first.title, second.second.title, second.share) == ("1 + 2", "3. Three", 0.64)


def test_no_lines_of_the_tree_cross() -> None:
    """Kinds stand in the order of their branches, each join in the middle of its two."""
    assert places(joins(MERGES, KINDS)) == {(1,): 0.0, (2,): 1.0, (3,): 2.0, (1, 2): 0.5, (1, 2, 3): 1.25}
