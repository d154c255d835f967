"""What features must not depend on: the order and number of deliveries, the clock's zone, a platform that has nothing to do with it."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from discovery.features import FeatureSettings, Measurement, Scope, measure
from storage.activity import ActivityStore, SourceEntry
from storage.pseudonyms import Pseudonyms
from storage.records import Batch, Cursor, Record
from tests.feature_records import crowd, estimate, measured, post
from tests.oracle.test_oracle import world
from tests.test_features_measure import assert_same

TOLD = ("communities", "kind", "title", "text", "thread", "parent", "score", "replies", "accepted", "bot", "domain", "created_at")
RELATIVE = {"engagement", "specificity", "crosspost_share", "saturation", "headroom", "product_mentions", "product_hhi", "switching_wedge"}
"""Features that are declared against all communities of the run, their texts included, or against products that its people name."""
SCARCE = {"equal_retention", "loyalty"}
"""Features that fewer than ten communities of the made platform show, so that they rightly borrow from the other one as well."""


@pytest.fixture(scope="module")
def records() -> list[Record]:
    """Write the made world in the words of a source."""
    return [
        Record(id=row["record_id"], author=None if row["author"] is None else f"n{row['author']}", **{name: row[name] for name in TOLD})
        for row in ({**row, "communities": tuple(row["communities"])} for row in world())
    ]


def delivered(pages: Iterable[tuple[Record, ...]], folder: Path, *, nightly: bool = False) -> Measurement:
    """Store pages in their order and measure what the store holds then, or after each of them."""
    with ActivityStore.open(folder / "activity.duckdb", pseudonyms=Pseudonyms.open(folder / "key")) as activity:
        activity.begin(SourceEntry("one", "table", False, "complete", True, True, "CC0"), run_id="r1")
        for number, page in enumerate(pages):
            activity.append(Batch(list(page), Cursor(position=str(number)), len(page)), source="one", run_id="r1")
            if nightly:
                measure(activity.connection, scope=Scope(sources=("one",)), settings=FeatureSettings())
        return measure(activity.connection, scope=Scope(sources=("one",)), settings=FeatureSettings())


@pytest.fixture(scope="module")
def once(records, tmp_path_factory) -> Measurement:
    """Deliver everything on one page."""
    return delivered([tuple(records)], tmp_path_factory.mktemp("once"))


def test_order_pages_and_duplicates_change_nothing(records, once, tmp_path):
    """Records in any order, on small pages, a third of them delivered twice, under other pseudonyms: the same bits."""
    dice = random.Random(5)  # noqa: S311 - a shuffle, no secret
    again = records + dice.sample(records, len(records) // 3)
    dice.shuffle(again)
    assert_same(once, delivered((tuple(again[begin : begin + 700]) for begin in range(0, len(again), 700)), tmp_path))


def test_night_after_night_is_as_good_as_once(records, once, tmp_path):
    """Four nights, each measured when a part of the records has come, end in the bits of one: votes, links, waits and newcomers too."""
    shuffled = random.Random(6).sample(records, len(records))  # noqa: S311 - a shuffle, no secret
    nights = [tuple(shuffled[begin::4]) for begin in range(4)]
    assert_same(once, delivered(nights, tmp_path, nightly=True))


MEASURED_ELSEWHERE = """
import hashlib
from discovery.features import FeatureSettings, Scope, measure
from tests.feature_records import store
from tests.oracle.test_oracle import world
grid = measure(store(world()[:900]), scope=Scope(sources=("one",)), settings=FeatureSettings()).estimates
print(hashlib.sha256(grid.to_json(double_precision=15).encode()).hexdigest())
"""


def test_the_zone_of_the_machine_changes_nothing():
    """A machine on Lord Howe Island, whose summer time is half an hour, measures what one on UTC does."""
    told = {
        subprocess.run(
            [sys.executable, "-c", MEASURED_ELSEWHERE], env={**os.environ, "TZ": zone}, check=True, capture_output=True, text=True
        ).stdout
        for zone in ("UTC", "Australia/Lord_Howe")
    }
    assert len(told) == 1


def of_platform(measurement: Measurement, platform: str) -> pd.DataFrame:
    """Give the estimates of a platform's communities, those left out that are relative to the run."""
    grid = measurement.estimates
    return grid[grid["community"].str.startswith(platform) & ~grid["feature"].isin(RELATIVE | SCARCE)].reset_index(drop=True)


def test_an_unrelated_platform_changes_nothing():
    """Twelve communities of a platform measure the same, bit for bit, alone and beside twelve of another platform and source."""
    own = [row for row in world() if row["communities"][0].startswith("reddit:")]
    own = [{**row, "source_ids": [1]} for row in own]
    others = [
        {
            **row,
            "record_id": f"chat/{row['record_id']}",
            "source_ids": [2],
            "communities": [name.replace("reddit:", "chat:") for name in row["communities"]],
            "author": None if row["author"] is None else row["author"] + 2**33,
            "thread": row["thread"] and f"chat/{row['thread']}",
            "parent": row["parent"] and f"chat/{row['parent']}",
        }
        for row in world(seed=4)
        if row["communities"][0].startswith("reddit:")
    ]
    alone, beside = (measured(rows, coverage={1: "complete", 2: "complete"}) for rows in (own, own + others))
    pd.testing.assert_frame_equal(of_platform(alone, "reddit:"), of_platform(beside, "reddit:"), check_exact=True)


def at(told: str) -> int:
    """Give the instant of a moment of UTC."""
    return int(datetime.fromisoformat(told).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("moments", "regulars"),
    [
        pytest.param(("02-26T12:00", "02-27T12:00", "02-28T23:59:59", "02-29T00:00", "03-01T00:00"), 30, id="five-days-one-a-leap-day"),
        pytest.param(("02-26T12:00", "02-27T12:00", "02-28T12:00", "02-29T00:00", "02-29T23:59:59"), 0, id="a-leap-day-is-one-day"),
        pytest.param(
            ("03-29T23:30", "03-30T23:30", "03-31T23:30", "04-01T23:30", "04-02T23:30"), 30, id="five-days-when-clocks-go-forward"
        ),
        pytest.param(
            ("03-29T12:00", "03-30T12:00", "03-31T00:00", "03-31T01:30", "03-31T23:59:59"), 0, id="23-hours-in-europe-are-one-day"
        ),
        pytest.param(("11-01T12:00", "11-02T12:00", "11-03T00:00", "11-03T05:30", "11-03T06:30"), 0, id="an-hour-twice-in-america"),
    ],
)
def test_days_are_days_of_utc(moments, regulars):
    """Regulars come on five days of UTC, 86,400 seconds each, whatever clocks do, and 29 February is one of them."""
    times = [at(f"2024-{moment}") for moment in moments]
    rows = [{**post(name, 0), "created_at": t} for name in crowd(30) for t in times]
    frame = {**post("first", 0), "created_at": times[0] - 60 * 86_400}
    assert measured([frame, *rows], now={"one": times[-1] + 60 * 86_400}).author_sums["engaged"].sum() == regulars


def test_a_month_is_28_days_over_a_leap_day():
    """The 28-day month of 29 February 2024 runs from the 15th to 13 March: its first and last second are in it, the next one is not."""
    begin = at("2024-02-15")
    moments = {"first": begin, "last": at("2024-03-13T23:59:59"), "next": at("2024-03-14")}
    rows = [{**post(f"{kind}{n}", 0), "created_at": t} for kind, t in moments.items() for n in range(15)]
    found = measured(rows, now={"one": begin + 2 * 28 * 86_400})
    assert found.author_sums["months"].sum() == 45
    assert estimate(found, "active_authors")["value"] == pytest.approx((30 + 15) / 2, rel=0.05)
