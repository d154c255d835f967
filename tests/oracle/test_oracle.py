"""Every feature of a small made world, and of real sets, is what plain pandas makes of the records by the written definition."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from discovery.features import FEATURES, FeatureSettings, Measurement, Scope, measure
from tests.feature_records import ENGLISH, SCHEMA, crowd, post, reply, store
from tests.oracle import answers, language, market, people
from tests.oracle.entries import Activity, activity

REAL = Path(__file__).parents[3] / "shared" / "data" / "tables"
HOW = {name: getattr(room, name) for room in (people, answers, language, market) for name in FEATURES if hasattr(room, name)}
SAID = (
    "is there an app for crew scheduling?",
    "looking for a crew scheduling tool",
    "any alternatives to Jobber?",
    "we switched from Jobber last year",
    "we switched from Housecall last year",
    "I pay $20 a month for the app",
    "we are paying $300 a year for the software",
    "looking to buy a label printer",
    "I'd gladly pay for that",
    "I would never pay for that",
    "it is way too expensive",
    "so tired of chasing invoices",
    "we do it manually in a spreadsheet",
    "check out my app",
)
ANSWERED = ("thanks, that worked", "we use Jobber", "Housecall and Jobber are fine", "no idea", "")
GERMAN = "wir haben gestern noch lange darüber gesprochen und keiner wusste warum das eigentlich so gemacht worden ist"
WORDS = [first + second for first in ("bee", "hive", "lawn", "soil", "dirt", "wind") for second in ("box", "ward", "like", "ling", "worn")]


def world(seed: int = 3) -> list[dict[str, Any]]:
    """Make fourteen communities that differ in size, habits, source and tongue, with bots, repeats, deleted authors and double tags."""
    dice = random.Random(seed)  # noqa: S311 - a made world, no secret
    rows: list[dict[str, Any]] = []
    for number in range(14):
        platform = "lemmy" if number > 11 else "reddit"
        rows += _community(dice, f"{platform}:c{number:02d}", number, source=2 if number in {3, 7, 12} else 1)
    return rows


def _community(dice: random.Random, name: str, number: int, *, source: int) -> list[dict[str, Any]]:
    members = crowd(25 + 5 * number, start=11 * number)
    begin, rows, opened = 9 * number % 60, [], []
    for turn in range(100 + 25 * number):
        day = begin + dice.random() ** (0.6 + number / 14) * (300 - begin)
        author = None if dice.random() < 0.06 else members[int(len(members) * dice.random() ** (1 + number / 5))]
        told = {"id": f"{name}/{turn:04d}", "source_ids": [source], "bot": dice.random() < 0.03}
        if opened and dice.random() < 0.3 + number / 30:
            asked = dice.choice(opened)
            to = dice.choice([row for row in rows if row["thread"] == asked["thread"]])
            wait = dice.expovariate(1.5 / (1 + number % 5))
            again = (to["created_at"] - post("x", 0)["created_at"]) / 86_400 + wait
            asker = asked["author"] if dice.random() < 0.25 else None
            made = reply(to, author, again, _words(dice, number, dice.choice(ANSWERED)), accepted=dice.random() < 0.1 or None, **told)
            rows.append(made | ({"author": asker} if asker else {}))
            continue
        tags = {"communities": [name, f"{name}-too"]} if number == 5 and dice.random() < 0.2 else {"communities": [name]}
        text = dice.choice(SAID).replace("$20", f"${turn % 90 + 5}") if dice.random() < 0.35 else ""
        counted = {"replies": dice.randrange(4)} if number % 2 else {}
        opened.append(post(author, day, _words(dice, number, text), title=dice.choice(["why?", "news", ""]), **tags, **counted, **told))
        rows.append(opened[-1])
    if number % 3 == 0:  # what a third of the communities post everywhere
        again = enumerate(members[: 9 + number])
        rows += [post(a, 200 + n, f"{WORDS[n]} {ENGLISH}", communities=[name], id=f"{name}/y{n}", source_ids=[source]) for n, a in again]
    rows += [{**row, "record_id": row["record_id"] + "x", "created_at": row["created_at"] + 60} for row in rows[:: 25 + number]]
    return [row for row in rows if row["created_at"] < post("x", 300)["created_at"]]


def _words(dice: random.Random, number: int, said: str) -> str:
    """Say something in the community's own mix of words, in English but for one."""
    filler = GERMAN if number == 8 else ENGLISH
    own = " ".join(dice.choices(WORDS[number:] + WORDS[:number], weights=range(len(WORDS), 0, -1), k=dice.randrange(1, 9)))
    return f"{filler[: dice.randrange(20, 110)]} {own}. {said}" if number != 8 else f"{filler} {own[:9]}"


@pytest.fixture(scope="module")
def made() -> tuple[Measurement, Activity]:
    """Measure the made world both ways."""
    connection = store(world(), coverage={1: "complete", 2: "listing"})
    scope = Scope(sources=("one", "two"), portfolio=("reddit:c02", "reddit:c13"))
    measured = measure(connection, scope=scope, settings=FeatureSettings())
    return measured, activity(connection, scope=scope, measured=measured)


def assert_agrees(feature: str, *, measured: Measurement, seen: Activity, portfolio: tuple[str, ...] = ()) -> pd.DataFrame:
    """Hold every known value of a feature, its limits and its n to the recomputed ones; return the known rows."""
    told = HOW[feature](seen, portfolio) if feature == "cross_promotion" else HOW[feature](seen)
    rows = measured.estimates[measured.estimates["feature"] == feature].set_index("community")
    known = rows[rows["value"].notna()]
    expected = pd.DataFrame.from_dict(told, orient="index").reindex(index=known.index, columns=["value", "low", "high", "n"])
    for column in ("value", "low", "high", "n"):
        pd.testing.assert_series_equal(
            known[column].astype(float), expected[column].astype(float), rtol=1e-9, atol=1e-9, check_names=False, obj=f"{feature} {column}"
        )
    return known


def test_every_feature_has_an_oracle():
    """No feature is without an independent recomputation."""
    assert set(HOW) == set(FEATURES)


@pytest.mark.parametrize("feature", sorted(FEATURES))
def test_a_made_world_is_measured_as_defined(made, feature):
    """Value, limits and n agree to 1e-9 in every community where the feature is known, and it is known somewhere, not everywhere alike."""
    known = assert_agrees(feature, measured=made[0], seen=made[1], portfolio=("reddit:c02", "reddit:c13"))
    assert known["value"].round(6).nunique() > 1
    assert known["coverage"].between(0, 1).all()


def test_the_made_world_holds_every_case(made):
    """Listings, deleted authors, double tags, a second platform and an unread language are in it, so that agreement says something."""
    measured, seen = made
    assert set(measured.communities["coverage"]) == {"complete", "listing"}
    assert set(measured.communities["platform"]) == {"reddit", "lemmy"}
    assert {"en", "de"} <= set(measured.communities["language"])
    assert seen.entries["author"].isna().any()
    assert seen.entries["record_id"].duplicated().any()


def test_what_a_listing_cannot_show_is_missing(made):
    """Below its declared evidence or in a listing a feature is missing; above, it is missing only for a reason of its own."""
    measured, seen = made
    authors = pd.Series({community: entries["author"].nunique() for community, entries in seen.groups.items()})
    for name in ("retention", "churn", "engaged_share", "newcomer_share", "rmst_90", "growth"):
        rows = measured.estimates[measured.estimates["feature"] == name].set_index("community")
        shown = seen.places["coverage"].eq("complete") & (authors >= 30)
        length = pd.Series({c: len(people.months(seen, c)) for c in seen.groups})
        enough = shown & (length >= FEATURES[name].needs.months)
        pd.testing.assert_series_equal(rows["missing_reason"].isna(), enough.sort_index(), check_names=False)


@pytest.mark.real_data
@pytest.mark.parametrize("feature", sorted(set(FEATURES) - {"engagement", "cross_promotion", "author_overlap"}))
def test_real_threads_are_measured_as_defined(real, feature):
    """On two real communities of posts and comments all agree, as far as known."""
    assert_agrees(feature, measured=real[0], seen=real[1])


@pytest.fixture(scope="module")
def real() -> tuple[Measurement, Activity]:
    """Measure two real communities both ways."""
    if not REAL.exists():
        pytest.skip(f"no real data at {REAL.name}")
    connection = duckdb.connect()
    connection.execute(SCHEMA)
    connection.execute("INSERT INTO sources VALUES (1, 'one', 'table', 'reddit', false, 'complete', true, false, '')")
    connection.execute(
        """
        INSERT INTO records SELECT id, md5_number_lower(id), 1, [1], ['reddit:' || lower(subreddit)], if(kind = 'post', 'post', 'reply'),
            if(author IS NULL, NULL, (hash(author) % 4611686018427387904)::BIGINT), epoch(created_at)::BIGINT, coalesce(title, ''),
            coalesce(text, ''), thread_id, parent_id, score, NULL, NULL, coalesce(author = 'AutoModerator', false), NULL, NULL, NULL, 0
        FROM read_parquet(?) WHERE subreddit = 'CollegeMajors' OR (subreddit = 'CollegeRant' AND year(created_at) < 2020)
        """,
        [str(REAL / "reddit_threads.parquet")],
    )
    scope = Scope(sources=("one",))
    measured = measure(connection, scope=scope, settings=FeatureSettings())
    return measured, activity(connection, scope=scope, measured=measured)
