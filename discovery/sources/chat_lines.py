"""Lines of chat logs as clients and bots write them go in; what they are comes out: a message, a notice, a new day, or none of these.

A file is read in one style throughout, told by its first line that has one, so that a log pasted into a message stays text.
Known are ``[time] <nick> text`` (ZNC, mIRC, eggdrop, energymech, Gitter), ``time <nick> text`` (irssi, supybot, meetbot),
``time TAB nick TAB text`` (WeeChat) and ``month day time <nick> TAB text`` (HexChat, XChat).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAY = re.compile(
    r"(?:--- (?:Log opened|Day changed)|Session Start:|\*{4} BEGIN LOGGING AT|\[\d\d:\d\d(?::\d\d)?\] ---) (?:\w{3} )?"
    rf"(?P<month>{'|'.join(_MONTHS)}) +(?P<day>\d{{1,2}})(?: \d\d:\d\d(?::\d\d)?)? (?P<year>\d{{4}})"
)
_ASIDE = re.compile(r"--- Log closed |\*{4} ENDING LOGGING AT |Session (?:Close|Ident|Time): ")
_TIME = r"(?P<time>\d\d:\d\d(?::\d\d)?)"
_DATED = r"(?P<date>\d{4}-\d\d-\d\d)[ T](?P<time>\d\d:\d\d(?::\d\d)?(?:\.\d{1,6})?(?:Z|[+-]\d\d:?\d\d)?)"
"""A time may name its zone."""
_SAID = r"<[ @+%&~!]?(?P<nick>[^>\s]+)>[ \t]?(?P<text>.*)"
"""A nick may bear the mark of its rank, which is no part of it."""
_TOLD = (
    r"(?P<notice>(?:\*+|---|-!-|===|-\S+-) .*|(?:Action|Nick change): .*|Topic changed .*|\S+ \(\S*\) (?:joined|left|got) .*"
    r"|#\S+: mode change .*|\S+ kicked from .*)"
)
_TABBED = r"\t(?:(?:-->|<--|--|=!=| ?\*)\t(?P<notice>.*)|[@+%&~!]?(?P<nick>[^\t\s]+)\t(?P<text>.*))"
_YEARLESS = rf"(?P<month>{'|'.join(_MONTHS)}) (?P<day>\d\d) {_TIME} "
_STYLES = (
    (re.compile(rf"\[{_DATED}\] ".encode()), re.compile(rf"\[{_DATED}\] (?:{_SAID}|{_TOLD})", re.DOTALL)),
    (re.compile(rf"\[{_TIME}\] ".encode()), re.compile(rf"\[{_TIME}\] (?:{_SAID}|{_TOLD})", re.DOTALL)),
    (re.compile(rf"{_DATED}\t".encode()), re.compile(rf"{_DATED}{_TABBED}", re.DOTALL)),
    (re.compile(rf"{_DATED} +[<*-]".encode()), re.compile(rf"{_DATED} +(?:{_SAID}|{_TOLD})", re.DOTALL)),
    (re.compile(_YEARLESS.encode()), re.compile(rf"{_YEARLESS}(?:\*\t(?P<notice>.*)|{_SAID})", re.DOTALL)),
    (re.compile(rf"{_TIME} +(?:[<*-]|===)".encode()), re.compile(rf"{_TIME} +(?:{_SAID}|{_TOLD})", re.DOTALL)),
)
"""How a line of each style begins, and how it goes on."""
FULL = 0
"""Style of the logs that Gitter's are published in."""


class Line(NamedTuple):
    """What a line holds. ``nick`` and ``text`` of a message, ``notice`` of a notice, ``day`` of a line that begins one."""

    style: int | None = None
    date: str | None = None
    time: str = ""
    nick: str | None = None
    text: str = ""
    notice: str = ""
    day: str | None = None


def begun(line: bytes, style: int | None) -> int | None:
    """Style of a line that begins something in a file of this style, or in one whose style is not known yet."""
    if style is not None:
        return style if _STYLES[style][0].match(line) else None
    return next((number for number, (begins, _) in enumerate(_STYLES) if begins.match(line)), None)


def aside(line: str) -> bool:
    """Tell a line that the client wrote about the log itself."""
    return _DAY.match(line) is not None or _ASIDE.match(line) is not None


def parsed(text: str, style: int | None, *, today: str) -> Line | None:
    """Read a message with the lines that belong to it, or a notice; None if it is neither.

    Args:
        text: The lines.
        style: The style of their file.
        today: Day of the line before, as far as it is known: a date without a year is the next such day.
    """
    if found := _DAY.match(text):
        return Line(day=f"{found['year']}-{_MONTHS.index(found['month']) + 1:02}-{int(found['day']):02}")
    if _ASIDE.match(text):
        return Line()
    if style is None or not (found := _STYLES[style][1].fullmatch(text)):
        return None
    said = found.groupdict()
    return Line(
        style,
        said.get("date") or _next(said, today),
        said["time"],
        said["nick"],
        said["text"] or "",
        (said["notice"] or "").lstrip("*-!= "),
    )


def _next(said: Mapping[str, str], today: str) -> str | None:
    """Day that a month and a day mean on a day or after it; None where a line says neither."""
    if "month" not in said or not today:
        return None
    date = f"{_MONTHS.index(said['month']) + 1:02}-{said['day']}"
    return f"{int(today[:4]) + (date < today[5:])}-{date}"
