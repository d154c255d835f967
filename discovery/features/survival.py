"""Kaplan–Meier: how long something lasts where some of it is not over yet. Arrays in, arrays out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from discovery.features.declaration import Floats
from discovery.features.estimation import Z90


class Medians(NamedTuple):
    """Median times with their 90 % limits, one per row; NaN where the curve never falls to one half."""

    value: Floats
    low: Floats
    high: Floats


def restricted_mean(ended: Floats, withdrawn: Floats) -> tuple[Floats, Floats]:
    """Give the restricted mean survival time and its standard error, both of shape (n_groups,), in periods.

    Args:
        ended: Ends per group and period, shape (n_groups, horizon + 1); the last column holds all that reached the horizon.
        withdrawn: Those last seen alive in the period, same shape.

    Notes:
        Area under the Kaplan–Meier curve up to the horizon; variance by Greenwood's formula (Klein & Moeschberger 2003, 4.5).
    """
    survival, hazard = _curve(ended, withdrawn)
    after = np.cumsum(survival[:, ::-1], axis=1)[:, ::-1]
    return survival.sum(axis=1), np.sqrt((after**2 * hazard).sum(axis=1))


def surviving(ended: Floats, withdrawn: Floats, *, periods: int) -> tuple[Floats, Floats]:
    """Give the share that lasts at least so many periods and its standard error (Greenwood); arguments as for :func:`restricted_mean`."""
    survival, hazard = _curve(ended, withdrawn)
    share = survival[:, periods - 1]
    return share, share * np.sqrt(hazard[:, :periods].sum(axis=1))


def _curve(ended: Floats, withdrawn: Floats) -> tuple[Floats, Floats]:
    """Give the Kaplan–Meier curve after each period and the steps of Greenwood's sum, shape (n_groups, horizon); NaN for nobody."""
    leaving = ended + withdrawn
    at_risk = np.cumsum(leaving[:, ::-1], axis=1)[:, ::-1][:, :-1]
    died = ended[:, :-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        survival = np.cumprod(np.where(at_risk > 0, 1 - died / at_risk, 1.0), axis=1)
        hazard = np.where((at_risk > died) & (died > 0), died / (at_risk * (at_risk - died)), 0.0)
    return np.where(leaving.sum(axis=1, keepdims=True) > 0, survival, np.nan), hazard


def median_waits(rows: npt.NDArray[np.intp], waits: Floats, answered: npt.NDArray[np.bool_], *, size: int) -> Medians:
    """Give each row's Kaplan–Meier median of right-censored waits; its limits are where the 90 % band of the curve crosses one half.

    Args:
        rows: Whose wait it is, from 0.
        waits: How long, in any order.
        answered: Whether the wait ended then; else it was seen no longer.
        size: How many rows there are, those without a wait too.
    """
    order = np.lexsort((waits, rows))
    rows, waits = rows[order], waits[order]
    first = np.flatnonzero(np.diff(rows, prepend=-1) | (np.diff(waits, prepend=-1) != 0))
    died = np.diff(np.append(0, np.cumsum(answered[order]))[np.append(first, len(rows))])
    at_risk = np.searchsorted(rows, rows[first], side="right") - first
    rows, times = rows[first], waits[first]
    with np.errstate(divide="ignore", invalid="ignore"):
        steps = np.where(at_risk > died, died / (at_risk * (at_risk - died)), 0.0)
    survival = _accumulated(np.multiply, 1 - died / at_risk, rows)
    band = Z90 * survival * np.sqrt(_accumulated(np.add, steps, rows))
    value, low, high = (_crossings(rows, times, survival + side * band, size=size) for side in (0, -1, 1))
    ends = np.flatnonzero(np.diff(rows, append=-1))
    high[rows[ends]] = np.where(np.isnan(high[rows[ends]]), times[ends], high[rows[ends]])
    return Medians(value, low, high)


def _accumulated(operation: np.ufunc, steps: Floats, rows: npt.NDArray[np.intp]) -> Floats:
    """Add up or multiply step by step within each row; rows of like length go together, each step of theirs at once."""
    begin = np.flatnonzero(np.diff(rows, prepend=-1))
    many = np.diff(begin, append=len(rows))
    result = np.empty(len(steps))
    for bound in np.unique(2 ** np.ceil(np.log2(many)).astype(np.intp)):
        alike = (many <= bound) & (2 * many > bound)
        at = begin[alike, None] + np.arange(bound)
        inside = np.arange(bound) < many[alike, None]
        result[at[inside]] = operation.accumulate(steps[np.minimum(at, len(steps) - 1)], axis=1)[inside]
    return result


def _crossings(rows: npt.NDArray[np.intp], times: Floats, curves: Floats, *, size: int) -> Floats:
    """Give the first time at which each row's falling curve is at one half or below; NaN where it stays above."""
    below = np.flatnonzero(curves <= 0.5 + 1e-12)  # a product of fractions that is one half may come out a bit above it
    found, first = np.unique(rows[below], return_index=True)
    crossed = np.full(size, np.nan)
    crossed[found] = times[below[first]]
    return crossed
