"""What the tests of the report share: hostile texts, a reader of pages, reports of made-up publications."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from scoring.report import write_report
from tests.publication import published

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


def report(tmp_path: Path, tables: dict[str, Any], *, invented: bool = False) -> str:
    """Write a report and return its Markdown."""
    path = published(tmp_path / "results.db", tables=tables, invented=invented)
    return (write_report(path, tmp_path / "reports") / "report.md").read_text()


def rows_and_cells(text: str) -> list[int]:
    """Cells of each table row of a Markdown text, by unescaped pipes."""
    return [len(re.findall(r"(?<!\\)\|", line)) for line in text.splitlines() if line.startswith("|")]
