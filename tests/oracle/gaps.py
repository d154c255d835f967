"""Why a feature is missing, and how much of a community it saw: told from the written definitions and the declared evidence."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from discovery.features import FEATURES
from tests.oracle import answers, language, market, people
from tests.oracle.entries import Activity

UNSPACED = {"zh", "ja", "th", "lo", "km"}
AMOUNTS = ("tokens", "threads", "months", "records", "authors")
"""What a feature may need, the one that is named last first."""


class Gap(NamedTuple):
    """What stands beside a value."""

    coverage: float
    missing_reason: str | None


def observed(activity: Activity, community: str) -> float:
    """Give the share of a month that a source shows, of which a listing's oldest tenth may be pinned; 1 of a complete one."""
    if activity.places.at[community, "coverage"] == "complete":
        return 1.0
    return 0.9 * min(1.0, people.exposure(activity, community)[1] / 28)


@cache
def amounts(activity: Activity, community: str) -> dict[str, int]:
    """Count what evidence is counted in."""
    entries = activity.groups[community]
    posts, help_, asking = answers.threads(activity)[community], answers.help_threads(activity)[community], answers.end(activity, community)
    stored = answers.stores_replies(activity, community)
    worded = entries[(entries["title"] != "") | (entries["text"] != "")]
    known = posts[posts["author"].notna()]
    aged = known[known["t"] <= asking - answers.HOURS_48]
    settled = help_[help_["author"].notna() & (help_["t"] <= asking - answers.WEEK)]
    marked = [stored or market.accepted_known(post) for post in settled.itertuples()]
    rows = market.namings(activity)[community]
    tiers = entries.loc[entries["author"].notna(), ["author", "record_id"]]
    return {
        "records": activity.volume[community],
        "by_people": activity.copies[community][1],
        "authors": entries["author"].nunique(),
        "voters": worded["author"].nunique(),
        "procuring authors": tiers.loc[["T3" in activity.tiers.get(r, ()) for r in tiers["record_id"]], "author"].nunique(),
        "months": len(people.months(activity, community)) if activity.places.at[community, "coverage"] == "complete" else 0,
        "tokens": sum(len(said.words) for said in language.samples(activity)[community]),
        "threads": len(posts),
        "aged threads": len(aged) if stored else int(aged["replies"].notna().sum()),
        "waited threads": len(answers.waits(activity, community, posts)) if stored else 0,
        "help threads": sum(marked),
        "asking threads": len(help_),
        "worded posts": int(worded["post"].sum()),
        "pairs": int(answers.reciprocity(activity).get(community, {"n": 0})["n"]),
        "need votes": market.need_votes(activity).get(community, 0),
        "product votes": len({(author, product) for _, found in rows for author, product in found if pd.notna(author)}),
    }


COUNTED = {
    "duplicate_share": "by_people", "reciprocity": "pairs", "reply_latency": "waited threads", "unanswered_48h": "aged threads",
    "unsolved_share": "help threads", "question_share": "worded posts", "need_concentration": "need votes",
    "product_mentions": "asking threads", "product_hhi": "product votes", "switching_wedge": "procuring authors",
    **dict.fromkeys(("seeking", "pain", "revealed_spend", "procurement", "hypothetical_pay", "refusal", "price_sensitivity"), "voters"),
    **dict.fromkeys(("workaround_rate", "money", "promotion"), "voters"),
}  # fmt: skip
"""What the one amount of a feature's evidence is counted in, where it is not its plain name."""


def unread(activity: Activity, community: str) -> str | None:
    """Say why the lexicon cannot be read here."""
    spoken = activity.places.at[community, "language"]
    if spoken == "en":
        return None
    entries = activity.groups[community]
    if not ((entries["title"] != "") | (entries["text"] != "")).any():
        return "text: the records hold none"
    return "language: too little text to tell" if pd.isna(spoken) else f"no lexicon for {spoken}"


def replies_counted(activity: Activity, community: str) -> bool:
    """Tell whether the platform counts replies here."""
    return bool(activity.groups[community]["replies"].notna().any())


def reason(activity: Activity, feature: str, community: str, *, undefined: bool, portfolio: tuple[str, ...]) -> str | None:
    """Say why a feature is missing: what a source cannot show, then an unread language, then its own reason, then what is only few."""
    needs = FEATURES[feature].needs
    if needs.complete and activity.places.at[community, "coverage"] != "complete":
        return "coverage: a listing shows a selection of records, and this needs all of them"
    if needs.lexicon and unread(activity, community):
        return unread(activity, community)
    own = OWN.get(feature, lambda *_: None)(activity, community) if feature != "cross_promotion" else _fit(activity, community, portfolio)
    if own:
        return str(own)
    have = amounts(activity, community)
    for amount in reversed(AMOUNTS):
        least, name = getattr(needs, amount), COUNTED.get(feature, amount) if amount != "tokens" else amount
        if feature == "question_share" and amount == "authors":
            name = "authors"
        if least and have[name] < least:
            return f"small_n: {have[name]} {name.replace('_', ' ')}, {least} needed"
    return "undefined: nothing to count in the denominator" if undefined else None


def _fit(activity: Activity, community: str, portfolio: tuple[str, ...]) -> str | None:
    """Say why nothing of one's own is beside a community."""
    here = activity.places.index[activity.places["platform"] == activity.places.at[community, "platform"]]
    if not set(portfolio) & set(activity.places.index):
        return "no portfolio configured"
    if not set(portfolio) & set(here):
        return "portfolio: none of its communities is on this platform in this run"
    return "portfolio: this is the only one of its communities here" if set(portfolio) & set(here) == {community} else None


def _replies(activity: Activity, community: str) -> str | None:
    known = answers.stores_replies(activity, community) or replies_counted(activity, community)
    return None if known else "replies: the source neither stores nor counts them"


def _stored(activity: Activity, community: str) -> str | None:
    return None if answers.stores_replies(activity, community) else "replies: the source does not store them"


def _latency(activity: Activity, community: str) -> str | None:
    late = "censored: fewer than half of the posts are ever answered"
    return _stored(activity, community) or (None if community in answers.reply_latency(activity) else late)


def _unsolved(activity: Activity, community: str) -> str | None:
    marks = activity.groups[community]["accepted"].notna().any()
    return None if marks else unread(activity, community) or _stored(activity, community)


def _mutual(activity: Activity, community: str) -> str | None:
    return None if amounts(activity, community)["pairs"] else _stored(activity, community)


def _alone(activity: Activity, community: str) -> str | None:
    platforms = activity.places["platform"]
    return "overlap: no other community of the platform is measured" if (platforms == platforms[community]).sum() < 2 else None


def _months(activity: Activity, community: str) -> str | None:
    none = activity.places.at[community, "coverage"] == "complete" and not people.months(activity, community)
    return "coverage: 0 whole 28-day months, 1 needed" if none else None


def _words(activity: Activity, community: str) -> str | None:
    spoken = activity.places.at[community, "language"]
    return "words: the language is written without spaces" if spoken in UNSPACED else None


def _special(activity: Activity, community: str) -> str | None:
    spoken = activity.places.at[community, "language"]
    if pd.isna(spoken):
        return "language: too little text to tell"
    beside = (activity.places["language"] == spoken).sum() > 1
    return _words(activity, community) or (None if beside else "background: no other community of its language is measured")


def _parts(activity: Activity, community: str) -> str | None:
    if not market.engagement(activity):
        return "small_n: fewer than 2 parts are measured in 10 communities"
    few = "parts: fewer than 2 of engagement's four parts are measured"
    return None if community in market.engagement(activity) else few


def _taken(activity: Activity, community: str) -> str | None:
    few = "parts: fewer than 2 of saturation's three parts are measured"
    return None if community in market.saturation(activity) else few


def _named(activity: Activity, community: str) -> str | None:
    return None if amounts(activity, community)["product votes"] else "products: none is named in its help threads"


OWN: dict[str, Callable[[Activity, str], str | None]] = {
    "active_authors": _months, "comments_per_post": _replies, "discussants_per_thread": _stored, "unanswered_48h": _replies,
    "unsolved_share": _unsolved, "reply_latency": _latency, "reciprocity": _mutual, "author_overlap": _alone, "lexical_diversity": _words,
    "specificity": _special, "engagement": _parts, "saturation": _taken, "headroom": _taken, "product_hhi": _named,
    "switching_wedge": _named,
}  # fmt: skip
"""What a feature says of itself before anybody counts."""


def coverage(activity: Activity, feature: str, community: str, told: dict[str, Any]) -> float:
    """Give the share that a known value saw."""
    seen, have = observed(activity, community), amounts(activity, community)
    if feature == "growth":
        return float(told["n"] / have["months"])
    if feature in {"unanswered_48h", "reply_latency"}:
        part = have["aged threads" if feature == "unanswered_48h" else "waited threads"]
        return seen * part / max(have["threads"], 1)
    if feature == "engagement":
        return seen * float(told["parts"]) / 4
    if feature in {"saturation", "headroom"}:
        return seen * min(float(told["weight"]), 0.6)
    return seen


def gaps(activity: Activity, feature: str, told: dict[str, dict[str, Any]], *, portfolio: tuple[str, ...]) -> pd.DataFrame:
    """Give coverage and reason of a feature in every community."""
    rows = {}
    for community in activity.groups:
        row = told.get(community)
        undefined = row is None or not np.isfinite(row["value"])
        why = reason(activity, feature, community, undefined=undefined, portfolio=portfolio)
        rows[community] = Gap(0.0 if why else coverage(activity, feature, community, row or {}), why)
    return pd.DataFrame.from_dict(rows, orient="index", columns=Gap._fields)
