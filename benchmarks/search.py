"""Measure the search: ``python -m benchmarks.search`` prints how much of the best answers it finds, and how long that takes.

Communities are invented: each speaks of a subject, and nearly as much of another one anywhere, in words that others use too. Subjects
of an area share their words, so that many communities fit a query as well as those in its niche. Half of the subjects are
niches, or a few. A query is three words of a subject. Compared is with reading all vectors, in the same results.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from benchmarks.niches import of_text
from discovery.archetypes import Interpretation
from discovery.archetypes.embedding import embed, telling_words
from discovery.features import Measurement, Vocabulary
from discovery.search import best, index, search
from discovery.search.evidence import Space, impacts, similarities, space_of, understood
from storage.blobs import unpack_sorted, unpack_vectors
from storage.results import Provenance, Results
from storage.results_file import read_only

Ints = NDArray[np.int_]

SIZES = (1_000, 10_000, 100_000)
EACH = 20
"""Communities of a subject."""
AREA = 10
"""Subjects of an area."""
WORDS, POOL, SAID = 30, 90, 60
"""Words of a subject, words of its area that they are drawn from, and words of a community's sample."""
COMMON = 2_000
SHARES = (0.25, 0.2, 0.15)
"""Of what is said, what is of the subject, of another one anywhere, and of the area; the rest is anybody's."""
NICHES = (2, 50)
"""One of so many subjects is a niche."""
LETTERS = "bcdfghklmnprstvz"
K = 10


class Invented(NamedTuple):
    """A market, and the subject of each community and words of each subject that queries are made of."""

    measurement: Measurement
    interpretation: Interpretation
    subject: Ints
    words: list[list[str]]


def invented(n: int, *, seed: int, niches: int = NICHES[0]) -> Invented:
    """Invent communities and their words; one of ``niches`` subjects is a niche."""
    random = np.random.default_rng(seed)
    subject = np.arange(n) // EACH
    subjects, areas = subject[-1] + 1, subject[-1] // AREA + 1
    terms = [_word(number) for number in range(COMMON + min(30_000, 20 * n))]
    pools = random.integers(COMMON, len(terms), size=(areas, POOL))
    topics = pools[np.arange(subjects)[:, None] // AREA, random.integers(POOL, size=(subjects, WORDS))]
    kind = random.choice(4, size=(n, SAID), p=[*SHARES, 1 - sum(SHARES)])
    other = random.integers(subjects, size=n)
    one, two = (topics[of[:, None], random.integers(WORDS, size=(n, SAID))] for of in (subject, other))
    wider = pools[subject[:, None] // AREA, random.integers(POOL, size=(n, SAID))]
    said = np.choose(kind, [one, two, wider, (COMMON * random.random((n, SAID)) ** 3).astype(int)])
    counts = sparse.csr_matrix((np.ones(said.size), (np.repeat(np.arange(n), SAID), said.ravel())), shape=(n, len(terms)))
    about = pd.DataFrame({"name": "", "description": ""}, index=pd.Index([f"made:{at:06}" for at in range(n)], name="community"))
    measurement = of_text(about, Vocabulary(pd.Index(terms, dtype=object), counts, 2 * counts))
    groups = pd.DataFrame({"archetype_id": _ids("a", random.integers(5, size=n)), "niche_id": _ids("n", subject)})
    groups.loc[subject % niches > 0, "niche_id"] = None
    groups.index = measurement.communities.index
    return Invented(measurement, _interpretation(measurement, groups, seed), subject, [[terms[at] for at in row] for row in topics])


def _word(number: int) -> str:
    """Spell a number in syllables, the same for nobody else."""
    word = ""
    for _ in range(4):
        number, at = divmod(number, len(LETTERS))
        word += LETTERS[at] + "aeiou"[(at + number) % 5]
    return word + "k"  # no ending that a stem would lose


def _ids(letter: str, numbers: Ints) -> list[str]:
    return [f"{letter}{number}" for number in numbers]


def _interpretation(measurement: Measurement, groups: pd.DataFrame, seed: int) -> Interpretation:
    nothing = pd.DataFrame()
    return Interpretation(
        archetypes=nothing,
        archetype_features=nothing,
        niches=nothing,
        communities=groups,
        evidence=pd.DataFrame(columns=["entity", "entity_id", "quote"]),
        needs=pd.DataFrame(columns=["entity", "entity_id", "need"]),
        terms=nothing,
        clusters=nothing,
        hierarchy=nothing,
        cuts=nothing,
        embedding=embed(telling_words(measurement), seed=seed),
        embedding_model="words",
        embedding_version="1",
        notes=[],
    )


def save(path: Path, market: Invented) -> None:
    """Publish a run of what a search reads."""
    groups = market.interpretation.communities
    named = {
        "name": "",
        "summary": "",
        "label_source": "template",
        "active_authors": 1,
        "stability": 1.0,
        "counter_argument": "",
        "would_change": "",
        "event": "born",
    }
    communities = groups.rename_axis("community_id").reset_index().assign(
        source="made", name="", records=SAID, authors=1, first_at=0, last_at=1, policy="scored", coverage="complete"
    )  # fmt: skip
    kinds = {
        kind: pd.DataFrame({f"{kind}_id": sorted(groups[f"{kind}_id"].dropna().unique())}).assign(communities=EACH, **named)
        for kind in ("archetype", "niche")
    }
    kinds["niche"] = kinds["niche"].assign(top_need=None, archetype_id=None)
    with Results.open(path) as results:
        run_id = results.resume_or_begin(started_at=1, provenance=Provenance(version="0", seed=1, config_sha256="0"))
        results.save(run_id, {"community": communities, **kinds, **index.rows(market.measurement, market.interpretation, seed=1)})
        results.publish(run_id, at=2)


class Told(NamedTuple):
    """What one query showed."""

    seconds: float
    found: float
    """Share of the best ten communities, all vectors read, that the search answers with."""
    near: float
    """The same by nearness alone."""
    right: float
    """Share of its answers that speak of the subject."""
    read: float
    """Share of the vectors it reads."""


def asked(path: Path, market: Invented, *, queries: int) -> Iterator[Told]:
    """Ask for three words of random subjects, and read all vectors beside it."""
    random = np.random.default_rng(7)
    with read_only(path) as connection:
        run_id = connection.execute("SELECT run_id FROM publication").fetchone()[0]
        space = space_of(connection, run_id)
        if space is None:
            raise RuntimeError(f"Run {run_id} was published without what a search reads.")
        everything = _all_vectors(connection, space)
        for subject in random.choice(len(market.words), size=queries):
            text = " ".join(random.choice(market.words[subject], size=3, replace=False))
            began = time.perf_counter()
            answer = search(path, text, k=K).answer.rows
            seconds = time.perf_counter() - began
            query = understood(connection, run_id, text, space)
            places, cosines = similarities(connection, run_id, query, space)
            every = everything @ query.direction
            whole = {each.place for each in best(impacts(query, space.communities), np.arange(len(every)), every, query=query, k=K)}
            found = {int(row[1].removeprefix("made:")) for row in answer if row[0] == "community"}
            yield Told(
                seconds,
                len(found & whole) / len(whole),
                len(_nearest(places, cosines) & _nearest(np.arange(len(every)), every)) / K,
                sum(market.subject[place] == subject for place in found) / len(found),
                len(places) / len(every),
            )


def _nearest(places: Ints, cosines: NDArray[np.float32]) -> set[int]:
    return set(places[np.lexsort((places, -cosines))[:K]].tolist())


def _all_vectors(connection: sqlite3.Connection, space: Space) -> NDArray[np.float32]:
    vectors = np.zeros((space.communities, space.dimensions), dtype=np.float32)
    for row in connection.execute("SELECT * FROM search_cell"):
        vectors[unpack_sorted(row["places"])] = unpack_vectors(row["vectors"], dimensions=space.dimensions)
    return vectors


def line(n: int, *, queries: int, niches: int) -> str:
    """Measure one size; one of ``niches`` subjects is a niche."""
    with tempfile.TemporaryDirectory(prefix="subcurrent-bench-") as folder:
        path = Path(folder) / "results.db"
        began = time.perf_counter()
        market = invented(n, seed=1, niches=niches)
        save(path, market)
        built = time.perf_counter() - began
        told = list(asked(path, market, queries=queries))
        megabytes = path.stat().st_size / 1e6
    seconds = [each.seconds * 1000 for each in told]
    shares = " | ".join(f"{np.mean([getattr(each, name) for each in told]):.3f}" for name in ("read", "found", "near", "right"))
    known = market.interpretation.communities["niche_id"].nunique()
    return f"| {n:,} | {known:,} | {shares} | {np.median(seconds):.0f} | {np.percentile(seconds, 95):.0f} | {built:.0f} | {megabytes:.0f} |"


def main() -> None:
    """Measure as the arguments say, and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search", description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="communities [default: %(default)s]")
    parser.add_argument("--queries", type=int, default=100, help="queries of each size [default: %(default)s]")
    arguments = parser.parse_args()
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} before.\n")
    print("| communities | niches | read | recall@10 | by nearness alone | of the subject | median, ms | p95, ms | built, s | MB |")
    print("|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|", flush=True)
    for n in arguments.sizes:
        for niches in NICHES:
            print(line(n, queries=arguments.queries, niches=niches), flush=True)


if __name__ == "__main__":
    main()
