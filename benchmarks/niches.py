"""Measure the niches: ``python -m benchmarks.niches [FOLDER]`` prints how far they agree with topics, and how they come back.

Without a folder the communities are a planted world's and their topics its subjects. A folder holds ``tables/reddit_front_pages.parquet``,
``tables/reddit_communities.parquet`` and ``labels/rspct_subreddit_info.csv``: real front pages, and topics given to some.
Beside ours stands the plain way: TF-IDF over words, a truncated SVD, K-Means with as many groups as our hierarchy was cut into.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score
from sklearn.preprocessing import normalize

from benchmarks.truth import measured_world
from discovery.archetypes.embedding import seen, telling_words
from discovery.archetypes.niches import find_niches
from discovery.clustering.spherical import nearest, sums, unit_rows
from discovery.features import Measurement, Vocabulary
from discovery.features.text import content_words, stem
from discovery.sources.world import World

COMMUNITIES = 224
"""Of the planted world."""
DIMENSIONS, LEAST, MOST = 100, 5, 0.5
"""The plain way: dimensions, communities that say a word at least, and share of them at most."""


class Agreement(NamedTuple):
    """How far niches agree with topics: adjusted mutual information, 1 for the same groups, 0 for chance."""

    niches: int
    placed: float
    """Share of the communities with a topic that lie in a niche."""
    ours: float
    """Over the communities that lie in a niche."""
    plain: float
    """The plain way over the same communities."""
    ours_all: float
    """Over all with a topic; those in no niche are a group of their own."""
    nearest_all: float
    """Over all with a topic, each in the niche whose centre is nearest."""
    plain_all: float


class Return(NamedTuple):
    """How niches come back from halves: adjusted Rand index over the communities that lie in a niche both times."""

    words: float
    """Found by one half of the words and by the other."""
    communities: float
    """Found among one half of the communities, and by the niches of the other half, the nearest for each."""


def agreement(measured: Measurement, topics: pd.Series, *, seed: int) -> Agreement:
    """Find niches and plain groups of the whole market, and compare both with the topics of some communities."""
    found = find_niches(measured, pd.Series(0, index=measured.communities.index), seed=seed)
    ours, topic = found.membership.loc[topics.index].to_numpy(), topics.to_numpy()
    plain = plain_groups(measured, k=max(1, int(found.cuts["k"].sum())), seed=seed).loc[topics.index].to_numpy()
    places = found.embedding.vectors(np.arange(len(found.membership)))
    by_nearest = _nearest_niche(places, found.membership.to_numpy(), places[measured.communities.index.get_indexer(topics.index)])
    placed, every = ours >= 0, np.full(len(ours), True)
    pairs = ((ours, placed), (plain, placed), (ours, every), (by_nearest, every), (plain, every))
    told = (adjusted_mutual_info_score(topic[of], groups[of]) for groups, of in pairs)
    return Agreement(len(found.table), float(placed.mean()), *told)


def plain_groups(measured: Measurement, *, k: int, seed: int) -> pd.Series:
    """Group communities by TF-IDF over what they and their descriptions say, a truncated SVD and K-Means."""
    words, about = measured.vocabulary, measured.communities
    column = {term: at for at, term in enumerate(words.terms)}
    told = [
        (row, column[word]) for row, text in enumerate(about["description"].fillna("")) for word in content_words(text) if word in column
    ]
    rows, columns = np.array(told, dtype=np.int64).reshape(-1, 2).T
    counts = (words.counts + sparse.csr_matrix((np.ones(len(told)), (rows, columns)), shape=words.counts.shape)).tocsr()
    spread = np.bincount(counts.indices, minlength=counts.shape[1])
    weighted = TfidfTransformer(sublinear_tf=True).fit_transform(counts[:, (spread >= LEAST) & (spread <= MOST * len(about))])
    reduced = normalize(TruncatedSVD(min(DIMENSIONS, min(weighted.shape) - 1), random_state=seed).fit_transform(weighted))
    return pd.Series(KMeans(k, n_init=1, random_state=seed).fit_predict(reduced), index=about.index)


def returned(measured: Measurement, *, seed: int) -> Return:
    """Halve the words and, apart from that, the communities, and compare what each half finds."""
    one, two = (_membership(_of_words(measured, half=half), seed) for half in (True, False))
    chosen = np.random.default_rng(seed).permutation(len(measured.communities)) < len(measured.communities) // 2
    halves = [_membership(_of_rows(measured, rows), seed) for rows in (chosen, ~chosen)]
    words = telling_words(measured).matrix
    by_other = _nearest_niche(words[chosen], halves[0], words[~chosen])
    return Return(_rand(one, two), _rand(halves[1], by_other))


def _nearest_niche(places: sparse.csr_matrix | np.ndarray, niches: np.ndarray, others: sparse.csr_matrix | np.ndarray) -> np.ndarray:
    """Let other communities join the nearest niche, by the same words or dimensions."""
    if niches.max(initial=-1) < 0:
        return np.full(others.shape[0], -1)
    inside = niches >= 0
    return nearest(others, unit_rows(sums(places[inside], niches[inside], niches.max() + 1)))


def _membership(measured: Measurement, seed: int) -> np.ndarray:
    return find_niches(measured, pd.Series(0, index=measured.communities.index), seed=seed).membership.to_numpy()


def _rand(one: np.ndarray, two: np.ndarray) -> float:
    both = (one >= 0) & (two >= 0)
    return float(adjusted_rand_score(one[both], two[both])) if both.any() else float("nan")


def _of_words(measured: Measurement, *, half: bool) -> Measurement:
    """Keep half of the stems, dealt otherwise than :func:`seen` deals them, since niches are tested on words that it has not seen."""
    words = measured.vocabulary
    kept = np.array([seen(f"{stem(term)} halved") == half for term in words.terms], dtype=bool)
    return replace(measured, vocabulary=Vocabulary(words.terms[kept], words.counts[:, kept].tocsr(), words.authors[:, kept].tocsr()))


def _of_rows(measured: Measurement, rows: np.ndarray) -> Measurement:
    words, about = measured.vocabulary, measured.communities[rows]
    needs = measured.needs[measured.needs["community"].isin(about.index)]
    return replace(measured, communities=about, needs=needs, vocabulary=Vocabulary(words.terms, words.counts[rows], words.authors[rows]))


def planted(*, communities: int, seed: int) -> tuple[Measurement, pd.Series]:
    """Measure a planted world; the topic of each community is its subject."""
    world = World(seed=seed, communities=communities)
    measured = measured_world(world)
    topics = pd.Series({world.key(site): site.subject.topic for site in world.sites()})
    return measured, topics[topics.index.isin(measured.communities.index)]


def front_pages(folder: Path) -> tuple[Measurement, pd.Series]:
    """Read the words of real front pages, and the topics of those that have one: the first category of the labels."""
    pages, known = folder / "tables/reddit_front_pages.parquet", folder / "tables/reddit_communities.parquet"
    with duckdb.connect() as connection:
        titles = connection.execute("SELECT lower(subreddit), title FROM read_parquet(?)", [str(pages)]).fetchall()
        told = "SELECT lower(replace(name, 'r/', '')), any_value(description) FROM read_parquet(?) GROUP BY 1"
        described = dict(connection.execute(told, [str(known)]).fetchall())
    names = sorted({name for name, _ in titles})
    row = {name: at for at, name in enumerate(names)}
    said = pd.DataFrame([(row[name], word) for name, title in titles for word in content_words(title or "")], columns=["row", "word"])
    column, terms = pd.factorize(said["word"], sort=True)
    counts = sparse.csr_matrix((np.ones(len(said)), (said["row"], column)), shape=(len(names), len(terms)))
    labels = pd.read_csv(folder / "labels/rspct_subreddit_info.csv").dropna(subset=["category_1"])
    topics = labels.assign(name=labels["subreddit"].str.lower()).drop_duplicates("name").set_index("name")["category_1"]
    about = pd.DataFrame({"name": names, "description": [described.get(name) or "" for name in names]}, index=pd.Index(names))
    return of_text(about, Vocabulary(pd.Index(terms, dtype=object), counts, counts)), topics[topics.index.isin(names)]


def of_text(about: pd.DataFrame, vocabulary: Vocabulary) -> Measurement:
    """Make a measurement of nothing but words."""
    nothing = pd.DataFrame()
    return Measurement(
        communities=about,
        estimates=nothing,
        author_sums=nothing,
        vocabulary=vocabulary,
        background_version=1,
        measures=nothing,
        needs=pd.DataFrame(columns=["community", "need", "voter"]),
        mentions=nothing,
        own_weight=nothing,
        records=0,
        authors=0,
    )


def table(measured: Measurement, topics: pd.Series, *, seeds: Iterable[int]) -> Iterator[str]:
    """Lay out a row for each seed."""
    agreed = "niches | placed | AMI of placed | plain | AMI of all | by nearest | plain"
    yield f"| seed | {agreed} | words halved | communities halved | seconds |\n|---:|" + "---:|" * 10
    for seed in seeds:
        begun = time.perf_counter()
        agreed = agreement(measured, topics, seed=seed)
        seconds = time.perf_counter() - begun
        cells = [f"{value:.3f}" for value in (*agreed[2:], *returned(measured, seed=seed))]
        yield f"| {seed} | {agreed.niches} | {agreed.placed:.0%} | {' | '.join(cells)} | {seconds:.0f} |"


def main() -> None:
    """Measure as the arguments say, and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.niches", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", help="of real front pages and their topics; a planted world without")
    parser.add_argument("--seeds", type=int, default=5, help="[default: %(default)s]")
    told = parser.parse_args()
    measured, topics = planted(communities=COMMUNITIES, seed=1) if told.folder is None else front_pages(told.folder)
    print(f"{len(measured.communities):,} communities, {len(topics):,} with one of {topics.nunique()} topics.")
    print(f"Halved: adjusted Rand index. Seconds: ours and the plain way; load average {os.getloadavg()[0]:.1f}.\n")
    for line in table(measured, topics, seeds=range(1, told.seeds + 1)):
        print(line, flush=True)


if __name__ == "__main__":
    main()
