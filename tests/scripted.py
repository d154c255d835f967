"""A source that does what a test says, page by page: deliver, refuse, quarantine, break."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

from pydantic import Field, PrivateAttr

from discovery.sources import Policy, Source, Window
from storage.records import Batch, Coverage, Cursor, Rejected

Step = Callable[[], Batch]


class Scripted(Source):
    """Pages made by hand; its cursor counts them."""

    kind: ClassVar[str] = "scripted"
    policy: ClassVar[Policy] = Policy(quote_ok=True, llm_ok=False, licence="none")

    label: str = "one"
    steps: tuple[Any, ...] = Field((), exclude=True)
    shows: Coverage = "complete"
    doubt: str | None = None

    _visits: list[str] = PrivateAttr(default_factory=list)

    @classmethod
    def from_argument(cls, path: str, options: Mapping[str, Any]) -> Scripted:
        """Never named on a command line."""
        return cls(label=path, **options)

    @property
    def name(self) -> str:
        """Its label."""
        return f"scripted:{self.label}"

    @property
    def visits(self) -> list[str]:
        """Cursors from which it was read."""
        return self._visits

    def observed(self) -> Coverage:
        """What the test says."""
        return self.shows

    def unverified(self) -> str | None:
        """What the test says."""
        return self.doubt

    def batches(self, cursor: Cursor, *, window: Window) -> Iterator[Batch]:
        """Do one step a page; the last one is exhausted."""
        self._visits.append(cursor.position)
        if cursor.exhausted:
            return
        begin = int(cursor.position or 0)
        for number, step in enumerate(self.steps[begin:], begin + 1):
            yield step()._replace(cursor=Cursor(position=str(number), exhausted=number == len(self.steps)))


def breaks(error: BaseException) -> Step:
    """Break on this page."""

    def step() -> Batch:
        raise error

    return step


def rejects(count: int) -> Step:
    """Deliver nothing but malformed items."""
    items = [Rejected(position=f"line {number:06}", reason="not JSON", sha256=f"{number:064x}") for number in range(count)]
    return lambda: Batch([], Cursor(), count, quarantined=items)
