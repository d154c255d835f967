"""A hand-made publication that fills every table: three archetypes, four niches, a dozen communities."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scoring.formula import COMPONENTS
from storage.blobs import pack, pack_sorted, pack_vectors
from storage.reading import ask
from storage.results import Provenance, Results

Rows = pd.DataFrame | list[dict[str, Any]]
VIEWS = ("ranked_archetypes", "ranked_niches", "ranked_communities", "community_features", "archetype_evidence", "score_components")
PROVENANCE = Provenance(version="0.1.0", seed=7, config_sha256="c0ffee")
DAY = 86_400
BEGAN = 1_700_000_000
ARCHETYPES = ("Engaged makers who pay", "Busy question desks", "Quiet link walls")
NICHES = (("Fountain pen restorers", 0), ("Home espresso repair", 0), ("Self-hosted backups", 1), ("Wallpaper sharing", 2))
VERDICTS = ("pursue", "watch", "saturated", "shallow")
FEATURES = {
    "retention": ("share of authors who return", "fraction, 0 to 1", "behaviour"),
    "posting_frequency": ("records per day", "records per day", "behaviour"),
    "money": ("money signals per author", "weighted signals per author", "market"),
    "unsolved_share": ("share of questions left unsolved", "fraction, 0 to 1", "market"),
}


def publication(*, communities: int = 12, structure: str = "clusters") -> dict[str, Rows]:
    """Fill every table of the results; without archetypes where the structure has none."""
    grouped = structure in {"clusters", "segments"}
    niched = structure != "too_few"
    members = [community(at, grouped=grouped, niched=niched) for at in range(communities)]
    scored = [("community", row["community_id"]) for row in members]
    scored += [("niche", f"n{at}") for at in range(len(NICHES)) if niched] + [("archetype", f"a{at}") for at in range(3) if grouped]
    return {
        "run": [run_facts(communities, structure)],
        "source_run": sources(),
        "quarantined_item": [{"source": "dump", "position": "line 7", "reason": "not JSON", "sha256": "0" * 64}],
        "community": members,
        "feature": [
            {"feature": name, "title": title, "unit": unit, "formula": "x / y", "origin": "ours", "block": block, "clustered": 1}
            for name, (title, unit, block) in FEATURES.items()
        ],
        "community_feature": community_features(members),
        "archetype": [archetype(at) for at in range(3) if grouped],
        "niche": [niche(at, grouped=grouped) for at in range(len(NICHES)) if niched],
        "archetype_feature": archetype_features() if grouped else [],
        "score": [score(entity, entity_id, at) for entity, entity_id, at in placed(scored)],
        "score_component": [row for entity, entity_id, at in placed(scored) for row in components(entity, entity_id, at)],
        "score_ingredient": [ingredient(entity, entity_id) for entity, entity_id in scored],
        "evidence": [row for entity, entity_id, at in placed(scored) for row in evidence(entity, entity_id, at)],
        "need": [row for entity, entity_id, at in placed(scored) for row in needs(entity, entity_id, at)],
        "term": [
            {"entity": entity, "entity_id": entity_id, "term": term, "z": z, "authors": 9}
            for entity, entity_id in scored
            for term, z in (("nib", 4.2), ("flex", 3.1))
        ],
        "criterion": [
            {"criterion": name, "k": k, "value": 1.0 / k, "error": 0.05 if name == "gap" else None}
            for name in ("gap", "silhouette")
            for k in (1, 2, 3, 4)
        ],
        "criterion_vote": [{"criterion": name, "k": k} for name, k in (("gap", 3), ("silhouette", 2)) if structure != "too_few"],
        "cluster": [cluster(at) for at in range(4) if grouped],
        "archetype_merge": [
            {"step": 1, "first_id": "a0", "second_id": "a2", "height": 3.0, "communities": 8},
            {"step": 2, "first_id": "M1", "second_id": "a1", "height": 4.0, "communities": 12},
        ]
        if grouped
        else [],
        **searchable(members),
    }


def searchable(members: list[dict[str, Any]]) -> dict[str, Rows]:
    """Two words in a plane: "nib" leads along its first axis and is said by the even communities, "ink" along its second, by the odd."""
    axes = np.eye(2)
    places = np.arange(len(members))
    words = [
        {"stem": word, "word": word, "communities": len(said), "vector": pack_vectors(axes[[at]]), "places": pack_sorted(said)}
        | {"impacts": pack(np.full(len(said), 200, dtype=np.uint8), level=6)}
        for at, word in enumerate(("nib", "ink"))
        if len(said := places[at::2])
    ]
    groups = {(kind, row[f"{kind}_id"]) for row in members for kind in ("archetype", "niche") if row[f"{kind}_id"]}
    of = {group: np.array([at for at in places if members[at][f"{group[0]}_id"] == group[1]]) for group in sorted(groups)}
    vectors = axes[places % 2]
    return {
        "search_space": [
            {"dimensions": 2, "communities": len(members), "impact": 0.01, "centres": pack_vectors(np.ones((1, 2)))}
            | {"sizes": pack(np.array([len(members)], dtype=np.int32))}
        ],
        "search_place": [{"place": at, "community_id": row["community_id"]} for at, row in enumerate(members)],
        "search_word": words,
        "search_cell": [{"cell": 0, "places": pack_sorted(places), "vectors": pack_vectors(vectors)}],
        "search_group": [
            {"entity": entity, "entity_id": entity_id, "places": pack_sorted(at), "vector": pack_vectors(vectors[at].mean(axis=0)[None])}
            for (entity, entity_id), at in of.items()
        ],
    }


def run_facts(communities: int, structure: str) -> dict[str, Any]:
    """What the run says of itself."""
    return {
        "structure": structure,
        "n_clusters": 4 if structure in {"clusters", "segments"} else 1,
        "confidence": 0.87,
        "records": 12_345,
        "authors": 2_345,
        "communities": communities,
        "platform_association": 0.12,
        "panel_version": 1,
        "embedding_model": "tfidf-svd",
        "embedding_version": "1",
        "map_method": "pca",
        "notes": "unsolved_share was dropped: nobody could measure it.\n1 community was set aside.",
    }


def sources() -> list[dict[str, Any]]:
    """Two sources: a whole dump and a listing that broke off."""
    counts = {"fetched": 10, "stored": 6, "unchanged": 2, "quarantined": 1, "refused": 1}
    dump = {"source": "dump", "kind": "pushshift", "status": "unverified", "coverage": "complete", "reason": "", **counts}
    front = {"source": "front pages", "kind": "reddit_listings", "status": "partial", "coverage": "listing", "reason": "connection lost"}
    return [{**row, "started_at": BEGAN, "finished_at": BEGAN + 60} for row in (dump, {**front, **counts})]


def community(at: int, *, grouped: bool, niched: bool) -> dict[str, Any]:
    """One community; the last of each dozen is sensitive, the one before an outlier."""
    place, source = at % len(NICHES), "front pages" if at % 4 == 3 else "dump"
    return {
        "community_id": f"reddit:place{at:02}",
        "source": source,
        "name": f"r/place{at:02}",
        "url": f"https://www.reddit.com/r/place{at:02}/",
        "description": "",
        "members": 1000 + at,
        "records": 500 + at,
        "authors": 100 + at,
        "first_at": BEGAN - 90 * DAY,
        "last_at": BEGAN - at,
        "language": "en",
        "policy": "sensitive: health" if at % 12 == 11 else "scored",
        "coverage": "listing" if source == "front pages" else "complete",
        "archetype_id": f"a{NICHES[place][1]}" if grouped and at % 12 != 10 else None,
        "niche_id": f"n{place}" if niched else None,
        "distance": float(at),
        "confidence": 0.9,
        "is_exemplar": int(at < 9),
        "is_outlier": int(at % 12 == 10),
        "nearest_archetype_id": "a1" if grouped and at % 12 == 10 else None,
        "duplicate_of": None,
        "x": math.cos(at),
        "y": math.sin(at),
    }


def community_features(members: list[dict[str, Any]]) -> pd.DataFrame:
    """A complete grid; unsolved_share is missing everywhere, with its reason."""
    grid = [(row["community_id"], feature) for row in members for feature in FEATURES]
    frame = pd.DataFrame(grid, columns=["community_id", "feature"])
    frame["value"] = [math.nan if feature == "unsolved_share" else 0.25 for feature in frame["feature"]]
    frame["low"], frame["high"] = frame["value"] - 0.05, frame["value"] + 0.05
    frame["n"], frame["coverage"] = 40, 1.0
    frame["missing_reason"] = ["too few threads" if math.isnan(value) else None for value in frame["value"]]
    return frame


def archetype(at: int) -> dict[str, Any]:
    """One archetype."""
    return {
        "archetype_id": f"a{at}",
        "name": ARCHETYPES[at],
        "summary": f"{ARCHETYPES[at]} come back more often than {40 + at} % of the market.",
        "communities": 4,
        "active_authors": 400 + at,
        "stability": 0.8,
        "counter_argument": f"Group {at} leans on {at + 2} large communities.",
        "would_change": f"{at + 30} more people who name a price.",
    }


def cluster(at: int) -> dict[str, Any]:
    """One cluster: two stable ones, a doubtful one, and a fourth that dissolves and is no archetype."""
    stability = (0.91, 0.8, 0.68, 0.41)[at]
    standing = ("stable", "stable", "doubtful", "dissolved")[at]
    archetype_id = f"a{at}" if at < 3 else None
    return {"cluster": at, "communities": 4, "stability": stability, "standing": standing, "archetype_id": archetype_id}


def niche(at: int, *, grouped: bool) -> dict[str, Any]:
    """One niche; the last has no words of its own, so that the report must find them."""
    name, parent = NICHES[at]
    said = {"counter_argument": f"{name} already have forum number {at}.", "would_change": f"A paid tool for {name.lower()}."}
    return {
        "niche_id": f"n{at}",
        "archetype_id": f"a{parent}" if grouped else None,
        "name": name,
        "summary": f"{name} ask for {at + 3} kinds of tool.",
        "communities": 3,
        "active_authors": 300 + at,
        "top_need": f"a better way to {name.lower()}",
        "stability": 0.7,
        **(said if at < 3 else {"counter_argument": "", "would_change": ""}),
    }


def archetype_features() -> list[dict[str, Any]]:
    """Profiles of all three archetypes."""
    return [
        {"archetype_id": f"a{at}", "feature": name, "value": 0.25, "low": 0.2, "high": 0.3, "unit": unit, "z": 2.5 - 1.3 * at - 0.4 * place}
        for at in range(3)
        for place, (name, (_, unit, _)) in enumerate(FEATURES.items())
    ]


def placed(scored: list[tuple[str, str]]) -> list[tuple[str, str, int]]:
    """Number the entities of each kind from zero."""
    seen: dict[str, int] = {}
    numbered = []
    for entity, entity_id in scored:
        numbered.append((entity, entity_id, seen.get(entity, 0)))
        seen[entity] = seen.get(entity, 0) + 1
    return numbered


def score(entity: str, entity_id: str, at: int) -> dict[str, Any]:
    """One row of a ranking: scores fall by four points, the intervals of the first three overlap."""
    value = max(72.0 - 4.0 * at, 2.0)
    return {
        "entity": entity,
        "entity_id": entity_id,
        "rank": at + 1,
        "verdict": VERDICTS[min(at // (4 if entity == "community" else 1), 3)],
        "verdict_reason": f"score {value:.1f} is what number {at} has",
        "score": value,
        "score_low": value - 6.0,
        "score_high": value + 5.0,
        "rank_low": max(at, 1),
        "rank_high": at + 3,
        "p_top5": 0.9 if at < 3 else 0.2,
        "coverage": 0.85,
    }


def components(entity: str, entity_id: str, at: int) -> list[dict[str, Any]]:
    """Contributions that add up to the log of the score."""
    total = math.log(max(72.0 - 4.0 * at, 2.0) / 100)
    return [
        {"entity": entity, "entity_id": entity_id, "component": item.name, "value": 0.5, "percentile": 0.6, "weight": item.weight}
        | {"contribution": total * item.weight}
        for item in COMPONENTS
    ]


def ingredient(entity: str, entity_id: str) -> dict[str, Any]:
    """One measured ingredient."""
    named = {"component": "demand", "ingredient": "seeking", "value": 0.2, "percentile": 0.7, "weight": 1.0, "missing_reason": None}
    return {"entity": entity, "entity_id": entity_id, **named}


def evidence(entity: str, entity_id: str, at: int) -> list[dict[str, Any]]:
    """Four records: two quotable of one community, one of another, and one that may not be quoted."""
    places = (("T1", 0, "is there a tool for this"), ("T4", 0, "I paid 40 dollars"), ("T0", 1, "I spend hours on it"), ("T3", 2, ""))
    return [
        {
            "entity": entity,
            "entity_id": entity_id,
            "record_id": f"reddit:t3_{at}{number}",
            "tier": tier,
            "community_id": f"reddit:place{place:02}",
            "url": f"https://www.reddit.com/comments/{at}{number}/",
            "quote": quote,
            "sha256": "ab" * 32,
        }
        for number, (tier, place, quote) in enumerate(places)
    ]


def needs(entity: str, entity_id: str, at: int) -> list[dict[str, Any]]:
    """Two needs."""
    said = ((f"a way to track ink number {at}", 31), ("cheaper spare parts", 12))
    return [{"entity": entity, "entity_id": entity_id, "need": need, "authors": authors, "communities": 3} for need, authors in said]


def published(path: Path, *, tables: Mapping[str, Rows] | None = None, invented: bool = False) -> Path:
    """Write a results file with one more published run: run-000001, then run-000002."""
    with Results.open(path) as results:
        run_id = results.resume_or_begin(started_at=BEGAN, provenance=PROVENANCE._replace(invented=invented))
        results.save(run_id, publication() if tables is None else tables)
        results.publish(run_id, at=BEGAN + 100 * int(run_id[-6:]))
    return path


def shown(path: Path) -> list[Any]:
    """Everything a reader sees of the published run."""
    return [ask(path, f'SELECT * FROM "{view}"') for view in VIEWS]  # noqa: S608  our own names
