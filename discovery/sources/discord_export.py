"""Exports of DiscordChatExporter (JSON and CSV) and the DISCO data set (XML): messages go in; each channel is a community.

Discord's terms keep the text on this machine: it is neither quoted nor sent anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import PurePosixPath
from typing import ClassVar, Literal, NamedTuple
from zoneinfo import available_timezones

from pydantic import Field, field_validator

from discovery.sources import Policy, discord_csv, discord_json, discord_xml
from discovery.sources.archives import Member
from discovery.sources.files import FileSource, Item
from discovery.sources.items import MalformedItemError
from discovery.sources.labels import fit, holder, stem, tells
from storage.records import Community, Record, Rejected

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
    """DiscordChatExporter files, JSON and both CSV dialects; every channel is a community."""

    kind: ClassVar[str] = "discord_export"
    policy: ClassVar[Policy] = Policy(quote_ok=False, llm_ok=False, licence="Discord terms: text stays on this machine")
    suffixes: ClassVar[frozenset[str]] = frozenset({".json", ".csv", ".xml"})
    rereads: ClassVar[bool] = True

    unit: Literal["channel", "server"] = Field("channel", description="What a community is: each channel, or the whole server")
    guild: str | None = Field(None, description="Name of the server, which CSV files do not tell; else the folder's name")
    time_zone: str = Field("UTC", description="Zone of the times in CSV files, for example Europe/Berlin")

    @field_validator("time_zone")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError(f"`{name}` is no time zone: write one such as Europe/Berlin")
        return name

    def order(self, name: str) -> tuple[int, str]:
        """Read ``2.csv`` before ``10.csv``: an export goes on from one to the next."""
        return 0, _NUMBER.sub(lambda digits: digits[0].zfill(20), name)

    def items(self, member: Member) -> Iterator[Item | Rejected]:
        """One message is one item; an export that was interrupted ends with its last whole one and does not stop the others."""
        cut = {".csv": self._rows, ".xml": self._spoken}.get(PurePosixPath(member.name).suffix.lower(), self._messages)
        try:
            yield from cut(member)
        except EOFError as error:
            self.cut_short(member, str(error))

    def read(self, item: Item, member: Member) -> Iterable[Record | Community]:
        """Turn a message into its record, and name its channel when it is met first; notices are no messages."""
        match item.context:
            case discord_json.Channel() as channel:
                found = discord_json.record(discord_json.Message(item.raw, channel), unit=self.unit)
                about = discord_json.community(channel, unit=self.unit)
            case _Place() as place if isinstance(item.raw, discord_csv.Row):
                about = self._community(place)
                where = {"guild": place.guild, "channel": place.channel}
                found = discord_csv.record(item.raw, community=about.key, time_zone=self.time_zone, **where)
            case _Place() as place if isinstance(item.raw, discord_xml.Message):
                about = self._community(place)
                found = discord_xml.record(item.raw, community=about.key, file=fit(member.name))
            case _:
                raise MalformedItemError("fewer cells than columns")
        new = about.key not in self._described
        self._described.add(about.key)
        return tuple(thing for thing in (found, about if new else None) if thing is not None)

    def _messages(self, member: Member) -> Iterator[Item]:
        for number, message in enumerate(discord_json.messages(member.stream), 1):
            yield Item(number, message.said, message.channel)

    def _rows(self, member: Member) -> Iterator[Item]:
        place = self._place_of(member)
        for number, cells, row in discord_csv.rows(member.stream, channel=place.channel, ordinals=self._ordinals):
            yield Item(number, row or cells, row and place)

    def _spoken(self, member: Member) -> Iterator[Item]:
        for number, message in enumerate(discord_xml.messages(member.stream), 1):
            guild, channel = discord_xml.place(message)
            yield Item(number, message, _Place(guild, channel, message.channel))

    def _community(self, place: _Place) -> Community:
        """Name a channel, or its server."""
        if self.unit == "server":
            return Community(key=f"discord:{place.guild}/server", name=place.guild)
        return Community(key=f"discord:{place.guild}/{place.channel}", name=f"#{place.name} ({place.guild})")

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
