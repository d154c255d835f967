"""Discord messages as DiscordChatExporter writes them to JSON: a byte stream goes in, messages come out, never the whole file.

Exports reach 10 GB and an interrupted one simply ends, so messages are decoded one by one from the list they stand in.
"""

from __future__ import annotations

import json
import re
from codecs import getincrementaldecoder
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Literal, NamedTuple

from discovery.sources.items import MalformedItemError, RefusedItemError
from discovery.sources.labels import is_program
from discovery.sources.moments import moment
from storage.pseudonyms import SOMEONE
from storage.records import Community, Record

LONGEST = 1 << 23
"""Characters of the longest value that is read whole: a message, or what stands before the list of messages."""
_CHUNK = 1 << 20
_SPACE = re.compile(r"[\s,]*")
_SAID = frozenset({"Default", "0", "Reply", "19", "ThreadStarterMessage", "21"})
"""Types of message that people write; the others are notices: joined, pinned, boosted."""
_STARTER = frozenset({"ThreadStarterMessage", "21"})
_SNOWFLAKE = re.compile(r"\d{1,20}")
_DECODER = json.JSONDecoder(parse_constant=lambda _: None)


class Channel(NamedTuple):
    """What an export says of the channel its messages stand in."""

    guild: Mapping[str, Any]
    channel: Mapping[str, Any]
    exported_at: int | None

    @property
    def private(self) -> bool:
        """Direct messages are nobody's community."""
        return str(self.guild["id"]) == "0" or "Direct" in str(self.channel["type"])

    @property
    def is_thread(self) -> bool:
        """A thread, also of a forum; its own channel stands where a category would."""
        return "Thread" in str(self.channel["type"])

    @property
    def number(self) -> str:
        """Id of the channel people know, which for a thread is the one it belongs to."""
        return _snowflake(self.channel["categoryId"] if self.is_thread else self.channel["id"])


class Message(NamedTuple):
    """A message, and the channel it stands in."""

    said: Mapping[str, Any]
    channel: Channel


def messages(stream: BinaryIO) -> Iterator[Message]:
    """Yield the messages of an export as far as it goes.

    Raises:
        EOFError: the export ends early, is no JSON from some place on, or holds another number of messages than it says.
    """
    text = _Text(stream)
    text.expect("{")
    head: dict[str, Any] = {}
    count: int | None = None
    while not text.ends("}"):
        name = text.value()
        text.expect(":")
        if name != "messages":
            head[str(name)] = text.value()
            continue
        channel = Channel(head.get("guild", {}), head.get("channel", {}), moment(head["exportedAt"]) if "exportedAt" in head else None)
        text.expect("[")
        count = 0
        while not text.ends("]"):
            yield Message(text.value(), channel)
            count += 1
    if count is None:
        raise EOFError("it is no export of DiscordChatExporter: it has no list of messages")
    if head.get("messageCount", count) != count:
        raise EOFError(f"it says that it holds {head['messageCount']} messages and holds {count}")


def record(message: Message, *, unit: Literal["channel", "server"]) -> Record | None:
    """Read a message; None where it is a notice.

    Raises:
        RefusedItemError: it is private.
        MalformedItemError: or a lookup, type or value error, where a field is missing or of another form.
    """
    said, channel = message
    if channel.private:
        raise RefusedItemError
    if str(said["type"]) not in _SAID or (str(said["type"]) in _STARTER and not said.get("content")):
        return None
    own = _snowflake(said["id"])
    opened = _snowflake(channel.channel["id"]) if channel.is_thread else None
    answered = (said.get("reference") or {}).get("messageId")
    parent = answered if answered and answered != own else opened
    author, bot = _author(said["author"], str(channel.guild["id"]))
    name = said["author"].get("nickname") or said["author"]["name"]
    return Record(
        id=f"discord:{own}",
        communities=(key(channel, unit=unit),),
        kind="reply" if answered or (opened and own != opened) else "post",
        author=author,
        author_name=name if author else None,
        created_at=moment(said["timestamp"]),
        text=_unnamed(said["content"], said.get("mentions") or ()),
        title=channel.channel["name"] if opened == own else "",
        thread=f"discord:{opened}" if opened else None,
        parent=f"discord:{_snowflake(parent)}" if parent and parent != own else None,
        score=sum(int(reaction["count"]) for reaction in said["reactions"]) if "reactions" in said else None,
        bot=bot,
        url=f"https://discord.com/channels/{_snowflake(channel.guild['id'])}/{_snowflake(channel.channel['id'])}/{own}",
        retrieved_at=channel.exported_at,
    )


def key(channel: Channel, *, unit: Literal["channel", "server"]) -> str:
    """Community key of a channel, or of its server."""
    return f"discord:{_snowflake(channel.guild['id'])}/{channel.number if unit == 'channel' else 'server'}"


def community(channel: Channel, *, unit: Literal["channel", "server"]) -> Community:
    """What an export says of its channel, or of its server."""
    guild, own = channel.guild.get("name") or "unnamed", channel.channel
    name = (own.get("category") if channel.is_thread else own.get("name")) or channel.number
    return Community(
        key=key(channel, unit=unit),
        name=f"#{name} ({guild})" if unit == "channel" else guild,
        url=f"https://discord.com/channels/{channel.guild['id']}" + (f"/{channel.number}" if unit == "channel" else ""),
        description=(own.get("topic") or "") if unit == "channel" and not channel.is_thread else "",
        retrieved_at=channel.exported_at,
    )


def _author(author: Mapping[str, Any], guild: str) -> tuple[str | None, bool]:
    """Author and whether it is a program; a webhook is whoever it says it is, and all deleted users share one account."""
    name = author["name"]
    bot = bool(author["isBot"]) if "isBot" in author else is_program(name)
    webhook = bot and author.get("discriminator") == "0000"
    if name == "Deleted User" and not bot:
        return None, False
    return (f"{guild}/{name}" if webhook else _snowflake(author["id"])), bot


def _unnamed(text: str, mentions: Any) -> str:
    """Replace whom a message mentions: the export lists them, so names with spaces are found whole."""
    names = {name for person in mentions for name in (person.get("nickname"), person.get("name")) if name}
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(f"@{name}", SOMEONE)
    return text


def _snowflake(value: object) -> str:
    if not isinstance(value, str) or not _SNOWFLAKE.fullmatch(value):
        raise MalformedItemError("an id that is no number in quotes")
    return value


class _Text:
    """The part of the stream that is being decoded."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decoder = getincrementaldecoder("utf-8-sig")(errors="surrogateescape")  # such text is refused with its record alone
        self._text = ""
        self._at = 0

    def value(self) -> Any:
        """Decode the next value."""
        self._skip()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if len(self._text) - self._at > LONGEST or not self._more():
                    raise EOFError(_fault(error)) from None
            except (ValueError, RecursionError) as error:
                raise EOFError(_fault(error)) from None
            else:
                if end < len(self._text) or not self._more():  # a number may go on
                    self._at = end
                    return value

    def expect(self, mark: str) -> None:
        """Pass over a mark that must come next."""
        if not self.ends(mark):
            raise EOFError("it is no export of DiscordChatExporter, or ends early")

    def ends(self, mark: str) -> bool:
        """Pass over a mark if it comes next, and tell whether it did."""
        self._skip()
        found = self._text[self._at : self._at + 1] == mark
        self._at += found
        return found

    def _skip(self) -> None:
        """Pass over spaces and commas, reading on where the text ends."""
        while (end := _SPACE.match(self._text, self._at).end()) == len(self._text):  # type: ignore[union-attr]  # matches always
            self._at = end
            if not self._more():
                return
        self._at = end

    def _more(self) -> bool:
        """Read on; tell whether there was more."""
        while chunk := self._stream.read(_CHUNK):
            if decoded := self._decoder.decode(chunk):
                self._text, self._at = self._text[self._at :] + decoded, 0
                return True
        return False


def _fault(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return "it ends inside its messages, as an interrupted export does, or is no JSON from there on"
    return f"it holds a value no program can read ({type(error).__name__})"
