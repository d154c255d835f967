"""Exports of DiscordChatExporter, JSON and CSV: messages of channels go in; each channel (or the server) is a community.

Discord's terms keep the text on this machine: it is neither quoted nor sent anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import PurePosixPath
from typing import ClassVar, Literal, NamedTuple
from zoneinfo import available_timezones

from pydantic import Field, PrivateAttr, field_validator

from discovery.sources import Policy, SourceError, Window, discord_csv, discord_json
from discovery.sources.archives import Member
from discovery.sources.files import FileSource, Item
from discovery.sources.items import MalformedItemError
from discovery.sources.labels import fit, holder, stem, tells
from storage.records import Batch, Community, Cursor, Record, Rejected

_EXPORTED = re.compile(r"(?P<guild>.+?) - (?:(?P<category>.+) - )?(?P<channel>.+?) \[(?P<number>\d{5,20})\]")
"""Name that the exporter gives a file: ``Guild - Category - channel [id]``."""
_NUMBER = re.compile(r"\d+")
_PIECE = re.compile(r"(?:part|page)?[-_ ]?\d*", re.IGNORECASE)


class _Place(NamedTuple):
    """Where the rows of a CSV file stand, which only its path tells."""

    guild: str
    channel: str
    """Fit for a key."""
    name: str


class DiscordExport(FileSource):
    """A folder or archive of exports, or one of them."""

    kind: ClassVar[str] = "discord_export"
    policy: ClassVar[Policy] = Policy(quote_ok=False, llm_ok=False, licence="Discord terms: text stays on this machine")
    suffixes: ClassVar[frozenset[str]] = frozenset({".json", ".csv"})
    rereads: ClassVar[bool] = True

    unit: Literal["channel", "server"] = Field("channel", description="What a community is: each channel, or the whole server")
    guild: str | None = Field(None, description="Name of the server, which CSV files do not tell; else the folder's name")
    time_zone: str = Field("UTC", description="Zone of the times in CSV files, for example Europe/Berlin")

    _cut: list[str] = PrivateAttr(default_factory=list)

    @field_validator("time_zone")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError(f"`{name}` is no time zone: write one such as Europe/Berlin")
        return name

    def order(self, name: str) -> tuple[int, str]:
        """Read ``2.csv`` before ``10.csv``: an export goes on from one to the next."""
        return 0, _NUMBER.sub(lambda digits: digits[0].zfill(20), name)

    def batches(self, cursor: Cursor, *, window: Window) -> Iterator[Batch]:
        """Yield pages; an interrupted export ends with its last whole message and does not stop the others.

        Raises:
            SourceError: after everything that could be read, where an export was cut short.
        """
        yield from super().batches(cursor, window=window)
        if self._cut:
            raise SourceError(
                f"{len(self._cut)} of the exports in `{self.path}` are not whole; the first is {self._cut[0]}. "
                "What was read is kept as partial; export them again and rerun."
            )

    def items(self, member: Member) -> Iterator[Item | Rejected]:
        """One message is one item."""
        try:
            yield from self._rows(member) if _is_table(member) else self._messages(member)
        except EOFError as error:
            self._cut.append(f"`{member.name}`: {error}")

    def read(self, item: Item, member: Member) -> Iterable[Record | Community]:
        """Turn a message into its record, and name its channel when it is met first; notices are no messages."""
        if item.context is None:
            raise MalformedItemError("fewer cells than columns")
        if isinstance(item.context, _Place):
            place = item.context
            key = f"discord:{place.guild}/{place.channel if self.unit == 'channel' else 'server'}"
            name = f"#{place.name} ({place.guild})" if self.unit == "channel" else place.guild
            found: Record | None = discord_csv.record(
                item.raw, community=key, guild=place.guild, channel=place.channel, time_zone=self.time_zone
            )
            about = None if key in self._described else Community(key=key, name=name)
        else:
            key = discord_json.key(item.context, unit=self.unit)
            found = discord_json.record(discord_json.Message(item.raw, item.context), unit=self.unit)
            about = None if key in self._described else discord_json.community(item.context, unit=self.unit)
        if about is not None:
            self._described.add(key)
        return tuple(thing for thing in (found, about) if thing is not None)

    def _messages(self, member: Member) -> Iterator[Item]:
        for number, message in enumerate(discord_json.messages(member.stream), 1):
            yield Item(number, message.said, message.channel)

    def _rows(self, member: Member) -> Iterator[Item]:
        place = self._place_of(member)
        for number, cells, row in discord_csv.rows(member.stream, channel=place.channel, ordinals=self._ordinals):
            yield Item(number, row or cells, row and place)

    def _place_of(self, member: Member) -> _Place:
        """Tell server and channel by the exporter's file name, else by the folders: ``.../csv/category/channel/1.csv``."""
        own = stem(member.name)
        if exported := _EXPORTED.match(own):
            return _Place(fit(self.guild or exported["guild"]), exported["number"], exported["channel"])
        folders = list(member.folders)
        for kept in range(len(folders), 0, -1):
            if not tells(folders[kept - 1]):
                folders = folders[kept:]
                break
        path = folders[-2:] if _PIECE.fullmatch(own) else [*folders[-1:], own]
        name = "/".join(path) or holder(self.path)
        return _Place(fit(self.guild or holder(self.path)), "/".join(map(fit, path)) or fit(name), name)

    @cached_property
    def _ordinals(self) -> discord_csv.Ordinals:
        return discord_csv.Ordinals()

    @cached_property
    def _described(self) -> set[str]:
        return set()


def _is_table(member: Member) -> bool:
    return PurePosixPath(member.name).suffix.lower() == ".csv"
