"""The peers' sums with polars, lazily; see :mod:`benchmarks.features.peers`."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import polars as pl

from benchmarks.features.asked import DAY, ENGAGED, LOOK_BACK, MONTH, PATIENCE

PAIR = ["c", "author"]


def added(file: Path) -> pd.DataFrame:
    """Add up with polars."""
    records = pl.scan_parquet(file)
    now: int = records.select(pl.col("t").max()).collect().item()
    entries = records.filter(~pl.col("bot")).collect().lazy()
    known = entries.filter(pl.col("author").is_not_null())
    authors = known.group_by(PAIR).agg(n=pl.len().cast(pl.Int64), first=pl.col("t").min(), last=pl.col("t").max()).collect().lazy()
    found = _found(entries, now)
    parts = (_gini(authors), _months(known, authors, found), _threads(entries, now), _pairs(known), _gone(known, authors, now))
    whole, *others = pl.collect_all([found.drop("start", "end"), *parts])
    for other in others:
        whole = whole.join(other, on="c", how="left")
    return pd.DataFrame(whole.to_dict(as_series=False)).set_index("c")


def _found(entries: pl.LazyFrame, now: int) -> pl.LazyFrame:
    counts = entries.group_by("c").agg(
        entries=pl.len(),
        posts=pl.col("post").sum(),
        authors=pl.col("author").drop_nulls().n_unique(),
        deleted=pl.col("author").null_count(),
        start=-(-pl.col("t").min() // MONTH),
    )
    return counts.with_columns(end=pl.max_horizontal(pl.lit(now // MONTH), "start"))


def _gini(authors: pl.LazyFrame) -> pl.LazyFrame:
    people, total = pl.len(), pl.col("n").sum()
    ranked = (pl.col("n").sort() * pl.int_range(1, pl.len() + 1)).sum()
    return authors.group_by("c").agg(gini=(2 * ranked / (people * total) - (people + 1) / people) * people / (people - 1.0))


def _months(known: pl.LazyFrame, authors: pl.LazyFrame, found: pl.LazyFrame) -> pl.LazyFrame:
    months = known.group_by(*PAIR, m=pl.col("t") // MONTH).agg(days=(pl.col("t") // DAY).n_unique())
    covered = months.join(found, on="c").filter(pl.col("m") >= pl.col("start"), pl.col("m") < pl.col("end"))
    next_ = pl.col("m").shift(-1).over(PAIR, order_by="m")
    told = covered.join(authors, on=PAIR).with_columns(stayed=next_ == pl.col("m") + 1, seasoned=pl.col("m") >= pl.col("start") + LOOK_BACK)
    return told.group_by("c").agg(
        months=pl.len(),
        present=(pl.col("m") < pl.col("end") - 1).sum(),
        stayed=pl.col("stayed").sum(),
        engaged=(pl.col("days") >= ENGAGED).sum(),
        seasoned=pl.col("seasoned").sum(),
        newcomers=(pl.col("seasoned") & (pl.col("m") == pl.col("first") // MONTH)).sum(),
    )


def _threads(entries: pl.LazyFrame, now: int) -> pl.LazyFrame:
    posts = entries.filter(pl.col("post")).select("c", "id", "author", "t")
    replies = entries.filter(~pl.col("post")).select("thread", other="author", heard="t")
    by_other = pl.col("author").is_null() | pl.col("other").is_null() | (pl.col("author") != pl.col("other"))
    heard = posts.join(replies, left_on="id", right_on="thread").group_by("id")
    answers = heard.agg(
        answers=pl.len(),
        others=pl.col("other").filter(by_other).drop_nulls().n_unique(),
        first=pl.max_horizontal("t", "heard").filter(by_other).min(),
    )
    aged = (pl.col("t") <= now - PATIENCE) & pl.col("author").is_not_null()
    late = pl.col("first").is_null() | (pl.col("first") - pl.col("t") > PATIENCE)
    return (
        posts.join(answers, on="id", how="left")
        .group_by("c")
        .agg(
            answers=pl.col("answers").sum(),
            others=pl.col("others").sum(),
            aged=aged.sum(),
            unanswered=(aged & late).sum(),
            waited=(pl.col("first").fill_null(now) - pl.col("t")).filter(aged).sum(),
        )
    )


def _pairs(known: pl.LazyFrame) -> pl.LazyFrame:
    takers = known.select("id", taker="author")
    directed = known.join(takers, left_on="parent", right_on="id").filter(pl.col("author") != pl.col("taker"))
    once = directed.select("c", "author", "taker").unique()
    pair = once.group_by("c", one=pl.min_horizontal("author", "taker"), other=pl.max_horizontal("author", "taker")).agg(directions=pl.len())
    return pair.group_by("c").agg(pairs=pl.len(), mutual=(pl.col("directions") == 2).sum())


def _gone(known: pl.LazyFrame, authors: pl.LazyFrame, now: int) -> pl.LazyFrame:
    gaps = known.sort(*PAIR, "t").select("c", gap=pl.col("t").diff().over(PAIR)).drop_nulls()
    size = pl.len().cast(pl.Float64)
    place = (pl.max_horizontal(size - (size - 0.99 * size).floor(), pl.lit(1.0)) - 1).cast(pl.Int64)
    silence = gaps.group_by("c").agg(silence=pl.col("gap").sort().get(place).clip(28 * DAY, 90 * DAY))
    gone = now - pl.col("last") > pl.col("silence").fill_null(28 * DAY)
    return authors.join(silence, on="c", how="left").group_by("c").agg(gone=gone.sum())
