"""What the stores refuse, each in a word of its own. Nothing is imported here, so that whoever only tells errors pays for none of it."""

from __future__ import annotations


class ActivityFileError(ValueError):
    """The activity file is foreign, damaged, newer than this version, or written under another key."""


class UnbalancedBatchError(ValueError):
    """Items of a batch are unaccounted for."""


class UnknownCollectionError(LookupError):
    """A source was not begun in this run."""


class MissingExtraError(RuntimeError):
    """What was asked for needs packages of an extra that is not installed."""


class SourceNotStoredError(LookupError):
    """The run names a source of which the store holds nothing."""


class ResultsFileError(ValueError):
    """The results file is missing, foreign, damaged or newer than this version."""


class ResultsAccessError(OSError):
    """SQLite could not do what was asked: another program holds the results, or the disk is full or failing."""
