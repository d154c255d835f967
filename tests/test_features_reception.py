"""The middle post's votes, and how sure that is where few authors write most posts."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.feature_records import START, crowd, estimate, measured, post, reply

NOW = {"one": START + 60 * 86_400}


def voted(scores: list[int | None], *, authors: list[str] | None = None, day: float = 1) -> list:
    """Let people post, each with the votes given."""
    return [post(name, day, score=score) for name, score in zip(authors or crowd(len(scores)), scores, strict=True)]


def test_the_middle_post_by_hand():
    """Of 40 posts with 0 to 39 votes the middle two have 19 and 20; the limits are their 14th and 27th: 20 ± 1.645 · √40 / 2."""
    found = estimate(measured(voted(list(range(40))), now=NOW), "median_score")
    assert found["value"] == pytest.approx((math.log(20) + math.log(21)) / 2)
    assert (found["low"], found["high"], found["n"]) == (pytest.approx(math.log1p(13)), pytest.approx(math.log1p(26)), 40)


def test_votes_against_count_as_none():
    """A post at −50 is as little received as one at 0: the logarithm begins there."""
    one, other = (estimate(measured(voted([least] * 15 + [7] * 10), now=NOW), "median_score") for least in (-50, 0))
    assert one["value"] == other["value"] == 0


def test_young_posts_replies_and_unknown_scores_are_left_out():
    """A post of a day, a reply, and a post whose score is hidden say nothing; the coverage tells the share of posts that does."""
    rows = voted([3] * 30)
    rows += voted([99] * 40, day=59.5) + [reply(rows[0], "bo", 2, score=99) for _ in range(40)] + voted([None] * 30)
    found = estimate(measured(rows, now=NOW), "median_score")
    assert (found["value"], found["n"], found["coverage"]) == (pytest.approx(math.log(4)), 30, pytest.approx(0.3))


def test_a_source_without_scores_is_missing_not_zero():
    """Where the source shows no score at all that is the reason; where it does elsewhere, this community has too few."""
    rows = voted([None] * 30) + [{**row, "communities": ["reddit:b"]} for row in voted([2] * 30)]
    assert estimate(measured(rows[:30], now=NOW), "median_score")["missing_reason"] == "scores: the source shows none"
    assert estimate(measured(rows, now=NOW), "median_score")["missing_reason"] == "small_n: 0 scored posts, 20 needed"


def test_scores_of_fresh_posts_alone_are_said_to_be_fresh():
    """Where all posts that show a score are younger than 48 hours, that is the reason, not that none is shown."""
    found = estimate(measured(voted([3] * 30, day=59.5), now=NOW), "median_score")
    assert found["missing_reason"] == "scores: the source shows none of a post of 48 hours"


def test_posts_of_one_author_are_no_proof_of_each_other():
    """Ten posts each of ten authors who always score alike leave the median far less sure than a hundred authors' posts."""
    scores = [author * 10 + n for author in range(10) for n in range(10)]
    clumped = estimate(measured(voted(scores, authors=[f"a{n // 10}" for n in range(100)]), now=NOW), "median_score")
    apart = estimate(measured(voted(scores), now=NOW), "median_score")
    assert clumped["value"] == apart["value"]
    assert clumped["high"] - clumped["low"] > 1.7 * (apart["high"] - apart["low"])


def test_the_interval_holds_the_truth():
    """In 300 communities of 20 authors whose posts score alike the interval of 90 % holds the true median in 84 % and more."""
    rng = np.random.default_rng(4)
    level = np.repeat(rng.normal(size=(300, 20)), 5, axis=1)
    scores = np.exp(3 + level + 0.7 * rng.normal(size=level.shape)).astype(int)
    rows = [
        post(f"{place}-{n // 5}", 1, score=int(score), communities=[f"reddit:c{place:03d}"])
        for place, line in enumerate(scores)
        for n, score in enumerate(line)
    ]
    found = measured(rows, now=NOW).estimates.query("feature == 'median_score'")
    truth = math.log1p(math.exp(3))
    held = (found["low"] <= truth + 0.05) & (found["high"] >= truth - 0.05)  # votes are whole numbers: a twentieth apart at 20
    assert held.mean() >= 0.84
