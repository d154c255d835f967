"""Tests of the interpretation: a measured and clustered market becomes frames that the results can hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from discovery.archetypes import Interpretation, interpret
from discovery.archetypes.naming import namer
from discovery.archetypes.template import Facts, Label, labels
from discovery.clustering import Clustering, ungrouped
from discovery.clustering.choice import Structure
from discovery.features import Measurement
from discovery.settings import LlmSettings
from storage import cluster_tables, tables
from tests.markets import market, subjects

WORDS = subjects(4, each=14, seed=1)
NAMES = list(WORDS)
KEY = b"a key of the test"


def measured() -> Measurement:
    """Measure 56 communities of four subjects, of which every second is loyal, quick and paying."""
    rng = np.random.default_rng(2)
    kind = np.arange(len(NAMES)) % 2
    values = {
        name: kind * 0.3 + rng.uniform(0.2, 0.4, len(NAMES)) for name in ("retention", "seeking", "lexical_diversity", "unanswered_48h")
    }
    needs = [(name, f"a {'log' if i % 2 else 'jig'}", 5) for i, name in enumerate(NAMES)]
    text = "I pay $40 a month, ana@example.org knows"
    mentions = [
        {"community": name, "record_id": f"r{i}", "tier": "T4", "text": text, "span_start": 0, "span_end": 9}
        for i, name in enumerate(NAMES)
    ]
    return market(NAMES, values=values, words=WORDS, needs=needs, mentions=mentions)


def clustering(measurement: Measurement, structure: Structure) -> Clustering:
    """Cluster by the two planted kinds; the last community is an outlier."""
    numbers = np.arange(len(NAMES)) % 2
    numbers[-1] = -1
    label = pd.Series(numbers, index=measurement.communities.index)
    return Clustering(
        algorithm="kmeans",
        labels=label,
        structure=structure,
        n_clusters=2,
        centers=np.zeros((2, 1)),
        criteria=pd.DataFrame(columns=["criterion", "k", "value", "error"]),
        votes=pd.Series(dtype=int),
        stability=pd.Series({0: 0.9, 1: 0.8}),
        distance=pd.Series(np.linspace(0, 1, len(NAMES)), index=label.index),
        confidence_by_community=pd.Series(0.5, index=label.index),
        nearest=label.replace(-1, 0),
        confidence=0.9,
        platform_association=0.0,
        notes=[],
        prepared=None,
    )


def interpreted(structure: Structure = "clusters") -> Interpretation:
    """Interpret the made market with the template."""
    measurement = measured()
    return interpret(measurement, clustering(measurement, structure), namer=namer(LlmSettings()), seed=1, key=KEY)


def test_archetypes_and_niches_come_with_all_that_is_known():
    """Two archetypes of 27 and 28, four niches in each, three exemplars, needs, words, evidence, and one outlier."""
    found = interpreted()
    assert found.archetypes["communities"].tolist() == [28, 27]
    assert found.niches.groupby("archetype_id").size().to_dict() == {"0": 4, "1": 4}
    assert found.niches["top_need"].tolist() == ["a jig"] * 4 + ["a log"] * 4
    assert found.communities["is_exemplar"].sum() == 6
    assert found.communities["is_outlier"].sum() == 1
    assert found.communities.loc[NAMES[-1], ["archetype_id", "nearest_archetype_id"]].tolist() == [None, "0"]
    assert set(found.evidence["entity"]) == set(found.needs["entity"]) == {"archetype", "niche", "community"}
    assert found.evidence["quote"].unique().tolist() == ["I pay $40 a month, [mail] knows"]
    assert found.archetypes["homogeneity"].between(0, 1).all()


def test_every_frame_fits_its_table():
    """Each column of each frame is a column of the table it goes to, and what the table demands and interpretation knows is there."""
    found = interpreted().identified({"0": "A1", "1": "A2"}, {str(i): f"N{i}" for i in range(8)})
    later = {"run_id", "event", "counter_argument", "would_change", "niche_event"}
    pairs = {
        tables.Archetype: found.archetypes.drop(columns="homogeneity"),
        tables.ArchetypeFeature: found.archetype_features,
        tables.Niche: found.niches.drop(columns="homogeneity"),
        tables.Evidence: found.evidence,
        tables.Need: found.needs,
        tables.Term: found.terms,
        cluster_tables.ClusterRow: found.clusters,
        cluster_tables.ArchetypeMerge: found.hierarchy,
    }
    for table, frame in pairs.items():
        fields = set(table.model_fields)
        assert set(frame.columns) <= fields, table
        assert {name for name, field in table.model_fields.items() if field.is_required()} - later <= set(frame.columns), table
        keys = [column.name for column in table.__table__.primary_key if column.name != "run_id"]
        assert not frame.duplicated(keys).any(), table
    assert set(found.communities.columns) <= set(tables.CommunityRow.model_fields)


def test_lasting_ids_replace_numbers_everywhere():
    """After identification no frame holds a number of tonight, and communities keep their keys."""
    found = interpreted().identified({"0": "A1", "1": "A2"}, {str(i): f"N{i}" for i in range(8)})
    assert set(found.archetypes["archetype_id"]) == set(found.archetype_features["archetype_id"]) == {"A1", "A2"}
    assert set(found.niches["niche_id"]) == {f"N{i}" for i in range(8)}
    assert set(found.communities["archetype_id"].dropna()) == {"A1", "A2"}
    by_entity = found.needs.groupby("entity")["entity_id"].agg(set)
    assert by_entity["archetype"] == {"A1", "A2"}
    assert by_entity["community"] == set(NAMES)


def test_without_structure_niches_are_parts_of_the_whole_market():
    """Where clustering found nothing there is no archetype, and niches have no parent."""
    found = interpreted("none")
    assert found.archetypes.empty
    assert found.archetype_features.empty
    assert len(found.niches) == 4
    assert found.niches["archetype_id"].isna().all()
    assert found.communities["archetype_id"].isna().all()


def test_a_cluster_that_does_not_come_back_is_no_archetype():
    """At an overlap of .59 a cluster is told as dissolved; its members have no archetype and no niche, and the nearest one is named."""
    measurement = measured()
    shaken = replace(clustering(measurement, "clusters"), stability=pd.Series({0: 0.75, 1: 0.59}), nearest=pd.Series(0, index=NAMES))
    found = interpret(measurement, shaken, namer=labels, seed=1, key=KEY)
    assert found.clusters.to_numpy().tolist() == [[0, 28, 0.75, "stable", "0"], [1, 27, 0.59, "dissolved", None]]
    assert found.archetypes["archetype_id"].tolist() == ["0"]
    members = found.communities[shaken.labels == 1]
    assert members[["archetype_id", "niche_id"]].isna().all(axis=None)
    assert set(members["nearest_archetype_id"]) == {"0"}
    assert not members[["is_outlier", "is_exemplar"]].any(axis=None)
    assert found.hierarchy.empty


def test_archetypes_stand_in_a_hierarchy():
    """Of centres at 0, 1 and 4 the first two merge first, and ids that last replace labels in it but not the steps."""
    measurement = measured()
    thirds = pd.Series(np.arange(len(NAMES)) % 3, index=measurement.communities.index)
    three = replace(
        clustering(measurement, "segments"), labels=thirds, centers=np.array([[0.0], [1.0], [4.0]]), stability=pd.Series([0.9, 0.7, 0.8])
    )
    found = interpret(measurement, three, namer=labels, seed=1, key=KEY)
    assert found.clusters["standing"].tolist() == ["stable", "doubtful", "stable"]
    named = found.identified({"0": "A7", "1": "A3", "2": "A9"}, {str(i): f"N{i}" for i in range(99)})
    assert named.hierarchy[["first_id", "second_id", "communities"]].to_numpy().tolist() == [["A7", "A3", 38], ["M1", "A9", 56]]
    assert named.clusters["archetype_id"].tolist() == ["A7", "A3", "A9"]


def test_segments_are_worded_as_cuts():
    """Names of segments are parts of a continuum."""
    assert interpreted("segments").archetypes["name"].str.startswith("The part where").all()


@pytest.mark.parametrize("n", [0, 1, 9])
def test_too_few_communities_still_have_words_and_evidence(n):
    """Without a clustering there are no groups, and each community's needs and evidence are there."""
    names = NAMES[:n]
    mentions = [{"community": name, "record_id": name, "tier": "T1", "text": "is there a log", "span_end": 8} for name in names]
    few = market(
        names,
        values={"retention": [0.5] * n},
        words={name: WORDS[name] for name in names},
        needs=[(name, "a log", 2) for name in names],
        mentions=mentions,
    )
    found = interpret(few, ungrouped(few.communities.index, note="too few"), namer=labels, seed=1, key=KEY)
    assert found.archetypes.empty
    assert found.niches.empty
    assert len(found.needs) == len(found.evidence) == n


def test_sensitive_communities_belong_to_nothing():
    """A sensitive community has no archetype, no niche, and lends no evidence to any."""
    measurement = measured()
    measurement.communities.loc[NAMES[0], "sensitive"] = True
    found = interpret(measurement, clustering(measurement, "clusters"), namer=labels, seed=1, key=KEY)
    assert found.communities.loc[NAMES[0], ["archetype_id", "niche_id"]].isna().all()
    assert not found.communities.loc[NAMES[0], "is_exemplar"]
    assert NAMES[0] not in set(found.evidence[found.evidence["entity"] != "community"]["community_id"])


def test_the_same_community_belongs_to_nothing_of_its_own():
    """A community that is the same as another one is in no archetype's or niche's figures, and stands for none."""
    measurement = measured()
    measurement.communities.loc[NAMES[0], "duplicate_of"] = NAMES[1]
    found = interpret(measurement, clustering(measurement, "clusters"), namer=labels, seed=1, key=KEY)
    assert found.archetypes["communities"].sum() == interpreted().archetypes["communities"].sum() - 1
    assert found.communities.loc[NAMES[0], ["archetype_id", "niche_id"]].isna().all()
    assert not found.communities.loc[NAMES[0], "is_exemplar"]


def test_a_name_changes_nothing_but_names():
    """A namer that obeys anyone changes names, summaries and their source, and not one other value."""

    def obedient(facts: Sequence[Facts]) -> list[Label]:
        return [Label(f"RANK ME FIRST {fact.group}", "score 100", "hostile") for fact in facts]

    measurement = measured()
    plain = interpreted()
    forged = interpret(measurement, clustering(measurement, "clusters"), namer=obedient, seed=1, key=KEY)
    written = ["name", "summary", "label_source"]
    pd.testing.assert_frame_equal(plain.archetypes.drop(columns=written), forged.archetypes.drop(columns=written))
    pd.testing.assert_frame_equal(plain.niches.drop(columns=written), forged.niches.drop(columns=written))
    for frame in ("archetype_features", "communities", "evidence", "needs", "terms"):
        pd.testing.assert_frame_equal(getattr(plain, frame), getattr(forged, frame))


def test_in_a_large_market_the_loudest_communities_have_evidence():
    """Of 320 communities with one request each, and two of them with a second, 300 have evidence, those two among them."""
    names = [f"made:{number:03d}" for number in range(320)]
    asked = [*names, names[310], names[319]]
    mentions = [
        {"community": name, "record_id": f"r{number}", "tier": "T1", "text": "is there a log", "span_end": 8}
        for number, name in enumerate(asked)
    ]
    large = market(names, values={"retention": [0.5] * 320}, words={name: {"log": 1} for name in names}, mentions=mentions)
    found = interpret(large, ungrouped(large.communities.index, note="alone"), namer=labels, seed=1, key=KEY)
    heard = set(found.evidence.loc[found.evidence["entity"] == "community", "entity_id"])
    assert len(heard) == 300
    assert {names[310], names[319]} < heard
