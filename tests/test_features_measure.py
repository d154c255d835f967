"""The measuring as a whole: the grid, the gate, determinism, scope, and agreement with plain pandas on real data."""

from __future__ import annotations

import random

import duckdb
import numpy as np
import pandas as pd
import pytest

from discovery.features import FEATURES, FeatureSettings, Measurement, Scope, SourceNotStoredError, measure
from storage.activity import ActivityStore, SourceEntry
from storage.pseudonyms import Pseudonyms
from storage.records import Batch, Community, Cursor, Record
from tests.feature_records import ENGLISH, SCHEMA, START, crowd, estimate, measured, post, reply, store
from tests.shared_data import DATA

REAL = DATA / "tables"
FRAMES = ("communities", "estimates", "author_sums", "needs", "mentions", "own_weight")
NAMES = """posting_frequency active_authors retention churn rmst_90 newcomer_share inequality comments_per_post
    discussants_per_thread engaged_share engagement reply_latency unanswered_48h unsolved_share growth author_overlap
    deleted_share author_concentration lexical_diversity specificity question_share seeking pain revealed_spend procurement
    hypothetical_pay refusal money promotion price_sensitivity workaround_rate need_concentration product_mentions
    saturation headroom switching_wedge cross_promotion
    elephant_number duplicate_share reciprocity survival_28 survival_90 product_hhi
    burstiness median_score newcomer_conversion welcome_ratio equal_retention
    bot_share burst_share domain_concentration loyalty
    mattr mtld dynamicity amount_paid crosspost_share
    specialisation portfolio_fit link_fit participation"""


def town(seed: int = 0):
    """Make three lively communities with replies, bots, deleted authors and intent over ten months."""
    dice = random.Random(seed)  # noqa: S311 - a planted town, no secret
    said = [
        "",
        "is there an app for crew scheduling?",
        "we switched from Jobber Pro",
        "I paid $20 for the app",
        "so tired of it",
        "check out my app",
    ]
    rows = []
    for number in range(900):
        place = {"communities": [f"reddit:c{dice.randrange(3)}"], "id": f"r{number:05d}"}
        text = f"{ENGLISH} {dice.choice(said)} {dice.choice('abcdefgh') * 3}"
        author = dice.choice([None, *crowd(60)])
        day = dice.random() * 280
        target = dice.choice([row for row in rows if row["communities"] == place["communities"]] or [None]) if number % 3 else None
        made = (
            reply(target, author, day, text, id=place["id"])
            if target
            else post(author, day, text, **place, title=dice.choice(["why?", "news"]))
        )
        rows.append({**made, "bot": dice.random() < 0.02})
    return rows


def assert_same(one: Measurement, other: Measurement) -> None:
    """Hold two measurements to the same bits."""
    for frame in FRAMES:
        pd.testing.assert_frame_equal(getattr(one, frame), getattr(other, frame), check_exact=True)
    assert one.vocabulary.terms.equals(other.vocabulary.terms)
    for matrix in ("counts", "authors"):
        np.testing.assert_array_equal(getattr(one.vocabulary, matrix).toarray(), getattr(other.vocabulary, matrix).toarray())


@pytest.fixture(scope="module")
def measured_town():
    """Measure the town once."""
    return measured(town())


def test_the_order_of_input_and_the_threads_change_nothing(measured_town):
    """Shuffled records, one thread and other pseudonyms give the same bits."""
    rows = town()
    random.Random(7).shuffle(rows)  # noqa: S311 - a shuffle, no secret
    renamed = [{**row, "author": None if row["author"] is None else row["author"] * 48_271 % (2**31 - 1)} for row in rows]
    again = measure(store(renamed, threads=1), scope=Scope(sources=("one",)), settings=FeatureSettings())
    assert_same(measured_town, again)


def test_the_grid_is_complete(measured_town):
    """Every community has a row for every feature; a value is NaN exactly where a reason stands; limits hold the value."""
    grid = measured_town.estimates
    assert len(grid) == len(measured_town.communities) * len(FEATURES)
    assert grid["value"].isna().equals(grid["missing_reason"].notna())
    known = grid[grid["value"].notna()]
    assert (known["low"] <= known["value"] + 1e-12).all()
    assert (known["value"] <= known["high"] + 1e-12).all()
    assert known["coverage"].between(0, 1).all()


def test_the_features_are_the_agreed_ones():
    """The names are fixed, every declaration is filled in, and each feature says in a sentence what it is."""
    assert set(FEATURES) == set(NAMES.split())
    for declared in FEATURES.values():
        assert all((declared.title, declared.unit, declared.formula, declared.source, declared.compute.__doc__)), declared.name
        assert declared.title == declared.title[0].lower() + declared.title[1:]


def test_no_author_leaves_the_measuring(measured_town):
    """No frame holds a pseudonym."""
    pseudonyms = {row["author"] for row in town()} - {None}
    for frame in FRAMES:
        numbers = getattr(measured_town, frame).select_dtypes("number")
        assert pseudonyms.isdisjoint(numbers.to_numpy(dtype=float, na_value=0).ravel().tolist())


def test_nothing_is_left_behind():
    """After a measuring the connection holds no temporary table."""
    connection = store(town()[:50])
    measure(connection, scope=Scope(sources=("one",)), settings=FeatureSettings())
    assert connection.execute("SELECT count(*) FROM duckdb_tables() WHERE temporary").fetchone() == (0,)


def test_a_run_measures_only_its_sources():
    """Records of a source the run does not name are not read, and their communities are not there."""
    rows = [post("ana", 1), post("bo", 1, source_ids=[2], communities=["reddit:b"]), post("cy", 1, source_ids=[1, 2])]
    connection = store(rows, coverage={1: "complete", 2: "complete"})
    result = measure(connection, scope=Scope(sources=("one",)), settings=FeatureSettings())
    assert result.communities["records"].to_dict() == {"reddit:a": 2}


def test_an_unknown_source_is_an_error():
    """A source the store does not hold is named in the error, with what to do."""
    with pytest.raises(SourceNotStoredError, match=r"1 of the run's 2 sources are not in the store: nowhere\. Collect them first"):
        measure(store([post("ana", 1)]), scope=Scope(sources=("one", "nowhere")), settings=FeatureSettings())


def test_the_window_and_now_bound_the_records():
    """With a window of ten days before ``now`` only records within it count, and none after ``now``."""
    rows = [post("ana", day) for day in (0, 15, 19, 25)]
    result = measured(rows, now={"one": START + 20 * 86_400}, window_days=10)
    assert result.communities.loc["reddit:a", "records"] == 2


def test_an_empty_source_measures_nothing():
    """A source without records gives an empty measurement, not an error."""
    result = measured([])
    assert result.communities.empty
    assert result.estimates.empty
    assert result.vocabulary.counts.shape[0] == 0


def test_one_empty_community_has_reasons_for_everything():
    """A community of one record without text has a reason for everything it cannot show."""
    result = measured([post(None, 1)])
    assert result.estimates.set_index("feature")["missing_reason"].drop("posting_frequency").notna().sum() >= len(FEATURES) - 2


def test_the_main_source_speaks_for_a_community():
    """A community two sources show takes the coverage of the one that shows most of it, and is sensitive if any says so."""
    rows = [post(f"n{n}", n, source_ids=[2]) for n in range(5)] + [post("ana", 1)]
    connection = store(rows, coverage={1: "complete", 2: "listing"})
    connection.execute("INSERT INTO communities VALUES ('reddit:a', 1, 'One', 'https://one', 'first', 7, true, 0)")
    connection.execute("INSERT INTO communities VALUES ('reddit:a', 2, 'Two', NULL, 'second', 9, false, 0)")
    facts = measure(connection, scope=Scope(sources=("one", "two")), settings=FeatureSettings()).communities.loc["reddit:a"]
    assert (facts["source"], facts["coverage"], facts["name"], facts["sensitive"], facts["url"]) == (
        "two",
        "listing",
        "Two",
        True,
        "https://one",
    )


def test_a_real_store_can_be_measured(tmp_path):
    """What the activity store writes is what the measuring reads."""
    records = [
        Record(
            id=f"reddit:t3_{n}",
            communities=("reddit:python",),
            kind="post",
            author=f"user{n % 40}",
            created_at=START + n * 9_000,
            title="why?",
        )
        for n in range(80)
    ]
    with ActivityStore.open(tmp_path / "activity.duckdb", pseudonyms=Pseudonyms.open(tmp_path / "key")) as activity:
        source = SourceEntry("dump", "pushshift", False, "complete", True, True, "CC0")
        activity.begin(source, run_id="r1")
        batch = Batch(records, Cursor(position="80", exhausted=True), 80, [Community(key="reddit:python", name="Python")])
        activity.append(batch, source="dump", run_id="r1")
        result = measure(activity.connection, scope=Scope(sources=("dump",)), settings=FeatureSettings())
    assert result.communities.loc["reddit:python", ["records", "authors", "name"]].tolist() == [80, 40, "Python"]
    assert estimate(result, "question_share", "reddit:python")["value"] > 0.9


@pytest.fixture(scope="module")
def real_threads():
    """Load four real communities with seven years of posts and comments, and measure them."""
    if not REAL.exists():
        pytest.skip(f"no real data at {REAL.name}")
    connection = duckdb.connect()
    connection.execute(SCHEMA)
    connection.execute("INSERT INTO sources VALUES (1, 'one', 'table', 'reddit', false, 'unknown', true, false, '')")
    connection.execute(
        """
        INSERT INTO records SELECT 'reddit:' || id, md5_number_lower('reddit:' || id), 1, [1], ['reddit:' || lower(subreddit)],
            if(kind = 'post', 'post', 'reply'),
            if(author IS NULL, NULL, (hash(author) % 4611686018427387904)::BIGINT), epoch(created_at)::BIGINT, coalesce(title, ''),
            coalesce(text, ''), 'reddit:' || thread_id, 'reddit:' || parent_id, score, NULL, NULL,
            coalesce(author = 'AutoModerator', false),
            NULL, NULL, NULL, 0 FROM read_parquet(?)
        """,
        [str(REAL / "reddit_threads.parquet")],
    )
    raw = connection.execute("SELECT * EXCLUDE (communities), communities[1] AS community FROM records WHERE NOT bot").df()
    return measure(connection, scope=Scope(sources=("one",)), settings=FeatureSettings()), raw


@pytest.mark.real_data
def test_real_counts_agree_with_the_publisher(real_threads):
    """All 293,327 records are there, in four communities that are seen whole."""
    result, _ = real_threads
    assert result.communities["records"].sum() == 293_327
    assert set(result.communities["coverage"]) == {"complete"}


@pytest.mark.real_data
def test_real_retention_agrees_with_pandas(real_threads):
    """Retention from plain pandas sets, month by month, is the ratio of the author sums and close to the value."""
    result, raw = real_threads
    raw = raw[raw["author"].notna()]
    now, length = int(raw["created_at"].max()), 28 * 86_400
    for row, community in enumerate(result.communities.index):
        own = raw[raw["community"] == community]
        months = {m: set(group["author"]) for m, group in own.groupby(own["created_at"] // length)}
        covered = range(-(-int(own["created_at"].min()) // length), now // length)
        present = sum(len(months.get(m, ())) for m in covered[:-1])
        stayed = sum(len(months.get(m, set()) & months.get(m + 1, set())) for m in covered[:-1])
        sums = result.author_sums[result.author_sums["row"] == row]
        assert (sums["present"].sum(), sums["stayed"].sum()) == pytest.approx((present, stayed), rel=0.005)
        assert estimate(result, "retention", community)["value"] == pytest.approx(stayed / present, abs=0.03)


@pytest.mark.real_data
def test_real_depth_and_deletion_agree_with_pandas(real_threads):
    """Replies per post, deleted share and author counts agree with plain pandas to the repeats that are left out."""
    result, raw = real_threads
    values = result.values()
    opened = raw[raw["kind"] == "post"].groupby("community").size()
    answered = raw[(raw["kind"] == "reply") & raw["thread"].isin(raw.loc[raw["kind"] == "post", "record_id"])].groupby("community").size()
    np.testing.assert_allclose(values["comments_per_post"], answered / opened, rtol=0.05)
    np.testing.assert_allclose(values["deleted_share"], raw["author"].isna().groupby(raw["community"]).mean(), atol=0.005)
    np.testing.assert_array_equal(result.communities["authors"], raw.groupby("community")["author"].nunique())
