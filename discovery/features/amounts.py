"""Amounts of money in text: currency, number, period, per seat. Strings in, amounts out; what is not plain is left unread.

A range names no amount, nor does a discount; "1.200" is a thousand to one reader and one to another; digits of other scripts and
numbers of ten digits and more are not read. A bare "$" is taken for the US dollar, which also other countries write so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

MOST_CENTS = 100_000_000
"""A million a month: above, it is no price of a product."""
_SIGNS = {"$": "USD", "US$": "USD", "C$": "CAD", "CA$": "CAD", "A$": "AUD", "AU$": "AUD", "NZ$": "NZD", "£": "GBP", "€": "EUR", "₹": "INR"}
_CODES = ("USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN", "GBP", "EUR", "INR", "CHF")
_NAMES = {"dollar": "USD", "buck": "USD", "pound": "GBP", "quid": "GBP", "euro": "EUR", "rupee": "INR"}
_YEAR = Fraction(1, 12)
_MONTHS = {"d": Fraction(487, 16), "w": Fraction(487, 112), "m": Fraction(1), "q": Fraction(1, 3), "y": _YEAR, "a": _YEAR}
"""Times a month holds the period, by its first letter; a year is 365.25 days."""

_NUMBER = r"[0-9]{1,3}(?:,[0-9]{3}){1,2}(?:\.[0-9]{1,2})?|[0-9]{1,3}(?:\.[0-9]{3}){1,2},[0-9]{1,2}|[0-9]{1,9}(?:[.,][0-9]{1,2})?"
_WHOLE = r"(?![.,]?\d)(?:\s?k\b)?(?!\s?(?:%|m|mn|million|b|bn|billion)\b|%)"
_SIGN = "|".join(re.escape(sign) for sign in sorted(_SIGNS, key=len, reverse=True))
_CODE = "|".join(_CODES)
_EACH = r"\s{0,2}(?:/|\b(?:a|an|per|each|every)\s)\s?"
_SEAT = rf"{_EACH}(?:seat|user|person|head|employee|device|developer|agent|member)\b"
_LY = r"daily|weekly|monthly|quarterly|yearly|annual(?:ly)?"
_PERIOD = rf"{_EACH}(?P<period>day|week|wk|month|mth|mo|quarter|year|yr|annum)s?\b|\s(?P<ly>{_LY})\b"
_AMOUNT = re.compile(
    rf"""
    (?:(?<!\w)(?P<sign>{_SIGN})\s?|(?<!\w)(?P<code>{_CODE})\s?|(?<![\w.,$€£₹-])(?P<least>[0-9][0-9.,]{{0,11}}\s?(?:-|–|—|to\b|or\b)\s?)?)
    (?P<number>(?:{_NUMBER}){_WHOLE})
    (?P<most>\s?(?:-|–|—|to\s|or\s)\s?[$€£₹]?[0-9][0-9.,]{{0,11}})?
    (?:\s?(?P<unit>(?:{_CODE})\b|(?:dollar|buck|pound|euro|rupee)s?\b|quid\b|[€£]))?
    (?P<off>\s(?:off|discount|less|more|extra|cheaper|back|credit)\b)?
    (?P<seat>{_SEAT})?(?:{_PERIOD})?(?P<seat_after>{_SEAT})?
    """,
    re.IGNORECASE | re.VERBOSE,
)
_BEFORE = re.compile(rf"\b({_LY})\b[^0-9]{{0,25}}$", re.IGNORECASE)
_SAVED = re.compile(r"\bsav(?:e[sd]?|ing)\s(?:\w{1,12}\s){0,2}$", re.IGNORECASE)


class Amount(NamedTuple):
    """An amount that somebody names."""

    currency: str
    cents: int
    """Hundredths of the currency, per period."""
    months: Fraction | None
    """Times a month holds the period; None where no period is named."""
    seat: bool
    """It is the price of one seat, user or device."""

    @property
    def monthly(self) -> int | None:
        """Hundredths of the currency a month; None where no period is named."""
        return None if self.months is None else round(self.cents * self.months)


def amounts(text: str) -> Iterator[Amount]:
    """Yield the amounts that a text names plainly, in order."""
    for found in _AMOUNT.finditer(text):
        currency = _currency(found)
        refused = found["least"] or found["most"] or found["off"] or _SAVED.search(text, max(0, found.start() - 40), found.start())
        cents = _cents(found["number"])
        if currency and not refused and 0 < cents <= MOST_CENTS:
            period = found["period"] or found["ly"]
            if period is None and (before := _BEFORE.search(text, max(0, found.start() - 40), found.start())):
                period = before[1]
            yield Amount(currency, cents, _MONTHS[period[0].lower()] if period else None, bool(found["seat"] or found["seat_after"]))


def _currency(found: re.Match[str]) -> str | None:
    """Tell the currency; what is written after the number is closer than the sign before it."""
    unit = (found["unit"] or "").upper()
    if unit:
        return unit if unit in _CODES else _SIGNS.get(unit) or _NAMES.get(unit.lower().removesuffix("s"))
    return found["code"].upper() if found["code"] else _SIGNS.get((found["sign"] or "").upper())


def _cents(number: str) -> int:
    """Read a number in either writing: a comma or point before one or two last digits is the decimal one."""
    figures = number.lower().replace(" ", "").removesuffix("k").strip()
    decimal = re.search(r"[.,]([0-9]{1,2})$", figures)
    whole = re.sub(r"[.,]", "", figures[: decimal.start()] if decimal else figures)
    cents = int(whole) * 100 + (int(decimal[1].ljust(2, "0")) if decimal else 0)
    return cents * 1_000 if number[-1].lower() == "k" else cents
