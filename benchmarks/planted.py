"""The true value of each feature in a planted community, from what was planted in its people: without any feature's code.

In: what a reader sees of a community drawn many times. Out: one number per feature. Who leaves, wants, promotes, stays unanswered is
read off the plan; what only words hold (products, kinds of need, repeats) is found by the names and sentences they were made from.
Every function is called as the feature is; what needs other communities stands in :mod:`benchmarks.truth`.
"""

from __future__ import annotations

import math
import re

import numpy as np
import pandas as pd

from benchmarks.redraw import Shown
from discovery.sources.world import END
from discovery.sources.world.threads import DAY, HOUR, MONTH

TIERS = {
    "seeking": "seek", "pain": "hurt", "revealed_spend": "pay", "procurement": "procure", "hypothetical_pay": "pledge",
    "refusal": "refuse", "price_sensitivity": "gripe", "workaround_rate": "patch", "promotion": "promotes",
}  # fmt: skip
"""Which plan each share of people shows."""
OLDEST = 0.1
"""Part of a listing that is left out, since it may be older posts that are pinned."""
LOOK_BACK = 4
"""Whole months that must have been seen before somebody counts as new."""
SWITCHES = re.compile(r"\b(?:switched from|alternatives to|migrating away)\b")
"""What the sentences about buying say of leaving."""


def posting_frequency(shown: Shown) -> float:
    """Records a day, copies of one's own left out."""
    return float((len(shown.human) - _copies(shown).sum()) / shown.drawn.draws / shown.days)


def active_authors(shown: Shown) -> float:
    """People of a whole month; in a listing of 28 days back from its end, of as many as its newest nine tenths span, at least one."""
    if not shown.listing:
        return len(shown.months) / shown.drawn.draws / max(len(shown.drawn.era.whole), 1)
    bins = max((END - int(shown.human["at"].quantile(OLDEST))) // MONTH, 1)
    records = shown.drawn.records
    back = (END - 1 - records["at"]) // MONTH
    recent = records[records["known"] & (back < bins)].assign(back=back)
    return len(recent.drop_duplicates(["back", "person"])) / shown.drawn.draws / bins


def inequality(shown: Shown) -> float:
    """Gini coefficient with its correction for few people, in draws of the world's size."""
    return float(np.mean([_gini(x[::-1]) for x in _numbers(shown) if len(x) > 1]))


def _gini(x: np.ndarray) -> float:
    n = len(x)
    return float(2 * (np.arange(1, n + 1) * x).sum() / x.sum() - (n + 1)) / (n - 1)


def author_concentration(shown: Shown) -> float:
    """Share of the busiest hundredth, in draws of the world's size."""
    busiest = [x[: math.ceil(len(x) / 100)].sum() for x in _numbers(shown)]
    return float(sum(busiest) / len(shown.known))


def elephant_number(shown: Shown) -> float:
    """Median over draws of how many write half."""
    return float(np.median([np.searchsorted(np.cumsum(x), x.sum() / 2) + 1 for x in _numbers(shown)]))


def _numbers(shown: Shown) -> list[np.ndarray]:
    """Give the records of each person, descending, by draw."""
    return [known["person"].value_counts().to_numpy() for _, known in shown.known.groupby("draw")]


def duplicate_share(shown: Shown) -> float:
    """Copies of one's own."""
    return float(_copies(shown).sum() / len(shown.human))


def _copies(shown: Shown) -> pd.Series[bool]:
    long = shown.known[shown.known["title"].str.len() + shown.known["text"].str.len() >= 20]
    place = long["thread"].where(~long["post"], -1)
    return long.assign(place=place).duplicated(["person", "title", "text", "place"])


def deleted_share(shown: Shown) -> float:
    """Records of people who deleted their account."""
    return float(1 - shown.human["known"].mean())


def retention(shown: Shown) -> float:
    """Chance of staying, over everybody's months."""
    return float(1 - shown.drawn.hazards.mean())


def churn(shown: Shown) -> float:
    """Chance of leaving."""
    return float(shown.drawn.hazards.mean())


def rmst_90(shown: Shown) -> float:
    """Days that people stay, of ninety."""
    return float(np.minimum(shown.drawn.lives, 90).mean())


def survival_28(shown: Shown) -> float:
    """Share that stays 28 days."""
    return float((shown.drawn.lives >= 28).mean())


def survival_90(shown: Shown) -> float:
    """Share that stays 90 days."""
    return float((shown.drawn.lives >= 90).mean())


def newcomer_share(shown: Shown) -> float:
    """Share of people's months that are their first, after four whole months."""
    first = (shown.known.groupby("person")["at"].min() - shown.drawn.era.start) // MONTH
    late = shown.months[shown.months["month"] >= shown.drawn.era.whole.start + 4]
    return float((late["month"].to_numpy() == first.reindex(late["person"]).to_numpy()).mean()) if len(late) else math.nan


def engaged_share(shown: Shown) -> float:
    """Share of people's months with five active days."""
    return float((shown.months["days"] >= 5).mean())


def growth(shown: Shown) -> float:
    """Log change of the people present."""
    return shown.drawn.site.habits.growth


def newcomer_conversion(shown: Shown) -> float:
    """New people who write again on one of the 28 days after that of their first record."""
    era, known = shown.drawn.era, shown.known
    first = known.groupby("person")["at"].min()
    new = first[(first >= era.start + (era.whole.start + LOOK_BACK) * MONTH) & (first <= END - MONTH)]
    begun = known["person"].map(new)
    again = known[(known["at"] // DAY - begun // DAY).between(1, MONTH // DAY)]
    return again["person"].nunique() / len(new) if len(new) else math.nan


def welcome_ratio(shown: Shown) -> float:
    """Log ratio of new people's share of the answered posts to their share of posts."""
    era, posts = shown.drawn.era, _aged(shown, 2)
    posts = posts[posts["at"] >= era.start + (era.whole.start + LOOK_BACK + 1) * MONTH]
    new = posts["at"] < posts["person"].map(shown.known.groupby("person")["at"].min()) + MONTH
    met = shown.first_answer.reindex(posts.index) - posts["at"] <= 2 * DAY
    return math.log(new[met].mean() / new.mean()) if new[met].any() else math.nan


def burstiness(shown: Shown) -> float:
    """Mean position between clock and burst (Kim & Jo 2016, equation 22) of the waits of whole months that have thirty."""
    month = (shown.human["at"] - shown.drawn.era.start) // MONTH
    whole = shown.human[month.isin(shown.drawn.era.whole)].sort_values("at")
    waits = whole.groupby(["draw", month[whole.index]])["at"].diff().dropna()
    told = waits.groupby([whole["draw"][waits.index], month[waits.index]]).agg(["count", "mean", lambda wait: wait.std(ddof=0)])
    told = told[told["count"] >= 30].set_axis(["n", "mean", "spread"], axis=1)
    r, more, less = told["spread"] / told["mean"], np.sqrt(told["n"] + 1), np.sqrt(told["n"] - 1)
    return float(((more * r - less) / ((more - 2) * r + less)).mean()) if len(told) else math.nan


def burst_share(shown: Shown) -> float:
    """The month in which a crowd was planted, of the whole months."""
    return int(shown.drawn.site.brigaded) / len(shown.drawn.era.whole)


def bot_share(shown: Shown) -> float:
    """Records of the program."""
    records = shown.drawn.records
    return float(1 - records.loc[records["at"] >= shown.since, "human"].mean())


def domain_concentration(shown: Shown) -> float:
    """Chance that two posts of those who promote, each one product always, are of one product: mean over draws of the world's size."""
    posts = shown.posts[shown.posts["promotes"]]
    product = posts["person"] % len(shown.drawn.site.subject.products)
    each = posts.groupby(["draw", product]).size()
    links = each.groupby("draw").sum()
    return float(((each * (each - 1)).groupby("draw").sum() / (links * (links - 1)))[links > 1].mean())


def median_score(shown: Shown) -> float:
    """Logarithm of the votes that half of the posts pass: twice the community's applause, which is a record's."""
    return math.log1p(round(2 * shown.drawn.site.habits.applause))


def comments_per_post(shown: Shown) -> float:
    """People's replies per post."""
    return shown.replies["human"].sum() / len(shown.posts) if len(shown.posts) else math.nan


def discussants_per_thread(shown: Shown) -> float:
    """Known others per post."""
    others = shown.replies[shown.replies["known"] & (shown.replies["person"] != shown.replies["asker"])]
    return len(others.drop_duplicates(["thread", "person"])) / len(shown.posts) if len(shown.posts) else math.nan


def reciprocity(shown: Shown) -> float:
    """Pairs that answer each other, of those in contact, in draws of the world's size."""
    parents = shown.known["person"].reindex(shown.known["parent"]).to_numpy()
    links = pd.DataFrame({"giver": shown.known["person"].to_numpy(), "taker": parents}).dropna().astype(int)
    links = links[links["giver"] != links["taker"]].drop_duplicates()
    pairs = links.min(axis=1) * (links.to_numpy().max(initial=0) + 1) + links.max(axis=1)
    return float(pairs.duplicated().sum() / pairs.nunique()) if len(pairs) else math.nan


def _aged(shown: Shown, days: int) -> pd.DataFrame:
    return shown.posts[shown.posts["known"] & (shown.posts["at"] <= END - days * DAY)]


def reply_latency(shown: Shown) -> float:
    """Median wait in hours, of those too whom nobody answers."""
    posts = _aged(shown, 2)
    wait = (shown.first_answer.reindex(posts.index) - posts["at"]).fillna(np.inf)
    return float(wait.median() / HOUR) if len(posts) else math.nan


def unanswered_48h(shown: Shown) -> float:
    """Posts that nobody answers in two days."""
    posts = _aged(shown, 2)
    wait = (shown.first_answer.reindex(posts.index) - posts["at"]).fillna(np.inf)
    return float((wait > 2 * DAY).mean()) if len(posts) else math.nan


def unsolved_share(shown: Shown) -> float:
    """Questions that are planned to stay unsolved."""
    asked = _aged(shown, 7)
    return float(1 - asked.loc[asked["asks"], "solved"].mean())


def question_share(shown: Shown) -> float:
    """Posts that ask."""
    return float(shown.posts.loc[shown.posts["known"], "asks"].mean())


def voices(shown: Shown) -> dict[str, float]:
    """Shares of people who say what they want or offer, and money."""
    said = shown.known.groupby("person")[list(TIERS.values())].any().mean()
    told = {feature: float(said[plan]) for feature, plan in TIERS.items()}
    told["money"] = told["revealed_spend"] + 0.6 * told["procurement"] + 0.25 * told["hypothetical_pay"] - 0.4 * told["refusal"]
    return told


def _named(shown: Shown) -> pd.DataFrame:
    """Give what is named in the threads that ask."""
    asking = shown.posts.index[shown.posts["asks"]]
    named = shown.drawn.named
    return named[named["thread"].isin(asking)]


def products(shown: Shown) -> dict[str, float]:
    """Products per call for help, their concentration, how many buyers leave them, and how content those are who hear of one."""
    named = _named(shown)
    asking = int(shown.posts["asks"].sum())
    votes = named[named["known"]].drop_duplicates(["person", "product"])["product"].value_counts(normalize=True)
    buying = shown.known[shown.known["procure"]]
    leaving = buying["text"].str.contains(SWITCHES).groupby(buying["person"]).any()
    hhi = float((votes**2).sum()) if len(votes) else math.nan
    advised = _aged(shown, 7)
    advised = advised[advised.index.isin(named["thread"])]
    return {
        "product_mentions": len(named.drop_duplicates(["thread", "product"])) / asking if asking else math.nan,
        "product_hhi": hhi,
        "switching_wedge": float(leaving.mean()) * hhi if len(leaving) else math.nan,
        "satisfaction": float(advised["solved"].mean()) if len(advised) else math.nan,
    }


def need_concentration(shown: Shown) -> float:
    """Agreement of the needs that were planted in calls and complaints, in draws of the world's size."""
    votes = shown.known.assign(need=shown.drawn.needs).dropna(subset="need").drop_duplicates(["person", "need"])
    agreed = []
    for _, mine in votes.groupby("draw"):
        share = mine["need"].value_counts(normalize=True)
        if len(mine) > 1:
            agreed.append(1 + (share * np.log(share)).sum() / math.log(len(mine)))
    return float(np.mean(agreed)) if agreed else math.nan
