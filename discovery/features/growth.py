"""Growth: how fast the number of active authors changes, corrected for bursts and for few months."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from discovery.features.declaration import Evidence, Floats, Statistics, columns, feature
from discovery.features.estimation import shifts, totals

ROUNDS = 30
BURST = 4.0
"""Robust residual above which a month is a burst and left out of the slope."""

SERIES = Evidence(authors=30, months=6, complete=True)
"""The least course of months that a line is laid through."""


class Slopes(NamedTuple):
    """Log change per month with its standard error, per community."""

    value: Floats
    error: Floats
    residual: Floats
    """Pearson residual of every month."""
    centre: Floats
    """Mean month."""
    information: tuple[Floats, Floats, Floats]
    """Sums of expectations, times month from the mean, times its square."""


@feature(
    title="growth of active people per month",
    unit="log change of active authors per 28 days",
    formula="slope of a Poisson regression of a month's authors on the month, ≥ 6 covered months, standard error times √overdispersion; "
    "months with a robust residual above 4 are bursts and left out; normal shrinkage to the platform's mean. A 28-day month holds every "
    "weekday four times, so weekday effects cancel exactly",
    source="Poisson quasi-likelihood, McCullagh & Nelder 1989; DerSimonian & Laird 1986 (shrinkage); limits as if authors were drawn with "
    "all their months",
    block="behaviour",
    transform="identity",
    needs=SERIES,
)
def growth(statistics: Statistics) -> pd.DataFrame:
    """Log change of the authors of a 28-day month from month to month."""
    facts, (rows, month, counts) = statistics.communities, _series(statistics)
    calm = ~bursts(statistics)
    fit = poisson_slopes(rows[calm], month[calm], counts[calm], size=len(facts))
    wide = np.fmax(fit.error, _over_authors(fit, statistics.spells.set_index("row").reindex(facts.index)))
    result = shifts(fit.value, fit.error, wide=wide, platforms=facts["platform"])
    used = totals(rows, calm, len(facts))
    return columns(result, n=used, coverage=facts["observed"].to_numpy() * used / np.maximum(facts["months"].to_numpy(), 1))


def bursts(statistics: Statistics) -> npt.NDArray[np.bool_]:
    """Tell which covered months stand out of their community's course, in the order of ``Statistics.months``."""
    rows, month, counts = _series(statistics)
    fit = poisson_slopes(rows, month, counts, size=len(statistics.communities))
    scale = _median_square(rows, fit.residual, size=len(statistics.communities))
    above: npt.NDArray[np.bool_] = fit.residual > BURST * np.sqrt(scale)[rows]
    return above


def _series(statistics: Statistics) -> tuple[npt.NDArray[np.intp], Floats, Floats]:
    """Give row, month from the community's first covered one, and authors of every covered month."""
    table = statistics.months
    rows = table["row"].to_numpy()
    month = (table["month"] - statistics.communities["month_from"].to_numpy()[rows]).to_numpy(dtype=float)
    return rows, month, table["authors"].to_numpy(dtype=float)


def poisson_slopes(rows: npt.NDArray[np.intp], month: Floats, counts: Floats, *, size: int) -> Slopes:
    """Fit ``log E(count) = a + b · month`` for every community at once, by Newton's method on the two sums each needs.

    Closed 2 × 2 systems over all communities beat one regression object per community, and agree with scikit-learn's
    ``PoissonRegressor(alpha=0)``. The error carries the overdispersion (Pearson χ² / (n − 2), at least 1).
    """

    def add(values: Floats) -> Floats:
        return totals(rows, values, size)

    months = add(np.ones(len(rows)))
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = add(month) / months
        time = month - centre[rows]
        level = np.log(add(counts) / months)
        slope = np.zeros(size)
        for _ in range(ROUNDS):
            expected = np.exp(np.clip(level[rows] + slope[rows] * time, -30, 30))
            m0, m1, m2 = add(expected), add(expected * time), add(expected * time**2)
            u0, u1 = add(counts - expected), add((counts - expected) * time)
            determinant = m0 * m2 - m1**2
            level = level + np.clip((m2 * u0 - m1 * u1) / determinant, -1, 1)
            slope = slope + np.clip((m0 * u1 - m1 * u0) / determinant, -1, 1)
        expected = np.exp(np.clip(level[rows] + slope[rows] * time, -30, 30))
        residual = (counts - expected) / np.sqrt(expected)
        m0, m1, m2 = add(expected), add(expected * time), add(expected * time**2)
        scale = np.maximum(1.0, add(residual**2) / np.maximum(months - 2, 1))
        error = np.sqrt(scale * m0 / (m0 * m2 - m1**2))
    return Slopes(np.where(np.isfinite(error), slope, np.nan), error, residual, centre, (m0, m1, m2))


def _over_authors(fit: Slopes, spells: pd.DataFrame) -> Floats:
    """Give the slope's error as if authors with all their months were drawn (sandwich): who stays is counted month after month."""
    nn, ns, ss = (spells[column].to_numpy(dtype=float) for column in ("nn", "ns", "ss"))
    m0, m1, m2 = fit.information
    level, cross, slope = nn, ns - fit.centre * nn, ss - 2 * fit.centre * ns + fit.centre**2 * nn
    with np.errstate(divide="ignore", invalid="ignore"):
        error: Floats = np.sqrt(m1**2 * level - 2 * m1 * m0 * cross + m0**2 * slope) / (m0 * m2 - m1**2)
    return error


def _median_square(rows: npt.NDArray[np.intp], residual: Floats, *, size: int) -> Floats:
    """Estimate each community's overdispersion from the median absolute residual, which a burst does not move; at least 1."""
    medians = pd.Series(np.abs(residual)).groupby(rows).median()
    scale = np.ones(size)
    scale[medians.index.to_numpy()] = np.maximum(1.0, (1.4826 * medians.to_numpy()) ** 2)
    return np.nan_to_num(scale, nan=1.0)
