"""What comes back in threads: replies, people, waits, silence, solutions; and the axis of engagement."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from discovery.features.text import THANKS
from tests.oracle.entries import DAY, Activity
from tests.oracle.estimates import Z, curve, estimate, overdispersion, shrunk_rates, shrunk_shares
from tests.oracle.people import Told, by_author, frame

HOURS_48, WEEK = 2 * DAY, 7 * DAY


def end(activity: Activity, community: str) -> int:
    """Give the instant up to which waiting was observed: the end of the source."""
    return int(activity.places.at[community, "now"])


@cache
def stores_replies(activity: Activity, community: str) -> bool:
    """Tell whether the main source of a community stores replies in threads at all."""
    source = activity.places.at[community, "source"]
    beside = activity.places.index[activity.places["source"] == source]
    replies = activity.entries[~activity.entries["post"] & activity.entries["thread"].notna()]
    return bool(replies["community"].isin(beside).any())


@cache
def threads(activity: Activity) -> dict[str, pd.DataFrame]:
    """Give per community the posts that open a thread, each with its replies (``heard``, a list in order of time)."""
    told = {}
    for community, entries in activity.groups.items():
        posts = entries[entries["post"] & entries["thread"].notna()]
        heard = defaultdict(list)
        for reply in entries[~entries["post"] & entries["thread"].notna()].sort_values(["t", "record_id"]).itertuples():
            heard[reply.thread].append(reply)
        told[community] = posts.assign(heard=[heard[post] for post in posts["record_id"]])
    return told


def comments_per_post(activity: Activity) -> Told:
    """Replies per post."""
    rows = {}
    for community, posts in threads(activity).items():
        stored = posts["heard"].map(len).astype(float) if stores_replies(activity, community) else pd.Series(np.nan, posts.index)
        answers = pd.concat([stored, posts["replies"].astype(float)], axis=1).max(axis=1).dropna()
        rows[community] = per_thread(answers, activity.groups[community])
    return shrunk_rates(frame(rows, activity))


def per_thread(counts: pd.Series, entries: pd.DataFrame | None = None) -> dict[str, float]:
    """Give what a rate per thread is made of; with entries, its spread over who posts and who replies too."""
    units = len(counts)
    effect, drawn = overdispersion(counts, units) if units else 1.0, 1.0
    if entries is not None:
        post = entries.dropna(subset=["author"]).groupby("author")["post"]
        posts, replies = post.sum().astype(float), (post.size() - post.sum()).astype(float)
        if posts.sum() and replies.sum():
            pull = replies - replies.sum() / posts.sum() * posts
            drawn = (pull**2).sum() / replies.sum()
    return {"hits": counts.sum(), "trials": units, "effect": effect, "clump": drawn, "n": units}


def others(post: Any) -> set[Any]:
    """Give the people who reply to a post and are known not to be its author."""
    return {reply.author for reply in post.heard if pd.notna(reply.author) and reply.author != post.author}


def discussants_per_thread(activity: Activity) -> Told:
    """Other people per thread."""
    rows = {}
    for community, posts in threads(activity).items():
        if stores_replies(activity, community):
            rows[community] = per_thread(
                pd.Series([len(others(post)) for post in posts.itertuples()], dtype=float), activity.groups[community]
            )
    return shrunk_rates(frame(rows, activity))


def waits(activity: Activity, community: str, posts: pd.DataFrame) -> pd.DataFrame:
    """Give seconds and answered of every aged post."""
    rows = []
    for post in posts.itertuples():
        unseen = not post.heard and pd.notna(post.replies) and post.replies > 0
        if unseen or end(activity, community) - post.t < HOURS_48 or pd.isna(post.author):
            continue
        first = first_answer(post)
        rows.append((first - post.t, True) if first is not None else (end(activity, community) - post.t, False))
    return pd.DataFrame(rows, columns=["seconds", "answered"])


def first_answer(post: Any) -> int | None:
    """Give the time of the first reply by another person."""
    times = [reply.t for reply in post.heard if reply.author != post.author]  # a deleted replier is another person too
    return max(times[0], post.t) if times else None


@cache
def reply_latency(activity: Activity) -> Told:
    """Kaplan–Meier median of waits, in hours; the interval by Brookmeyer and Crowley."""
    told = {}
    for community, posts in threads(activity).items():
        if not stores_replies(activity, community):
            continue
        waited = waits(activity, community, posts)
        steps = curve(waited["seconds"].to_numpy(dtype=float), waited["answered"].to_numpy(dtype=bool))
        error = steps["survival"] * np.sqrt(steps["greenwood"].where(steps["survival"] > 0, 0))
        median, low, high = (
            steps.loc[line <= 0.5 + 1e-12, "time"].min() / 3600
            for line in (steps["survival"], steps["survival"] - Z * error, steps["survival"] + Z * error)
        )
        if math.isfinite(median):
            told[community] = estimate(median, low, high if math.isfinite(high) else waited["seconds"].max() / 3600, n=len(waited))
    return told


def unanswered_48h(activity: Activity) -> Told:
    """Share of posts nobody else answers within 48 hours."""
    tables = {}
    for community, posts in threads(activity).items():
        rows = []
        for post in posts.itertuples():
            if end(activity, community) - post.t < HOURS_48 or pd.isna(post.author):
                continue
            if stores_replies(activity, community):
                first = first_answer(post)
                unseen = not post.heard and pd.notna(post.replies) and post.replies > 0
                rows.append((post.author, not unseen and (first is None or first - post.t > HOURS_48)))
            elif not pd.isna(post.replies):
                rows.append((post.author, post.replies == 0))
        table = pd.DataFrame(rows, columns=["author", "hits"]).assign(trials=1)
        tables[community] = table.groupby("author")[["hits", "trials"]].sum()
    return by_author(activity, tables)


def asks(title: str, text: str) -> bool:
    """Tell whether a post asks: a question mark in the title, else in the text."""
    return any(mark in (title or text) for mark in "?？")


@cache
def help_threads(activity: Activity) -> dict[str, pd.DataFrame]:
    """Give the posts that call for help: a request for a solution, or a question."""
    return {
        community: posts.loc[["T1" in activity.tiers.get(post.record_id, ()) or asks(post.title, post.text) for post in posts.itertuples()]]
        for community, posts in threads(activity).items()
    }


def solved(post: Any) -> bool:
    """Tell whether the asker thanks within a week or accepts an answer."""
    if any(pd.notna(record.accepted) and record.accepted for record in (post, *post.heard)):
        return True
    own = [reply.text for reply in post.heard if reply.author == post.author and reply.t - post.t <= WEEK]
    return any(re.search(THANKS, text.replace("’", "'"), re.IGNORECASE) for text in own)


def unsolved_share(activity: Activity) -> Told:
    """Share of help threads without a solution."""
    tables = {}
    for community, posts in help_threads(activity).items():
        aged = [post for post in posts.itertuples() if end(activity, community) - post.t >= WEEK and pd.notna(post.author)]
        table = pd.DataFrame([(post.author, not solved(post)) for post in aged], columns=["author", "hits"]).assign(trials=1)
        tables[community] = table.groupby("author")[["hits", "trials"]].sum()
    return by_author(activity, tables)


def question_share(activity: Activity) -> Told:
    """Share of posts that ask."""
    tables = {}
    for community, entries in activity.groups.items():
        posts = entries[entries["post"] & entries["author"].notna()]
        hits = [asks(title, text) for title, text in zip(posts["title"], posts["text"], strict=True)]
        tables[community] = posts.assign(hits=hits, trials=1).groupby("author")[["hits", "trials"]].sum()
    return by_author(activity, tables)


@cache
def reciprocity(activity: Activity) -> Told:
    """Share of pairs of people who answer each other, of those of whom one answers the other."""
    rows = {}
    for community, entries in activity.groups.items():
        author = dict(zip(entries["record_id"], entries["author"], strict=True))
        links = {(r.author, author.get(r.parent)) for r in entries.itertuples() if pd.notna(r.author)}
        links = {(giver, taker) for giver, taker in links if pd.notna(taker) and giver != taker}
        pairs = {frozenset(link) for link in links}
        both = sum((taker, giver) in links for giver, taker in links) / 2
        if pairs:
            share, pull = both / len(pairs), defaultdict(float)
            for pair in pairs:
                giver, taker = pair
                off = ((giver, taker) in links and (taker, giver) in links) - share
                pull[giver] += off
                pull[taker] += off
            noise = share * (1 - share) * len(pairs)
            drawn = sum(off**2 for off in pull.values()) / noise - 1 if noise else 1
            rows[community] = {"hits": both, "trials": len(pairs), "effect": 1, "clump": drawn, "n": len(pairs)}
    return shrunk_shares(frame(rows, activity))
