"""Numbers, names and reasons in the reader's words."""

from __future__ import annotations

import pytest

from scoring.report.words import (
    TIERS,
    amount,
    day,
    gaps,
    how,
    measured,
    notes,
    quoted,
    short_licence,
    source_name,
    span,
    tied_with_first,
)


def test_numbers_read_well() -> None:
    """Numbers are rounded as far as they can be trusted and carry their units."""
    assert [amount(value) for value in (0.12345, 12.345, 1234.5, 123456.0, 0.0, None, float("nan"))] == [
        *("0.123", "12.3", "1,230", "123,000", "0", "–", "–"),
    ]
    assert [measured(0.62, "fraction, 0 to 1"), measured(0.0123, "fraction, 0 to 1"), measured(3.14159, "days, 0 to 90")] == [
        *("62 %", "1.2 %", "3.14 days"),
    ]
    assert [span(1.2, 1.4), span(1, 3), span(None, 3)] == ["1", "1 to 3", "–"]
    assert day(0) == "1 January 1970"
    assert quoted(" ".join(["word"] * 30)) == " ".join(["word"] * 25) + " …"


def test_ties_are_counted_from_the_top() -> None:
    """Rows tie with the first as long as they may rank where it does; without intervals nothing ties."""
    rows = [{"score_low": 1.0, "rank_low": low, "rank_high": high} for low, high in ((1, 3), (1, 4), (4, 9), (2, 9))]
    assert tied_with_first(rows) == 2
    assert tied_with_first([{"score_low": None, "rank_low": None, "rank_high": None}]) == 0
    assert tied_with_first([]) == 0


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("table:/home/ana/secret/pages.parquet", "table:pages.parquet"),
        ("stackexchange_dump:/data/coffee/", "stackexchange_dump:coffee"),
        ("table:C:\\Users\\ana\\pages.csv", "table:pages.csv"),
        ("world:1", "world:1"),
        ("front pages", "front pages"),
        ("/srv/dump", "dump"),
    ],
)
def test_sources_are_named_without_their_folders(name: str, shown: str) -> None:
    """A report can be passed on: it tells a file's name and not where on the machine it lies."""
    assert source_name(name) == shown


def test_what_is_said_of_many_features_is_said_once() -> None:
    """Notes that repeat themselves feature by feature become one, others keep their words with the features' titles."""
    titles = {"growth": "growth of people", "pain": "share who report a pain", "lexical_diversity": "how varied the words are"}
    told = [
        *(
            "growth: measured in 0 of 50 communities; left out of the clustering.",
            "pain: 10 of 50 communities have no value; they take the median.",
        ),
        *("lexical_diversity: 5 of 50 communities have no value; they take the median.", "Too rough: share who report a pain."),
    ]
    assert notes("\n".join(told), titles) == [
        "Left out of the grouping, as too few communities have a value: growth of people.",
        "Too rough: share who report a pain.",
        "In 2 quantities up to 20 % of the communities have no value; the grouping takes the median there.",
    ]


def test_gaps_of_one_reason_stand_together() -> None:
    """Quantities missing equally often for the same reason are one row, and a bound is said as a bound."""
    rows = [("spend", 7, "small_n: 29 voters, 30 needed"), ("pain", 7, "small_n: 12 voters, 30 needed"), ("fit", 0, "no portfolio")]
    told = gaps([{"title": title, "measured": n, "communities": 9, "reason": reason} for title, n, reason in rows])
    assert [(row["titles"], row["measured"], row["reason"]) for row in told] == [
        ("spend; pain", 7, "fewer than 30 voters"),
        ("fit", 0, "no portfolio"),
    ]


def test_how_a_source_was_read_is_one_line() -> None:
    """A missing checksum is one clause; anything else that was doubtful keeps its reason."""
    assert (
        how({"status": "unverified", "reason": "1 of its files carry no checksum (the first is `x`)"})
        == "read to the end; no checksum proves it whole"
    )
    doubt = "1 of its files carry no checksum (the first is `x`): damage inside them would not show. Nobody is named."
    assert how({"status": "unverified", "reason": doubt}) == "read to the end; no checksum proves it whole: Nobody is named."
    assert how({"status": "unverified", "reason": "7 posts are missing"}) == "read to the end, but not proven whole: 7 posts are missing"
    assert how({"status": "complete", "reason": ""}) == "read to the end"


def test_every_tier_has_words_and_a_licence_stands_beside_a_quote_only_where_it_must() -> None:
    """No tier's code is ever printed, and of terms only a Creative Commons licence is repeated at each quote."""
    assert {"T4", "T3", "SW", "T2", "T1", "W", "T0", "S", "N", "P"} == set(TIERS)
    assert [short_licence(text) for text in ("CC BY-SA; attribution: the site", "as the file's owner states", "")] == ["CC BY-SA", "", ""]
