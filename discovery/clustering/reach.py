"""How far rows may lie from all others and still take part in a fit. A sample in; the limit, and which rows lie beyond it, out.

One row a thousand times as far out as the others takes a cluster of its own at every k: whatever kinds there are besides, no k would
have clusters of enough members.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from discovery.clustering.partition import Matrix, squared_lengths
from discovery.clustering.regions import least_size

FAR = 3.0
"""Times the distance from the middle within which all but a few lie."""
FEW = 0.02
"""Share of rows that may lie beyond, at least one; never as many as make a cluster."""
ENOUGH = 10
"""Rows of which one can be told to lie apart."""


class Reach(NamedTuple):
    """The middle of some rows, and the squared distance from it beyond which a row is only labelled."""

    middle: Matrix
    squared: float

    def beyond(self, rows: Matrix, lengths: Matrix) -> NDArray[np.bool_]:
        """Tell which rows lie beyond, from their squared lengths."""
        if np.isinf(self.squared):
            return np.zeros(len(rows), dtype=bool)
        far: NDArray[np.bool_] = lengths - 2 * (rows @ self.middle) + self.middle @ self.middle > self.squared
        return far


def reach(sample: Matrix) -> Reach:
    """Find the limit: thrice as far from the median as all but 2 % of the rows, infinite where none of those lies beyond it."""
    middle = np.median(sample, axis=0)
    n = len(sample)
    if n < ENOUGH:
        return Reach(middle, np.inf)
    squared = squared_lengths(sample - middle)
    few = min(least_size(n) - 1, max(1, int(FEW * n)))
    limit = FAR**2 * float(np.partition(squared, n - 1 - few)[n - 1 - few])
    return Reach(middle, limit if 0 < limit < squared.max() else np.inf)
