"""What a run asks to be measured, and what it gets: the values between the records and everything that follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd
from scipy import sparse


@dataclass(frozen=True)
class Scope:
    """Which part of the store a run measures."""

    sources: tuple[str, ...]
    """Names of the run's sources; records of other sources are not read."""
    now: Mapping[str, int] = field(default_factory=dict)
    """Instant a source was read at, by its name; else the last instant it shows. Never the wall clock."""
    window_days: int | None = None
    """Only records of this many days before ``now``."""
    portfolio: tuple[str, ...] = ()
    """Keys of the user's own communities, for cross-promotion."""
    sites: tuple[str, ...] = ()
    """Hosts of the user's own sites, lower case, without "www."."""


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
    """Index ``community``; columns source, platform, name, url, description, members, language, sensitive, sensitive_because
    (the subject, or that its platform marked it; None), duplicate_of (the community it is the same as; None), quote_ok, llm_ok,
    licence, coverage, records, authors, first_at, last_at."""
    estimates: pd.DataFrame
    """A complete grid, one row per community and feature: community, feature, value, low, high, n, coverage, missing_reason."""
    author_sums: pd.DataFrame
    """One row per (community, author), in a stable order that no pseudonym decides: column ``row`` (the position of the
    community) and integer sufficient statistics. Carries no author id."""
    vocabulary: Vocabulary
    background_version: int
    """Version of the words that specificity compares with: of the frozen ones, or of those this run would freeze."""
    measures: pd.DataFrame
    """feature, part, value: what features of this run were measured by (an axis, a mix), of the frozen run where it has that."""
    needs: pd.DataFrame
    """community, need (a short phrase), voter: one row per person who voices it there. The number tells the people of one need
    apart in any union of communities and says nothing across needs; it is no author's id."""
    mentions: pd.DataFrame
    """Records that intent patterns hit: community, record_id, tier, thread, span_start, span_end, text, url, created_at, score.
    ``text`` is the title, a line break and the body; the span is a slice of it."""
    own_weight: pd.DataFrame
    """Index community, one column per feature that is a ratio over authors: the share of its value that is the community's
    own, the rest being its platform's; NaN where missing."""
    records: int
    """Distinct records in scope, bots' and deleted authors' too; a record in several communities counts once."""
    authors: int
    """Distinct authors of them, bots too; deleted ones are nobody."""

    @property
    def market(self) -> pd.Index:
        """Name the communities that count: neither sensitive nor the same as another one."""
        told = self.communities
        return told.index[~told["sensitive"].astype(bool) & told["duplicate_of"].isna()]

    def values(self) -> pd.DataFrame:
        """Pivot the estimates to the feature matrix, shape (n_communities, n_features), NaN where missing."""
        matrix = self.estimates.pivot(index="community", columns="feature", values="value")
        return matrix.loc[self.communities.index]
