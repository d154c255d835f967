"""Chat logs as text, a line a message: IRC by the day or with lines that begin a day, Gitter in one file with the full time.

Chat has no threads, so every message is a post of its channel. Logs give messages no ids, so an id is a hash of channel,
time and text: the same line in two logs is one record. Notices (``***``) and actions (``*``) are no messages; they teach nicks.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache
from hashlib import blake2b
from pathlib import PurePosixPath
from typing import ClassVar, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, field_validator

from discovery.sources import Policy, chat_lines
from discovery.sources.archives import Member, plain
from discovery.sources.files import LINE, FileSource, Item, lines
from discovery.sources.items import MalformedItemError
from discovery.sources.labels import fit, holder, is_program, stem, tells
from discovery.sources.moments import moment
from storage.pseudonyms import without_names
from storage.records import Community, Record, Rejected

NICKS = 100_000
"""Nicks that notices taught, kept at hand; the store knows those who ever spoke."""

_DATE = re.compile(r"(?<!\d)((?:19|20)\d\d)[-_./]?(0[1-9]|1[0-2])[-_./]?(0[1-9]|[12]\d|3[01])(?!\d)")
_HEAD = 100
"""Bytes that tell how a line begins."""
_FORMATS = re.compile(r"[_.-]chatformat.*$", re.IGNORECASE)
_STYLES = re.compile(r"\x03(?:\d{1,2}(?:,\d{1,2})?)?|[\x00-\x08\x0b-\x1f\x7f]")
_RELAYED = re.compile(r"<([^<>\n]{1,60})> ?")
_TOLD = re.compile(
    r"(?:(?:Joins|Parts|Quits): )?(\S{2,}) (?:[(\[]\S*[)\]])? ?(?:has )?"
    r"(?:joined|left|quit|is now known as (\S{2,})|changes topic|sets mode|was kicked|$)"
)


class _Said(NamedTuple):
    """A message as its log writes it."""

    date: str
    time: str
    nick: str
    text: str
    ordinal: int
    """Equal lines of the same minute (or second) before it."""
    channel: str
    network: str


class ChatLog(FileSource):
    """Chat logs of IRC clients and bots, and Gitter style; every channel is a community."""

    kind: ClassVar[str] = "chat_log"
    policy: ClassVar[Policy] = Policy(quote_ok=True, llm_ok=False, licence="publicly logged channel")
    suffixes: ClassVar[frozenset[str]] = frozenset({".txt", ".log", ".irc", ".weechatlog"})
    rereads: ClassVar[bool] = True

    instance: str | None = Field(
        None, pattern=r"^[^\s/]+$", description="Network of the channels; else `gitter` for `[date time] <nick>`, `irc` for the others"
    )
    channel: str | None = Field(None, pattern=r"^\S+$", description="Channel; else the folder above the year, or the file's name")
    time_zone: str = Field("UTC", description="Zone of the log's times, for example Europe/Berlin")

    @field_validator("time_zone")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError(f"`{name}` is no time zone: write one such as Europe/Berlin")
        return name

    def accepts(self, name: str) -> bool:
        """Accept text files, and files named by their day alone."""
        return _DATE.fullmatch(PurePosixPath(plain(name)).name) is not None or super().accepts(name)

    @classmethod
    def accepted(cls) -> str:
        """Say so."""
        return f"{super().accepted()}, and files named by their day (2020-01-31)"

    def items(self, member: Member) -> Iterator[Item | Rejected]:
        """A line that begins with a time begins a message; what follows without one belongs to it."""
        today, channel = _dated(member.name), self._channel_of(member)
        spoken: Counter[tuple[str, str]] = Counter()
        for item in _messages(member):
            found = None if isinstance(item, Rejected) else chat_lines.parsed(_decoded(item.raw), item.context, today=today)
            if isinstance(item, Rejected) or found is None:
                yield item if isinstance(item, Rejected) else Item(item.position, item.raw)
            elif found.nick is None:
                self._learn(found.notice)
                today = found.day or today
            else:
                date, time, text = found.date or today, found.time, found.text
                if date != today:
                    today = date
                    spoken.clear()
                network = self.instance or ("gitter" if found.style == chat_lines.FULL else "irc")
                yield Item(item.position, item.raw, _Said(date, time, found.nick, text, spoken[time, text], channel, network))
                spoken[time, text] += 1

    def read(self, item: Item, member: Member) -> Iterable[Record | Community]:
        """Turn a message into its record; who speaks through a bridge is its author."""
        said = item.context
        if said is None:
            raise MalformedItemError("neither a message nor a notice of a log")
        instance = said.network
        key = f"chat:{instance}/{said.channel}"
        nick, text, bot = said.nick, said.text, is_program(said.nick)
        if bot and (relayed := _RELAYED.match(text)):
            nick, text, bot = relayed[1].strip(), text[relayed.end() :], False
        found = Record(
            id=f"{key}/{_identity(said)}",
            communities=(key,),
            kind="post",
            author=f"{instance}/{nick}",
            created_at=_instant(said.date, said.time, self.time_zone),
            text=without_names(_STYLES.sub("", text), known=self._nicks, chat=True).strip(),
            bot=bot,
        )
        if key in self._described:
            return (found,)
        self._described.add(key)
        return (found, Community(key=key, name=f"#{said.channel} ({instance})"))

    def _learn(self, notice: str) -> None:
        """Remember the nicks of those who come, go and rename themselves, so that lines for them can be told."""
        if told := _TOLD.match(notice):
            for nick in told.groups():
                if nick:
                    self._nicks[nick] = None
            while len(self._nicks) > NICKS:
                del self._nicks[next(iter(self._nicks))]

    @cached_property
    def _nicks(self) -> dict[str, None]:
        return {}

    @cached_property
    def _described(self) -> set[str]:
        return set()

    def _channel_of(self, member: Member) -> str:
        """Name the channel: as set, else by what the file's name holds beside a date, else by the folder above year and month."""
        if self.channel:
            return self.channel
        own = _FORMATS.sub("", _DATE.sub("", stem(member.name))).strip("-_. #")
        telling = [folder for folder in member.folders if tells(folder)]
        return fit(own) or (fit(telling[-1]) if telling else holder(self.path.parent if self.path.is_file() else self.path))


def _messages(member: Member) -> Iterator[Item | Rejected]:
    """Join lines without a time to the message before them; an item's context is the style of its file."""
    message: Item | None = None
    style: int | None = None
    for line in lines(member):
        if isinstance(line, Item):
            found = chat_lines.begun(line.raw, style)
            style = found if style is None else style
            more = message is not None and found is None and not chat_lines.aside(_decoded(line.raw[:_HEAD]))
            if message is not None and more and len(message.raw) + len(line.raw) < LINE:
                message = Item(message.position, message.raw + b"\n" + line.raw, style)
                continue
        if message is not None:
            yield message
        message = Item(line.position, line.raw, style) if isinstance(line, Item) else None
        if isinstance(line, Rejected):
            yield line
    if message is not None:
        yield message


def _dated(name: str) -> str:
    """Day that a file is of, as its name or else its folders tell; empty where they do not."""
    found = [*_DATE.finditer(name), *_DATE.finditer(stem(name))]
    return "-".join(found[-1].groups()) if found else ""


def _decoded(raw: bytes) -> str:
    """Decode a line: UTF-8, else Latin-1, as clients wrote before."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _identity(said: _Said) -> str:
    """Hash what two logs of the same channel agree on; no name, which a hash without a key would not hide."""
    return blake2b(f"{said.date}\n{said.time}\n{said.ordinal}\n{said.text}".encode(), digest_size=12).hexdigest()


@lru_cache(maxsize=4096)
def _instant(date: str, time: str, time_zone: str) -> int:
    """Seconds of a local time.

    Raises:
        MalformedItemError: no date is known, or it is none.
    """
    if not date:
        raise MalformedItemError("no date, neither in the line nor in the file's name")
    return moment(f"{date}T{time}", ZoneInfo(time_zone))
