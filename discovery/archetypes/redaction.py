"""Redaction: what could lead to a person is replaced word by word before a text is shown or sent anywhere.

A text becomes its words, separated by single spaces; a word that touches something private becomes a marker such as
``[mail]``, and neighbours of the same kind share one marker. It errs towards hiding.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from storage.harmless import LINK, MARKUP, visible


class Word(NamedTuple):
    """A word as it may be shown, with its place in the text; ``start`` and ``end`` slice the original."""

    shown: str
    start: int
    end: int


KINDS = ("markup", "number", "phone", "ip", "handle", "address", "iban", "card", "secret", "link", "mail")
"""What is hidden; where two claim the same word, the later one names it."""

_TOP_LEVEL = (
    r"com|org|net|io|dev|app|ai|co|info|edu|gov|gg|tv|ly|uk|de|fr|nl|eu|ru|ch|se|es|pl|jp|cn|au|ca|br|xyz|shop|store|site|online|club|blog"
)
_AT = r"(?:@|\s?[\[({]\s?at\s?[\])}]\s?|\s+at\s+)"
_DOT = r"(?:\.|\s?[\[({]\s?dot\s?[\])}]\s?|\s+dot\s+)"
_STREET = r"street|st|avenue|ave|road|rd|boulevard|blvd|lane|ln|drive|dr|court|ct|square|sq|terrace|way"

_MESSENGER = r"discord|telegram|insta(?:gram)?|ig|snap(?:chat)?|skype|whatsapp|signal|kik|wechat"

_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        ("mail", r"[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"),
        ("mail", rf"[\w.+%-]{{1,64}}{_AT}[\w-]{{1,63}}{_DOT}(?:{_TOP_LEVEL})\b"),
        ("markup", MARKUP),
        ("link", LINK),
        ("link", rf"\b(?:[a-z0-9][a-z0-9-]{{0,62}}\.){{1,8}}(?:(?:{_TOP_LEVEL})(?:[/:?#]\S*|\b(?!\.\w))|(?:me|in|it|no|us|be|at)/\S+)"),
        ("handle", r"(?<![\w/])@[\w.-]{2,}|(?<!\w)/?(?:u|user)/[\w-]{2,}|\b[\w.]{2,32}#\d{4}\b"),
        ("handle", rf"\b(?:{_MESSENGER})(?:\s+(?:is|id|name|handle|me))?\s*[:=]\s*\S+"),
        ("iban", r"\b[A-Z]{2}\d{2}(?:\s?[A-Z0-9]{4}){2,7}(?:\s?[A-Z0-9]{1,4})?\b"),
        ("number", r"\b\d{3}-\d{2}-\d{4}\b"),
        ("secret", r"\b(?:sk|pk|ghp|gho|xox[abp]|AKIA|AIza)[-_A-Za-z0-9]{12,}|\b(?:0x)?[0-9a-f]{32,}\b"),
        ("secret", r"\b(?:bc1|[13])(?=[a-z]*\d)[a-km-zA-HJ-NP-Z1-9]{25,60}\b"),
        ("address", rf"\b\d{{1,5}}[a-z]?\s+(?:[\w'’.-]{{1,40}}\s+){{1,3}}(?:{_STREET})\b"),
        ("address", r"\b[\w'’-]{1,40}(?:stra(?:ß|ss)e|str\.|gasse|weg|platz)\s+\d{1,4}[a-z]?\b"),
    )
)
_DIGITS = re.compile(r"(?<![\w.,$€£-])(?:\+|00|\()?\d(?:[\s().\-–/]{0,2}\d){6,22}(?![\w%])(?![.,]\d)")
_ADDRESS_V4 = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d]|\.\d)")
_ADDRESS_V6 = re.compile(r"(?<![\w:])[0-9a-f:.]{2,45}(?![\w:])", re.IGNORECASE)
_DATE = re.compile(r"(?:19|20)\d\d([-/.\s])\d{1,2}\1\d{1,2}|\d{1,2}([-/.])\d{1,2}\2(?:19|20)\d\d|(?:19|20)\d\d\s?[-–/]\s?(?:19|20)\d\d")


def words(text: str) -> list[Word]:
    """Split a text into words as they may be shown."""
    text = visible(text)
    marks = bytearray(len(text))
    for start, end, kind in _private(text):
        marks[start:end] = bytes([KINDS.index(kind) + 1]) * (end - start)
    found = [(max(marks[match.start() : match.end()]), match) for match in re.finditer(r"\S+", text)]
    shown: list[Word] = []
    for mark, group in groupby(found, key=lambda item: item[0]):
        matches = [match for _, match in group]
        if mark == 0:
            shown += [Word(match.group(), match.start(), match.end()) for match in matches]
        else:
            shown.append(Word(f"[{KINDS[mark - 1]}]", matches[0].start(), matches[-1].end()))
    return shown


def redact(text: str) -> str:
    """Give a text as it may be shown: single spaces, markers for what is private."""
    return " ".join(word.shown for word in words(text))


def _private(text: str) -> Iterator[tuple[int, int, str]]:
    for kind, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            yield match.start(), match.end(), kind
    for match in _ADDRESS_V4.finditer(text):
        if _is_address(match.group()):
            yield match.start(), match.end(), "ip"
    for match in _ADDRESS_V6.finditer(text):
        if match.group().count(":") >= 2 and _is_address(match.group()):
            yield match.start(), match.end(), "ip"
    for match in _DIGITS.finditer(text):
        if number := _number_kind(match.group()):
            yield match.start(), match.end(), number


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return text not in {"::"}


def _number_kind(text: str) -> str | None:
    """Tell a card from a telephone number from a harmless number (a date, a span of years)."""
    digits = re.sub(r"\D", "", text)
    if len(digits) >= 13 and _luhn(digits):
        return "card"
    bare = text.strip().isdigit() and len(digits) < 9 and not text.startswith("00")  # a count, not a number to call
    dated = len(re.sub(r"\D", "", _DATE.sub(" ", text))) < 7 and not text.startswith("+")
    return None if bare or dated or len(digits) > 15 else "phone"


def _luhn(digits: str) -> bool:
    doubled = [int(digit) * (1 + position % 2) for position, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0
