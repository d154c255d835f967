"""The values that cross borders: a record as a source reads it, a batch with its cursor, an estimate with its interval.

Everything a platform says is turned into these words once, in its source's file; from there on nothing knows Reddit, Discord or Discourse.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from storage.harmless import harmless

Coverage = Literal["complete", "listing", "unknown"]
"""What a source shows of a community: every record of the span, a selected listing of it, or we cannot tell."""


def _storable(text: str) -> str:
    """Refuse what no database can hold as text: lone surrogates and NUL."""
    if "\x00" in text:
        raise ValueError("the text holds a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"the text holds bytes that are not UTF-8, or a lone surrogate, at position {error.start}") from None
    return text


Text = Annotated[str, AfterValidator(_storable)]
Line = Annotated[Text, AfterValidator(harmless)]
"""What a community says of itself, made harmless: it is shown everywhere."""
Identifier = Annotated[str, Field(min_length=1, max_length=512), AfterValidator(_storable)]
CommunityKey = Annotated[str, Field(pattern=r"^[a-z0-9_]+:[^\s\x00-\x1f]+$", max_length=512)]
Count = Annotated[int, Field(ge=-(2**62), le=2**62)]
Instant = Annotated[int, Field(ge=0, lt=2**33)]
"""Seconds since 1970-01-01 UTC."""


class Value(BaseModel):
    """A frozen value that refuses what it does not know."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Record(Value):
    """One post or reply, in our words. Only here, between a source and the store, does it carry the author's name."""

    id: Identifier
    """Unique over all platforms and stable over imports, for example ``reddit:t3_1n6ulkc``."""
    communities: tuple[CommunityKey, ...] = Field(min_length=1)
    """Keys ``platform:instance/id``; a Stack Exchange question with five tags has five."""
    kind: Literal["post", "reply"]
    author: Text | None
    """The platform's stable id of the author, else the name; None where deleted, removed or not shown."""
    author_name: Text | None = None
    """The name that other texts call the author by, where ``author`` is an id: its mentions are replaced, nothing else."""
    created_at: Instant
    text: Text = ""
    """Body as plain text (no HTML), without the title."""
    title: Text = ""
    thread: Identifier | None = None
    """Id of the record that opened the thread (a post's own id); None where the platform has no threads, as in chat."""
    parent: Identifier | None = None
    """Id of the record this one answers."""
    score: Count | None = None
    """Votes or reactions as last seen; None where not shown (never 0 for unknown)."""
    replies: Count | None = None
    """Replies the platform counts on this record, where it says so; may exceed the replies stored."""
    accepted: bool | None = None
    """A post: has an accepted answer. A reply: is the accepted answer. None where the platform has no such mark."""
    bot: bool = False
    """An account the platform, its name or its role marks as a program."""
    url: Text | None = None
    """Canonical https link of this record, built by the source from ids, never copied from hostile text."""
    domain: Text | None = None
    """Host that a link post points to, lower case, where it is not the platform itself."""
    retrieved_at: Instant | None = None
    """When this version was read; the latest version wins."""


class Community(Value):
    """What a source says of a community itself. Every field but the key may be unknown."""

    key: CommunityKey
    name: Line
    url: Text | None = None
    description: Line = ""
    members: Count | None = None
    sensitive: bool = False
    """Marked over-18, quarantined or the like by its platform: counted, never scored."""
    retrieved_at: Instant | None = None


class Rejected(Value):
    """An item that could not become a record: where it stood, why, and a hash of its bytes, never the bytes."""

    position: str
    reason: str
    sha256: str


class Cursor(Value):
    """Where a source resumes. ``position`` is the source's own word for it; empty means from the beginning."""

    position: str = ""
    exhausted: bool = False
    """Nothing is left to read in this run."""


class Batch(NamedTuple):
    """A page: its records and the cursor that resumes after it, stored in one transaction.

    ``fetched`` counts the items that were read, independently of what became of them, and must equal
    ``len(records) + len(quarantined) + refused``.
    """

    records: list[Record]
    cursor: Cursor
    fetched: int
    communities: Sequence[Community] = ()
    quarantined: Sequence[Rejected] = ()
    refused: int = 0


class Tally(NamedTuple):
    """What became of the items of a batch or a source: ``fetched == stored + unchanged + quarantined + refused``."""

    fetched: int = 0
    stored: int = 0
    unchanged: int = 0
    quarantined: int = 0
    refused: int = 0

    def balanced(self) -> bool:
        """Tell whether every fetched item is accounted for."""
        return self.fetched == self.stored + self.unchanged + self.quarantined + self.refused


class Estimate(NamedTuple):
    """A feature's value with its 90 % interval. A value is NaN exactly where a reason says why it is missing."""

    value: float
    low: float
    high: float
    n: int
    """Independent units (authors, threads, months) behind the value."""
    coverage: float
    """Share of the evidence the formula asks for that was observed, 0 to 1."""
    missing_reason: str | None = None

    @classmethod
    def missing(cls, reason: str, *, n: int = 0, coverage: float = 0.0) -> Estimate:
        """Build the estimate of something that cannot be measured here, with the reason."""
        return cls(math.nan, math.nan, math.nan, n, coverage, reason)
