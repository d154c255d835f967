"""Measure how often the truth lies in the intervals: ``python -m benchmarks.truth`` prints a Markdown table.

Planted worlds are measured as a user would measure them, whole and cut to listings. The truth of a feature is its definition applied to
what was planted, over many draws of the same communities and over the time that is shown (:mod:`benchmarks.planted`). An interval
of 90 % should hold it nine times in ten; a feature that is missing is counted apart, neither for nor against.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd

from benchmarks.panel import UNTOLD, Panel
from benchmarks.redraw import redraw
from discovery.features import FeatureSettings, Measurement, Scope, measure
from discovery.sources import EVER
from discovery.sources.world import World
from storage.activity import ActivityStore, SourceEntry
from storage.pseudonyms import Pseudonyms
from storage.records import Cursor

CUTS = (None, 1_000, 300, 100)
"""Newest records of each community that are shown; None for all."""
OWN = 2
"""Communities that stand for the user's own, the first by key."""
NEAR = 1e-9


def compared(seed: int, *, communities: int, draws: int, cuts: Iterable[int | None] = CUTS) -> pd.DataFrame:
    """Compare truth and estimates of one world: one row per cut, community and feature; ``inside`` is NaN where one is missing."""
    whole = World(seed=seed, communities=communities)
    drawn = {whole.key(site): redraw(whole, site, draws=draws) for site in whole.sites()}
    tables = []
    for cut in cuts:
        world = whole.model_copy(update={"listing": cut})
        own = tuple(sorted(drawn)[:OWN])
        measured = measured_world(world, own)
        true = Panel(world, drawn, own, measured).truth()
        told = true.rename_axis(index="community", columns="feature").stack().rename("truth").reset_index()
        estimates = measured.estimates[~measured.estimates["feature"].isin(UNTOLD)]
        tables.append(estimates.merge(told, how="left", on=["community", "feature"]).assign(cut=cut or 0, seed=seed))
    rows = pd.concat(tables, ignore_index=True)
    inside = (rows["low"] - NEAR <= rows["truth"]) & (rows["truth"] <= rows["high"] + NEAR)
    return rows.assign(inside=inside.astype(float).where(rows["value"].notna() & rows["truth"].notna()))


def measured_world(world: World, portfolio: tuple[str, ...] = ()) -> Measurement:
    """Measure a world as a run does, by way of the store."""
    with tempfile.TemporaryDirectory(prefix="subcurrent-truth-") as folder:
        keys = Pseudonyms.open(Path(folder) / "pseudonym.key")
        with ActivityStore.open(Path(folder) / "activity.duckdb", pseudonyms=keys) as store:
            policy = world.policy
            entry = SourceEntry(world.name, world.kind, world.live, world.observed(), policy.quote_ok, policy.llm_ok, policy.licence)
            store.begin(entry, run_id="truth")
            for batch in world.batches(Cursor(), window=EVER):
                store.append(batch, source=world.name, run_id="truth")
            return measure(store.connection, scope=Scope((world.name,), portfolio=portfolio), settings=FeatureSettings())


def table(rows: pd.DataFrame) -> Iterator[str]:
    """Lay out, per feature and cut, the share of intervals that hold the truth and the share of communities where it is missing."""
    yield "| feature | " + " | ".join("all records" if cut is None else f"newest {cut:,}" for cut in CUTS) + " |"
    yield "|---|" + "---:|" * len(CUTS)
    for feature, mine in rows.groupby("feature"):
        yield _row(f"`{feature}`", mine)
    yield _row("all features", rows)


def _row(name: str, rows: pd.DataFrame) -> str:
    cells = []
    for cut in CUTS:
        mine = rows[rows["cut"] == (cut or 0)]
        held, missing = mine["inside"].dropna(), mine["value"].isna().mean()
        cells.append(f"{held.mean():.0%} of {len(held):,}; {missing:.0%}" if len(held) else f"; {missing:.0%}")
    return f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    """Measure as the arguments say, and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.truth", description=__doc__.splitlines()[0])
    parser.add_argument("--worlds", type=int, default=2, help="worlds to plant, of one seed each [default: %(default)s]")
    parser.add_argument("--first-seed", type=int, default=1, help="of the first world; the others' follow [default: %(default)s]")
    parser.add_argument("--communities", type=int, default=112, help="of each world [default: %(default)s]")
    parser.add_argument("--draws", type=int, default=15, help="times each community is drawn anew for its truth [default: %(default)s]")
    told = parser.parse_args()
    seeds = range(told.first_seed, told.first_seed + told.worlds)
    parts = [compared(seed, communities=told.communities, draws=told.draws) for seed in seeds]
    print(f"Seeds {told.first_seed} to {seeds[-1]}, {told.communities} communities each, {told.draws} draws; cells: truth inside; missing.")
    print(f"Not compared, for the reasons that benchmarks/panel.py tells: {', '.join(UNTOLD)}.\n")
    print("\n".join(table(pd.concat(parts))))


if __name__ == "__main__":
    main()
