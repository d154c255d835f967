"""Plant communities that are told twice and look for them: ``python -m benchmarks.duplicates`` prints recall, precision and seconds.

A tenth of the communities repeats another one, with up to half of its texts exchanged, so that likeness runs from 1 to a third; some
lines are said by a thousand each. A pair is found where one of the two is told as a duplicate. Up to ``BRUTE`` communities all
pairs are compared by their definition; beyond, only those that were planted.
"""

from __future__ import annotations

import argparse
import os
import time

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from discovery.features.duplicates import SAME, duplicates

TEXTS = 50
COMMON = 3
"""Texts of each community that stand in a thousand, such as a welcome."""
BRUTE = 10_000
Hashes = NDArray[np.uint64]
Ints = NDArray[np.int64]


def planted(number: int, *, seed: int) -> tuple[Hashes, Ints]:
    """Give the texts of each community, and the one it was made from (itself, where from none)."""
    random = np.random.default_rng(seed)
    texts = random.integers(0, 2**64, size=(number, TEXTS), dtype=np.uint64)
    texts[:, :COMMON] = np.arange(number)[:, None] // 1_000 * COMMON + np.arange(COMMON, dtype=np.uint64)
    origin = np.arange(number)
    copies = np.arange(number - number // 10, number)
    origin[copies] = random.integers(0, number - len(copies), len(copies))
    kept = np.arange(TEXTS) >= random.integers(0, TEXTS // 2 + 1, len(copies))[:, None]
    texts[copies] = np.where(kept, texts[origin[copies]], texts[copies])
    return texts, origin


def alike(texts: Hashes, *, block: int = 500) -> set[tuple[int, int]]:
    """Find all pairs by comparing all, in blocks."""
    _, codes = np.unique(texts, return_inverse=True)
    said = sparse.csr_matrix((np.ones(texts.size, dtype=np.int32), (np.repeat(np.arange(len(texts)), TEXTS), codes.ravel())))
    found: set[tuple[int, int]] = set()
    for at in range(0, len(texts), block):
        both = (said[at : at + block] @ said.T).tocoo()
        same = both.data >= SAME * (2 * TEXTS - both.data)
        one, two = both.row[same] + at, both.col[same]
        found |= set(zip(one[one < two].tolist(), two[one < two].tolist(), strict=True))
    return found


def likeness(texts: Hashes, one: int, two: int) -> float:
    """Measure the Jaccard similarity of two by its definition."""
    both = len(np.intersect1d(texts[one], texts[two]))
    return both / (2 * TEXTS - both)


def row(number: int, *, seed: int) -> str:
    """Look for the duplicates of so many communities, and lay out a line of the table."""
    texts, origin = planted(number, seed=seed)
    begun = time.perf_counter()
    of = duplicates(np.repeat(np.arange(number), TEXTS), texts.ravel(), records=np.full(number, TEXTS))
    seconds = time.perf_counter() - begun
    told = {(int(of[at]), int(at)) for at in np.flatnonzero(of >= 0)}
    right = sum(likeness(texts, *pair) >= SAME for pair in told)
    begun = time.perf_counter()
    if number <= BRUTE:
        pairs = alike(texts)
        brute = f"{time.perf_counter() - begun:.1f}"
    else:
        made = zip(origin.tolist(), range(number), strict=True)
        pairs, brute = {pair for pair in made if pair[0] != pair[1] and likeness(texts, *pair) >= SAME}, "not run"
    found = sum(of[one] >= 0 or of[two] >= 0 for one, two in pairs)
    return f"| {number:,} | {len(pairs):,} | {found / len(pairs):.4f} | {right / max(len(told), 1):.4f} | {seconds:.1f} | {brute} |"


def main() -> None:
    """Measure as the arguments say, and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.duplicates", description=__doc__.splitlines()[0])
    parser.add_argument("--communities", type=int, nargs="+", default=[1_000, 10_000, 100_000], help="[default: %(default)s]")
    parser.add_argument("--seed", type=int, default=1, help="[default: %(default)s]")
    told = parser.parse_args()
    print(f"{TEXTS} texts each; load average {os.getloadavg()[0]:.1f}")
    print("| communities | pairs at .5 | recall | precision | seconds | all pairs, seconds |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: |")
    for number in told.communities:
        print(row(number, seed=told.seed), flush=True)


if __name__ == "__main__":
    main()
