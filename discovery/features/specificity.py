"""How much the words of a community are its own, against a background that stays the same from night to night.

In: the partial ``word`` and the background (:mod:`background`), frozen or the run's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from discovery.features.background import Background
from discovery.features.declaration import Evidence, Floats, Interval, Statistics, columns, feature
from discovery.features.diversity import jackknife
from discovery.features.estimation import totals
from discovery.features.selection import load
from discovery.features.text import STOP_WORDS, UNSPACED
from discovery.features.vocabulary import CONTENT, LEAST_AUTHORS, PARTS

if TYPE_CHECKING:
    import duckdb

Whole = npt.NDArray[np.int64]

ALPHA = 500
"""Weight of the background, in tokens."""

PARTED = [f"part_{part}" for part in range(PARTS)]

_SAID = f"""
SELECT row, coalesce(t, -1) AS t, n::BIGINT AS said, {", ".join(PARTED)}
FROM partial.word JOIN span USING (c) LEFT JOIN background_term USING (word)
WHERE t IS NOT NULL OR (authors >= $least AND {CONTENT}) ORDER BY row, word
"""  # noqa: S608 - a constant of ours
"""Words of the background, and words that enough of a community's own authors say: as a first night counts them."""


def compared(connection: duckdb.DuckDBPyConnection, background: Background, *, communities: pd.DataFrame) -> pd.DataFrame:
    """Count each community's words, there and in the rest of the background of its language, itself left out.

    Returns:
        row, said, elsewhere (tokens of the word), part_* (said by each group of authors); size, spread, others (tokens, words and
        communities of the rest).
    """
    load(connection, "background_term", pd.DataFrame({"word": background.terms, "t": np.arange(len(background.terms))}))
    said = connection.execute(_SAID, {"least": LEAST_AUTHORS, "stop": sorted(STOP_WORDS)}).df()
    connection.execute("DROP TABLE background_term")
    tongues = pd.Index(background.languages.dropna().unique())
    then, now = (tongues.get_indexer(pd.Index(told.to_numpy(object))) for told in (background.languages, communities["language"]))
    place = background.languages.index.get_indexer(pd.Index(communities["community"]))
    home = np.where((now >= 0) & (then[place] == now), place, -1)  # its own share of what it is compared with
    spoken = np.flatnonzero(then >= 0)
    each = sparse.csr_matrix((np.ones(len(spoken), dtype="int64"), (then[spoken], spoken)), shape=(len(tongues), len(then)))
    whole = (each @ background.counts).toarray()
    row, t = said["row"].to_numpy(), said["t"].to_numpy()
    known = (t >= 0) & (now[row] >= 0)
    elsewhere, size = np.zeros(len(said), dtype="int64"), np.append(whole.sum(axis=1), 0)[now]
    elsewhere[known] = whole[now[row[known]], t[known]]
    elsewhere -= _looked_up(background.counts, home[row], t)
    size[home >= 0] -= np.asarray(background.counts.sum(axis=1)).ravel()[home[home >= 0]]
    spread, others = np.append((whole > 0).sum(axis=1), 0)[now], np.append(np.diff(each.indptr), 0)[now] - (home >= 0)
    return said[["row", "said", *PARTED]].assign(elsewhere=elsewhere, size=size[row], spread=spread[row], others=others[row])


def _looked_up(counts: sparse.csr_matrix, row: Whole, column: Whole) -> Whole:
    """Give the counts at these places, 0 where a place is -1."""
    cells = counts.sorted_indices().tocoo()
    keys = cells.row.astype("int64") * counts.shape[1] + cells.col
    wanted = np.where((row >= 0) & (column >= 0), row * counts.shape[1] + column, -1)
    at = np.searchsorted(keys, wanted)
    return np.where(np.append(keys, -2)[at] == wanted, np.append(cells.data, 0)[at], 0)


@feature(
    title="how much the words are its own",
    unit="log ratio to other communities, 0 is none",
    formula="Σ_w n_w [ln((n_w − 1 + α p_w) / (n − 1 + α)) − ln p_w] / n over content words of the background or of five of its own authors;"
    " p_w their share in the background's other communities of the language, with add-one smoothing; α = 500; each word's own occurrence"
    " is left out, so that few words do not look special; background: the words of the run that was frozen first, which two communities"
    " or five authors used; interval: jackknife over ten groups of authors",
    source="Zhang et al., ICWSM 2017; Monroe et al. 2008 (prior)",
    block="language",
    transform="identity",
    needs=Evidence(tokens=200, authors=10),
)
def specificity(statistics: Statistics) -> pd.DataFrame:
    """How much more a community uses its words than the other communities of its language do."""
    facts, table = statistics.communities, statistics.comparisons
    rows, said = table["row"].to_numpy(), table["said"].to_numpy()
    other = ((table["elsewhere"] + 1) / (table["size"] + table["spread"])).to_numpy()
    n, value = _own(rows, said, other, size=len(facts))
    left = [_own(rows, said - table[part].to_numpy(), other, size=len(facts)) for part in PARTED]
    row, part = np.nonzero(np.transpose([(rest > 0) & (rest < n) for rest, _ in left]))
    half = jackknife(row, np.array([without for _, without in left])[part, row], size=len(facts))
    value[np.isnan(half)] = np.nan
    reason = np.full(len(facts), None, dtype=object)
    reason[np.unique(rows[table["others"] == 0])] = "background: no other community of its language is in it"
    reason[facts["language"].isna().to_numpy()] = "language: too little text to tell"
    reason[facts["language"].isin(UNSPACED).to_numpy()] = "words: the language is written without spaces"
    return columns(Interval(value, value - half, value + half), n=n, coverage=facts["observed"], reason=reason)


def _own(rows: Whole, said: Whole, other: Floats, *, size: int) -> tuple[Floats, Floats]:
    """Give the tokens of each community, and the mean over them of how much more their words are its own."""
    n = totals(rows, said, size)
    with np.errstate(divide="ignore", invalid="ignore"):
        score = np.log(np.maximum(said - 1 + ALPHA * other, 0) / (n[rows] - 1 + ALPHA)) - np.log(other)
        return n, totals(rows, np.where(said > 0, said * score, 0), size) / n
