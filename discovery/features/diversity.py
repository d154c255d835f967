"""How varied the words are, by three measures, with intervals that hold where authors repeat themselves.

In: the temporary table ``told``. Out: the partial ``variety`` (each community whole and without each of ten groups of its authors),
and the features. Authors, not tokens, are what a community is a sample of: a jackknife over groups of them is what the interval is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from discovery.features.declaration import Evidence, Floats, Interval, Statistics, because, columns, feature
from discovery.features.estimation import totals
from discovery.features.partials import renew_frame
from discovery.features.text import UNSPACED
from discovery.features.variety import MOST_ORDERED, Tokens, varieties

if TYPE_CHECKING:
    import duckdb

GROUPS = 10
"""Groups of authors that are left out in turn: the n-th author by the hash of the first sampled record is in group n mod 10."""
LEAST, LEAST_WINDOWS = 200, 1_000
"""Tokens from which a community's words are measured at all, and from which windows of 500 are."""
TOKENS_AT_ONCE = 250_000
"""Tokens that are measured in one go; bounds the memory."""
INTERVAL = "interval: jackknife over ten groups of authors"
FIRST = f"at most the first {MOST_ORDERED:,} sampled words, records in the order of a hash"
MEASURES = ("hdd", "mattr", "mtld")

_TOKENS = """
WITH sized AS (
    SELECT c, person, place, n, words, sum(n) OVER (PARTITION BY c ORDER BY place) - n AS before FROM told
    WHERE c BETWEEN $first AND $last QUALIFY sum(n) OVER (PARTITION BY c) >= $least
), grouped AS (
    SELECT c, person, (row_number() OVER (PARTITION BY c ORDER BY min(place)) - 1) % $groups AS left_out FROM sized GROUP BY c, person
)
SELECT c, left_out, (before + unnest(range(n)))::BIGINT AS place, hash(unnest(words)) AS word FROM sized JOIN grouped USING (c, person)
"""


def reduce(connection: duckdb.DuckDBPyConnection) -> None:
    """Measure every community of ``told`` with enough tokens, a bounded number of tokens at a time: the partial ``variety``."""
    sizes = connection.execute("SELECT c, sum(n)::BIGINT AS tokens FROM told GROUP BY c ORDER BY c").df().set_index("c")["tokens"]
    tokens = sizes[sizes >= LEAST]
    frames = [_measured(connection, block) for _, block in tokens.groupby((tokens.cumsum() - 1) // TOKENS_AT_ONCE)]
    empty = pd.DataFrame(columns=["c", "left_out", *MEASURES], dtype=float)
    found = pd.concat(frames) if frames else empty
    renew_frame(connection, "variety", found, "c INTEGER, left_out INTEGER, hdd DOUBLE, mattr DOUBLE, mtld DOUBLE", of="reworded")


def measured_varieties(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Give the measures of every community of enough tokens: row, left_out, hdd, mattr, mtld."""
    return connection.execute("SELECT row, left_out, hdd, mattr, mtld FROM partial.variety JOIN span USING (c) ORDER BY row, left_out").df()


def _measured(connection: duckdb.DuckDBPyConnection, tokens: pd.Series[int]) -> pd.DataFrame:
    """Measure these communities (index c, their sampled tokens)."""
    limits = {"first": int(tokens.index[0]), "last": int(tokens.index[-1]), "least": LEAST, "groups": GROUPS}
    said = connection.execute(_TOKENS, limits).fetchnumpy()
    number = np.searchsorted(tokens.index, said["c"])
    at = (tokens.cumsum() - tokens).to_numpy()[number] + said["place"]
    word, group = np.empty(len(at), dtype=np.uint64), np.empty(len(at), dtype=np.int32)
    word[at], group[at] = said["word"], said["left_out"]
    community = np.repeat(np.arange(len(tokens), dtype=np.int32), tokens)
    measured = varieties(Tokens(word, community, group), communities=len(tokens), groups=GROUPS)
    there = np.zeros((GROUPS + 1, len(tokens)), dtype=bool)
    there[0], there[group + 1, community] = True, True
    left_out, row = np.nonzero(there)
    return pd.DataFrame({"c": tokens.index[row], "left_out": left_out - 1, **dict(zip(MEASURES, measured[there].T, strict=True))})


@feature(
    title="how varied the words are",
    unit="HD-D, 0 to 1",
    formula=f"Σ_w [1 − C(N − f_w, 42) / C(N, 42)] / 42 over the sampled words; {INTERVAL}",
    source="McCarthy & Jarvis 2010, doi:10.3758/BRM.42.2.381",
    block="language",
    transform="identity",
    needs=Evidence(tokens=LEAST),
)
def lexical_diversity(statistics: Statistics) -> pd.DataFrame:
    """Expected share of different words among 42 drawn at random."""
    return _estimated(statistics, "hdd", n=statistics.communities["tokens"])


@feature(
    title="how varied the words of a stretch are",
    unit="share of different words in 500, 0 to 1",
    formula=f"mean of different words / 500 over all windows of 500 words, of {FIRST}; {INTERVAL}",
    source="Covington & McFall 2010 (MATTR), doi:10.1080/09296171003643098",
    block="language",
    transform="identity",
    needs=Evidence(tokens=LEAST_WINDOWS),
    clustered=False,
)
def mattr(statistics: Statistics) -> pd.DataFrame:
    """Share of different words in a window of 500 of the sampled words."""
    return _estimated(statistics, "mattr", n=statistics.communities["tokens"].clip(upper=MOST_ORDERED))


@feature(
    title="words until words repeat",
    unit="words",
    formula="words / number of stretches that end where different words / words falls below .72, the last one in part; mean of"
    f" reading forward and backward, of {FIRST}; {INTERVAL}, of the logarithm",
    source="McCarthy & Jarvis 2010 (MTLD), doi:10.3758/BRM.42.2.381",
    block="language",
    transform="log",
    needs=Evidence(tokens=LEAST),
    clustered=False,
)
def mtld(statistics: Statistics) -> pd.DataFrame:
    """Mean length of stretches in which at least 72 of 100 words are different."""
    return _estimated(statistics, "mtld", n=statistics.communities["tokens"].clip(upper=MOST_ORDERED), length=True)


def _estimated(statistics: Statistics, measure: str, *, n: pd.Series[int], length: bool = False) -> pd.DataFrame:
    """Estimate a measure, its interval by what leaving out each group of authors changes; that of a length on its logarithm."""
    facts, table = statistics.communities, statistics.varieties
    rows, told = table["row"].to_numpy(), table[measure].to_numpy(dtype=float)
    told = np.log(told) if length else told
    whole = table["left_out"].to_numpy() < 0
    value = np.full(len(facts), np.nan)
    value[rows[whole]] = told[whole]
    half = jackknife(rows[~whole], told[~whole], size=len(facts))
    value[np.isnan(half)] = np.nan  # where a group's words hold the only repetition, or the rest is shorter than a window
    reason = because(facts["language"].isin(UNSPACED), "words: the language is written without spaces")
    share = Interval(value, np.maximum(value - half, 0), np.minimum(value + half, 1))
    limits = Interval(np.exp(value), np.exp(value - half), np.exp(value + half)) if length else share
    return columns(limits, n=n, coverage=facts["observed"], reason=reason)


def jackknife(rows: npt.NDArray[np.int64], left_out: Floats, *, size: int) -> Floats:
    """Give the half-width of a 90 % interval from estimates that each leave out one group (Shao & Tu 1995); NaN below two groups."""
    groups = totals(rows, np.ones(len(rows)), size)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = totals(rows, left_out, size) / groups
        square = totals(rows, (left_out - mean[rows]) ** 2, size)
        return np.asarray(special.stdtrit(groups - 1, 0.95) * np.sqrt(square * (groups - 1) / groups))
