"""Reddit through PRAW, read-only, with an application's own credentials; off until they are in the environment.

PRAW signs in and asks; what it asks goes over our client, so that deadlines, budgets, Retry-After and bounded bodies hold
here as everywhere. Replies are taken as JSON, never as PRAW's lazy objects, whose attributes would fetch behind our back.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import praw
import prawcore
import requests
from pydantic import Field, PrivateAttr, SecretStr, field_validator

from discovery.sources import Policy, SourceError, reddit_json
from discovery.sources.client import USER_AGENT, Client, Politeness
from discovery.sources.items import MALFORMED
from discovery.sources.live import LiveSource, Page, StreamRefusedError
from storage.records import Community, Coverage, Record

PER_PAGE = 100
NAME = re.compile(r"[A-Za-z0-9_]{2,21}")
STREAMS = {"posts": "new", "comments": "comments"}
ANSWERED = frozenset({301, 302, 400, 401, 403, 404, 409, 413, 414, 415, 451})
"""Statuses that PRAW has its own words for."""


class _Session:
    """What prawcore takes for a ``requests`` session: every request goes over one of our clients."""

    def __init__(self, clients: Mapping[str, Client]) -> None:
        self.headers: dict[str, str] = {}
        self._clients = clients

    def request(self, method: str, url: str, *, params: Any = None, data: Any = None, headers: Any = None, **asked: Any) -> Any:
        """Send what prawcore asks; the deadline is ours, redirects are prawcore's to judge."""
        client = next(client for root, client in self._clients.items() if url.startswith(root))
        told = {name: value for name, value in {**self.headers, **(headers or {})}.items() if name.lower() != "connection"}
        form = dict(data) if data else None
        reply = client.request(method.upper(), url, passing=ANSWERED, params=params, data=form, headers=told, auth=asked.get("auth"))
        response = requests.Response()
        response.status_code = reply.status
        response.headers.update(reply.headers)
        response.headers.pop("content-encoding", None)  # the body is unpacked already
        response.raw = io.BytesIO(reply.body)
        return response

    def close(self) -> None:
        """Close nothing: the clients are the source's."""


class Reddit(LiveSource):
    """Named subreddits: their newest posts and comments. A listing ends at 1,000 items, so it is no census."""

    kind: ClassVar[str] = "reddit"
    policy: ClassVar[Policy] = reddit_json.POLICY
    coverage: ClassVar[Coverage] = "listing"

    subreddits: tuple[str, ...] = Field(min_length=1, description="Names without r/.")
    client_id: SecretStr | None = Field(None, description="From the environment: SUBCURRENT_CREDENTIALS__REDDIT__CLIENT_ID.")
    client_secret: SecretStr | None = Field(None, description="From the environment: SUBCURRENT_CREDENTIALS__REDDIT__CLIENT_SECRET.")
    user_agent: str = USER_AGENT
    reddit_url: str = "https://www.reddit.com/"
    oauth_url: str = "https://oauth.reddit.com/"

    _reddit: praw.Reddit | None = PrivateAttr(default=None)

    @field_validator("subreddits", mode="before")
    @classmethod
    def _names(cls, value: Any) -> Any:
        names = tuple(re.split(r"[+,\s]+", value.strip("+, "))) if isinstance(value, str) else tuple(value)
        # PRAW puts names into paths as they are: `../api/v1/me` would be asked for.
        if wrong := [name for name in names if not NAME.fullmatch(name)]:
            raise ValueError(f"{wrong[0]!r} is no subreddit: 2 to 21 letters, digits and underscores")
        return tuple(sorted({name.lower() for name in names}))

    @classmethod
    def from_argument(cls, path: str, options: Mapping[str, Any]) -> Self:
        """Build from ``reddit:python+learnpython``."""
        return cls.model_validate({"subreddits": path, **options})

    @property
    def name(self) -> str:
        """``reddit:`` and the subreddits."""
        return f"reddit:{'+'.join(self.subreddits)}"

    def client(self) -> Client:
        """Sign in and give the client that the API's replies come over."""
        if self.client_id is None or self.client_secret is None:
            raise SourceError(
                "Reddit is off: there are no credentials. Since November 2025 Reddit approves each application; with an approved one, "
                "set SUBCURRENT_CREDENTIALS__REDDIT__CLIENT_ID and SUBCURRENT_CREDENTIALS__REDDIT__CLIENT_SECRET. "
                "Dumps need none: --source pushshift:PATH."
            )
        api = Client(self.oauth_url, politeness=self.politeness)
        token = Client(self.reddit_url, politeness=Politeness(**{**self.politeness.model_dump(), "max_requests": 10}))
        self._reddit = praw.Reddit(
            client_id=self.client_id.get_secret_value(),
            client_secret=self.client_secret.get_secret_value(),
            user_agent=self.user_agent,
            requestor_kwargs={"session": _Session({self.oauth_url: api, self.reddit_url: token})},
            oauth_url=self.oauth_url.rstrip("/"),
            reddit_url=self.reddit_url.rstrip("/"),
            check_for_updates=False,
            praw8_raise_exception_on_me=True,
        )
        self._reddit.read_only = True
        return api

    def streams(self, client: Client) -> list[str]:
        """List posts and comments of each subreddit."""
        return [f"{name}/{kind}" for name in self.subreddits for kind in sorted(STREAMS)]

    def page(self, client: Client, stream: str, token: str | None) -> Page:
        """Fetch a page of the newest posts or comments, and with the first page the subreddit itself."""
        name, kind = stream.split("/")
        params: dict[str, str | int] = {"limit": PER_PAGE, **({"after": token} if token else {})}
        listing = self._get(f"r/{name}/{STREAMS[kind]}/", params)
        data = listing.get("data") if isinstance(listing, dict) else None
        if not isinstance(data, dict) or not isinstance(data.get("children"), list):
            raise SourceError(f"r/{name}: the reply is no listing.")
        things = [child.get("data") if isinstance(child, dict) else child for child in data["children"]]
        return Page(things, data.get("after"), self._about(name) if kind == "posts" and token is None else ())

    def read(self, item: Any, stream: str) -> Record | None:
        """Read a post or comment; a row of another subreddit is not what was asked for."""
        record = reddit_json.record(item, escaped=False)
        return record if record.communities == (f"reddit:{stream.partition('/')[0]}",) else None

    def _about(self, name: str) -> tuple[Community, ...]:
        try:
            return (reddit_json.subreddit(self._get(f"r/{name}/about/", {})["data"], retrieved_at=None, escaped=False),)
        except MALFORMED:
            return ()  # its members and description stay unknown; its posts do not need them

    def _get(self, path: str, params: dict[str, str | int]) -> Any:
        assert self._reddit is not None, "client() signs in first"  # noqa: S101 - for the type checker
        try:
            return self._reddit.request(method="GET", path=path, params=params)
        except prawcore.exceptions.RequestException as error:
            if isinstance(error.original_exception, SourceError):
                raise error.original_exception from None
            raise SourceError(f"Reddit could not be asked ({type(error.original_exception).__name__}).") from None
        except prawcore.exceptions.OAuthException:
            raise SourceError("Reddit does not accept these credentials: check the application's id and secret.") from None
        except prawcore.exceptions.ResponseException as error:
            status = error.response.status_code
            why = {403: "private or quarantined", 404: "banned or gone", 302: "no such subreddit", 401: "the credentials were revoked"}
            message = f"{path}: Reddit answered {status} ({why.get(status, 'refused')})"
            raise (SourceError if status == 401 else StreamRefusedError)(message) from None
        except praw.exceptions.PRAWException as error:
            raise SourceError(f"{path}: {type(error).__name__}.") from None
