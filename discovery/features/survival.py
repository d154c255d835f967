"""Kaplan–Meier: how long something lasts where some of it is not over yet. Arrays in, arrays out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from discovery.features.declaration import Floats
from discovery.features.estimation import Z90


class Median(NamedTuple):
    """A median time with its 90 % limits; NaN where the curve never falls to one half."""

    value: float
    low: float
    high: float


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


def median_wait(waits: Floats, answered: npt.NDArray[np.bool_]) -> Median:
    """Give the Kaplan–Meier median of right-censored waits; its limits are where the 90 % band of the curve crosses one half."""
    times, position = np.unique(waits, return_inverse=True)
    died = np.bincount(position, answered, len(times))
    leaving = np.bincount(position, minlength=len(times))
    at_risk = np.cumsum(leaving[::-1])[::-1]
    survival = np.cumprod(1 - died / at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.cumsum(np.where(at_risk > died, died / (at_risk * (at_risk - died)), 0.0))
    band: Floats = Z90 * survival * np.sqrt(spread)
    value, low, high = (_crossing(times, survival + side * band) for side in (0, -1, 1))
    return Median(value, low, high if np.isfinite(high) else float(times[-1]))


def _crossing(times: Floats, curve: Floats) -> float:
    """Give the first time at which a falling curve is at one half or below; NaN where it stays above."""
    below = np.flatnonzero(curve <= 0.5 + 1e-12)  # a product of fractions that is one half may come out a bit above it
    return float(times[below[0]]) if len(below) else float("nan")
