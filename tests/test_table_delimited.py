"""Tables as programs write and break them: encodings, quotes, headers, line ends and bad rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from discovery.sources import SourceError
from tests.table_pages import one, partial, read


def test_a_cell_is_never_a_link(tmp_path: Path) -> None:
    """An address in a table may hold a name or worse, so a record of an unknown platform has none."""
    assert one(tmp_path, url="https://example.org/@secretname", id=1).url is None


def test_bad_rows_are_quarantined(tmp_path: Path) -> None:
    """Short rows, foreign bytes, no time, no community, endless cells: each is one item with its reason, and the rest is read."""
    good = "bees,2020-01-01,hi\n"
    bad = ["bees,2020-01-01\n", "bees,soon,hi\n", ",2020-01-01,hi\n", f"bees,2020-01-01,{'x' * (1 << 20)}\n", "bees,2020-01-01,\udcff\n"]
    text = "community,date,text\n" + "".join(good + each for each in bad) + good
    (tmp_path / "t.csv").write_bytes(text.encode("utf-8", "surrogateescape"))
    page = read(tmp_path)
    assert len(page.records) == len(bad) + 1
    reasons = [item.reason for item in page.quarantined]
    form = "a time of unknown form (if it is none: map created_at; if it has its own form: give it as time_format)"
    assert reasons[:3] == ["2 cells where the header has 3", form, "no community"]
    assert reasons[3:] == ["a cell longer than 1048576 bytes", "bytes that are not utf-8: save the file as UTF-8, or name its encoding"]
    assert page.fetched == len(page.records) + len(page.quarantined)


def test_a_bad_row_is_found_by_its_line(tmp_path: Path) -> None:
    """The header is line 1, and a quoted cell may hold many lines."""
    (tmp_path / "t.csv").write_bytes(b'community,created_at,text\nbees,2020-01-01,"x\ny\nz"\nbees,never,x\n')
    page = read(tmp_path)
    assert [bad.position for bad in page.quarantined] == ["t.csv:5"]
    assert len(page.records) == 1


def test_a_quote_that_is_never_closed_is_no_text(tmp_path: Path) -> None:
    """Rows that an open quote swallows do not become words of one record in silence."""
    (tmp_path / "t.csv").write_bytes(b'community,created_at,text\nbees,2020-01-01,fine\nbees,2020-01-02,"open\nbees,2020-01-03,lost\n')
    (tmp_path / "u.csv").write_bytes(b"community,created_at,text\nbees,2020-01-04,next\n")
    records, quarantined = partial(tmp_path, r"the first is `t.csv`: a quote that opens on line 3 is never closed")
    assert [record.text for record in records] == ["fine", "next"]
    assert quarantined == []


def test_the_line_of_an_open_quote_is_its_own(tmp_path: Path) -> None:
    """The line is where the quote opens, not where its row begins; and a MiB of lines in one cell is no text either."""
    (tmp_path / "t.csv").write_bytes(b'community,created_at,title,text\nbees,2020-01-02,"a\nb","open\nbees,2020-01-03,lost,lost\n')
    partial(tmp_path, "a quote that opens on line 3 is never closed")
    (tmp_path / "t.csv").write_bytes(b'community,created_at,text\nbees,2020-01-02,"open\n' + b"bees,2020-01-03,lost\n" * 60_000)
    assert partial(tmp_path, "a quote in the row of line 2 is not closed for 1048576 bytes") == ([], [])


def test_lines_that_end_with_cr_alone_are_an_error_with_a_remedy(tmp_path: Path) -> None:
    """A table of an old Mac is named as what it is."""
    (tmp_path / "t.csv").write_bytes(b"community,created_at\rbees,1\rbees,2\r")
    with pytest.raises(SourceError, match=r"a CR .* as a line's only end\. Save it again with LF"):
        read(tmp_path)


def test_excels_own_dialect(tmp_path: Path) -> None:
    """Excel may say the delimiter before the header, and break a line inside a name of a column."""
    (tmp_path / "t.csv").write_bytes(
        b'\xef\xbb\xbfsep=;\r\nforum;date;"the\ntext, all";likes\r\na;2020-01-01;"x;\r\ny";2\r\na;never;x;\r\n'
    )
    page = read(tmp_path, "?text=the%0Atext, all")
    assert [(record.text, record.score) for record in page.records] == [("x;\r\ny", 2)]
    assert [bad.position for bad in page.quarantined] == ["t.csv:6"]


def test_blank_lines_before_the_header(tmp_path: Path) -> None:
    """A table that begins with an empty line is not an empty table."""
    (tmp_path / "t.csv").write_bytes(b"\n\r\nforum,date\na,2020-01-01\n")
    assert len(read(tmp_path).records) == 1


def test_another_encoding_is_read_when_named(tmp_path: Path) -> None:
    """Rows that are not UTF-8 are told as such, one by one; with their encoding named they are read."""
    (tmp_path / "t.csv").write_bytes("forum;date;text\na;2020-01-01;schön\na;2020-01-01;gut\n".encode("cp1252"))
    page = read(tmp_path)
    assert [record.text for record in page.records] == ["gut"]
    assert [bad.position for bad in page.quarantined] == ["t.csv:2"]
    assert [record.text for record in read(tmp_path, "?encoding=cp1252").records] == ["schön", "gut"]


@pytest.mark.parametrize("cell", ["community", "author", "id", "text", "parent"])
@pytest.mark.parametrize("value", [["bees"], {"name": "bees"}])
def test_lists_and_objects_are_no_cells(tmp_path: Path, cell: str, value: object) -> None:
    """What holds several values is not turned into the name of one."""
    with pytest.raises(SourceError, match="a list or an object where one value belongs"):
        one(tmp_path, **{cell: value})
