"""What a report decides, on what, and how sure it is: the decision first, every case whole, nothing promised that was not found."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import pytest

from scoring.report import write_report
from scoring.report.words import (
    unknown,
)
from tests.publication import FEATURES, publication, published
from tests.report_pages import report


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the ordinary publication."""
    folder = tmp_path_factory.mktemp("report")
    return write_report(published(folder / "results.db"), folder / "reports")


def verdicts(tables: dict[str, Any], **of: str) -> dict[str, Any]:
    """Give the first of each kind a verdict and all others another: ``niche="shallow", community="pursue"``."""
    seen = set()
    for row in tables["score"]:
        row["verdict"] = "shallow" if row["entity"] in seen else of.get(row["entity"], "shallow")
        seen.add(row["entity"])
    return tables


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
    assert "Source front pages could not be used whole: connection lost." in decision
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
    assert "1 community stands apart from all others and was left out of the groups:\n" in method
    assert re.search(r"\| \[r/place10\]\(.*\) \| 2\. Busy question desks \|", method)


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


@pytest.mark.parametrize("structure", ["clusters", "segments", "none", "too_few"])
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


def test_a_few_peoples_wish_is_not_the_need(written: Path, tmp_path: Path) -> None:
    """What two people ask for is told as heard from a few, and stands neither in the table nor at the head."""
    tables = publication()
    for row in tables["need"]:
        row["authors"] = 2
    text = report(tmp_path, tables)
    assert "people ask there for" not in text
    assert "- **The need:** none that enough people share; heard from a few: " in text
    assert "- **The need:** a way to track ink number 0 (31 people" in (written / "report.md").read_text()


def test_every_community_has_a_case_of_its_own(tmp_path: Path) -> None:
    """Where communities lead, no two are argued against by one template with other figures."""
    text = report(tmp_path, publication(communities=4, structure="too_few"))
    cases = [re.sub(r"\d[\d,.]*", "#", case) for case in re.findall(r"\*\*The case against:\*\* (.+)", text)]
    assert len(set(cases)) == len(cases) > 1
