"""Discourse over its public JSON API: the site's newest posts, back to where the last visit ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, PrivateAttr, SecretStr

from discovery.sources import Policy, SourceError, discourse_json
from discovery.sources.client import Client
from discovery.sources.html import plain_text
from discovery.sources.items import MALFORMED
from discovery.sources.live import LiveSource, Page
from storage.records import Community, Coverage, Record


class Discourse(LiveSource):
    """A Discourse forum; each of its categories is a community (or the whole site, by ``unit``)."""

    kind: ClassVar[str] = "discourse"
    policy: ClassVar[Policy] = discourse_json.POLICY
    coverage: ClassVar[Coverage] = "complete"

    url: str = Field(description="Root of the forum, for example https://forum.example.org")
    unit: Literal["category", "site"] = "category"
    api_key: SecretStr | None = Field(None, description="From the environment: SUBCURRENT_CREDENTIALS__DISCOURSE__API_KEY.")
    api_user: SecretStr | None = Field(None, description="From the environment: SUBCURRENT_CREDENTIALS__DISCOURSE__API_USER.")

    _known: dict[str, Community] = PrivateAttr(default_factory=dict)

    @classmethod
    def from_argument(cls, path: str, options: Mapping[str, Any]) -> Self:
        """Build from ``discourse:https://forum.example.org?unit=site``."""
        return cls.model_validate({"url": path, **options})

    @property
    def name(self) -> str:
        """``discourse:`` and the forum's host."""
        return f"discourse:{self._host}"

    @property
    def _host(self) -> str:
        return urlsplit(self.url).netloc

    def client(self) -> Client:
        """Open a client of the forum; a key goes into headers, never into an address."""
        keys = {"Api-Key": self.api_key, "Api-Username": self.api_user}
        headers = {name: value.get_secret_value() for name, value in keys.items() if value is not None}
        return Client(self.url, politeness=self.politeness, headers=headers)

    def streams(self, client: Client) -> list[str]:
        """Read the categories; all posts of the site come in one stream."""
        self._known.update({community.key: community for community in self._communities(client)})
        return ["posts"]

    def page(self, client: Client, stream: str, token: str | None) -> Page:
        """Fetch the fifty posts before a post's number; numbers only grow, so nothing moves between pages."""
        reply = client.json(f"{stream}.json", {"before": token} if token else None)
        posts = reply.get("latest_posts") if isinstance(reply, dict) else None
        if not isinstance(posts, list):
            raise SourceError(
                f"{self._host}: the reply has no list `latest_posts`: not a Discourse this source reads, or it asks for a login."
            )
        numbers = [post["id"] for post in posts if isinstance(post, dict) and type(post.get("id")) is int]
        oldest = min(numbers, default=0)
        ended = not numbers or oldest <= 1 or (token is not None and oldest >= int(token))
        return Page(posts, None if ended else str(oldest), () if token else tuple(self._known.values()))

    def read(self, item: Any, stream: str) -> Record | None:
        """Read a post of any category."""
        key = self._key("site" if self.unit == "site" else item["category_id"])
        return discourse_json.record(item, host=self._host, community=key, title=item.get("topic_title") or "")

    def _key(self, category: Any) -> str:
        return f"discourse:{self._host}/{category}"

    def _communities(self, client: Client) -> list[Community]:
        if self.unit == "site":
            return [Community(key=self._key("site"), name=self._host, url=self.url)]
        try:
            listed = client.json("categories.json", {"include_subcategories": "true"})["category_list"]["categories"]
            return [self._community(category) for outer in listed for category in (outer, *(outer.get("subcategory_list") or ()))]
        except MALFORMED:
            raise SourceError(f"{self._host}: categories.json is not in Discourse's documented shape.") from None

    def _community(self, category: Mapping[str, Any]) -> Community:
        return Community(
            key=self._key(int(category["id"])),
            name=category["name"],
            url=f"https://{self._host}/c/{int(category['id'])}",
            description=plain_text(category.get("description_text") or ""),
        )
