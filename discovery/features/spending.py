"""What people say they pay: amounts a month in the words of spending and buying, one per person.

In: hits of intent with the words they stand in. Out: the partials ``paid`` (by record) and ``payer`` (one amount per author), and the
feature. One currency only: a median over several would be of none, and a column needs one unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from discovery.features.amounts import amounts
from discovery.features.declaration import Evidence, Interval, Statistics, because, columns, feature
from discovery.features.partials import Partial
from discovery.features.text import Sentences, prose

if TYPE_CHECKING:
    import duckdb

    from discovery.features.intent import Hit

TOLD = ("T4", "T3")
"""Tiers whose words name an amount: what was spent, else what is to be."""
CURRENCY = "USD"
LEAST_PAYERS = 5

TABLES = "CREATE TABLE IF NOT EXISTS partial.paid (c INTEGER, key UBIGINT, currency VARCHAR, cents BIGINT)"
PARTIALS = (
    Partial(
        "payer",
        "SELECT c, a, min_by(currency, key) AS currency, min_by(cents, key) AS cents FROM entry JOIN partial.paid USING (c, key) "
        "SEMI JOIN readable USING (c) WHERE a IS NOT NULL GROUP BY c, a",
    ),
)
"""One amount per author: of the record with the smallest hash."""


def paid(words: str, hits: Mapping[str, Hit]) -> tuple[str, int] | None:
    """Give the first amount a month, not of a seat, in a sentence of spending or buying: its currency and hundredths a month."""
    own = prose(words)
    sentences = Sentences(own)
    for hit in (hits[tier] for tier in TOLD if tier in hits):
        end = sentences.bounds(hit.start)[1]
        for amount in amounts(own[hit.start : end]):
            if amount.monthly and not amount.seat:
                return amount.currency, amount.monthly
    return None


def payers(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Give each author's amount: row, currency, cents."""
    return connection.execute("SELECT row, currency, cents FROM partial.payer JOIN span USING (c) ORDER BY row, currency, cents").df()


@feature(
    title="what people pay a month",
    unit="US dollars a month",
    formula="median over authors of an amount a month named in words of spending (T4) or buying (T3), limits: the quartiles, not an error; "
    "a year, week or day is put into months; amounts without a period, per seat, as a range or in another currency are left out",
    source="stated payments and budgets; packaged lexicon",
    block="market",
    transform="log1p",
    needs=Evidence(authors=LEAST_PAYERS, lexicon=True),
    clustered=False,
    counted={"authors": "payers"},
)
def amount_paid(statistics: Statistics) -> pd.DataFrame:
    """Middle of what people say they pay, or mean to pay, for a product a month."""
    facts, told = statistics.communities, statistics.payers
    ours = told[told["currency"] == CURRENCY].groupby("row")["cents"]
    low, value, high = (ours.quantile(share).reindex(range(len(facts))).to_numpy(dtype=float) / 100 for share in (0.25, 0.5, 0.75))
    others = told[told["currency"] != CURRENCY].groupby(["row", "currency"]).size().groupby("row").max().reindex(range(len(facts)))
    few = facts["payers"] < LEAST_PAYERS
    reason = because(few & (others >= LEAST_PAYERS).to_numpy(), "currency: people name another one, and only US dollars are told")
    return columns(Interval(value, low, high), n=facts["payers"], coverage=facts["observed"], reason=reason)
