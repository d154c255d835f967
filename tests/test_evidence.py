"""Tests of evidence: which records stand for a group, and that a quote is what somebody said."""

from __future__ import annotations

import hashlib
import hmac

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discovery.archetypes.evidence import MOST_CHARACTERS, MOST_WORDS, PIECES, evidence, is_span, quote
from discovery.archetypes.redaction import redact
from tests.markets import market

KEY = b"a key of the test"
NAMES = ["made:a", "made:b", "made:c"]
ALL = pd.Series([0, 0, 1], index=NAMES)


def mention(record: str, community: str = "made:a", tier: str = "T4", **more: object) -> dict[str, object]:
    """Mention a record; its text says so."""
    text = f"I pay $40 a month for {record}"
    return {"record_id": record, "community": community, "tier": tier, "text": text, "span_start": 0, "span_end": 9, **more}


def ids(frame: pd.DataFrame, group: int = 0) -> list[str]:
    """List a group's records in order."""
    return frame[frame["group"] == group]["record_id"].tolist()


def test_money_comes_first_and_every_tier_gets_its_turn():
    """With room for six, one record of each tier is taken before a second of any, and they are listed money first."""
    mentions = [
        mention(f"{tier}-{n}", tier=tier, community=NAMES[n % 2], thread=f"{tier}{n}")
        for tier in ("T0", "T1", "T3", "T4")
        for n in range(4)
    ]
    found = evidence(market(NAMES, mentions=mentions), ALL, key=KEY)
    assert len(ids(found)) == PIECES
    assert [record.split("-")[0] for record in ids(found)] == sorted((record.split("-")[0] for record in ids(found)), reverse=True)
    assert {record.split("-")[0] for record in ids(found)} == {"T0", "T1", "T3", "T4"}


def test_different_communities_and_threads_are_preferred():
    """The second record comes from the other community although the first has more votes left; a thread is used once."""
    mentions = [
        mention("best", score=90, thread="t1"),
        mention("same-thread", score=80, thread="t1"),
        mention("same-community", score=70, thread="t2"),
        mention("elsewhere", community="made:b", score=1, thread="t3"),
    ]
    found = evidence(market(NAMES, mentions=mentions), ALL, key=KEY)
    assert set(ids(found)) == {"best", "elsewhere", "same-community"}


def test_one_record_is_one_piece_of_evidence():
    """A record that two tiers hit stands under the stronger one only."""
    found = evidence(market(NAMES, mentions=[mention("r", tier="T1"), mention("r", tier="T4")]), ALL, key=KEY)
    assert found[["record_id", "tier"]].to_numpy().tolist() == [["r", "T4"]]


def test_words_that_are_pasted_are_one_piece_of_evidence():
    """The same sentence in two communities stands once, under the stronger tier, whatever is written around it."""
    twice = [
        mention("first", text="Hello. Any alternatives to Wort?", span_start=7, span_end=30, tier="SW"),
        mention("second", community="made:b", text="Any alternatives to Wort? Thanks", span_start=0, span_end=24, tier="T3"),
        mention("third", community="made:b", text="Any alternatives to Keg?", span_start=0, span_end=24, tier="SW"),
    ]
    assert ids(evidence(market(NAMES, mentions=twice), ALL, key=KEY)) == ["second", "third"]


def test_promotion_is_no_evidence_and_outliers_have_none():
    """Records of promoters and of communities outside every group are not chosen."""
    found = evidence(
        market(NAMES, mentions=[mention("p", tier="P"), mention("o", community="made:c")]), pd.Series([0, 0, -1], index=NAMES), key=KEY
    )
    assert found.empty


def test_policy_decides_about_words_and_not_about_the_record():
    """Where quoting is forbidden the quote is empty, where models may not read the excerpt is; record, link and hash stay."""
    measured = market(NAMES, mentions=[mention("a", url="https://forum.test/1"), mention("c", community="made:c")])
    measured.communities.loc["made:a", "quote_ok"] = False
    measured.communities.loc["made:c", "llm_ok"] = False
    found = evidence(measured, ALL, key=KEY).set_index("record_id")
    assert found.loc["a", ["quote", "url", "excerpt"]].tolist() == ["", "https://forum.test/1", "I pay $40 a month for a"]
    assert found.loc["c", ["quote", "excerpt"]].tolist() == ["I pay $40 a month for c", ""]
    assert found.loc["a", "sha256"] == hmac.new(KEY, b"I pay $40 a month for a", hashlib.sha256).hexdigest()


def test_the_order_of_mentions_changes_nothing():
    """Shuffled candidates give the same evidence."""
    mentions = [mention(f"r{n}", community=NAMES[n % 3], tier=f"T{n % 5}", score=n % 4) for n in range(60)]
    frames = [evidence(market(NAMES, mentions=order), ALL, key=KEY) for order in (mentions, mentions[::-1])]
    pd.testing.assert_frame_equal(*frames)


def test_no_private_detail_reaches_a_quote():
    """A mail address beside the hit is a marker in the quote."""
    text = "I pay $40 a month, write to ana@example.org or call +1 202 555 0143"
    assert quote(text, 0, 9) == "I pay $40 a month, write to [mail] or call [phone]"


def test_a_quote_stays_inside_its_sentence():
    """Words of the sentence before, after, or of the title on the line above are not drawn in."""
    text = "Which one?\nHello all. We pay $40 a month for it! Any better?"
    start = text.index("pay")
    assert quote(text, start, start + 7) == "We pay $40 a month for it!"


def test_a_quote_of_a_long_sentence_is_cut_around_the_hit():
    """Of 100 words without a full stop, 25 around the hit are quoted."""
    text = " ".join(f"w{n}" for n in range(100))
    start = text.index("w50")
    found = quote(text, start, start + 3).split()
    assert len(found) == MOST_WORDS
    assert found == [f"w{n}" for n in range(38, 63)]


@given(st.text(alphabet="ab .?!\n@1-", max_size=300), st.integers(0, 299), st.integers(1, 40))
@settings(max_examples=200, deadline=None)
def test_every_quote_is_a_short_span_of_the_redacted_record(text, start, length):
    """Whatever the text and the hit, the quote is a run of at most 25 words of the redacted record."""
    start = min(start, len(text))
    cut = quote(text, start, start + length)
    assert len(cut.split()) <= MOST_WORDS
    assert len(cut) <= MOST_CHARACTERS
    assert cut in redact(text)


@pytest.mark.parametrize(("cut", "holds"), [("I pay", True), ("pay $40", True), ("I pa", False), ("I pay $50", False), ("", True)])
def test_a_span_is_a_run_of_whole_words(cut, holds):
    """Half words and changed words are no span."""
    assert is_span(cut, "I  pay\n$40 now") is holds
