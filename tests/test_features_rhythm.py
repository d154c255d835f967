"""Burstiness: a clock, chance, a burst, months one by one, and how often the interval holds the truth."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.feature_records import START, estimate, measured, post

MONTH = 28 * 86_400


def kim_and_jo(r: float, n: int) -> float:
    """Place a coefficient of variation of n waits."""
    return (math.sqrt(n + 1) * r - math.sqrt(n - 1)) / ((math.sqrt(n + 1) - 2) * r + math.sqrt(n - 1))


def at(*months: Any, place: str = "reddit:a") -> list:
    """Let somebody write at these seconds of each month, and at the first instant of the first."""
    times = [number * MONTH + int(second) for number, seconds in enumerate(months) for second in seconds]
    return [{**post("ana", 0, communities=[place]), "created_at": START + t} for t in (0, *times)]


def burstiness(*months: Any) -> Any:
    """Measure months that are all covered."""
    return estimate(measured(at(*months), now={"one": START + len(months) * MONTH}), "burstiness")


def test_a_clock_has_burstiness_minus_one():
    """A record every hour of three months is −1, surely: no wait differs from another."""
    found = burstiness(*[np.arange(3600, 90 * 3600, 3600)] * 3)
    assert (found["value"], found["low"], found["high"], found["n"]) == (-1, -1, -1, 3)


def test_months_by_hand():
    """Of 99 waits of 1 s and one of 301 s the mean is 4 and r² = (99 · 9 + 297²) / 100 / 16 = 55.6875; two such months and a clock's."""
    burst = np.cumsum([5, *([1] * 50), 301, *([1] * 49)])
    expected = [kim_and_jo(math.sqrt(55.6875), 100)] * 2 + [-1]
    found = burstiness([], burst, burst, np.arange(40) * 50)
    half = 2.919986 * np.std(expected, ddof=1) / math.sqrt(3)
    assert found["value"] == pytest.approx(np.mean(expected))
    assert (found["low"], found["high"]) == (
        pytest.approx(max(np.mean(expected) - half, -1)),
        pytest.approx(min(np.mean(expected) + half, 1)),
    )
    assert (found["n"], found["coverage"]) == (3, pytest.approx(3 / 4))


def test_a_silence_between_months_is_no_burst():
    """Clockwork months with half a year of silence between them stay clockwork."""
    hourly = np.arange(3600, 90 * 3600, 3600)
    assert burstiness(hourly, hourly, [], [], [], [], [], hourly)["value"] == -1


def test_months_that_tell_nothing_are_left_out():
    """A month of 29 waits, and one where all happens in one second, count for nothing; then two are too few, and a listing is."""
    hourly = np.arange(3600, 90 * 3600, 3600)
    assert burstiness(hourly, hourly, np.arange(30) * 60, [7] * 50)["missing_reason"] == "small_n: 2 lively months, 3 needed"
    listed = measured(at(hourly, hourly, hourly), coverage={1: "listing"})
    assert estimate(listed, "burstiness")["missing_reason"].startswith("coverage: a listing")


def chance(rng: np.random.Generator, records: int) -> np.ndarray:
    """Draw a month that nothing governs: the rate is the same at all times."""
    return rng.random(rng.poisson(records)) * MONTH


def daily(rng: np.random.Generator, records: int) -> np.ndarray:
    """Draw a month of people who sleep."""
    times = chance(rng, 2 * records)
    return times[rng.random(len(times)) < np.where(times % 86_400 < 52_000, 0.8, 0.05)]


def threads(rng: np.random.Generator, records: int) -> np.ndarray:
    """Draw a month of talk: each thread begins by chance and draws three replies in some hours, on average."""
    begins = chance(rng, records // 4)
    replies = rng.geometric(0.25, len(begins)) - 1
    times = np.concatenate([begins, np.repeat(begins, replies) + rng.exponential(9_000, replies.sum())])
    return times[times < MONTH]


def months_of(draw: Callable[[np.random.Generator, int], np.ndarray], number: int, *, records: int, seed: int) -> list[np.ndarray]:
    """Draw the sorted whole seconds of some months."""
    rng = np.random.default_rng(seed)
    return [np.sort(draw(rng, records)).astype(int) for _ in range(number)]


@pytest.mark.parametrize("records", [60, 400])
def test_chance_is_zero_for_any_number_of_records(records):
    """Where records come by chance the mean of 120 months is 0 to a few hundredths, whether they have sixty records or hundreds."""
    assert burstiness(*months_of(chance, 120, records=records, seed=5))["value"] == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("draw", [chance, daily, threads])
def test_the_interval_holds_the_truth(draw):
    """In 120 communities of six months, 84 % and more of the intervals of 90 % hold the mean of a thousand months."""
    spread = [(np.std(waits) / np.mean(waits), len(waits)) for waits in map(np.diff, months_of(draw, 1_000, records=70, seed=1))]
    truth = np.mean([kim_and_jo(r, n) for r, n in spread if n >= 30])
    drawn = months_of(draw, 120 * 6, records=70, seed=2)
    rows = [row for n in range(120) for row in at(*drawn[6 * n : 6 * n + 6], place=f"reddit:c{n:03d}")]
    found = measured(rows, now={"one": START + 6 * MONTH}).estimates.query("feature == 'burstiness'")
    assert (found["low"].le(truth) & found["high"].ge(truth)).mean() >= 0.84
