"""What a good engineer would write for the same sums with pandas, polars or DuckDB: ``python -m benchmarks.features.peers NAME FOLDER``.

In: ``records.parquet``, whose people, threads and communities are ready numbers, and ``sums.csv``, what our measuring added up. Out: the
seconds from the file to the sums, after every sum has been found equal to ours. Per community: records, posts, authors and deleted ones;
author-months of whole covered 28-day months, in all, with a month after them, stayed, of five days, with a look-back, new; Gini; replies
and other people per thread; aged posts, unanswered ones, the sum of waits for another person; pairs who answer each other; who is gone.
No intervals, shrinkage or reasons, nothing is kept, and records that repeat one another are not looked for.
"""

from __future__ import annotations

import importlib
import sys
import time
from pathlib import Path

import pandas as pd

from benchmarks.features.ours import SUMS


class DisagreementError(RuntimeError):
    """A peer's sums are not ours, so that times would not be of the same work."""


def agree(found: pd.DataFrame, ours: pd.DataFrame) -> int:
    """Hold a peer's sums to ours, all counts exactly and the Gini coefficient to 1e-9 where ours is measured; give how many there are.

    Raises:
        DisagreementError: a community or a sum differs.
    """
    theirs = found.set_index("reddit:c" + found.index.astype(str)).reindex(ours.index)
    counts = [column for column in ours.columns if column != "gini"]
    differ = theirs[counts].fillna(0).astype("int64").ne(ours[counts])
    measured = ours["gini"].notna()
    differ["gini"] = measured & ~((theirs["gini"] - ours["gini"]).abs() < 1e-9)
    if len(found) != len(ours) or differ.to_numpy().any():
        wrong = differ.sum()
        raise DisagreementError(f"{len(found)} communities against {len(ours)}; sums that differ: {wrong[wrong > 0].to_dict()}")
    return int(ours[counts].size + measured.sum())


def main(name: str, folder: Path) -> None:
    """Time one peer, then compare."""
    peer = importlib.import_module(f"benchmarks.features.sums_{name}")  # whoever asks for one need not have the others
    began = time.perf_counter()
    found = peer.added(folder / "records.parquet")
    seconds = time.perf_counter() - began
    print(seconds, agree(found, pd.read_csv(folder / SUMS, index_col="community")))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
