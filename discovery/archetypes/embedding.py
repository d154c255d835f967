"""Where each community stands by what it talks about and what it asks for: words in, unit vectors out.

TF-IDF over the stems of words that tell communities apart (sublinear, words of names and descriptions counted thrice), beside a
lighter block of those of their needs, reduced by a truncated SVD. The loadings are kept, so that a bootstrap of the words is one
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
from discovery.features import Measurement, Vocabulary
from discovery.features.text import STOP_WORDS, content_words, stem, taken_apart

Floats = NDArray[np.float64]
Ints = NDArray[np.int_]

DIMENSIONS = 100
OWN_WEIGHT = 3.0
"""A community's own name and description are its most considered texts: each word counts as three."""
MOST_SPREAD = 0.3
"""Share of a market's communities beyond which a word tells none of them apart."""
NEED_WEIGHT = 0.5
"""Share of length that the needs get beside the words of a community that has both."""
DECIMALS = 6
"""Vectors are rounded, so that the last bits, which depend on the number of threads, decide nothing."""
WORDS_KEPT = 0.8
"""Share of the words that each replicate of a bootstrap sees."""
MODEL, VERSION = "tfidf-svd", "2"
"""What places communities without a served model; the version grows with every change that moves a vector."""


@dataclass(frozen=True)
class Words:
    """The weighted words of every community; rows follow ``Measurement.communities``, columns follow ``terms``."""

    matrix: sparse.csr_matrix
    terms: pd.Index
    """Stems."""
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
    """Weigh the words of every community: vocabulary, name and description, and apart from them the words of its needs."""
    vocabulary, about = measurement.vocabulary, measurement.communities
    column = {term: position for position, term in enumerate(vocabulary.terms)}
    own = _mentions(about["description"].fillna("").tolist(), column) + _mentions(_named(about["name"].tolist(), vocabulary), column)
    phrases = measurement.needs.groupby("community")["need"].agg(" ".join).reindex(about.index).fillna("")
    needs = _mentions(phrases.tolist(), column)
    said = (vocabulary.counts + OWN_WEIGHT * own).tocsr()
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


def seen(root: str) -> bool:
    """Deal stems into two halves by their hash, the same in every run."""
    return hashlib.blake2b(root.encode(), digest_size=1).digest()[0] % 2 == 0


def _mentions(texts: list[str], column: dict[str, int]) -> sparse.csr_matrix:
    """Count the known words of some texts, shape (n_texts, n_terms)."""
    pairs = [(row, column[word]) for row, text in enumerate(texts) for word in content_words(text) if word in column]
    rows, columns = (np.array(side, dtype=np.int64) for side in (zip(*pairs, strict=True) if pairs else ((), ())))
    return sparse.csr_matrix((np.ones(len(pairs)), (rows, columns)), shape=(len(texts), len(column)))


def _named(names: list[str], vocabulary: Vocabulary) -> list[str]:
    """Add to each name the words that it is put together from, as far as several communities say them."""
    n = vocabulary.counts.shape[0]
    known = frozenset(vocabulary.terms[np.bincount(vocabulary.counts.indices, minlength=len(vocabulary.terms)) >= _least(n)])
    split = [list(content_words(name.replace("_", " "))) for name in names]
    return [" ".join([*words, *(part for word in words for part in taken_apart(word, known) if part != word)]) for words in split]


def _least(n: int) -> int:
    """Communities that must say a word before it tells anything of a market of n."""
    return min(5, max(2, n // 50))


def _tf_idf(counts: sparse.csr_matrix, terms: pd.Index) -> Words:
    """Weigh stems by 1 + ln(tf) and ln((1 + n) / (1 + df)) + 1, rows of unit length; common and rare ones drop out."""
    n = counts.shape[0]
    content = np.array([len(term) > 2 and term not in STOP_WORDS for term in terms], dtype=bool)
    root, roots = pd.factorize(np.array([stem(term) for term in terms[content]], dtype=object), sort=True)
    merge = sparse.csr_matrix((np.ones(len(root)), (np.arange(len(root)), root)), shape=(len(root), len(roots)))
    merged = (counts[:, content].astype(np.float64) @ merge).tocsr()
    merged.eliminate_zeros()
    spread = np.bincount(merged.indices, minlength=len(roots))
    most = max(MOST_SPREAD * n, min(0.5 * n, 50))  # half of a handful
    kept = (spread >= _least(n)) & (spread <= most)
    weighted = merged[:, kept].tocsr()
    weighted.data = 1 + np.log(weighted.data)
    rarity = np.log((1 + n) / (1 + spread[kept])) + 1
    return Words(unit_length(weighted.multiply(rarity).tocsr()), pd.Index(roots[kept], dtype=object), rarity)
