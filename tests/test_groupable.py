"""What may be grouped: communities of which enough is known, by features that say something in this run."""

from __future__ import annotations

import math
from dataclasses import replace

import pandas as pd

from discovery.clustering.groupable import groupable
from discovery.features import FEATURES, Measurement
from discovery.features.silence import silent
from tests.markets import market

NAMES = [f"made:{number:02d}" for number in range(20)]
FULL = [float(number + 1) for number in range(20)]


def _with_votes(measurement: Measurement, seekers: list[int]) -> Measurement:
    """Give each community ten authors, of whom the first so many look for a solution."""
    rows = [
        {"row": row, "voters": 1, **dict.fromkeys(("T0", "T1", "T2", "T3", "T4", "N", "P", "W", "PS"), 0), "T1": int(author < count)}
        for row, count in enumerate(seekers)
        for author in range(10)
    ]
    sums = pd.DataFrame(rows)
    for column in _columns() - set(sums.columns):
        sums[column] = 0
    return replace(measurement, author_sums=sums)


def _columns() -> set[str]:
    ratios = [declared.ratio for declared in FEATURES.values() if declared.ratio]
    return {column for ratio in ratios for column in (*ratio.numerator, ratio.denominator)}


def _measured(**values: list[float]) -> Measurement:
    every = {"posting_frequency": FULL, "inequality": FULL, "question_share": FULL, "seeking": [0.01] * 20, **values}
    missing = {name: [math.nan] * 20 for name in FEATURES if name not in every}
    return market(NAMES, values={**every, **missing})


def test_silence_is_where_no_event_speaks():
    """A share is silent exactly in the communities where not one author did the thing."""
    found = silent(_with_votes(_measured(), [0] * 5 + [3] * 15))
    assert found["seeking"].tolist() == [True] * 5 + [False] * 15


def test_a_missing_share_is_not_silent():
    """Where a share could not be measured it is missing, which is not the same as nobody."""
    found = silent(_with_votes(_measured(seeking=[math.nan] * 20), [0] * 20))
    assert not found["seeking"].any()


def test_a_roughly_measured_thing_groups_nobody():
    """A feature whose errors are as large as its differences between communities is left aside, with a note that names it."""
    measurement = _with_votes(_measured(), [3] * 20)
    rough = measurement.estimates["feature"] == "inequality"
    measurement.estimates.loc[rough, "low"] -= 20.0
    measurement.estimates.loc[rough, "high"] += 20.0
    values, notes = groupable(measurement)
    assert "inequality" not in values
    assert "posting_frequency" in values
    assert any(note.startswith("Measured too roughly") for note in notes)


def test_communities_of_which_little_is_known_are_left_alone():
    """A community with less than half of what the others have measured is not grouped, and the note counts it."""
    holes = [math.nan] * 2 + FULL[2:]
    values, notes = groupable(_with_votes(_measured(posting_frequency=holes, inequality=holes, question_share=holes), [3] * 20))
    assert values.index.tolist() == NAMES[2:]
    assert any(note.startswith("2 of 20 communities") for note in notes)


def test_sensitive_communities_are_never_grouped():
    """A sensitive community is not in the matrix."""
    measurement = _with_votes(_measured(), [3] * 20)
    measurement.communities.loc[NAMES[0], "sensitive"] = True
    assert NAMES[0] not in groupable(measurement).values.index


def test_the_same_community_counts_once():
    """A community that is the same as another one is not in the matrix, so it cannot double the weight of its kind; the note counts it."""
    measurement = _with_votes(_measured(), [3] * 20)
    alone = groupable(measurement).values
    measurement.communities.loc[NAMES[4], "duplicate_of"] = NAMES[2]
    values, notes = groupable(measurement)
    pd.testing.assert_frame_equal(values, alone.drop(index=NAMES[4]))
    assert notes[0].startswith("1 of 20 communities say what another one says")


def test_nothing_measured_gives_an_empty_matrix():
    """Where nothing was measured anywhere, nobody can be grouped, and nothing breaks."""
    nothing = [math.nan] * 20
    measured = _measured(posting_frequency=nothing, inequality=nothing, question_share=nothing, seeking=nothing)
    assert len(groupable(_with_votes(measured, [0] * 20)).values) == 0
