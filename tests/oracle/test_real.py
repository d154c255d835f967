"""Real sets, collected as a run collects them, are measured as plain pandas measures them: values, limits, n, coverage, reasons."""

from __future__ import annotations

from pathlib import Path

import pytest

from discovery.features import FEATURES, FeatureSettings, Measurement, Scope, measure
from discovery.sources import EVER, Window, load
from storage.activity import ActivityStore, SourceEntry
from storage.pseudonyms import Pseudonyms
from storage.records import Cursor
from tests.oracle.entries import Activity, activity
from tests.oracle.test_oracle import assert_agrees
from tests.shared_data import DATA

NOVEMBER_2019 = Window(1_572_566_400, 1_575_158_400)
SETS = {
    "coffee": (f"stackexchange_dump:{DATA}/stackexchange_coffee/Posts.xml.zst", EVER),
    "urho3d": (f"discourse_archive:{DATA}/discourse_urho3d/topics.tar.zst", EVER),
    "komodo": (f"discord_export:{DATA}/discord_komodo/csv_exports.tar.zst", NOVEMBER_2019),
    "front pages": (f"reddit_listings:{DATA}/reddit_api_listings_2020", EVER),
}
"""Each with the part of its time that is measured: tags, categories, channels, listings."""


def both(name: str, folder: Path) -> tuple[Measurement, Activity]:
    """Collect a real set and measure it both ways."""
    argument, window = SETS[name]
    source = load(argument, credentials={})
    with ActivityStore.open(folder / "activity.duckdb", pseudonyms=Pseudonyms.open(folder / "pseudonym.key")) as store:
        store.begin(SourceEntry(source.name, source.kind, source.live, "unknown", True, False, ""), run_id="real")
        for batch in source.batches(Cursor(), window=window):
            store.append(batch, source=source.name, run_id="real")
        store.settle(SourceEntry(source.name, source.kind, source.live, source.observed(), True, False, ""), run_id="real")
        scope = Scope(sources=(source.name,))
        measured = measure(store.connection, scope=scope, settings=FeatureSettings())
        return measured, activity(store.connection, scope=scope, measured=measured)


@pytest.mark.real_data
@pytest.mark.peers
@pytest.mark.parametrize("name", SETS)
def test_a_real_set_is_measured_as_defined(name: str, tmp_path: Path) -> None:
    """Every feature agrees in every community of the set, and so does why it is missing."""
    if not DATA.exists():
        pytest.skip(f"no real data at {DATA}")
    measured, seen = both(name, tmp_path)
    for feature in sorted(FEATURES):
        assert_agrees(feature, measured=measured, seen=seen)
