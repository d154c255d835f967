"""How much a community's words change from month to month, beyond what chance makes of any sample.

In: the temporary table ``told``. Out: the partial ``change`` and the feature. The mean of
ln P(w in the month) / P(w) over a sample's words is above zero even where nothing changes, the more the fewer the words. What the
same texts show when they are dealt to the months at random is taken off. It is people who are dealt, each with all they said, and
each counts in one month: else somebody who comes and goes with pet words would look like a change of everybody's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from discovery.features.declaration import Evidence, Floats, Interval, Statistics, because, columns, feature
from discovery.features.estimation import totals
from discovery.features.partials import renew_frame
from discovery.features.text import UNSPACED

if TYPE_CHECKING:
    import duckdb

Whole = npt.NDArray[np.int64]

LEAST_MONTHS, LEAST_WORDS = 3, 200
"""Months there must be, and words each must hold to be counted."""
DEALS = 20
"""Times the texts are dealt to the months at random."""
TOKENS_AT_ONCE = 500_000
"""Tokens that are measured in one go; bounds the memory."""

_MONTHLY = """
CREATE OR REPLACE TEMP TABLE monthly AS
WITH covered AS (SELECT c, person, place, m, n, words FROM told WHERE m IS NOT NULL),
home AS (SELECT c, person, arg_min(m, place) AS m, min(place) AS turn FROM covered GROUP BY c, person),
said AS (
    SELECT c, m, turn, n, words, sum(n) OVER (PARTITION BY c, m) AS size,
        sum(n) OVER (PARTITION BY c, m ORDER BY turn, place) - n AS before
    FROM covered JOIN home USING (c, person, m)
), counted AS (
    SELECT *, min(size) OVER (PARTITION BY c) AS most, dense_rank() OVER (PARTITION BY c ORDER BY m) - 1 AS nth
    FROM said WHERE size >= $least
)
SELECT c, turn, nth, most, before, least(n, most - before)::BIGINT AS n, words FROM counted WHERE before < most
"""
"""A person's home is the month of the sampled record with the smallest hash; of every month as many words count as of the shortest."""

_SIZES = """
SELECT c, max(nth) + 1 AS months, min(most)::BIGINT AS each, months * each AS words FROM monthly GROUP BY c ORDER BY c
"""

_TOKENS = """
SELECT c, turn, (nth * most + before + unnest(range(n)))::BIGINT AS place, hash(unnest(list_slice(words, 1, n))) AS word
FROM monthly WHERE c BETWEEN $first AND $last
"""

_CHANGES = """
SELECT row, months, words, change, error FROM partial.change JOIN span USING (c) ORDER BY row
"""


class Monthly(NamedTuple):
    """The words of many communities, month after month; equally many of each of a community's months."""

    word: npt.NDArray[np.uint64]
    turn: Whole
    """Tells a community's authors apart, as whole numbers that their order of being dealt is made from."""
    months: Whole
    """Per community."""
    words: Whole
    """Words of each month, per community."""


def reduce(connection: duckdb.DuckDBPyConnection) -> None:
    """Measure the change of the communities of ``told``, over the whole covered months of their sample: the partial ``change``."""
    connection.execute(_MONTHLY, {"least": LEAST_WORDS})
    sizes = connection.execute(_SIZES).df().assign(change=np.nan, error=np.nan)
    enough = sizes[sizes["months"] >= LEAST_MONTHS]
    for _, block in enough.groupby((enough["words"].cumsum() - 1) // TOKENS_AT_ONCE):
        sizes.loc[block.index, ["change", "error"]] = change(_texts(connection, block)).T
    connection.execute("DROP TABLE monthly")
    columns = "c INTEGER, months BIGINT, words BIGINT, change DOUBLE, error DOUBLE"
    renew_frame(connection, "change", sizes, columns, of="reworded")


def measured_changes(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Give the change of every community with a covered month of words: row, months, words, change, error; NaN below three months."""
    return connection.execute(_CHANGES).df()


def _texts(connection: duckdb.DuckDBPyConnection, sizes: pd.DataFrame) -> Monthly:
    """Read the words of these communities into their places."""
    span = {"first": int(sizes["c"].iloc[0]), "last": int(sizes["c"].iloc[-1])}
    told = pd.DataFrame(connection.execute(_TOKENS, span).fetchnumpy())
    told = told[told["c"].isin(sizes["c"])]
    start = (sizes["words"].cumsum() - sizes["words"]).to_numpy()
    at = start[np.searchsorted(sizes["c"], told["c"])] + told["place"].to_numpy()
    word, turn = np.empty(len(at), dtype=np.uint64), np.empty(len(at), dtype=np.int64)
    word[at], turn[at] = told["word"], told["turn"]
    return Monthly(word, turn, sizes["months"].to_numpy(), sizes["each"].to_numpy())


def change(told: Monthly) -> Floats:
    """Measure how much words depend on the month, less what they do when people are dealt to the months at random.

    With months of equal size, the mean over months of the mean of ln P(w in the month) / P(w) over a month's words is
    Σ n_wt ln n_wt / N − Σ n_w ln n_w / N + ln(number of months); only its first sum changes with the deal.

    Returns:
        Shape (2, communities): the change, and the standard error of it where nothing changes.
    """
    size = told.months * told.words
    community = np.repeat(np.arange(len(size)), size)
    opens = np.flatnonzero(np.diff(community, prepend=-1) | np.diff(told.turn, prepend=-1))
    length = np.diff(opens, append=len(community))
    again, word = _said_again(told.word, community)
    text = np.repeat(np.arange(len(opens)), length)[again]
    inside = again - opens[text] - (np.cumsum(size) - size)[community[again]]
    words, most = told.words[community[again]], told.months.max()
    spoken = community[again][np.unique(word, return_index=True)[1]]
    counts = np.arange(size.max() + 1)
    worth = special.xlogy(counts, counts)

    def agreement(begin: Whole) -> Floats:
        """Give Σ n_wt ln n_wt of each community when its texts begin at these places; a word said once adds nothing."""
        count = np.bincount(word * most + (begin[text] + inside) // words)
        cell = np.flatnonzero(count > 1)
        return totals(spoken[cell // most], worth[count[cell]], len(size))

    chance = np.empty((len(size), DEALS))  # a row each, so that no sum depends on who else is measured
    for deal in range(DEALS):
        order = np.lexsort((dealt(told.turn[opens], deal), community[opens]))
        begin = np.empty(len(opens), dtype=np.int64)
        begin[order] = np.cumsum(length[order]) - length[order]
        chance[:, deal] = agreement(begin)
    spread = chance.std(axis=1, ddof=1) * np.sqrt(1 + 1 / DEALS)
    return np.asarray([agreement(opens) - chance.mean(axis=1), spread] / size)


def _said_again(word: npt.NDArray[np.uint64], community: Whole) -> tuple[Whole, Whole]:
    """Find the tokens whose word their community says more than once, word by word, and number those words."""
    order = np.argsort(word, kind="stable")
    opens = np.flatnonzero(np.diff(word[order], prepend=~word[order[:1]]).astype(bool) | (np.diff(community[order], prepend=-1) != 0))
    length = np.diff(opens, append=len(order))
    return order[np.repeat(length > 1, length)], np.repeat(np.arange((length > 1).sum()), length[length > 1])


def dealt(turn: Whole, deal: int) -> npt.NDArray[np.uint64]:
    """Give each author's place in a deal: the finaliser of SplitMix64 (Steele et al. 2014) of author and deal."""
    mixed = (turn * DEALS + deal).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))


@feature(
    title="how much the words change from month to month",
    unit="nats per word, 0 is no more than chance",
    formula="mean over months of the mean of ln P(w in the month) / P(w) over the month's sampled words, months of equal size, less its"
    f" mean over {DEALS} random deals of the authors to the months; each author counts in one month; whole covered 28-day months of"
    f" {LEAST_WORDS} words and more; the interval is the spread of the deals",
    source="dynamicity, Zhang et al., ICWSM 2017; permutation against the bias of few words",
    block="language",
    transform="identity",
    needs=Evidence(months=LEAST_MONTHS, complete=True),
    clustered=False,
)
def dynamicity(statistics: Statistics) -> pd.DataFrame:
    """How much more a month's words are its own than chance makes them."""
    facts = statistics.communities
    told = statistics.changes.set_index("row").reindex(range(len(facts)))
    months, change = told["months"].fillna(0).astype(int), told["change"].to_numpy(dtype=float)
    half = special.stdtrit(DEALS - 1, 0.95) * told["error"].to_numpy(dtype=float)
    few = f"words: fewer than {LEAST_MONTHS} months hold {LEAST_WORDS} sampled words of people who count in them"
    reason = because(months < LEAST_MONTHS, few)
    reason[facts["language"].isin(UNSPACED).to_numpy()] = "words: the language is written without spaces"
    words = told["words"].fillna(0)
    return columns(Interval(change, change - half, change + half), n=words, coverage=facts["observed"], reason=reason)
