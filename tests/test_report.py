"""The report: what it says, that it says the same every time, and that foreign text does nothing in it."""

from __future__ import annotations

import math
import re
import shutil
import sqlite3
from contextlib import closing
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from scoring.escape import markdown_text, terminal_text
from scoring.report import write_report
from scoring.report.content import read
from scoring.report.render import markdown, page
from scoring.report.words import (
    TIERS,
    amount,
    day,
    gaps,
    how,
    measured,
    notes,
    quoted,
    short_licence,
    source_name,
    span,
    tied_with_first,
    unknown,
)
from storage.results import Results
from storage.results_file import read_only
from tests.publication import BEGAN, FEATURES, PROVENANCE, publication, published

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<iframe src=https://evil.example></iframe>",
    "<a href=javascript:alert(1)>x</a>",
    "<!-- <b> -->",
    "</td></tr></table><h1>owned</h1>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;img src=x&#62;",
    "[x](javascript:alert(1))",
    "[x](https://evil.example)",
    "![x](https://evil.example/beacon.png)",
    "[x]: https://evil.example",
    "[x][y] ![x][y]",
    "<https://evil.example>",
    "https://evil.example and www.evil.example",
    "x](https://evil.example)[y",
    "a | b | c",
    "a \\| b \\",
    "| --- | --- |",
    "`code` ``x`` ```",
    "**bold** __bold__ *it* _it_ ~~gone~~",
    "# heading",
    "> quote",
    "- list\n- list",
    "1. one\n2) two",
    "+ plus",
    "---",
    "===",
    "first\n\n# second\n\n| a | b |\n| - | - |",
    "line\r\nline\u2028line\u2029line\x0bline\x0cline\x85line",
    "\u202e\u2066reversed\u2069\u202c",
    "zero\u200bwidth\u200djoiner\ufeff",
    "\U000e0041\U000e0042 tags",
    "\x1b[31mred\x1b]8;;https://evil.example\x07link\x1b]8;;\x07",
    "\x00\x08\x7f\x9b control".replace("\x00", ""),
    "$\\frac{1}{2}$ and $$x$$",
    '" onmouseover="alert(1)',
    'ranking.svg" onerror="alert(1)',
    "{{ 7 * 7 }} {% raw %} ${x}",
    "   leading and trailing   ",
    "name!",
    "漢字 🜚 naïve",
)
STRUCTURES = ("clusters", "segments", "none", "too_few")


class Dom(HTMLParser):
    """What a browser would see of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect a tag and its attributes."""
        self.tags.append(tag)
        self.attributes.extend(attrs)

    def handle_data(self, data: str) -> None:
        """Collect text."""
        self.text += data


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
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the ordinary publication."""
    folder = tmp_path_factory.mktemp("report")
    return write_report(published(folder / "results.db"), folder / "reports")


def report(tmp_path: Path, tables: dict[str, Any], *, invented: bool = False) -> str:
    """Write a report and return its Markdown."""
    path = published(tmp_path / "results.db", tables=tables, invented=invented)
    return (write_report(path, tmp_path / "reports") / "report.md").read_text()


def rows_and_cells(text: str) -> list[int]:
    """Cells of each table row of a Markdown text, by unescaped pipes."""
    return [len(re.findall(r"(?<!\\)\|", line)) for line in text.splitlines() if line.startswith("|")]


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


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results file whose texts may be overwritten."""
    return published(tmp_path_factory.mktemp("foreign") / "results.db")


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
    assert sorted(drawn) == ["criteria.svg", "map.svg", "profiles.svg", "ranking.svg"]
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


def test_the_page_needs_no_network(written: Path) -> None:
    """The page holds its figures and style, forbids everything else, and its links tell their target nothing."""
    html = (written / "report.html").read_text()
    dom = Dom(html)
    assert dom.tags.count("img") == 4
    assert "script" not in dom.tags
    assert "link" not in dom.tags
    assert "default-src 'none'; img-src data:; style-src 'sha256-" in html
    assert {value for name, value in dom.attributes if name == "rel"} == {"noopener noreferrer nofollow"}


def test_the_decision_comes_first(written: Path) -> None:
    """The report opens with what to look at, why and how sure, before evidence, before method."""
    text = (written / "report.md").read_text()
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    assert headings == [
        "## The decision",
        "## The top niches, one by one",
        "## The kinds of community behind them",
        "## The evidence",
        "## Method and limits",
    ]
    decision = text.partition("## The decision")[2].partition("\n## ")[0]
    assert "**Look first at Fountain pen restorers.** 31 people ask there for *a way to track ink number 0*." in decision
    assert "Its score is 72 of 100, likely between 66 and 77." in decision
    assert "**The first 4 cannot be told apart:**" in decision
    assert "4 niches: 1 worth pursuing, 1 watch, 1 crowded, 1 shallow." in decision
    assert "| 2 | Home espresso repair | Watch | 68 | 62 to 73 | 1 to 4 | 3 | 301 | a way to track ink number 1 | [r/place09]" in decision
    assert "A hypothesis, not validation." in decision
    assert "uncalibrated" in decision
    assert "Source front pages broke off: connection lost." in decision
    assert "**3 of 12 communities are seen through a listing of at most 511 records, which is a selection and no census.**" in decision


def test_every_top_row_carries_its_case(written: Path) -> None:
    """A top row names the need, three communities, three records, the case against it, and what would change the verdict."""
    text = (written / "report.md").read_text()
    section = text.partition("### 1. Fountain pen restorers")[2].partition("\n### ")[0]
    assert (
        "- **The need:** a way to track ink number 0 (31 people, 3 communities); cheaper spare parts (12 people, 3 communities)" in section
    )
    assert re.findall(r"\[r/place(\d+)\]\(<https://www.reddit.com/r/", section) == ["08", "04", "00"]
    assert "- **In their words:**\n    - “I paid" in section
    said = section.partition("**In their words:**")[2].partition("- **The case")[0]
    assert re.findall(r"“(.*?)”", said) == ["I paid 40 dollars", "I spend hours on it"]
    assert "a record in r/place02](<https://www.reddit.com/comments/03/>), not quoted (is buying or switching)" in said
    assert "- **The case against:** Fountain pen restorers already have forum number 0." in section
    assert "- **What would change the verdict:** A paid tool for fountain pen restorers." in section
    costs = [int(cost) for cost in re.findall(r"\| (\d+) \|$", section, flags=re.MULTILINE)]
    assert costs == sorted(costs, reverse=True) == [5, 5, 4, 3, 2, 2, 1, 1]


def test_the_method_says_what_is_missing(written: Path) -> None:
    """The method balances every source's count, and says what the data cannot show and what could not be measured."""
    method = (written / "report.md").read_text().partition("## Method and limits")[2]
    assert "| dump | pushshift | 10 | 6 | 2 | 1 | 1 | every record of its span |" in method
    assert "A listing, such as the 50 hottest posts of a community, is no census." in method
    assert "| 0 of 12 | share of questions left unsolved | too few threads |" in method
    assert "| front pages | reddit listings | 10 | 6 | 2 | 1 | 1 | a listing of each community, no census |" in method
    assert "- “share of questions left unsolved” was dropped: nobody could measure it." in method
    assert "1 community was counted but not scored, as the subject is sensitive: 1 health." in method
    assert "too far from all others and was left out of the groups: [r/place10]" in method


@pytest.mark.parametrize(
    ("structure", "said", "silent"),
    [
        ("clusters", "fall into 3 separate kinds", "continuum"),
        ("segments", "they are not evidence of structure", "fall into"),
        ("none", "**No kinds of community stand out.**", "kinds of community behind"),
        ("too_few", "**Too few communities to say what kinds there are.** This run measured 4 communities", "The top niches"),
    ],
)
def test_the_report_is_honest_about_structure(tmp_path: Path, structure: str, said: str, silent: str) -> None:
    """Clusters, cuts of a continuum, no structure and too few communities are four different things, and each is said."""
    text = report(tmp_path, publication(communities=4 if structure == "too_few" else 12, structure=structure))
    assert said in text
    assert silent not in text


@pytest.mark.parametrize("structure", STRUCTURES)
def test_every_structure_ranks_its_communities(tmp_path: Path, structure: str) -> None:
    """Whatever was found, single communities are ranked and listed."""
    assert "| 1 | [r/place00]" in report(tmp_path, publication(structure=structure)).replace("| 1 | r/place00", "| 1 | [r/place00]")


def test_nothing_to_rank_is_said(tmp_path: Path) -> None:
    """A run that measured nothing gives a report that says so, with its reason, and no figure."""
    bare = {"run": [{"structure": "too_few", "reason": "The file held no records."}], "source_run": publication()["source_run"]}
    text = report(tmp_path, bare)
    assert "**Nothing could be ranked.** The file held no records." in text
    assert "![" not in text


def test_only_insufficient_evidence_is_no_recommendation(tmp_path: Path) -> None:
    """Where the best verdict is not even to watch, the report recommends nothing."""
    tables = publication()
    for row in tables["score"]:
        row.update(verdict="insufficient_evidence", verdict_reason="coverage .41 is below .6", score=None, score_low=None, score_high=None)
    text = report(tmp_path, tables)
    assert "**On this evidence, nothing here is worth building for.**" in text
    assert "Look first" not in text
    assert "cannot be told apart" not in text


def test_invented_worlds_carry_a_banner(tmp_path: Path, written: Path) -> None:
    """A report about invented communities says so before anything else; a real one does not."""
    assert report(tmp_path, publication(), invented=True).splitlines()[2].startswith("> **These communities are invented.**")
    assert "invented" not in (written / "report.md").read_text()


def test_no_internal_name_is_printed(written: Path) -> None:
    """Columns, features, tiers and verdicts appear in words, never by their internal names."""
    text = (written / "report.md").read_text()
    internal = [*FEATURES, "score_low", "p_top5", "insufficient_evidence", "too_few", "archetype", "retained_reach", "None", "nan"]
    assert [name for name in internal if re.search(rf"\b{name}\b", text) and "_" in name] == []
    assert not re.search(r"\b(T[0-4]|None|nan|archetype|pursue)\b", text)


def test_sections_share_no_sentence(written: Path) -> None:
    """No two ranked entities of one kind are described by the same sentence."""
    text = (written / "report.md").read_text().partition("## The kinds of community behind them")[2].partition("\n## ")[0]
    sections = text.split("\n### ")[1:]
    sentences = [set(re.findall(r"[A-Z][^.|\n“”]{25,}\.(?:\s|$)", section)) for section in sections]
    assert len(sections) == 3
    assert all(sentences)
    assert set.intersection(*sentences) == set()


def test_the_same_run_gives_the_same_bytes(tmp_path: Path, written: Path) -> None:
    """Another run of the same results gives the same report to the byte: no clock, no run id, no random ids."""
    path = published(published(tmp_path / "results.db", tables=publication(communities=9)))
    again = write_report(path, tmp_path / "reports")
    assert {file.name: file.read_bytes() for file in again.iterdir()} == {file.name: file.read_bytes() for file in written.iterdir()}


def test_latest_points_to_the_last_report(tmp_path: Path) -> None:
    """Each run has its folder, `latest` leads to the last one written, and nothing half-written stays behind."""
    path = published(tmp_path / "results.db")
    first = write_report(path, tmp_path / "reports")
    published(path, tables=publication(communities=9))
    second = write_report(path, tmp_path / "reports")
    assert (tmp_path / "reports" / "latest").resolve() == second
    with Results.open(path) as results:
        results.rollback("run-000001")
    (first / "report.md").write_text("scribbled")
    write_report(path, tmp_path / "reports")
    assert (tmp_path / "reports" / "latest").resolve() == first
    assert "Look first at" in (first / "report.md").read_text()
    assert sorted(entry.name for entry in (tmp_path / "reports").iterdir()) == ["latest", "run-000001", "run-000002"]


def test_a_report_needs_a_published_run(tmp_path: Path) -> None:
    """Before the first publication there is nothing to report, and nothing is written."""
    with Results.open(tmp_path / "results.db") as results:
        results.resume_or_begin(started_at=BEGAN, provenance=PROVENANCE)
    with pytest.raises(LookupError, match="No run has been published yet"):
        write_report(tmp_path / "results.db", tmp_path / "reports")
    assert not (tmp_path / "reports").exists()


def test_a_report_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    """Where the report folder cannot be made, the error is the system's own and nothing is left behind."""
    path = published(tmp_path / "results.db")
    folder = write_report(path, tmp_path / "reports")
    before = (folder / "report.md").read_bytes()
    shutil.move(tmp_path / "reports", tmp_path / "kept")
    (tmp_path / "reports").write_text("in the way")
    with pytest.raises(FileExistsError):
        write_report(path, tmp_path / "reports")
    assert (tmp_path / "kept" / "run-000001" / "report.md").read_bytes() == before


def test_numbers_read_well() -> None:
    """Numbers are rounded as far as they can be trusted and carry their units."""
    assert [amount(value) for value in (0.12345, 12.345, 1234.5, 123456.0, 0.0, None, float("nan"))] == [
        *("0.123", "12.3", "1,230", "123,000", "0", "–", "–"),
    ]
    assert [measured(0.62, "fraction, 0 to 1"), measured(0.0123, "fraction, 0 to 1"), measured(3.14159, "days, 0 to 90")] == [
        *("62 %", "1.2 %", "3.14 days"),
    ]
    assert [span(1.2, 1.4), span(1, 3), span(None, 3)] == ["1", "1 to 3", "–"]
    assert day(0) == "1 January 1970"
    assert quoted(" ".join(["word"] * 30)) == " ".join(["word"] * 25) + " …"


def test_ties_are_counted_from_the_top() -> None:
    """Rows tie with the first as long as they may rank where it does; without intervals nothing ties."""
    rows = [{"score_low": 1.0, "rank_low": low, "rank_high": high} for low, high in ((1, 3), (1, 4), (4, 9), (2, 9))]
    assert tied_with_first(rows) == 2
    assert tied_with_first([{"score_low": None, "rank_low": None, "rank_high": None}]) == 0
    assert tied_with_first([]) == 0


def verdicts(tables: dict[str, Any], **of: str) -> dict[str, Any]:
    """Give the first of each kind a verdict and all others another: ``niche="shallow", community="pursue"``."""
    seen = set()
    for row in tables["score"]:
        row["verdict"] = "shallow" if row["entity"] in seen else of.get(row["entity"], "shallow")
        seen.add(row["entity"])
    return tables


@pytest.mark.parametrize(
    ("of", "said"),
    [
        (
            {"community": "pursue"},
            "**No niche is worth building for on this evidence, but one of 12 communities is worth pursuing.** The best lead is the",
        ),
        (
            {"archetype": "watch"},
            "**Nothing is clearly worth pursuing yet.** The best lead is the kind of community Engaged makers who pay",
        ),
        ({"niche": "watch", "community": "watch"}, "**Nothing is clearly worth pursuing yet.** The nearest is Fountain pen restorers"),
        ({"niche": "pursue", "community": "pursue"}, "**Look first at Fountain pen restorers.**"),
        ({}, "**On this evidence, nothing here is worth building for.**"),
    ],
)
def test_the_decision_names_the_best_lead_at_whatever_level(tmp_path: Path, of: dict[str, str], said: str) -> None:
    """Where niches have less to offer than kinds or single communities, the head names the best of those, and how weak it is."""
    text = report(tmp_path, verdicts(publication(), **of))
    assert said in text.partition("## The decision")[2].partition("\n## ")[0]
    assert ("## The best" in text) == ("The best lead" in said)


def test_a_single_community_is_a_weak_lead(tmp_path: Path) -> None:
    """Where the best lead is one community, the head tells its size, its need, and how easily one of many looks good."""
    text = report(tmp_path, verdicts(publication(), community="pursue"))
    assert "community r/place00: score 72 of 100, likely between 66 and 77, 100 people, of whom 31 ask for *a way to track" in text
    assert "That is a weak lead: one community is not a market, and among 12 some look good by chance." in text


def test_what_a_listing_cannot_tell_is_said_to_be_unknown(tmp_path: Path) -> None:
    """What no listed community could be measured for is named by what it would tell; what whole communities show is no comfort."""
    tables = publication()
    frame = tables["community_feature"]
    listed = frame["community_id"].isin([row["community_id"] for row in tables["community"] if row["coverage"] == "listing"])
    gone = listed & (frame["feature"] == "retention")
    frame.loc[gone, ["value", "low", "high"]], frame.loc[gone, "missing_reason"] = math.nan, "coverage: a listing"
    assert "Nothing is known there about whether people come back. Quiet questions are missing from it." in report(tmp_path, tables)
    assert unknown(["retention", "growth", "money"]) == "whether people come back and growth"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("table:/home/ana/secret/pages.parquet", "table:pages.parquet"),
        ("stackexchange_dump:/data/coffee/", "stackexchange_dump:coffee"),
        ("table:C:\\Users\\ana\\pages.csv", "table:pages.csv"),
        ("world:1", "world:1"),
        ("front pages", "front pages"),
        ("/srv/dump", "dump"),
    ],
)
def test_sources_are_named_without_their_folders(name: str, shown: str) -> None:
    """A report can be passed on: it tells a file's name and not where on the machine it lies."""
    assert source_name(name) == shown


def test_what_is_said_of_many_features_is_said_once() -> None:
    """Notes that repeat themselves feature by feature become one, others keep their words with the features' titles."""
    titles = {"growth": "growth of people", "pain": "share who report a pain", "lexical_diversity": "how varied the words are"}
    told = [
        *(
            "growth: measured in 0 of 50 communities; left out of the clustering.",
            "pain: 10 of 50 communities have no value; they take the median.",
        ),
        *("lexical_diversity: 5 of 50 communities have no value; they take the median.", "Too rough: share who report a pain."),
    ]
    assert notes("\n".join(told), titles) == [
        "Left out of the grouping, as too few communities have a value: growth of people.",
        "Too rough: share who report a pain.",
        "In 2 quantities up to 20 % of the communities have no value; the grouping takes the median there.",
    ]


def test_gaps_of_one_reason_stand_together() -> None:
    """Quantities missing equally often for the same reason are one row, and a bound is said as a bound."""
    rows = [("spend", 7, "small_n: 29 voters, 30 needed"), ("pain", 7, "small_n: 12 voters, 30 needed"), ("fit", 0, "no portfolio")]
    told = gaps([{"title": title, "measured": n, "communities": 9, "reason": reason} for title, n, reason in rows])
    assert [(row["titles"], row["measured"], row["reason"]) for row in told] == [
        ("spend; pain", 7, "fewer than 30 voters"),
        ("fit", 0, "no portfolio"),
    ]


def test_how_a_source_was_read_is_one_line() -> None:
    """A missing checksum is one clause; anything else that was doubtful keeps its reason."""
    assert (
        how({"status": "unverified", "reason": "1 of its files carry no checksum (the first is `x`)"})
        == "read to the end; no checksum proves it whole"
    )
    assert how({"status": "unverified", "reason": "7 posts are missing"}) == "read to the end, but not proven whole: 7 posts are missing"
    assert how({"status": "complete", "reason": ""}) == "read to the end"


def test_every_tier_has_words_and_a_licence_stands_beside_a_quote_only_where_it_must() -> None:
    """No tier's code is ever printed, and of terms only a Creative Commons licence is repeated at each quote."""
    assert {"T4", "T3", "SW", "T2", "T1", "W", "T0", "S", "N", "P"} == set(TIERS)
    assert [short_licence(text) for text in ("CC BY-SA; attribution: the site", "as the file's owner states", "")] == ["CC BY-SA", "", ""]
