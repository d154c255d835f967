"""Welcome: whether new people's posts are answered as others' are.

In: the partial ``author`` and the temporary tables ``thread_state`` and ``span``. Out: how many people have so many posts, answered
or not, written while they were new or later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from discovery.features.authors import LOOK_BACK_MONTHS
from discovery.features.declaration import Evidence, Interval, Statistics, because, columns, feature
from discovery.features.estimation import Z90, totals
from discovery.features.newcomers import SETTLING_IN
from discovery.features.replies import NOT_STORED, PATIENCE
from discovery.features.selection import MONTH

if TYPE_CHECKING:
    import duckdb

SIGN = {"fresh_met": 1, "met": -1, "fresh": -1, "posts": 1}
"""ln(fresh_met / met) − ln(fresh / posts): with which sign each sum enters."""
HALVES = pd.DataFrame({"fresh": [1, 1, 0, 0], "fresh_met": [1, 0, 0, 0], "posts": 1, "met": [1, 0, 1, 0], "authors": 0.5})
"""Half a person of each kind, added to each community: an answered and an unanswered newcomer, and two who are not new."""

_WELCOMES = """
WITH asker AS (
    SELECT row, a, count(*) AS posts, count(*) FILTER (answered AND wait <= $patience) AS met,
        count(*) FILTER (t < first_t + $settling) AS fresh,
        count(*) FILTER (t < first_t + $settling AND answered AND wait <= $patience) AS fresh_met
    FROM thread_state JOIN partial.author USING (c, a) JOIN (SELECT c, month_from, listing FROM span) USING (c)
    WHERE wait IS NOT NULL AND NOT listing AND t >= (month_from + $look_back) * $month + $settling
    GROUP BY row, a
)
SELECT row, fresh, fresh_met, posts, met, count(*) AS authors FROM asker GROUP BY ALL ORDER BY row, fresh, fresh_met, posts, met
"""


def welcomes(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Count people by their aged posts: row, fresh (posts written while new), fresh_met (of those answered), posts, met, authors."""
    amounts = {"patience": PATIENCE, "settling": SETTLING_IN, "look_back": LOOK_BACK_MONTHS, "month": MONTH}
    return connection.execute(_WELCOMES, amounts).df()


@feature(
    title="how new people's posts are answered, against everybody's",
    unit="log ratio, 0 is as everybody's",
    formula="ln((newcomers' share of the posts another person answers within 48 h) / (newcomers' share of posts)), drawn towards 0 by half "
    "a post of each kind, new or not, answered or not; newcomers: authors within 28 days of their first record; posts of at least 48 h "
    "with at least 140 covered days before them, so that nobody seems new who was only out of sight; interval over authors",
    source="welcome ratio of the design; Haldane 1956 (halves in log odds); linearised ratio",
    block="behaviour",
    transform="identity",
    needs=Evidence(authors=30, months=6, threads=10, complete=True),
    clustered=False,
    counted={"threads": "newcomer_posts"},
)
def welcome_ratio(statistics: Statistics) -> pd.DataFrame:
    """Log of how much more or less often a newcomer's post is answered than a post is."""
    facts, size = statistics.communities, len(statistics.communities)
    halves = HALVES.iloc[np.tile(np.arange(len(HALVES)), size)].assign(row=np.repeat(np.arange(size), len(HALVES)))
    table = pd.concat([statistics.welcomes, halves], ignore_index=True)
    rows, people = table["row"].to_numpy(dtype=np.intp), table["authors"].to_numpy(dtype=float)
    each = {name: table[name].to_numpy(dtype=float) for name in SIGN}
    whole = {name: totals(rows, part * people, size) for name, part in each.items()}
    value = np.where(facts["newcomer_posts"] > 0, sum(SIGN[name] * np.log(whole[name]) for name in SIGN), np.nan)
    pull = sum(SIGN[name] * each[name] / whole[name][rows] for name in SIGN)
    half = Z90 * np.sqrt(totals(rows, people * pull**2, size))
    reason = because(~facts["stores_replies"], NOT_STORED)
    return columns(Interval(value, value - half, value + half), n=facts["newcomer_posts"], coverage=facts["observed"], reason=reason)
