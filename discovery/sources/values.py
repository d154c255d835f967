"""Cells of a table in our words: what CSV, JSON or Parquet gives for a name, an id, a text or a count goes in."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

from discovery.sources.columns import NONE
from discovery.sources.items import MalformedItemError
from discovery.sources.reddit_json import DELETED

NOTHING = frozenset({"", "nan", "NaN", "NA", "N/A", "<NA>", "null", "NULL", "None", "\\N"})
"""What programs write for no value; read as a name, it would be one very busy person."""
_TRUE = frozenset({"true", "t", "yes", "y", "1"})


def name(value: object) -> str | None:
    """One value as text, a whole number without its fraction; None where there is none.

    Raises:
        MalformedItemError: a list or an object.
    """
    if type(value) is not str:
        if isinstance(value, list | dict):
            raise MalformedItemError("a list or an object where one value belongs")
        if isinstance(value, float | Decimal) and value % 1 == 0:
            value = int(value)
        value = value.decode() if isinstance(value, bytes) else str(value)
    return None if value in NOTHING else value


def identifier(value: object) -> str | None:
    """An id as text; a number that a table wrote as a float is the number."""
    text = (name(value) or "").strip()
    return (text[:-2] if text.endswith(".0") and text[:-2].isdigit() else text) or None


def author(value: object) -> str | None:
    """Who wrote it; None where deleted or not said."""
    found = identifier(value)
    return None if found in DELETED else found


def words(value: object) -> str:
    """A text; none where it was deleted."""
    text = value if isinstance(value, str) else name(value)
    return "" if text is None or text in DELETED else text


def flag(value: object) -> bool:
    """Tell a yes in one of its forms."""
    return (identifier(value) or "").lower() in _TRUE


def count(value: Any, *, cell: str) -> int | None:
    """Whole number from a cell; None where it is empty.

    Raises:
        MalformedItemError: it is none.
    """
    if value is None or type(value) is int:
        return value
    if isinstance(value, bool) or (isinstance(value, str) and value.strip() in NOTHING):
        return None
    try:
        number = float(value)
    except ValueError:
        number = math.inf
    if math.isnan(number):
        return None
    if not number.is_integer():
        raise MalformedItemError(f"a {cell} that is no whole number (`{cell}={NONE}` leaves it out)")
    return int(number)
