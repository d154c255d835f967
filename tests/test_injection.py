"""Hostile texts as posts, titles and names, and a model that obeys them: no score moves, and nothing they want reaches anybody."""

from __future__ import annotations

import csv
import html
import io
import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from discovery.archetypes.naming import namer
from discovery.archetypes.redaction import redact
from discovery.archetypes.template import Facts, labels
from discovery.settings import LlmSettings
from discovery.sources import load
from tests.command_line import configured, subcurrent
from tests.factories import gather
from tests.injections import API_KEY, CORPUS, DEMANDS, FORBIDDEN, INVISIBLE, REDDIT_SECRET, Obedient
from tests.loopback import serving
from tests.report_pages import Dom

WORLD = "world:3?communities=50&days=112&scale=.1"
NAMING = {"name", "summary", "label_source", "run_id", "published_at"}
"""Columns in which a run with a model may differ from one without."""
RANKINGS = ("archetypes", "niches", "communities")
ENVIRONMENT = {"SUBCURRENT_LLM__API_KEY": API_KEY, "REDDIT_CLIENT_ID": "canary7f3e-id", "REDDIT_CLIENT_SECRET": REDDIT_SECRET}


class Told(NamedTuple):
    """A run over the hostile market: its folder and the rows of its rankings."""

    folder: Path
    rows: list[dict[str, Any]]


def forum(folder: Path) -> Path:
    """Save the planted world as topics of a forum, whose categories, titles, members and posts are hostile texts too."""
    (path := folder / "forum").mkdir()
    threads = defaultdict(list)
    for record in gather(load(WORLD, credentials={})):
        threads[record.thread].append(record)
    places = {key: at for at, key in enumerate(sorted({records[0].communities[0] for records in threads.values()}), 1)}
    given = {place: iter(CORPUS[place - 1 :: len(places)]) for place in places.values()}
    for number, records in enumerate(threads.values(), 1):
        place = places[records[0].communities[0]]
        hostile = next(given[place], None)
        posts = [post(record, at, number) for at, record in enumerate(records, 1)]
        title = hostile.text if hostile else records[0].title
        if hostile:
            said = f"<p>I paid $40 a month for what says {html.escape(hostile.text)} and I need a tool for it</p><div>{hostile.text}</div>"
            posts[0] |= {"cooked": said, "username": hostile.text}
        stream = {"posts": posts, "stream": [each["id"] for each in posts]}
        saved = {"id": number, "title": title, "category_id": place, "posts_count": len(posts), "post_stream": stream}
        (path / f"{number}.json").write_text(json.dumps(saved))
    named = [{"id": at, "name": CORPUS[at * 10 - 1].text, "description": CORPUS[at * 10 - 2].text} for at in places.values()]
    (path / "categories.json").write_text(json.dumps({"category_list": {"categories": named}}))
    return path


def post(record: Any, number: int, topic: int) -> dict[str, Any]:
    """Write a record as a post."""
    at = datetime.fromtimestamp(record.created_at, UTC).isoformat()
    who = {"username": record.author or "gone", "user_id": 3, "user_deleted": record.author is None}
    said = {"cooked": html.escape(record.text), "post_number": number, "post_type": 1, "topic_id": topic, "reply_to_post_number": None}
    return {"id": 1000 * topic + number, "created_at": at, "actions_summary": [], **who, **said}


def table(folder: Path) -> Path:
    """Write every hostile text as a community, an author, a title and a text of a table."""
    path = folder / "table.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["community", "author", "created_at", "title", "text"])
        writer.writerows([[each.text, each.text, 1_700_000_000 + at, each.text, each.text] for at, each in enumerate(CORPUS)])
    return path


def rankings(folder: Path, **settings: Any) -> Told:
    """Do a run over the market and read its three rankings."""
    sources = [f"discourse_archive:{folder.parent}/forum?host=forum.example.org", f"table:{folder.parent}/table.csv"]
    folder.mkdir()
    config = configured(folder, *sources, **settings)
    said = subcurrent("run", "--config", config, env=ENVIRONMENT)
    assert said.code == 0, said.err
    assert not FORBIDDEN.search(said.err.replace("\n", " "))
    printed = [subcurrent("ranking", "--of", of, "--limit", "100000", "--json", "--config", config).out for of in RANKINGS]
    return Told(folder, [row for rows in printed for row in json.loads(rows)])


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the hostile market."""
    folder = tmp_path_factory.mktemp("market")
    forum(folder)
    table(folder)
    return folder


@pytest.fixture(scope="module")
def model() -> Obedient:
    """The model that obeys; it remembers what it was sent."""
    return Obedient()


@pytest.fixture(scope="module")
def obeyed(market: Path, model: Obedient) -> Told:
    """A run with that model."""
    with serving(model) as server:
        return rankings(market / "obeyed", llm={"base_url": f"{server.url}v1", "model": "obedient"})


def test_every_text_is_another_and_there_are_enough() -> None:
    """Ten families of fifty texts, no two alike."""
    assert len({each.text for each in CORPUS}) == len({each.ticket for each in CORPUS}) == 500


def test_no_score_moves(market: Path, obeyed: Told) -> None:
    """Every row of every ranking is bit for bit the one of a run without a model, but for names and summaries."""
    plain = rankings(market / "plain")
    bare = [[{key: row[key] for key in row.keys() - NAMING} for row in told.rows] for told in (obeyed, plain)]
    assert bare[0] == bare[1]
    assert {"archetype_id", "niche_id"} <= {key for row in plain.rows for key in row}


def test_the_model_was_obedient(obeyed: Told, model: Obedient) -> None:
    """Hostile texts did reach the model as excerpts of posts, and it did what they said."""
    assert model.obeyed
    assert {row["label_source"] for row in obeyed.rows if "label_source" in row} <= {"template", "obedient"}


def test_prompts_hold_no_secret_and_nothing_hidden(obeyed: Told, model: Obedient) -> None:
    """No prompt holds a key, an address, a direction mark or a character without width; excerpts stay between their fences."""
    for prompt in model.prompts:
        assert "canary7f3e" not in prompt
        assert "evil.example" not in prompt
        assert not INVISIBLE.search(prompt)
        fence = prompt.splitlines()[-1]
        assert prompt.count(fence) == 3, "one in the task, one on each side of the excerpts"


def texts(path: Path) -> Iterator[tuple[str, str]]:
    """Every text of the results, with the table and column where it stands."""
    with closing(sqlite3.connect(path)) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            cursor = connection.execute(f'SELECT * FROM "{name}"')  # noqa: S608 - the tables are ours
            columns = [column[0] for column in cursor.description]
            yield from (
                (f"{name}.{column}", value) for row in cursor for column, value in zip(columns, row, strict=True) if isinstance(value, str)
            )


def test_no_table_holds_what_they_wanted(obeyed: Told) -> None:
    """No text of any table holds an address that is not ours, a secret, markup, or what no eye sees."""
    found = {place: value for place, value in texts(obeyed.folder / "data" / "subcurrent.db") if FORBIDDEN.search(value)}
    assert found == {}


def test_no_report_holds_what_they_wanted(obeyed: Told) -> None:
    """Neither the Markdown nor the page or a figure does; every link of the page is ours."""
    folder = obeyed.folder / "data" / "reports" / "latest"
    page = Dom((folder / "report.html").read_text())
    assert not FORBIDDEN.search(page.text)
    assert {
        value for name, value in page.attributes if name == "href" and not (value or "").startswith("https://forum.example.org/")
    } == set()
    assert not {"script", "iframe", "form", "link"} & set(page.tags)
    for file in folder.iterdir():
        assert "evil.example" not in file.read_text()
        assert "canary7f3e" not in file.read_text()


@pytest.mark.parametrize("of", RANKINGS)
def test_nothing_printed_holds_what_they_wanted(obeyed: Told, of: str) -> None:
    """Neither a table, Markdown nor CSV does, and no cell of the CSV is a formula."""
    config = obeyed.folder / "config.yaml"
    for form in ("table", "markdown", "csv"):
        printed = subcurrent("ranking", "--of", of, "--limit", "100000", "--format", form, "--config", config).out
        assert not FORBIDDEN.search(printed.replace("\r", " ").replace("\n", " "))
    cells = [cell for row in csv.reader(io.StringIO(printed)) for cell in row]
    assert [cell for cell in cells if cell.startswith(("=", "+", "@", "-", "|", "\t")) and not _number(cell)] == []


def _number(cell: str) -> bool:
    try:
        return float(cell) == float(cell)
    except ValueError:
        return False


@pytest.mark.parametrize("place", ["excerpts", "terms"])
def test_no_demand_is_met(place: str) -> None:
    """Whatever the model is made to say, the template stays or the label is harmless, for every one of the texts."""
    shown = [redact(each.text) for each in CORPUS]
    some = [tuple(shown[at : at + 20]) for at in range(0, len(shown), 20)]
    hives = Facts("niche", 0, cut=False, communities=12, authors=340, terms=("hive", "smoker"))
    groups = [replace(hives, group=number, excerpts=excerpts) for number, excerpts in enumerate(some)]
    if place == "terms":
        groups = [replace(group, excerpts=(), terms=("hive", *(text[:30] for text in group.excerpts))) for group in groups]
    with serving(model := Obedient()) as server:
        found = namer(LlmSettings(base_url=f"{server.url}v1", model="obedient", api_key=API_KEY, max_calls=1000))(groups)
    named = [label for label, twin in zip(found, labels(groups), strict=True) if label != twin]
    assert [label for label in named if FORBIDDEN.search(f"{label.name}\n{label.summary}")] == []
    assert {each.demand.words for each in model.obeyed} == {demand.words for demand in DEMANDS}
