"""Texts that stand in several communities: cross-posts, copypasta and templates that spread.

In: the partial ``taken``. Out: per community and author the sampled texts that are long enough, and those that another
record in another community says too. This crosses communities: it is the one reduction of words that is not a community's alone.
Where most of what two communities say is the same, they are one (``duplicates``): for that the partial ``gist`` keeps of each the
gists of the smallest hashes, the same ones in both, which a sample by the records' ids cannot, as a copy has ids of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from discovery.features.declaration import Evidence, Statistics, because, columns, feature
from discovery.features.duplicates import KEPT_TEXTS, duplicates
from discovery.features.estimation import shrunk_share
from discovery.features.partials import Partial
from discovery.features.text import UNSPACED

if TYPE_CHECKING:
    import duckdb

LEAST_WORDS = 8
"""Words from which the same text is no chance; "happy new year everyone" is."""
LEAST_TEXTS = 20

_GIST = "SELECT c, unnest(min(gist, $most)) AS gist FROM (SELECT DISTINCT c, gist FROM entry WHERE gist IS NOT NULL) GROUP BY c"
PARTIALS = (Partial("gist", _GIST, {"most": KEPT_TEXTS}),)
"""What each community says, bounded, to find those that say the same."""

_CROSSED = """
WITH text AS (SELECT row, key, person, said FROM partial.taken JOIN span USING (c) WHERE n >= $least),
met AS (
    SELECT row, person, count(*) OVER (PARTITION BY said) AS everywhere,
        count(*) OVER (PARTITION BY said, row) + count(*) OVER (PARTITION BY said, key) - 1 AS here
    FROM text
)
SELECT row, count(*) FILTER (everywhere > here) AS crossed, count(*) AS texts FROM met GROUP BY row, person ORDER BY row, texts, crossed
"""
"""Of all that say the same, those of the community and the record itself under other tags are not elsewhere."""


def crossings(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Count texts per community and author: row, crossed, texts."""
    return connection.execute(_CROSSED, {"least": LEAST_WORDS}).df()


def repeated(connection: duckdb.DuckDBPyConnection, communities: pd.DataFrame) -> pd.Series:
    """Name the community that each one is the same as, by row; None where it is like no other, or says too little to tell."""
    said = connection.execute("SELECT row, gist FROM partial.gist JOIN span USING (c) ORDER BY row, gist").df()
    first = duplicates(said["row"].to_numpy("int64"), said["gist"].to_numpy("uint64"), records=communities["records"].to_numpy("int64"))
    names = communities["community"].to_numpy(dtype=object)
    return pd.Series([names[at] if at >= 0 else None for at in first], index=communities.index, dtype=object)


@feature(
    title="share of texts that also stand elsewhere",
    unit="fraction, 0 to 1",
    formula=f"sampled texts of {LEAST_WORDS} words and more whose words (the first 50, without case, marks, links and numbers) another"
    " record in another community of the run says too / such texts; beta-binomial shrinkage to the platform's mean",
    source="exact duplicates of normalised words, which are 98 % of those at Jaccard .9 of five-word shingles (Broder 1997)",
    block="behaviour",
    transform="logit",
    needs=Evidence(records=LEAST_TEXTS),
    clustered=False,
    counted={"records": "long_texts"},
)
def crosspost_share(statistics: Statistics) -> pd.DataFrame:
    """Share of texts that are posted in more than one community."""
    facts, table = statistics.communities, statistics.crossings
    rows, crossed, texts = table["row"].to_numpy(), table["crossed"].to_numpy(dtype=float), table["texts"].to_numpy(dtype=float)
    shrunk, sums = shrunk_share(rows, crossed, texts, platforms=facts["platform"])
    reason = because(np.full(len(facts), len(facts) < 2), "communities: no other one is measured")
    reason[facts["language"].isin(UNSPACED).to_numpy()] = "words: the language is written without spaces"
    return columns(shrunk, n=sums.x, coverage=facts["observed"], reason=reason)
