"""Author names go in, keyed hashes and text without names come out: the only place where a name and its pseudonym meet.

A pseudonym is HMAC-SHA256 under a key that never leaves its file, cut to 63 bits; who destroys the key makes the store
anonymous. Mentions that the platform's own syntax marks are always replaced; a name that only its place in the line marks
(``name:`` in chat, ``@First Last``) is replaced where that name is known, which the caller tells by its hash.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import stat
import tempfile
from collections.abc import Callable, Container, Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from pydantic_core import to_json

KEY_BYTES = 32
SOMEONE = "@someone"
REMEMBERED = 1 << 16
"""Pseudonyms kept at hand; the rest are computed again."""

_NAME = (
    r"(?!(?:everyone|here|channel|all|someone)\b)(?=[\w.\-]*[^\W\d_])"  # a name has a letter: `@5` is a price
    r"(?>\w[\w\-]*(?:\.[\w\-]+)*)(?:#\d{4}\b)?(?:[@:][\w\-]+(?:\.[\w\-]+)+)?"  # with Discord's tag, Lemmy's or Matrix's host
)
# Each pattern begins with its mark, which is found much faster than what stands before it.
_AT = re.compile(rf"@(?:(?<=/@){_NAME}|(?<!\w@){_NAME}(?!/\w))")  # `@scope/package` is no person, `site/@name/article` is
_NUMBERED = re.compile(r"<@!?\d{15,20}>")
_U = re.compile(r"[uU]/(?<!\w[uU]/)[\w.\-]{3,}(?:@[\w.\-]+)?")
_USER = re.compile(r"[uU]ser(?<![\w\-][uU]ser)(?:/|s/(?:\d+/)?)[\w.\-]{2,}(?:@[\w.\-]+)?")
_ADDRESSED = re.compile(r"^[^\s:,<>@][^\s:,]{0,39}(?=[:,](?:\s|$))", re.MULTILINE)
_GLUED = re.compile(r"@(?<=\w@)([\w\-]++)(?!\.\w)")  # `yes@name`, as people write in a hurry, but no mail address
_SPACED = re.compile(r"@(?<![\w@]@)(\w[^\s@]{0,39}(?: [^\s@]{1,40}){1,3})")


class PseudonymKeyError(ValueError):
    """The key file is not a key of ours."""


class Pseudonyms:
    """The keyed hashes of one data directory."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise PseudonymKeyError(f"A pseudonym key has {KEY_BYTES} bytes, this one {len(key)}. Restore the key file from a copy.")
        self._key = key
        self._keyed = hashlib.blake2b(key=key, digest_size=8)
        self.author: Callable[[str, str], int] = lru_cache(maxsize=REMEMBERED)(self._author)
        """Pseudonym of an author of a platform, 0 to 2^63 - 1; upper and lower case are one."""

    @classmethod
    def open(cls, path: Path) -> Pseudonyms:
        """Read the key, making one if there is none; only its owner may read it.

        Raises:
            PseudonymKeyError: the file holds no key.
        """
        if not path.exists():
            _create(path)
        if stat.S_IMODE(path.stat().st_mode) != 0o600:
            path.chmod(0o600)
        return cls(path.read_bytes())

    def name(self, platform: str, name: str) -> int:
        """Hash a name as texts write it, apart from the pseudonym of its bearer."""
        return self._hash(f"{platform}@{name.casefold()}")

    def digest(self, value: object) -> int:
        """Hash what a record says, 0 to 2^64 - 1; keyed, so that nobody can try out names or words on it."""
        said = self._keyed.copy()
        said.update(to_json(value))
        return int.from_bytes(said.digest(), "big")

    def evidence_key(self) -> bytes:
        """Derive the key under which evidence is hashed: recognisable to whoever holds this directory, to nobody else."""
        return hmac.digest(self._key, b"evidence", "sha256")

    def fingerprint(self) -> int:
        """Tell one key from another without giving it away."""
        return self._hash("fingerprint")

    def _author(self, platform: str, author: str) -> int:
        return self._hash(f"{platform}|{author.casefold()}")

    def _hash(self, message: str) -> int:
        return int.from_bytes(hmac.digest(self._key, message.encode(), "sha256")[:8], "big") >> 1


def candidates(text: str, *, chat: bool = False) -> Iterator[str]:
    """Yield what may be a name in a text by its place alone: the word before a line's first colon or comma, words after ``@``."""
    if chat and (":" in text or "," in text):
        yield from _ADDRESSED.findall(text)
    if "@" in text:
        if chat:
            yield from _GLUED.findall(text)
        for words in _SPACED.findall(text):
            yield from _prefixes(words)


def without_names(text: str, *, known: Container[str] = (), chat: bool = False) -> str:
    """Replace the names of people in a text by ``@someone``.

    Args:
        text: What somebody wrote.
        known: Those of its :func:`candidates` that are names.
        chat: A line may begin with whom it is for (``name: ...``).
    """
    if "u/" in text or "U/" in text:
        text = _U.sub(SOMEONE, text)
    if "ser/" in text or "sers/" in text:
        text = _USER.sub(SOMEONE, text)
    if "@" in text:
        if known:
            text = _SPACED.sub(lambda match: _without_spaced(match, known), text)
        text = _NUMBERED.sub(SOMEONE, _AT.sub(SOMEONE, text))
    if known and chat:
        text = _GLUED.sub(lambda match: SOMEONE if match[1] in known else match[0], text)
        text = _ADDRESSED.sub(lambda match: SOMEONE if match[0] in known else match[0], text)
    return text


def _without_spaced(match: re.Match[str], known: Container[str]) -> str:
    words = match[1]
    longest = max((prefix for prefix in _prefixes(words) if prefix in known), key=len, default="")
    return SOMEONE + words[len(longest) :] if longest else match[0]


def _prefixes(words: str) -> Iterator[str]:
    """Yield the first two to four words, also without the punctuation that ends a sentence."""
    parts = words.split(" ")
    for count in range(2, len(parts) + 1):
        prefix = " ".join(parts[:count])
        yield prefix
        if (bare := prefix.rstrip(".,:;!?)")) != prefix:
            yield bare


def _create(path: Path) -> None:
    """Make a key that is there whole or not at all, also if two try or the power fails."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, fresh = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # O_EXCL, 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(os.urandom(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(fresh, path)  # unlike a rename, never replaces a key that came first
    finally:
        os.unlink(fresh)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
