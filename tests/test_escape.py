"""Foreign text in links and spreadsheets; in Markdown and pages it is tested with the report."""

from __future__ import annotations

import pytest

from scoring.escape import csv_cells, https_address, markdown_link


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://forum.example.org/t/12?page=2#a", "https://forum.example.org/t/12?page=2#a"),
        ("https://example.org:8443/ü (1)", None),
        ("https://example.org/ü(1)", "https://example.org/%C3%BC%281%29"),
        ("https://example.org/a|b`c<d>", "https://example.org/a%7Cb%60c%3Cd%3E"),
        ("http://example.org/", None),
        ("javascript:alert(1)", None),
        ("https://user@example.org/", None),
        ("https://exa\u202emple.org/", None),
        ("https://example.org:99999/", None),
        ("https://[::1", None),
        ("https://", None),
        ("https:///path", None),
        ("https://example.org\\@evil.example", None),
        (" https://example.org", None),
        (None, None),
    ],
)
def test_only_plain_https_becomes_a_link(url: str | None, address: str | None) -> None:
    """A link is https with a host, without credentials, and its characters cannot end it; else the text stands alone."""
    assert https_address(url) == address
    assert markdown_link("x", url) == (f"[x](<{address}>)" if address else "x")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "|calc", "＝1", "\n=1", "\u00a0=1"])
def test_formulas_are_disarmed(text: str) -> None:
    """Text that a spreadsheet would run gets an apostrophe; taking it away gives the text back."""
    assert csv_cells([text]) == [f"'{text}"]


def test_numbers_stay_numbers() -> None:
    """Negative numbers, ordinary text and gaps pass unchanged."""
    values = [-1.5, -3, 0, None, "a=b", "3-4", "", "r/place"]
    assert csv_cells(values) == values
