"""How much happens and who does it: frequency, active authors, inequality, deleted accounts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from discovery.features.declaration import Evidence, Floats, Interval, Statistics, because, columns, feature
from discovery.features.estimation import Z90, clump, per_unit, proportions, rates, totals


@feature(
    title="records a day",
    unit="records per day",
    formula="(N + a) / (E + b): posts and replies, bots and repeats left out, over E days; E runs from the first record to the end of"
    " what the source shows; in a listing from its 10th percentile of age to its newest record; N counts what comes after the record "
    "that starts the clock; gamma prior (a, b) of the platform",
    source="Gamma-Poisson empirical Bayes; overdispersion from the variance of days; limits as if authors were drawn with all records",
    block="behaviour",
    transform="log",
    needs=Evidence(records=5),
)
def posting_frequency(statistics: Statistics) -> pd.DataFrame:
    """Records a day over the observed exposure."""
    facts = statistics.communities
    counts, days = facts["since_oldest"].to_numpy(dtype=float), facts["exposure"].to_numpy(dtype=float)
    inflation = per_unit(counts, facts["daily_squares"].to_numpy(dtype=float), np.maximum(days, 1))
    result = rates(counts, days, platforms=facts["platform"], inflation=inflation, clumps=clump(statistics, "records"))
    return columns(result, n=counts, coverage=facts["observed"])


@feature(
    title="people who take part in a month",
    unit="authors per 28 days",
    formula="mean over whole covered 28-day months of the distinct authors, gamma prior of the platform; in a listing: distinct "
    "authors shown per 28 days back from the newest record; where it shows less than 28 days, the authors shown, a lower "
    "bound, and the upper limit allows for others in the days not shown (coverage says how much was seen); its oldest tenth of records, "
    "where pinned posts stand, is left out",
    source="CHAOSS active contributors; Gamma-Poisson empirical Bayes; limits as if authors were drawn with all their months",
    block="behaviour",
    transform="log",
    needs=Evidence(authors=1),
)
def active_authors(statistics: Statistics) -> pd.DataFrame:
    """Distinct authors of a 28-day month."""
    facts = statistics.communities
    size, months = len(facts), statistics.months
    squares = totals(months["row"], months["authors"] ** 2, size) + facts["listed_squares"].to_numpy()
    counts = totals(months["row"], months["authors"], size) + facts["listed_authors"].to_numpy()
    exposure = facts["months"].to_numpy(dtype=float) + facts["listed_bins"].to_numpy()
    again = totals(statistics.authors["row"], statistics.authors["months"].to_numpy(dtype=float) ** 2, size) + facts["listed_again"]
    clumps = (again / np.maximum(counts, 1)).to_numpy()
    result = rates(counts, exposure, platforms=facts["platform"], inflation=per_unit(counts, squares, exposure), clumps=clumps)
    unseen = np.where(facts["listed_bins"] > 0, np.maximum(28 / facts["exposure"].clip(lower=1), 1), 1.0)
    result = result._replace(high=result.high * unseen)
    reason = because(exposure == 0, "coverage: 0 whole 28-day months, 1 needed")
    return columns(result, n=counts, coverage=facts["observed"], reason=reason)


@feature(
    title="people who take part in a month, of its members",
    unit="authors per 28 days and member",
    formula="active_authors / the number of members that the platform shows; tells how stale that number is, no more: members are never "
    "removed, and nobody is compared by it",
    source="participation, diagnostic of the design",
    block="behaviour",
    transform="log",
    needs=Evidence(authors=1),
    clustered=False,
)
def participation(statistics: Statistics) -> pd.DataFrame:
    """Distinct authors of a 28-day month per member."""
    facts, active = statistics.communities, active_authors(statistics)
    members = facts["members"].to_numpy(dtype=float)
    unknown = ~(members > 0)
    reason = active["missing_reason"].to_numpy(dtype=object).copy()
    reason[unknown] = "members: the source does not tell how many there are"
    value, low, high = (active[name].to_numpy() / np.where(unknown, np.nan, members) for name in ("value", "low", "high"))
    return columns(Interval(value, low, high), n=active["n"], coverage=facts["observed"], reason=reason)


@feature(
    title="how unequally people contribute",
    unit="Gini coefficient, 0 to 1",
    formula="G · n / (n − 1) over authors' numbers of records",
    source="Gini with the small-sample correction of Deltas 2003; interval by leaving out each author (Karagiannis & Kovačević 2000), of "
    "log odds, Student's t with the degrees that kurtosis leaves (O'Neill 2014): few people write much; where all write equally, up to "
    "what one in n could hide",
    block="behaviour",
    transform="identity",
    needs=Evidence(authors=30),
)
def inequality(statistics: Statistics) -> pd.DataFrame:
    """Gini coefficient of contributions, corrected for small numbers."""
    rows, x, first, people = _ascending(statistics)
    size, n, rank = len(people), people[rows], np.arange(len(rows)) - first[rows] + 1
    total, weighed = totals(rows, x, size), totals(rows, rank * x, size)
    above = total[rows] - np.cumsum(x) + (np.cumsum(total) - total)[rows]  # exact: integers below 2^53
    with np.errstate(divide="ignore", invalid="ignore"):
        value = (2 * weighed / total - people - 1) / (people - 1)
        without = (2 * (weighed[rows] - rank * x - above) / (total[rows] - x) - n) / (n - 2)
        pull = without - (totals(rows, without, size) / people)[rows]
        square, fourth = (totals(rows, pull**power, size) for power in (2, 4))
        degrees = 2 * people / (people * fourth / square**2 - (people - 3) / (people - 1))
        reach = special.stdtrit(degrees, 0.95) * np.sqrt((people - 1) / people * square) / (value * (1 - value))
        low, high = (np.where(square > 0, special.expit(special.logit(value) + side * reach), value) for side in (-1, 1))
    twice = 1 - 0.05 ** (1 / np.maximum(people, 1))
    high = np.where(value == 0, twice * (1 - twice) / (1 + twice), high)
    return columns(Interval(value, low, high), n=people, coverage=statistics.communities["observed"])


@feature(
    title="share of records by the busiest hundredth of authors",
    unit="fraction, 0 to 1",
    formula="records of the ⌈n / 100⌉ busiest authors / records of all authors, beta-binomial shrinkage; limits: as the sum of so many "
    "busiest varies where numbers of records fall off as a power over the busiest tenth (Hill 1975; Rényi 1953), on the scale of log odds",
    source="CHAOSS contributor concentration (elephant factor family)",
    block="behaviour",
    transform="logit",
    needs=Evidence(authors=30),
    clustered=False,
)
def author_concentration(statistics: Statistics) -> pd.DataFrame:
    """Share of records written by the busiest hundredth of authors."""
    rows, x, first, people = _ascending(statistics)
    size, ahead = len(people), people[rows] - (np.arange(len(rows)) - first[rows])  # 1 for the busiest
    few, tail = np.ceil(people / 100), np.ceil(people / 10)
    busy, total = totals(rows, x * (ahead <= few[rows]), size), totals(rows, x, size)
    result = proportions(busy, total, platforms=statistics.communities["platform"])
    edge = np.maximum(totals(rows, x * (ahead == tail[rows] + 1), size), 1)
    busier = total[rows] - np.cumsum(x) + (np.cumsum(total) - total)[rows] + x  # by the author and those who write more
    with np.errstate(divide="ignore", invalid="ignore"):
        power = totals(rows, np.log(x / edge[rows]) * (ahead <= tail[rows]), size) / tail
        moved = np.minimum(busier / busy[rows], 1) * power[rows] / ahead * (ahead <= tail[rows])
        rest = totals(rows, x**2 * (ahead > few[rows]), size) / (total - busy) ** 2
        reach = Z90 * np.sqrt(totals(rows, moved**2, size) + rest)
        low, high = (special.expit(special.logit(result.value) + side * reach) for side in (-1, 1))
    return columns(result._replace(low=low, high=high), n=people, coverage=statistics.communities["observed"])


@feature(
    title="people who write half of it",
    unit="authors",
    formula="least k such that the k busiest authors write at least half of the records of known authors; limits: where the share of the "
    "k busiest, give or take its error over authors, reaches one half",
    source="CHAOSS elephant factor; interval by inversion of the linearised share",
    block="behaviour",
    transform="log",
    needs=Evidence(authors=30),
    clustered=False,
)
def elephant_number(statistics: Statistics) -> pd.DataFrame:
    """Fewest authors who together write half of the records."""
    rows, x, first, people = _ascending(statistics)
    size, rank = len(people), people[rows] - (np.arange(len(rows)) - first[rows])
    total, up_to = totals(rows, x, size), np.cumsum(x)
    written = total[rows] - (up_to - (np.cumsum(total) - total)[rows]) + x  # by the busiest ones up to and with this one
    squares = np.cumsum(x**2)
    square = totals(rows, x**2, size)
    theirs = square[rows] - (squares - (np.cumsum(square) - square)[rows]) + x**2
    share = written / total[rows]
    error = np.sqrt(theirs * (1 - 2 * share) + share**2 * square[rows]) / total[rows]

    def reached(curve: Floats) -> Floats:
        least = np.full(size, np.inf)
        np.minimum.at(least, rows, np.where(curve >= 0.5, rank, people[rows]))
        return np.where(people > 0, least, np.nan)

    value, low, high = (reached(share + side * Z90 * error) for side in (0, 1, -1))
    return columns(Interval(value, low, high), n=people, coverage=statistics.communities["observed"])


@feature(
    title="share of records that repeat the author's own",
    unit="fraction, 0 to 1",
    formula="later copies of a text of 20 characters and more by the same author in the same community (a reply: in the same thread) / "
    "records of people, beta-binomial shrinkage to the platform's mean",
    source="exact duplicates, which no other feature counts",
    block="behaviour",
    transform="logit",
    needs=Evidence(records=20),
    clustered=False,
    counted={"records": "by_people"},
)
def duplicate_share(statistics: Statistics) -> pd.DataFrame:
    """Share of people's records that are copies of their own."""
    facts = statistics.communities
    written = facts["by_people"].to_numpy(dtype=float)
    copies = written - facts["entries"].to_numpy(dtype=float)
    return columns(proportions(copies, written, platforms=facts["platform"]), n=written, coverage=facts["observed"])


@feature(
    title="share of records whose author is deleted",
    unit="fraction, 0 to 1",
    formula="records without a known author / records, beta-binomial shrinkage to the platform's mean",
    source="platforms' own marks; bounds what author features can know; limits as if the deleted wrote as much each as the others",
    block="behaviour",
    transform="logit",
    needs=Evidence(records=20),
    clustered=False,
)
def deleted_share(statistics: Statistics) -> pd.DataFrame:
    """Share of records whose author is deleted or unknown."""
    facts = statistics.communities
    records = facts["entries"].to_numpy(dtype=float)
    deleted = facts["deleted"].to_numpy(dtype=float)
    result = proportions(deleted, records, platforms=facts["platform"], clumps=clump(statistics, "records"))
    return columns(result, n=records, coverage=facts["observed"])


def _ascending(statistics: Statistics) -> tuple[npt.NDArray[np.intp], Floats, Floats, Floats]:
    """Sort authors by community and number of records: rows, records, position of each community's first author, authors."""
    rows, x = statistics.authors["row"].to_numpy(), statistics.authors["records"].to_numpy(dtype=float)
    order = np.lexsort((x, rows))
    people = totals(rows, np.ones(len(rows)), len(statistics.communities))
    return rows[order].astype(np.intp), x[order], np.cumsum(people) - people, people
