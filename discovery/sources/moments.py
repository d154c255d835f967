"""A time as files write it goes in, seconds since 1970 UTC come out."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, tzinfo

from discovery.sources.items import MalformedItemError

_SCALES = ((10**17, 10**9), (10**14, 10**6), (10**11, 10**3))
"""From this size on, epoch numbers count nanoseconds, microseconds, milliseconds (seconds reach 10^11 in the year 5138)."""


def moment(value: object, zone: tzinfo = UTC) -> int:
    """Read a time: epoch seconds down to nanoseconds, ISO 8601, or a date's midnight.

    Args:
        value: Number, text, ``datetime`` or ``date``.
        zone: Zone of a time that names none; a number is UTC always.

    Raises:
        MalformedItemError: none of these.
    """
    if type(value) is int:
        return _seconds(value)
    if isinstance(value, str):
        return _written(value.strip(), zone)
    if isinstance(value, datetime):
        return int((value if value.tzinfo else value.replace(tzinfo=zone)).timestamp())
    if isinstance(value, date):
        return int(datetime.combine(value, time(), zone).timestamp())
    if isinstance(value, float):
        return _seconds(int(value))
    raise MalformedItemError("no time")


def _seconds(number: int) -> int:
    for least, scale in _SCALES:
        if number >= least:
            return number // scale
    return number


def _written(text: str, zone: tzinfo) -> int:
    compact_date = len(text) == 8 and text.isdigit()
    if not compact_date and text.replace(".", "", 1).isdigit():
        return _seconds(int(text.partition(".")[0] or 0))
    try:
        found = datetime.fromisoformat(text.removesuffix(" UTC") + ("+00:00" if text.endswith(" UTC") else ""))
    except ValueError:
        raise MalformedItemError("a time of unknown form") from None
    return int((found if found.tzinfo else found.replace(tzinfo=zone)).timestamp())
