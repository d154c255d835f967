"""Lemmy (API v3, servers 0.18 to 1.0): one instance, some or all of its local communities.

Unknown parameters and names are silently ignored by servers, and a wrong community then yields the whole instance's
feed: communities are asked for by their number, and every row's community is checked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from discovery.sources import Policy, SourceError
from discovery.sources.client import Client, RefusedError
from discovery.sources.items import MalformedItemError
from discovery.sources.live import LiveSource, Page, StreamRefusedError
from discovery.sources.moments import moment
from storage.records import Community, Coverage, Record

PER_PAGE = 50


class Lemmy(LiveSource):
    """Communities of a Lemmy instance; a community is known by its home instance and name wherever it is read."""

    kind: ClassVar[str] = "lemmy"
    policy: ClassVar[Policy] = Policy(quote_ok=True, llm_ok=True, licence="public instance; its owner's terms")
    coverage: ClassVar[Coverage] = "complete"

    url: str = Field(description="Root of the instance, for example https://lemmy.example.org")
    communities: tuple[str, ...] = Field((), description="Names as the instance shows them; all local communities when empty.")

    @field_validator("communities", mode="before")
    @classmethod
    def _names(cls, value: Any) -> Any:
        return tuple(name.strip() for name in value.split(",") if name.strip()) if isinstance(value, str) else value

    @classmethod
    def from_argument(cls, path: str, options: Mapping[str, Any]) -> Self:
        """Build from ``lemmy:https://lemmy.example.org?communities=asklemmy,linux``."""
        return cls.model_validate({"url": path, **options})

    @property
    def name(self) -> str:
        """``lemmy:`` and the instance's host."""
        return f"lemmy:{urlsplit(self.url).netloc}"

    def client(self) -> Client:
        """Open a client of the instance."""
        return Client(self.url, politeness=self.politeness)

    def streams(self, client: Client) -> list[str]:
        """List posts and comments of each community; a stream's name is JSON of its kind, the community's number and key."""
        found = [self._named(client, name) for name in self.communities] or self._local(client)
        rows = sorted({json.dumps([row["id"], _key(row), kind]) for row in found for kind in ("posts", "comments")})
        if not rows:
            raise SourceError(f"{self.name} shows no community: name some with `communities`.")
        return rows

    def page(self, client: Client, stream: str, token: str | None) -> Page:
        """Fetch a page of posts by cursor, or of comments by number."""
        try:
            return self._page(client, stream, token)
        except RefusedError as error:
            raise StreamRefusedError(f"{json.loads(stream)[1]}: {error}") from None

    def _page(self, client: Client, stream: str, token: str | None) -> Page:
        number, _, kind = json.loads(stream)
        asked = {"community_id": number, "sort": "New", "limit": PER_PAGE}
        if kind == "posts":
            reply = client.json("api/v3/post/list", {**asked, **({"page_cursor": token} if token else {})})
            views = _rows(reply, "posts")
            return Page(views, reply.get("next_page"), _communities(views))
        page = int(token or 1)
        views = _rows(client.json("api/v3/comment/list", {**asked, "type_": "All", "page": page}), "comments")
        return Page(views, str(page + 1) if len(views) == PER_PAGE else None)

    def read(self, item: Any, stream: str) -> Record | None:
        """Read a post view or comment view; a row of another community means the server ignored what it was asked."""
        number, key, kind = json.loads(stream)
        if item["community"]["id"] != number:
            raise MalformedItemError("a row of another community than was asked for")
        what = item["post" if kind == "posts" else "comment"]
        gone = what["deleted"] or what["removed"]
        creator, counts = item["creator"], item["counts"]
        common = {
            "id": _global(what["ap_id"]),
            "communities": (key,),
            "author": None if gone else _actor(creator["actor_id"]),
            "author_name": None if gone else creator["name"],
            "created_at": moment(what["published"]),
            "score": counts["score"],
            "bot": creator["bot_account"],
            "url": f"{self.url.rstrip('/')}/{'post' if kind == 'posts' else 'comment'}/{int(what['id'])}",
        }
        if kind == "posts":
            body = "" if gone else what.get("body") or ""
            domain = urlsplit(what.get("url") or "").hostname
            return Record(
                **common, kind="post", title=what["name"], text=body, thread=common["id"], replies=counts["comments"], domain=domain
            )
        thread = _global(item["post"]["ap_id"])
        return Record(**common, kind="reply", text="" if gone else what["content"], thread=thread, replies=counts["child_count"])

    def _named(self, client: Client, name: str) -> Mapping[str, Any]:
        row: Mapping[str, Any] = client.json("api/v3/community", {"name": name})["community_view"]["community"]
        if name.partition("@")[0].casefold() != row["name"].casefold():
            raise SourceError(f"{self.name}: asked for the community `{name}`, the server gave another.")
        return row

    def _local(self, client: Client) -> list[Mapping[str, Any]]:
        found: dict[int, Mapping[str, Any]] = {}
        for page in range(1, 101):
            reply = client.json("api/v3/community/list", {"type_": "Local", "sort": "Old", "limit": PER_PAGE, "page": page})
            rows = {view["community"]["id"]: view["community"] for view in _rows(reply, "communities")}
            if not rows or rows.keys() <= found.keys():
                break  # some servers answer page 1 again for ever
            found |= rows
        return list(found.values())


def _rows(reply: Any, name: str) -> list[Any]:
    if not isinstance(reply, dict) or not isinstance(reply.get(name), list):
        raise SourceError(f"the server's reply has no list `{name}`: not the Lemmy v3 API this source reads.")
    rows: list[Any] = reply[name]
    return rows


def _key(row: Mapping[str, Any]) -> str:
    """Key of a community by its home: the same from whatever instance it is read."""
    return f"lemmy:{urlsplit(row['actor_id']).netloc}/{row['name']}"


def _communities(views: list[Any]) -> list[Community]:
    rows = {
        view["community"]["id"]: view["community"] for view in views if isinstance(view, dict) and isinstance(view.get("community"), dict)
    }
    return [
        Community(
            key=_key(row),
            name=row.get("title") or row["name"],
            url=row["actor_id"],
            description=row.get("description") or "",
            sensitive=bool(row.get("nsfw")),
        )
        for row in rows.values()
    ]


def _global(ap_id: str) -> str:
    """Identity of a record over all instances, from its ActivityPub id."""
    parts = urlsplit(ap_id)
    return f"lemmy:{parts.netloc}{parts.path}"


def _actor(actor_id: str) -> str:
    parts = urlsplit(actor_id)
    return f"{parts.netloc}{parts.path}"
