"""The rows of a publication: everything that was found goes to its table, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from discovery import publication
from discovery.archetypes import interpret
from discovery.archetypes.map import Map
from discovery.archetypes.naming import namer
from discovery.clustering import ungrouped
from discovery.collect import Delivery
from discovery.config import Config
from discovery.features import FEATURES, FeatureSettings, Measurement, Scope, measure
from discovery.publication import Found, rows
from discovery.ranking import rank
from discovery.sources import EVER
from discovery.sources.world import World
from storage.activity import ActivityStore, SourceEntry
from storage.pseudonyms import Pseudonyms
from storage.records import Cursor
from storage.results import SAVED
from storage.tables import SourceRun

WORLD = World(seed=1, communities=9, days=56, scale=0.2)
NOWHERE = pd.DataFrame(columns=["x", "y"], index=pd.Index([], name="community_id"))


MIRROR = "world:2/mirror"


def measured(folder: Path, *, mirrored: str | None = None) -> Measurement:
    """A small world, measured; with a mirror of one of its communities, if one is named."""
    entry = SourceEntry(WORLD.name, "world", False, "complete", True, True, "invented")
    with ActivityStore.open(folder / "a.duckdb", pseudonyms=Pseudonyms.open(folder / "key")) as store:
        store.begin(entry, run_id="r")
        for page in WORLD.batches(Cursor(), window=EVER):
            copies = [
                record.model_copy(update={"id": f"mirror:{record.id}", "communities": (MIRROR,), "thread": None, "parent": None})
                for record in page.records
                if mirrored in record.communities
            ]
            whole = page._replace(records=[*page.records, *copies], fetched=page.fetched + len(copies))
            store.append(whole, source=entry.name, run_id="r")
        return measure(store.connection, scope=Scope(sources=(entry.name,)), settings=FeatureSettings())


@pytest.fixture(scope="module")
def measurement(tmp_path_factory: pytest.TempPathFactory) -> Measurement:
    """The small world."""
    return measured(tmp_path_factory.mktemp("measured"))


@pytest.fixture(scope="module")
def found(measurement: Measurement) -> Found:
    """What a run makes of it, without archetypes."""
    return made_of(measurement)


def made_of(measurement: Measurement) -> Found:
    """Interpret and rank without archetypes."""
    clustering = ungrouped(measurement.market, note="too few")
    interpretation = interpret(measurement, clustering, namer=namer(Config().llm), seed=1, key=b"k")
    plain = interpretation.identified({}, {str(at): f"N{at}" for at in range(99)})
    return Found(measurement, clustering, plain, rank(measurement, clustering, plain, panel=None, config=Config()))


@pytest.fixture(scope="module")
def tables(found: Found) -> dict[str, Any]:
    """The rows of its tables."""
    return rows_of(found)


def rows_of(found: Found) -> dict[str, Any]:
    """Lay out what was found, of a source that delivered and lost one item."""
    row = SourceRun(run_id="r", source="world:1", kind="world", started_at=1, status="complete", coverage="complete")
    delivery = Delivery([row], [{"source": "world:1", "position": "1", "reason": "x", "sha256": "0"}])
    return dict(rows(found, delivery=delivery, drawn=Map("pca", NOWHERE), drift=["It moved."], seed=1))


def test_every_table_gets_its_rows(tables: dict[str, Any]) -> None:
    """Each table that a run can fill is named, and no other."""
    assert tables.keys() == SAVED.keys() | {"run"}


def test_the_run_says_what_it_is(tables: dict[str, Any], measurement: Measurement) -> None:
    """Size and structure are those of the measurement; fewer than ten communities are too few."""
    (facts,) = tables["run"]
    assert facts["communities"] == 9
    assert facts["records"] == measurement.records
    assert facts["structure"] == "too_few"
    grouping, moved, sensitivity = facts["notes"].splitlines()
    assert (grouping, moved) == ("too few", "It moved.")
    assert "stays first in" in sensitivity


def test_every_community_is_there(tables: dict[str, Any], measurement: Measurement) -> None:
    """Each community has one row; one of a sensitive subject is marked with it, the others are scored."""
    about = tables["community"].set_index("community_id")
    assert about.index.tolist() == measurement.communities.index.tolist()
    sensitive = measurement.communities["sensitive"].astype(bool)
    assert (about["policy"] == "scored").equals(~sensitive.rename_axis("community_id").rename("policy"))
    assert about["x"].isna().all(), "nothing was prepared, so there is no map"


def test_a_mirror_is_listed_with_the_one_it_repeats_and_ranked_last(measurement: Measurement, tmp_path: Path) -> None:
    """A mirror of the largest community is told as its duplicate, in its niche, and not scored; the market is what it was without it."""
    assert measurement.communities["duplicate_of"].isna().all()
    largest = measurement.communities.loc[measurement.market, "records"].idxmax()
    twice = measured(tmp_path, mirrored=largest)
    assert twice.communities["duplicate_of"].dropna().to_dict() == {MIRROR: largest}
    assert twice.market.tolist() == measurement.market.tolist()
    tables = rows_of(made_of(twice))
    about = tables["community"].set_index("community_id")
    assert (about.at[MIRROR, "policy"], about.at[MIRROR, "duplicate_of"]) == ("duplicate", largest)
    assert about.at[MIRROR, "niche_id"] == about.at[largest, "niche_id"]
    scores = tables["score"][tables["score"]["entity"] == "community"].set_index("entity_id")
    assert scores.at[MIRROR, "verdict"] == "not_scored"
    assert largest in scores.at[MIRROR, "verdict_reason"]
    assert scores.at[MIRROR, "rank"] > scores.at[largest, "rank"]


def test_features_are_told_as_declared(tables: dict[str, Any]) -> None:
    """Readers find unit, formula and origin of every feature that was measured."""
    assert [row["feature"] for row in tables["feature"]] == list(FEATURES)
    assert all(row["unit"] and row["formula"] and row["title"] for row in tables["feature"])


def test_scores_are_told_for_every_entity(tables: dict[str, Any], found: Found) -> None:
    """Communities and niches each have a score row, components and ingredients under their own name."""
    scores = tables["score"]
    counts = scores.groupby("entity").size().to_dict()
    niches = len(found.interpretation.niches)
    assert counts == {"community": 9, **({"niche": niches} if niches else {})}
    assert set(tables["score_component"]["entity"]) <= set(counts)
    assert set(tables["score_ingredient"]["entity_id"]) <= set(scores["entity_id"])


def test_a_run_without_a_record_keeps_its_sources(tables: dict[str, Any]) -> None:
    """What the sources delivered and what was quarantined can be saved alone."""
    alone = publication.of_sources(Delivery(tables["source_run"], tables["quarantined_item"]))
    assert alone == {"source_run": tables["source_run"], "quarantined_item": tables["quarantined_item"]}
