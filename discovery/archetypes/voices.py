"""Voices: how many people of a group pay, seek, refuse or promote, which products they name, and who is the loudest."""

from __future__ import annotations

from collections import Counter

import pandas as pd

from discovery.features import Measurement
from discovery.features.saturation import named
from storage.harmless import visible

TIERS = {"payers": "T4", "buyers": "T3", "seekers": "T1", "refusers": "N", "pricey": "S", "promoters": "P"}
OF_MARKET = ("payers", "buyers", "seekers")
"""Voices of money and demand: where they sit decides whether one community speaks for all."""
LEAST_NAMED = 2
"""Records that must name a product before it is called one."""


def voices(measurement: Measurement, groups: pd.Series) -> pd.DataFrame:
    """Count what the people of each group were heard to say.

    Args:
        measurement: What was measured.
        groups: Group of each community, None or NaN for none; index follows ``Measurement.communities``.

    Returns:
        Index group; the columns of ``scoring.arguments.against.VOICES``. People are distinct within a community and added up
        over communities; products are counted in the records kept as evidence, so that both are no census.
    """
    counts = _counts(measurement).assign(group=groups, name=measurement.communities["name"])
    counts = counts[counts["group"].notna()]
    products = _products(measurement, groups)
    rows = {}
    for group, own in counts.groupby("group", sort=True):
        loud = own[list(OF_MARKET)].sum(axis=1)
        total = int(loud.sum())
        first = str(loud.idxmax())
        rows[group] = {
            **{name: int(own[name].sum()) for name in TIERS},
            "products": products.get(group, ()),
            "loudest": visible(str(own.loc[first, "name"])),
            "loudest_share": float(loud.max()) / total if total else 0.0,
            "communities": len(own),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def _counts(measurement: Measurement) -> pd.DataFrame:
    """Add up the people of each tier. Index community."""
    keys = measurement.communities.index
    sums = measurement.author_sums.groupby("row")[list(TIERS.values())].sum().reindex(range(len(keys)), fill_value=0)
    return pd.DataFrame({name: sums[tier].to_numpy() for name, tier in TIERS.items()}, index=keys)


def _products(measurement: Measurement, groups: pd.Series) -> dict[object, tuple[tuple[str, int], ...]]:
    """List the products that several records of a group name in words of buying and switching, the commonest first."""
    mentions = measurement.mentions[measurement.mentions["tier"].isin(["SW", "T4"])]
    found: dict[object, Counter[str]] = {}
    seen = set()
    spans = zip(*(mentions[column] for column in ("community", "record_id", "text", "span_start", "span_end")), strict=True)
    for community, record, text, start, end in spans:
        group, product = groups.get(community), named(text or "", start=int(start), end=int(end))
        if product is not None and not pd.isna(group) and (group, record, product) not in seen:
            seen.add((group, record, product))
            found.setdefault(group, Counter())[product] += 1
    return {
        group: tuple((visible(name), n) for name, n in sorted(counter.items(), key=lambda item: (-item[1], item[0])) if n >= LEAST_NAMED)
        for group, counter in found.items()
    }
