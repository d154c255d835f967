"""A time as files write it goes in, seconds since 1970 UTC come out."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, tzinfo
from decimal import Decimal

from discovery.sources.items import MalformedItemError

_SCALES = ((10**17, 10**9), (10**14, 10**6), (10**11, 10**3))
"""From this size on, epoch numbers count nanoseconds, microseconds, milliseconds (seconds reach 10^11 in the year 5138)."""
_LEAST = 10**8
"""A smaller number is no time (it would be before March 1973): eight digits are a date, fewer count something else."""


def moment(value: object, zone: tzinfo = UTC) -> int:
    """Read a time: epoch seconds down to nanoseconds, ISO 8601, or a date's midnight.

    Args:
        value: Number, text, ``datetime`` or ``date``.
        zone: Zone of a time that names none; a number is UTC always.

    Raises:
        MalformedItemError: none of these.
    """
    if type(value) is int:
        return _seconds(value, zone)
    if isinstance(value, str):
        return _written(value.strip(), zone)
    if isinstance(value, datetime):
        return int((value if value.tzinfo else value.replace(tzinfo=zone)).timestamp())
    if isinstance(value, date):
        return int(datetime.combine(value, time(), zone).timestamp())
    if isinstance(value, float | Decimal):
        return _seconds(int(value), zone)
    raise MalformedItemError("no time")


def _seconds(number: int, zone: tzinfo) -> int:
    if number < _LEAST:
        if number < _LEAST // 10:
            raise MalformedItemError("a number too small for a time")
        return _iso(str(number), zone)
    for least, scale in _SCALES:
        if number >= least:
            return number // scale
    return number


def _written(text: str, zone: tzinfo) -> int:
    if text.replace(".", "", 1).isdigit():
        return _seconds(int(text.partition(".")[0] or 0), zone)
    return _iso(text.removesuffix(" UTC") + ("+00:00" if text.endswith(" UTC") else ""), zone)


def _iso(text: str, zone: tzinfo) -> int:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise MalformedItemError("a time of unknown form") from None
    return int((found if found.tzinfo else found.replace(tzinfo=zone)).timestamp())
