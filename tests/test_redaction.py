"""Tests of redaction: planted private details are found in every usual spelling, and harmless text is left alone."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discovery.archetypes.redaction import redact, words
from storage.harmless import visible

PLACES = (
    "mine is {} if that is any help",
    "{} was what they gave me",
    "ask for it ({}), really",
    "I wrote down: {}, and left",
    "see “{}”!",
)


def luhn_card(rng: random.Random) -> str:
    """Invent a card number with a right check digit."""
    digits = [4, *(rng.randrange(10) for _ in range(14))]
    doubled = [digit * (2 - position % 2) for position, digit in enumerate(digits)]
    total = sum(value - 9 if value > 9 else value for value in doubled)
    return "".join(map(str, [*digits, -total % 10]))


def planted(kind: str, rng: random.Random) -> str:
    """Invent one private detail."""
    number = rng.randrange
    name = rng.choice(["ana.silva", "bo_k", "c-lee", "dora77", "emil"])
    host = rng.choice(["example.org", "mail.example.com", "uni.example.co.uk", "example.de"])
    card = luhn_card(rng)
    phone = f"{number(200, 999)}", f"{number(200, 999)}", f"{number(1000, 9999)}"
    choices = {
        "mail": [f"{name}@{host}", f"{name} (at) example (dot) org", f"{name} at example dot com", f"{name}+x@{host}",
            f"{name.upper()}@{host}"],
        "phone": [
            f"+1 {phone[0]} {phone[1]} {phone[2]}", f"({phone[0]}) {phone[1]}-{phone[2]}",
            "-".join(phone), f"+49 {phone[0]} {phone[1]}{phone[2]}",
            f"+44 20 {phone[2]} {phone[2]}", ".".join(phone), f"00351 {phone[0]} {phone[1]} {phone[0]}", "".join(phone),
        ],
        "ip": [f"{number(1, 255)}.{number(255)}.{number(255)}.{number(255)}", f"2001:db8:{number(9999)}::{number(9999)}",
            "fe80::1ff:fe23:4567:890a"],
        "card": [card, " ".join(card[i : i + 4] for i in range(0, 16, 4)), "-".join(card[i : i + 4] for i in range(0, 16, 4))],
        "handle": [f"@{name}", f"u/{name.replace('.', '_')}", f"/u/{name.replace('.', '')}", f"{name}#{number(1000, 9999)}",
            f"discord: {name}", f"telegram = {name}"],
        "link": [f"https://{host}/{name}", f"www.{host}", f"http://{host}:80/?q=1", f"{host}/in/{name}", f"t.me/{name}",
            f"[me](/user/{name})"],
        "iban": [f"DE{number(10, 99)} 3704 0044 0532 0130 {number(10, 99)}", f"GB{number(10, 99)}NWBK601613{number(10**7, 10**8)}"],
        "number": [f"{number(100, 999)}-{number(10, 99)}-{number(1000, 9999)}"],
        "address": [f"{number(1, 999)} Elm Street", f"{number(1, 999)} Old Mill Road", f"Lindenstraße {number(1, 99)}",
            f"{number(1, 99)}b Park Ave"],
        "secret": [f"sk-{rng.randbytes(16).hex()}", rng.randbytes(20).hex(), f"0x{rng.randbytes(20).hex()}",
            f"ghp_{rng.randbytes(18).hex()}"],
    }  # fmt: skip
    return rng.choice(choices[kind])


KINDS = ("mail", "phone", "ip", "card", "handle", "link", "iban", "number", "address", "secret")


@pytest.mark.parametrize("kind", KINDS)
def test_planted_details_are_hidden(kind):
    """Of 200 invented details of each kind, none is left in the text in any of five surroundings."""
    rng = random.Random(KINDS.index(kind))  # noqa: S311 - a test corpus, not a secret
    left = []
    for number in range(200):
        detail = planted(kind, rng)
        shown = redact(PLACES[number % len(PLACES)].format(detail))
        parts = [
            part
            for part in detail.replace("(", " ").replace(")", " ").split()
            if len(part) > 3 and part not in {"example", "discord:", "telegram"}
        ]
        if any(part in shown for part in parts) or "[" not in shown:
            left.append((detail, shown))
    assert left == []


HARMLESS = (
    "I pay $1,299.99 a year for 25 seats", "back in 2019-2020 we had 1,000,000 users", "on 2024-03-17 at 14:05 it broke",
    "version 3.11.7 of Python",
    "the ratio is 16:9 and the score 3:2", "a 4-6 week wait", "1500000 views", "model RTX 4090 with 24 GB",
    "see section 12.3.4 of the manual",
    "it costs 49.99 per month", "r/beekeeping is where I asked", "and/or, either/or, w/o", "chapter 3, verse 16",
    "40 hours a week, 52 weeks",
    "e.g. this, i.e. that", "the road is long and the way is hard", "3 good ways to do it", "50/50 chance, 24/7 support",
    "C# and F# are fine",
    "5 stars, drive safely", "10:30 is when we meet", "2 cups at 200 degrees", "17/03/2024 was a Sunday", "we look at data dot by dot",
    "I drive a 2015 model", "ISO 9001 and 27001", "100% of them", "the 80-20 rule", "a 1:1 mapping", "std::vector<int> v",
)  # fmt: skip


def test_harmless_text_is_left_alone():
    """At most one of 30 harmless sentences full of numbers and punctuation is touched."""
    touched = [text for text in HARMLESS if redact(text) != text]
    assert len(touched) <= 1, touched


def test_neighbours_of_one_kind_share_a_marker():
    """A telephone number of four words becomes one marker, and the words around it stay."""
    assert redact("call +1 202 555 0143 or ana@example.org now") == "call [phone] or [mail] now"


def test_characters_that_no_eye_sees_hide_nothing():
    """Zero-width characters inside an address do not carry it past redaction whole, and none of them is shown."""
    shown = redact("write to ana\u200b@example.org \U000e0041\u202e now")
    assert "example.org" not in shown
    assert visible(shown) == shown


@given(st.text(max_size=200))
@settings(max_examples=150, deadline=None)
def test_redaction_gives_single_spaced_visible_text_from_anything(text):
    """Any text becomes words with single spaces between them, whose places lie in order inside the original."""
    found = words(text)
    assert redact(text) == " ".join(redact(text).split())
    assert all(0 <= word.start < word.end <= len(text) for word in found)
    assert all(before.end <= after.start for before, after in itertools.pairwise(found))


@pytest.mark.parametrize("wall", ["a.a", "a:a:", "](", "a-a", "1 1 ", "@a", "u/", "a@a", " at ", "(at)", "'a", "a#1"])
def test_hostile_walls_of_text_take_no_time(wall):
    """40,000 characters that are made to confuse a pattern are redacted without backtracking; a hang would fail the run."""
    assert isinstance(redact(wall * (40_000 // len(wall))), str)
