"""Names of people stay out: after reading files of every kind of syntax, no store, log or message holds one that anything marks."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from tests.command_line import configured, subcurrent

NAMES = ("Zqxana", "ZQXBen_77", "zqx.cleo-9", "Zqxünïcødé", "zqx田中")
MARK = "zqx"
WAYS = (
    *("@{0} thanks", "ask u/{0} or /u/{0}", "see https://x.example/u/{0} and https://x.example/user/{0}", "(@{0}) hi @{0}!"),
    *("@{0}: yes", "\u201c@{0}\u201d", "I paid $40 a month as @{0} said"),
)
SAID = [(name, way.format(name)) for name in NAMES for way in WAYS]
START = 1_600_000_000


def _table(folder: Path) -> str:
    with (folder / "t.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["community", "author", "created_at", "title", "text"])
        writer.writerows(["bees", name, START + at, text, text] for at, (name, text) in enumerate(SAID))
        writer.writerows(row for name in NAMES for row in (["bees", name, name, name, name], ["bees", name], ["", name, START, name, name]))
    return "table:t.csv"


def _pushshift(folder: Path) -> str:
    thing = {"subreddit": "bees", "link_id": "t3_a1", "parent_id": "t3_a1"}
    lines = [
        json.dumps({**thing, "id": f"c{at}", "author": name, "created_utc": START, "body": text}) for at, (name, text) in enumerate(SAID)
    ]
    for name in NAMES:
        wrong = {"id": name, "author": {"name": name}, "subreddit": f"{name}/../x", "created_utc": name, "body": [name], "parent_id": name}
        profile = {"id": "z1", "author": name, "subreddit": f"u_{name}", "created_utc": START, "body": name}
        lines += [json.dumps({**thing, **each}) for each in (wrong, profile)] + [f'{{"author": "{name}", "cut']
    (folder / "RC_2020-09.ndjson").write_text("\n".join(lines))
    return "pushshift:RC_2020-09.ndjson"


def _chat(folder: Path) -> str:
    (folder / "chat").mkdir()
    said = [*SAID, *((name, f"{other}: hello") for name in NAMES for other in NAMES)]
    lines = [f"[2020-09-01 10:{at % 60:02}:00] <{name}> {text}" for at, (name, text) in enumerate(said)]
    (folder / "chat" / "bees.log").write_text("\n".join(lines))
    return "chat_log:chat"


def _discord(folder: Path) -> str:
    people = {name: {"id": str(10**17 + at), "name": name, "nickname": f"{name}Nick", "isBot": False} for at, name in enumerate(NAMES)}
    messages = [
        {
            "id": str(10**17 + at),
            "type": "Default",
            "timestamp": "2020-09-01T10:00:00+00:00",
            "content": text,
            "author": people[name],
            "mentions": [people[name]],
            "reactions": [],
        }
        for at, (name, text) in enumerate(SAID)
    ]
    wrong = [{"id": name, "type": "Default", "timestamp": name, "content": name, "author": {"name": name}} for name in NAMES]
    channel = {"id": "2", "type": "GuildTextChat", "category": "c", "name": "general", "topic": f"kept by @{NAMES[0]}"}
    export = {"guild": {"id": "1", "name": "G"}, "channel": channel, "messages": messages + wrong, "messageCount": len(messages + wrong)}
    (folder / "general.json").write_text(json.dumps(export))
    return "discord_export:general.json"


def _discourse(folder: Path) -> str:
    posts = [
        {
            "id": at,
            "username": name,
            "name": name,
            "user_id": 5,
            "created_at": "2020-09-13T12:26:40.000Z",
            "post_number": at,
            "cooked": f"<p>{text}</p><a class='mention' href='/u/{name}'>@{name}</a>",
            "post_type": 1,
            "topic_id": 7,
            "reply_to_post_number": None,
            "actions_summary": [],
        }
        for at, (name, text) in enumerate(SAID, 1)
    ]
    wrong = [{"id": name, "username": name, "post_number": name, "post_type": 1, "topic_id": 7, "created_at": name} for name in NAMES]
    topic = {"id": 7, "title": f"hello @{NAMES[0]}", "category_id": 5, "posts_count": len(posts), "post_stream": {"posts": posts + wrong}}
    (folder / "forum").mkdir()
    (folder / "forum" / "7.json").write_text(json.dumps(topic))
    return "discourse_archive:forum?host=forum.example.org"


@pytest.mark.parametrize(
    ("command", "lay_out"),
    [("run", _table), ("collect", _pushshift), ("collect", _chat), ("collect", _discord), ("collect", _discourse)],
)
def test_no_marked_name_is_kept(tmp_path: Path, command: str, lay_out: Callable[[Path], str]) -> None:
    """Authors, and whom ``@``, ``u/``, a profile's address or a chat's ``name:`` marks, are in no row, file or message."""
    config = configured(tmp_path)
    said = subcurrent(command, "--config", config, "--source", lay_out(tmp_path), cwd=tmp_path)
    assert said.code == 0, said.err
    assert MARK not in (said.out + said.err).casefold()
    for file in (tmp_path / "data").rglob("*"):
        assert not file.is_file() or MARK.encode() not in file.read_bytes().lower(), file.name
    with duckdb.connect(str(tmp_path / "data" / "activity.duckdb"), read_only=True) as connection:
        rows = [connection.execute(f"SELECT * FROM {name}").fetchall() for name in ("records", "communities", "quarantine", "sources")]  # noqa: S608
    assert len(rows[0]) >= len(SAID)
    assert MARK not in str(rows).casefold()
