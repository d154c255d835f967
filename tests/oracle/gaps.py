"""Why a feature is missing, and how much of a community it saw: told from the written definitions and the declared evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from discovery.features import FEATURES, Scope
from tests.oracle import answers, habits, integrity, language, market, neighbours, newcomers, people
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
    whole = activity.places.at[community, "coverage"] == "complete"
    tiers = entries.loc[entries["author"].notna(), ["author", "record_id"]]
    return {
        "records": activity.volume[community],
        "by_people": activity.copies[community][1],
        "authors": entries["author"].nunique(),
        "voters": worded["author"].nunique(),
        "procuring_authors": tiers.loc[["T3" in activity.tiers.get(r, ()) for r in tiers["record_id"]], "author"].nunique(),
        "months": len(people.months(activity, community)) if whole else 0,
        "lively_months": len(habits.waits(activity, community)) if whole else 0,
        "followed_author_months": len(habits.followed(activity)[community]) if whole else 0,
        "newcomer_posts": sum(new for _, new, *_ in newcomers.asked(activity, community)) if whole else 0,
        "scored_posts": len(habits.scored(activity, community)),
        "roaming_authors": len(neighbours.people(activity)[community]),
        "links": len(integrity.links(activity, community)),
        "long_texts": len(language.long_texts(activity, community)),
        "payers": sum(currency == "USD" for currency, _ in market.payers(activity).get(community, {}).values()),
        "tokens": sum(len(said.words) for said in language.samples(activity)[community]),
        "threads": len(posts),
        "aged_threads": len(aged) if stored else int(aged["replies"].notna().sum()),
        "waited_threads": len(answers.waits(activity, community, posts)) if stored else 0,
        "help_threads": sum(marked),
        "asking_threads": len(help_),
        "posts": int(entries["post"].sum()),
        "worded_posts": int(worded["post"].sum()),
        "pairs": int(answers.reciprocity(activity).get(community, {"n": 0})["n"]),
        "need_votes": market.need_votes(activity).get(community, 0),
        "product_votes": len({(author, product) for _, found in rows for author, product in found if pd.notna(author)}),
    }


@cache
def unread(activity: Activity, community: str) -> str | None:
    """Say why the lexicon cannot be read here."""
    spoken = activity.places.at[community, "language"]
    if spoken == "en":
        return None
    entries = activity.groups[community]
    if not ((entries["title"] != "") | (entries["text"] != "")).any():
        return "text: the records hold none"
    return "language: too little text to tell" if pd.isna(spoken) else f"no lexicon for {spoken}"


@cache
def replies_counted(activity: Activity, community: str) -> bool:
    """Tell whether the platform counts replies here."""
    return bool(activity.groups[community]["replies"].notna().any())


def reason(activity: Activity, feature: str, community: str, *, undefined: bool, scope: Scope) -> str | None:
    """Say why a feature is missing: what a source cannot show, then an unread language, then its own reason, then what is only few."""
    needs = FEATURES[feature].needs
    if needs.complete and activity.places.at[community, "coverage"] != "complete":
        return "coverage: a listing shows a selection of records, and this needs all of them"
    if needs.lexicon and unread(activity, community):
        return unread(activity, community)
    own = ASKED[feature](activity, community, scope) if feature in ASKED else OWN.get(feature, lambda *_: None)(activity, community)
    if own:
        return str(own)
    have = amounts(activity, community)
    for amount in reversed(AMOUNTS):
        least, name = getattr(needs, amount), FEATURES[feature].counted.get(amount, amount)
        if least and have[name] < least:
            return f"small_n: {have[name]} {name.replace('_', ' ')}, {least} needed"
    return "undefined: nothing to count in the denominator" if undefined else None


def _fit(activity: Activity, community: str, scope: Scope) -> str | None:
    """Say why nothing of one's own is beside a community."""
    portfolio = scope.portfolio
    here = activity.places.index[activity.places["platform"] == activity.places.at[community, "platform"]]
    if not portfolio:
        return "no portfolio configured"
    if not set(portfolio) & set(here):
        return "portfolio: none of its communities is on this platform in this run"
    return "portfolio: this is the only one of its communities here" if set(portfolio) & set(here) == {community} else None


def _placed(activity: Activity, community: str, scope: Scope) -> str | None:
    few = "communities: fewer than 10 of the platform are measured, too few to place them by their people"
    return _fit(activity, community, scope) or (None if community in neighbours.places(activity) else few)


def _sites(activity: Activity, community: str, scope: Scope) -> str | None:
    return _pointing(activity, community) if scope.sites else "no sites configured"


def _members(activity: Activity, community: str) -> str | None:
    told = activity.places.at[community, "members"] > 0
    return _months(activity, community) if told else "members: the source does not tell how many there are"


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
    compared = (activity.places["language"] == spoken).sum() > 1 or not language.vocabulary(activity)[community]
    return _words(activity, community) or (None if compared else "background: no other community of its language is in it")


def _changing(activity: Activity, community: str) -> str | None:
    few = "words: fewer than 3 months hold 200 sampled words of people who count in them"
    return _words(activity, community) or (few if len(language.monthly(activity)[community]) < 3 else None)


def _elsewhere(activity: Activity, community: str) -> str | None:
    return _words(activity, community) or ("communities: no other one is measured" if len(activity.places) < 2 else None)


def _beside(activity: Activity, community: str) -> list[str]:
    """Give the communities that the same source shows."""
    return list(activity.places.index[activity.places["source"] == activity.places.at[community, "source"]])


def _voted(activity: Activity, community: str) -> str | None:
    aged = any(len(habits.scored(activity, other)) for other in _beside(activity, community))
    posts = [activity.groups[other].query("post")["score"] for other in _beside(activity, community) if other in activity.groups]
    if not any(scores.notna().any() for scores in posts):
        return "scores: the source shows none"
    return None if aged else "scores: the source shows none of a post of 48 hours"


def _pointing(activity: Activity, community: str) -> str | None:
    shown = any(len(integrity.links(activity, other)) for other in _beside(activity, community))
    return None if shown else "links: the source shows no domain of any post"


def _strata(activity: Activity, community: str) -> str | None:
    seen = habits.followed(activity)[community]["k"].value_counts()
    unseen = "strata: of one intensity (1, 2-4, 5+ records a month) nobody is seen whose next month is covered"
    return unseen if seen.sum() >= FEATURES["equal_retention"].needs.records and not (seen > 0).all() else None


def _histories(activity: Activity, community: str) -> str | None:
    few = "histories: fewer than 10 communities of the platform are shown whole"
    return few if habits.shown_whole(activity, community) < 10 else None


def _currency(activity: Activity, community: str) -> str | None:
    named = Counter(currency for currency, _ in market.payers(activity)[community].values())
    least = FEATURES["amount_paid"].needs.authors
    other = named["USD"] < least and max(named.values(), default=0) >= least
    return "currency: people name another one, and only US dollars are told" if other else None


def _parts(activity: Activity, community: str) -> str | None:
    if not market.engagement(activity):
        return "small_n: fewer than 2 parts are measured in 10 communities"
    few = "parts: fewer than 2 of engagement's four parts are measured"
    return None if community in market.engagement(activity) else few


def _taken(activity: Activity, community: str) -> str | None:
    few = "parts: fewer than 2 of saturation's three parts are measured"
    return None if community in market.saturation(activity) else few


def _named(activity: Activity, community: str) -> str | None:
    return None if amounts(activity, community)["product_votes"] else "products: none is named in its help threads"


OWN: dict[str, Callable[[Activity, str], str | None]] = {
    "active_authors": _months, "comments_per_post": _replies, "discussants_per_thread": _stored, "unanswered_48h": _replies,
    "unsolved_share": _unsolved, "reply_latency": _latency, "reciprocity": _mutual, "author_overlap": _alone, "lexical_diversity": _words,
    "specificity": _special, "engagement": _parts, "saturation": _taken, "headroom": _taken, "product_hhi": _named,
    "switching_wedge": _named, "welcome_ratio": _stored, "mattr": _words, "mtld": _words, "dynamicity": _changing,
    "crosspost_share": _elsewhere, "median_score": _voted, "domain_concentration": _pointing, "equal_retention": _strata,
    "loyalty": _histories, "specialisation": _histories, "amount_paid": _currency, "participation": _members,
}  # fmt: skip
"""What a feature says of itself before anybody counts."""
ASKED = {"cross_promotion": _fit, "portfolio_fit": _placed, "link_fit": _sites}
"""What those say that depend on what is the user's own."""


PARTS = {
    "burstiness": ("lively_months", "months"), "median_score": ("scored_posts", "posts"),
    "unanswered_48h": ("aged_threads", "threads"), "reply_latency": ("waited_threads", "threads"),
}  # fmt: skip
"""Of which amount a feature sees which."""


def coverage(activity: Activity, feature: str, community: str, told: dict[str, Any]) -> float:
    """Give the share that a known value saw."""
    seen, have = observed(activity, community), amounts(activity, community)
    if feature == "growth":
        return float(told["n"] / have["months"])
    if feature in PARTS:
        part, whole = PARTS[feature]
        return seen * have[part] / max(have[whole], 1)
    if feature == "engagement":
        return seen * float(told["parts"]) / 4
    if feature in {"saturation", "headroom"}:
        return seen * min(float(told["weight"]), 0.6)
    return seen


def gaps(activity: Activity, feature: str, told: dict[str, dict[str, Any]], *, scope: Scope) -> pd.DataFrame:
    """Give coverage and reason of a feature in every community."""
    rows = {}
    for community in activity.groups:
        row = told.get(community)
        undefined = row is None or not np.isfinite(row["value"])
        why = reason(activity, feature, community, undefined=undefined, scope=scope)
        rows[community] = Gap(0.0 if why else coverage(activity, feature, community, row or {}), why)
    return pd.DataFrame.from_dict(rows, orient="index", columns=Gap._fields)
