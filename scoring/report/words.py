"""Numbers and names of ours in the reader's words: rounded as far as they can be trusted, with units, every term glossed.

Values of the results flow in, short texts flow out. Nothing here is foreign text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

VERDICTS = {
    "pursue": ("Worth pursuing", "people ask, money shows, they stay, and the score holds up under resampling"),
    "watch": ("Watch", "promising, but something is still missing"),
    "saturated": ("Crowded", "products already fill the field, and few people want to leave them"),
    "shallow": ("Shallow", "neither demand nor money shows, or people do not stay"),
    "insufficient_evidence": ("Too little evidence", "too few people, too little measured, or not stable when resampled"),
    "not_scored": ("Not scored", "a sensitive subject, or a source whose rules forbid it"),
}
"""Verdict to what the reader sees and what it means, from best to worst."""
TIERS = {
    "T4": "says what they pay",
    "T3": "is buying or switching",
    "T2": "says they would pay",
    "T1": "looks for a solution",
    "T0": "describes a pain",
    "N": "refuses to pay",
}
KINDS = {"archetype": ("kind of community", "kinds of community"), "niche": ("niche", "niches"), "community": ("community", "communities")}
COVERAGE = {
    "complete": "every record of its span",
    "listing": "a selected page of each community, not a census",
    "unknown": "we cannot tell how much it shows",
}
STATUS = {
    "complete": "read to the end",
    "unverified": "read to the end; the file carries no checksum to prove that it is whole",
    "partial": "**broke off: only a part was read**",
    "failed": "**failed**",
}
CRITERIA = {
    "gap": "Gap to structureless data",
    "silhouette": "Silhouette (how far apart)",
    "bic": "BIC (lower is better)",
    "prediction_strength": "Prediction strength",
    "stability": "Agreement when resampled",
    "valley": "Valleys between groups",
}


def plain(name: str) -> str:
    """Turn a name of ours into words."""
    return name.replace("_", " ")


def count(value: float | None) -> str:
    """Print a whole number with thousands separators; a dash where there is none."""
    return "–" if value is None else f"{round(value):,}"


def counted(value: int, one: str, many: str) -> str:
    """Print a number with its noun."""
    return f"{value:,} {one if value == 1 else many}"


def amount(value: float | None) -> str:
    """Print a measured number with three significant digits at most."""
    if value is None or not math.isfinite(value):
        return "–"
    if abs(value) >= 1000:
        return f"{round(value, -int(math.log10(abs(value))) + 2):,.0f}"
    return f"{value:.3g}"


def measured(value: float | None, unit: str) -> str:
    """Print a feature's value in its unit; fractions as per cent."""
    if value is not None and unit.startswith(("fraction", "share")):
        return f"{100 * value:.2g} %" if abs(value) < 0.1 else f"{100 * value:.0f} %"
    return f"{amount(value)} {unit.split(',', maxsplit=1)[0]}".strip()


def measured_span(low: float | None, high: float | None, unit: str) -> str:
    """Print an interval of a feature, with its unit once."""
    if low is None or high is None:
        return "–"
    if unit.startswith(("fraction", "share")):
        return f"{measured(low, unit)} to {measured(high, unit)}"
    return f"{amount(low)} to {amount(high)}"


def percent(value: float | None) -> str:
    """Print a fraction as whole per cent."""
    return "–" if value is None else f"{100 * value:.0f} %"


def points(value: float | None) -> str:
    """Print a score; a dash where nothing is scored."""
    return "–" if value is None else f"{value:.0f}"


def span(low: float | None, high: float | None) -> str:
    """Print an interval of scores or ranks."""
    if low is None or high is None:
        return "–"
    return f"{low:.0f}" if round(low) == round(high) else f"{low:.0f} to {high:.0f}"


def against_market(z: float) -> str:
    """Say how far a profile's value lies from the market's middle, in robust standard deviations."""
    size = next((word for least, word in ((2.0, "far"), (1.0, "clearly"), (0.5, "somewhat")) if abs(z) >= least), "")
    return f"{size} {'above' if z > 0 else 'below'}" if size else "about the same"


def day(instant: int | None) -> str:
    """Print the UTC date of an instant."""
    return "–" if instant is None else f"{datetime.fromtimestamp(instant, UTC):%-d %B %Y}"


def listed(items: Sequence[str]) -> str:
    """Join words as a sentence does."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else ""


def verdict_counts(verdicts: dict[str, int]) -> str:
    """Count verdicts, best first."""
    return ", ".join(f"{verdicts[name]:,} {title.lower()}" for name, (title, _) in VERDICTS.items() if verdicts.get(name))


def tied_with_first(ranking: Sequence[dict[str, Any]]) -> int:
    """Count the leading rows whose score interval overlaps that of the first, itself included; 0 where there are no intervals."""
    if not ranking or ranking[0]["score_low"] is None:
        return 0
    apart = (at for at, row in enumerate(ranking) if row["score_high"] is None or row["score_high"] < ranking[0]["score_low"])
    return next(apart, len(ranking))


def titled(note: str, titles: Mapping[str, str]) -> str:
    """Put the titles of features for their names."""
    return re.sub(r"\w+", lambda found: f"“{titles[found[0]]}”" if found[0] in titles else found[0], note)


def quoted(text: str, *, most_words: int = 25) -> str:
    """Cut a quote to the longest that the policy allows."""
    words = text.split()
    return " ".join(words) if len(words) <= most_words else " ".join(words[:most_words]) + " …"
