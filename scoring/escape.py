"""Foreign text made harmless for where it is shown: a terminal, Markdown, a link, a spreadsheet.

Names, words, needs and quotes of communities flow in; text that shows as itself and does nothing flows out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from urllib.parse import quote, urlsplit

MARKUP = re.compile(r"[\\`*_\[\]<>#|~&!$]|(?<=\b[Ww][Ww][Ww])\.|:(?=//)")
"""What could mark up text anywhere, make a bare address a link included."""
OPENING = re.compile(r"^(?:([-+=]+)(?=\s|$)|(\d+)([.)])(?=\s|$))")
"""What would start a list, a heading or a rule at the beginning of a line."""
FORMULA = tuple("=+-@|\t\r\0＝＋－＠")
DANGEROUS_HOST = re.compile(r"[^A-Za-z0-9.:\[\]-]")


class Markdown(str):
    """Text that is Markdown already: our own, or escaped. Everything else is escaped where it enters the report."""

    __slots__ = ()


def terminal_text(text: str) -> str:
    """Show text on one line as itself: without control characters, and without what reverses, hides or fakes text.

    Surrogates and characters for private use go too; tabs and line ends become spaces.
    """
    spaced = re.sub(r"[\s\x1c-\x1f\x85\u2028\u2029]+", " ", text)
    return "".join(letter for letter in spaced if unicodedata.category(letter) not in {"Cc", "Cf", "Cs", "Co", "Cn"}).strip()


def markdown_text(text: str) -> Markdown:
    """Escape text so that Markdown shows it as it is, on one line, in a paragraph, a list item, a quote or a table cell."""
    escaped = MARKUP.sub(lambda found: f"\\{found[0]}", terminal_text(text))
    return Markdown(OPENING.sub(lambda found: f"\\{found[1]}" if found[1] else f"{found[2]}\\{found[3]}", escaped))


def markdown_cell(text: str) -> Markdown:
    """Escape text for one cell of a Markdown table; an empty cell stays a cell."""
    return markdown_text(text) or Markdown(" ")


def markdown_link(text: str, url: str | None) -> Markdown:
    """Link escaped text to a page, or give the text alone where the address is not a plain https one."""
    shown = markdown_text(text)
    address = https_address(url)
    return Markdown(f"[{shown}](<{address}>)") if address and shown else shown


def https_address(url: str | None) -> str | None:
    """Return an address that is https, names a host, carries no credentials and no character with a meaning elsewhere; else None."""
    if url is None or not url.startswith("https://") or any(ord(letter) < 0x21 or letter == "\\" for letter in url):
        return None
    try:
        parts = urlsplit(url)
        host = parts.hostname
        parts.port  # noqa: B018 - reading it is the check
    except ValueError:
        return None
    if not host or "@" in parts.netloc or DANGEROUS_HOST.search(parts.netloc):
        return None
    return quote(terminal_text(url), safe="%/:?#[]@!$&*+,;=-._~")


def csv_cells(values: Iterable[object]) -> list[object]:
    """Keep a spreadsheet from running text as a formula: such text gets a leading apostrophe. Numbers stay numbers, None an empty cell."""
    return [_csv_cell(value) for value in values]


def _csv_cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    opening = value.lstrip(" \u00a0\u3000\ufeff\n")
    return f"'{value}" if opening.startswith(FORMULA) else value
