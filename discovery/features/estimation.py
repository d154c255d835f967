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
from scipy import special

from discovery.features.declaration import Floats, Interval, Ratio, Reasons, Statistics, columns

LEAST_PLATFORM = 10
"""Communities a platform needs to have a mean of its own."""
Z90 = 1.6448536269514722
"""Half-width of a 90 % interval in standard errors."""
DOUBTS = (1.0, 3.0)
"""Limits reach over the posterior of the fitted prior and over that of one this many times weaker: few communities tell how much they
differ, and kinds of community make no beta or gamma."""
WEAK_PRIOR = 2.0
"""Prior trials where too few communities show how much they differ."""


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

    The prior is fitted by moments (Kleinman 1973), its mean kept off 0 and 1 by half a success, so no value is 0 or 1. Where nothing or
    everything succeeded, the interval reaches the border, as data cannot tell the share from it (Brown, Cai & DasGupta 2001).
    """
    effective = trials / inflation
    hits = successes / inflation
    alpha, beta = np.full(len(trials), np.nan), np.full(len(trials), np.nan)
    for members, teachers in neighbourhoods(platforms, trials > 0):
        if len(teachers):
            mean, strength = _beta_moments(hits[teachers], effective[teachers])
            alpha[members], beta[members] = mean * strength, (1 - mean) * strength
    a, b = alpha + hits, beta + effective - hits
    value = np.where(trials > 0, a / (a + b), np.nan)
    thin = inflation / np.maximum(inflation, clumps)
    doubted = [(alpha / doubt + hits * thin, beta / doubt + (effective - hits) * thin) for doubt in DOUBTS]
    low, high = _reached(value, [_limits(special.betaincinv, *prior) for prior in doubted])
    known = trials > 0
    return Interval(value, np.where(known & (hits == 0), 0, low), np.where(known & (hits == effective), 1, high), effective / (a + b))


def _limits(quantile: np.ufunc, *shape: Floats) -> Floats:
    """Give both limits of distributions, shape (2, n); communities of the same counts are alike, and are asked for once."""
    _, first, place = np.unique(shape[0] + 1j * shape[-1], return_index=True, return_inverse=True)
    return np.stack([quantile(*(parameter[first] for parameter in shape), share)[place] for share in (0.05, 0.95)])


def _reached(value: Floats, limits: list[Floats]) -> tuple[Floats, Floats]:
    """Give the lowest and the highest of limits of shape (2, n); they hold the value."""
    return np.minimum.reduce([value, *(low for low, _ in limits)]), np.maximum.reduce([value, *(high for _, high in limits)])


def _beta_moments(hits: Floats, trials: Floats) -> tuple[float, float]:
    """Fit mean and strength (prior trials) of a beta prior; two rounds, so that giants do not decide the mean alone."""
    mean = (hits.sum() + 0.5) / (trials.sum() + 1)
    if len(trials) < 3:
        return float(mean), WEAK_PRIOR
    weights, rho = trials, 0.0
    for _ in range(2):
        share = weights / weights.sum()
        mean = float(np.clip((share * hits / trials).sum(), 0.5 / (trials.sum() + 1), 1 - 0.5 / (trials.sum() + 1)))
        spread = (weights * (hits / trials - mean) ** 2).sum()
        noise = (weights * (1 - share) / trials).sum()
        rho = (spread / (mean * (1 - mean)) - noise) / ((weights * (1 - share)).sum() - noise or 1.0)
        rho = float(np.clip(rho, 1e-4, 0.5))
        weights = trials / (1 + rho * np.maximum(trials - 1, 0))
    return mean, 1 / rho - 1


def rates(
    counts: Floats, exposure: Floats, *, platforms: npt.ArrayLike, inflation: Floats | float = 1.0, clumps: Floats | float = 1.0
) -> Interval:
    """Shrink counts per exposure by a gamma prior; ``inflation`` is the overdispersion of the counts (1 = Poisson).

    ``clumps`` widens the limits alone, where it is larger: how many events come at once, by an author say.

    The prior is fitted by moments, each rate weighted by what it tells: one record in the last half hour is no 48 a day.
    """
    effective = exposure / inflation
    events = counts / inflation
    shape, rate = np.full(len(counts), np.nan), np.full(len(counts), np.nan)
    for members, teachers in neighbourhoods(platforms, exposure > 0):
        if len(teachers):
            mean, strength = _gamma_moments(events[teachers], effective[teachers])
            shape[members], rate[members] = strength, strength / mean
    a, b = shape + events, rate + effective
    value = np.where(exposure > 0, a / b, np.nan)
    thin = inflation / np.maximum(inflation, clumps)
    doubted = [(shape / doubt + events * thin, rate / doubt + effective * thin) for doubt in DOUBTS]
    low, high = _reached(value, [_limits(special.gammaincinv, a) / b for a, b in doubted])
    return Interval(value, np.where((exposure > 0) & (events == 0), 0, low), high, effective / b)


def _gamma_moments(events: Floats, exposure: Floats) -> tuple[float, float]:
    """Fit mean and shape (prior events) of a gamma prior; two rounds, as for the beta prior."""
    least = 0.5 / exposure.sum()
    if len(events) < 3:
        return float(max(events.sum() / exposure.sum(), least)), WEAK_PRIOR / 4
    weights, mean, shape = exposure, 0.0, 0.0
    for _ in range(2):
        share = weights / weights.sum()
        mean = float(max((share * events / exposure).sum(), least))
        spread = (share * (events / exposure - mean) ** 2).sum()
        noise = (share * (1 - share) * mean / exposure).sum()
        between = (spread - noise) / (1 - (share**2).sum())
        shape = float(np.clip(mean**2 / between, WEAK_PRIOR / 4, 1e3)) if between > 0 else 1e3
        weights = exposure / (1 + exposure * mean / shape)
    return mean, shape


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
    table, size = statistics.authors, len(statistics.communities)
    rows, y, x = table["row"].to_numpy(), table[column].to_numpy(dtype=float), table[ratio.denominator].to_numpy(dtype=float)
    sums = summed(rows, y, x, size=size)
    result = proportions(sums.y, sums.x, platforms=statistics.communities["platform"], inflation=effect_of_sums(sums))
    observed = statistics.communities["observed"] if coverage is None else coverage
    return columns(result, n=sums.people, coverage=observed, reason=reason)


def summed(rows: npt.NDArray[np.intp], y: Floats, x: Floats, *, size: int) -> AuthorSums:
    """Add up what each author did, and of how many times, per community."""
    return AuthorSums(*(totals(rows, part, size) for part in (y, x, x > 0, y * y, x * x, x * y)))


def design_effect(rows: npt.NDArray[np.intp], y: Floats, x: Floats, *, size: int) -> Floats:
    """Tell how many times more a ratio varies over authors than over independent trials (linearised ratio variance), at least 1."""
    return effect_of_sums(summed(rows, y, x, size=size))


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
