"""What is asked for: the object of a request, and requests that mean the same put together. Strings in, a frame out.

Two requests are the same kind of need where they hold the same two content words side by side, whatever their endings. A kind
is called by the longest run of words that half of its people share, so that a reader sees what they said and never what only
one of them said.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

import pandas as pd

from discovery.features.text import REMEMBERED, Sentences, content_words, prose, stem

Unit = tuple[str, ...]
"""Stems that make a kind of need, in the order of the alphabet."""
MOST_WORDS = 8
"""Words of a name."""
MOST_READ = 24
"""Words of a request that are read."""
LEAST_PAIR, LEAST_WORD = (2, 3), (3, 5)
"""Distinct authors in a community, and in the whole run, of whom either makes two words, or one word, a kind of need."""
LEAST_PUBLIC = 2
"""Distinct authors who must have said a need in nearly the words it is called by."""
SHARED = 0.5
"""Share of a kind's authors who must have said all that its name says."""
LEAST_ASKING = 0.2
"""Share of a kind's authors from which it is a wish; below, it is a complaint, and what is wanted is relief."""

_ASKED = (
    r"\b(?:looking|searching|hunting) for\b",
    r"\b(?:is|are) there (?:a|an|any|some)\b",
    r"\b(?:need|want) something (?:that|which|to)\b",
    r"\bneed (?:a|an|some)\b",
    r"\b(?:recommend|suggest)\w*(?: (?:for|on|me))?\b",
    r"\buse (?:for|to)\b",
    r"\bwish (?:there (?:was|were)|someone \w+|somebody \w+)\b",
    r"\bwhy (?:isn't|is) there no\b",
    r"\bany(?:one|body)\b[^.?!\n]{0,20}\b(?:know|use|have)\b(?: of)?",
    r"\bwhat(?:'s| is| are) the best\b",
)
_OBJECT = re.compile(r"(?:" + "|".join(_ASKED) + r")(?P<object>[^.?!\n]{3,120})", re.ASCII | re.IGNORECASE)
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


class Vote(NamedTuple):
    """One author's request in one community."""

    row: int
    author: int
    phrase: Phrase


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


def grouped(votes: Iterable[Vote], *, names: Mapping[int, str]) -> pd.DataFrame:
    """Group requests that share two content words side by side, else one word that many of a community ask for; else alone.

    A kind of need has the same name wherever it shows: the longest run of words that half of its people said.

    Args:
        votes: Who asks for what, where.
        names: Name of each row's community: what everyone there talks about is no need by itself.

    Returns:
        row, kind (a number), need (its name, empty where people share too few words for one), voter: one row per person and
        kind, sorted. The voter's number tells people of one kind apart in any union of communities, and says nothing across kinds.
    """
    everyone = sorted(set(votes))
    found = {vote: _units(vote.phrase, names.get(vote.row, "")) for vote in everyone}
    anywhere, here = defaultdict[Unit, set[int]](set), defaultdict[tuple[int, Unit], set[int]](set)
    for vote, units in found.items():
        for unit in units:
            anywhere[unit].add(vote.author)
            here[vote.row, unit].add(vote.author)
    members = defaultdict[Unit, list[Vote]](list)
    alone: list[Vote] = []
    for vote, units in found.items():
        chosen = _best(vote.row, units, here=here, anywhere=anywhere)
        (members[chosen] if chosen else alone).append(vote)
    kinds = defaultdict[str, list[Vote]](list)
    for unit, group in members.items():
        kinds[_name(unit, group) or " ".join(("", *unit))].extend(group)
    for vote in alone:
        kinds[f"  {vote.row} {' '.join(sorted(map(stem, vote.phrase.words)))}"].append(vote)
    return _frame(kinds)


def _frame(kinds: Mapping[str, list[Vote]]) -> pd.DataFrame:
    """Number kinds by name and the people of each by their first record; a name that begins with a space is none."""
    rows = []
    for kind, name in enumerate(sorted(kinds)):
        numbers: dict[int, int] = {}
        for vote in sorted(kinds[name], key=lambda vote: vote.phrase.record):
            voter = numbers.setdefault(vote.author, len(numbers))
            rows.append((vote.row, kind, "" if name.startswith(" ") else name, voter))
    frame = pd.DataFrame(sorted(set(rows)), columns=["row", "kind", "need", "voter"])
    return frame.astype({"row": "int64", "kind": "int64", "need": object, "voter": "int64"})


def _units(phrase: Phrase, name: str) -> set[Unit]:
    """List what a request may be grouped by: neighbouring content words, and the thing asked for."""
    told = [run.stems for run in runs(phrase) if len(run.stems) <= 2]
    thing = (stem(_thing(phrase)),)
    return {stems for stems in told if len(stems) == 2 or (stems == thing and thing[0] not in name)}


def _thing(phrase: Phrase) -> str:
    """Find the thing that is asked for: the last word of the first noun, as in "a *charting library* for maps"; else nothing."""
    places = [place for place, word in enumerate(phrase.said) if _tells(word)]
    last = next((place for place in places if place + 1 not in places), 0)
    way = phrase.said[last + 1 : last + 2] in {("way",), ("ways",)}
    return phrase.said[last] if phrase.asked and not way and _DOING.isdisjoint(phrase.said[: places[0]]) else ""


def _best(row: int, units: set[Unit], *, here: Mapping[tuple[int, Unit], set[int]], anywhere: Mapping[Unit, set[int]]) -> Unit | None:
    """Choose the pair that most people of the community share, else of the run, else the word; ties by the run, then the alphabet."""
    for size, (least, anyway) in ((2, LEAST_PAIR), (1, LEAST_WORD)):
        shared = [unit for unit in units if len(unit) == size and (len(here[row, unit]) >= least or len(anywhere[unit]) >= anyway)]
        if shared:
            return min(shared, key=lambda unit: (-len(here[row, unit]), -len(anywhere[unit]), unit))
    return None


def _name(unit: Unit, group: list[Vote]) -> str:
    """Call a kind by the longest run of words around its own that half of its people said; empty where fewer than two did."""
    said = defaultdict[Unit, dict[tuple[str, str], set[int]]](lambda: defaultdict(set))
    for vote in group:
        for run in runs(vote.phrase):
            if set(unit) <= set(run.stems):
                said[run.stems][run.words, run.way].add(vote.author)
    people = {stems: set().union(*wordings.values()) for stems, wordings in said.items()}
    least = max(LEAST_PUBLIC, SHARED * len({vote.author for vote in group}))
    enough = [stems for stems, authors in people.items() if len(authors) >= least]
    if not enough:
        return ""
    chosen = min(enough, key=lambda stems: (-len(stems), -len(people[stems]), stems))
    asking = len({vote.author for vote in group if vote.phrase.asked})
    return _worded(said[chosen], complaint=asking < max(LEAST_PUBLIC, LEAST_ASKING * len({vote.author for vote in group})))


def _worded(wordings: Mapping[tuple[str, str], set[int]], *, complaint: bool) -> str:
    """Say what is wanted: the commonest wording, as a way to do it where people say what they want to do."""
    voices = {way: len(set().union(*(who for (_, of), who in wordings.items() if of == way))) for way in ("to", "for", "")}
    doing = voices["to"] + voices["for"] >= voices[""]
    way = ("to" if voices["to"] else "for") if doing else ""
    words = min((words for words, of in wordings if of == way), key=lambda words: (-len(wordings[words, way]), len(words), words))
    if complaint and way != "to":
        return f"relief from {words}"
    return {"to": f"a way to {words}", "for": f"something for {words}", "": words}[way]
