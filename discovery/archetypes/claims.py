"""Claims: what a language model wrote, checked against what it was given. The reply is data from a stranger."""

from __future__ import annotations

import re
import unicodedata

from pydantic import BaseModel, ConfigDict, Field

from discovery.archetypes.redaction import redact
from discovery.archetypes.template import LONGEST_NAME, LONGEST_SUMMARY, Facts
from storage.harmless import visible

LONGEST_ECHO = 7
"""Longest run of words that a label may share with any excerpt."""

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_NUMBER_WORD = re.compile(
    r"\b(?:hundreds?|thousands?|millions?|billions?|dozens?|doubled?|tripled?|twice|per ?cent|percent)\b", re.IGNORECASE
)
_MARKUP = re.compile(r"[<>`*_#|\\{}\[\]]|://|\bwww\.|\w\.[^\W\d_]{2,}|&\w+;|^[=+@-]", re.IGNORECASE | re.MULTILINE)
"""Signs that mark something up, whatever looks like an address, and what opens a formula."""
_VERDICT = re.compile(
    r"\b(?:rank\w*|scor(?:e|es|ed|ing)|verdict\w*|pursue\w*|invest\w*|guarante\w*|ignore\w*|instruct\w*|prompt\w*|system|assistant)\b",
    re.IGNORECASE,
)
_CUT = re.compile(r"\b(?:part|half|side|end|segment|more|less)\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]{3,}")


class Reply(BaseModel):
    """The closed schema a model fills: nothing else is read from it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str = Field(min_length=3, max_length=LONGEST_NAME)
    summary: str = Field(min_length=10, max_length=LONGEST_SUMMARY)
    evidence: list[str] = Field(max_length=20, description="Ids of the excerpts that the label rests on.")


def unsupported(reply: Reply, facts: Facts, lines: str) -> str | None:
    """Tell why a reply may not be shown, None where it may.

    Args:
        reply: A reply that fits the schema.
        facts: What is known about the group; its excerpts have the ids e1, e2 and so on.
        lines: The facts as the model read them, without the excerpts: the only numbers it may use.
    """
    text = f"{reply.name}\n{reply.summary}"
    checks = {
        "evidence that was not supplied": not set(reply.evidence) <= {f"e{number}" for number in range(1, len(facts.excerpts) + 1)},
        "characters that no eye sees, or more than one line": text != visible(text) or not (reply.name + reply.summary).isprintable(),
        "markup or a link": bool(_MARKUP.search(text)),
        "what could lead to a person": redact(text) != " ".join(text.split()),
        "a number that is not in the facts": bool(_numbers(text) - _numbers(lines)) or bool(_spelled(text) - _spelled(lines)),
        "a judgement that is not a label's to make": bool(_VERDICT.search(text)),
        "a name that shares no word with the facts": not _words(reply.name) & _words(lines),
        "a kind where there is only a cut": facts.cut and facts.entity == "archetype" and not _CUT.search(reply.name),
        "somebody's own sentence": any(_echoes(text, excerpt) for excerpt in facts.excerpts),
    }
    return next((reason for reason, holds in checks.items() if holds), None)


def _numbers(text: str) -> set[str]:
    """Collect the numbers of a text in one spelling, whatever the script of their digits."""
    plain = unicodedata.normalize("NFKC", text)
    digits = "".join(str(unicodedata.decimal(char)) if char.isdecimal() else char for char in plain)
    others = {char for char in plain if char.isnumeric() and not char.isdecimal()}
    return {number.replace(",", "") for number in _NUMBER.findall(digits)} | others


def _spelled(text: str) -> set[str]:
    return {match.casefold() for match in _NUMBER_WORD.findall(text)}


def _words(text: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(text)}


def _echoes(text: str, excerpt: str) -> bool:
    """Tell whether more than seven words in a row are the excerpt's."""
    said, heard = (re.findall(r"\w+", part.casefold()) for part in (text, excerpt))
    length = LONGEST_ECHO + 1
    runs = {tuple(heard[at : at + length]) for at in range(len(heard) - length + 1)}
    return any(tuple(said[at : at + length]) in runs for at in range(len(said) - length + 1))
