"""Whether what others found about communities holds in a run: rank correlations of published relations, told as they come out.

In: the results file. Out: rows, one per relation, with n, Spearman's rho, its 90 % interval and a word. Nothing here is tuned, and nothing
else reads it: a relation that does not hold is news about the data or about us, and is printed like one that does. Communities are
ranked within their platform first, so that two platforms side by side are not taken for a relation.
"""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from storage.reading import Answer, ask

LEAST_COMMUNITIES = 20
"""Communities that a correlation needs to say anything."""
LOW = 0.5
"""A correlation below this is low; above, two measures of success share more than a quarter of their ranks' variance."""
DRAWS = 2_000
SEED = 0
MOST = 10_000_000


class Relation(NamedTuple):
    """What a paper says of two features."""

    one: str
    other: str
    says: Literal["positive", "low"]
    source: str


class Finding(NamedTuple):
    """What a run says of it."""

    n: int
    rho: float | None
    low: float | None
    high: float | None
    verdict: Literal["holds", "does not", "cannot tell"]
    why: str


IDENTITY = "Zhang et al., ICWSM 2017: dynamic and distinctive communities keep more of their people"
SUCCESS = "Cunha et al., WWW 2019: who succeeds in one way need not in another (their survival is of communities, ours of people)"
RELATIONS = (
    Relation("dynamicity", "retention", "positive", IDENTITY),
    Relation("specificity", "retention", "positive", IDENTITY),
    *(Relation(*pair, "low", SUCCESS) for pair in combinations(("growth", "retention", "survival_90", "posting_frequency"), 2)),
)


def science_check(path: Path) -> Answer:
    """Check every relation on the published run: relation, claim, n, rho, low, high, verdict, why, source.

    Raises:
        ResultsFileError: the file is missing, foreign, damaged or newer.
    """
    answer = ask(path, "SELECT community_id, feature, value FROM community_features", limit=MOST)
    values = pd.DataFrame(answer.rows, columns=answer.columns).pivot(index="community_id", columns="feature", values="value")
    rows = [_row(relation, check(values, relation)) for relation in RELATIONS]
    return Answer(["relation", "claim", *Finding._fields, "source"], rows, truncated=False)


def check(values: pd.DataFrame, relation: Relation) -> Finding:
    """Hold a relation to values of features: index community key, one column per feature, NaN where missing."""
    absent = [name for name in (relation.one, relation.other) if name not in values or values[name].isna().all()]
    if absent:
        return Finding(0, None, None, None, "cannot tell", f"not measured: {', '.join(absent)}")
    pair = values[[relation.one, relation.other]].astype(float).dropna()
    if len(pair) < LEAST_COMMUNITIES:
        why = f"{len(pair)} communities have both, {LEAST_COMMUNITIES} needed"
        return Finding(len(pair), None, None, None, "cannot tell", why)
    ranks = pair.groupby(pair.index.str.split(":").str[0]).rank(pct=True).to_numpy()
    rho, low, high = _spearman(ranks)
    if not np.isfinite([rho, low, high]).all():
        return Finding(len(pair), None, None, None, "cannot tell", "one of the two is the same everywhere")
    return Finding(len(pair), rho, low, high, *_judged(relation.says, low, high))


def _spearman(ranks: np.ndarray) -> tuple[float, float, float]:
    """Give Spearman's rho and its 90 % limits, by drawing communities again (percentiles of a seeded bootstrap)."""
    random = np.random.default_rng(SEED)
    drawn = [_correlation(ranks[random.integers(len(ranks), size=len(ranks))]) for _ in range(DRAWS)]
    low, high = np.quantile(drawn, (0.05, 0.95))
    return _correlation(ranks), float(low), float(high)


def _correlation(ranks: np.ndarray) -> float:
    one, other = (stats.rankdata(column) - (len(ranks) + 1) / 2 for column in ranks.T)
    scale = np.sqrt((one @ one) * (other @ other))
    return float(one @ other / scale) if scale > 0 else float("nan")


def _judged(says: str, low: float, high: float) -> tuple[Literal["holds", "does not", "cannot tell"], str]:
    """Say whether an interval lies where a paper says, lies elsewhere, or lies across."""
    if says == "positive":
        holds, fails, border = low > 0, high <= 0, "0"
    else:
        holds, fails, border = low > -LOW and high < LOW, low >= LOW or high <= -LOW, f"{LOW:g}"
    if holds or fails:
        return ("holds" if holds else "does not"), ""
    return "cannot tell", f"the interval reaches across {border}"


def _row(relation: Relation, finding: Finding) -> tuple[Any, ...]:
    claim = "positive" if relation.says == "positive" else f"between -{LOW:g} and {LOW:g}"
    return f"{relation.one} and {relation.other}", claim, *finding, relation.source
