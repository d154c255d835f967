"""What becomes of an item that is no record: the errors that say so, and the reason that is stored, in our words alone."""

from __future__ import annotations

from pydantic import ValidationError

MALFORMED = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)
"""What reading a hostile item raises: a field that is gone, of another type, or out of range."""


class MalformedItemError(ValueError):
    """An item that is no record. Its message is stored, so it is ours alone and quotes nothing of the item."""


class NotJsonError(MalformedItemError):
    """An item that does not parse."""


class RefusedItemError(Exception):
    """A sound item that is not ours to keep (a personal profile, an advertisement): counted as refused, not stored."""


def reason(error: Exception) -> str:
    """Say why an item is malformed without a word of what it holds."""
    match error:
        case ValidationError():
            fault = error.errors(include_input=False, include_url=False)[0]
            said = fault.get("ctx", {}).get("error", fault["type"])  # what a record's own validators say, which quotes nothing
            return f"{'.'.join(map(str, fault['loc']))}: {said}"
        case MalformedItemError():
            return str(error)
        case UnicodeDecodeError():
            return "not UTF-8"
        case KeyError():
            return f"no field {str(error.args[0])[:40]}"  # looked up by a name of ours; names of theirs go through .get
        case _:
            return f"a field of the wrong form ({type(error).__name__})"
