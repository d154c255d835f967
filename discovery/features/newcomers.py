"""Newcomers: who of the new people acts again.

In: the partial ``author`` and the temporary table ``span``. Out: the temporary table ``author_newcomer``. A newcomer is a person
whose first record comes after enough months in which nobody's records were out of sight; before that, everybody seems new.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from discovery.features.authors import LOOK_BACK_MONTHS
from discovery.features.declaration import Evidence, Ratio, Statistics, feature
from discovery.features.estimation import author_share
from discovery.features.selection import MONTH

if TYPE_CHECKING:
    import duckdb

CONVERTED = Ratio({"converted": 1}, "arrived")
SETTLING_IN = MONTH
"""Time from the first record in which a person is new, and in which a newcomer acts again or does not."""

_NEWCOMER = """
CREATE OR REPLACE TEMP TABLE author_newcomer AS
SELECT c, a, 1 AS arrived, coalesce(second_day <= (first_t + $settling) // 86400, false)::TINYINT AS converted
FROM partial.author JOIN span USING (c)
WHERE NOT listing AND first_t BETWEEN (month_from + $look_back) * $month AND now - $settling
"""


def newcomer_table(connection: duckdb.DuckDBPyConnection) -> None:
    """Build ``author_newcomer``: one row per new author of a complete community, and whether a later day saw another record in time."""
    connection.execute(_NEWCOMER, {"look_back": LOOK_BACK_MONTHS, "month": MONTH, "settling": SETTLING_IN})


@feature(
    title="share of new people who act again within four weeks",
    unit="fraction, 0 to 1",
    formula="authors with a record on one of the 28 days (UTC) after that of their first / authors whose first record has at least 112 "
    "covered days before it and 28 days after it, beta-binomial shrinkage to the platform's mean",
    source="CHAOSS conversion rate; look-back against left truncation",
    block="behaviour",
    transform="logit",
    needs=Evidence(authors=30, months=5, complete=True),
    clustered=False,
    ratio=CONVERTED,
)
def newcomer_conversion(statistics: Statistics) -> pd.DataFrame:
    """Share of new authors who act again on one of the 28 days after that of their first record; what they add at once is one visit."""
    return author_share(statistics, CONVERTED)
