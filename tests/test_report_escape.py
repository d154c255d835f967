"""Foreign text does nothing in a report: not in its Markdown, not in its page, not in its figures."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from scoring.escape import markdown_text, terminal_text
from scoring.report import write_report
from scoring.report.content import read
from scoring.report.render import markdown, page
from storage.results_file import read_only
from tests.publication import publication, published
from tests.report_pages import HOSTILE, Dom, rows_and_cells

FOREIGN = {
    "archetype": ("name", "summary", "counter_argument", "would_change"),
    "niche": ("name", "summary", "counter_argument", "would_change", "top_need"),
    "community": ("name", "url"),
    "evidence": ("url", "quote", "licence"),
    "score": ("verdict_reason",),
    "source_run": ("reason",),
    "quarantined_item": ("reason",),
    "feature": ("title",),
    "run": ("notes",),
    "need": ("need",),
    "term": ("term",),
}
"""Columns that hold text from outside, or made from it."""


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results file whose texts may be overwritten."""
    return published(tmp_path_factory.mktemp("foreign") / "results.db")


def forms(path: Path, text: str) -> tuple[str, Dom]:
    """The report, without figures, as Markdown and as a page, after everything from outside became one text."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("DELETE FROM need WHERE authors < 20")  # two needs of the same words would be one
        connection.execute("DELETE FROM term WHERE z < 4")
        for table, columns in FOREIGN.items():
            value = terminal_text(text) if table == "run" else text  # a note is a line, by its definition
            connection.execute(f"UPDATE {table} SET {', '.join(f'{column} = :text' for column in columns)}", {"text": value})  # noqa: S608
    with read_only(path) as connection:
        shown = markdown(read(connection, top=5, shown=25), figures={})
    return shown, Dom(page(shown, figures={}))


@pytest.mark.parametrize("vector", HOSTILE, ids=range(len(HOSTILE)))
def test_foreign_text_does_nothing(foreign: Path, vector: str) -> None:
    """Whatever names, needs, quotes, links and reasons hold, the report has the same tags and cells, and no link or control character."""
    harmless, plain = forms(foreign, "word")
    text, dom = forms(foreign, vector)
    assert dom.tags == plain.tags
    assert dom.attributes == plain.attributes
    assert {name for name, _ in dom.attributes} <= {"lang", "charset", "http-equiv", "content", "name", "class"}
    assert rows_and_cells(text) == rows_and_cells(harmless)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]", text + dom.text)


def test_foreign_text_does_nothing_in_figures(tmp_path: Path) -> None:
    """Figures draw hostile names as plain shapes, with no warning of a missing letter or a broken formula."""
    tables = publication(communities=len(HOSTILE))
    for name in ("archetype", "niche", "community"):
        for at, row in enumerate(tables[name]):
            row["name"] = HOSTILE[-1 - at]
    for row, vector in zip(tables["feature"], HOSTILE[36:], strict=False):
        row["title"] = vector
    folder = write_report(published(tmp_path / "results.db", tables=tables), tmp_path / "reports")
    drawn = {figure.name: figure.read_text() for figure in folder.glob("*.svg")}
    assert sorted(drawn) == ["criteria.svg", "hierarchy.svg", "map.svg", "profiles.svg", "ranking.svg"]
    for figure in drawn.values():
        assert not re.search(r"<script|<[^>]*\son\w+=|<image|<foreignObject|<a ", figure)


@pytest.mark.parametrize("vector", HOSTILE, ids=range(len(HOSTILE)))
def test_escaped_text_shows_as_itself(vector: str) -> None:
    """In a paragraph, a list item, a heading, a quote and a cell, the reader sees the text, its spaces and controls reduced."""
    shown = markdown_text(vector)
    text = f"{shown}\n\n- {shown}\n\n### {shown}\n\n> {shown}\n\n| a | b |\n| --- | --- |\n| {shown} | {shown} |\n"
    dom = Dom(page(text, figures={}).partition("<main>")[2])
    assert [" ".join(line.split()) for line in dom.text.split("\n") if line.strip()] == [terminal_text(vector)] * 4 + ["a", "b"] + [
        terminal_text(vector)
    ] * 2


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the ordinary publication."""
    folder = tmp_path_factory.mktemp("report")
    return write_report(published(folder / "results.db"), folder / "reports")


def test_the_page_needs_no_network(written: Path) -> None:
    """The page holds its figures and style, forbids everything else, and its links tell their target nothing."""
    html = (written / "report.html").read_text()
    dom = Dom(html)
    assert dom.tags.count("img") == 5
    assert "script" not in dom.tags
    assert "link" not in dom.tags
    assert "default-src 'none'; img-src data:; style-src 'sha256-" in html
    assert {value for name, value in dom.attributes if name == "rel"} == {"noopener noreferrer nofollow"}
