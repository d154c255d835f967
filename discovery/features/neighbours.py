"""Which communities people share: a place for each community among the others of its platform, told by who writes where.

In: the partial ``author`` and the temporary tables ``span`` and ``elsewhere``. Out: a unit vector per community (communities with the
same people point the same way), how alike the places are that people go to, and the features. Only who writes in several
communities tells them apart; everybody else is left out of the vectors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse, stats
from scipy.sparse.linalg import svds
from threadpoolctl import threadpool_limits

from discovery.features.declaration import Evidence, Floats, Interval, Reasons, Statistics, because, columns, feature
from discovery.features.estimation import totals
from discovery.features.loyalty import WHOLE_COMMUNITIES
from discovery.features.reach import lacking

if TYPE_CHECKING:
    import duckdb

DIMENSIONS = 50
LEAST_COMMUNITIES = 10
"""Communities of a platform from which the people they share place them."""
PEOPLE_AT_ONCE = 50_000
"""People who are looked at in one go; bounds the memory."""

_VISITS = """
WITH visit AS (
    SELECT row, records, in_all > records AS roams, min(first_key) OVER account AS person, count(*) OVER account AS places
    FROM partial.author JOIN span USING (c) JOIN elsewhere USING (a) JOIN partial.community USING (c)
    WINDOW account AS (PARTITION BY a, split_part(community, ':', 1))
)
SELECT row, dense_rank() OVER (ORDER BY person) - 1 AS person, records, roams FROM visit WHERE places > 1 ORDER BY person, row
"""
"""A person is told by the hash of their first record by key, which no pseudonym decides."""


class Visits(NamedTuple):
    """Who of several communities wrote how much where, person by person, communities ascending."""

    row: npt.NDArray[np.int64]
    person: npt.NDArray[np.int64]
    records: npt.NDArray[np.int64]
    roams: npt.NDArray[np.bool_]
    """They wrote something elsewhere that does not stand in this community too."""


def visits(connection: duckdb.DuckDBPyConnection) -> Visits:
    """Read who wrote in several communities. Needs the temporary tables ``span`` and ``elsewhere``."""
    found = connection.execute(_VISITS).df()
    row, person, records = (found[name].to_numpy(dtype="int64") for name in ("row", "person", "records"))
    return Visits(row, person, records, found["roams"].to_numpy(dtype=bool))


def placed(seen: Visits, platforms: pd.Series[str]) -> Floats:
    """Place communities by the people they share: positive pointwise mutual information, its largest 50 singular vectors.

    Levy & Goldberg 2014 (SPPMI, U · √Σ), as Martin 2017 does with Reddit; platform by platform, since accounts are of one.

    Returns:
        Unit vectors, shape (communities, 50); zeros where a community shares nobody, or its platform shows too few communities.
    """
    vectors = np.zeros((len(platforms), DIMENSIONS))
    of = platforms.to_numpy()[seen.row]
    for platform, members in platforms.groupby(platforms).indices.items():
        if len(members) >= LEAST_COMMUNITIES and (of == platform).any():
            number = np.searchsorted(members, seen.row[of == platform])
            person = np.unique(seen.person[of == platform], return_inverse=True)[1]
            placed_here = _singular(_information(number, person, seen.records[of == platform].astype(float), len(members)))
            vectors[members, : placed_here.shape[1]] = placed_here
    length = np.sqrt((vectors**2).sum(axis=1, keepdims=True))
    return np.asarray(np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 1e-9))


def _information(row: npt.NDArray[np.int64], person: npt.NDArray[np.int64], records: Floats, size: int) -> sparse.csr_matrix:
    """Positive pointwise mutual information of community and person, ln(n · N / (n_row · n_person)), 0 where it is negative."""
    of_row, of_person = np.bincount(row, records, size), np.bincount(person, records)
    told = np.log(records * records.sum() / (of_row[row] * of_person[person]))
    matrix = sparse.csr_matrix((np.maximum(told, 0), (row, person)), shape=(size, len(of_person)))
    matrix.eliminate_zeros()
    return matrix


def _singular(matrix: sparse.csr_matrix) -> Floats:
    """Give U · √Σ of the largest singular values: as many as asked for, one less than there are at most."""
    most = min(DIMENSIONS, min(matrix.shape) - 1)
    if most < 1 or not matrix.nnz:
        return np.zeros((matrix.shape[0], 0))
    start = np.random.default_rng(0).standard_normal(min(matrix.shape))
    with threadpool_limits(limits=1):
        left, singular, _ = svds(matrix, k=most, v0=start)
    return np.asarray(left * np.sqrt(singular))


def roamers(seen: Visits, vectors: Floats) -> pd.DataFrame:
    """Tell how alike the places are that people go to: row, people, alike, squares (sums over the people who write elsewhere too).

    Of a person (Waller & Anderson 2019): the mean cosine of their communities with the middle of them, both weighted by records.
    """
    opens = np.flatnonzero(np.diff(seen.person, prepend=-1))
    table = np.zeros((3, len(vectors)))
    for first in range(0, len(opens), PEOPLE_AT_ONCE):
        begin, end = opens[first], np.append(opens, len(seen.row))[min(first + PEOPLE_AT_ONCE, len(opens))]
        own, weight = vectors[seen.row[begin:end]], seen.records[begin:end, None].astype(float)
        start = opens[first : first + PEOPLE_AT_ONCE] - begin
        middle = np.add.reduceat(own * weight, start)
        length = np.sqrt((middle**2).sum(axis=1))
        score = np.divide(length, np.add.reduceat(weight, start)[:, 0], out=np.zeros(len(start)), where=length > 0)
        rows, each = seen.row[begin:end], np.repeat(score, np.diff(start, append=end - begin))
        roams = seen.roams[begin:end]
        for place, part in enumerate((np.ones(len(each)), each, each**2)):
            table[place] += totals(rows[roams], part[roams], len(vectors))
    return pd.DataFrame({"row": np.arange(len(vectors)), "people": table[0].astype("int64"), "alike": table[1], "squares": table[2]})


def _few(statistics: Statistics) -> Reasons:
    facts = statistics.communities
    few = facts.groupby("platform")["platform"].transform("size") < LEAST_COMMUNITIES
    return because(few, f"communities: fewer than {LEAST_COMMUNITIES} of the platform are measured, too few to place them by their people")


@feature(
    title="how alike the places are that people here write in",
    unit="0 (generalists) to 1 (specialists)",
    formula="mean over the people who also write elsewhere of |Σ w v| / Σ w, v the unit vectors of the communities they write in (50 "
    "singular vectors of the positive pointwise mutual information of community and person), w their records there; where at least "
    f"{WHOLE_COMMUNITIES} communities of the platform are shown whole; Student's t over people; the vectors count as known",
    source="GS score, Waller & Anderson 2019, doi:10.1145/3308558.3313729; Levy & Goldberg 2014 (SPPMI)",
    block="behaviour",
    transform="identity",
    needs=Evidence(authors=30, complete=True),
    clustered=False,
    counted={"authors": "roaming_authors"},
)
def specialisation(statistics: Statistics) -> pd.DataFrame:
    """Mean likeness of the communities that a community's people write in."""
    facts, table = statistics.communities, statistics.roamers
    people, alike, squares = (table[name].to_numpy(dtype=float) for name in ("people", "alike", "squares"))
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(people > 1, alike / people, np.nan)
        spread = np.maximum(squares / people - value**2, 0) * people / (people - 1)
        half = stats.t.ppf(0.95, np.maximum(people - 1, 1)) * np.sqrt(spread / people)
    whole = (facts["coverage"] == "complete").groupby(facts["platform"]).transform("sum")
    reason = because(whole < WHOLE_COMMUNITIES, f"histories: fewer than {WHOLE_COMMUNITIES} communities of the platform are shown whole")
    interval = Interval(value, np.maximum(value - half, 0), np.minimum(value + half, 1))
    return columns(interval, n=people, coverage=facts["observed"], reason=reason)


@feature(
    title="fit with your own communities, people and neighbourhood",
    unit="0 to 1",
    formula="max over the portfolio of (share of the platform's communities whose lift with that one, as in cross_promotion, is strictly "
    "lower) · (cosine of their places by shared people, at least 0); limits: those of the lift, the places count as known",
    source="portfolio fit of the design: lift percentile × cosine of SPPMI vectors (Martin 2017; Levy & Goldberg 2014)",
    block="market",
    transform="identity",
    needs=Evidence(authors=30),
    clustered=False,
)
def portfolio_fit(statistics: Statistics) -> pd.DataFrame:
    """Best product of the place of a lift among others and of the likeness of two communities' people."""
    facts, pairs = statistics.communities, statistics.lifts
    kept = pd.DataFrame({"row": pairs["row"], "own": pairs["own"], "shared": pairs["shared"]})
    for name in ("lift", "low", "high"):
        kept[name] = _place(pairs, pairs[name].to_numpy()) * np.maximum(pairs["alike"].to_numpy(), 0)
    best = (
        kept.sort_values(["row", "lift", "own"], ascending=[True, False, True]).drop_duplicates("row").set_index("row").reindex(facts.index)
    )
    reason = _few(statistics)
    absent = best["lift"].isna().to_numpy()
    reason[absent] = lacking(facts)[absent]
    value, low, high = (best[column].to_numpy(dtype=float) for column in ("lift", "low", "high"))
    return columns(Interval(value, low, high), n=best["shared"].fillna(0), coverage=facts["observed"], reason=reason)


def _place(pairs: pd.DataFrame, values: Floats) -> Floats:
    """Give the share of the communities paired with the same one whose lift is strictly below each value."""
    place = np.empty(len(pairs))
    for members in pairs.groupby("own").indices.values():
        place[members] = np.searchsorted(np.sort(pairs["lift"].to_numpy()[members]), values[members]) / len(members)
    return place
