"""Where each community stands by what it talks about and what it asks for: words in, unit vectors out.

TF-IDF over the words that tell communities apart (sublinear, description words counted thrice), beside a lighter block of
the words of their needs, reduced by a truncated SVD. The loadings are kept, so that a bootstrap of the words is one
matrix product and not another decomposition. A model that is served elsewhere may place communities instead (``served.py``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.decomposition import TruncatedSVD

from discovery.clustering.spherical import unit_rows
from discovery.features import Measurement
from discovery.features.text import STOP_WORDS, content_words

Floats = NDArray[np.float64]
Ints = NDArray[np.int_]

DIMENSIONS = 100
DESCRIPTION_WEIGHT = 3.0
"""A community's own description is its most considered text: each word counts as three."""
NEED_WEIGHT = 0.5
"""Share of length that the needs get beside the words of a community that has both."""
DECIMALS = 6
"""Vectors are rounded, so that the last bits, which depend on the number of threads, decide nothing."""
WORDS_KEPT = 0.8
"""Share of the words that each replicate of a bootstrap sees."""
MODEL, VERSION = "tfidf-svd", "1"
"""What places communities without a served model; the version grows with every change that moves a vector."""


@dataclass(frozen=True)
class Words:
    """The weighted words of every community; rows follow ``Measurement.communities``, columns follow ``terms``."""

    matrix: sparse.csr_matrix
    terms: pd.Index
    weights: Floats
    """What one mention of each term weighs before rows are scaled to unit length: its rarity, times its block's share."""

    def some(self, columns: NDArray[np.bool_]) -> Words:
        """Keep only some columns, for instance a half that is held out."""
        return Words(self.matrix[:, columns].tocsr(), self.terms[columns], self.weights[columns])


@dataclass(frozen=True)
class Embedding:
    """Words and the loadings that turn them into unit vectors of shape (n_communities, n_dimensions)."""

    words: Words
    loadings: Floats

    def vectors(self, rows: Ints, weights: Floats | None = None) -> Floats:
        """Project some communities, with every word weighted (a bootstrap draws the weights); a wordless row stays zero."""
        loadings = self.loadings if weights is None else self.loadings * weights[:, None]
        units: Floats = unit_rows(np.asarray(self.words.matrix[rows] @ loadings))
        return np.round(units, DECIMALS)

    def shaken(self, rows: Ints, rng: np.random.Generator) -> Floats:
        """Project them with a fifth of the words left out, the same ones everywhere."""
        return self.vectors(rows, (rng.random(len(self.words.terms)) < WORDS_KEPT).astype(np.float64))


class Space(Protocol):
    """Where communities stand, as unit vectors, and where they might stand had other words been read."""

    def vectors(self, rows: Ints) -> Floats:
        """Give the places of some communities."""
        ...

    def shaken(self, rows: Ints, rng: np.random.Generator) -> Floats:
        """Give a draw of their places as if a fifth of the words had been missed."""
        ...


@dataclass(frozen=True)
class Placed:
    """Communities placed by all their words and, for a test on the other half, by the seen half of them."""

    whole: Space
    half: Callable[[Ints], Floats]
    """Places by those words only that :func:`seen` tells."""
    known: NDArray[np.bool_]
    """The communities that have a place."""
    model: str
    version: str
    notes: tuple[str, ...] = ()
    """What a reader of the method should know."""

    def noting(self, note: str) -> Placed:
        """Add a note."""
        return replace(self, notes=(*self.notes, note))


Embedder = Callable[[Measurement, Ints, Placed], Placed]
"""Places some rows of the communities, or leaves them where their words placed them, with a note that says why."""


def by_words(_: Measurement, __: Ints, own: Placed) -> Placed:
    """Leave communities where their words placed them."""
    return own


def unit_length(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """Scale sparse rows to length one; an empty row stays empty."""
    length = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return sparse.diags(1 / np.where(length > 0, length, 1.0)).dot(matrix).tocsr()


def telling_words(measurement: Measurement) -> Words:
    """Weigh the words of every community: vocabulary and description, and apart from them the words of its needs."""
    vocabulary = measurement.vocabulary
    column = {term: position for position, term in enumerate(vocabulary.terms)}
    descriptions = _mentions(measurement.communities["description"].fillna("").tolist(), column)
    phrases = measurement.needs.groupby("community")["need"].agg(" ".join).reindex(measurement.communities.index).fillna("")
    needs = _mentions(phrases.tolist(), column)
    said = (vocabulary.counts + DESCRIPTION_WEIGHT * descriptions).tocsr()
    blocks = (_tf_idf(said, vocabulary.terms), _tf_idf(needs, vocabulary.terms))
    matrix = sparse.hstack([blocks[0].matrix, NEED_WEIGHT * blocks[1].matrix], format="csr")
    weights = np.concatenate([blocks[0].weights, NEED_WEIGHT * blocks[1].weights])
    return Words(matrix, blocks[0].terms.append(blocks[1].terms), weights)


def embed(words: Words, *, seed: int) -> Embedding:
    """Reduce the words to at most 100 dimensions by a seeded truncated SVD (latent semantic analysis, Deerwester 1990)."""
    dimensions = min(DIMENSIONS, min(words.matrix.shape) - 1)
    if dimensions < 1:
        return Embedding(words, np.zeros((words.matrix.shape[1], 0)))
    model = TruncatedSVD(dimensions, n_iter=3, random_state=seed).fit(words.matrix)
    return Embedding(words, model.components_.T.copy())


def placed(whole: Embedding, *, seed: int) -> Placed:
    """Place communities by their words alone."""
    words = whole.words
    half = embed(words.some(np.array([seen(term) for term in words.terms], dtype=bool)), seed=seed)
    return Placed(whole, half.vectors, np.ones(words.matrix.shape[0], dtype=bool), MODEL, VERSION)


def seen(term: str) -> bool:
    """Deal words into two halves by their hash, the same in every run."""
    return hashlib.blake2b(term.encode(), digest_size=1).digest()[0] % 2 == 0


def _mentions(texts: list[str], column: dict[str, int]) -> sparse.csr_matrix:
    """Count the known words of some texts, shape (n_texts, n_terms)."""
    pairs = [(row, column[word]) for row, text in enumerate(texts) for word in content_words(text) if word in column]
    rows, columns = (np.array(side, dtype=np.int64) for side in (zip(*pairs, strict=True) if pairs else ((), ())))
    return sparse.csr_matrix((np.ones(len(pairs)), (rows, columns)), shape=(len(texts), len(column)))


def _tf_idf(counts: sparse.csr_matrix, terms: pd.Index) -> Words:
    """Weigh counts by 1 + ln(tf) and ln((1 + n) / (1 + df)) + 1, rows of unit length; common and rare words drop out."""
    n = counts.shape[0]
    spread = np.bincount(counts.indices, minlength=counts.shape[1])
    most = max(0.1 * n, min(0.5 * n, 50))  # a tenth of a market, but half of a handful
    least = min(5, max(2, n // 50))
    content = np.array([len(term) > 2 and term not in STOP_WORDS for term in terms], dtype=bool)
    kept = (spread >= least) & (spread <= most) & content
    weighted = counts[:, kept].astype(np.float64).tocsr()
    weighted.data = 1 + np.log(weighted.data)
    rarity = np.log((1 + n) / (1 + spread[kept])) + 1
    return Words(unit_length(weighted.multiply(rarity).tocsr()), terms[kept], rarity)
