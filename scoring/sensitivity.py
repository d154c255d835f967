"""How much the ranking hangs on the weights: each component's weight halved and doubled, one at a time.

In flow a ranking. Out flow the rank that every entity would have, and a sentence on who would come first; the weights of the score
are a prior, not a measurement, and this shows where that matters.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from scoring.components import WEIGHTS, combine
from scoring.formula import COMPONENTS
from scoring.verdicts import Gates, Ranking, grade, order

FACTORS = (0.5, 2.0)


def one_at_a_time(ranking: Ranking) -> pd.DataFrame:
    """Rank again with one weight changed. Verdicts follow the new score; its interval keeps its width.

    Returns:
        One row per component, factor and entity: component, factor, entity_id, score, rank, moved (places up; down is negative).
        Entities without a score are left out.
    """
    scores = ranking.scores
    ids = scores.facts.index
    tonight = ranking.table["rank"].reindex(ids).to_numpy()
    gates = Gates.of(scores, ranking.table["score_low"].reindex(ids).to_numpy(float))
    scored = ~np.isnan(gates.score)
    parts = []
    for position, component in enumerate(COMPONENTS):
        for factor in FACTORS:
            weights = WEIGHTS.copy()
            weights[position] *= factor
            score = combine(scores.components.to_numpy(float), weights)[0]
            grades = grade(gates._replace(score=score, score_low=score - (gates.score - gates.score_low)), ranking.thresholds)
            ranks = np.empty(len(ids), dtype=np.int64)
            ranks[order(grades, score)] = np.arange(1, len(ids) + 1)
            part = pd.DataFrame({"entity_id": ids, "score": score, "rank": ranks, "moved": tonight - ranks})
            parts.append(part.assign(component=component.name, factor=factor)[scored])
    columns = ["component", "factor", "entity_id", "score", "rank", "moved"]
    return pd.concat(parts, ignore_index=True)[columns]


def leadership(ranking: Ranking, names: pd.Series) -> str:
    """Say in a sentence whether the first place hangs on a weight; empty where fewer than two entities have a score.

    Args:
        ranking: Of archetypes, niches or communities.
        names: What to call each entity, by id.
    """
    moves = one_at_a_time(ranking)
    if moves["entity_id"].nunique() < 2:
        return ""
    first, cases = ranking.table.index[0], len(COMPONENTS) * len(FACTORS)
    others = moves[(moves["rank"] == 1) & (moves["entity_id"] != first)]
    said = f"With one component's weight halved or doubled at a time, {names[first]} stays first in {cases - len(others)} of {cases} cases"
    changes = [
        f"{names[entity]} comes first with {component.replace('_', ' ')} {'doubled' if factor > 1 else 'halved'}"
        for entity, component, factor in others[["entity_id", "component", "factor"]].itertuples(index=False)
    ]
    return "; ".join([said, *changes]) + "."
