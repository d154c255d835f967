"""The measuring of a run, read top to bottom: arrive → place → reduce what was touched → combine → estimates.

In: the DuckDB connection of the activity store. Out: a :class:`Measurement`. SQL reduces records to integer sums, community by
community, so that neither the order of the input nor the number of threads changes a bit; Python turns the sums into estimates.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from discovery.features import (
    activity,
    crossposts,
    diversity,
    dynamicity,
    engagement,
    growth,
    integrity,
    intensity,
    kinds,
    loyalty,
    needs,
    neighbours,
    newcomers,
    reach,
    reception,
    replies,
    retention,
    rhythm,
    saturation,
    selection,
    specificity,
    spending,
    vocabulary,
    welcome,
)
from discovery.features.authors import author_sums, author_tables, lifetimes, listed_authors, months, spells
from discovery.features.background import Background, behind
from discovery.features.declaration import FEATURES, Statistics, gate
from discovery.features.intent import LEXICON_LANGUAGE, TIERS, mentions
from discovery.features.measurement import Measurement, Scope, Vocabulary
from discovery.features.members import arrive, batches
from discovery.features.partials import advance, fingerprint, known
from discovery.features.reduction import BATCH_TABLES, reduce
from discovery.features.selection import load
from discovery.settings import FeatureSettings

if TYPE_CHECKING:
    import duckdb

FAMILIES = (
    *(activity, rhythm, retention, intensity, loyalty, newcomers, engagement, replies, welcome, reception, growth, reach, integrity),
    *(diversity, dynamicity, specificity, crossposts, needs, saturation, spending, neighbours),
)
"""The rooms of the features; importing them declares what is in ``FEATURES``."""
TABLES = (
    *("touched", "gone", "placed", "spans", "bound", "spanned", "span", "term", "background_term"),
    *("thread_state", "author_thread", "elsewhere", "covered_month", "author_newcomer", "everywhere", "author_loyalty", "scored"),
    *("portfolio", "naming", *kinds.TABLES, *BATCH_TABLES),
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
        "duplicate_of",
        "quote_ok",
        "llm_ok",
        "licence",
    ),
    *("coverage", "records", "authors", "first_at", "last_at"),
]


def measure(
    connection: duckdb.DuckDBPyConnection, *, scope: Scope, settings: FeatureSettings, frozen: Background | None = None
) -> Measurement:
    """Measure every community that the run's sources show, computing afresh only what has changed since the last measuring of them.

    Args:
        connection: The activity store.
        scope: Which part of it.
        settings: Bounds of what is read for words.
        frozen: The words of the run that later ones are compared with; None where none is frozen yet.

    Raises:
        SourceNotStoredError: the scope names a source the store does not hold.
    """
    sources = selection.sources_of(connection, scope)
    try:
        placed = _refreshed(connection, sources, scope=scope, settings=settings)
        return combine(connection, placed=placed, sources=sources, scope=scope, settings=settings, frozen=frozen)
    finally:
        for table in TABLES:
            connection.execute(f"DROP TABLE IF EXISTS temp.{table}")


def combine(  # noqa: PLR0913 - what a measuring is made of, by name
    connection: duckdb.DuckDBPyConnection,
    *,
    placed: pd.DataFrame,
    sources: pd.DataFrame,
    scope: Scope,
    settings: FeatureSettings,
    frozen: Background | None = None,
) -> Measurement:
    """Combine partials, from wherever they come, with what crosses communities and with ``now``; needs the table ``bound``."""
    facts = selection.facts(connection, placed=placed, sources=sources)
    facts["language"] = vocabulary.languages(connection, len(facts))
    facts = _once(facts.assign(duplicate_of=crossposts.repeated(connection, facts)))
    words = vocabulary.vocabulary(connection, communities=len(facts), max_terms=settings.max_terms)
    background = behind(frozen, communities=facts, vocabulary=words)
    statistics, found = _statistics(connection, _with_lexicon(facts), scope=scope, background=background)
    said = (words, background.version)
    return _measurement(statistics, found, mentions(connection), said=said, totals=selection.totals(connection))


def _refreshed(connection: duckdb.DuckDBPyConnection, sources: pd.DataFrame, *, scope: Scope, settings: FeatureSettings) -> pd.DataFrame:
    """Bring all partials up to the records of the store, in one transaction; return where each community is placed."""
    connection.begin()
    try:
        page = arrive(connection, sources=sources.index.tolist(), known=known(connection, fingerprint(scope, settings)))
        placed = selection.place(connection, scope=scope, sources=sources)
        for _ in batches(connection, records=settings.batch_records):
            reduce(connection, settings=settings, page=page)
        advance(connection, page)
    except BaseException:
        connection.rollback()
        raise
    connection.commit()
    return placed


def _once(facts: pd.DataFrame) -> pd.DataFrame:
    """Make a community that is told twice sensitive where one of the two is."""
    because = facts["sensitive_because"].groupby(facts["duplicate_of"].fillna(facts["community"])).transform("first")
    return facts.assign(sensitive_because=because.astype(object).where(because.notna(), None), sensitive=because.notna())


def _with_lexicon(facts: pd.DataFrame) -> pd.DataFrame:
    """Say where the intent patterns can be read, and why not elsewhere: never a zero for a language they do not know."""
    facts["lexicon"] = (facts["language"] == LEXICON_LANGUAGE).astype(bool)
    unknown = np.where(facts["worded"] == 0, "text: the records hold none", "language: too little text to tell")
    facts["lexicon_reason"] = np.where(facts["language"].isna(), unknown, "no lexicon for " + facts["language"].fillna("").astype(object))
    return facts


def _statistics(
    connection: duckdb.DuckDBPyConnection, facts: pd.DataFrame, *, scope: Scope, background: Background
) -> tuple[Statistics, pd.DataFrame]:
    """Combine the partials to everything the features are made of; also return every kind of need with its name."""
    threads = replies.thread_tables(connection)
    author_tables(connection)
    newcomers.newcomer_table(connection)
    loyalty.loyalty_table(connection)
    scores, clumps = reception.scores(connection)
    found = kinds.grouped(connection)
    products = saturation.product_tables(connection)
    facts = facts.join(threads).join(clumps).join(saturation.product_counts(connection))
    facts = facts.join(listed_authors(connection).set_index("row").add_prefix("listed_"))
    facts = facts.join(vocabulary.sampled(connection))
    visits = neighbours.visits(connection)
    places = neighbours.placed(visits, facts["platform"])
    told = {"has_portfolio": len(scope.portfolio) > 0, "has_sites": len(scope.sites) > 0}
    facts = facts.assign(portfolio=facts["community"].isin(scope.portfolio), **told)
    load(connection, "portfolio", pd.DataFrame({"row": facts.index[facts["portfolio"]].to_numpy(dtype="int64")}))
    statistics = Statistics(
        communities=facts,
        authors=author_sums(connection, tiers=TIERS),
        months=months(connection, communities=facts),
        spells=spells(connection),
        lifetimes=lifetimes(connection),
        waits=replies.waits(connection),
        varieties=diversity.measured_varieties(connection),
        changes=dynamicity.measured_changes(connection),
        needs=found.groupby(["row", "kind"])["voter"].size().rename("authors").reset_index(),
        products=products,
        payers=spending.payers(connection),
        crossings=crossposts.crossings(connection),
        comparisons=specificity.compared(connection, background, communities=facts),
        lifts=reach.lifts(connection, communities=facts, places=places),
        roamers=neighbours.roamers(visits, places),
        own_links=integrity.own_links(connection, sites=scope.sites),
        frozen=background.measures,
        waits_by_month=rhythm.monthly_waits(connection),
        scores=scores,
        welcomes=welcome.welcomes(connection),
        links=integrity.links(connection),
        intensities=intensity.intensities(connection),
    )
    return replace(statistics, communities=_counted(statistics)), found


def _counted(statistics: Statistics) -> pd.DataFrame:
    """Add up, by row, the amounts that evidence is counted in, and make whole numbers of all counts; where nothing was, 0."""
    told, welcomes, strata, waits = statistics, statistics.welcomes, statistics.intensities, statistics.waits_by_month
    amounts: dict[str, tuple[pd.DataFrame, pd.Series[float] | pd.Series[bool]]] = {
        "product_votes": (told.products, told.products["authors"]),
        "scored_posts": (told.scores, told.scores["posts"]),
        "newcomer_posts": (welcomes, welcomes["fresh"] * welcomes["authors"]),
        "followed_author_months": (strata, strata.filter(like="present_").sum(axis=1) * strata["authors"]),
        "links": (told.links, told.links["links"]),
        "long_texts": (told.crossings, told.crossings["texts"]),
        "lively_months": (waits, waits["waits"] > 0),
        "need_votes": (told.needs, told.needs["authors"]),
        "payers": (told.payers, told.payers["currency"] == spending.CURRENCY),
        "roaming_authors": (told.roamers, told.roamers["people"]),
        "voters": (told.authors, told.authors["voters"]),
        "procuring_authors": (told.authors, told.authors["T3"]),
    }
    facts = statistics.communities.copy()
    for name, (table, amount) in amounts.items():
        facts[name] = np.bincount(table["row"], amount, len(facts))
    counts = facts.columns[facts.dtypes.map(pd.api.types.is_numeric_dtype) & (facts.columns != "members")]
    whole = [column for column in counts if column not in {"exposure", "observed"} and facts[column].dtype != bool]
    facts[whole] = facts[whole].fillna(0).astype("int64")
    return facts


def _measurement(
    statistics: Statistics, found: pd.DataFrame, evidence: pd.DataFrame, *, said: tuple[Vocabulary, int], totals: tuple[int, int]
) -> Measurement:
    """Compute every declared feature through its gate and hang everything on the communities' keys."""
    facts = statistics.communities
    keys = pd.Index(facts["community"].to_numpy(dtype=object), name="community")
    names = sorted(FEATURES)
    grid = [gate(FEATURES[name].compute(statistics), FEATURES[name], facts) for name in names]
    own = {name: frame["own"].to_numpy() for name, frame in zip(names, grid, strict=True) if FEATURES[name].ratio is not None}
    estimates = pd.DataFrame({"community": np.repeat(keys, len(names)), "feature": np.tile(np.array(names, dtype=object), len(keys))})
    for column in ("value", "low", "high", "n", "coverage", "missing_reason"):
        told = np.stack([frame[column].to_numpy() for frame in grid], axis=1).ravel()
        estimates[column] = pd.Series(told, dtype=told.dtype)  # else reasons would be strings, and None among them NaN
    named = found[found["need"] != ""]
    return Measurement(
        communities=facts.set_index(keys)[PUBLIC],
        estimates=estimates,
        author_sums=statistics.authors,
        vocabulary=said[0],
        background_version=said[1],
        measures=pd.concat([engagement.standards(statistics), intensity.mixes(statistics)]).rename("value").reset_index(),
        needs=named.assign(community=keys[named["row"]])[["community", "need", "voter"]].drop_duplicates().reset_index(drop=True),
        mentions=evidence,
        own_weight=pd.DataFrame(own, index=keys),
        records=totals[0],
        authors=totals[1],
    )
