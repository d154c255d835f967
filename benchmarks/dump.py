"""Write the planted world as Reddit's dumps: a submissions and a comments file for each month, lines as long as real ones.

In: a folder and a number of records. Out: ``RS_2025-01.zst``, ``RC_2025-01.zst`` and so on in it, the same bytes every time.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import zstandard
from pydantic_core import to_json

from discovery.sources import EVER
from discovery.sources.world import World
from storage.records import Cursor, Record

SEED = 1
SCALE = 0.4
"""Persons of each community, against the demo's: about 500 records each."""
PER_COMMUNITY = 400
"""Fewer records than any mix of kinds has on average, so that the world never runs out."""
HOUR = 3_600


def _fields(*groups: tuple[object, str]) -> dict[str, object]:
    return {name: value for value, names in groups for name in names.split()}


_IDLE = _fields(
    ([], "all_awardings author_flair_richtext awarders mod_reports treatment_tags user_reports"),
    (None, "approved_at_utc approved_by author_flair_background_color author_flair_css_class author_flair_template_id author_flair_text"),
    (None, "author_flair_text_color banned_at_utc banned_by distinguished likes mod_note mod_reason_by mod_reason_title num_reports"),
    (None, "removal_reason report_reasons top_awarded_type"),
    (False, "archived author_is_blocked author_patreon_flair author_premium can_gild can_mod_post edited locked no_follow saved stickied"),
    (0, "downs gilded total_awards_received"),
    ({}, "gildings"),
    ("public", "subreddit_type"),
)
"""What stands in every line of today's dumps and is read by nobody: more than half of its bytes."""
_IDLE_POST = _IDLE | _fields(
    (False, "allow_live_comments clicked contest_mode hidden hide_score is_created_from_ads_ui is_meta is_original_content"),
    (False, "is_reddit_media_domain is_video media_only over_18 pinned quarantine spoiler visited"),
    (True, "is_crosspostable is_robot_indexable send_replies"),
    (None, "category content_categories discussion_type link_flair_background_color link_flair_css_class link_flair_text media"),
    (None, "removed_by removed_by_category secure_media suggested_sort thumbnail_height thumbnail_width view_count"),
    ([], "link_flair_richtext"),
    ({}, "media_embed secure_media_embed"),
    (0, "num_crossposts pwls"),
    ("all_ads", "parent_whitelist_status whitelist_status"),
    ("text", "author_flair_type link_flair_type"),
    (0.97, "upvote_ratio"),
)
_IDLE_COMMENT = _IDLE | _fields(
    (None, "associated_award collapsed_because_crowd_control collapsed_reason collapsed_reason_code comment_type unrepliable_reason"),
    (False, "collapsed is_submitter score_hidden send_replies"),
    (0, "controversiality"),
    ("", "replies"),
)


def write(folder: Path, *, records: int) -> tuple[int, int]:
    """Write so many records, each into the file of its kind and month; give the number of communities and of bytes before compression."""
    folder.mkdir(parents=True)
    communities: set[str] = set()
    size = 0
    with ExitStack() as stack:
        files: dict[str, BinaryIO] = {}
        for record, members in islice(planted(communities=records // PER_COMMUNITY + 1), records):
            name = f"R{'S' if record.kind == 'post' else 'C'}_{datetime.fromtimestamp(record.created_at, UTC):%Y-%m}.zst"
            if name not in files:
                compressor = zstandard.ZstdCompressor(write_checksum=True)
                files[name] = stack.enter_context(zstandard.open(folder / name, "wb", cctx=compressor))
            size += files[name].write(to_json(_line(record, members)) + b"\n")
            communities.update(record.communities)
    return len(communities), size


def planted(communities: int) -> Iterator[tuple[Record, int]]:
    """Yield the records of the world, each with the members its community has by then."""
    members: dict[str, int] = {}
    for batch in World(seed=SEED, communities=communities, scale=SCALE).batches(Cursor(), window=EVER):
        members |= {community.key: community.members or 0 for community in batch.communities}
        for record in batch.records:
            (key,) = record.communities
            yield record, members[key] + record.created_at // HOUR % 10_000


def _line(record: Record, members: int) -> dict[str, Any]:
    """Give a record the form of its year's dumps."""
    (key,) = record.communities
    name = key.rpartition("/")[2]
    own, thread = _id(record.id), _id(record.thread or record.id)
    author = "AutoModerator" if record.bot else record.author or "[deleted]"
    line: dict[str, Any] = {
        "_meta": {"retrieved_2nd_on": record.created_at + 40 * HOUR},
        "author": author,
        "author_fullname": f"t2_{own}",
        "created": float(record.created_at),
        "created_utc": float(record.created_at),
        "id": own,
        "permalink": f"/r/{name}/comments/{thread}/{name}_and_what_it_says/{own}/",
        "retrieved_on": record.created_at + 15,
        "score": record.score,
        "subreddit": name,
        "subreddit_id": f"t5_{_id(key + '/0')}",
        "subreddit_name_prefixed": f"r/{name}",
        "updated_on": record.created_at + 30,
        "ups": record.score,
    }
    if record.kind == "reply":
        parent = record.parent or record.thread or ""
        answered = "t3" if parent == record.thread else "t1"
        line |= {"body": record.text, "link_id": f"t3_{thread}", "name": f"t1_{own}", "parent_id": f"{answered}_{_id(parent)}"}
        return line | _IDLE_COMMENT
    line |= {"domain": record.domain or f"self.{name}", "is_self": record.domain is None, "name": f"t3_{own}"}
    line |= {"num_comments": record.replies, "selftext": record.text, "subreddit_subscribers": members, "title": record.title}
    line["url"] = f"https://www.reddit.com{line['permalink']}"
    return line | _IDLE_POST


def _id(key: str) -> str:
    """Number a record by its community and its place there; hexadecimal digits are a subset of base 36."""
    community, _, row = key.rpartition("/")
    return f"{int(community.rpartition('-')[2]) << 24 | int(row):x}"


if __name__ == "__main__":
    print(*write(Path(sys.argv[1]), records=int(sys.argv[2])))
