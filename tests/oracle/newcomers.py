"""New people: who of them acts again, and how they are answered."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pandas as pd

from tests.oracle.answers import HOURS_48, end, first_answer, stores_replies, threads
from tests.oracle.entries import DAY, MONTH, Activity
from tests.oracle.estimates import Z, estimate
from tests.oracle.people import Told, by_author, complete, months

FOUR_WEEKS = 28 * DAY


def since(activity: Activity, community: str) -> int:
    """Give the instant from which whoever is first seen is new: four covered months were watched before."""
    return (months(activity, community).start + 4) * MONTH


def newcomer_conversion(activity: Activity) -> Told:
    """Share of new people with a record on one of the 28 days after the first."""
    tables = {}
    for community, entries in complete(activity).items():
        times = entries.dropna(subset=["author"]).sort_values("t").groupby("author")["t"].agg(list)
        new = times[[since(activity, community) <= seen[0] <= end(activity, community) - FOUR_WEEKS for seen in times]]
        again = [any(0 < t // DAY - seen[0] // DAY <= 28 for t in seen) for seen in new]
        tables[community] = pd.DataFrame({"hits": again, "trials": 1}, index=new.index)
    return by_author(activity, tables)


def welcome_ratio(activity: Activity) -> Told:
    """Log of the newcomers' share of answered posts over their share of posts; its error from what each author moves it by."""
    told = {}
    for community in complete(activity):
        met = asked(activity, community) if stores_replies(activity, community) else []
        if not any(new for _, new, *_ in met):
            continue
        posts = pd.DataFrame([*met, *((f"half {n}", n < 2, n % 2 == 0, 0.5) for n in range(4))], columns=["who", "new", "met", "weight"])
        share_met, share = (np.average(part["new"], weights=part["weight"]) for part in (posts[posts["met"]], posts))
        moved = posts["met"] * (posts["new"] / share_met - 1) / posts.loc[posts["met"], "weight"].sum()
        moved -= (posts["new"] / share - 1) / posts["weight"].sum()
        by_person = moved.groupby(posts["who"]).sum() ** 2 * posts.groupby("who")["weight"].first()
        value, half = math.log(share_met / share), Z * math.sqrt(by_person.sum())
        told[community] = estimate(value, value - half, value + half, n=sum(new for _, new, *_ in met))
    return told


@cache
def asked(activity: Activity, community: str) -> list[tuple[object, bool, bool, float]]:
    """Give who wrote each aged post, whether new, whether answered in 48 hours, and its weight; of posts with enough months before."""
    first = activity.groups[community].dropna(subset=["author"]).groupby("author")["t"].min()
    told = []
    for post in threads(activity)[community].itertuples():
        unseen = not post.heard and pd.notna(post.replies) and post.replies > 0
        aged = end(activity, community) - post.t >= HOURS_48
        if pd.isna(post.author) or not aged or unseen or post.t < since(activity, community) + FOUR_WEEKS:
            continue
        reply = first_answer(post)
        told.append((post.author, post.t - first[post.author] < FOUR_WEEKS, reply is not None and reply - post.t <= HOURS_48, 1.0))
    return told
