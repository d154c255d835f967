"""Programs, bursts, and links that all point to one place."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tests.feature_records import START, crowd, estimate, measured, post


def linking(*hosts: str | None, people: int = 30) -> list:
    """Let people in turn post links to these hosts."""
    return [post(f"person{n % people}", 1 + n / 100, domain=host) for n, host in enumerate(hosts)]


def test_programs_are_told_as_a_share():
    """Six of 30 records are a program's: with one community the prior is worth two records of its own mean, 6.5 / 31."""
    rows = [post(name, 1) for name in crowd(24)] + [post("machine", 2, f"feed {n}", bot=True) for n in range(6)]
    found = estimate(measured(rows), "bot_share")
    assert (found["value"], found["n"]) == (pytest.approx((6 + 2 * 6.5 / 31) / 32), 30)


def test_a_burst_is_one_month_of_many():
    """Eleven months of about twenty people and one of 300: one burst of twelve months, shrunk by two months of its own mean, 1.5 / 13."""
    sizes = [20, 22, 19, 21, 20, 300, 18, 20, 23, 19, 21, 20]
    rows = [post("first", 0)] + [post(name, 28 * m + 2) for m, size in enumerate(sizes) for name in crowd(size)]
    found = measured(rows, now={"one": START + 12 * 28 * 86_400})
    assert estimate(found, "burst_share")["value"] == pytest.approx((1 + 2 * 1.5 / 13) / 14)
    assert estimate(found, "growth")["n"] == 11, "what is a burst here is left out there"


def test_concentration_is_the_share_of_equal_pairs():
    """Of all pairs of link posts those with one host, www or not, counted one by one; posts without a link say nothing."""
    hosts = ["shop.example"] * 12 + ["www.shop.example"] * 3 + ["news.example"] * 6 + [f"blog{n}.example" for n in range(5)]
    found = estimate(measured(linking(*hosts, *[None] * 20)), "domain_concentration")
    pairs = [a.removeprefix("www.") == b.removeprefix("www.") for a, b in itertools.combinations(hosts, 2)]
    assert (found["value"], found["n"]) == (pytest.approx(sum(pairs) / len(pairs)), 26)
    assert found["low"] < found["value"] < found["high"]


def test_one_hand_is_no_proof_of_a_habit():
    """Where a dozen people post the links, each always to one host, the concentration is far less sure than with sixty people."""
    hosts = [f"site{int((n % 12) ** 0.5)}.example" for n in range(60)]
    few, many = (
        estimate(measured(linking(*hosts, people=people) + [post(name, 3) for name in crowd(60)]), "domain_concentration")
        for people in (12, 60)
    )
    assert few["value"] == many["value"]
    assert few["high"] - few["low"] > 1.5 * (many["high"] - many["low"])


def test_the_interval_of_links_holds_the_truth():
    """In 200 communities of 40 people who half the time link to a favourite of theirs, four in five intervals hold the truth and more."""
    rng = np.random.default_rng(2)
    chance = 1 / np.arange(1, 41) / (1 / np.arange(1, 41)).sum()
    rows = []
    for place, person in itertools.product(range(200), range(40)):
        hosts = rng.choice(40, size=rng.integers(1, 6), p=chance)
        hosts = np.where(rng.random(len(hosts)) < 0.5, hosts[0], hosts)
        where = {"communities": [f"reddit:c{place:03d}"]}
        rows += [post(f"{place}-{person}", 1, domain=f"site{host}.example", **where) for host in hosts]
    found = measured(rows).estimates.query("feature == 'domain_concentration'")
    truth = (chance**2).sum()
    assert ((found["low"] <= truth) & (found["high"] >= truth)).mean() >= 0.8


def test_a_source_without_links_is_missing_not_zero():
    """Where no post of the source has a host that is the reason; where others' have, this community shows too few."""
    bare = [post(name, 1) for name in crowd(40)]
    beside = [{**row, "communities": ["reddit:b"]} for row in linking(*["shop.example"] * 30)]
    assert estimate(measured(bare), "domain_concentration")["missing_reason"] == "links: the source shows no domain of any post"
    assert estimate(measured(bare + beside), "domain_concentration")["missing_reason"] == "small_n: 0 links, 20 needed"
