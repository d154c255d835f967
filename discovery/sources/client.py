"""The one polite HTTP client under every live source.

One deadline a request and a budget of requests a source; ``Retry-After`` obeyed; bodies bounded before and after
decompression; redirects followed by hand and only on the same origin, so that no key ever reaches another host.
"""

from __future__ import annotations

import email.utils
import json
import math
import time
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Self

import httpx
import stamina
from pydantic import BaseModel, ConfigDict, Field
from pyrate_limiter import Duration, Limiter, Rate

from discovery.sources import SourceError
from discovery.sources.transport import ForbiddenAddressError, Transport

# stamina would print each retry through whatever logger it finds, onto standard output too; a source's run tells of them.
stamina.instrumentation.set_on_retry_hooks([])

USER_AGENT = "subcurrent/0.1 (+https://github.com/subcurrent/subcurrent)"
RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 522})
MAX_REDIRECTS = 5
PIECE = 64 * 1024
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Politeness(BaseModel):
    """What a live source may ask of a server."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    requests_per_second: float = Field(1.0, gt=0)
    max_requests: int = Field(1000, ge=1, description="Budget of one run of this source.")
    deadline_s: float = Field(60.0, gt=0, description="Whole time of one request, redirects and body included.")
    max_body_mib: int = Field(32, ge=1, description="Largest body, decompressed.")
    attempts: int = Field(5, ge=1, description="Tries of one request that fails for a passing reason.")
    max_wait_s: float = Field(900.0, gt=0, description="Longest Retry-After that is waited out; beyond it the source is parked.")


class BudgetSpentError(SourceError):
    """The source has used the requests it may make in a run; what it has is kept, and the next run goes on from there."""


class RefusedError(SourceError):
    """The server said no for good: 401, 403, 404, 410, 451 or a redirect elsewhere."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class _PassingError(Exception):
    """A failure worth another try, with the wait the server asked for."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class Reply(NamedTuple):
    """A whole reply: its status, headers and decompressed body."""

    status: int
    headers: httpx.Headers
    body: bytes

    def json(self) -> Any:
        """Parse the body.

        Raises:
            SourceError: the body is not JSON, is nested too deep, or holds numbers no JSON has.
        """
        try:
            return json.loads(self.body, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            kind = self.headers.get("content-type", "no content type")
            raise SourceError(f"the server sent {len(self.body):,} bytes of {kind} that are not JSON ({type(error).__name__})") from None


def _no_constant(word: str) -> float:
    raise ValueError(f"{word} is not JSON")


class Client:
    """GETs from one origin, politely. ``requests`` counts what was sent."""

    def __init__(self, origin: str, *, politeness: Politeness, headers: Mapping[str, str] | None = None) -> None:
        self.origin = httpx.URL(origin)
        loopback = self.origin.host in LOOPBACK
        if self.origin.scheme != "https" and not (self.origin.scheme == "http" and loopback):
            raise SourceError(f"{origin}: only https addresses are read (http only on this machine itself).")
        self.requests = 0
        self._politeness = politeness
        self._transport = Transport(loopback=loopback)
        defaults = {"User-Agent": USER_AGENT, "Accept": "application/json", "Accept-Encoding": "gzip", **(headers or {})}
        self._http = httpx.Client(transport=self._transport, headers=defaults, follow_redirects=False, trust_env=False, timeout=None)  # noqa: S113 - Transport's deadline
        self._limiter = Limiter(Rate(1, max(1, round(int(Duration.SECOND) / politeness.requests_per_second))))

    def __enter__(self) -> Self:
        """Enter; the connections close on leaving."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close every connection."""
        self._http.close()

    def json(self, url: str, params: Mapping[str, Any] | None = None) -> Any:
        """GET a JSON document.

        Raises:
            SourceError: refused, out of budget, over the deadline, too large, or not JSON.
        """
        return self.request("GET", url, params=params).json()

    def request(self, method: str, url: str, *, passing: frozenset[int] = frozenset(), **sent: Any) -> Reply:
        """Send one request, again where the failure is a passing one; statuses in ``passing`` are given back as they are.

        Raises:
            SourceError: see :meth:`json`.
        """
        tries = stamina.retry_context(on=_wait, attempts=self._politeness.attempts, timeout=None, wait_initial=0.5, wait_max=30.0)
        try:
            for attempt in tries:
                with attempt:
                    return self._once(method, url, passing, sent)
        except _PassingError as error:
            raise SourceError(f"{self.origin.host}: {error} after {self._politeness.attempts} tries; try again later.") from None
        raise AssertionError("stamina gives at least one attempt")  # pragma: no cover - for the type checker

    def _once(self, method: str, url: str, passing: frozenset[int], sent: dict[str, Any]) -> Reply:
        target = self.origin.join(url)
        self._transport.deadline.until = time.monotonic() + self._politeness.deadline_s
        for _ in range(MAX_REDIRECTS + 1):
            if _origin(target) != _origin(self.origin):
                raise RefusedError(f"{self.origin.host} redirects to {target.host}, another origin: not followed.", 302)
            reply = self._send(method, target, sent)
            if reply.status in passing or reply.status < 300:
                return reply
            if reply.status >= 400 or "location" not in reply.headers:
                raise self._failure(reply)
            target = target.join(reply.headers["location"])
            sent = {name: value for name, value in sent.items() if name != "params"}
        raise RefusedError(f"{self.origin.host} redirects more than {MAX_REDIRECTS} times.", 310)

    def _send(self, method: str, url: httpx.URL, sent: dict[str, Any]) -> Reply:
        if self.requests >= self._politeness.max_requests:
            raise BudgetSpentError(f"{self.origin.host}: the budget of {self._politeness.max_requests:,} requests a run is spent.")
        self._limiter.try_acquire(self.origin.host)
        self.requests += 1
        try:
            with self._http.stream(method, url, **sent) as response:
                return Reply(response.status_code, response.headers, self._body(response))
        except ForbiddenAddressError as error:
            raise RefusedError(f"{error}; it is not visited.", 403) from None
        except httpx.TimeoutException:
            raise _PassingError(f"no whole reply within {self._politeness.deadline_s:g} s") from None
        except httpx.TransportError as error:
            raise _PassingError(f"the connection failed ({type(error.__cause__ or error).__name__})") from None

    def _body(self, response: httpx.Response) -> bytes:
        """Read a body piece by piece, decompressing no more than the bound."""
        bound = self._politeness.max_body_mib << 20
        encoding = response.headers.get("content-encoding", "identity").lower()
        if encoding not in {"identity", "gzip", "x-gzip", ""}:
            raise SourceError(f"{self.origin.host} sends `{encoding}`, which was not asked for.")
        body = bytearray()
        for piece in _plain(response.iter_raw(), packed="gzip" in encoding):
            body += piece
            if len(body) > bound:
                raise SourceError(f"{self.origin.host} sends more than {self._politeness.max_body_mib} MiB in one reply; not read.")
        return bytes(body)

    def _failure(self, reply: Reply) -> Exception:
        host = self.origin.host
        if reply.status not in RETRIED:
            return RefusedError(f"{host} answered {reply.status}; it is not asked again in this run.", reply.status)
        wait = retry_after(reply.headers.get("retry-after"), now=time.time())
        if wait is not None and wait > self._politeness.max_wait_s:
            return SourceError(
                f"{host} asks to wait {wait:,.0f} s, longer than {self._politeness.max_wait_s:,.0f} s: parked until the next run."
            )
        return _PassingError(f"{host} answered {reply.status}", wait)


def _plain(pieces: Iterator[bytes], *, packed: bool) -> Iterator[bytes]:
    if not packed:
        yield from pieces
        return
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    for packed_piece in pieces:
        rest = packed_piece
        try:
            while rest:
                yield unpacker.decompress(rest, PIECE)
                rest = unpacker.unconsumed_tail
        except zlib.error:
            raise SourceError("the server's gzip body is damaged") from None
    if not unpacker.eof:
        raise _PassingError("the gzip body was cut short")


def _wait(error: Exception) -> bool | float:
    if not isinstance(error, _PassingError):
        return False
    return True if error.wait is None else error.wait


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def retry_after(value: str | None, *, now: float) -> float | None:
    """Read a ``Retry-After`` of any form into seconds from ``now``; None where it says nothing usable.

    Seconds (also fractions) and HTTP dates are read; a past date or a negative number means now.
    """
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - now
        except (ValueError, OverflowError):
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None
