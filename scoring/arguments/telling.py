"""Telling: claims become sentences, so that no two entities of a ranking end with one template that differs in its figures only.

In flow, for every entity in the order of rank, its claims, the strongest first, each in several wordings. Out flows one
sentence per entity: its strongest claim, and the next one beside it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations, product
from typing import NamedTuple

USUAL = 2
"""Claims in a sentence; more only where two entities would share a template."""
MOST = 3


class Wording(NamedTuple):
    """A clause without its full stop, and what it shares with clauses that differ in figures and names only."""

    text: str
    template: str
    form: str
    """How it is put, whatever it speaks of."""


class Claim(NamedTuple):
    """An argument and its strength, roughly the share of the score that is at stake."""

    strength: float
    wordings: tuple[Wording, ...]


def worded(about: str, forms: Sequence[str], **known: object) -> tuple[Wording, ...]:
    """Fill every form of a clause; ``about`` tells forms apart that look alike and speak of different things."""
    return tuple(Wording(form.format(**known), f"{about}: {form}", form) for form in forms)


def told(claims: Mapping[str, Sequence[Claim]], *, joint: str) -> dict[str, str]:
    """Write one sentence per entity, each from another template as long as there are any, and with the freshest wordings."""
    spent: Counter[str] = Counter()
    taken: set[tuple[str, ...]] = set()
    said = {}
    for entity, own in claims.items():
        chosen = _chosen(own, taken=taken, spent=spent)
        taken.add(_template(chosen))
        spent.update(part for wording in chosen for part in (wording.template, wording.form))
        text = joint.join(wording.text for wording in chosen)
        said[entity] = f"{text[:1].upper()}{text[1:]}." if text else ""
    return said


def _chosen(claims: Sequence[Claim], *, taken: set[tuple[str, ...]], spent: Counter[str]) -> tuple[Wording, ...]:
    """Take the best choice of claims that has an unused template, in its freshest wordings; the strongest claim always leads."""
    usual = tuple(claim.wordings for claim in claims[:USUAL])
    for size in range(min(USUAL, len(claims)), min(MOST, len(claims)) + 1):
        for rest in combinations(claims[1:], max(size - 1, 0)):
            options = product(*(claim.wordings for claim in (*claims[:1], *rest)))
            fresh = [option for option in options if _template(option) not in taken]
            if fresh:
                return min(fresh, key=lambda option: _worn(option, spent))
    return min(product(*usual), key=lambda option: _worn(option, spent))


def _template(option: Sequence[Wording]) -> tuple[str, ...]:
    return tuple(wording.template for wording in option)


def _worn(option: Sequence[Wording], spent: Counter[str]) -> tuple[int, int]:
    """Tell how often an option's clauses, and their forms, were used before; the same form twice in one sentence counts as used."""
    forms = [wording.form for wording in option]
    return sum(spent[wording.template] for wording in option) + len(forms) - len(set(forms)), sum(spent[form] for form in forms)
