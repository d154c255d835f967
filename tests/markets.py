"""A small measured market, made by hand: communities with words, needs and mentions, for the tests of what interprets them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from discovery.features import Measurement, Vocabulary
from discovery.features.background import NOTHING

MENTION = {"tier": "T4", "thread": None, "span_start": 0, "span_end": 1, "text": "", "url": None, "created_at": 0, "score": None}


def market(
    communities: Sequence[str],
    *,
    values: Mapping[str, Sequence[float]] | None = None,
    words: Mapping[str, Mapping[str, int]] | None = None,
    needs: Sequence[tuple[str, str, int]] = (),
    mentions: Sequence[Mapping[str, Any]] = (),
) -> Measurement:
    """Build a measurement of some communities.

    ``values`` holds each feature's values in the order of ``communities``; ``words`` the counts of each community's words, each
    said by as many authors; ``needs`` (community, need, authors), nobody twice.
    """
    index = pd.Index(communities, name="community")
    about = {"source": "made", "platform": "made", "url": None, "description": "", "members": None, "language": "en", "licence": "CC0"}
    flags = {"sensitive": False, "duplicate_of": None, "quote_ok": True, "llm_ok": True}
    counts = {"coverage": "complete", "records": 100, "authors": 50}
    frame = pd.DataFrame({**about, **flags, **counts, "name": list(communities), "first_at": 0, "last_at": 1}, index=index)
    asked = pd.DataFrame(
        [(community, need, n * 1000 + voter) for n, (community, need, authors) in enumerate(needs) for voter in range(authors)],
        columns=["community", "need", "voter"],
    )
    return Measurement(
        communities=frame,
        estimates=_estimates(communities, values or {}),
        author_sums=pd.DataFrame(),
        vocabulary=_vocabulary(communities, words or {}),
        background_version=1,
        measures=NOTHING.rename("value").reset_index(),
        needs=asked.astype({"community": str, "need": str}),
        mentions=pd.DataFrame([{**MENTION, **mention} for mention in mentions], columns=["community", "record_id", *MENTION]),
        own_weight=pd.DataFrame(index=index),
        records=100 * len(index),
        authors=50 * len(index),
    )


def _estimates(communities: Sequence[str], values: Mapping[str, Sequence[float]]) -> pd.DataFrame:
    rows = [
        (community, feature, value, value, value, 10, 1.0, "small_n: invented" if math.isnan(value) else None)
        for feature, column in values.items()
        for community, value in zip(communities, column, strict=True)
    ]
    return pd.DataFrame(rows, columns=["community", "feature", "value", "low", "high", "n", "coverage", "missing_reason"])


def _vocabulary(communities: Sequence[str], words: Mapping[str, Mapping[str, int]]) -> Vocabulary:
    terms = pd.Index(sorted({word for counts in words.values() for word in counts}), dtype=object)
    counts = np.array([[words.get(community, {}).get(term, 0) for term in terms] for community in communities], dtype=np.int64)
    matrix = sparse.csr_matrix(counts.reshape(len(communities), len(terms)))
    return Vocabulary(terms, matrix, matrix)


def subjects(n_subjects: int, *, each: int, seed: int, shared: float = 0.0) -> dict[str, dict[str, int]]:
    """Draw communities that talk about one of some subjects of 40 words each; a ``shared`` part of their words is anybody's."""
    rng = np.random.default_rng(seed)
    lexicon = [
        f"{''.join(chr(97 + (number * step) % 26) for step in (1, 3, 5, 7, 11))}{chr(97 + number % 26)}{chr(97 + number // 26)}"
        for number in range(n_subjects * 40)
    ]
    communities = {}
    for subject in range(n_subjects):
        for member in range(each):
            own = rng.choice(lexicon[subject * 40 : subject * 40 + 40], size=60)
            drawn = np.where(rng.random(60) < shared, rng.choice(lexicon, size=60), own)
            said, counts = np.unique(drawn, return_counts=True)
            communities[f"made:{subject:02d}-{member:02d}"] = dict(zip(said.tolist(), counts.tolist(), strict=True))
    return communities
