"""Names that files bear go in: what the set of files is called, and whether an account's name says that it is a program."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

_TELL_NOTHING = frozenset(
    {"archive", "archives", "chat", "csv", "data", "dump", "export", "exports", "file", "files", "html", "json", "log", "logs"}
    | {"messages", "ndjson", "posts", "t", "tar", "text", "topics", "txt", "xml"}
)
_SUFFIX = re.compile(r"(\.(tar|tgz|tbz2|txz|tzst|zst|gz|bz2|xz|json|csv|xml|txt|log|irc|weechatlog))+$", re.IGNORECASE)
_UNFIT = re.compile(r"[\s\x00-\x1f/]+")
_PROGRAM = re.compile(r"(?:bot\d*|[-_ ]bot[-_ ].*|^bot[-_ ].*)$", re.IGNORECASE)
_SERVICES = frozenset(
    {
        "chanserv",
        "dyno",
        "gateway",
        "github",
        "gitlab",
        "gitter",
        "jenkins",
        "mee6",
        "nickserv",
        "system",
        "travis-ci",
        "yagpdb.xyz",
        "zapier",
    }
)


def holder(path: Path) -> str:
    """Name a set of files by the nearest file or folder, from itself upwards, whose name tells something."""
    absolute = path.expanduser().absolute()
    for part in (absolute.name, *reversed(absolute.parent.parts)):
        name = _SUFFIX.sub("", part)
        if tells(name):
            return fit(name)
    return fit(_SUFFIX.sub("", absolute.name)) or "unnamed"


def tells(name: str) -> bool:
    """Tell whether a folder's name is more than ``csv``, ``exports`` or a year."""
    return any(word not in _TELL_NOTHING and not word.isdigit() for word in re.split(r"[\W_]+", name.lower()) if word)


def fit(name: str) -> str:
    """Make a name fit to stand in a key."""
    return _UNFIT.sub("-", "".join(c for c in name if c.isprintable()).strip())[:120]


def stem(name: str) -> str:
    """File name without folders and its known suffixes."""
    return _SUFFIX.sub("", PurePosixPath(name).name)


def is_program(name: str) -> bool:
    """Tell a program by its name: it ends in "bot", begins with "bot-", or is a service everybody knows."""
    return _PROGRAM.search(name) is not None or name.lower() in _SERVICES
