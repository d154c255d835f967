"""Ranking: what is handed to the scorer, and what it makes of silence."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from discovery.features import FEATURES, Measurement, Vocabulary
from discovery.features.background import NOTHING
from discovery.ranking import common_zeros
from scoring.components import Panel

COMMUNITIES = ("a", "b", "c", "d")


def measured(estimates: dict[str, list[float]], sums: list[dict[str, int]]) -> Measurement:
    """Measure four communities by hand: values per feature (missing where not named), and one author's sums a row."""
    ratios = {name: declared.ratio for name, declared in FEATURES.items() if declared.ratio}
    rows: list[dict[str, Any]] = [
        {"community": key, "feature": name, "value": value, "low": 0.0, "high": 0.9, "n": 40, "coverage": 1.0, "missing_reason": None}
        for name, values in {**dict.fromkeys(ratios, [math.nan] * 4), **estimates}.items()
        for key, value in zip(COMMUNITIES, values, strict=True)
    ]
    counted = {name: 0 for ratio in ratios.values() for name in (*ratio.numerator, ratio.denominator)}
    nothing = pd.DataFrame()
    return Measurement(
        communities=pd.DataFrame({"sensitive": False, "duplicate_of": None, "authors": 40}, index=pd.Index(COMMUNITIES, name="community")),
        estimates=pd.DataFrame(rows),
        author_sums=pd.DataFrame([{**counted, **each} for each in sums]),
        vocabulary=Vocabulary(pd.Index([]), sparse.csr_matrix((4, 0)), sparse.csr_matrix((4, 0))),
        background_version=1,
        measures=NOTHING.rename("value").reset_index(),
        needs=nothing,
        mentions=nothing,
        own_weight=nothing,
        records=160,
        authors=160,
    )


SILENT = measured(
    {"seeking": [0.00147, 0.00149, 0.2, math.nan], "money": [0.01, 0.0, -0.2, 0.3], "growth": [0.1, 0.2, 0.3, 0.4]},
    [
        *({"row": 0, "voters": 900}, {"row": 1, "voters": 700}, {"row": 3, "voters": 1}),
        *({"row": 2, "voters": 30, "T1": 6, "T2": 2, "N": 6}, {"row": 2, "voters": 3}),
    ],
)


def column(frame: pd.DataFrame, feature: str) -> list[float]:
    """The values of one feature by community."""
    return frame[frame["feature"] == feature].set_index("community")["value"].reindex(COMMUNITIES).tolist()


def test_where_nobody_spoke_the_value_is_zero() -> None:
    """Two communities where nobody sought anything are both 0 however large; six who did keep their value; missing stays missing."""
    assert column(common_zeros(SILENT), "seeking")[:3] == [0.0, 0.0, 0.2]
    assert math.isnan(column(common_zeros(SILENT), "seeking")[3])


def test_events_that_cancel_are_no_silence() -> None:
    """Money is silent only where no tier was heard: two who would pay and six who refuse are a value of their own."""
    assert column(common_zeros(SILENT), "money") == [0.0, 0.0, -0.2, 0.0]


def test_everything_else_stays() -> None:
    """Intervals, and features that are no shares over authors, are as measured; the measurement itself is not changed."""
    found = common_zeros(SILENT)
    assert column(found, "growth") == [0.1, 0.2, 0.3, 0.4]
    pd.testing.assert_frame_equal(found.drop(columns="value"), SILENT.estimates.drop(columns="value"))
    assert column(SILENT.estimates, "seeking")[0] == 0.00147


def test_a_common_zero_is_above_nobody() -> None:
    """On the panel of such a market, silence is at the bottom whatever the community's size; before, one stood above the other."""
    found = common_zeros(SILENT).pivot(index="community", columns="feature", values="value")
    panel = Panel.freeze(found)
    np.testing.assert_array_equal(panel.percentile("seeking", found["seeking"].to_numpy()[:3]), [0, 0, pytest.approx(2 / 3)])
