"""How people talk: the sample of words, told record by record, and the features made of it."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from discovery.features.text import MENTION, NOT_PROSE, STOP_WORDS
from tests.oracle.entries import MONTH, Activity, hashed, words
from tests.oracle.estimates import estimate
from tests.oracle.people import Told, by_author, months

RECORDS, PER_RECORD, PER_AUTHOR, FLOOR, SHARE, DRAWN, ALPHA, VOCABULARY = 500, 50, 200, 50, 50, 42, 500, 50_000


def tokens(text: str) -> list[str]:
    """Give a record's words: letters and marks with inner apostrophes, lower case; no code, links, quotes and mentions."""
    own = re.sub(f"{NOT_PROSE}|{MENTION}", " ", text, flags=re.ASCII)
    own = unicodedata.normalize("NFC", own).replace("’", "'").lower()
    marked = "".join(letter if letter == "'" or unicodedata.category(letter)[0] in "LM" else " " for letter in own)
    return [
        part for chunk in marked.split() for part in re.sub("'{2,}", " ", chunk).strip("'").split() for part in [part.strip("'")] if part
    ]


class Said(NamedTuple):
    """What of a sampled record counts."""

    record: str
    person: object
    """The author; a deleted one is somebody else each time."""
    author: object
    t: int
    said: list[str]
    """At most fifty words."""
    words: list[str]
    """Those of them that the author's cap leaves."""


def sample(entries: pd.DataFrame, *, now: int) -> Iterator[Said]:
    """Yield what counts of the 500 records with the smallest hashes (before the running month, if these are 500 or nine tenths), capped."""
    worded = entries[(entries["title"] != "") | (entries["text"] != "")]
    past = worded[worded["t"] < now // MONTH * MONTH]
    worded = past if len(past) >= min(RECORDS, 0.9 * len(worded)) else worded
    order = worded.assign(hash=[hashed(record) for record in worded["record_id"]]).sort_values(["hash", "record_id"]).head(RECORDS)
    said = []
    for row in order.itertuples():
        spoken = tokens(words(row.title, row.text))[:PER_RECORD]
        said.append(Said(row.record_id, row.record_id if pd.isna(row.author) else row.author, row.author, row.t, spoken, spoken))
    most = Counter[object]()
    for one in said:
        most[one.person] += len(one.words)
    cap = min(PER_AUTHOR, max(FLOOR, sum(min(total, PER_AUTHOR) for total in most.values()) // SHARE))
    used = Counter[object]()
    for one in said:
        yield one._replace(words=one.words[: max(0, cap - used[one.person])])
        used[one.person] += len(one.words)


@cache
def samples(activity: Activity) -> dict[str, list[Said]]:
    """Give the sample of each community."""
    return {c: list(sample(entries, now=int(activity.places.at[c, "now"]))) for c, entries in activity.groups.items()}


def varied(activity: Activity, measure: Callable[[list[str]], float], *, least: int, most: int | None = None) -> Told:
    """Measure the first sampled words; the interval by leaving out each of ten groups of authors, dealt in the order of the sample."""
    told = {}
    for community, said in samples(activity).items():
        total = sum(len(one.words) for one in said)
        if total < least or activity.places.at[community, "language"] in {"zh", "ja", "th", "lo", "km"}:
            continue
        turn = {person: number % 10 for number, person in enumerate(dict.fromkeys(one.person for one in said if one.words))}
        spoken = [(turn[one.person], word) for one in said for word in one.words][:most]
        left = [measure([word for of, word in spoken if of != group]) for group in set(turn.values())]
        value = measure([word for _, word in spoken])
        half = stats.t.ppf(0.95, len(left) - 1) * np.std(left) * math.sqrt(len(left) - 1)
        told[community] = estimate(value, value - half, value + half, n=len(spoken))
    return told


def lexical_diversity(activity: Activity) -> Told:
    """HD-D by exact binomials."""
    return varied(activity, lambda said: sum(drawn(f, len(said)) for f in Counter(said).values()) / DRAWN, least=200)


def mattr(activity: Activity) -> Told:
    """Different words of each window of 500, counted as it slides."""
    return varied(activity, _sliding, least=1_000, most=5_000)


def _sliding(said: list[str]) -> float:
    inside = Counter(said[:500])
    different = [len(inside)]
    for gone, come in zip(said, said[500:], strict=False):
        inside[come] += 1
        inside[gone] -= 1
        if not inside[gone]:
            del inside[gone]
        different.append(len(inside))
    return sum(different) / len(different) / 500


def mtld(activity: Activity) -> Told:
    """Words per factor, read forward and backward; its interval on the logarithm."""
    told = varied(activity, lambda said: math.log((_per_factor(said) + _per_factor(said[::-1])) / 2), least=200, most=5_000)
    return {c: {**row, **{name: math.exp(row[name]) for name in ("value", "low", "high")}} for c, row in told.items()}


def _per_factor(said: list[str]) -> float:
    factors, types, tokens = 0.0, set(), 0
    for word in said:
        types.add(word)
        tokens += 1
        if 100 * len(types) < 72 * tokens:
            factors, types, tokens = factors + 1, set(), 0
    return len(said) / (factors + ((1 - len(types) / tokens) / (1 - 0.72) if tokens else 0))


def crosspost_share(activity: Activity) -> Told:
    """Share of sampled texts of eight words that another record of another community says too."""
    rows = [(c, one.record, one.person, " ".join(one.said)) for c in samples(activity) for one in long_texts(activity, c)]
    where = defaultdict(set)
    for community, record, _, text in rows:
        where[text].add((community, record))
    tables = {}
    for community in {community for community, *_ in rows}:
        own = [(person, any(c != community and r != record for c, r in where[text])) for c, record, person, text in rows if c == community]
        tables[community] = pd.DataFrame(own, columns=["author", "hits"]).assign(trials=1).groupby("author").sum().astype(int)
    return {c: {**row, "n": tables[c]["trials"].sum()} for c, row in by_author(activity, tables).items()}


@cache
def long_texts(activity: Activity, community: str) -> list[Said]:
    """Give the sampled texts of eight words, which nobody says alike by chance."""
    return [one for one in samples(activity)[community] if len(one.words) >= 8]


def dynamicity(activity: Activity) -> Told:
    """Information of the month about the word, less its mean over twenty random deals of the authors; only complete communities."""
    told = {}
    for community, kept in monthly(activity).items():
        if len(kept) < 3 or activity.places.at[community, "language"] in {"zh", "ja", "th", "lo", "km"}:
            continue
        size = min(map(len, kept))
        spoken = [pair for month in kept for pair in month[:size]]
        chance = [_information(sorted(spoken, key=lambda pair: _mixed(pair[0] * 20 + deal)), size) for deal in range(20)]
        value = _information(spoken, size) - np.mean(chance)
        half = stats.t.ppf(0.95, 19) * np.std(chance, ddof=1) * math.sqrt(1 + 1 / 20)
        told[community] = estimate(value, value - half, value + half, n=len(spoken))
    return told


@cache
def monthly(activity: Activity) -> dict[str, list[list[tuple[int, str]]]]:
    """Give the covered months of 200 words: each word with its author's turn, of authors who count in that month."""
    told = {}
    for community, said in samples(activity).items():
        covered = set(months(activity, community)) if activity.places.at[community, "coverage"] == "complete" else set()
        seen = [(place, one, one.t // MONTH) for place, one in enumerate(said, 1) if one.words and one.t // MONTH in covered]
        turn: dict[object, tuple[int, int]] = {}
        for place, one, month in seen:
            turn.setdefault(one.person, (place, month))
        spoken: dict[int, list[tuple[int, str]]] = defaultdict(list)
        for _, one, month in sorted(seen, key=lambda known: (turn[known[1].person][0], known[0])):
            if turn[one.person][1] == month:
                spoken[month] += [(turn[one.person][0], word) for word in one.words]
        told[community] = [spoken[month] for month in sorted(spoken) if len(spoken[month]) >= 200]
    return told


def _information(spoken: list[tuple[int, str]], size: int) -> float:
    """Give the mean over months of the mean of ln P(w in the month) / P(w)."""
    words = [word for _, word in spoken]
    every = Counter(words)
    cut = [words[begin : begin + size] for begin in range(0, len(words), size)]
    counts = [Counter(part) for part in cut]
    return float(
        np.mean([math.log(own[word] / size * len(words) / every[word]) for part, own in zip(cut, counts, strict=True) for word in part])
    )


def _mixed(number: int) -> int:
    """Finalise as SplitMix64 does."""
    full = 2**64
    number = number * 0x9E3779B97F4A7C15 % full
    number = (number ^ number >> 30) * 0xBF58476D1CE4E5B9 % full
    number = (number ^ number >> 27) * 0x94D049BB133111EB % full
    return number ^ number >> 31


def drawn(frequency: int, total: int) -> float:
    """Give the chance that a word is among 42 drawn without putting back."""
    return 1 - math.comb(max(total - frequency, 0), DRAWN) / math.comb(total, DRAWN)


@cache
def vocabulary(activity: Activity) -> dict[str, Counter[str]]:
    """Give each community's counts of the run's terms."""
    said = samples(activity)
    users: dict[str, Counter[str]] = defaultdict(Counter)
    for community, spoken in said.items():
        for word, _ in {(word, one.author) for one in spoken for word in one.words if pd.notna(one.author)}:
            users[word][community] += 1
        for word in {word for one in spoken for word in one.words}:
            users[word][community] += 0
    able = {word: sum(at.values()) for word, at in users.items() if len(at) >= 2 or sum(at.values()) >= 5}
    able = {word: n for word, n in able.items() if 2 <= len(word) <= 40 and word not in STOP_WORDS}
    kept = set(sorted(able, key=lambda word: (-able[word], word))[:VOCABULARY])
    return {c: Counter(word for one in spoken for word in one.words if word in kept) for c, spoken in said.items()}


def specificity(activity: Activity) -> Told:
    """How much more a community uses its words than the others of its language."""
    told = {}
    counts, languages = vocabulary(activity), activity.places["language"]
    for language in languages.dropna().unique():
        members = languages.index[languages == language]
        if len(members) < 2 or language in {"zh", "ja", "th", "lo", "km"}:
            continue
        everyone = Counter[str]()
        for member in members:
            everyone.update(counts[member])
        size = sum(everyone.values())
        for member in members:
            own, n = counts[member], sum(counts[member].values())
            if not n:
                continue
            other = {word: (everyone[word] - f + 1) / (size - n + len(everyone)) for word, f in own.items()}
            value, left = _own(own, other), [_own(own - part, other) for part in _parts(samples(activity)[member], own)]
            if len(left) > 1:  # one group of authors tells nothing of how authors differ
                half = stats.t.ppf(0.95, len(left) - 1) * np.std(left) * math.sqrt(len(left) - 1)
                told[member] = estimate(value, value - half, value + half, n=n)
    return told


def _own(own: Counter[str], other: dict[str, float]) -> float:
    """Give the mean over tokens of how much more a word is said than elsewhere, its own occurrence left out."""
    n = sum(own.values())
    return sum(f * math.log((f - 1 + ALPHA * other[word]) / (n - 1 + ALPHA) / other[word]) for word, f in own.items()) / n


def _parts(said: list[Said], own: Counter[str]) -> list[Counter[str]]:
    """Give what each of ten groups of authors says of these words, where it says any and the others do too."""
    turn = {person: number % 10 for number, person in enumerate(dict.fromkeys(one.person for one in said if one.words))}
    parts = [Counter(w for one in said if turn.get(one.person) == group for w in one.words if w in own) for group in range(10)]
    return [part for part in parts if 0 < sum(part.values()) < sum(own.values())]
