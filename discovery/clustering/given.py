"""What estimators are given: settings and values that are refused with a sentence, and weights of any scale."""

from __future__ import annotations

from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike

from discovery.clustering.partition import Weights, magnitude

LARGEST = 1e100
"""Squares of larger values would overflow."""
LEAST = 1e-150
"""Squares of smaller values would be nothing."""


def whole_numbers(**asked: object) -> None:
    """Refuse settings that must be whole numbers and are not.

    Raises:
        ValueError: one is none.
    """
    for name, value in asked.items():
        if not isinstance(value, Integral) or isinstance(value, bool):
            raise ValueError(f"{name}={value!r} is not a whole number, and must be one.")


def squarable(largest: float) -> None:
    """Refuse rows whose largest value has no square.

    Raises:
        ValueError: it overflows, or is lost.
    """
    if largest > LARGEST:
        raise ValueError(f"a value of {largest:.3g} cannot be squared safely: scale the matrix to at most {LARGEST:.0e} first.")
    if 0 < largest < LEAST:
        raise ValueError(f"no value is above {largest:.3g}, whose square is lost: scale the matrix to at least {LEAST:.0e} first.")


def shares(sample_weight: ArrayLike | None, n: int) -> tuple[Weights | None, float]:
    """Take weights as shares of a unit, a power of two above the largest, so that no scale of them loses a digit; and that unit.

    Raises:
        ValueError: there is not one for each row, or one is negative, or they have no finite sum.
    """
    if sample_weight is None:
        return None, 1.0
    weights = np.asarray(sample_weight, dtype=np.float64)
    if weights.ndim == 0:
        weights = np.full(n, weights)
    if weights.shape != (n,):
        raise ValueError(f"sample_weight.shape == {weights.shape}, expected {(n,)}: one weight for each row.")
    with np.errstate(over="ignore"):
        if not (np.isfinite(weights.sum()) and (weights >= 0).all()):
            raise ValueError("sample_weight must be finite, its sum too, and not negative.")
    size = magnitude(weights)
    return np.ldexp(weights, -size), float(np.ldexp(1.0, size))
