"""Loyalty: whose place this is, of all the places where people could be seen.

In: the partials ``author_month`` and ``several``, the temporary tables ``span`` and ``covered_month``. Out: the temporary tables
``everywhere`` (per person and month, over communities) and ``author_loyalty``. What a
person does elsewhere is known only where many communities of the platform are shown whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from discovery.features.declaration import Evidence, Ratio, Statistics, because, feature
from discovery.features.estimation import author_share
from discovery.features.selection import MONTH

if TYPE_CHECKING:
    import duckdb

LOYAL = Ratio({"loyal": 1}, "busy")
BUSY = 10
"""Records on the platform in a month from which half of them is a preference, not chance."""
WHOLE_COMMUNITIES = 10
"""Communities shown whole from which a person's doings on the platform count as known."""

_EVERYWHERE = """
CREATE OR REPLACE TEMP TABLE everywhere AS
WITH home AS (SELECT c, split_part(community, ':', 1) AS platform FROM span JOIN partial.community USING (c) WHERE NOT listing),
known AS (SELECT c FROM home JOIN (SELECT platform FROM home GROUP BY platform HAVING count(*) >= $whole) USING (platform)),
twice AS (
    SELECT a, t // $month AS m, count(*) - count(DISTINCT key) AS twice FROM partial.several SEMI JOIN known USING (c)
    WHERE entry GROUP BY ALL
)
SELECT a, m, sum(records)::BIGINT - coalesce(any_value(twice), 0) AS in_all
FROM partial.author_month SEMI JOIN known USING (c) LEFT JOIN twice USING (a, m) GROUP BY a, m
"""
"""Records of each author in a month in all communities of the platform; one that stands in several of them counts once."""

_LOYALTY = """
CREATE OR REPLACE TEMP TABLE author_loyalty AS
WITH here AS (
    SELECT c, a, m, month_to, in_all >= $busy AS busy, 2 * records >= in_all AS preferred FROM covered_month JOIN everywhere USING (a, m)
), followed AS (
    SELECT *, coalesce(lead(m) OVER own = m + 1 AND lead(preferred) OVER own, false) AS again
    FROM here WINDOW own AS (PARTITION BY c, a ORDER BY m)
)
SELECT c, a, count(*) AS busy, count(*) FILTER (preferred AND again) AS loyal FROM followed WHERE busy AND m < month_to - 1 GROUP BY c, a
"""


def loyalty_table(connection: duckdb.DuckDBPyConnection) -> None:
    """Build ``author_loyalty``: a person's busy months with a record in a community, and those of loyalty to it."""
    connection.execute(_EVERYWHERE, {"month": MONTH, "whole": WHOLE_COMMUNITIES})
    connection.execute(_LOYALTY, {"busy": BUSY})


@feature(
    title="share of busy people who keep to this place",
    unit="fraction, 0 to 1",
    formula="author-months with half or more of the author's records on the platform here, and in the next month again / author-months "
    "with a record here of authors with at least 10 records on the platform; whole covered 28-day months that another one follows; the "
    "platform is its communities that are shown whole in this run, at least 10; beta-binomial shrinkage to the platform's mean",
    source="Hamilton et al., ICWSM 2017 (loyalty: preference and commitment)",
    block="behaviour",
    transform="logit",
    needs=Evidence(authors=30, months=2, complete=True),
    clustered=False,
    ratio=LOYAL,
)
def loyalty(statistics: Statistics) -> pd.DataFrame:
    """Share of busy people who write most of what they write here, two months in a row."""
    facts = statistics.communities
    whole = (facts["coverage"] == "complete").groupby(facts["platform"]).transform("sum")
    reason = because(whole < WHOLE_COMMUNITIES, f"histories: fewer than {WHOLE_COMMUNITIES} communities of the platform are shown whole")
    return author_share(statistics, LOYAL, reason=reason)
