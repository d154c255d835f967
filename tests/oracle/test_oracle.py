"""Every feature of a small made world, and of real sets, is what plain pandas makes of the records by the written definition."""

from __future__ import annotations

import random
from typing import Any

import duckdb
import pandas as pd
import pytest

from discovery.features import FEATURES, FeatureSettings, Measurement, Scope, measure
from tests.feature_records import ENGLISH, SCHEMA, crowd, post, reply, store
from tests.oracle import answers, habits, integrity, language, market, neighbours, newcomers, people
from tests.oracle.entries import Activity, activity
from tests.oracle.gaps import gaps
from tests.shared_data import DATA

REAL = DATA / "tables"
HOW = {
    name: getattr(room, name)
    for room in (people, newcomers, neighbours, habits, integrity, answers, language, market)
    for name in FEATURES
    if hasattr(room, name)
}
OWN = {"cross_promotion": "portfolio", "portfolio_fit": "portfolio", "link_fit": "sites"}
"""Features that ask what is the user's own, and which part of it."""
MADE = Scope(sources=("one", "two"), portfolio=("reddit:c02", "reddit:c13", "reddit:c09"), sites=("site1.example", "site3.example"))
NOTHING_OWN = Scope(sources=())
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
    members = crowd(30 + 9 * number, start=11 * number)
    begin, rows, opened = 9 * number % 60, [], []
    for turn in range(130 + 30 * number):
        day = begin + dice.random() ** (0.6 + number / 14) * (300 - begin)
        arrived = 0.25 + day / 400
        author = None if dice.random() < 0.06 else members[int(len(members) * arrived * dice.random() ** (1 + number / 9))]
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
    rows = [row for row in rows if row["created_at"] < post("x", 300)["created_at"]]
    return [{**row, **_seen(random.Random(row["record_id"]), number)} for row in rows]  # noqa: S311 - a made world, no secret


def _seen(dice: random.Random, number: int) -> dict[str, Any]:
    """Show a record's votes and where it points to, as far as the community's platform does."""
    votes = int(dice.expovariate(0.2 / (number + 1))) - 2
    host = dice.choice(("www.", "")) + f"site{int(9 * dice.random() ** (1 + number))}.example"
    return {"score": votes if dice.random() < 0.9 else None, "domain": host if dice.random() < 0.5 else None}


def _words(dice: random.Random, number: int, said: str) -> str:
    """Say something in the community's own mix of words, in English but for one."""
    filler = GERMAN if number == 8 else ENGLISH
    own = " ".join(dice.choices(WORDS[number:] + WORDS[:number], weights=range(len(WORDS), 0, -1), k=dice.randrange(1, 9)))
    return f"{filler[: dice.randrange(20, 110)]} {own}. {said}" if number != 8 else f"{filler} {own[:9]}"


@pytest.fixture(scope="module")
def made() -> tuple[Measurement, Activity]:
    """Measure the made world both ways."""
    connection = store(world(), coverage={1: "complete", 2: "listing"})
    told = [[f"reddit:c{number:02d}", 40 * number] for number in range(9)]
    connection.executemany(
        "INSERT INTO communities BY NAME SELECT ? AS community, 1 AS source_id, ?::BIGINT AS members, false AS sensitive", told
    )
    measured = measure(connection, scope=MADE, settings=FeatureSettings())
    return measured, activity(connection, scope=MADE, measured=measured)


def corners() -> list[dict[str, Any]]:
    """Make communities that lack something each: words, spaces between them, replies, their numbers, a month, a neighbour, products."""
    rows: list[dict[str, Any]] = []
    for name, said in (("mute", ""), ("brief", "hm"), ("unspaced", "昨日は庭の蜂の巣箱を見に行きました" * 3), ("plain", ENGLISH)):
        for number, who in enumerate(crowd(40)):
            rows.append(post(who, number, said and f"{said} {number}", communities=[f"reddit:{name}"], id=f"{name}{number:03d}"))
            answer = f"{said} {number + 100}" if said else ""
            rows.append(reply(rows[-1], f"person{number + 1}", number + 0.3, answer, id=f"{name}{number:03d}r"))
    for name, counted in (("counted", {"replies": 1}), ("uncounted", {})):
        for number, who in enumerate(crowd(40)):
            told = {"communities": [f"reddit:{name}"], "source_ids": [2], "id": f"{name}{number:03d}", **counted}
            rows.append(post(who, number / 3, f"is there an app for crew scheduling? {ENGLISH} {number}", **told))
    for number, who in enumerate(crowd(31)):
        rows.append(post(who, 58 + number / 40, f"{ENGLISH} {number}", communities=["lemmy:alone"], id=f"alone{number:03d}"))
        rows.append(
            post(who, number / 4, f"looking to buy it. {ENGLISH} {number}", communities=["reddit:buyers"], id=f"buyers{number:03d}")
        )
    for number, who in enumerate(crowd(6) * 2):  # few people, and most posts too young to be waited for
        day = number + 10 if number < 5 else 58 + number / 100
        rows.append(post(who, day, f"{ENGLISH} {number}", communities=["reddit:fresh"], id=f"fresh{number:03d}"))
        rows.append(reply(rows[-1], "person9", day + 0.1, f"{ENGLISH} so {number}", id=f"fresh{number:03d}r"))
    for number, who in enumerate(crowd(31) * 2):  # once a month each, and what they pay is no dollars
        day, said = number / 2 + (13 if number > 30 else 0), f"we are paying €{number % 31 + 5} a month for the software"
        rows.append(post(who, day, f"{said}. {ENGLISH} {number}", communities=["reddit:abroad"], id=f"abroad{number:03d}"))
    return rows


@pytest.fixture(scope="module")
def lacking() -> tuple[Measurement, Activity]:
    """Measure the corners both ways, for somebody who has no communities."""
    connection = store(corners(), coverage={1: "complete", 2: "listing"})
    scope = Scope(sources=("one", "two"))
    measured = measure(connection, scope=scope, settings=FeatureSettings())
    return measured, activity(connection, scope=scope, measured=measured)


@pytest.fixture(scope="module")
def single() -> tuple[Measurement, Activity]:
    """Measure a community both ways that is the only one."""
    connection = store([row for row in corners() if row["communities"] == ["reddit:plain"]])
    measured = measure(connection, scope=Scope(sources=("one",)), settings=FeatureSettings())
    return measured, activity(connection, scope=Scope(sources=("one",)), measured=measured)


def assert_agrees(feature: str, *, measured: Measurement, seen: Activity, scope: Scope = NOTHING_OWN) -> pd.DataFrame:
    """Hold every known value of a feature, its limits and its n to the recomputed ones, and all gaps; return the known rows."""
    told = HOW[feature](seen, *([getattr(scope, OWN[feature])] if feature in OWN else []))
    rows = measured.estimates[measured.estimates["feature"] == feature].set_index("community")
    known = rows[rows["value"].notna()]
    expected = pd.DataFrame.from_dict(told, orient="index").reindex(index=known.index, columns=["value", "low", "high", "n"])
    for column in ("value", "low", "high", "n"):
        pd.testing.assert_series_equal(
            known[column].astype(float), expected[column].astype(float), rtol=1e-9, atol=1e-9, check_names=False, obj=f"{feature} {column}"
        )
    apart = gaps(seen, feature, told, scope=scope).reindex(rows.index)
    pd.testing.assert_series_equal(rows["coverage"], apart["coverage"].astype(float), rtol=1e-9, atol=1e-9, obj=f"{feature} coverage")
    assert dict(rows["missing_reason"].fillna("")) == dict(apart["missing_reason"].fillna(""))
    return known


def test_every_feature_has_an_oracle():
    """No feature is without an independent recomputation."""
    assert set(HOW) == set(FEATURES)


@pytest.mark.parametrize("feature", sorted(FEATURES))
def test_a_made_world_is_measured_as_defined(made, feature):
    """Value, limits, n and coverage agree to 1e-9 where the feature is known, elsewhere the reason; it is not everywhere alike."""
    known = assert_agrees(feature, measured=made[0], seen=made[1], scope=MADE)
    assert known["value"].round(6).nunique() > 1
    assert known["coverage"].between(0, 1).all()


@pytest.mark.parametrize("feature", sorted(FEATURES))
def test_what_is_lacking_is_said(lacking, single, feature):
    """Where a community lacks what a feature needs, be it others of its kind, value and reason agree too."""
    assert_agrees(feature, measured=lacking[0], seen=lacking[1])
    assert_agrees(feature, measured=single[0], seen=single[1])


def test_every_reason_is_given_somewhere(made, lacking, single):
    """The made worlds hold every reason there is, each told once by the features and once by the oracle."""
    given = {reason for world in (made, lacking, single) for reason in world[0].estimates["missing_reason"].dropna()}
    kinds = {
        "small_n",
        "coverage",
        "no lexicon for de",
        "text",
        "language",
        "words",
        "replies",
        "censored",
        "overlap",
        "background",
        "parts",
        "scores",
        "links",
        "strata",
        "histories",
        "currency",
        "communities",
        "members",
        "no sites configured",
    }
    assert {reason.split(":")[0] for reason in given} >= kinds | {"portfolio", "products", "no portfolio configured"}


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
@pytest.mark.parametrize("feature", sorted(set(FEATURES) - {"engagement", *OWN, "author_overlap"}))
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
