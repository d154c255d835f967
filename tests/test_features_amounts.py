"""Amounts of money as people write them, and as nobody should read them."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discovery.features.amounts import Amount, amounts

MONTH, YEAR, WEEK, DAY, QUARTER = Fraction(1), Fraction(1, 12), Fraction(487, 112), Fraction(487, 16), Fraction(1, 3)


@pytest.mark.parametrize(
    ("text", "currency", "cents", "months", "seat"),
    [
        ("I pay $40/month for this", "USD", 4_000, MONTH, False),
        ("1,200 EUR a year", "EUR", 120_000, YEAR, False),
        ("£5 per seat per month", "GBP", 500, MONTH, True),
        ("£5 per month per seat", "GBP", 500, MONTH, True),
        ("$9.99/user/mo", "USD", 999, MONTH, True),
        ("paid $12 for the pro version", "USD", 1_200, None, False),
        ("my company spends $3k a year on licences", "USD", 300_000, YEAR, False),
        ("200 usd per month", "USD", 20_000, MONTH, False),
        ("EUR 15 monthly", "EUR", 1_500, MONTH, False),
        ("€1.200,50 a year", "EUR", 120_050, YEAR, False),
        ("12,50 € a month", "EUR", 1_250, MONTH, False),
        ("$234,567.5 a year", "USD", 23_456_750, YEAR, False),
        ("30 bucks a month", "USD", 3_000, MONTH, False),
        ("ten or so, 8 quid a week", "GBP", 800, WEEK, False),
        ("$2 a day", "USD", 200, DAY, False),
        ("$90 per quarter", "USD", 9_000, QUARTER, False),
        ("$40 CAD per month", "CAD", 4_000, MONTH, False),
        ("C$40 per month", "CAD", 4_000, MONTH, False),
        ("US$ 40 / yr", "USD", 4_000, YEAR, False),
        ("an annual plan for $120", "USD", 12_000, YEAR, False),
        ("our monthly bill is now £30.", "GBP", 3_000, MONTH, False),
        ("$40 every month", "USD", 4_000, MONTH, False),
        ("$40.", "USD", 4_000, None, False),
        ("$40, then nothing a month", "USD", 4_000, None, False),
        ("$40 every 3 months", "USD", 4_000, None, False),
        ("$10k", "USD", 1_000_000, None, False),
    ],
)
def test_plain_amounts(text, currency, cents, months, seat):
    """Sign or code before or after, either writing of numbers, the period beside it or just before it, the seat on either side."""
    assert list(amounts(text)) == [Amount(currency, cents, months, seat)]


@pytest.mark.parametrize(
    "text",
    [
        "$10-20 a month", "$10 - $20 a month", "10 to 20 dollars a month", "10–20 usd a month", "between $10 or $20 a month",
        "$10 off a month", "saved $40 a month", "saves us about $40 a month", "$1.200 a month", "1.200 EUR a year",
        "$40m a year", "$4 million", "$40% a month", "$0 a month", "$0.00", "NZ $", "R$40 a month", "HK$40", "¥400 a month", "40 a month",
        "$٤٠ a month", "$4٠ a month", "$４０ a month", "$1234567890 a month", "$" + "9" * 5_000,
        "$1,234,567 a year", "$1,23 4", "$12,34,567", "$1.2.3", "v$40x", "",
        "x40 usd", "1e9 usd", "$-40", "poundſ", "40 poundſ",
    ],
)  # fmt: skip
def test_what_is_not_plain_is_left_unread(text):
    """Ranges, discounts, two readings, millions, zero, other currencies, other scripts' digits, endless numbers: no amount, no error."""
    assert [amount.monthly for amount in amounts(text) if amount.monthly] == []


def test_a_month_of_each_period():
    """A year is twelve months, a quarter three, a week 487/112 of one and a day 487/16, in whole cents."""
    said = "$120 a year, $90 a quarter, $10 a week, $1 a day, $40 a month, $7"
    assert [amount.monthly for amount in amounts(said)] == [1_000, 3_000, 4_348, 3_044, 4_000, None]


@given(st.text(alphabet="$€£₹0123456789.,-–k /aermonthusdperKſ\n٤４", max_size=60))
def test_any_text_is_read_without_an_error(text):
    """Whatever stands there, what comes out is positive, bounded and of a known currency."""
    for amount in amounts(text):
        assert 0 < amount.cents <= 100_000_000
        assert len(amount.currency) == 3
