"""A model server that speaks OpenAI's protocol, inside its budget of calls and time: a request goes in, a bounded body comes out.

Whatever a server does, one of the three errors below is raised or a body comes back before the deadline. What it says of its own
failure is never repeated, since it may hold what it was sent. The only module that knows ``openai``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from discovery.settings import EndpointSettings

if TYPE_CHECKING:
    from openai import AsyncOpenAI

Way = Callable[["AsyncOpenAI"], Any]
"""Which of the client's rooms is asked."""


class UnreachableError(RuntimeError):
    """The server cannot be reached, is too slow or turns us away: asking in another way would not help."""


class UnfitError(RuntimeError):
    """The server does not know this way of asking, or fails at it; another may do better."""


class SpentError(RuntimeError):
    """The run's budget of calls or time is spent."""


def chat(client: AsyncOpenAI) -> Any:
    """Ask for a completion of a conversation."""
    return client.chat.completions


def embeddings(client: AsyncOpenAI) -> Any:
    """Ask for the vectors of some texts."""
    return client.embeddings


class Endpoint:
    """The requests of one run to one server."""

    def __init__(self, settings: EndpointSettings, *, longest_reply: int) -> None:
        self.settings, self.longest_reply = settings, longest_reply
        self.calls = 0
        self.until = time.monotonic() + settings.run_deadline_seconds

    async def __aenter__(self) -> Self:
        import openai  # noqa: PLC0415 — 30 MB that only a configured run needs

        self._client = openai.AsyncOpenAI(
            base_url=str(self.settings.base_url),
            api_key=self.settings.api_key.get_secret_value() or "none",
            max_retries=0,
            timeout=self.settings.deadline_seconds,
            http_client=openai.DefaultAsyncHttpxClient(follow_redirects=False),
        )
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._client.close()

    async def ask(self, way: Way, **arguments: Any) -> bytes:
        """Send one request and read its reply, of at most ``longest_reply`` bytes.

        Raises:
            SpentError: no call or no time is left.
            UnfitError: the server does not know this way of asking.
            UnreachableError: no connection, no leave, or no end of the reply.
        """
        left = self.until - time.monotonic()
        if self.calls >= self.settings.max_calls:
            raise SpentError(f"the run's {self.settings.max_calls} calls are used up")
        if left <= 0:
            raise SpentError(f"the run's {self.settings.run_deadline_seconds:g} seconds are over")
        self.calls += 1
        try:
            async with asyncio.timeout(min(left, self.settings.deadline_seconds)):
                return await self._body(way, {"model": self.settings.model, **arguments})
        except TimeoutError:
            raise UnreachableError(f"no whole reply within {min(left, self.settings.deadline_seconds):.3g} seconds") from None

    async def _body(self, way: Way, arguments: dict[str, Any]) -> bytes:
        import httpx2  # noqa: PLC0415 — openai's transport, whose errors come through while a body is read
        import openai  # noqa: PLC0415

        try:
            async with way(self._client).with_streaming_response.create(**arguments) as response:
                body = b""
                async for chunk in response.iter_bytes(1 << 14):
                    body += chunk
                    if len(body) > self.longest_reply:
                        raise UnreachableError(f"a reply of more than {self.longest_reply:,} bytes")
                return body
        except (openai.BadRequestError, openai.UnprocessableEntityError, openai.InternalServerError) as error:
            raise UnfitError(f"status {error.status_code}") from None
        except openai.APIStatusError as error:
            raise UnreachableError(f"status {error.status_code}") from None
        except (openai.OpenAIError, httpx2.HTTPError) as error:
            raise UnreachableError(f"no connection ({type(error).__name__})") from None
