"""Intent: the lexicon, its filter, its vetoes, its votes."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discovery.features.intent import TIERS, TOGETHER, lexicon, read
from tests.feature_records import ENGLISH, crowd, estimate, measured, post

EXAMPLES = [(code, text) for code, tier in lexicon().items() for text in tier.matches]
COUNTEREXAMPLES = [(code, text) for code, tier in lexicon().items() for text in tier.must_not_match]
PIECES = [text for _, text in EXAMPLES + COUNTEREXAMPLES] + [
    "\n",
    "’",
    " café ",
    "\x0b",
    "é",
    "`code`",
    "> quoted",
    "https://x.y",
    "\u00a0",
    ".",
    " ",
]


def tiers(text: str) -> set[str]:
    """Give the tiers a text shows."""
    return {hit.tier for hit in read(text)}


@pytest.mark.parametrize(("code", "text"), EXAMPLES)
def test_examples_match(code, text):
    """Every example of the lexicon shows its tier."""
    assert lexicon()[code].exact.search(text)
    assert code == "X" or code in tiers(text)


@pytest.mark.parametrize(("code", "text"), COUNTEREXAMPLES)
def test_counterexamples_do_not_match(code, text):
    """No counterexample shows its tier once the vetoes have spoken."""
    assert code not in tiers(text)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=6).map("".join), min_size=20, max_size=20))
def test_the_filter_is_a_superset(texts):
    """Whatever the exact patterns find, the database's coarser ones find too, beside any character and any space."""
    connection = duckdb.connect()
    for code, tier in lexicon().items():
        for text in texts:
            if code in TIERS and any(hit.tier == code for hit in read(text, among=(code,))):
                for pattern in (tier.superset, tier.opening):
                    assert connection.execute("SELECT regexp_matches(?, ?, 'i')", [text, pattern]).fetchone() == (True,), (code, text)


def test_the_filter_asks_for_every_tier_once():
    """Each tier that counts stands in exactly one of the filter's alternations."""
    assert sorted(code for codes in TOGETHER for code in codes) == sorted(TIERS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("We switched from Jobber", {"SW", "T3"}, id="switching-is-procurement"),
        pytest.param("I would pay for it. I would never pay for that", {"T2", "N"}, id="refusal-vetoes-only-its-sentence"),
        pytest.param("I pay the $900 rent. I paid $20 for the app", {"T4"}, id="idiom-vetoes-only-its-sentence"),
        pytest.param("I built a tool for this. Is there an app for that? I spend hours", {"P"}, id="promoters-do-not-seek"),
        pytest.param("I'm not looking for an app", set(), id="denial"),
        pytest.param("> is there an app for this?\nno idea", set(), id="quoted"),
        pytest.param("run `is there an app for this` first", set(), id="code"),
    ],
)
def test_vetoes(text, expected):
    """A veto reaches as far as its clause, its sentence or, for promoters, their post."""
    assert tiers(text) == expected


def test_spans_are_slices():
    """A hit's span cuts the very words out of the record."""
    text = "`x = 1`\nHello. Is there an app for calving dates?"
    (hit,) = read(text)
    assert text[hit.start : hit.end] == "Is there an app"


def test_one_vote_per_author():
    """An author who asks ten times is one author who seeks; thirty authors, six of whom seek, are a fifth."""
    rows = [post(name, 1 + n, f"{ENGLISH} {n}") for name in crowd(30) for n in range(2)]
    rows += [post(name, 3 + n / 10, f"is there an app for thing {n}?") for name in crowd(6) for n in range(10)]
    result = measured(rows)
    assert result.author_sums["T1"].sum() == 6
    assert estimate(result, "seeking")["value"] == pytest.approx(0.2, abs=0.01)


def test_money_is_the_weighted_ladder():
    """Ten spend, five procure, four would pay and five refuse, of fifty: (10 + 0.6·5 + 0.25·4 − 0.4·5) / 50."""
    said = ["I paid $40 for it"] * 10 + ["looking to buy a printer"] * 5 + ["I'd gladly pay for that"] * 4 + ["I refuse to pay for it"] * 5
    rows = [post(name, 1, f"{ENGLISH}. {text}") for name, text in zip(crowd(50), said + ["fine"] * 26, strict=True)]
    found = estimate(measured(rows), "money")
    assert found["value"] == pytest.approx((10 + 3 + 1 - 2) / 50, abs=0.005)
    assert found["low"] < found["value"] < found["high"]


def test_an_unread_language_is_missing_not_zero():
    """A German community has no rates of intent, and the reason names the language."""
    german = "wir haben das gestern mit den anderen im garten besprochen und ich finde nicht dass es so weitergehen kann wie bisher"
    result = measured([post(name, 1, f"{german} {n}") for n, name in enumerate(crowd(40))])
    for feature in ("seeking", "money", "promotion", "saturation", "need_concentration"):
        assert estimate(result, feature)["missing_reason"] == "no lexicon for de"
    assert result.mentions.empty


def test_records_without_text_have_no_intent():
    """Where records hold no text the rates are missing, not zero."""
    found = estimate(measured([post(name, 1) for name in crowd(40)]), "seeking")
    assert found["missing_reason"] == "text: the records hold none"


def test_mentions_keep_one_per_author_before_a_second():
    """Evidence is bounded per tier, takes other authors before a second record of one, and its span is in its text."""
    rows = [post("loud", n, f"{ENGLISH}. is there an app for task {n}?", title="Help") for n in range(60)]
    rows += [post(name, 1, f"{ENGLISH}. is there a tool for job {n}?") for n, name in enumerate(crowd(35))]
    kept = measured(rows).mentions.query("tier == 'T1'")
    assert len(kept) == 40
    assert kept["text"].str.contains("a tool for job").sum() == 35
    for mention in kept.itertuples():
        assert mention.text[mention.span_start : mention.span_end].lower().startswith("is there a")
