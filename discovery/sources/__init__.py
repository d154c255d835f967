"""Sources: one file per platform or file kind; the framework knows none of them by name.

A source is a frozen pydantic model whose fields are its settings. It turns the platform's words into
:class:`storage.records.Record` in one place and yields batches, each with the cursor that resumes after it. To add a
source, add one file here with one :class:`Source` subclass; its ``kind`` is found by :func:`load`.
"""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, NamedTuple
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, ValidationError

from storage.records import Batch, Coverage, Cursor


class SourceError(RuntimeError):
    """A source cannot be read or go on: the fact, the number and the remedy. The run goes on with the others."""


class UnknownSourceError(ValueError):
    """A ``KIND:PATH`` or a configured source that names no source we have, or settings it does not know."""


class Policy(NamedTuple):
    """What a source's terms allow."""

    quote_ok: bool
    """Short redacted quotes may stand in a private report."""
    llm_ok: bool
    """Excerpts may be sent to a configured language model."""
    licence: str
    """Licence or terms the text stands under, one line."""


class Window(NamedTuple):
    """``[since, until)``, seconds UTC. Records outside are refused and counted."""

    since: int
    until: int

    def __contains__(self, instant: object) -> bool:
        """Tell whether an instant lies in the window."""
        return isinstance(instant, int) and self.since <= instant < self.until


EVER = Window(0, 2**33)


class Source(BaseModel, ABC):
    """Something communities can be read from. Subclasses set the class variables and implement ``batches``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ClassVar[str]
    """The word in ``--source KIND:PATH`` and in ``config.yaml``."""
    live: ClassVar[bool] = False
    """Reads a platform over the network; files are not live."""
    invented: ClassVar[bool] = False
    """Its communities do not exist: every report says so, and no real run is ever compared with them."""
    policy: ClassVar[Policy]
    coverage: ClassVar[Coverage] = "complete"
    """What it shows of a community; a source that can tell better overrides :meth:`observed`."""

    @classmethod
    @abstractmethod
    def from_argument(cls, path: str, options: Mapping[str, Any]) -> Source:
        """Build the source from ``KIND:PATH?option=value``."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Name that stands for this source in tables and reports, stable over runs; holds no secret."""

    def observed(self) -> Coverage:
        """Tell what this source shows of a community."""
        return self.coverage

    def unverified(self) -> str | None:
        """Tell, after reading, why completeness could not be checked (no checksum, no count); None if it was."""
        return None

    def lookback(self) -> int | None:
        """Tell how many days back a first visit reads; None where everything there is is read, as in a file."""
        return None

    def requests(self) -> int:
        """Count the requests sent so far."""
        return 0

    @abstractmethod
    def batches(self, cursor: Cursor, *, window: Window) -> Iterator[Batch]:
        """Yield pages in the source's order, beginning after ``cursor``; the last page's cursor is exhausted.

        Raises:
            SourceError: the source is missing, damaged, refuses us or broke its contract.
        """


def find(kind: str) -> type[Source]:
    """Find the source of a kind: it stands in the module of that name, and no other module is imported for it.

    Raises:
        UnknownSourceError: there is no such kind.
    """
    modules = {module.name for module in pkgutil.iter_modules(__path__)}
    for member in vars(importlib.import_module(f"{__name__}.{kind}")).values() if kind in modules else ():
        if isinstance(member, type) and issubclass(member, Source) and getattr(member, "kind", None) == kind:
            return member
    known = ", ".join(sorted(kinds()))
    raise UnknownSourceError(
        f"`{kind}` is no kind of source; the kinds are {known}. Use --source KIND:PATH, or `kind` and `path` in config.yaml."
    )


def kinds() -> dict[str, type[Source]]:
    """Import every module of this package and find every source by its ``kind``."""
    found: dict[str, type[Source]] = {}
    for module in pkgutil.iter_modules(__path__):
        for member in vars(importlib.import_module(f"{__name__}.{module.name}")).values():
            if isinstance(member, type) and issubclass(member, Source) and hasattr(member, "kind"):
                found[member.kind] = member
    return dict(sorted(found.items()))


def load(argument: str, *, credentials: Mapping[str, Mapping[str, Any]]) -> Source:
    """Build a source from ``KIND:PATH?option=value&...`` and the credentials configured for its kind.

    Raises:
        UnknownSourceError: no such kind, or an option the kind does not have.
    """
    kind, _, rest = argument.partition(":")
    path, _, query = rest.partition("?")
    return configured(find(kind), path, {**dict(parse_qsl(query, keep_blank_values=True)), **credentials.get(kind, {})})


def configured(source: type[Source], path: str, options: Mapping[str, Any]) -> Source:
    """Build a source of a known kind, turning what pydantic says into one line.

    Raises:
        UnknownSourceError: a setting the kind does not have, or a value it cannot take.
    """
    try:
        return source.from_argument(path, options)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'value'}: {fault['msg']}" for fault in error.errors())
        settings = ", ".join(field.alias or name for name, field in source.model_fields.items())
        raise UnknownSourceError(f"{source.kind} source `{path}`: {faults}. Its settings are {settings}.") from None
