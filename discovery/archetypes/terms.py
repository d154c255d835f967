"""Terms: the words that set a group of communities apart, by log-odds with an informative Dirichlet prior.

Monroe, Colaresi & Quinn 2008, "Fightin' Words", doi:10.1093/pan/mpn018: z = δ / √var(δ), with the market's own word
frequencies as the prior.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from discovery.archetypes.embedding import Floats
from discovery.features import Vocabulary
from discovery.features.text import STOP_WORDS

PRIOR = 500.0
"""Pseudo-tokens of the prior (Zhang et al. 2017)."""
LEAST_AUTHORS = 5
LEAST_Z = 1.96
KEPT = 20


def terms(vocabulary: Vocabulary, groups: pd.Series) -> pd.DataFrame:
    """List the distinctive words of every group against the rest of the market.

    Args:
        vocabulary: Token and author counts per community.
        groups: Group of each community, in the vocabulary's order; -1 belongs to the market only.

    Returns:
        group, term, z, authors, at most 20 a group, strongest first. Only words of at least five authors and, where the group
        has two communities, of at least two. An author counts once per community, so ``authors`` is an upper bound where
        people visit several.
    """
    member = _members(groups)
    said, communities = (member @ vocabulary.counts).tocsr(), (member @ (vocabulary.authors > 0)).tocsr()
    heard = (member @ vocabulary.authors).tocoo()
    content = np.array([len(term) > 2 and term not in STOP_WORDS for term in vocabulary.terms], dtype=bool)
    common = content[heard.col] & (heard.data >= LEAST_AUTHORS)
    row, column, authors = heard.row[common], heard.col[common], heard.data[common].astype(int)
    spread = _at(communities, row, column) >= np.minimum(2, np.asarray(member.sum(axis=1)).ravel()[row])
    market = np.asarray(vocabulary.counts.sum(axis=0), dtype=np.float64).ravel()
    tokens = np.asarray(said.sum(axis=1), dtype=np.float64).ravel()[row]
    z = log_odds_z(_at(said, row, column), market[column], tokens=tokens, market_tokens=float(market.sum()))
    table = pd.DataFrame({"group": row, "term": np.asarray(vocabulary.terms, dtype=object)[column], "z": z, "authors": authors})
    table = table[spread & (z >= LEAST_Z)].sort_values(["group", "z", "term"], ascending=[True, False, True], kind="stable")
    first: pd.DataFrame = table.groupby("group").head(KEPT).reset_index(drop=True)
    return first


def log_odds_z(inside: Floats, market: Floats, *, tokens: Floats, market_tokens: float) -> Floats:
    """Compute z of a word's log-odds inside a group against the rest of the market.

    Args:
        inside: How often the group says each word.
        market: How often the whole market says it.
        tokens: All that the group says, per word.
        market_tokens: All that the market says.
    """
    prior = PRIOR * market / market_tokens
    here, there = inside + prior, market - inside + prior
    odds = np.log(here / (tokens + PRIOR - here)) - np.log(there / (market_tokens - tokens + PRIOR - there))
    return np.asarray(odds / np.sqrt(1 / here + 1 / there))


def _at(matrix: sparse.csr_matrix, row: NDArray[np.int_], column: NDArray[np.int_]) -> Floats:
    """Read some cells of a sparse matrix."""
    return np.asarray(matrix[row, column], dtype=np.float64).ravel() if len(row) else np.zeros(0)


def _members(groups: pd.Series) -> sparse.csr_matrix:
    """Lay out who belongs where, shape (n_groups, n_communities)."""
    labels = groups.to_numpy()
    inside = np.flatnonzero(labels >= 0)
    shape = (int(labels.max(initial=-1)) + 1, len(labels))
    return sparse.csr_matrix((np.ones(len(inside)), (labels[inside], inside)), shape=shape)
