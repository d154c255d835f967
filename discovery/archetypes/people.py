"""Who a group is, as its communities call themselves: the words their names share, and the language they speak."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator

import pandas as pd

from discovery.features import Measurement
from discovery.features.text import STOP_WORDS
from storage.harmless import visible

SHARED = 0.5
"""Share of a group's communities whose names must hold the words, and share of those that hold them which must be the group's."""
LEAST = 3
LONGEST = 3
"""Words that names may share."""
SPOKEN = 0.1
"""Share of a group's communities that makes a language worth naming."""
MOST_SPOKEN = 0.8
"""Share of a group's communities that the named languages must reach; else it is "and other"."""
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_]+")
_ASIDE = re.compile(r"\([^)]*\)")
"""What stands in brackets is where a community is, not what."""
LANGUAGES = {
    "en": "English",
    "ar": "Arabic", "bg": "Bulgarian", "bn": "Bengali", "ca": "Catalan", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek",
    "es": "Spanish", "et": "Estonian", "fa": "Persian", "fi": "Finnish", "fr": "French", "he": "Hebrew", "hi": "Hindi", "hr": "Croatian",
    "hu": "Hungarian", "id": "Indonesian", "it": "Italian", "ja": "Japanese", "ko": "Korean", "lt": "Lithuanian", "lv": "Latvian",
    "ms": "Malay", "nl": "Dutch", "no": "Norwegian", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sk": "Slovak",
    "sl": "Slovene", "sq": "Albanian", "sr": "Serbian", "sv": "Swedish", "ta": "Tamil", "th": "Thai", "tl": "Tagalog", "tr": "Turkish",
    "uk": "Ukrainian", "ur": "Urdu", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip
ENGLISH = "en"


def shared_names(measurement: Measurement, members: pd.Series) -> dict[int, str]:
    """Find the longest run of words that half of a group's communities have in their names and few others have; none is missing."""
    inside, everywhere = defaultdict[int, Counter[str]](Counter), Counter[str]()
    for name, group in zip(measurement.communities["name"], members, strict=True):
        runs = set(_runs(visible(str(name))))
        everywhere.update(runs)
        inside[int(group)].update(runs)
    found = {}
    for group, counts in inside.items():
        size = int((members == group).sum())
        shared = (run for run, n in counts.items() if n >= max(LEAST, SHARED * size) and n >= SHARED * everywhere[run])
        fit = [run for run in shared if " " in run or run.endswith("s")]  # "brewers", not the "category" of every name
        if group >= 0 and fit:
            found[group] = min(fit, key=lambda run: (-len(run.split()), -counts[run], run))
    return found


def _runs(name: str) -> Iterator[str]:
    """List the runs of up to three words of a name, lower case; words are told apart by marks and by case."""
    words = [part.lower() for part in _PART.findall(_ASIDE.sub("", name.rsplit("/", maxsplit=1)[-1]))]
    for first in range(len(words)):
        for last in range(first + 1, min(first + LONGEST, len(words)) + 1):
            if not {words[first], words[last - 1]} & STOP_WORDS and len(run := " ".join(words[first:last])) > LEAST:
                yield run


def foreign_languages(measurement: Measurement, members: pd.Series) -> dict[int, str]:
    """Name the languages of the groups that mostly speak something else than English, the commonest first."""
    table = pd.DataFrame({"group": members, "language": measurement.communities["language"]}).dropna()
    found = {}
    for group in sorted(set(table.loc[table["group"] >= 0, "group"].tolist())):
        shares = table.loc[table["group"] == group, "language"].value_counts(normalize=True).sort_index()
        shares = shares.sort_values(ascending=False, kind="stable")
        if shares.get(ENGLISH, 0.0) < 0.5:
            told = [str(code) for code, share in shares.items() if share >= SPOKEN and code in LANGUAGES][:3]
            complete = shares[told].sum() >= MOST_SPOKEN
            found[group] = _hyphenated([LANGUAGES[code] for code in (told if complete else told[:2])], complete=complete)
    return found


def _hyphenated(languages: list[str], *, complete: bool) -> str:
    """Join languages before "-language": "French-, Spanish- and Portuguese"."""
    parts = languages if complete else [*languages, "other"]
    return f"{'-, '.join(parts[:-1])}- and {parts[-1]}" if len(parts) > 1 else parts[0].capitalize()


def main_language(measurement: Measurement, members: pd.Series) -> pd.Series:
    """Give each community its group where it speaks as the group's majority does, English or not; else -1.

    Words of a few communities in another language are no distinction but a translation.
    """
    foreign = measurement.communities["language"].map(lambda told: told is not None and told != ENGLISH).astype(bool)
    share = foreign.groupby(members).transform("mean")
    return members.where(foreign == (share >= 0.5), -1)
