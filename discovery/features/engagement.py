"""How deep talk goes: replies per post, people per thread, regulars, and the one axis they share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from discovery.features.background import KEY
from discovery.features.declaration import Evidence, Floats, Interval, Ratio, Statistics, because, columns, feature
from discovery.features.estimation import Z90, author_share, author_totals, per_unit, proportions, rates, totals
from discovery.features.replies import NO_REPLIES, NOT_STORED

ENGAGED = Ratio({"engaged": 1}, "months")
LEAST_PARTS = 2
LEAST_PAIRS = 30
"""Pairs of people who answer each other that a share of mutual ones needs."""
PULLS = ("mutual_squares", "mutual_contacts", "contact_squares")
"""Sums over people of squares and products of their mutual pairs and of all their pairs."""
LEAST_COMMUNITIES = 10
"""Communities a principal axis needs."""
LEAST_SPREAD = 1e-3
"""Standard deviation, on its own scale, from which a part tells communities apart; what differs by less must not be blown up to one."""
STANDARD = ["middle", "spread", "loading"]
"""What each part is put on the common axis by."""


@feature(
    title="replies per post",
    unit="replies per post",
    formula="(replies + a) / (posts + b), per thread the larger of the replies stored and the replies the platform counts, those of "
    "known programs taken off; gamma prior of the platform",
    source="comment depth; Gamma-Poisson empirical Bayes with overdispersion over threads, in the limits also over authors",
    block="behaviour",
    transform="log1p",
    needs=Evidence(threads=10),
)
def comments_per_post(statistics: Statistics) -> pd.DataFrame:
    """Replies per post."""
    facts = statistics.communities
    known = facts["stores_replies"] | facts["counts_replies"]
    return _per_thread(statistics, "answer", known=known, threads="counted_threads", reason=NO_REPLIES)


@feature(
    title="other people per thread",
    unit="authors per thread",
    formula="(distinct authors who reply, without the asker + a) / (threads + b), gamma prior of the platform",
    source="CHAOSS issue participants; Gamma-Poisson empirical Bayes with overdispersion over threads, in the limits also over authors",
    block="behaviour",
    transform="log1p",
    needs=Evidence(threads=10),
)
def discussants_per_thread(statistics: Statistics) -> pd.DataFrame:
    """Distinct authors who reply in a thread, the asker left out."""
    facts = statistics.communities
    return _per_thread(statistics, "other", known=facts["stores_replies"], threads="threads", reason=NOT_STORED)


@feature(
    title="share of a month's people who come on five days or more",
    unit="fraction, 0 to 1",
    formula="author-months with at least 5 active days / author-months, whole covered 28-day months, beta-binomial shrinkage",
    source="rCheckUp's engaged users; beta-binomial shrinkage",
    block="behaviour",
    transform="logit",
    needs=Evidence(authors=30, months=1, complete=True),
    ratio=ENGAGED,
)
def engaged_share(statistics: Statistics) -> pd.DataFrame:
    """Share of a month's authors who are active on at least five of its days."""
    return author_share(statistics, ENGAGED)


@feature(
    title="engagement",
    unit="score, 0 is the middle of the run that was frozen first",
    formula="first principal component of log1p(replies per post), log1p(other people per thread), logit(mutual reply pairs) and "
    "logit(people of five days), each standardised on the communities of the run that was frozen first (until then, this one), whose axis "
    "it is; sign: more is more; from the parts measured, at least two",
    source="principal component analysis, missing parts by least squares; errors of the two that count replies add up, others as squares",
    block="behaviour",
    transform="identity",
    needs=Evidence(authors=30),
    clustered=False,
)
def engagement(statistics: Statistics) -> pd.DataFrame:
    """Position on the axis that replies, discussants, reciprocity and regulars share."""
    facts = statistics.communities
    parts = _parts(statistics)
    standard = _frozen(statistics) if _has_axis(_frozen(statistics)) else _of_run(parts)
    if not _has_axis(standard):
        nothing = np.full(len(facts), np.nan)
        why = f"small_n: fewer than {LEAST_PARTS} parts are measured in {LEAST_COMMUNITIES} communities"
        return columns(Interval(nothing, nothing, nothing), n=0, coverage=0.0, reason=because(np.ones(len(facts)), why))
    usable = [parts[name] for name in standard.index]
    values, errors = (np.column_stack([getattr(part, name) for part in usable]) for name in ("value", "error"))
    present = np.isfinite(values)
    middle, spread, loadings = (standard[name].to_numpy() for name in STANDARD)
    z = np.where(present, (values - middle) / spread, 0.0)
    enough = present.sum(axis=1) >= LEAST_PARTS
    length = np.where(enough, (present * loadings**2).sum(axis=1), np.nan)
    score = (z * loadings).sum(axis=1) / length
    pulls, replies = np.where(present, errors / spread * loadings, 0.0), np.array([part.replies for part in usable])
    error = np.hypot(pulls[:, replies].sum(axis=1), np.sqrt((pulls[:, ~replies] ** 2).sum(axis=1))) / length
    reason = because(~enough, f"parts: fewer than {LEAST_PARTS} of engagement's four parts are measured")
    coverage = facts["observed"].to_numpy() * present.sum(axis=1) / len(parts)
    return columns(Interval(score, score - Z90 * error, score + Z90 * error), n=facts["authors"], coverage=coverage, reason=reason)


@feature(
    title="share of pairs who answer each other",
    unit="fraction, 0 to 1",
    formula="pairs of people of whom each has replied to the other / pairs of whom one has replied to the other, by the record replied to; "
    "beta-binomial shrinkage to the platform's mean",
    source="dyadic reciprocity, Wasserman & Faust 1994; limits as if people were drawn with all their pairs",
    block="behaviour",
    transform="logit",
    needs=Evidence(records=LEAST_PAIRS),
    clustered=False,
    counted={"records": "pairs"},
)
def reciprocity(statistics: Statistics) -> pd.DataFrame:
    """Share of the pairs in contact in which both have replied to the other."""
    facts = statistics.communities
    pairs = facts["pairs"].to_numpy(dtype=float)
    both, (mm, md, dd) = facts["mutual_pairs"].to_numpy(dtype=float), (facts[column].to_numpy(dtype=float) for column in PULLS)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = both / pairs
        effect = (mm - 2 * share * md + share**2 * dd) / (share * (1 - share) * pairs) - 1  # a pair counts at both its ends
    clumps = np.where(np.isfinite(effect), effect, 1.0)
    mutual = proportions(both, pairs, platforms=facts["platform"], clumps=clumps)
    return columns(mutual, n=pairs, coverage=facts["observed"], reason=because((pairs == 0) & ~facts["stores_replies"], NOT_STORED))


class _Part(NamedTuple):
    """One part of engagement on its own scale, with its standard error; NaN where missing."""

    value: Floats
    error: Floats
    replies: bool
    """Counts the replies of threads; parts that do err together."""


def _per_thread(statistics: Statistics, what: str, *, known: pd.Series[bool], threads: str, reason: str) -> pd.DataFrame:
    """Estimate a count per thread from its sum and its sum of squares; it varies over threads, and over who starts and who replies."""
    facts = statistics.communities
    total, squares, number = (facts[column].to_numpy(dtype=float) for column in (f"{what}_sum", f"{what}_squares", threads))
    exposure = np.where(known, number, 0.0)
    inflation, clumps = per_unit(total, squares, exposure), _by_author(statistics)
    result = rates(total, exposure, platforms=facts["platform"], inflation=inflation, clumps=clumps)
    return columns(result, n=number, coverage=facts["observed"], reason=because(~known, reason))


def _by_author(statistics: Statistics) -> Floats:
    """Tell how many times more replies per post vary over authors than if each reply came by itself (linearised ratio)."""
    posts, records = (author_totals(statistics, column) for column in ("posts", "records"))
    table, replies = statistics.authors, records - posts
    rows, own = table["row"].to_numpy(), table["posts"].to_numpy(dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        pull = (table["records"].to_numpy(dtype=float) - own) - (replies / posts)[rows] * own
        effect = totals(rows, pull**2, len(posts)) / replies
    return np.where(np.isfinite(effect), effect, 1.0)


def standards(statistics: Statistics) -> pd.Series[float]:
    """Give what engagement is measured by: middle, spread and loading of each part; index feature, part ("reciprocity middle")."""
    frozen = _frozen(statistics)
    told = frozen if _has_axis(frozen) else _of_run(_parts(statistics))
    keys = [("engagement", f"{part} {what}") for part in told.index for what in STANDARD]
    return pd.Series(told.to_numpy(dtype=float).ravel(), pd.MultiIndex.from_tuples(keys, names=KEY))


def _has_axis(standard: pd.DataFrame) -> bool:
    return len(standard) >= LEAST_PARTS


def _frozen(statistics: Statistics) -> pd.DataFrame:
    """Read the standard that is frozen: a row per part of the axis, of which there may be none."""
    frozen = statistics.frozen[statistics.frozen.index.get_level_values("feature") == "engagement"]
    places = frozen.index.get_level_values("part").str.split(" ", expand=True) if len(frozen) else pd.MultiIndex.from_arrays([[], []])
    return frozen.set_axis(places).unstack().reindex(columns=STANDARD)


def _of_run(parts: Mapping[str, _Part]) -> pd.DataFrame:
    """Make a standard of this run's communities, from the parts that enough of them have and differ in."""
    told = {
        name: part
        for name, part in parts.items()
        if np.isfinite(part.value).sum() >= LEAST_COMMUNITIES and np.nanstd(part.value) > LEAST_SPREAD
    }
    if not told:
        return pd.DataFrame(columns=STANDARD)
    values = np.column_stack([part.value for part in told.values()])
    middle, spread, present = np.nanmean(values, axis=0), np.nanstd(values, axis=0), np.isfinite(values)
    loadings = _axis(np.where(present, (values - middle) / spread, 0.0), present)
    return pd.DataFrame(np.column_stack([middle, spread, loadings]), index=list(told), columns=STANDARD)


def _parts(statistics: Statistics) -> dict[str, _Part]:
    """Give the four parts of engagement, in the order of their names."""
    return {
        "comments_per_post": _part(comments_per_post(statistics), np.log1p, replies=True),
        "discussants_per_thread": _part(discussants_per_thread(statistics), np.log1p, replies=True),
        "engaged_share": _part(engaged_share(statistics), _logit, replies=False),
        "reciprocity": _part(reciprocity(statistics), _logit, replies=False),
    }


def _part(frame: pd.DataFrame, scale: Callable[[Floats], Floats], *, replies: bool) -> _Part:
    """Put estimates on the scale on which they are standardised; where a limit is out of its reach, the other one tells the error."""
    value, low, high = (scale(frame[name].to_numpy(dtype=float)) for name in ("value", "low", "high"))
    up, down = high - value, value - low
    both = np.where(np.isfinite(up), up, down) + np.where(np.isfinite(down), down, up)
    return _Part(value, both / (2 * Z90), replies)


def _axis(z: Floats, present: npt.NDArray[np.bool_]) -> Floats:
    """Give the first principal direction of standardised columns from pairwise complete correlations, pointing to more."""
    size = z.shape[1]
    correlation = np.eye(size)
    for i in range(size):
        for j in range(i):
            both = present[:, i] & present[:, j]
            correlation[i, j] = correlation[j, i] = (z[both, i] * z[both, j]).sum() / max(both.sum(), 1)
    direction = np.linalg.eigh(correlation)[1][:, -1]
    return direction if direction.sum() >= 0 else -direction


def _logit(share: Floats) -> Floats:
    """Give the log odds, without end at the borders."""
    with np.errstate(divide="ignore"):
        odds: Floats = special.logit(share)
    return odds
