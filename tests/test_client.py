"""The polite client keeps its deadline, its budget and its secrets, whatever a server does."""

from __future__ import annotations

import gzip
import time

import pytest

from discovery.sources import SourceError
from discovery.sources.client import BudgetSpentError, Client, Politeness, RefusedError, retry_after
from discovery.sources.transport import ForbiddenAddressError, checked_address
from tests.loopback import Answer, Asked, answer, dripping, serving

QUICK = Politeness(requests_per_second=1000, attempts=2, deadline_s=0.4)


def test_a_json_reply_is_read_whole():
    """A JSON body comes back as its value, and the request carries our name."""
    with serving(lambda asked: answer({"page": asked.query["page"]})) as server, Client(server.url, politeness=QUICK) as client:
        assert client.json("list.json", {"page": 3}) == {"page": "3"}
        assert server.asked[0].headers["user-agent"].startswith("subcurrent/")


@pytest.mark.parametrize(
    ("head", "drop"),
    [
        pytest.param(b"HTTP/1.1 200 OK\r\n", b"X-Drip: 1\r\n", id="headers-without-end"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b" ", id="body-without-end"),
        pytest.param(b"", b"", id="accepts-and-says-nothing"),
    ],
)
def test_a_dripping_server_meets_the_deadline(head, drop):
    """No server can hold a request longer than its deadline by dripping bytes."""
    politeness = Politeness(requests_per_second=1000, attempts=1, deadline_s=0.3)
    with dripping(head, drop) as url, Client(url, politeness=politeness) as client:
        began = time.monotonic()
        with pytest.raises(SourceError, match=r"0\.3 s"):
            client.json("")
        assert time.monotonic() - began < 3


def test_retry_after_is_obeyed_and_the_request_repeated():
    """A 429 is waited out as long as it asks, then the request succeeds."""
    seen: list[float] = []

    def reply(_: Asked) -> Answer:
        seen.append(time.monotonic())
        return answer({"ok": 1}) if len(seen) > 1 else answer({}, 429, Retry_After="0.2")

    with serving(reply) as server, Client(server.url, politeness=QUICK) as client:
        assert client.json("x") == {"ok": 1}
    assert seen[1] - seen[0] >= 0.2


def test_a_long_retry_after_parks_the_source():
    """A server that asks for hours is left alone at once, with the figure said."""
    with serving(lambda _: answer({}, 429, Retry_After="7200")) as server, Client(server.url, politeness=QUICK) as client:
        with pytest.raises(SourceError, match="7,200 s"):
            client.json("x")
        assert client.requests == 1


@pytest.mark.parametrize("status", [401, 403, 404, 410, 451])
def test_a_final_no_is_never_asked_again(status):
    """Refusals for good are not retried, and carry their status."""
    with serving(lambda _: answer({}, status)) as server, Client(server.url, politeness=QUICK) as client:
        with pytest.raises(RefusedError) as refused:
            client.json("x")
        assert (refused.value.status, len(server.asked)) == (status, 1)


def test_no_key_crosses_an_origin():
    """A redirect to another origin is not followed, so no header of ours is ever seen there."""
    with serving(lambda _: answer({})) as other:
        with (
            serving(lambda _: answer({}, 302, Location=other.url + "steal")) as server,
            Client(server.url, politeness=QUICK, headers={"Api-Key": "canary"}) as client,
            pytest.raises(RefusedError, match="another origin"),
        ):
            client.json("x")
        assert other.asked == []


def test_a_redirect_at_home_is_followed():
    """A redirect on the same origin leads to its page."""
    with serving(lambda asked: answer({"at": asked.path}) if asked.path == "/b" else answer({}, 301, Location="/b")) as server:
        with Client(server.url, politeness=QUICK) as client:
            assert client.json("a") == {"at": "/b"}


def test_a_redirect_loop_ends():
    """A redirect loop ends after five hops."""
    with serving(lambda _: answer({}, 302, Location="/again")) as server, Client(server.url, politeness=QUICK) as client:
        with pytest.raises(RefusedError, match="more than 5"):
            client.json("a")
        assert client.requests == 6


@pytest.mark.parametrize("location", ["http://[bad", "https://host:port/", "//a:99999999/"])
def test_a_redirect_to_no_address_is_an_error(location):
    """A Location that no address can be made of is an error of ours, whoever notices it first."""
    with serving(lambda _: answer({}, 302, Location=location)) as server:
        with Client(server.url, politeness=QUICK.model_copy(update={"attempts": 1})) as client, pytest.raises(SourceError):
            client.json("x")


def test_a_gzip_body_cut_short_is_asked_for_again():
    """Half a compressed body is a passing failure, not half a value."""
    cut = Answer(gzip.compress(b'{"a": 1}')[:-6], 200, {"Content-Encoding": "gzip"})
    with serving(lambda _: cut) as server, Client(server.url, politeness=QUICK.model_copy(update={"attempts": 1})) as client:
        with pytest.raises(SourceError, match="cut short after 1 tries"):
            client.json("x")


def test_a_decompression_bomb_stops_at_the_bound():
    """A gzip body that unfolds to more than the bound is refused, not unfolded."""
    bomb = Answer(gzip.compress(b"0" * (64 << 20)), 200, {"Content-Type": "application/json", "Content-Encoding": "gzip"})
    politeness = Politeness(requests_per_second=1000, max_body_mib=1)
    with serving(lambda _: bomb) as server, Client(server.url, politeness=politeness) as client:
        with pytest.raises(SourceError, match="more than 1 MiB"):
            client.json("x")


def test_gzip_is_unpacked():
    """A compressed JSON body is read as its value."""
    packed = Answer(gzip.compress(b'{"a": 1}'), 200, {"Content-Encoding": "gzip"})
    with serving(lambda _: packed) as server, Client(server.url, politeness=QUICK) as client:
        assert client.json("x") == {"a": 1}


def test_the_budget_of_requests_is_kept():
    """The request after the last one of the budget is never sent."""
    politeness = Politeness(requests_per_second=1000, max_requests=2)
    with serving(lambda _: answer({})) as server, Client(server.url, politeness=politeness) as client:
        client.json("1")
        client.json("2")
        with pytest.raises(BudgetSpentError, match="2 requests"):
            client.json("3")
        assert len(server.asked) == 2


@pytest.mark.parametrize("body", [b"<html>", b"", b'{"a": NaN}', b"[" * 100_000, b"\xff\xfe"])
def test_what_is_not_json_is_said(body):
    """A reply that is not JSON is an error that says so, never a crash."""
    with serving(lambda _: Answer(body, 200, {"Content-Type": "text/html"})) as server, Client(server.url, politeness=QUICK) as client:
        with pytest.raises(SourceError, match="not JSON"):
            client.json("x")


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1", "0.0.0.0", "100.64.0.1", "fd00::1"])  # noqa: S104
def test_inner_addresses_are_never_visited(host):
    """A host that resolves to an inner address is refused before a connection is made."""
    with pytest.raises(ForbiddenAddressError):
        checked_address(host, 443, loopback=False)


def test_a_public_address_passes():
    """A public address is given back as the one to connect to."""
    assert checked_address("1.1.1.1", 443, loopback=False) == "1.1.1.1"


@pytest.mark.parametrize("url", ["http://example.org/", "ftp://example.org/", "file:///etc/passwd"])
def test_only_https_leaves_the_machine(url):
    """An address that is not https is refused at once."""
    with pytest.raises(SourceError, match="only https"):
        Client(url, politeness=QUICK)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("5", 5.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("garbage", None),
        ("nan", None),
        ("1e999", None),
        ("Thu, 01 Jan 1970 00:02:00 GMT", 20.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
    ],
)
def test_every_form_of_retry_after(value, seconds):
    """Seconds, fractions, dates, past dates and rubbish in Retry-After are each read as what they mean."""
    assert retry_after(value, now=100.0) == seconds
