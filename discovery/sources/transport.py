"""The wire under every live source: one wall-clock deadline a request, and no way to an address inside.

httpx's timeouts are per read, so a server that drips a byte a second holds a client for ever; and a name may resolve to a
private address. Both are settled where the socket is: every connect, read and write gets what is left of the deadline, and
a host is resolved once, checked, and connected to by the address that was checked.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import httpcore
import httpx

NAT64 = ipaddress.ip_network("64:ff9b::/96")


class ForbiddenAddressError(ConnectionError):
    """A host resolves to an address that is not on the public internet."""


class Deadline:
    """When the request in flight must be over, on the monotonic clock."""

    def __init__(self) -> None:
        self.until = float("inf")

    def left(self, timeout: float | None) -> float:
        """Give the seconds left, at most ``timeout``.

        Raises:
            httpcore.ReadTimeout: nothing is left.
        """
        left = self.until - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the request's deadline has passed")
        return left if timeout is None else min(left, timeout)


def checked_address(host: str, port: int, *, loopback: bool) -> str:
    """Resolve a host once and give the address to connect to.

    Raises:
        ForbiddenAddressError: an address is private, link-local, reserved, or loopback where loopback was not asked for.
        httpcore.ConnectError: the name does not resolve.
    """
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except OSError as error:
        raise httpcore.ConnectError(f"{host} does not resolve") from error
    for address in sorted(found):
        ip = ipaddress.ip_address(address.partition("%")[0])
        inner = getattr(ip, "ipv4_mapped", None) or ip
        if loopback and inner.is_loopback:
            continue
        if not inner.is_global or inner.is_multicast or (ip.version == 6 and ip in NAT64):
            raise ForbiddenAddressError(f"{host} resolves to {address}, which is not a public address")
    return sorted(found, key=lambda address: (":" in address, address))[0]


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, self._deadline.left(timeout)), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Network(httpcore.NetworkBackend):
    def __init__(self, deadline: Deadline, *, loopback: bool) -> None:
        self._sockets = httpcore.SyncBackend()
        self._deadline = deadline
        self._loopback = loopback

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        address = checked_address(host, port, loopback=self._loopback)
        stream = self._sockets.connect_tcp(address, port, self._deadline.left(timeout), local_address, socket_options)
        return _Stream(stream, self._deadline)


@contextmanager
def _as_httpx(request: httpx.Request) -> Iterator[None]:
    """Turn httpcore's errors into httpx's."""
    try:
        yield
    except httpcore.TimeoutException as error:
        raise httpx.ReadTimeout(str(error), request=request) from error
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise httpx.TransportError(str(error), request=request) from error


class _Body(httpx.SyncByteStream):
    def __init__(self, response: httpcore.Response, request: httpx.Request) -> None:
        self._response = response
        self._request = request

    def __iter__(self) -> Iterator[bytes]:
        with _as_httpx(self._request):
            yield from cast("Iterable[bytes]", self._response.stream)

    def close(self) -> None:
        self._response.close()


class Transport(httpx.BaseTransport):
    """An httpx transport with a total deadline and an address check; proxies and environment are not consulted."""

    def __init__(self, *, loopback: bool) -> None:
        self.deadline = Deadline()
        network = _Network(self.deadline, loopback=loopback)
        self._pool = httpcore.ConnectionPool(ssl_context=httpx.create_ssl_context(trust_env=False), network_backend=network)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request."""
        url = httpcore.URL(scheme=request.url.raw_scheme, host=request.url.raw_host, port=request.url.port, target=request.url.raw_path)
        sent = httpcore.Request(
            request.method, url, headers=request.headers.raw, content=cast("Any", request.stream), extensions=dict(request.extensions)
        )
        with _as_httpx(request):
            response = self._pool.handle_request(sent)
        return httpx.Response(response.status, headers=response.headers, stream=_Body(response, request), extensions=response.extensions)

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()
