"""Who is there already: promotion, products that people name, how content they are, and whether they are leaving."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from discovery.features.declaration import Evidence, Floats, Interval, Ratio, Statistics, because, columns, feature
from discovery.features.estimation import Z90, author_share, per_unit, proportions, rates, totals
from discovery.features.partials import Partial, add_missing, renew
from discovery.features.text import STOP_WORDS, WORDS

if TYPE_CHECKING:
    import duckdb

LEAST_NAMERS = 3
"""Distinct authors who must name a product in words of buying or switching before its name is searched for everywhere."""
MOST_PRODUCTS = 400
LEAST_THREADS = 10
PARTS = {"product mentions per help thread": 0.4, "promotion": 0.3, "satisfaction": 0.3}
BLIND = 0.6
"""Confidence is capped: a product nobody mentions may still exist."""
NONE_NAMED = "products: none is named in its help threads"
PROMOTION, SWITCHING = Ratio({"P": 1}, "voters"), Ratio({"SW": 1}, "T3")

_RUN = r"\b[A-Z][\w+#.-]+(?: [A-Z][\w+#.-]+)*"
"""Capitalised words in a row: every product named in a text stands inside one of them, and what follows the run ends a name."""

_HEARD = """
WITH asking AS (SELECT c, key AS opened FROM partial.thread SEMI JOIN batch USING (c) WHERE help)
SELECT c, opened, a, q.key FROM asking p JOIN entry q USING (c) WHERE q.key = p.opened
UNION ALL SELECT c, opened, a, q.key FROM asking p JOIN entry q USING (c) WHERE q.thread = p.opened AND NOT q.post
"""
_CAPITAL = f"""
SELECT c, wanted.key, list_sort(list_distinct(regexp_extract_all({WORDS}, $run))) AS runs
FROM records JOIN wanted ON records.rowid = wanted.rid
"""  # noqa: S608 - a constant of ours; what is variable is bound
_SPELLED = "SELECT DISTINCT c, opened, a, unnest(runs) AS run FROM heard JOIN partial.capital USING (c, key)"
_NAMER = "SELECT DISTINCT c, a, product FROM entry JOIN partial.named USING (c, key) SEMI JOIN readable USING (c) WHERE a IS NOT NULL"
TABLES = "CREATE TABLE IF NOT EXISTS partial.named (c INTEGER, key UBIGINT, product VARCHAR)"

_KNOWN = """
SELECT product FROM partial.namer SEMI JOIN span USING (c) GROUP BY product HAVING count(DISTINCT a) >= $least
ORDER BY count(DISTINCT a) DESC, product LIMIT $most
"""
_NAMING = """
CREATE OR REPLACE TEMP TABLE naming AS
WITH runs AS (SELECT DISTINCT run FROM partial.spelled SEMI JOIN span USING (c)),
held AS (SELECT run, unnest(list_distinct(regexp_extract_all(run, $pattern, 1))) AS product FROM runs WHERE regexp_matches(run, $pattern))
SELECT DISTINCT c, row, opened AS key, a, product FROM partial.spelled JOIN span USING (c) JOIN held USING (run)
"""
_PRODUCTS = "SELECT row, product, count(DISTINCT a) AS authors FROM naming WHERE a IS NOT NULL GROUP BY ALL ORDER BY row, product"
_COUNTS = """
WITH mention AS (SELECT c, key, count(DISTINCT product) AS products FROM naming GROUP BY ALL),
author AS (SELECT c, count(*) AS n FROM naming WHERE a IS NOT NULL GROUP BY c, a),
again AS (SELECT c, sum(n)::BIGINT AS namings, sum(n * n)::BIGINT AS naming_squares FROM author GROUP BY c)
SELECT row, any_value(namings) AS namings, any_value(naming_squares) AS naming_squares, count(*) AS asking_threads,
    coalesce(sum(products), 0)::BIGINT AS product_sum,
    coalesce(sum(products * products), 0)::BIGINT AS product_squares,
    count(*) FILTER (settled AND products > 0) AS advised, count(*) FILTER (settled AND products > 0 AND solved) AS advised_solved
FROM thread_state LEFT JOIN mention USING (c, key) LEFT JOIN again USING (c) WHERE help GROUP BY row ORDER BY row
"""

_NAME = r"((?-i:[A-Z])[\w+#-]{1,24}(?:\.[a-z]{2,4}\b)?(?:[ ](?-i:[A-Z])[\w+#-]{1,24}){0,2})"
_NAMED = re.compile(rf"\b(?:to|for|from|on|of|with|using)\s{{1,3}}(?:the\s)?{_NAME}", re.ASCII | re.IGNORECASE)


def named(text: str, *, start: int, end: int) -> str | None:
    """Give the product that the words of buying or switching at ``[start, end)`` name: a capitalised name after a preposition."""
    found = _NAMED.search(text, start, min(end + 40, len(text)))
    if found is None:
        return None
    words = found[1].split(" ")
    while words and words[-1].lower() in STOP_WORDS:
        words.pop()
    return " ".join(words) if words and words[0].lower() not in STOP_WORDS else None


def read_capitals(connection: duckdb.DuckDBPyConnection) -> None:
    """Keep who writes which capitalised words in help threads of the batch: partials ``capital`` (by record), ``spelled``, ``namer``."""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE heard AS {_HEARD}")
    add_missing(connection, Partial("capital", _CAPITAL, {"run": _RUN}), "SELECT DISTINCT c, key FROM heard")
    renew(connection, Partial("spelled", _SPELLED), Partial("namer", _NAMER))
    connection.execute("DROP TABLE heard")


def product_tables(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Find the known products in every help thread (temporary table ``naming``); return row, product, authors.

    Known is what enough distinct authors of the run name in words of buying and switching.
    """
    known = connection.execute(_KNOWN, {"least": LEAST_NAMERS, "most": MOST_PRODUCTS}).fetchall()
    longest_first = sorted((name for (name,) in known), key=lambda name: (-len(name), name))
    pattern = rf"\b({'|'.join(map(re.escape, longest_first))})(?:\W|$)" if longest_first else r"[^\s\S]"
    connection.execute(_NAMING, {"pattern": pattern})
    return connection.execute(_PRODUCTS).df()


def product_counts(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Count help threads, product mentions in them, and those with a mention that were settled and solved, per row."""
    return connection.execute(_COUNTS).df().set_index("row")


@feature(
    title="share of people who promote their own", unit="fraction of authors, 0 to 1",
    formula="P authors / authors; one vote per author, beta-binomial shrinkage to the platform's mean",
    source="promotion patterns", block="market", transform="logit", needs=Evidence(authors=30, lexicon=True), ratio=PROMOTION,
    counted={"authors": "voters"},
)  # fmt: skip
def promotion(statistics: Statistics) -> pd.DataFrame:
    """Share of authors who promote something of their own."""
    return author_share(statistics, PROMOTION)


@feature(
    title="products named per call for help",
    unit="products per help thread",
    formula="Σ distinct products named in a help thread / help threads; products: capitalised names that at least three authors of "
    "the run use in words of buying or switching; gamma prior of the platform",
    source="product resolution from the corpus itself; Gamma-Poisson empirical Bayes; limits as if authors were drawn with all namings",
    block="market",
    transform="log1p",
    needs=Evidence(threads=LEAST_THREADS, lexicon=True),
    counted={"threads": "asking_threads"},
)
def product_mentions(statistics: Statistics) -> pd.DataFrame:
    """Distinct products named per help thread."""
    facts = statistics.communities
    total, squares, threads = (facts[column].to_numpy(dtype=float) for column in ("product_sum", "product_squares", "asking_threads"))
    again = facts["naming_squares"].to_numpy(dtype=float) / np.maximum(facts["namings"].to_numpy(dtype=float), 1)
    result = rates(total, threads, platforms=facts["platform"], inflation=per_unit(total, squares, threads), clumps=again)
    return columns(result, n=threads, coverage=facts["observed"])


@feature(
    title="how taken the market is",
    unit="0 (open) to 1 (taken), relative to the run",
    formula="0.4 · pct(product mentions per help thread) + 0.3 · pct(promotion) + 0.3 · pct(share of help threads naming a product "
    "that are solved), over the parts measured, at least two; pct: share of the run's communities strictly below. Coverage at"
    " most 0.6: competitors nobody names exist too",
    source="composite of the design",
    block="market",
    transform="identity",
    needs=Evidence(authors=30, lexicon=True),
    clustered=False,
)
def saturation(statistics: Statistics) -> pd.DataFrame:
    """How much of the market is taken by products and promoters, and how content people are with them."""
    facts = statistics.communities
    frames = [product_mentions(statistics), promotion(statistics), _satisfaction(facts)]
    weights = np.array(list(PARTS.values()))

    def weighted(column: str) -> Floats:
        value = np.column_stack([_placed(frame[column].to_numpy(), frame["value"].to_numpy()) for frame in frames])
        known = np.isfinite(value)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(
                known.sum(axis=1) >= 2, (np.where(known, value, 0) * weights).sum(axis=1) / (known * weights).sum(axis=1), np.nan
            )

    measured = np.column_stack([np.isfinite(frame["value"]) for frame in frames])
    reason = because(measured.sum(axis=1) < 2, "parts: fewer than 2 of saturation's three parts are measured")
    coverage = np.minimum((measured * weights).sum(axis=1), BLIND) * facts["observed"].to_numpy()
    placed = Interval(weighted("value"), weighted("low"), weighted("high"))
    return columns(placed, n=facts["voters"], coverage=coverage, reason=reason)


@feature(
    title="room in the market",
    unit="0 (taken) to 1 (open), relative to the run",
    formula="1 − saturation",
    source="as saturation",
    block="market",
    transform="identity",
    needs=Evidence(authors=30, lexicon=True),
    clustered=False,
)
def headroom(statistics: Statistics) -> pd.DataFrame:
    """Room that products and promoters leave."""
    taken = saturation(statistics)
    value, low, high = (1 - taken[column].to_numpy() for column in ("value", "high", "low"))
    reason = taken["missing_reason"].to_numpy(dtype=object)
    return columns(Interval(value, low, high), n=taken["n"], coverage=taken["coverage"], reason=reason)


@feature(
    title="how much buyers leave one incumbent",
    unit="0 to 1",
    formula="share of procuring authors (T3) who switch from or seek an alternative to something, shrunk, × HHI of the products named"
    " (Σ q², q their shares of naming authors)",
    source="Herfindahl–Hirschman index; high concentration with high switching is a wedge; relative errors of both add as squares",
    block="market",
    transform="identity",
    needs=Evidence(authors=5, lexicon=True),
    clustered=False,
    counted={"authors": "procuring_authors"},
)
def switching_wedge(statistics: Statistics) -> pd.DataFrame:
    """How many buyers are leaving, times how concentrated the products they talk about are."""
    facts = statistics.communities
    leaving = author_share(statistics, SWITCHING)
    reason = because(facts["product_votes"] == 0, NONE_NAMED)
    share = Interval(*(leaving[column].to_numpy() for column in ("value", "low", "high")))
    return columns(_product(share, _concentration(statistics)), n=facts["procuring_authors"], coverage=facts["observed"], reason=reason)


@feature(
    title="how few products people name",
    unit="Herfindahl–Hirschman index, 0 to 1",
    formula="Σ q², q the products' shares of the namings (author × product) in help threads",
    source="Herfindahl–Hirschman index; error by linearisation",
    block="market",
    transform="identity",
    needs=Evidence(records=10, lexicon=True),
    clustered=False,
    counted={"records": "product_votes"},
)
def product_hhi(statistics: Statistics) -> pd.DataFrame:
    """Concentration of the products that people name: one product is 1, many alike are near 0."""
    facts = statistics.communities
    reason = because(facts["product_votes"] == 0, NONE_NAMED)
    return columns(_concentration(statistics), n=facts["product_votes"], coverage=facts["observed"], reason=reason)


def _concentration(statistics: Statistics) -> Interval:
    """Give Σ q² over products with its limits; NaN where none is named."""
    size, table = len(statistics.communities), statistics.products
    rows, authors = table["row"].to_numpy(), table["authors"].to_numpy(dtype=float)
    total = totals(rows, authors, size)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = totals(rows, authors**2, size) / total**2
        spread = np.maximum(totals(rows, authors**3, size) / total**3 - value**2, 0)
        error = 2 * np.sqrt(spread / total)
        low, high = np.maximum(value - Z90 * error, 1 / total), np.minimum(value + Z90 * error, 1)
    return Interval(value, low, high)


def _product(one: Interval, other: Interval) -> Interval:
    """Multiply two independent estimates; their errors, in parts of their values, add up as squares."""
    with np.errstate(divide="ignore", invalid="ignore"):
        down, up = (np.hypot(a / one.value - 1, b / other.value - 1) for a, b in ((one.low, other.low), (one.high, other.high)))
    value = one.value * other.value
    return Interval(value, value * np.maximum(1 - down, 0), np.minimum(value * (1 + up), 1))


def _satisfaction(facts: pd.DataFrame) -> pd.DataFrame:
    """Estimate the share of help threads that name a product and are solved; NaN below ten such threads."""
    advised = facts["advised"].to_numpy(dtype=float)
    trials = np.where(advised >= LEAST_THREADS, advised, 0.0)
    solved = np.where(trials > 0, facts["advised_solved"].to_numpy(dtype=float), 0.0)
    result = proportions(solved, trials, platforms=facts["platform"])
    return pd.DataFrame(
        {"value": result.value, "low": np.where(trials > 0, result.low, np.nan), "high": np.where(trials > 0, result.high, np.nan)}
    )


def _placed(values: Floats, panel: Floats) -> Floats:
    """Give each value the share of the panel strictly below it."""
    known = np.sort(panel[np.isfinite(panel)])
    return np.where(np.isfinite(values), np.searchsorted(known, values, side="left") / max(len(known), 1), np.nan)
