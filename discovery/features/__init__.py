"""Features: every feature declared once, with its name, unit, formula, source and minimum evidence.

SQL reduces records to sufficient statistics per community and per author; Python turns those into estimates. A feature is
one function under :func:`feature`; from its declaration follow the feature matrix, the README's table, the units in SQL,
``explain`` and the tests.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import pandas as pd
from scipy import sparse

Block = Literal["behaviour", "language", "market"]
Transform = Literal["identity", "log", "log1p", "logit"]


class Evidence(NamedTuple):
    """The least evidence a feature asks for; below it the feature is missing, with the reason."""

    authors: int = 0
    records: int = 0
    months: int = 0
    threads: int = 0
    tokens: int = 0
    complete: bool = False
    """Needs every record of its span; a listing or a sample cannot show it."""


@dataclass(frozen=True)
class Feature:
    """The declaration of one feature."""

    name: str
    title: str
    """Plain words for a reader, lower case: "share of authors who return"."""
    unit: str
    formula: str
    source: str
    block: Block
    transform: Transform
    """What makes its scale fit for distances: counts log or log1p, rates logit."""
    needs: Evidence
    clustered: bool
    """Stands in the matrix that K-Means sees; the others serve the score and the profile."""
    compute: Callable[..., pd.DataFrame]


@dataclass(frozen=True)
class Vocabulary:
    """Words per community from the bounded sample: what communities talk about. Rows follow ``Measurement.communities``."""

    terms: pd.Index
    counts: sparse.csr_matrix
    """Token counts, shape (n_communities, n_terms)."""
    authors: sparse.csr_matrix
    """Distinct authors who used the term, same shape."""


@dataclass(frozen=True)
class Measurement:
    """What one run measured. All frames are sorted by community key, so that nothing depends on the order of input."""

    communities: pd.DataFrame
    """Index ``community``; columns source, platform, name, url, description, members, language, sensitive, quote_ok, llm_ok,
    licence, coverage, records, authors, first_at, last_at."""
    estimates: pd.DataFrame
    """A complete grid, one row per community and feature: community, feature, value, low, high, n, coverage, missing_reason."""
    author_sums: pd.DataFrame
    """One row per (community, author), in a stable order that no pseudonym decides: column ``row`` (the position of the
    community) and integer sufficient statistics. Carries no author id."""
    vocabulary: Vocabulary
    needs: pd.DataFrame
    """community, need (a short phrase), authors (distinct), threads."""
    mentions: pd.DataFrame
    """Records that intent patterns hit: community, record_id, tier, thread, span_start, span_end, text, url, created_at, score."""

    def values(self) -> pd.DataFrame:
        """Pivot the estimates to the feature matrix, shape (n_communities, n_features), NaN where missing."""
        matrix = self.estimates.pivot(index="community", columns="feature", values="value")
        return matrix.loc[self.communities.index]
