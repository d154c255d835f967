"""What is asked for: the object of a request, and the runs of words that it may be grouped and called by. Strings in, values out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from discovery.features.text import REMEMBERED, Sentences, content_words, prose, stem

Unit = tuple[str, ...]
"""Stems that make a kind of need, in the order of the alphabet."""
MOST_WORDS = 8
"""Words of a name."""
MOST_READ = 24
"""Words of a request that are read."""
_ASKED = (
    r"(?:looking|searching|hunting) for\b",
    r"(?:is|are) there (?:a|an|any|some)\b",
    r"(?:need|want) something (?:that|which|to)\b",
    r"need (?:a|an|some)\b",
    r"(?:recommend|suggest)\w*(?: (?:for|on|me))?\b",
    r"use (?:for|to)\b",
    r"wish (?:there (?:was|were)|someone \w+|somebody \w+)\b",
    r"why (?:isn't|is) there no\b",
    r"any(?:one|body)\b[^.?!\n]{0,20}\b(?:know|use|have)\b(?: of)?",
    r"what(?:'s| is| are) the best\b",
)
_OBJECT = re.compile(r"\b(?:" + "|".join(_ASKED) + r")(?P<object>[^.?!\n]{3,120})", re.ASCII | re.IGNORECASE)
_TIME = r"(?:(?:every|each|a|per|this|last|all|the|of|my) )*(?:day|week|month|year|season|time|morning|evening|night|weekend)s?"
_ENDURED = re.compile(
    rf"[\s,]*(?:{_TIME} )*(?:(?:of|with|by|about|over|on|to|how|when|having)\b\s*(?P<named>.+)|(?P<doing>\w+ing\b.*))",
    re.ASCII | re.IGNORECASE | re.DOTALL,
)
"""What stands after the words of a pain: "tired of …", "spend hours every week on …", "wasted days checking …"."""
_HATED = re.compile(r"\bhate \w+$", re.ASCII | re.IGNORECASE)
_QUALITY = re.compile(r"(?:tedious|painful|clunky|frustrating|nightmare|pain|hassle)$", re.ASCII | re.IGNORECASE)
_SUFFERED = re.compile(
    r"(?P<object>.{3,120}?)\s+(?:is|are|was|were|gets?|remains?|feels?)\s+(?:(?:so|such|a|an|very|really|too|super|just|still|pretty|quite)\s+)*$",
    re.ASCII | re.IGNORECASE | re.DOTALL,
)
"""What stands before them: "… is so tedious"."""
_CLAUSE = re.compile(
    r"[,;:()\[\]?!]|\b(?:because|but|since|so (?:i|we|that)|and (?:i|we|it|my)|if|when|as (?:i|we))\b|\s-\s", re.IGNORECASE
)
_DOING = {"to", "that", "which", "who", "can", "will", "for"}
"""Words after which a request says what is done, no longer with what."""
_OPEN = {"that", "which", "who"}
"""Words after which nothing may end: "professors who teach" lacks what."""
_WORD = re.compile(r"[^\W_]{1,30}(?:[-'][^\W_]{1,20}){0,2}")


class Phrase(NamedTuple):
    """What a record asks for or suffers from, in its author's words, lower case."""

    record: int
    said: tuple[str, ...]
    asked: bool
    """The object of a request, else of a complaint."""

    @property
    def words(self) -> tuple[str, ...]:
        """The content words, in order."""
        return tuple(word for word in self.said if _tells(word))


class Run(NamedTuple):
    """Some words of a phrase in a row, with content at both ends."""

    stems: Unit
    words: str
    way: str
    """``to`` where they say what is done ("to label jars"), ``for`` where they name the doing ("for labelling jars"), else empty."""


def needed(text: str, *, record: int, start: int, end: int) -> Phrase | None:
    """Extract what the sentence around ``[start, end)`` asks for, else what it complains of; None where it names nothing."""
    own = prose(text)
    begin, finish = Sentences(own).bounds(start)
    sentence = own[begin:finish].replace("’", "'")
    asked = _OBJECT.search(sentence, max(start - begin - 1, 0)) or _OBJECT.search(sentence)
    if asked and (phrase := _phrase(record, asked["object"], asked=True)):
        return phrase
    complained = _complaint(sentence[: start - begin], hit=sentence[start - begin : end - begin], behind=sentence[end - begin :])
    return _phrase(record, complained, asked=False)


def _complaint(before: str, *, hit: str, behind: str) -> str:
    """Find what a complaint is about, by how it is worded: before words like "is tedious", after words like "tired of"."""
    suffered = _SUFFERED.search(_CLAUSE.split(before)[-1]) if _QUALITY.search(hit) else None
    if suffered:
        return str(suffered["object"])
    if _HATED.search(hit):
        return behind
    endured = _ENDURED.match(behind)
    return str(endured["named"] or endured["doing"]) if endured else ""


def _phrase(record: int, told: str, *, asked: bool) -> Phrase | None:
    """Cut an object to its clause; None where no content is left."""
    said = tuple(_WORD.findall(_CLAUSE.split(told.lstrip(" ,:"), maxsplit=1)[0].lower()))[:MOST_READ]
    return Phrase(record, said, asked) if any(map(_tells, said)) else None


@lru_cache(maxsize=REMEMBERED)
def _tells(word: str) -> bool:
    return any(content_words(word))


def runs(phrase: Phrase) -> Iterator[Run]:
    """List the runs of at most eight words that a need could be called by; of a complaint those that begin where its object does."""
    places = [place for place, word in enumerate(phrase.said) if _tells(word)]
    stems = [stem(word) if _tells(word) else "" for word in phrase.said]
    for first in places if phrase.asked else places[:1]:
        before = phrase.said[first - 1] if first else ""
        doing = phrase.said[first].endswith("ing") and (before in {"for", "of", "with", "by", "on"} or not phrase.asked)
        for last in places:
            trails = first < last and (phrase.said[last - 1] in _OPEN or (phrase.said[last - 1] == "to" and before != "to" and not doing))
            if first <= last < first + MOST_WORDS and not trails:
                said = slice(first, last + 1)
                unit = tuple(sorted(set(filter(None, stems[said]))))
                yield Run(unit, " ".join(phrase.said[said]), "to" if before == "to" else "for" if doing else "")


def alone(phrase: Phrase) -> str:
    """Give what a request has in common with those that say exactly the same: its stems, sorted."""
    return " ".join(sorted(map(stem, phrase.words)))


def groups(run: Run, phrase: Phrase) -> bool:
    """Tell whether a run may make its request one of a kind: two content words side by side, or the thing asked for."""
    return len(run.stems) == 2 or (len(run.stems) == 1 and run.stems[0] == stem(_thing(phrase)))


def _thing(phrase: Phrase) -> str:
    """Find the thing that is asked for: the last word of the first noun, as in "a *charting library* for maps"; else nothing."""
    places = [place for place, word in enumerate(phrase.said) if _tells(word)]
    last = next((place for place in places if place + 1 not in places), 0)
    way = phrase.said[last + 1 : last + 2] in {("way",), ("ways",)}
    return phrase.said[last] if phrase.asked and not way and _DOING.isdisjoint(phrase.said[: places[0]]) else ""
