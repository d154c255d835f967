"""Counts become estimates: shrinkage to the platform's mean, intervals, percentiles. Arrays in, arrays out.

A community with little evidence borrows from its platform (from all communities where the platform has fewer than ten), so
that small ones do not lead every ranking by luck. Intervals are 90 %. All functions are vectorised over communities.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from discovery.features.declaration import Floats, Interval, Ratio, Reasons, Statistics, columns
from discovery.features.priors import BETA, GAMMA, Family

LEAST_PLATFORM = 10
"""Communities a platform needs to have a mean of its own."""
Z90 = 1.6448536269514722
"""Half-width of a 90 % interval in standard errors."""
DOUBTS = (1.0, 3.0)
"""Limits reach over the posterior of the fitted prior and over that of one this many times weaker: kinds of community make no beta or
gamma."""


class AuthorSums(NamedTuple):
    """What a community's authors add up to, of what each did (y) of how many times (x)."""

    y: Floats
    x: Floats
    people: Floats
    """Authors with x."""
    yy: Floats
    xx: Floats
    xy: Floats


def neighbourhoods(platforms: npt.ArrayLike, usable: npt.NDArray[np.bool_]) -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]:
    """Yield (members, those their prior is learned from), platform by platform in the order of the names."""
    names = np.asarray(platforms, dtype=object).astype(str)
    everyone = np.flatnonzero(usable)
    for name in np.unique(names):
        members = np.flatnonzero(names == name)
        usable_members = members[usable[members]]
        yield members, usable_members if len(usable_members) >= LEAST_PLATFORM else everyone


def proportions(
    successes: Floats, trials: Floats, *, platforms: npt.ArrayLike, inflation: Floats | float = 1.0, clumps: Floats | float = 1.0
) -> Interval:
    """Shrink fractions by a beta-binomial prior; ``inflation`` is the design effect of trials that belong together.

    ``clumps`` widens the limits alone, where it is larger: how many trials come at once, by an author say.

    The prior's mean is fitted by moments (Kleinman 1973) and kept off 0 and 1 by half a success, so no value is 0 or 1. Where nothing or
    everything succeeded, the interval reaches the border, as data cannot tell the share from it (Brown, Cai & DasGupta 2001).
    """
    shrunk = _shrunk(BETA, successes, trials, platforms=platforms, effects=(inflation, clumps))
    known = trials > 0
    low, high = np.where(known & (successes == 0), 0, shrunk.low), np.where(known & (successes == trials), 1, shrunk.high)
    return shrunk._replace(low=low, high=high)


def rates(
    counts: Floats, exposure: Floats, *, platforms: npt.ArrayLike, inflation: Floats | float = 1.0, clumps: Floats | float = 1.0
) -> Interval:
    """Shrink counts per exposure by a gamma prior; ``inflation`` is the overdispersion of the counts (1 = Poisson).

    ``clumps`` widens the limits alone, where it is larger: how many events come at once, by an author say.

    The prior is fitted by moments, each rate weighted by what it tells: one record in the last half hour is no 48 a day.
    """
    shrunk = _shrunk(GAMMA, counts, exposure, platforms=platforms, effects=(inflation, clumps))
    return shrunk._replace(low=np.where((exposure > 0) & (counts == 0), 0, shrunk.low))


def _shrunk(
    family: Family, counts: Floats, units: Floats, *, platforms: npt.ArrayLike, effects: tuple[Floats | float, Floats | float]
) -> Interval:
    """Shrink counts per unit, platform by platform; effects are how many times more they vary than chance makes them, and in limits."""
    inflation, clumps = (np.broadcast_to(effect, counts.shape) for effect in effects)
    wide = np.maximum(inflation, clumps)
    value, low, high, own = np.full((4, len(counts)), np.nan)
    for members, teachers in neighbourhoods(platforms, units > 0):
        if len(teachers):
            prior = family.prior(counts[teachers] / inflation[teachers], units[teachers] / inflation[teachers])
            mine = members[units[members] > 0]
            value[mine], _, own[mine] = family.posterior(prior, counts[mine] / inflation[mine], units[mine] / inflation[mine])
            seen = counts[mine] / wide[mine], units[mine] / wide[mine]
            ends = [family.limits(family.posterior(prior._replace(strength=prior.strength / doubt), *seen), *seen) for doubt in DOUBTS]
            low[mine] = np.minimum.reduce([value[mine], *(low for low, _ in ends)])
            high[mine] = np.maximum.reduce([value[mine], *(high for _, high in ends)])
    return Interval(value, low, high, own)


def shifts(values: Floats, errors: Floats, *, platforms: npt.ArrayLike, wide: Floats) -> Interval:
    """Shrink normal estimates with known errors to their mean; the spread between them by moments (DerSimonian & Laird 1986).

    ``wide`` are the errors of the limits, no smaller than those that tell how much an estimate counts.
    """
    usable = np.isfinite(values) & np.isfinite(errors) & (errors > 0)
    value, own = values.copy(), np.ones(len(values))
    low, high = values - Z90 * wide, values + Z90 * wide
    for members, teachers in neighbourhoods(platforms, usable):
        inside = members[usable[members]]
        if len(teachers) < 3:
            continue
        weight = 1 / errors[teachers] ** 2
        mean = (weight * values[teachers]).sum() / weight.sum()
        excess = (weight * (values[teachers] - mean) ** 2).sum() - (len(teachers) - 1)
        between = max(excess / (weight.sum() - (weight**2).sum() / weight.sum()), 1e-12)
        weight = 1 / (errors[teachers] ** 2 + between)
        mean = (weight * values[teachers]).sum() / weight.sum()
        own[inside] = between / (between + errors[inside] ** 2)
        low[inside] = high[inside] = own[inside] * values[inside] + (1 - own[inside]) * mean
        value[inside] = low[inside]
        for doubt in DOUBTS:
            loose = between * doubt / (between * doubt + wide[inside] ** 2)
            middle, half = loose * values[inside] + (1 - loose) * mean, Z90 * np.sqrt(loose) * wide[inside]
            low[inside] = np.minimum(low[inside], middle - half)
            high[inside] = np.maximum(high[inside], middle + half)
    return Interval(value, low, high, own)


def totals(rows: npt.ArrayLike, values: npt.ArrayLike, size: int) -> Floats:
    """Add up values per community; exact, and the same for any order, where they are integers."""
    return np.bincount(np.asarray(rows, dtype=np.intp), weights=np.asarray(values, dtype=float), minlength=size).astype(np.float64)


def per_unit(total: Floats, squares: Floats, units: Floats) -> Floats:
    """Tell how many times more a count per unit varies than a Poisson count would (variance / mean, at least 1)."""
    mean = np.divide(total, units, out=np.zeros(len(units)), where=units > 0)
    variance = np.divide(squares, units, out=np.zeros(len(units)), where=units > 0) - mean**2
    spread: Floats = np.divide(variance, mean, out=np.ones(len(units)), where=mean > 0)
    return np.maximum(1.0, spread)


def clump(statistics: Statistics, column: str) -> Floats:
    """Tell how many times more a count varies that whole authors bring, each their own share: Σ x² / Σ x, at least 1."""
    rows, x, size = statistics.authors["row"], statistics.authors[column].to_numpy(dtype=float), len(statistics.communities)
    total = totals(rows, x, size)
    return np.maximum(1.0, np.divide(totals(rows, x**2, size), total, out=np.ones(size), where=total > 0))


def author_totals(statistics: Statistics, column: str) -> Floats:
    """Add up one column of the author sums per community."""
    return totals(statistics.authors["row"], statistics.authors[column], len(statistics.communities))


def author_share(
    statistics: Statistics, ratio: Ratio, *, coverage: npt.ArrayLike | None = None, reason: Reasons | None = None
) -> pd.DataFrame:
    """Estimate a ratio of author sums: shrunk to the platform, its interval as wide as if authors, not their records, were drawn."""
    (column,) = ratio.numerator
    table = statistics.authors
    rows, y, x = table["row"].to_numpy(), table[column].to_numpy(dtype=float), table[ratio.denominator].to_numpy(dtype=float)
    result, sums = shrunk_share(rows, y, x, platforms=statistics.communities["platform"])
    observed = statistics.communities["observed"] if coverage is None else coverage
    return columns(result, n=sums.people, coverage=observed, reason=reason)


def shrunk_share(rows: npt.NDArray[np.intp], y: Floats, x: Floats, *, platforms: pd.Series[str]) -> tuple[Interval, AuthorSums]:
    """Shrink Σ y / Σ x of each community, an entry an author, as wide as if authors were drawn (linearised ratio variance)."""
    sums = summed(rows, y, x, size=len(platforms))
    return proportions(sums.y, sums.x, platforms=platforms, inflation=effect_of_sums(sums)), sums


def summed(rows: npt.NDArray[np.intp], y: Floats, x: Floats, *, size: int) -> AuthorSums:
    """Add up what each author did, and of how many times, per community."""
    return AuthorSums(*(totals(rows, part, size) for part in (y, x, x > 0, y * y, x * x, x * y)))


def effect_of_sums(sums: AuthorSums) -> Floats:
    """Give the design effect of y / x where authors' sums are already added up."""
    hits, trials, people, square_y, square_x, cross = sums
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = hits / trials
        residual = square_y - 2 * ratio * cross + ratio**2 * square_x
        effect = residual / (ratio * (1 - ratio) * trials) * people / (people - 1)
        worst = np.maximum(np.nan_to_num(square_x / trials, nan=1.0), 1.0)  # as if all trials of an author ended alike
        known = np.isfinite(effect) & (ratio > 0) & (ratio < 1)
    return np.clip(np.where(known, effect, worst), 1.0, worst)
