"""What later runs are compared with: the words and the measures that the first published run of a data directory freezes.

Until then a run is its own background. What a community is told then depends on itself and on what is frozen alone: not on who else
is measured tonight. A run whose communities are mostly strangers is its own background again, as the next version.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from discovery.features.measurement import Measurement, Vocabulary

KEY = ["feature", "part"]


@dataclass(frozen=True)
class Background:
    """What communities of the frozen run said, each one's own share kept, so that it can be left out when it is compared."""

    version: int
    languages: pd.Series[str]
    """Index community; None where too little text told it."""
    terms: pd.Index
    counts: sparse.csr_matrix
    """Tokens, shape (n_communities, n_terms)."""
    measures: pd.Series[float]
    """What features are measured by, index feature, part; empty for a run that is its own background."""

    @classmethod
    def of(cls, measurement: Measurement) -> Background:
        """Take a run as the background of those to come."""
        words = measurement.vocabulary
        measures = measurement.measures.set_index(KEY)["value"].astype(float)
        return cls(measurement.background_version, measurement.communities["language"], words.terms, words.counts, measures)

    @classmethod
    def from_rows(cls, words: pd.DataFrame, measures: pd.DataFrame) -> Background:
        """Read a background back from the columns of ``storage.tables.BackgroundText`` and ``BackgroundMeasure``."""
        said = [json.loads(each) for each in words["words"]]
        terms = pd.Index(sorted({word for each in said for word in each}), dtype=object)
        number = {word: place for place, word in enumerate(terms)}
        starts = np.cumsum([0, *map(len, said)])
        cells = ([n for each in said for n in each.values()], [number[word] for each in said for word in each], starts)
        counts = sparse.csr_matrix(cells, shape=(len(said), len(terms)), dtype="int64")
        languages = words.set_index("community_id")["language"]
        return cls(int(words["version"].iloc[0]), languages, terms, counts, measures.set_index(KEY)["value"].astype(float))

    def words(self) -> pd.DataFrame:
        """Write its words as the columns of ``storage.tables.BackgroundText``."""
        counts, terms = self.counts, self.terms.to_numpy()
        spans = zip(counts.indptr, counts.indptr[1:], strict=False)
        words = [dict(zip(terms[counts.indices[a:b]], counts.data[a:b].tolist(), strict=True)) for a, b in spans]
        told = {"community_id": self.languages.index, "language": self.languages.to_numpy(object)}
        return pd.DataFrame({"version": self.version, **told, "words": [json.dumps(each, ensure_ascii=False) for each in words]})

    def measured(self) -> pd.DataFrame:
        """Write its measures as the columns of ``storage.tables.BackgroundMeasure``."""
        return self.measures.rename("value").reset_index().assign(version=self.version)

    def knows(self, communities: pd.Series[str]) -> bool:
        """Tell whether it holds at least half of them; a background of strangers would say how foreign all of them are."""
        return bool(2 * communities.isin(self.languages.index).sum() >= len(communities))


def behind(frozen: Background | None, *, communities: pd.DataFrame, vocabulary: Vocabulary) -> Background:
    """Take the frozen background where it knows tonight's communities; else they are their own, as its next version."""
    if frozen is not None and frozen.knows(communities["community"]):
        return frozen
    languages = communities.set_index("community")["language"]
    return Background(1 if frozen is None else frozen.version + 1, languages, vocabulary.terms, vocabulary.counts, NOTHING)


NOTHING = pd.Series(dtype=float, index=pd.MultiIndex.from_arrays([[], []], names=KEY))
"""Nothing is frozen: a run measures by itself."""
