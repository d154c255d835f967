"""Replies: latency, unanswered and unsolved threads, depth, discussants."""

from __future__ import annotations

import math

import pytest

from tests.feature_records import ENGLISH, START, crowd, estimate, measured, post, reply

LATER = {"one": START + 40 * 86_400}


def threads(*shapes, number: int = 12, title: str = "how do you do this?"):
    """Make threads, twelve of each shape: a shape takes the opening post and gives the replies."""
    rows = []
    for index, shape in enumerate(shapes):
        for name in crowd(number, start=100 * index):
            opening = post(name, 1, ENGLISH, title=title)
            rows += [opening, *shape(opening)]
    return rows


def quick(opening):
    """Answer after six hours."""
    return [reply(opening, "helper", 1.25, ENGLISH)]


def late(opening):
    """Answer after three days."""
    return [reply(opening, "helper", 4, ENGLISH)]


def nobody(opening):
    """Do not answer."""
    return []


def asker(opening):
    """Let only the asker and a bot answer."""
    return [
        {**reply(opening, None, 1.1, ENGLISH), "author": opening["author"]},
        reply(opening, "machine", 1.1, "a reminder of the rules of this place", bot=True),
    ]


def ghost(opening):
    """Let somebody answer whose account is deleted by now."""
    return [reply(opening, None, 1.1, ENGLISH)]


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        pytest.param(quick, 0, id="quick"),
        pytest.param(late, 12, id="after-48-hours"),
        pytest.param(nobody, 12, id="nobody"),
        pytest.param(asker, 12, id="only-the-asker-and-a-bot"),
        pytest.param(ghost, 0, id="deleted-account"),
    ],
)
def test_unanswered(shape, expected):
    """A post is answered by another person within 48 hours; the asker and bots are no other person, a deleted account is."""
    result = measured(threads(quick, shape), now=LATER)
    assert result.author_sums["aged"].sum() == 24
    assert result.author_sums["unanswered"].sum() == expected


def test_young_posts_do_not_count():
    """A post younger than 48 hours is not unanswered yet, and neither is a deleted author's, which may have been removed."""
    rows = [*threads(quick), *(post(name, 39, ENGLISH) for name in crowd(5, start=500)), *(post(None, 1, ENGLISH) for _ in range(5))]
    assert measured(rows, now=LATER).author_sums["aged"].sum() == 12


def test_latency_is_the_median_hours():
    """Twelve answers after 6 hours and twelve after 72: half are answered at 6 hours."""
    found = estimate(measured(threads(quick, late), now=LATER), "reply_latency")
    assert found["value"] == pytest.approx(6)
    assert found["low"] <= 6 <= found["high"]


def test_latency_beyond_the_data_is_missing():
    """Where fewer than half of the posts are ever answered the median is censored, not zero."""
    found = estimate(measured(threads(quick, nobody, nobody), now=LATER), "reply_latency")
    assert math.isnan(found["value"])
    assert found["missing_reason"].startswith("censored")


def test_counts_of_the_platform_stand_in_for_stored_replies():
    """Where replies are not stored, the platform's counts tell depth and unanswered posts, but not latency."""
    rows = [post(name, 1, ENGLISH, replies=index % 3) for index, name in enumerate(crowd(30))]
    result = measured(rows, now=LATER)
    assert estimate(result, "comments_per_post")["value"] == pytest.approx(1, rel=0.05)
    assert result.author_sums["unanswered"].sum() == 10
    assert estimate(result, "reply_latency")["missing_reason"] == "replies: the source does not store them"
    assert estimate(result, "discussants_per_thread")["missing_reason"] == "replies: the source does not store them"


def test_no_counts_and_no_replies_is_missing():
    """A source that shows neither replies nor their number leaves depth and unanswered posts missing, not zero."""
    result = measured([post(name, 1, ENGLISH) for name in crowd(30)], now=LATER)
    assert estimate(result, "comments_per_post")["missing_reason"] == "replies: the source neither stores nor counts them"
    assert estimate(result, "unanswered_48h")["missing_reason"] == "replies: the source neither stores nor counts them"


def test_depth_and_discussants_by_hand():
    """Twelve threads with three replies by two others and twelve with none: 1.5 replies and 1 other person per thread."""

    def busy(opening):
        return [
            reply(opening, "bo", 1.1, ENGLISH),
            reply(opening, "cy", 1.2, ENGLISH),
            reply(opening, "bo", 1.3, ENGLISH + opening["record_id"]),
        ]

    result = measured(threads(busy, nobody), now=LATER)
    assert result.communities.loc["reddit:a", "records"] == 60
    assert estimate(result, "discussants_per_thread")["value"] == pytest.approx(1, rel=0.05)


@pytest.mark.parametrize(
    ("words", "day", "solved"),
    [
        pytest.param("Thanks, that worked!", 2, True, id="thanks"),
        pytest.param("thank you so much", 2, True, id="thank-you"),
        pytest.param("it’s fixed now", 2, True, id="typographic-apostrophe"),
        pytest.param("Thanks", 12, False, id="after-the-week"),
        pytest.param("still broken here", 2, False, id="no-thanks"),
    ],
)
def test_unsolved(words, day, solved):
    """A call for help is solved when its asker gives thanks within seven days."""

    def thanked(opening):
        return [*quick(opening), {**reply(opening, None, day, words), "author": opening["author"]}]

    sums = measured(threads(thanked), now=LATER).author_sums
    assert (sums["help"].sum(), sums["unsolved"].sum()) == (12, 0 if solved else 12)


def test_accepted_answers_solve_without_words():
    """An accepted answer solves a question, also in a language whose thanks we do not know."""
    rows = [post(name, 1, title="warum ist das so?", accepted=index < 9) for index, name in enumerate(crowd(12))]
    sums = measured(rows, now=LATER).author_sums
    assert (sums["help"].sum(), sums["unsolved"].sum()) == (12, 3)


def test_questions_are_told_by_the_title():
    """A question mark in the title makes a question; in the text only where there is no title."""
    rows = [post(name, 1, "what?", title=title) for name, title in zip(crowd(3), ["news", "why?", ""], strict=True)]
    assert sorted(measured(rows).author_sums["questions"]) == [0, 1, 1]


def test_pairs_who_answer_each_other():
    """Thirty askers are answered by one helper and ten answer back: a third of the pairs, the prior worth two pairs of (10.5 / 31)."""
    rows = []
    for index, name in enumerate(crowd(30)):
        opening = post(name, 1, ENGLISH)
        answer = reply(opening, "helper", 1.1, ENGLISH)
        rows += [opening, answer, *([reply(answer, name, 1.2, ENGLISH)] if index < 10 else [])]
    found = estimate(measured(rows, now=LATER), "reciprocity")
    assert (found["value"], found["n"]) == (pytest.approx((10 + 2 * 10.5 / 31) / 32), 30)


def test_engagement_points_to_more():
    """The engagement axis orders twelve communities by how much talk they hold."""
    rows = []
    for level in range(12):
        place = {"communities": [f"reddit:c{level:02d}"]}
        for index, name in enumerate(crowd(40)):
            opening = post(f"{level}{name}", 30 + index % 5, ENGLISH, **place)
            rows += [opening, *(reply(opening, f"{level}other{n}", 36, f"{ENGLISH} {n}", **place) for n in range(1 + level))]
    values = measured(rows, now=LATER).values()["engagement"]
    assert values.notna().all()
    assert values.is_monotonic_increasing


def test_posts_of_deleted_authors_do_not_lengthen_the_wait():
    """Ten posts answered after two hours have a median of two hours, however many silent posts of deleted authors stand beside them."""
    asked = [post(f"n{n}", n) for n in range(10)]
    rows = [*asked, *(reply(one, "zoe", n + 2 / 24) for n, one in enumerate(asked)), *(post(None, n) for n in range(30)), post("end", 60)]
    found = estimate(measured(rows), "reply_latency")
    assert (found["value"], found["n"]) == (2.0, 10)


def test_a_program_that_answers_everybody_answers_nobody():
    """A platform counts the program's reply under each of ten posts; people answered one of them, so that 0.9 stay unanswered."""
    posts = [post(f"asker{number}", number, "what now", replies=1 + (number == 0)) for number in range(10)]
    programs = [reply(asked, "program", number + 0.01, "welcome, read the rules please", bot=True) for number, asked in enumerate(posts)]
    people = [reply(posts[0], "helper", 0.2, "like this"), post("late", 60, "the end")]
    told = measured([*posts, *programs, *people])
    assert estimate(told, "comments_per_post")["value"] == pytest.approx(1 / 11, rel=0.35)
    assert 0.8 < estimate(told, "unanswered_48h")["value"] < 0.95
