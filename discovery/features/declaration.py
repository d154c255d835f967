"""How a feature is declared: its name, unit, formula, source and least evidence go in; an entry in ``FEATURES`` comes out.

A feature is one function from :class:`Statistics` to a frame with one row per community. The gate of its declaration is
applied here, once, so that no feature decides for itself how little evidence is enough.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

Block = Literal["behaviour", "language", "market"]
Transform = Literal["identity", "log", "log1p", "logit"]
Floats = npt.NDArray[np.float64]
Reasons = npt.NDArray[np.object_]

UNDEFINED = "undefined: nothing to count in the denominator"
LISTING_REASON = "coverage: a listing shows a selection of records, and this needs all of them"


class Evidence(NamedTuple):
    """The least evidence a feature asks for; below it the feature is missing, with the reason."""

    authors: int = 0
    records: int = 0
    months: int = 0
    threads: int = 0
    tokens: int = 0
    complete: bool = False
    """Needs every record of its span; a listing or a sample cannot show it."""
    lexicon: bool = False
    """Needs a community whose language the intent patterns know."""


class Interval(NamedTuple):
    """Values of all communities with their 90 % limits, and the share of each value that is the community's own."""

    value: Floats
    low: Floats
    high: Floats
    own: Floats | float = np.nan
    """The rest of a shrunk value is its platform's; NaN where nothing was shrunk."""


class Ratio(NamedTuple):
    """What a feature's raw value is made of, so that a resampling of authors can recompute it: columns of ``author_sums``."""

    numerator: Mapping[str, float]
    """Weight of each column; most features have one, of weight 1."""
    denominator: str


@dataclass(frozen=True)
class Statistics:
    """What SQL has reduced the records to. Every frame is sorted; ``row`` is the position of a community."""

    communities: pd.DataFrame
    """One row per community, index 0..n-1: counts, spans and what its source can show."""
    authors: pd.DataFrame
    """Integer sums per (community, author): ``Measurement.author_sums``."""
    months: pd.DataFrame
    """row, month, authors: every covered month of a complete community, silent ones included."""
    spells: pd.DataFrame
    """row, nn, ns, ss: sums over authors of squares and products of their months and of those months' numbers."""
    lifetimes: pd.DataFrame
    """row, days (90 and more as 90), died, authors."""
    waits: pd.DataFrame
    """row, seconds, answered: one per aged post whose replies are known."""
    varieties: pd.DataFrame
    """row, left_out, hdd, mattr, mtld: how varied the sampled words are, whole (-1) and without each group of authors."""
    changes: pd.DataFrame
    """row, months, words, change, error: how much the sampled words change over covered months, where they fill any."""
    needs: pd.DataFrame
    """row, authors: votes per kind of need, unfiltered."""
    products: pd.DataFrame
    """row, authors: distinct authors who name a product, per product."""
    payers: pd.DataFrame
    """row, currency, cents: what each author who says so pays a month."""
    crossings: pd.DataFrame
    """row, crossed, texts: sampled texts per author, and those that stand in another community too."""
    comparisons: pd.DataFrame
    """row, said, elsewhere, size, spread, others: each content word of a community beside the background's."""
    lifts: pd.DataFrame
    """row, own, lift, low, high, shared, alike: each community beside each of the portfolio on its platform."""
    roamers: pd.DataFrame
    """row, people, alike, squares: sums over the people who also write elsewhere of how alike the places are that they write in."""
    own_links: pd.DataFrame
    """row, own, links: link posts per author, and those that point to the user's own sites."""
    waits_by_month: pd.DataFrame
    """row, month, waits, seconds, squares: sums over the waits between the records of a covered month, where there are enough."""
    scores: pd.DataFrame
    """row, score, posts: aged posts by what they scored, from the least."""
    intensities: pd.DataFrame
    """row, present_0 to _2, stayed_0 to _2, authors: people by their months of one, two to four, five and more records, and by those
    of them that a month of theirs follows."""
    links: pd.DataFrame
    """row, links, same, zz, zx, xx: sums over authors of the link posts and of how many point to the same place."""
    frozen: pd.Series[float]
    """What features were measured by in the run that is frozen, index feature, part; what it lacks is this run's own."""
    welcomes: pd.DataFrame
    """row, fresh, fresh_met, posts, met, authors: people by their posts, those written while new, and the answered ones of each."""


@dataclass(frozen=True)
class Feature:
    """The declaration of one feature."""

    name: str
    title: str
    """Plain words for a reader, lower case: "share of authors who return"."""
    unit: str
    formula: str
    source: str
    block: Block
    transform: Transform
    """What makes its scale fit for distances: counts log or log1p, rates logit."""
    needs: Evidence
    clustered: bool
    """Stands in the matrix that K-Means sees; the others serve the score and the profile."""
    compute: Callable[[Statistics], pd.DataFrame]
    ratio: Ratio | None = None
    counted: Mapping[str, str] = field(default_factory=dict)
    """Which statistic an amount of ``needs`` is counted by, where it is not the one of the same name."""


FEATURES: dict[str, Feature] = {}
"""Every feature by its name, in the order of declaration."""


def feature(  # noqa: PLR0913 - a declaration is a table of one row
    *,
    title: str,
    unit: str,
    formula: str,
    source: str,
    block: Block,
    transform: Transform,
    needs: Evidence,
    clustered: bool = True,
    ratio: Ratio | None = None,
    counted: Mapping[str, str] | None = None,
) -> Callable[[Callable[[Statistics], pd.DataFrame]], Callable[[Statistics], pd.DataFrame]]:
    """Register the decorated function as the feature of its name; what it returns then passes the declared gate."""

    def declare(compute: Callable[[Statistics], pd.DataFrame]) -> Callable[[Statistics], pd.DataFrame]:
        declared = Feature(
            name=compute.__name__, title=title, unit=unit, formula=formula, source=source, block=block, transform=transform,
            needs=needs, clustered=clustered, compute=compute, ratio=ratio, counted=dict(counted or {}),
        )  # fmt: skip
        if declared.name in FEATURES:
            raise ValueError(f"the feature `{declared.name}` is declared twice: rename one of the two functions")
        FEATURES[declared.name] = declared

        def measured(statistics: Statistics) -> pd.DataFrame:
            return gate(compute(statistics), declared, statistics.communities)

        measured.__name__, measured.__doc__ = compute.__name__, compute.__doc__
        return measured

    return declare


def columns(interval: Interval, *, n: npt.ArrayLike, coverage: npt.ArrayLike, reason: Reasons | None = None) -> pd.DataFrame:
    """Put a feature's estimates side by side; where a reason stands or the value is not finite, the value is missing."""
    value = np.asarray(interval.value, dtype=float)
    reasons = np.full(len(value), None, dtype=object) if reason is None else reason.copy()
    unnamed = ~np.isfinite(value) & ~_stated(reasons)
    reasons[unnamed] = UNDEFINED
    return _blanked({**interval._asdict(), "n": n, "coverage": coverage}, reasons)


def because(missing: npt.ArrayLike, why: str) -> Reasons:
    """Give the reason wherever the mask holds, and None elsewhere."""
    mask = np.asarray(missing, dtype=bool)
    reasons = np.full(len(mask), None, dtype=object)
    reasons[mask] = why
    return reasons


def gate(frame: pd.DataFrame, declared: Feature, communities: pd.DataFrame) -> pd.DataFrame:
    """Blank the rows below a feature's declared evidence and say why.

    What a source cannot show at all (the function's own reason, an unread language, a listing) is said before what is only few.
    """
    reasons = frame["missing_reason"].to_numpy(dtype=object).copy()
    open_to_gate = ~_stated(reasons) | (reasons == UNDEFINED)
    for amount in ("tokens", "threads", "months", "records", "authors"):
        least = getattr(declared.needs, amount)
        if least:
            column = declared.counted.get(amount, amount)
            have = communities[column].to_numpy()
            few = np.flatnonzero((have < least) & open_to_gate)
            counts, said = np.unique(have[few], return_inverse=True)
            told = [f"small_n: {count} {column.replace('_', ' ')}, {least} needed" for count in counts]
            reasons[few] = np.array(told, dtype=object)[said]
    if declared.needs.lexicon:
        reasons = np.where(communities["lexicon"], reasons, communities["lexicon_reason"].to_numpy(dtype=object))
    if declared.needs.complete:
        reasons = np.where(communities["coverage"] == "complete", reasons, LISTING_REASON)
    return _blanked({name: frame[name].to_numpy() for name in frame.columns[:-1]}, reasons)


def _blanked(told: Mapping[str, npt.ArrayLike], reasons: Reasons) -> pd.DataFrame:
    """Hold the border: NaN exactly where a reason stands."""
    missing = _stated(reasons)
    frame = {name: np.where(missing, np.nan, told[name]) for name in ("value", "low", "high", "own")}
    frame["n"] = np.broadcast_to(np.asarray(told["n"], dtype="int64"), len(reasons))
    frame["coverage"] = np.where(missing, 0.0, told["coverage"])
    return pd.DataFrame({**frame, "missing_reason": pd.Series(reasons, dtype=object)})


def _stated(reasons: Reasons) -> npt.NDArray[np.bool_]:
    """Tell where a reason stands."""
    return ~pd.isna(reasons)
