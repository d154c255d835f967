"""Kinds of need, in plain Python: who asks for the same, and what half of them call it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import pandas as pd

from discovery.features.phrases import Phrase, Unit, groups, runs
from discovery.features.text import stem

LEAST_PAIR, LEAST_WORD, LEAST_PUBLIC, SHARED, LEAST_ASKING = (2, 3), (3, 5), 2, 0.5, 0.2


class Vote(NamedTuple):
    """One author's request in one community."""

    row: int
    author: int
    phrase: Phrase


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
    told = [run.stems for run in runs(phrase) if groups(run, phrase)]
    return {stems for stems in told if len(stems) == 2 or stems[0] not in name}


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
