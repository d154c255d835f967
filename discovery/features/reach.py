"""Where people also are: overlap with other measured communities, and with the user's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import special

from discovery.features.declaration import Evidence, Floats, Interval, Ratio, Reasons, Statistics, because, columns, feature
from discovery.features.estimation import author_share

if TYPE_CHECKING:
    import duckdb

SHARED = Ratio({"shared": 1}, "people")
PRIOR_SHARED = 5
"""Shared authors added to the observed and the expected number, so that small numbers stay near zero."""
ANONYMITY, ROUNDING = 10, 5
"""Fewer shared authors than this count as none; more are rounded down to this step."""

_SHARED = """
WITH people AS (SELECT row, a FROM partial.author JOIN span USING (c)),
mine AS (SELECT row AS own, a FROM people SEMI JOIN portfolio USING (row))
SELECT row, own, count(*) AS shared FROM people JOIN mine USING (a) WHERE row <> own GROUP BY ALL ORDER BY row, own
"""
_PEOPLE = """
SELECT split_part(community, ':', 1), count(DISTINCT a) FROM partial.author JOIN partial.community USING (c) SEMI JOIN span USING (c)
GROUP BY ALL
"""


def lifts(connection: duckdb.DuckDBPyConnection, *, communities: pd.DataFrame, places: Floats) -> pd.DataFrame:
    """Compare each community with each of the portfolio's on its platform: row, own, lift, low, high, shared, alike.

    ``communities`` says in ``portfolio`` which are the user's own; ``places`` are unit vectors, and ``alike`` is their cosine. Needs the
    temporary tables ``span`` and ``portfolio``.
    """
    shared = connection.execute(_SHARED).df().set_index(["row", "own"])["shared"]
    people = dict(connection.execute(_PEOPLE).fetchall())
    own = communities.index[communities["portfolio"]]
    grid = pd.MultiIndex.from_product([communities.index, own], names=["row", "own"]).to_frame(index=False)
    platform, authors = communities["platform"].to_numpy(), communities["authors"].to_numpy(dtype=float)
    grid = grid[(platform[grid["row"]] == platform[grid["own"]]) & (grid["row"] != grid["own"])].reset_index(drop=True)
    seen = shared.reindex(pd.MultiIndex.from_frame(grid), fill_value=0).to_numpy(dtype=float)
    seen = np.where(seen >= ANONYMITY, seen // ROUNDING * ROUNDING, 0.0)
    total = np.array([people.get(name, 1) for name in platform[grid["row"]]], dtype=float)
    expected = authors[grid["row"]] * authors[grid["own"]] / total + PRIOR_SHARED
    grid["lift"] = np.log((seen + PRIOR_SHARED) / expected)
    grid["low"] = np.log(special.gammaincinv(seen + PRIOR_SHARED, 0.05) / expected)
    grid["high"] = np.log(special.gammaincinv(seen + PRIOR_SHARED, 0.95) / expected)
    grid["shared"] = seen.astype("int64")
    grid["alike"] = (places[grid["row"]] * places[grid["own"]]).sum(axis=1)
    return pd.DataFrame(grid)


def lacking(communities: pd.DataFrame) -> Reasons:
    """Say why a community can be compared with none of the user's own."""
    own = communities["portfolio"].to_numpy(dtype=bool)
    reason = because(np.full(len(own), True), "portfolio: none of its communities is on this platform in this run")
    reason[own] = "portfolio: this is the only one of its communities here"
    reason[~communities["has_portfolio"].to_numpy(dtype=bool)] = "no portfolio configured"
    return reason


@feature(
    title="share of people who are also in another community of the run",
    unit="fraction, 0 to 1",
    formula="authors with a record in another measured community of the platform that is not in this one too / authors, beta-binomial "
    "shrinkage: a question of five tags is no overlap",
    source="author overlap, Hamilton et al. 2017; Martin 2017",
    block="behaviour",
    transform="logit",
    needs=Evidence(authors=30),
    ratio=SHARED,
)
def author_overlap(statistics: Statistics) -> pd.DataFrame:
    """Share of authors who are also active in another measured community."""
    alone = statistics.communities.groupby("platform")["platform"].transform("size") < 2
    reason = because(alone, "overlap: no other community of the platform is measured")
    return author_share(statistics, SHARED, reason=reason)


@feature(
    title="fit with your own communities",
    unit="log ratio, 0 is as many shared authors as size alone explains",
    formula="max over the portfolio of ln((O + 5) / (|A| |B| / N + 5)), O shared authors rounded down to 5, below 10 taken as 0, N "
    "authors of the platform",
    source="size null model; Poisson interval; k-anonymity of ten",
    block="market",
    transform="identity",
    needs=Evidence(authors=30),
    clustered=False,
)
def cross_promotion(statistics: Statistics) -> pd.DataFrame:
    """Best lift of shared authors with one of the user's own communities."""
    facts, pairs = statistics.communities, statistics.lifts
    best = pairs.sort_values(["row", "lift", "own"], ascending=[True, False, True]).drop_duplicates("row").set_index("row")
    best = best.reindex(facts.index)
    reason = lacking(facts)
    reason[best["lift"].notna()] = None
    value, low, high = (best[column].to_numpy(dtype=float) for column in ("lift", "low", "high"))
    return columns(Interval(value, low, high), n=best["shared"].fillna(0), coverage=facts["observed"], reason=reason)
