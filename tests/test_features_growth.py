"""Growth."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import PoissonRegressor

from discovery.features.growth import poisson_slopes
from tests.feature_records import START, crowd, estimate, measured, post


def test_slopes_agree_with_scikit_learn():
    """The closed 2 × 2 fit gives the slopes of scikit-learn's unpenalised Poisson regression, community by community."""
    random = np.random.default_rng(4)
    rows, month = np.repeat(np.arange(5), 12), np.tile(np.arange(12.0), 5)
    counts = random.poisson(np.exp(2 + 0.05 * rows + (0.1 - 0.04 * rows) * month)).astype(float)
    fit = poisson_slopes(rows, month, counts, size=5)
    for row in range(5):
        peer = PoissonRegressor(alpha=0, tol=1e-10, max_iter=1_000).fit(month[rows == row, None], counts[rows == row])
        assert fit.value[row] == pytest.approx(peer.coef_[0], abs=1e-5)


def test_exact_doubling():
    """Authors that double every month grow by ln 2 per 28 days, and one that has no months has no slope."""
    fit = poisson_slopes(np.zeros(6, dtype=np.intp), np.arange(6.0), 2.0 ** np.arange(6), size=2)
    assert fit.value[0] == pytest.approx(np.log(2))
    assert np.isnan(fit.value[1])


def test_a_burst_is_left_out_of_the_slope():
    """A month with ten times the people does not turn a steady community into a growing one."""
    rows = [post(name, 0) for name in crowd(1)]
    for number in range(10):
        rows += [post(name, number * 28 + 1) for name in crowd(300 if number == 8 else 30 + number % 3)]
    found = estimate(measured(rows, now={"one": START + 280 * 86_400}), "growth")
    assert found["n"] == 9
    assert abs(found["value"]) < 0.02


def test_silent_months_are_zeros():
    """A community that falls silent shrinks: months without anybody count as zero, not as missing."""
    rows = [post(name, number * 28 + 1) for number in range(5) for name in crowd(40)]
    found = estimate(measured([post("first", 0), *rows], now={"one": START + 10 * 28 * 86_400}), "growth")
    assert found["n"] == 10
    assert found["value"] < -0.2
