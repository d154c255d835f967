"""Who stays: monthly retention, churn, survival and newcomers. All of it needs every record of the span, never a listing."""

from __future__ import annotations

import numpy as np
import pandas as pd

from discovery.features.authors import HORIZON
from discovery.features.declaration import Evidence, Floats, Interval, Ratio, Statistics, columns, feature
from discovery.features.estimation import Z90, author_share, totals
from discovery.features.survival import restricted_mean, surviving

STAYED = Ratio({"stayed": 1}, "present")
NEWCOMERS = Ratio({"newcomers": 1}, "seasoned")
LIVES = Evidence(authors=30, months=4, complete=True)
GONE = (
    "gone = silent for longer than the 99th percentile of the community's own gaps, kept within 28 and 90 days; the others are "
    "right-censored on the last whole day that such a silence could still follow"
)
SURVIVING = "Kaplan–Meier share of authors whose days from first to last record are at least"


@feature(
    title="share of a month's people who return the next month",
    unit="fraction, 0 to 1",
    formula="Σ |A(m) ∩ A(m+1)| / Σ |A(m)| over whole covered 28-day months, beta-binomial shrinkage to the platform's mean; the interval "
    "counts authors, not author-months",
    source="Zhang et al., ICWSM 2017 (monthly retention); Kleinman 1973 (shrinkage)",
    block="behaviour",
    transform="logit",
    needs=Evidence(authors=30, months=2, complete=True),
    ratio=STAYED,
)
def retention(statistics: Statistics) -> pd.DataFrame:
    """Share of a month's authors who act again in the next month."""
    return author_share(statistics, STAYED)


@feature(
    title="share of a month's people who are gone the next month",
    unit="fraction, 0 to 1",
    formula="1 − retention",
    source="as retention",
    block="behaviour",
    transform="logit",
    needs=Evidence(authors=30, months=2, complete=True),
    clustered=False,
)
def churn(statistics: Statistics) -> pd.DataFrame:
    """Share of a month's authors who are silent in the next."""
    kept = retention(statistics)
    reasons = kept["missing_reason"].to_numpy(dtype=object)
    value, low, high = (1 - kept[column].to_numpy() for column in ("value", "high", "low"))
    return columns(Interval(value, low, high), n=kept["n"], coverage=kept["coverage"], reason=reasons)


@feature(
    title="days people stay, of ninety",
    unit="days, 0 to 90",
    formula=f"area under the Kaplan–Meier curve of the time from an author's first to last record, to day 90; {GONE}",
    source="restricted mean survival time, Royston & Parmar 2013; Greenwood variance",
    block="behaviour",
    transform="log1p",
    needs=LIVES,
)
def rmst_90(statistics: Statistics) -> pd.DataFrame:
    """Mean days between an author's first and last record, of the first ninety."""
    ended, withdrawn = _lives(statistics)
    value, error = restricted_mean(ended, withdrawn)
    low, high = np.maximum(value - Z90 * error, 0), np.minimum(value + Z90 * error, HORIZON)
    return columns(Interval(value, low, high), n=(ended + withdrawn).sum(axis=1), coverage=statistics.communities["observed"])


@feature(
    title="share of people who stay four weeks", unit="fraction, 0 to 1", formula=f"{SURVIVING} 28; {GONE}",
    source="Kaplan & Meier 1958; Greenwood variance", block="behaviour", transform="logit", needs=LIVES, clustered=False,
)  # fmt: skip
def survival_28(statistics: Statistics) -> pd.DataFrame:
    """Share of authors whose last record is at least 28 days after their first."""
    return _surviving(statistics, days=28)


@feature(
    title="share of people who stay a quarter of a year", unit="fraction, 0 to 1", formula=f"{SURVIVING} 90; {GONE}",
    source="Kaplan & Meier 1958; Greenwood variance", block="behaviour", transform="logit", needs=LIVES, clustered=False,
)  # fmt: skip
def survival_90(statistics: Statistics) -> pd.DataFrame:
    """Share of authors whose last record is at least 90 days after their first."""
    return _surviving(statistics, days=HORIZON)


def _surviving(statistics: Statistics, *, days: int) -> pd.DataFrame:
    """Estimate the share of authors who stay so many days."""
    ended, withdrawn = _lives(statistics)
    value, error = surviving(ended, withdrawn, periods=days)
    low, high = np.maximum(value - Z90 * error, 0), np.minimum(value + Z90 * error, 1)
    return columns(Interval(value, low, high), n=(ended + withdrawn).sum(axis=1), coverage=statistics.communities["observed"])


def _lives(statistics: Statistics) -> tuple[Floats, Floats]:
    """Count the authors who went silent and those who may be there still, by community and days between first and last record."""
    size, table = len(statistics.communities), statistics.lifetimes
    cell = table["row"].to_numpy() * (HORIZON + 1) + table["days"].to_numpy()
    died = table["died"].to_numpy(dtype=bool)
    gone, there = (totals(cell, table["authors"] * kept, size * (HORIZON + 1)).reshape(size, HORIZON + 1) for kept in (died, ~died))
    return gone, there


@feature(
    title="share of a month's people who are new",
    unit="fraction, 0 to 1",
    formula="authors first seen in month m / authors of month m, over covered months with at least 112 covered days before them",
    source="CHAOSS new contributors; look-back against left truncation",
    block="behaviour",
    transform="logit",
    needs=Evidence(authors=30, months=5, complete=True),
    ratio=NEWCOMERS,
)
def newcomer_share(statistics: Statistics) -> pd.DataFrame:
    """Share of a month's authors who have not been seen before."""
    return author_share(statistics, NEWCOMERS)
