"""Foreign words that do nothing: what communities call themselves goes in, one line of visible text comes out."""

from __future__ import annotations

import re

MARKUP = r"</?[a-z!?][^<>]{0,300}>"
"""A tag, a comment or a declaration of HTML."""
LINK = r"\b[a-z][a-z0-9+.-]{1,15}://\S+|\b(?:mailto|tel|magnet|data|javascript):\S+|\bwww\.\S+|\]\([^)\s]{1,500}\)"
"""An address that a reader, or a program, might follow."""
_MARKUP, _LINK = re.compile(MARKUP, re.IGNORECASE), re.compile(LINK, re.IGNORECASE)
_INVISIBLE = re.compile(
    "[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\U000e0000-\U000e0fff]"
)


def visible(text: str) -> str:
    """Blank characters that no eye sees (zero-width, direction marks, tags, controls), one for one, so that offsets hold."""
    return _INVISIBLE.sub(" ", text)


def harmless(text: str) -> str:
    """Put a name on one line, without markup, addresses to follow, and characters that no eye sees."""
    return " ".join(_LINK.sub("[link]", _MARKUP.sub("[markup]", visible(text))).split())
