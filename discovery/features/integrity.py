"""Integrity: how far the records are people's, at their own pace, of their own choice; nobody is named after it.

In: the entries of a batch, and the facts of :mod:`selection`. Out: the partial of what links concentrate on, and the shares of
programs' records and of burst months. Who promotes is told by ``promotion``, copies by ``duplicate_share``, one loud voice by
``author_concentration``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from discovery.features.declaration import Evidence, Interval, Reasons, Statistics, because, columns, feature
from discovery.features.estimation import Z90, proportions, shrunk_share, totals
from discovery.features.growth import SERIES, bursts
from discovery.features.partials import Partial

if TYPE_CHECKING:
    import duckdb

NO_LINKS = "links: the source shows no domain of any post"

_POINTED = """
WITH pointed AS (
    SELECT c, a, CASE WHEN a IS NULL THEN key END AS nobody, regexp_replace(domain, '^www[.]', '') AS target
    FROM entry WHERE post AND domain <> ''
)
SELECT c, a, nobody, target, count(*) AS n FROM pointed GROUP BY ALL
"""
_LINKS = """
WITH beside AS (SELECT *, sum(n) OVER (PARTITION BY c, target) AS of_target FROM partial.pointed SEMI JOIN batch USING (c)),
person AS (SELECT c, sum(n) AS x, sum(n * of_target) AS z FROM beside GROUP BY c, a, nobody)
SELECT c, sum(x)::BIGINT AS links, sum(z)::DOUBLE AS same,
    sum(z * z)::DOUBLE AS zz, sum(z * x)::DOUBLE AS zx, sum(x * x)::DOUBLE AS xx
FROM person GROUP BY c
"""
PARTIALS = (Partial("pointed", _POINTED), Partial("link", _LINKS))
"""Each author's links by host, and sums over a community's authors: x of a person the number of links, z the same with each counted
as often as all point there."""

_OWN_LINKS = """
SELECT row, coalesce(sum(n) FILTER (len(list_filter($sites, lambda site: target = site OR ends_with(target, '.' || site))) > 0), 0)::BIGINT
    AS own, sum(n)::BIGINT AS links
FROM partial.pointed JOIN span USING (c) GROUP BY row, a, nobody ORDER BY row, own, links
"""


def links(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Give what makes the concentration of links: row, links, same, zz, zx, xx."""
    return connection.execute("SELECT row, links, same, zz, zx, xx FROM partial.link JOIN span USING (c) ORDER BY row").df()


def own_links(connection: duckdb.DuckDBPyConnection, *, sites: Sequence[str]) -> pd.DataFrame:
    """Count link posts per author, and those that point to one of the user's own hosts or below it: row, own, links."""
    return connection.execute(_OWN_LINKS, {"sites": list(sites)}).df()


@feature(
    title="share of records by programs",
    unit="fraction, 0 to 1",
    formula="records of accounts that the platform, their role or their name marks as programs / records, beta-binomial shrinkage to the "
    "platform's mean; a program that nobody marks counts as a person",
    source="platforms' own marks; CHAOSS bot activity",
    block="behaviour",
    transform="logit",
    needs=Evidence(records=20),
    clustered=False,
)
def bot_share(statistics: Statistics) -> pd.DataFrame:
    """Share of records that marked programs write."""
    facts = statistics.communities
    written = facts["records"].to_numpy(dtype=float)
    marked = written - facts["by_people"].to_numpy(dtype=float)
    return columns(proportions(marked, written, platforms=facts["platform"]), n=written, coverage=facts["observed"])


@feature(
    title="share of months that are bursts",
    unit="fraction, 0 to 1",
    formula="covered 28-day months that growth leaves out as bursts (robust residual above 4) / "
    "covered months, beta-binomial shrinkage to the platform's mean",
    source="spike rule of growth",
    block="behaviour",
    transform="logit",
    needs=SERIES,
    clustered=False,
)
def burst_share(statistics: Statistics) -> pd.DataFrame:
    """Share of months in which far more people write than before and after."""
    facts = statistics.communities
    rows, months = statistics.months["row"].to_numpy(), facts["months"].to_numpy(dtype=float)
    count = totals(rows, bursts(statistics), len(facts))
    return columns(proportions(count, months, platforms=facts["platform"]), n=months, coverage=facts["observed"])


@feature(
    title="how much links point to the same places",
    unit="Herfindahl–Hirschman index, 0 to 1",
    formula="chance that two different link posts point to the same host, Σ n_d (n_d − 1) / (n (n − 1)), n_d posts to host d (without "
    "www), of posts that point outside the platform; a listing: of those it shows; interval over authors",
    source="Simpson 1949; error by linearisation",
    block="behaviour",
    transform="identity",
    needs=Evidence(records=20, authors=30),
    clustered=False,
    counted={"records": "links"},
)
def domain_concentration(statistics: Statistics) -> pd.DataFrame:
    """Chance that two link posts point to the same host."""
    facts = statistics.communities
    size, table = len(facts), statistics.links
    n, same, zz, zx, xx = (totals(table["row"], table[name], size) for name in ("links", "same", "zz", "zx", "xx"))
    with np.errstate(divide="ignore", invalid="ignore"):
        value = (same - n) / (n * (n - 1))
        share = same / n**2
        error = 2 / n * np.sqrt(np.maximum(zz / n**2 - 2 * share * zx / n + share**2 * xx, 0))
    low, high = np.maximum(value - Z90 * error, 0), np.minimum(value + Z90 * error, 1)
    return columns(Interval(value, low, high), n=n, coverage=facts["observed"], reason=_pointless(facts))


@feature(
    title="share of links that lead to your own sites",
    unit="fraction, 0 to 1",
    formula="link posts to one of the configured sites or a host below it / posts that point outside the platform, beta-binomial "
    "shrinkage to the platform's mean; interval over authors",
    source="link fit of the design",
    block="market",
    transform="logit",
    needs=Evidence(records=20),
    clustered=False,
    counted={"records": "links"},
)
def link_fit(statistics: Statistics) -> pd.DataFrame:
    """Share of link posts that point to the user's own sites."""
    facts, table = statistics.communities, statistics.own_links
    rows, own, links = table["row"].to_numpy(), table["own"].to_numpy(dtype=float), table["links"].to_numpy(dtype=float)
    shrunk, sums = shrunk_share(rows, own, links, platforms=facts["platform"])
    reason = _pointless(facts)
    reason[~facts["has_sites"].to_numpy(dtype=bool)] = "no sites configured"
    return columns(shrunk, n=sums.x, coverage=facts["observed"], reason=reason)


def _pointless(facts: pd.DataFrame) -> Reasons:
    """Say where a source shows no link of any community."""
    return because(facts["links"].groupby(facts["source_id"]).transform("sum") == 0, NO_LINKS)
