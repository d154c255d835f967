"""Intervals hold what was planted: a small version of ``python -m benchmarks.truth``, with a seed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benchmarks.panel import UNTOLD
from benchmarks.redraw import redraw
from benchmarks.truth import compared, table
from discovery.features import FEATURES
from discovery.sources.world import World

PLANTED = ("retention", "rmst_90", "newcomer_share", "unanswered_48h", "unsolved_share", "seeking", "pain", "posting_frequency")
"""Features whose truth is planted in persons and threads and nowhere else."""


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """Compare one small world, whole and cut to listings of 300."""
    return compared(5, communities=12, draws=4, cuts=(None, 300))


def test_intervals_hold_the_planted_truth(rows: pd.DataFrame) -> None:
    """Of the intervals of 90 % of features planted in persons and threads, at least 85 % hold the truth, in listings too."""
    held = rows[rows["feature"].isin(PLANTED)].groupby("cut")["inside"].agg(["mean", "count"])
    assert (held["mean"] >= 0.85).all()
    assert (held["count"] >= 50).all()


def test_every_feature_has_a_truth(rows: pd.DataFrame) -> None:
    """No feature but those that are said to have none is without a true value."""
    known = rows[rows["value"].notna()].groupby("feature")["truth"].apply(lambda true: true.notna().mean())
    assert set(known.index) == set(FEATURES) - set(UNTOLD)
    assert (known > 0.5).all()


def test_the_table_counts_abstaining_neither_way(rows: pd.DataFrame) -> None:
    """A feature that a listing cannot show has no share of hits there, only the share of communities where it is missing."""
    printed = {line.split("|")[1].strip(): line for line in table(rows)}
    cells = [cell.strip() for cell in printed["`retention`"].split("|")[2:-1]]
    assert cells[0].endswith(" of 12; 0%")
    assert cells[2] == "; 100%"


def test_draws_are_of_the_same_community() -> None:
    """Drawn twenty times, a community has on average the records and the people it has, give or take chance; another draw, other people."""
    world = World(seed=3, communities=1)
    (place,) = world.sites()
    drawn, written = redraw(world, place, draws=20), world.written(place)
    sizes = drawn.records.groupby("draw").size()
    assert len(written.threads.at) == pytest.approx(sizes.mean(), rel=0.5)
    assert sizes.nunique() > 10
    assert drawn.records.loc[drawn.records["human"]].groupby("person")["draw"].nunique().eq(1).all()
    assert np.isin(drawn.records.loc[~drawn.records["post"], "thread"], drawn.records.index[drawn.records["post"]]).all()
