"""Competition: products, satisfaction, saturation, the switching wedge."""

from __future__ import annotations

import pytest

from discovery.features.saturation import named
from tests.feature_records import ENGLISH, START, crowd, estimate, measured, post, reply

LATER = {"one": START + 40 * 86_400}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("any alternatives to QuickBooks for farms?", "QuickBooks", id="one-word"),
        pytest.param("we switched from Trello Pro because", "Trello Pro", id="two-words"),
        pytest.param("an alternative to The", None, id="stop-word"),
        pytest.param("switched from one thing to another", None, id="no-name"),
    ],
)
def test_products_are_capitalised_names(text, expected):
    """A product is a capitalised name behind a preposition in words of buying or switching."""
    start = max(text.find("alternative"), text.find("switched"))
    assert named(text, start=start, end=start + len("alternatives to Q")) == expected


def place(community: str, *, product: str, promoters: int, solved: bool):
    """Make a community of forty help threads in which a product is recommended, with some promoters."""
    rows = []
    for index, name in enumerate(crowd(40)):
        at = {"communities": [community]}
        opening = post(f"{community}{name}", 1, f"{ENGLISH} {index}", title="which one is it?", **at)
        advice = f"{ENGLISH}. we switched from {product} {index}" if index < 4 else f"have a look at {product} {index}"
        rows += [opening, reply(opening, f"{community}other{index}", 1.5, advice if product else f"{ENGLISH} {index}")]
        if solved:
            rows.append({**reply(opening, None, 2, "thank you, that worked"), "author": opening["author"]})
    return rows + [post(f"{community}promoter{n}", 1, f"check out my app {n}", communities=[community]) for n in range(promoters)]


@pytest.fixture(scope="module")
def market():
    """Three communities: one taken by a product, promoters and contentment, one half so, one open."""
    taken = place("reddit:taken", product="Zotero", promoters=20, solved=True)
    half = place("reddit:half", product="Zotero", promoters=0, solved=False)
    return measured([*taken, *half, *place("reddit:open", product="", promoters=0, solved=False)], now=LATER)


def test_products_per_help_thread(market):
    """Forty threads that name the one known product are about one product per thread, and none is about none."""
    assert estimate(market, "product_mentions", "reddit:taken")["value"] == pytest.approx(1, abs=0.03)
    assert estimate(market, "product_mentions", "reddit:open")["value"] < 0.05


def test_promotion_counts_promoters(market):
    """Twenty of a hundred authors promote."""
    assert market.author_sums.query("P == 1").groupby("row").size().to_dict() == {2: 20}
    assert estimate(market, "promotion", "reddit:taken")["value"] == pytest.approx(0.2, abs=0.01)


def test_saturation_orders_markets(market):
    """The taken market is above the half taken one, the open one is lowest; headroom is the rest; coverage is capped."""
    taken, half, free = (estimate(market, "saturation", f"reddit:{name}") for name in ("taken", "half", "open"))
    assert taken["value"] > half["value"] > free["value"]
    assert estimate(market, "headroom", "reddit:taken")["value"] == pytest.approx(1 - taken["value"])
    assert max(taken["coverage"], half["coverage"]) <= 0.6


def test_switching_from_one_product_is_a_wedge():
    """Six buyers who all leave the one product everyone names make a wedge near the share who switch."""
    rows = place("reddit:a", product="Zotero", promoters=0, solved=False)
    rows += [post(f"buyer{n}", 1, f"{ENGLISH}. any alternative to Zotero {n}", communities=["reddit:a"]) for n in range(6)]
    found = estimate(measured(rows, now=LATER), "switching_wedge")
    assert found["value"] > 0.9
    assert found["n"] == 10


def test_the_wedge_needs_buyers(market):
    """With fewer than five procuring authors the wedge is missing."""
    assert estimate(market, "switching_wedge", "reddit:taken")["missing_reason"] == "small_n: 4 procuring authors, 5 needed"


def test_concentration_of_products_by_hand():
    """One product named by everyone has an index of one, its upper limit too."""
    found = estimate(measured(place("reddit:a", product="Zotero", promoters=0, solved=False), now=LATER), "product_hhi")
    assert (found["value"], found["high"]) == (1, 1)
    assert found["n"] >= 10
