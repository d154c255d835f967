"""Needs: what people of a group ask for, with how many distinct authors ask in how many communities."""

from __future__ import annotations

import pandas as pd

from discovery.archetypes.redaction import redact

KEPT = 10
LONGEST = 120


def needs(asked: pd.DataFrame, groups: pd.Series) -> pd.DataFrame:
    """List the needs of every group, the one with most authors first.

    Args:
        asked: ``Measurement.needs``: community, need, authors, threads.
        groups: Group of each community; -1 has no needs of its own.

    Returns:
        group, need, authors, communities, at most ten a group. An author counts once per community and need.
    """
    table = asked.assign(group=asked["community"].map(groups).fillna(-1).astype(int))
    table = table[table["group"] >= 0]
    table = table.assign(need=[redact(need)[:LONGEST] for need in table["need"]])
    total = table.groupby(["group", "need"], as_index=False).agg(authors=("authors", "sum"), communities=("community", "nunique"))
    total = total.sort_values(["group", "authors", "communities", "need"], ascending=[True, False, False, True], kind="stable")
    return total.groupby("group").head(KEPT).reset_index(drop=True)
