"""Reception: what the votes on a community's posts say.

In: the entries of a batch. Out: the partial of scores; from it, once ``now`` is known, how many posts have which score, and how
posts of one author go together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from discovery.features.declaration import Evidence, Floats, Interval, Statistics, because, columns, feature
from discovery.features.estimation import Z90, AuthorSums, effect_of_sums, totals
from discovery.features.partials import Partial
from discovery.features.replies import PATIENCE

if TYPE_CHECKING:
    import duckdb

NO_SCORES, FRESH_SCORES = "scores: the source shows none", "scores: the source shows none of a post of 48 hours"

PARTIALS = (Partial("score", "SELECT c, a, t, greatest(score, 0) AS score FROM entry WHERE post AND score IS NOT NULL"),)
"""Posts whose score is shown."""

_SCORED = """
CREATE OR REPLACE TEMP TABLE scored AS
SELECT row, a, score FROM partial.score JOIN span USING (c) WHERE t <= now - $patience
"""

_CLUMPS = """
WITH middle AS (SELECT row, quantile_disc(score, 0.5) AS middle FROM scored GROUP BY row),
author AS (
    SELECT row, count(*) AS x, count(*) FILTER (score <= middle) AS y FROM scored JOIN middle USING (row)
    WHERE a IS NOT NULL GROUP BY row, a
)
SELECT row, count(*) AS scored_people, sum(x)::BIGINT AS scored_x, sum(y)::BIGINT AS scored_y, sum(x * x)::BIGINT AS scored_xx,
    sum(y * y)::BIGINT AS scored_yy, sum(x * y)::BIGINT AS scored_xy
FROM author GROUP BY row ORDER BY row
"""


def scores(connection: duckdb.DuckDBPyConnection) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Count aged posts by their score (row, score, posts, in order); all that show one, and sums over authors for a design effect."""
    connection.execute(_SCORED, {"patience": PATIENCE})
    shown = connection.execute("SELECT row, count(*) AS shown_scores FROM partial.score JOIN span USING (c) GROUP BY row").df()
    counts = connection.execute("SELECT row, score, count(*) AS posts FROM scored GROUP BY ALL ORDER BY row, score").df()
    return counts, shown.set_index("row").join(connection.execute(_CLUMPS).df().set_index("row"))


@feature(
    title="how well posts are received",
    unit="ln(1 + votes) of the middle post",
    formula="median of ln(1 + score) over posts of at least 48 h whose score is shown, a negative score as 0; in a listing over the posts "
    "it shows; scores are a snapshot, as last seen; limits: order statistics, as far from the middle as the share of posts below it varies "
    "over authors. A median needs no winsorising",
    source="Woodruff 1952 (interval of a quantile); posts of one author go together: linearised ratio",
    block="behaviour",
    transform="identity",
    needs=Evidence(records=20),
    clustered=False,
    counted={"records": "scored_posts"},
)
def median_score(statistics: Statistics) -> pd.DataFrame:
    """Median of the logarithm of posts' scores."""
    facts, table = statistics.communities, statistics.scores
    posts = totals(table["row"], table["posts"], len(facts))
    sums = AuthorSums(*(facts[f"scored_{name}"].to_numpy(dtype=float) for name in AuthorSums._fields))
    reach = Z90 * np.sqrt(effect_of_sums(sums) * posts) / 2
    ranks = (np.floor((posts + 1) / 2), np.floor(posts / 2) + 1, np.floor(posts / 2 - reach), np.ceil(posts / 2 + reach) + 1)
    lower, upper, low, high = (_ranked(table, posts, rank) for rank in ranks)
    aged, shown = (facts.groupby("source_id")[name].transform("sum") > 0 for name in ("scored_posts", "shown_scores"))
    reason = because(~aged, FRESH_SCORES)
    reason[~shown] = NO_SCORES
    coverage = facts["observed"].to_numpy() * posts / np.maximum(facts["posts"].to_numpy(), 1)
    return columns(Interval((lower + upper) / 2, low, high), n=posts, coverage=coverage, reason=reason)


def _ranked(table: pd.DataFrame, posts: Floats, rank: Floats) -> Floats:
    """Give ln(1 + score) of each community's post of a rank from below, 1 the least; the nearest there is where it is beyond the ends."""
    up_to = np.cumsum(table["posts"].to_numpy(dtype=float))
    before = np.cumsum(posts) - posts
    place = np.searchsorted(up_to, before + np.clip(rank, 1, np.maximum(posts, 1)))
    found = np.append(np.log1p(table["score"].to_numpy(dtype=float)), np.nan)[np.minimum(place, len(table))]
    return np.where(posts > 0, found, np.nan)
