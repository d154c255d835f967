"""Evidence: the records a claim rests on, from different communities and threads, with short redacted quotes.

A quote is a contiguous span of the record's words around the phrase that made it evidence, after redaction; code checks
that it is one. Where a source's policy forbids quoting, the record and its link stand without words.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from typing import Any

import pandas as pd

from discovery.archetypes.redaction import Word, redact, words
from discovery.features import Measurement

PIECES = 6
MOST_WORDS = 25
MOST_CHARACTERS = 240
CANDIDATES = 4
"""Records per community and tier that are looked at; more would come from the same people."""
TIERS = ("T4", "T3", "SW", "T2", "T1", "W", "T0", "S", "N")
"""Money first, then what is asked for, then pain, then objections to paying; promotion is no evidence of a market."""

SENTENCE_ENDS = ".?!\n"

COLUMNS = ["group", "record_id", "tier", "community_id", "url", "quote", "sha256", "licence", "excerpt"]


def evidence(measurement: Measurement, groups: pd.Series, *, key: bytes) -> pd.DataFrame:
    """Choose up to six records for every group.

    Args:
        measurement: What the run measured; its mentions are the candidates.
        groups: Group of each community; -1 has no evidence of its own.
        key: Key of the hash by which a record's text can be recognised by its holder only.

    Returns:
        group, record_id, tier, community_id, url, quote, sha256, licence, excerpt; strongest tier first within a group. The
        quote is empty where the source forbids quoting; the excerpt is the same words for a language model, empty where the
        source forbids that.
    """
    candidates = _candidates(measurement, groups)
    chosen = [row for _, rows in candidates.groupby("group", sort=True) for row in _diverse(list(rows.itertuples(index=False)))]
    return pd.DataFrame([_piece(row, key) for row in chosen], columns=COLUMNS)


def _candidates(measurement: Measurement, groups: pd.Series) -> pd.DataFrame:
    """Rank the mentions of every group: quotable ones first, then the most voted, ties by record."""
    mentions = measurement.mentions
    table = mentions.assign(
        group=mentions["community"].map(groups).fillna(-1).astype(int),
        tier_rank=mentions["tier"].map({tier: rank for rank, tier in enumerate(TIERS)}),
        quote_ok=mentions["community"].map(measurement.communities["quote_ok"]).fillna(False).astype(bool),
        llm_ok=mentions["community"].map(measurement.communities["llm_ok"]).fillna(False).astype(bool),
        licence=mentions["community"].map(measurement.communities["licence"]).fillna(""),
        votes=pd.to_numeric(mentions["score"]).astype(float).fillna(0.0),
    )
    table = table[(table["group"] >= 0) & table["tier_rank"].notna()]
    table = table.sort_values(
        ["group", "tier_rank", "quote_ok", "votes", "record_id"], ascending=[True, True, False, False, True], kind="stable"
    )
    table = table.groupby(["group", "tier", "community"], sort=False).head(CANDIDATES)
    return table.assign(sentence=[_sentence_of(row) for row in table.itertuples(index=False)])


def _diverse(rows: list[Any]) -> list[Any]:
    """Pick in rounds, one per tier: first new communities and threads, then new threads; no record and no words twice."""
    chosen: list[Any] = []
    for fresh in (("community", "thread"), ("thread",)):
        for _ in range(PIECES):
            for tier in TIERS:
                row = next((row for row in rows if row.tier == tier and _is_new(row, chosen, fresh)), None)
                if row is not None and len(chosen) < PIECES:
                    chosen.append(row)
    return sorted(chosen, key=lambda row: (row.tier_rank, rows.index(row)))


def _is_new(row: Any, chosen: Iterable[Any], fresh: tuple[str, ...]) -> bool:
    """Tell whether a record shares neither itself nor any of some fields with those chosen; an unknown thread is shared with none."""
    return not any(
        other.record_id == row.record_id
        or other.sentence == row.sentence
        or any(pd.notna(getattr(row, name)) and getattr(row, name) == getattr(other, name) for name in fresh)
        for other in chosen
    )


def _sentence_of(row: Any) -> str:
    """Give the sentence that made a record evidence: what is pasted in many places is one piece of evidence."""
    text, start, end = row.text or "", int(row.span_start), int(row.span_end)
    before = max(text.rfind(mark, 0, start) for mark in SENTENCE_ENDS) + 1
    after = min((at for mark in SENTENCE_ENDS if (at := text.find(mark, end)) >= 0), default=len(text))
    return text[before:after].strip().casefold() or str(row.record_id)


def _piece(row: Any, key: bytes) -> tuple[object, ...]:
    text = row.text or ""
    said = quote(text, int(row.span_start), int(row.span_end))
    digest = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    return (
        row.group,
        row.record_id,
        row.tier,
        row.community,
        row.url,
        said if row.quote_ok else "",
        digest,
        row.licence,
        said if row.llm_ok else "",
    )


def quote(text: str, start: int, end: int) -> str:
    """Cut at most 25 words around ``text[start:end]``, redacted.

    Raises:
        ValueError: the cut is not a span of the redacted text; quoting it would put words into someone's mouth.
    """
    said = words(text)
    hit = [position for position, word in enumerate(said) if word.end > start and word.start < max(end, start + 1)]
    cut = " ".join(word.shown for word in _around(text, said, hit)) if hit else ""
    if not is_span(cut, text):
        raise ValueError(f"A quote of {len(cut)} characters is no span of its record: the words around {start}:{end} were cut wrongly.")
    return cut


def is_span(cut: str, text: str) -> bool:
    """Tell whether a quote is a run of whole words of the redacted text; nothing at all is one of any text."""
    return not cut or f" {cut} " in f" {redact(text)} "


def _around(text: str, said: list[Word], hit: list[int]) -> list[Word]:
    """Grow a hit to both sides in turn, inside its sentence, while 25 words and 240 characters allow it."""
    low = high = hit[0]
    while high <= hit[-1] and _fits(said[low : high + 1]):
        high += 1
    if low == high:
        return []
    floor, ceiling = _sentence(text, said, low, high)
    grown = True
    while grown:
        wider = low - 1 if low > floor and _fits(said[low - 1 : high]) else low
        taller = high + 1 if high < ceiling and _fits(said[wider : high + 1]) else high
        grown = (wider, taller) != (low, high)
        low, high = wider, taller
    return said[low:high]


def _sentence(text: str, said: list[Word], low: int, high: int) -> tuple[int, int]:
    """Find the bounds of the sentence around ``said[low:high]``: after a full stop or the like, or at a line break."""

    def ends(position: int) -> bool:
        word, following = said[position], said[position + 1]
        return word.shown.endswith((".", "?", "!", "…")) or "\n" in text[word.end : following.start]

    floor = next((position + 1 for position in range(low - 1, -1, -1) if ends(position)), 0)
    ceiling = next((position + 1 for position in range(high - 1, len(said) - 1) if ends(position)), len(said))
    return floor, ceiling


def _fits(run: list[Word]) -> bool:
    return len(run) <= MOST_WORDS and len(" ".join(word.shown for word in run)) <= MOST_CHARACTERS
