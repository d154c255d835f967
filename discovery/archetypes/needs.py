"""Needs: what people of a group ask for, with how many distinct authors ask in how many communities."""

from __future__ import annotations

import pandas as pd

from discovery.archetypes.redaction import redact

KEPT = 10
LEAST_AUTHORS = 2
"""What one person alone asks for is nobody else's to read."""


def needs(asked: pd.DataFrame, groups: pd.Series) -> pd.DataFrame:
    """List the needs of every group, the one with most authors first.

    Args:
        asked: ``Measurement.needs``: community, need, voter.
        groups: Group of each community; -1 has no needs of its own.

    Returns:
        group, need, authors, communities, at most ten a group. Authors are distinct over all of a group's communities. A need
        whose words could lead to a person is left out.
    """
    table = asked.assign(group=asked["community"].map(groups).fillna(-1).astype(int))
    harmless = {need: need == redact(need) for need in table["need"].unique()}
    table = table[(table["group"] >= 0) & table["need"].map(harmless).astype(bool)]
    total = table.groupby(["group", "need"], as_index=False).agg(authors=("voter", "nunique"), communities=("community", "nunique"))
    total = total[total["authors"] >= LEAST_AUTHORS]
    total = total.sort_values(["group", "authors", "communities", "need"], ascending=[True, False, False, True], kind="stable")
    return total.groupby("group").head(KEPT).reset_index(drop=True)
