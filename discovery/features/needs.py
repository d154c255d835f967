"""What people want and would pay for: the rates of the intent tiers per distinct author, and how much their needs agree."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import special

from discovery.features.declaration import Evidence, Interval, Ratio, Statistics, columns, feature
from discovery.features.estimation import Z90, author_share, author_totals, totals
from discovery.features.partials import Partial

LADDER = "one vote per author; packaged lexicon; idioms, denials and promoters vetoed; beta-binomial shrinkage to the platform's mean"
MONEY_WEIGHTS = {"T4": 1.0, "T3": 0.6, "T2": 0.25, "N": -0.4}
"""Revealed spend counts most; what people say they would pay is inflated (hypothetical bias, median 1.35 and a heavy tail)."""
PEOPLE = Evidence(authors=30, lexicon=True)
VOTERS = {"authors": "voters"}
MONEY = Ratio(MONEY_WEIGHTS, "voters")


TABLES = """
CREATE TABLE IF NOT EXISTS partial.wish (c INTEGER, key UBIGINT, asked BOOLEAN, alone VARCHAR);
CREATE TABLE IF NOT EXISTS partial.run (c INTEGER, key UBIGINT, stems VARCHAR, size INTEGER, words VARCHAR, way VARCHAR, groups BOOLEAN);
"""
"""What records ask for, and the runs of words in it."""
PARTIALS = (
    Partial(
        "voice",
        "SELECT c, a, key, asked, alone FROM entry JOIN partial.wish USING (c, key) SEMI JOIN readable USING (c) WHERE a IS NOT NULL",
    ),
)
"""Who asks."""


class _Voice(NamedTuple):
    """A feature that is the share of people who show a tier of intent."""

    name: str
    tier: str
    title: str
    """Follows "share of people"."""
    source: str
    says: str
    """Follows "Share of authors who"."""
    clustered: bool = True


_VOICES = (
    _Voice("seeking", "T1", "who look for a solution", "request patterns; E3 of the design (posterior mean ranks best)",
        "ask for a tool, service or way to do something."),
    _Voice("pain", "T0", "who report a pain", "pain patterns", "report lost hours, tedium or frustration."),
    _Voice("revealed_spend", "T4", "who say what they paid", "revealed preference", "report a payment they made."),
    _Voice("procurement", "T3", "about to buy or switch", "purchase intent, Haque et al.",
        "name a budget, want to buy or switch from a product."),
    _Voice("hypothetical_pay", "T2", "who say they would pay", "stated preference; hypothetical bias, Murphy et al. 2005",
        "say they would pay; talk is cheap.", clustered=False),
    _Voice("refusal", "N", "who refuse to pay", "refusal patterns", "will not pay or ask for the free alternative.", clustered=False),
    _Voice("price_sensitivity", "S", "who find it too expensive", "price complaint patterns",
        "complain about a price: pain for the incumbent, a ceiling for us."),
    _Voice("workaround_rate", "W", "who work around a problem", "workaround patterns",
        "do it by hand, in a spreadsheet or with a script of their own."),
)  # fmt: skip


def _declare(voice: _Voice) -> None:
    """Declare one of the shares; they differ in nothing but the row of the table."""
    ratio = Ratio({voice.tier: 1}, "voters")

    def share(statistics: Statistics) -> pd.DataFrame:
        return author_share(statistics, ratio)

    share.__name__, share.__doc__ = voice.name, f"Share of authors who {voice.says}"
    feature(
        title=f"share of people {voice.title}", unit="fraction of authors, 0 to 1", formula=f"{voice.tier} authors / authors; {LADDER}",
        source=voice.source, block="market", transform="logit", needs=PEOPLE, ratio=ratio, clustered=voice.clustered, counted=VOTERS,
    )(share)  # fmt: skip


for _voice in _VOICES:
    _declare(_voice)


@feature(
    title="money on the table", unit="weighted share of authors",
    formula="T4 + 0.6 · T3 + 0.25 · T2 − 0.4 · N, each the shrunk share of distinct authors",
    source="tier ladder revealed > intended > hypothetical", block="market", transform="identity", needs=PEOPLE, ratio=MONEY,
    clustered=False, counted=VOTERS,
)  # fmt: skip
def money(statistics: Statistics) -> pd.DataFrame:
    """Revealed, intended and hypothetical spending per distinct author, less refusals."""
    parts = {tier: author_share(statistics, Ratio({tier: 1}, "voters")) for tier in MONEY_WEIGHTS}
    value = sum((weight * parts[tier]["value"].to_numpy() for tier, weight in MONEY_WEIGHTS.items()), np.zeros(len(statistics.communities)))
    errors = {tier: (part["high"] - part["low"]).to_numpy() / (2 * Z90) for tier, part in parts.items()}
    error = np.sqrt(sum(((weight * errors[tier]) ** 2 for tier, weight in MONEY_WEIGHTS.items()), np.zeros(len(value))))
    voters = author_totals(statistics, "voters")
    own = np.mean([part["own"].to_numpy() for part in parts.values()], axis=0)
    coverage = statistics.communities["observed"]
    return columns(Interval(value, value - Z90 * error, value + Z90 * error, own), n=voters, coverage=coverage)


@feature(
    title="how much needs agree",
    unit="0 (everyone needs something else) to 1 (all need the same)",
    formula="1 − H / ln n over n votes (author × kind of need) of T0 and T1 records that name one, H their entropy over kinds; where all "
    "votes agree, the interval allows for another kind that n votes can miss",
    source="normalised entropy; error by linearisation",
    block="market",
    transform="identity",
    needs=Evidence(authors=10, lexicon=True),
    counted={"authors": "need_votes"},
)
def need_concentration(statistics: Statistics) -> pd.DataFrame:
    """Agreement of the needs that authors voice."""
    facts, table = statistics.communities, statistics.needs
    rows, votes = table["row"].to_numpy(), table["authors"].to_numpy(dtype=float)
    total = totals(rows, votes, len(facts))
    with np.errstate(divide="ignore", invalid="ignore"):
        share = votes / total[rows]
        surprise = -np.log(share)
        entropy = totals(rows, share * surprise, len(facts))
        spread = totals(rows, share * (surprise - entropy[rows]) ** 2, len(facts))
        value = np.where(total > 1, 1 - entropy / np.log(total), np.nan)
        error = np.sqrt(spread / total) / np.log(total)
        other = 1 - 0.05 ** (1 / total)  # what of them may mean something else where all mean the same
        least = 1 - (special.entr(other) + special.entr(1 - other)) / np.log(total)
    low, high = np.where(entropy > 0, np.maximum(value - Z90 * error, 0), least), np.minimum(value + Z90 * error, 1)
    agreed = Interval(np.clip(value, 0, 1), np.minimum(low, value), np.maximum(high, value))
    return columns(agreed, n=total, coverage=facts["observed"])
