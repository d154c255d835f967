"""How people talk: the sample of words, told record by record, and the features made of it."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache

import numpy as np
import pandas as pd

from discovery.features.text import MENTION, NOT_PROSE, STOP_WORDS
from tests.oracle.entries import Activity, hashed, words
from tests.oracle.estimates import Z, estimate
from tests.oracle.people import Told

RECORDS, PER_RECORD, PER_AUTHOR, FLOOR, SHARE, DRAWN, ALPHA, VOCABULARY = 500, 50, 200, 50, 50, 42, 500, 50_000


def tokens(text: str) -> list[str]:
    """Give a record's words: letters and marks with inner apostrophes, lower case; no code, links, quotes and mentions."""
    own = re.sub(f"{NOT_PROSE}|{MENTION}", " ", text, flags=re.ASCII)
    own = unicodedata.normalize("NFC", own).replace("’", "'").lower()
    marked = "".join(letter if letter == "'" or unicodedata.category(letter)[0] in "LM" else " " for letter in own)
    return [
        part for chunk in marked.split() for part in re.sub("'{2,}", " ", chunk).strip("'").split() for part in [part.strip("'")] if part
    ]


def sample(entries: pd.DataFrame) -> Iterator[tuple[object, list[str]]]:
    """Yield author and words of the 500 records with the smallest hashes, capped by record and by author."""
    worded = entries[(entries["title"] != "") | (entries["text"] != "")]
    order = worded.assign(hash=[hashed(record) for record in worded["record_id"]]).sort_values(["hash", "record_id"]).head(RECORDS)
    said = [
        (row.record_id if pd.isna(row.author) else row.author, row.author, tokens(words(row.title, row.text))[:PER_RECORD])
        for row in order.itertuples()
    ]
    most = Counter[object]()
    for person, _, spoken in said:
        most[person] += len(spoken)
    cap = min(PER_AUTHOR, max(FLOOR, sum(min(total, PER_AUTHOR) for total in most.values()) // SHARE))
    used = Counter[object]()
    for person, author, spoken in said:
        yield author, spoken[: max(0, cap - used[person])]
        used[person] += len(spoken)


@cache
def samples(activity: Activity) -> dict[str, list[tuple[object, list[str]]]]:
    """Give the sample of each community."""
    return {community: list(sample(entries)) for community, entries in activity.groups.items()}


def lexical_diversity(activity: Activity) -> Told:
    """HD-D by exact binomials; its error by leaving out each token."""
    told = {}
    for community, said in samples(activity).items():
        counts = Counter(word for _, spoken in said for word in spoken)
        total = sum(counts.values())
        if total < DRAWN or activity.places.at[community, "language"] in {"zh", "ja", "th", "lo", "km"}:
            continue
        value = sum(drawn(f, total) for f in counts.values()) / DRAWN
        rest = sum(drawn(f, total - 1) for f in counts.values())
        without = {f: (rest - drawn(f, total - 1) + drawn(f - 1, total - 1)) / DRAWN for f in set(counts.values())}
        left_out = np.repeat([without[f] for f in counts.values()], list(counts.values()))
        error = left_out.std() * math.sqrt(total - 1)
        told[community] = estimate(value, max(value - Z * error, 0), min(value + Z * error, 1), n=total)
    return told


def drawn(frequency: int, total: int) -> float:
    """Give the chance that a word is among 42 drawn without putting back."""
    return 1 - math.comb(max(total - frequency, 0), DRAWN) / math.comb(total, DRAWN)


def vocabulary(activity: Activity) -> dict[str, Counter[str]]:
    """Give each community's counts of the run's terms."""
    said = samples(activity)
    users: dict[str, Counter[str]] = defaultdict(Counter)
    for community, spoken in said.items():
        for word, _ in {(word, author) for author, own in spoken for word in own if pd.notna(author)}:
            users[word][community] += 1
        for word in {word for _, own in spoken for word in own}:
            users[word][community] += 0
    able = {word: sum(at.values()) for word, at in users.items() if len(at) >= 2 or sum(at.values()) >= 5}
    able = {word: n for word, n in able.items() if 2 <= len(word) <= 40 and word not in STOP_WORDS}
    kept = set(sorted(able, key=lambda word: (-able[word], word))[:VOCABULARY])
    return {c: Counter(word for _, own in spoken for word in own if word in kept) for c, spoken in said.items()}


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
            scores = {word: math.log((f - 1 + ALPHA * other[word]) / (n - 1 + ALPHA) / other[word]) for word, f in own.items()}
            each = np.repeat([scores[word] for word in own], list(own.values()))
            value, error = each.mean(), each.std() / math.sqrt(n)
            told[member] = estimate(value, value - Z * error, value + Z * error, n=n)
    return told
