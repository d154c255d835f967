"""The measuring of a run, read top to bottom: select → words → intent → threads → authors → estimates.

In: the DuckDB connection of the activity store. Out: a :class:`Measurement`. SQL reduces records to integer sums, so that
neither the order of the input nor the number of threads changes a bit; Python turns the sums into estimates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from discovery.features import activity, engagement, growth, needs, reach, replies, retention, saturation, vocabulary
from discovery.features.authors import author_sums, author_tables, lifetimes, listed_authors, months
from discovery.features.declaration import FEATURES, Statistics, gate
from discovery.features.estimation import author_totals
from discovery.features.intent import LEXICON_LANGUAGE, TIERS, mentions, search, tag
from discovery.features.measurement import Measurement, Scope
from discovery.features.phrases import Phrase, needed
from discovery.features.selection import load, select
from discovery.features.text import language
from discovery.settings import FeatureSettings

if TYPE_CHECKING:
    import duckdb

FAMILIES = (activity, retention, engagement, replies, growth, reach, vocabulary, needs, saturation)
"""The rooms of the features; importing them declares what is in ``FEATURES``."""
TABLES = (
    *("placed", "spans", "entry", "span", "word", "term", "readable", "tag", "vote", "thread", "thread_state"),
    *("author_thread", "author", "author_month", "portfolio", "named_product", "naming", "total"),
)
"""Temporary tables of a measuring, dropped at its end."""
PUBLIC = [
    *(
        "source",
        "platform",
        "name",
        "url",
        "description",
        "members",
        "language",
        "sensitive",
        "sensitive_because",
        "quote_ok",
        "llm_ok",
        "licence",
    ),
    *("coverage", "records", "authors", "first_at", "last_at"),
]


class _Read(NamedTuple):
    """What reading the records' words for intent has found, as plain rows."""

    tags: pd.DataFrame
    phrases: list[Phrase]
    products: list[tuple[int, str]]


def measure(connection: duckdb.DuckDBPyConnection, *, scope: Scope, settings: FeatureSettings) -> Measurement:
    """Measure every community that the run's sources show.

    Raises:
        SourceNotStoredError: the scope names a source the store does not hold.
    """
    try:
        facts = select(connection, scope=scope)
        facts["language"] = _languages(connection, len(facts), settings)
        facts = _with_lexicon(facts)
        load(connection, "readable", pd.DataFrame({"c": facts.index[facts["lexicon"]].to_numpy(dtype="int64")}))
        read = _read(connection)
        tag(connection, read.tags)
        evidence = mentions(connection, per_tier=settings.mentions_per_tier)
        statistics, kinds = _statistics(connection, facts, read, scope=scope, settings=settings)
        records, authors = connection.execute("SELECT records, authors FROM total").fetchall()[0]
        return _measurement(statistics, kinds, evidence, totals=(records, authors))
    finally:
        for table in TABLES:
            connection.execute(f"DROP TABLE IF EXISTS temp.{table}")


def _languages(connection: duckdb.DuckDBPyConnection, communities: int, settings: FeatureSettings) -> pd.Series[str]:
    """Sample the words of each community and tell its language; None where there is too little text."""
    said = vocabulary.sample_words(connection, records=settings.sample_records)
    told = pd.Series([language(words) for words in said["words"]], index=said["c"], dtype=object)
    spoken = told.reindex(range(communities))
    return spoken.where(spoken.notna(), None)


def _with_lexicon(facts: pd.DataFrame) -> pd.DataFrame:
    """Say where the intent patterns can be read, and why not elsewhere: never a zero for a language they do not know."""
    facts["lexicon"] = (facts["language"] == LEXICON_LANGUAGE).astype(bool)
    unknown = np.where(facts["worded"] == 0, "text: the records hold none", "language: too little text to tell")
    facts["lexicon_reason"] = np.where(facts["language"].isna(), unknown, "no lexicon for " + facts["language"].fillna("").astype(object))
    return facts


def _read(connection: duckdb.DuckDBPyConnection) -> _Read:
    """Read every record for intent; keep spans, what is needed and the products named in words of buying and switching."""
    rows: list[tuple[int, str, int, int]] = []
    phrases: list[Phrase] = []
    products: list[tuple[int, str]] = []
    for found in search(connection):
        by_tier = {hit.tier: hit for hit in found.hits}
        rows.extend((found.record, *hit) for hit in found.hits)
        voiced = by_tier.get("T1") or by_tier.get("T0")
        if voiced and (phrase := needed(found.words, record=found.record, start=voiced.start, end=voiced.end)):
            phrases.append(phrase)
        named = (
            saturation.named(found.words, start=by_tier[tier].start, end=by_tier[tier].end) for tier in ("SW", "T4") if tier in by_tier
        )
        products.extend((found.record, product) for product in named if product)
    tags = pd.DataFrame(rows, columns=["r", "tier", "span_start", "span_end"]).astype(
        {"r": "int64", "span_start": "int64", "span_end": "int64"}
    )
    return _Read(tags, phrases, products)


def _statistics(
    connection: duckdb.DuckDBPyConnection, facts: pd.DataFrame, read: _Read, *, scope: Scope, settings: FeatureSettings
) -> tuple[Statistics, pd.DataFrame]:
    """Reduce the entries to everything the features are made of; also return every kind of need with its name."""
    threads = replies.thread_tables(connection)
    author_tables(connection)
    kinds = needs.needs(connection, read.phrases)
    products = saturation.product_tables(connection, read.products)
    facts = facts.join(threads).join(saturation.product_counts(connection))
    facts = facts.join(listed_authors(connection).set_index("row").add_prefix("listed_"))
    spectrum = vocabulary.spectrum(connection)
    facts["tokens"] = np.bincount(spectrum["row"], spectrum["frequency"] * spectrum["words"], len(facts))
    facts["need_votes"] = np.bincount(kinds["row"], minlength=len(facts))
    facts["product_votes"] = np.bincount(products["row"], products["authors"], len(facts))
    facts["portfolio"] = facts["community"].isin(scope.portfolio)
    counts = facts.columns[facts.dtypes.map(pd.api.types.is_numeric_dtype) & (facts.columns != "members")]
    whole = [column for column in counts if column not in {"exposure", "observed"} and facts[column].dtype != bool]
    facts[whole] = facts[whole].fillna(0).astype("int64")
    load(connection, "portfolio", pd.DataFrame({"c": facts.index[facts["portfolio"]].to_numpy(dtype="int64")}))
    statistics = Statistics(
        communities=facts,
        authors=author_sums(connection, tiers=TIERS),
        months=months(connection, communities=facts),
        lifetimes=lifetimes(connection),
        waits=replies.waits(connection),
        spectrum=spectrum,
        needs=kinds.groupby(["row", "kind"])["voter"].size().rename("authors").reset_index(),
        products=products,
        vocabulary=vocabulary.vocabulary(connection, communities=len(facts), max_terms=settings.max_terms),
        lifts=reach.lifts(connection, communities=facts),
    )
    facts["voters"] = author_totals(statistics, "voters").astype("int64")
    facts["procuring_authors"] = author_totals(statistics, "T3").astype("int64")
    return statistics, kinds


def _measurement(statistics: Statistics, kinds: pd.DataFrame, evidence: pd.DataFrame, *, totals: tuple[int, int]) -> Measurement:
    """Compute every declared feature through its gate and hang everything on the communities' keys."""
    facts = statistics.communities
    keys = pd.Index(facts["community"].to_numpy(dtype=object), name="community")
    grid, own = [], {}
    for name, declared in sorted(FEATURES.items()):
        frame = gate(declared.compute(statistics), declared, facts)
        if declared.ratio is not None:
            own[name] = frame["own"].to_numpy()
        grid.append(frame.drop(columns="own").assign(community=keys, feature=name, order=np.arange(len(frame))))
    estimates = pd.concat(grid, ignore_index=True).sort_values(["order", "feature"], ignore_index=True)
    named = kinds[kinds["need"] != ""]
    return Measurement(
        communities=facts.set_index(keys)[PUBLIC],
        estimates=estimates[["community", "feature", "value", "low", "high", "n", "coverage", "missing_reason"]],
        author_sums=statistics.authors,
        vocabulary=statistics.vocabulary,
        needs=named.assign(community=keys[named["row"]])[["community", "need", "voter"]].drop_duplicates().reset_index(drop=True),
        mentions=evidence,
        own_weight=pd.DataFrame(own, index=keys),
        records=totals[0],
        authors=totals[1],
    )
