"""What is printed: four forms of the same rows, none of which a terminal or a spreadsheet obeys."""

from __future__ import annotations

import csv
import io
import json
import math
import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from discovery.console import Format, Progress, show
from storage.reading import Answer
from storage.records import Tally

ROWS = Answer(
    ["name", "score", "communities", "url"], [("bees", 61.25, 12, None), ("ants | wasps", -3.5, 1_234, "https://a.example")], False
)
VECTORS = ["=1+1", "+1", "-1+cmd", "@SUM(A1)", "\t=1", "\r=1", "|calc", "＝1", "  =1", "\u00a0@x", "\ufeff=1", "'=1"]
CONTROLS = ["\x1b[31mred", "a\x9b2Jb", "\u202edesrever", "zero\u200bwidth", "\x07bell", "tag\U000e0041", "line\nbreak", "\x7f"]


def printed(answer: Answer, form: Format, capsys: pytest.CaptureFixture[str]) -> str:
    """Print rows and return standard output."""
    capsys.readouterr()
    show(answer, form=form, empty="Nothing here.")
    return capsys.readouterr().out


def test_json_is_the_rows(capsys: pytest.CaptureFixture[str]) -> None:
    """JSON is a list of objects with every value as it is."""
    assert json.loads(printed(ROWS, Format.json, capsys)) == [
        {"name": "bees", "score": 61.25, "communities": 12, "url": None},
        {"name": "ants | wasps", "score": -3.5, "communities": 1234, "url": "https://a.example"},
    ]


def test_csv_is_the_rows(capsys: pytest.CaptureFixture[str]) -> None:
    """CSV has a header and the rows; numbers stay numbers, negative ones too."""
    rows = list(csv.reader(io.StringIO(printed(ROWS, Format.csv, capsys), newline="")))
    assert rows == [
        ["name", "score", "communities", "url"],
        ["bees", "61.25", "12", ""],
        ["ants | wasps", "-3.5", "1234", "https://a.example"],
    ]


def test_tables_are_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    """A table and Markdown show four digits, nothing for what is missing, and as many cells as columns."""
    table, markdown = printed(ROWS, Format.table, capsys), printed(ROWS, Format.markdown, capsys)
    assert "61.25" in table
    assert "1234" in table
    assert "None" not in table + markdown
    assert [line.replace("\\|", "").count("|") for line in markdown.splitlines()] == [5, 5, 5, 5]


@pytest.mark.parametrize("form", list(Format))
def test_no_rows(form: Format, capsys: pytest.CaptureFixture[str]) -> None:
    """Without rows a table says so on standard error; the other forms can still be parsed and keep their header."""
    show(Answer(["a", "b"], [], False), form=form, empty="Nothing here.")
    said = capsys.readouterr()
    expected = {"table": "", "json": "[]\n", "csv": "a,b\r\n", "markdown": "| a | b |\n| --- | --- |\n"}
    assert said.out == expected[form]
    assert said.err == ("Nothing here.\n" if form is Format.table else "")


def test_columns_of_one_name_are_all_kept(capsys: pytest.CaptureFixture[str]) -> None:
    """A query may name two columns alike: JSON numbers the later ones."""
    found = json.loads(printed(Answer(["n", "n", "n"], [(1, 2, 3)], False), Format.json, capsys))
    assert found == [{"n": 1, "n_2": 2, "n_3": 3}]


@pytest.mark.parametrize("form", list(Format))
def test_values_without_a_word_for_them(form: Format, capsys: pytest.CaptureFixture[str]) -> None:
    """Bytes are shown as hex, infinities as nothing."""
    out = printed(Answer(["blob", "inf"], [(b"\x00\xff", math.inf)], False), form, capsys)
    assert "00ff" in out
    assert "inf" not in out.replace('"inf"', "").splitlines()[-1]


@pytest.mark.parametrize("vector", VECTORS)
def test_a_spreadsheet_runs_nothing(vector: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Text that a spreadsheet would run begins with an apostrophe, in cells and in the header."""
    rows = list(csv.reader(io.StringIO(printed(Answer([vector], [(vector,)], False), Format.csv, capsys), newline="")))
    assert [row[0] for row in rows] == ["'" + vector.removeprefix("'") if not vector.startswith("'") else vector] * 2


@pytest.mark.parametrize("form", [Format.table, Format.json, Format.markdown])
@pytest.mark.parametrize("vector", CONTROLS)
def test_a_terminal_obeys_nothing(vector: str, form: Format, capsys: pytest.CaptureFixture[str]) -> None:
    """No control character, nor one that hides or turns text around, reaches a terminal, from a cell or from a column's name."""
    out = printed(Answer([vector], [(vector,)], False), form, capsys)
    assert not [letter for letter in out if unicodedata.category(letter) in {"Cc", "Cf"} and letter != "\n"]


@given(cell=st.text(max_size=30))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_survives_json(cell: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever the text, JSON gives it back exactly."""
    assert json.loads(printed(Answer(["a"], [(cell,)], False), Format.json, capsys)) == [{"a": cell}]


def test_progress_without_a_terminal_is_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """Each stage is a line that begins and one that ends, without control characters; pages in between are silent."""
    progress = Progress()
    progress.stage("collect", "table:\x1b[2Jx")
    progress.collected("table:x", Tally(3, 3))
    progress.done("collect", "3 read")
    progress.close()
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(" ", 1)[1] for line in lines] == ["event='collect' about='table:[2Jx'", "event='collect done' about='3 read'"]
