"""Discord messages as the DISCO data set writes them to XML: a channel's messages of a quarter in one file.

Its names are drawn anew for each file, so nobody is the same person in two of them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from hashlib import blake2b
from typing import BinaryIO, NamedTuple
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from discovery.sources.labels import fit
from discovery.sources.moments import moment
from storage.records import Record

_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|([\\'\"nrt]))")
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}


class Message(NamedTuple):
    """A message, the channel it stands in, and the equal ones before it."""

    at: str
    user: str
    text: str
    team: str
    channel: str
    ordinal: int


def messages(stream: BinaryIO) -> Iterator[Message]:
    """Yield the messages of a file as far as it goes.

    Raises:
        EOFError: the file ends early or is none of the data set.
    """
    head: dict[str, str] = {}
    moment_of, written = "", Counter[str]()
    try:
        parsed = iterparse(stream, events=("start", "end"))
        _, root = next(parsed)
        for event, element in parsed:
            if event == "start":
                continue
            if element.tag in {"team_domain", "channel_name"}:
                head[element.tag] = element.text or ""
            elif element.tag == "message":
                at, text = _text(element, "ts"), _ESCAPE.sub(_unescaped, _text(element, "text"))
                if at != moment_of:
                    moment_of = at
                    written.clear()
                yield Message(at, _text(element, "user"), text, head["team_domain"], head["channel_name"], written[text])
                written[text] += 1
                root.clear()  # what was read is let go
    except (ParseError, DefusedXmlException, StopIteration, KeyError) as error:
        raise EOFError(f"it is no XML of the DISCO data set from some place on ({type(error).__name__})") from None


def place(message: Message) -> tuple[str, str]:
    """Server and channel, fit for a key."""
    return fit(message.team), fit(message.channel)


def record(message: Message, *, community: str, file: str) -> Record:
    """Read a message; its author is a person of its file alone."""
    said = f"{message.at}\n{message.ordinal}\n{message.text}"
    return Record(
        id=f"discord:{'/'.join(place(message))}/{blake2b(said.encode(), digest_size=12).hexdigest()}",
        communities=(community,),
        kind="post",
        author=f"{file}/{message.user}" if message.user else None,
        author_name=message.user or None,
        created_at=moment(message.at),
        text=message.text,
    )


def _unescaped(found: re.Match[str]) -> str:
    """Undo what Python writes for a character in a string: the data set's texts were printed so."""
    number = found[1] or found[2] or found[3]
    return _ESCAPED.get(found[4], found[4]) if number is None else chr(int(number, 16))


def _text(element: Element, tag: str) -> str:
    return (element.findtext(tag) or "").strip()
