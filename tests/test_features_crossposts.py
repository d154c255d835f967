"""Texts in several communities: told apart from chance, from repeats at home and from one record under several tags."""

from __future__ import annotations

import pytest

from discovery.features import FeatureSettings, Scope, measure
from discovery.features.crossposts import crossings
from tests.feature_records import ENGLISH, estimate, measured, post, store

LONG = "the hive looked strong this morning and the queen was laying"


def crossed(*rows):
    """Count (crossed, texts) of each community, by its place."""
    connection = store(rows)
    measure(connection, scope=Scope(sources=("one",)), settings=FeatureSettings())
    connection.execute("CREATE TEMP TABLE span AS SELECT c, c AS row FROM partial.community")
    told = crossings(connection).groupby("row")[["crossed", "texts"]].sum()
    return [tuple(pair) for pair in told.to_numpy().tolist()]


def at(place: str, text: str, author: str = "ana"):
    """Post to one community."""
    return post(author, 1, text, communities=[f"reddit:{place}"])


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param([at("a", LONG), at("b", LONG)], [(1, 1), (1, 1)], id="same-author"),
        pytest.param([at("a", LONG), at("b", LONG.upper() + "! https://a.example 7", "bo")], [(1, 1), (1, 1)], id="dressed-up"),
        pytest.param([at("a", LONG), at("b", f"{LONG} again")], [(0, 1), (0, 1)], id="another-word"),
        pytest.param([at("a", LONG), at("a", LONG, "bo"), at("b", "x")], [(0, 2)], id="repeated-at-home"),
        pytest.param([at("a", "happy new year everyone"), at("b", "happy new year everyone")], [], id="few-words"),
        pytest.param([post("ana", 1, LONG, communities=["reddit:a", "reddit:b"])], [(0, 1), (0, 1)], id="one-record-two-tags"),
        pytest.param(
            [post("ana", 1, LONG, communities=["reddit:a", "reddit:b"]), at("a", LONG, "bo")], [(1, 2), (1, 1)], id="a-tag-and-a-copy"
        ),
    ],
)  # fmt: skip
def test_what_counts_as_elsewhere(rows, expected):
    """Another record of another community with the same words, whoever wrote it and however it is dressed."""
    assert crossed(*rows) == expected


def town(*, copies: int):
    """Let thirty people post in each of two places, some of it in both."""
    names = [f"{'abcdefghij'[n % 10]} {'klm'[n // 10]}" for n in range(30)]
    own = [at(place, f"{ENGLISH} {place} {name}", f"person {name}") for place in "ab" for name in names]
    return [*own, *(at(place, f"{LONG} {'abcdefghij'[n]}", f"poster{n}") for place in "ab" for n in range(copies))]


def test_the_share_of_a_community():
    """Ten of forty texts stand in both places: the shares are alike, between nobody's and everybody's, and the interval holds a quarter."""
    found = estimate(measured(town(copies=10)), "crosspost_share")
    assert found["n"] == 40
    assert found["low"] < 0.25 < found["high"]
    assert found["value"] == pytest.approx(0.25, abs=0.03)


def test_missing_where_nothing_can_be_compared():
    """Alone in its run, or with fewer than twenty texts of eight words, a community has no share."""
    alone = [row for row in town(copies=0) if row["communities"] == ["reddit:a"]]
    assert estimate(measured(alone), "crosspost_share")["missing_reason"].startswith("communities: no other")
    few = estimate(measured([*alone, *town(copies=0)[-19:]]), "crosspost_share", "reddit:b")
    assert few["missing_reason"] == "small_n: 19 long texts, 20 needed"
