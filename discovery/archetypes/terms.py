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
from discovery.features.text import GENERIC, STOP_WORDS, stem

PRIOR = 500.0
"""Pseudo-tokens of the prior (Zhang et al. 2017)."""
LEAST_AUTHORS = 5
LEAST_Z = 1.96
KEPT = 20
SPREAD = 0.2
"""Share of a group's communities that must say a word before it is the group's and not its biggest member's."""
DULL = frozenset(
    """true false real single finally wow omg haha lmao gonna amazing awesome beautiful cool cute cutest funny fantastic favourite
    favorite average huge favorites loves loved watched watching daily seeking offering wait waiting anyway honestly hello welcome
    man bro dude guy girl boy fuck fucking fucked shit ass damn hell january february march april june july august september
    october november december monday tuesday wednesday thursday friday saturday sunday jan feb mar apr jun jul aug sep sept oct
    nov dec xxx believe believes classic favorites classics compare compared comparing hope hoping thought thoughts guess
    moment moments remember literally basically probably definitely maybe crazy perfect perfectly nice lovely worst better
    official latest bought buying worth suggestions suggestion recommend recommendation recommendations advice opinions opinion
    anyone everyone somebody nobody""".split()  # noqa: SIM905 - as in the features
)
"""Words of mood and of the calendar: they set groups apart and tell nobody what a group is about."""
DROPPED = STOP_WORDS | GENERIC | DULL


def terms(vocabulary: Vocabulary, groups: pd.Series) -> pd.DataFrame:
    """List the distinctive words of every group against the rest of the market.

    Args:
        vocabulary: Token and author counts per community.
        groups: Group of each community, in the vocabulary's order; -1 belongs to the market only.

    Returns:
        group, term, z, authors, at most 20 a group, strongest first. Only words of at least five authors and of a fifth of
        the group's communities, of two at least where it has two. An author counts once per community, so ``authors`` is an
        upper bound where people visit several.
    """
    member = _members(groups)
    said, communities = (member @ vocabulary.counts).tocsr(), (member @ (vocabulary.authors > 0)).tocsr()
    heard = (member @ vocabulary.authors).tocoo()
    content = np.array([len(term) > 2 and term not in DROPPED for term in vocabulary.terms], dtype=bool)
    common = content[heard.col] & (heard.data >= LEAST_AUTHORS)
    row, column, authors = heard.row[common], heard.col[common], heard.data[common].astype(int)
    size = np.asarray(member.sum(axis=1)).ravel()[row]
    spread = _at(communities, row, column) >= np.maximum(np.minimum(2, size), SPREAD * size)
    market = np.asarray(vocabulary.counts.sum(axis=0), dtype=np.float64).ravel()
    tokens = np.asarray(said.sum(axis=1), dtype=np.float64).ravel()[row]
    z = log_odds_z(_at(said, row, column), market[column], tokens=tokens, market_tokens=float(market.sum()))
    table = pd.DataFrame({"group": row, "term": np.asarray(vocabulary.terms, dtype=object)[column], "z": z, "authors": authors})
    table = table[spread & (z >= LEAST_Z)].sort_values(["group", "z", "term"], ascending=[True, False, True], kind="stable")
    table = _without_twins(table)
    first: pd.DataFrame = table.groupby("group").head(KEPT).reset_index(drop=True)
    return first


def _without_twins(table: pd.DataFrame) -> pd.DataFrame:
    """Keep the strongest form of a word in each group: of "song" and "songs" one, and "trump" for "trump's"."""
    bare = table["term"].str.replace(r"['’]s$", "", regex=True)
    known = set(bare)
    roots = [stem(term[:-1] if term.endswith("s") and term[:-1] in known else term) for term in bare]
    once = ~pd.DataFrame({"group": table["group"], "root": roots}).duplicated()
    return table.assign(term=bare)[once & ~bare.isin(DROPPED)]


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
