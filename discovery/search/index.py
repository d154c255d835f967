"""What a search reads, built when a run is saved: words with the communities they speak of, vectors in cells, groups by their members.

The measurement and its interpretation flow in; rows of the tables named ``search_`` flow out. Of what people say, a word of one person
alone is not kept: it may tell who it is. Names, descriptions, needs and quotes are published, and kept as they are there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from threadpoolctl import threadpool_limits

from discovery.archetypes import Interpretation
from discovery.archetypes.embedding import Embedding
from discovery.clustering.retrieval import cells
from discovery.clustering.spherical import unit_rows
from discovery.features import Measurement
from discovery.search.words import rarity_of, stem, taken_apart, told
from storage.blobs import pack, pack_sorted, pack_vectors

Floats = NDArray[np.float64]
Ints = NDArray[np.int_]

LEAST_AUTHORS = 2
NAME, DESCRIPTION, NEED, QUOTE = 5.0, 3.0, 3.0, 1.0
"""What a word counts in each text, beside one for every time it is said in the sample."""
SATURATION, LENGTH_SHARE = 2.0, 0.5
"""k1 and b of BM25 (Robertson & Zaragoza 2009, doi:10.1561/1500000019)."""
UNITS = 255


class Lexicon(NamedTuple):
    """The stems that are known, the form of each that is said most, and counts of shape (n_communities, n_stems)."""

    stems: pd.Index
    forms: list[str]
    counts: sparse.csr_matrix


def rows(measurement: Measurement, interpretation: Interpretation, *, seed: int) -> Mapping[str, pd.DataFrame]:
    """Give each table of the search its rows.

    Args:
        measurement: What the run measured.
        interpretation: Its groups under their lasting ids, and the embedding of its communities.
        seed: Seed of the cells.
    """
    keys = measurement.communities.index
    with threadpool_limits(limits=1):  # so that the last bits do not depend on the number of threads
        vectors = interpretation.embedding.vectors(np.arange(len(keys)))
        lexicon = lexicon_of(measurement, interpretation)
        impacts = impacts_of(lexicon.counts)
        kept = cells(vectors, _niches(interpretation, keys), seed=seed)
        unit = max(float(impacts.max()), 1.0) / UNITS if impacts.nnz else 1.0
        space = {"dimensions": vectors.shape[1], "communities": len(keys), "impact": unit}
        space |= {"centres": pack_vectors(kept.centres), "sizes": pack(np.bincount(kept.labels).astype(np.int32), level=6)}
        return {
            "search_space": pd.DataFrame([space]),
            "search_place": pd.DataFrame({"place": np.arange(len(keys)), "community_id": keys}),
            "search_word": _words(lexicon, impacts / unit, interpretation.embedding, vectors),
            "search_cell": _cells(vectors, kept.labels),
            "search_group": _groups(interpretation, keys, vectors),
        }


def lexicon_of(measurement: Measurement, interpretation: Interpretation) -> Lexicon:
    """Count the words of every community by stem: those it says, and those of its name, description, needs and quotes."""
    vocabulary, keys = measurement.vocabulary, measurement.communities.index
    shared = vocabulary.counts.multiply(vocabulary.authors >= LEAST_AUTHORS).tocoo()
    terms = vocabulary.terms
    mentioned = _mentioned(measurement, interpretation)
    words = pd.Index(sorted({*terms, *(word for _, word, _ in mentioned)}), dtype=object)
    row = np.concatenate([shared.row, np.array([at for at, _, _ in mentioned], dtype=np.int_)])
    columns = (words.get_indexer(terms)[shared.col], words.get_indexer(pd.Index([word for _, word, _ in mentioned], dtype=object)))
    weight = np.concatenate([shared.data, np.array([times for _, _, times in mentioned], dtype=float)])
    counts = sparse.csr_matrix((weight, (row, np.concatenate(columns).astype(np.int_))), shape=(len(keys), len(words)))
    stem_of, stems = pd.factorize(np.array([stem(word) for word in words], dtype=object), sort=True)
    said = np.asarray(counts.sum(axis=0)).ravel()
    most = pd.DataFrame({"stem": stem_of, "said": -said, "word": words}).sort_values(["stem", "said", "word"]).drop_duplicates("stem")
    merge = sparse.csr_matrix((np.ones(len(words)), (np.arange(len(words)), stem_of)), shape=(len(words), len(stems)))
    return Lexicon(pd.Index(stems), most["word"].tolist(), (counts @ merge).tocsr())


def _mentioned(measurement: Measurement, interpretation: Interpretation) -> list[tuple[int, str, float]]:
    """Give the words of names, descriptions, needs and quotes: community, word, what that counts."""
    about, known = measurement.communities, frozenset(measurement.vocabulary.terms)
    place = {key: at for at, key in enumerate(about.index)}
    needs, quotes = (frame[frame["entity"] == "community"] for frame in (interpretation.needs, interpretation.evidence))
    texts = (
        (NAME, zip(about.index, _named(about["name"], known), strict=True)),
        (DESCRIPTION, zip(about.index, about["description"].fillna(""), strict=True)),
        (NEED, zip(needs["entity_id"], needs["need"], strict=True)),
        (QUOTE, zip(quotes["entity_id"], quotes["quote"], strict=True)),
    )
    found: Counter[tuple[int, str]] = Counter()
    for weight, pairs in texts:
        for key, text in pairs:
            for word in told(text):
                found[place[key], word] += weight  # type: ignore[assignment]  # a Counter adds up floats as well
    return [(at, word, float(times)) for (at, word), times in sorted(found.items())]


def _named(names: Iterable[str], known: frozenset[str]) -> list[str]:
    """Add to each name the known words that it is put together from."""
    return [" ".join([name, *(part for word in told(name) for part in taken_apart(word, known) if part != word)]) for name in names]


def impacts_of(counts: sparse.csr_matrix) -> sparse.csr_matrix:
    """Say how much each stem tells of each community: BM25, long texts counting less."""
    n = counts.shape[0]
    rarity = rarity_of(np.bincount(counts.indices, minlength=counts.shape[1]), n)
    length = np.asarray(counts.sum(axis=1)).ravel()
    damping = SATURATION * (1 - LENGTH_SHARE + LENGTH_SHARE * length / max(float(length.mean()), 1.0))
    found = counts.tocsr(copy=True)
    of = np.repeat(np.arange(n), np.diff(found.indptr))
    found.data = rarity[found.indices] * found.data * (SATURATION + 1) / (found.data + damping[of])
    return found


def _words(lexicon: Lexicon, impacts: sparse.csr_matrix, embedding: Embedding, vectors: Floats) -> pd.DataFrame:
    """Give each stem that speaks of any community its row; ``impacts`` are in units."""
    by_stem = impacts.tocsc()
    by_stem.sort_indices()
    spans = [slice(*by_stem.indptr[at : at + 2]) for at in range(by_stem.shape[1])]
    units = np.clip(np.rint(by_stem.data), 1, UNITS).astype(np.uint8)
    directions = directions_of(lexicon, by_stem, embedding, vectors)
    table = pd.DataFrame(
        {
            "stem": lexicon.stems,
            "word": lexicon.forms,
            "communities": np.diff(by_stem.indptr),
            "vector": [pack_vectors(direction[None]) for direction in directions],
            "places": [pack_sorted(by_stem.indices[span]) for span in spans],
            "impacts": [pack(units[span], level=6) for span in spans],
        }
    )
    return table[table["communities"] > 0]


def directions_of(lexicon: Lexicon, impacts: sparse.csc_matrix, embedding: Embedding, vectors: Floats) -> Floats:
    """Say where each stem leads: where the embedding takes its forms, else to the middle of the communities it speaks of.

    The embedding knows the words that tell communities apart; of the others, names above all, only the company tells.
    """
    words = embedding.words
    at = lexicon.stems.get_indexer(words.terms)
    projected = np.zeros((len(lexicon.stems), vectors.shape[1]))
    np.add.at(projected, at, embedding.loadings * words.weights[:, None])
    own = np.square(projected).sum(axis=1, keepdims=True) > 0
    return unit_rows(np.where(own, projected, np.asarray(impacts.T @ vectors)))


def _niches(interpretation: Interpretation, keys: pd.Index) -> Ints:
    """Number the niche of each community, -1 for none."""
    return pd.factorize(interpretation.communities["niche_id"].reindex(keys), sort=True)[0]


def _cells(vectors: Floats, labels: Ints) -> pd.DataFrame:
    members = [np.flatnonzero(labels == cell) for cell in range(int(labels.max(initial=-1)) + 1)]
    packed = [(cell, pack_sorted(found), pack_vectors(vectors[found])) for cell, found in enumerate(members)]
    return pd.DataFrame(packed, columns=["cell", "places", "vectors"])


def _groups(interpretation: Interpretation, keys: pd.Index, vectors: Floats) -> pd.DataFrame:
    found = []
    for entity in ("archetype", "niche"):
        of = interpretation.communities[f"{entity}_id"].reindex(keys).to_numpy(object)
        for entity_id in sorted(set(of[pd.notna(of)])):
            members = np.flatnonzero(of == entity_id)
            middle = unit_rows(vectors[members].sum(axis=0, keepdims=True))
            found.append((entity, entity_id, pack_vectors(middle), pack_sorted(members)))
    return pd.DataFrame(found, columns=["entity", "entity_id", "vector", "places"])
