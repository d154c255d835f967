"""The planted world keeps its word: what it says it planted is what a plain count finds."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
from collections import Counter

import numpy as np
import pandas as pd
import pytest

from discovery.sources import EVER, SourceError, UnknownSourceError, Window, load
from discovery.sources.world import END, World
from storage.records import Cursor
from tests.factories import gather

DAY = 86_400
MONTH = 28 * DAY


def frame(world: World) -> pd.DataFrame:
    """Lay the records of a world out as a plain table."""
    return pd.DataFrame([{**record.model_dump(), "community": record.communities[0]} for record in gather(world)])


@pytest.fixture(scope="module")
def world() -> World:
    """A quarter of a cycle: every kind of community, four whole niches' beginnings."""
    return World(seed=7, communities=56)


@pytest.fixture(scope="module")
def truth(world: World) -> pd.DataFrame:
    """What was planted in it."""
    return world.truth()


@pytest.fixture(scope="module")
def table(world: World) -> pd.DataFrame:
    """What it shows."""
    return frame(world)


@pytest.fixture(scope="module")
def people(table: pd.DataFrame) -> pd.DataFrame:
    """The records of people whose names are shown."""
    return table[~table["bot"] & table["author"].notna()]


def whole_months(world: World) -> range:
    """Months that lie in the world wholly."""
    return range(-(-(END - world.days * DAY) // MONTH), END // MONTH)


def deviations(found: pd.Series, planted: pd.Series, trials: pd.Series) -> pd.Series:
    """Measure how many binomial standard errors lie between what was counted and what was planted."""
    return (found - planted) / np.sqrt(planted * (1 - planted) / trials)


def test_seed_decides_everything():
    """The same seed gives the same records, another seed gives others."""
    small = World(seed=3, communities=4)
    assert gather(small) == gather(World(seed=3, communities=4))
    assert gather(small) != gather(World(seed=4, communities=4))


def test_hash_seed_changes_nothing():
    """Nothing depends on the order of Python's sets or on its hashes."""
    script = (
        "import hashlib\nfrom tests.factories import gather\nfrom discovery.sources.world import World\n"
        "print(hashlib.sha256(repr(gather(World(seed=5, communities=3))).encode()).hexdigest())"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", script], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(printed) == 1


@pytest.mark.parametrize("page", [1, 997, 10**9])
def test_page_size_changes_nothing(page):
    """Records come in the same order in pages of any size, and each page balances."""
    shown = World(seed=3, communities=3, page=page)
    pages = list(shown.batches(Cursor(), window=EVER))
    assert [record for each in pages for record in each.records] == gather(World(seed=3, communities=3))
    assert all(each.fetched == len(each.records) + each.refused <= page for each in pages)
    assert [each.cursor.exhausted for each in pages] == [False] * (len(pages) - 1) + [True]
    assert sum(len(each.communities) for each in pages) == 3


def test_resume_after_any_page():
    """A reading that stops after any page and resumes from its cursor sees each record once."""
    shown = World(seed=3, communities=3, page=700)
    pages = list(shown.batches(Cursor(), window=EVER))
    whole = gather(shown)
    read = 0
    for each in pages:
        read += len(each.records)
        assert gather(shown, cursor=each.cursor) == whole[read:]
    assert read == len(whole)


def test_foreign_cursor_is_refused():
    """A cursor of another source is refused, not read as the beginning."""
    with pytest.raises(SourceError, match="no place in a planted world"):
        gather(World(seed=3, communities=1), cursor=Cursor(position="t3_abc"))


def test_window_refuses_and_counts():
    """Records outside the window are refused and counted, those inside are unchanged."""
    shown = World(seed=3, communities=3)
    window = Window(END - 100 * DAY, END - 50 * DAY)
    pages = list(shown.batches(Cursor(), window=window))
    inside = [record for record in gather(shown) if record.created_at in window]
    assert [record for each in pages for record in each.records] == inside
    assert sum(each.fetched for each in pages) == len(gather(shown))


def test_without_leaves_the_others():
    """Removing one community leaves all others as they were, and so does adding one."""
    whole = World(seed=3, communities=6)
    records, truth = gather(whole), whole.truth()
    gone = truth.index[2]
    rest = World(seed=3, communities=6, without=gone.partition("/")[2])
    assert gather(rest) == [record for record in records if record.communities != (gone,)]
    pd.testing.assert_frame_equal(rest.truth(), truth.drop(index=gone))
    assert gather(World(seed=3, communities=5)) == [record for record in records if record.communities != (truth.index[5],)]


def test_without_nobody_is_an_error():
    """Leaving out a community that is not there is an error."""
    with pytest.raises(SourceError, match="none of its 2 slugs"):
        gather(World(seed=3, communities=2, without="atlantis"))


@pytest.mark.parametrize("listing", [100, 300])
def test_listing_shows_the_newest(listing):
    """A listing shows only the newest N items of each community, as they are in the whole, and says that it is one."""
    whole, shown = World(seed=3, communities=4), World(seed=3, communities=4, listing=listing)
    by_community = frame(whole).groupby("community", sort=False)
    newest = [record_id for _, group in by_community for record_id in group["id"].tail(listing)]
    assert [record.id for record in gather(shown)] == newest
    assert {record.id: record for record in gather(whole)}.items() >= {record.id: record for record in gather(shown)}.items()
    assert (whole.observed(), shown.observed()) == ("complete", "listing")
    pd.testing.assert_frame_equal(shown.truth(), whole.truth())


def test_hazard_is_what_survivors_show(world, truth, people):
    """The share of a whole month's authors who are silent in the next is the planted hazard, within binomial error, in every community."""
    months = people.assign(month=people["created_at"] // MONTH)
    inside = months[months["month"].isin(whole_months(world))]
    present = inside[["community", "author", "month"]].drop_duplicates()
    again = present.assign(month=present["month"] - 1, stayed=1)
    asked = present[present["month"] < whole_months(world)[-1]]
    asked = asked.merge(again, how="left", on=["community", "author", "month"])
    counted = asked.groupby("community")["stayed"].agg(["size", "count"])
    off = deviations(1 - counted["count"] / counted["size"], truth["hazard"], counted["size"])
    assert off.abs().max() < 4.5
    assert math.sqrt((off**2).mean()) < 1.3
    assert len(whole_months(world)) >= 12


def test_persons_are_the_authors(truth, people):
    """As many persons are planted as distinct authors are shown, and as many records as people wrote."""
    assert people.groupby("community")["author"].nunique().to_dict() == truth["persons"].to_dict()


def test_records_are_counted(truth, table):
    """The records of truth are those that are no program's."""
    assert table[~table["bot"]].groupby("community").size().to_dict() == truth["records"].to_dict()


@pytest.mark.parametrize(
    ("want", "said"),
    [
        pytest.param(
            "seek",
            r"(?i)is there (?:an?|any|no) |anyone know a|for a simple app|wish there was|recommend some|do you folks use|need some",
        ),
        pytest.param("pay", r"(?i)(?<!happily )\b(?:pays?|paying|paid|spent) \$\d|subscription in autumn|bought the|upgraded to"),
        pytest.param("hurt", r"so tedious|spend hours|fed up|drives me crazy|wasted days|nightmare|hate how"),
        pytest.param("refuse", r"never pay|not worth the price|refuse to pay|free version|open-source alternative"),
    ],
)
def test_wants_are_said(truth, people, want, said):
    """The share of authors who ever say that they seek, pay, hurt or refuse is the planted share of persons."""
    saying = people[people["text"].str.contains(said)].groupby("community")["author"].nunique().reindex(truth.index, fill_value=0)
    found = saying / truth["persons"]
    # A want can only be missed where the world's edge cut the one record it was said in.
    assert (found <= truth[want]).all()
    assert (truth[want] - found).max() < 0.04
    assert (truth[want] - found).mean() < 0.006


def test_unanswered_is_what_nobody_answered(truth, table, people):
    """The share of posts without a reply by another person within 48 hours is the planted one."""
    posts = table[(table["kind"] == "post") & table["author"].notna() & (table["created_at"] < END - 2 * DAY)]
    replies = people[people["kind"] == "reply"]
    pairs = posts.merge(replies, left_on="id", right_on="thread", suffixes=("", "_reply"))
    soon = (pairs["created_at_reply"] - pairs["created_at"]).between(1, 2 * DAY) & (pairs["author"] != pairs["author_reply"])
    answered = posts["id"].isin(pairs.loc[soon, "id"])
    counted = answered.groupby(posts["community"]).agg(["mean", "size"])
    off = deviations(1 - counted["mean"], truth["unanswered"], counted["size"])
    assert off.abs().max() < 4.5
    assert math.sqrt((off**2).mean()) < 1.3


def test_unsolved_is_what_nobody_gave_thanks_for(truth, table):
    """The share of questions whose author never gives thanks in the thread within a week is the planted one."""
    posts = table[
        (table["kind"] == "post") & table["title"].str.endswith("?") & table["author"].notna() & (table["created_at"] < END - 7 * DAY)
    ]
    thanks = table[(table["kind"] == "reply") & table["text"].str.contains(r"thank|did the trick", case=False)]
    pairs = posts.merge(thanks, left_on=["id", "author"], right_on=["thread", "author"], suffixes=("", "_thanks"))
    solved = posts["id"].isin(pairs.loc[pairs["created_at_thanks"] - pairs["created_at"] < 7 * DAY, "id"])
    counted = solved.groupby(posts["community"]).agg(["mean", "size"])
    planted = truth.loc[counted.index, "unsolved"]
    off = deviations(1 - counted["mean"], planted, counted["size"])
    assert off.abs().max() < 4.5


def test_accepted_answers_are_consistent(table):
    """Where answers are marked, an accepted thread holds exactly one accepted reply; elsewhere nothing is marked."""
    marked = table[table["accepted"].notna()]
    posts, replies = marked[marked["kind"] == "post"], marked[marked["kind"] == "reply"]
    accepted = Counter(replies.loc[replies["accepted"].astype(bool), "thread"])
    assert set(accepted.values()) == {1}
    assert set(accepted) == set(posts.loc[posts["accepted"].astype(bool), "id"])
    assert {key.rpartition("/")[2].rpartition("-")[0].endswith("help-desk") for key in marked["community"]} == {True}


def test_threads_hold_together(table):
    """Every reply answers a record of its own thread that is no later, and a post counts the replies of its thread."""
    known = table.set_index("id")
    replies = table[table["kind"] == "reply"]
    parents = known.loc[replies["parent"]]
    assert (parents["created_at"].to_numpy() <= replies["created_at"].to_numpy()).all()
    assert (parents["thread"].to_numpy() == replies["thread"].to_numpy()).all()
    posts = table[table["kind"] == "post"]
    assert (posts["thread"] == posts["id"]).all()
    assert (posts["replies"].to_numpy() == replies.groupby("thread").size().reindex(posts["id"], fill_value=0).to_numpy()).all()


def test_world_lies_in_its_days(world, table):
    """All records lie in the days of the world, sorted inside a community, and ids are unique."""
    assert table["created_at"].between(END - world.days * DAY, END - 1).all()
    assert all(group.is_monotonic_increasing for _, group in table.groupby("community")["created_at"])
    assert table["id"].is_unique


def test_kinds_behave_apart(truth):
    """The kinds differ in the direction that their names say."""
    kinds = truth.groupby("archetype").mean(numeric_only=True)
    others = kinds.drop(index="engaged niche")
    assert kinds.loc["engaged niche", "hazard"] < others["hazard"].min()
    assert kinds.loc["engaged niche", "pay"] > 2 * others["pay"].max()
    assert kinds.loc["shallow giant", "persons"] > 5 * kinds.drop(index="shallow giant")["persons"].max()
    assert kinds.loc["dying community", "growth"] < -0.08 < 4 * others.drop(index="dying community")["growth"].min()
    assert kinds.loc["crowded market", "promote"] > 5 * kinds.drop(index="crowded market")["promote"].max()
    assert kinds.loc["support desk", "asks"] > 0.8
    assert set(truth.index[truth["has_money"]]) == set(truth.index[truth["archetype"] == "engaged niche"])


def test_default_world_fits_the_demo():
    """The default world has niches of at least six communities, a sensitive one, and a size that a demo can read."""
    truth = World(seed=1).truth()
    niches = truth[truth["has_money"]].groupby(["subject", "need"]).size()
    assert niches.min() >= 6
    assert len(niches) >= 6
    assert truth["archetype"].value_counts().min() >= 6
    assert truth["sensitive"].sum() == 1
    assert truth["brigaded"].sum() == 1
    assert 60_000 < truth["records"].sum() < 150_000


def test_authors_meet_in_their_subject(truth, people):
    """Accounts that are seen in several communities stay within one subject."""
    homes = people.groupby("author")["community"].unique()
    shared = homes[homes.str.len() > 1]
    assert len(shared) > 100
    assert all(truth.loc[list(keys), "subject"].nunique() == 1 for keys in shared)


def test_brigade_is_a_burst(truth, people):
    """The brigaded community has one week that is far above all others, by people who come once."""
    key = truth.index[truth["brigaded"]][0]
    weeks = people[people["community"] == key].groupby(people["created_at"] // (7 * DAY))["author"].nunique()
    assert weeks.max() > 3 * weeks.quantile(0.9)


def test_programs_and_pasted_texts(table):
    """Programs are marked and answer within seconds; some texts of people stand in several places word for word."""
    bots = table[table["bot"]]
    heads = table.set_index("id").loc[bots["thread"]]
    assert len(bots) > 0
    assert ((bots["created_at"].to_numpy() - heads["created_at"].to_numpy()) <= 3).all()
    long = table.loc[~table["bot"] & (table["text"].str.len() > 120), ["text", "community"]]
    assert (long.groupby("text")["community"].nunique() > 1).any()


def test_deleted_authors_leave_no_name(table):
    """Where an author is deleted, nobody is called by name in answer to it, and every name called is an author of the community."""
    called = table["text"].str.extract(r"^@(\w+) ")[0].dropna()
    authors = table.groupby("community")["author"].agg(lambda names: set(names.dropna()))
    assert table["author"].isna().any()
    assert len(called) > 50
    assert all(name in authors[table.loc[row, "community"]] for row, name in called.items())


def test_uniform_world_has_one_kind():
    """In a uniform world all communities have the same habits; in a continuum no community stands apart by kind."""
    uniform = World(seed=2, communities=12, shape="uniform").truth()
    assert uniform[["archetype", "subject", "need", "unanswered", "growth"]].drop_duplicates().shape[0] == 1
    continuum = World(seed=2, communities=60, shape="continuum").truth()
    assert continuum["archetype"].unique().tolist() == ["continuum"]
    ordered = continuum["hazard"].sort_values().to_numpy()
    assert np.diff(ordered).max() < 0.3 * (ordered[-1] - ordered[0])


def test_platforms_are_apart():
    """The same seed on another platform and scale shares no key and no id with it, and is as much smaller as it is told."""
    here, there = World(seed=1, communities=7), World(seed=1, communities=7, platform="plaza", scale=0.25)
    assert {record.id for record in gather(here)}.isdisjoint(record.id for record in gather(there))
    assert {record.communities[0].partition(":")[0] for record in gather(there)} == {"plaza"}
    assert there.truth()["persons"].sum() == pytest.approx(0.25 * here.truth()["persons"].sum(), rel=0.2)
    assert here.name != there.name


def test_text_is_prose(table):
    """Texts are varied prose without an unfilled slot, and words follow a heavy tail."""
    text = table.loc[~table["bot"], "text"]
    assert not text.str.contains(r"[{}]").any()
    assert (text != "").all()
    words = Counter(re.findall(r"[a-z]+", " ".join(text.sample(20_000, random_state=1)).lower()))
    assert len(words) > 800
    assert words.most_common(1)[0][1] > 100 * np.median(list(words.values()))


def test_argument_reads_options():
    """``world:SEED?option=value`` builds the world, and its name tells the settings apart."""
    built = load("world:9?communities=5&listing=100&shape=continuum", credentials={})
    assert built == World(seed=9, communities=5, listing=100, shape="continuum")
    assert built.name == "world:9?communities=5&shape=continuum&listing=100"


@pytest.mark.parametrize("argument", ["world:", "world:moon", "world:1?communities=0", "world:1?galaxies=2"])
def test_argument_is_read_strictly(argument):
    """A seed that is no number, a value out of range and an unknown option are refused in one line."""
    with pytest.raises(UnknownSourceError, match="Its settings are"):
        load(argument, credentials={})
