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
    "not_scored": ("Not scored", "a sensitive subject, a source whose rules forbid it, or the same community as another one"),
}
"""Verdict to what the reader sees and what it means, from best to worst."""
TIERS = {
    "T4": "says what they pay",
    "T3": "is buying or switching",
    "SW": "looks for an alternative",
    "T2": "says they would pay",
    "T1": "looks for a solution",
    "W": "makes do by hand",
    "T0": "describes a pain",
    "S": "finds it too expensive",
    "N": "refuses to pay",
    "P": "promotes their own",
}
KINDS = {"archetype": ("kind of community", "kinds of community"), "niche": ("niche", "niches"), "community": ("community", "communities")}
STATUS = {
    "complete": "read to the end",
    "unverified": "read to the end, but not proven whole",
    "partial": "only a part could be used",
    "failed": "failed",
}
ONLY_WHOLE = {
    "retention": "whether people come back",
    "rmst_90": "how long they stay",
    "growth": "growth",
    "newcomer_share": "newcomers",
    "engaged_share": "regulars",
    "posting_frequency": "how often people post",
}
"""Features that need every record, with what they would tell."""
MOST_OF_A_LISTING = 2_000
"""Records up to which the longest listing is worth telling; what was read day by day adds up to more."""
STANDINGS = {
    "stable": "stable",
    "doubtful": "doubtful: its border moves",
    "dissolved": "no kind, as it does not come back; its communities are ranked one by one",
}
"""How well a group comes back when communities are drawn again."""
CRITERIA = {
    "gap": "Gap to structureless data",
    "silhouette": "Silhouette (how far apart)",
    "bic_diag": "BIC of plain groups (low is good)",
    "bic_full": "BIC of any shape (low is good)",
    "prediction_strength": "Prediction strength",
    "density": "Regions of density",
    "bootstrap_jaccard": "Overlap when drawn again",
    "split_half_ari": "Agreement of two halves",
    "valley": "Valleys between groups",
    "valley_groups": "Groups with a valley or a long way between",
    "clearance": "Ways between groups longer than steps within",
    "inertia": "Spread inside groups (low is good)",
}
"""What a reader is shown of how the number of groups was chosen."""


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


def chosen_again(confidence: float) -> str:
    """Say in how many resampled runs the same number of groups was chosen."""
    return f"{'none' if confidence < 0.005 else percent(confidence)} of the resampled runs chose it again"


def votes(told: Mapping[str, int]) -> str:
    """Say what each measure alone would choose, the largest number first."""
    ordered = sorted(told.items(), key=lambda vote: (-vote[1], vote[0]))
    return listed([f"{CRITERIA.get(name, plain(name)).partition(' (')[0]} {k}" for name, k in ordered])


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
    """Count the leading rows that may rank as high as the first does, itself included; 0 where there are no intervals."""
    if not ranking or ranking[0]["score_low"] is None:
        return 0
    apart = (at for at, row in enumerate(ranking) if row["rank_low"] is None or row["rank_low"] > ranking[0]["rank_high"])
    return next(apart, len(ranking))


def source_name(name: str) -> str:
    """Name a source without the folders that its file lies in."""
    kind, told, path = name.partition(":")
    if not told:
        kind, path = "", name
    short = re.split(r"[/\\]", path.rstrip("/\\"))[-1] or path
    return f"{kind}:{short}" if told else short


def shows(source: Mapping[str, Any]) -> str:
    """Say how much of its communities a source shows, as measured."""
    listed, communities = source["listed"], source["communities"]
    if not communities:
        return "nothing that was measured"
    if not listed:
        return "every record of its span"
    return f"{'a listing of each community' if listed == communities else f'{listed:,} of {communities:,} as a listing'}, no census"


def how(source: Mapping[str, Any]) -> str:
    """Say how the reading of a source went, in one line."""
    status, reason = source["status"], source["reason"]
    if status == "unverified" and "checksum" in reason:
        more = reason.partition("would not show.")[2].strip()
        return f"read to the end; no checksum proves it whole{f': {more}' if more else ''}"
    return f"{STATUS.get(status, plain(status))}: {reason}" if reason else STATUS.get(status, plain(status))


def listing(totals: Mapping[str, Any], *, communities: int) -> str:
    """Say how many communities are seen through a listing, and of how many records."""
    who = "Each community is" if totals["listed"] == communities else f"{totals['listed']:,} of {communities:,} communities are"
    longest = totals["longest_listing"]
    return f"{who} seen through a listing{f' of at most {longest:,} records' if longest <= MOST_OF_A_LISTING else ''}"


def unknown(features: Sequence[str]) -> str:
    """List what only whole communities would tell and a listing does not, by the features without a value."""
    return listed([told for name, told in ONLY_WHOLE.items() if name in features])


def short_licence(licence: str) -> str:
    """Name a licence where it is one that must stand beside a quote; the terms of sources stand together in the method."""
    return licence.partition(";")[0] if licence.startswith("CC ") else ""


_HOLES = re.compile(r"(?P<name>\w+): (?P<n>\d+) of (?P<of>\d+) communities have no value; they take the median")
_RARE = re.compile(r"(?P<name>\w+): measured in (?P<n>\d+) of (?P<of>\d+) communities; left out of the clustering")


def notes(told: str, titles: Mapping[str, str]) -> list[str]:
    """Sum up the notes of a run: those that say the same of many features become one."""
    lines = [line for line in told.splitlines() if line.strip()]
    holes, rare = ([found for line in lines if (found := pattern.match(line))] for pattern in (_HOLES, _RARE))
    other = [titled(line, titles) for line in lines if not _HOLES.match(line) and not _RARE.match(line)]
    if rare:
        names = "; ".join(titles.get(found["name"], plain(found["name"])) for found in rare)
        other.insert(0, f"Left out of the grouping, as too few communities have a value: {names}.")
    if holes:
        most = max(int(found["n"]) / int(found["of"]) for found in holes)
        where = counted(len(holes), "quantity", "quantities")
        other.append(f"In {where} up to {percent(most)} of the communities have no value; the grouping takes the median there.")
    return other


_SMALL = re.compile(r"small[_ ]n: [\d,.]+ (?P<what>.+), (?P<least>[\d,]+) needed")


def gaps(features: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Put quantities together that are missing equally often for the same reason: titles, measured, communities, reason."""
    together: dict[tuple[int, int, str], list[str]] = {}
    for row in features:
        found = _SMALL.fullmatch(row["reason"])
        reason = f"fewer than {found['least']} {found['what']}" if found else row["reason"]
        together.setdefault((row["measured"], row["communities"], reason), []).append(row["title"])
    return [
        {"titles": "; ".join(titles), "measured": measured, "communities": communities, "reason": reason}
        for (measured, communities, reason), titles in together.items()
    ]


def titled(note: str, titles: Mapping[str, str]) -> str:
    """Put the titles of features for their names, where a note begins with one or no word could be mistaken for one."""
    return re.sub(r"^\w+|\w*_\w*", lambda found: f"“{titles[found[0]]}”" if found[0] in titles else found[0], note)


def quoted(text: str, *, most_words: int = 25) -> str:
    """Cut a quote to the longest that the policy allows."""
    words = text.split()
    return " ".join(words) if len(words) <= most_words else " ".join(words[:most_words]) + " …"
