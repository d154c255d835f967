"""Times as files write them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from discovery.sources.items import MalformedItemError
from discovery.sources.moments import moment

NOON = 1_577_880_000
"""2020-01-01 12:00:00 UTC."""


@pytest.mark.parametrize(
    "value",
    [
        NOON,
        float(NOON) + 0.9,
        Decimal(NOON) + Decimal("0.9"),
        NOON * 1_000 + 999,
        NOON * 10**6,
        NOON * 10**9,
        str(NOON),
        f" {NOON}.0 ",
        "2020-01-01T12:00:00Z",
        "2020-01-01 12:00:00",
        "2020-01-01 12:00:00 UTC",
        "2020-01-01T12:00:00.999+0000",
        "2020-01-01T21:00:00+09:00",
        "20200101T120000",
        datetime(2020, 1, 1, 12, tzinfo=UTC),
        datetime(2020, 1, 1, 12),  # noqa: DTZ001 - as a table without zones gives it
    ],
)
def test_one_moment_in_many_forms(value: object) -> None:
    """Numbers in every unit, ISO texts and datetimes of one moment are the same second."""
    assert moment(value) == NOON


@pytest.mark.parametrize("value", ["2020-01-01 13:00:00", datetime(2020, 1, 1, 13)])  # noqa: DTZ001 - the zone is what is tested
def test_the_zone_is_for_times_that_name_none(value: object) -> None:
    """Berlin's one o'clock is noon UTC in winter; a text with its own zone and a number keep theirs."""
    berlin = ZoneInfo("Europe/Berlin")
    assert moment(value, berlin) == NOON
    assert moment("2020-01-01T12:00:00Z", berlin) == NOON
    assert moment(NOON, berlin) == NOON


@pytest.mark.parametrize("value", ["2020-01-01", "20200101", 20200101, 20200101.0, date(2020, 1, 1)])
def test_a_date_is_its_midnight(value: object) -> None:
    """A day without a time begins at midnight; eight digits are a date and no number of seconds."""
    assert moment(value) == NOON - 12 * 3600


@pytest.mark.parametrize("value", [None, "", "yesterday", "01/02/2020", True, [], "nan", "-5", -5, 0, "0", 180, 2020, "2020", 99_999_999])
def test_no_time_is_no_guess(value: object) -> None:
    """What may mean several things, or nothing, is not a time."""
    with pytest.raises(MalformedItemError):
        moment(value)


def test_infinity_is_no_time() -> None:
    """A float that is no number cannot be a second."""
    with pytest.raises(OverflowError):
        moment(float("inf"))
