"""Nights: what a measuring keeps of the one before changes nothing, whatever has come, changed, gone or moved in between."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from discovery.features import FeatureSettings, Measurement, Scope, measure
from tests.feature_records import ENGLISH, START, crowd, post, pseudonym, reply, store
from tests.test_features_measure import assert_same

GERMAN = "das ist nicht die art von sache, die man mit allen anderen leuten machen kann, und es ist auch nicht das, was wir wollen"
SAID = (
    "",
    "is there an app for crew scheduling? i need an app for crew scheduling",
    "we switched from Jobber Pro to Excel",
    "I paid $20 for Jobber Pro",
    "so tired of crew scheduling",
    "thanks, that worked",
    "check out my app",
)
SCOPE = Scope(sources=("one", "two"), portfolio=("reddit:c1",))
Row = dict[str, Any]


class Town:
    """Records of a few communities that change from night to night."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)  # noqa: S311 - a planted town, no secret
        self.rows: dict[str, Row] = {}
        self.page: dict[str, int] = {}
        self.night = 0

    def written(self, days: tuple[float, float]) -> Row:
        """Make a record on one of these days."""
        dice = self.dice
        place, number = f"reddit:c{dice.randrange(7)}", len(self.rows)
        words = GERMAN if place == "reddit:c6" else ENGLISH
        text = f"{words} {dice.choice(SAID)} {dice.choice('abcdefgh') * 3}" if dice.random() < 0.9 else "the very same text every time"
        author, day = dice.choice([None, *crowd(50)]), dice.uniform(*days)
        told = {"id": f"r{number:05d}", "source_ids": [dice.choice([1, 1, 2])], "bot": dice.random() < 0.03, "score": dice.randrange(9)}
        targets = [row for row in self.rows.values() if row["communities"] == [place]]
        if targets and dice.random() < 0.6:
            return reply(dice.choice(targets), author, day, text, **told)
        several = [place, "reddit:c5"] if dice.random() < 0.1 and place != "reddit:c5" else [place]
        return post(author, day, text, title=dice.choice(["why?", "news", ""]), communities=several, **told)

    def grow(self, number: int, days: tuple[float, float]) -> None:
        """Add records, new and late ones."""
        for _ in range(number):
            self.put(self.written(days))

    def put(self, row: Row) -> None:
        """Insert or replace a record."""
        self.rows[row["record_id"]] = row
        self.page[row["record_id"]] = self.night

    def change(self, number: int) -> None:
        """Edit, delete, move, credit and withdraw records."""
        dice = self.dice
        for key in dice.sample(sorted(self.rows), number):
            row = dict(self.rows[key])
            match dice.randrange(6):
                case 0:
                    row["text"] = f"{ENGLISH} {dice.choice(SAID)}"
                case 1:
                    row |= {"author": None, "text": "[deleted]"}
                case 2:
                    row["communities"] = [f"reddit:c{dice.randrange(7)}"]
                case 3:
                    row["source_ids"] = [1, 2]
                case 4:
                    row |= {"author": pseudonym("person3"), "bot": not row["bot"]}
                case 5:
                    del self.rows[key]
                    continue
            self.put(row)

    def nights(self) -> Iterator[None]:
        """Begin small, then let things happen; some nights bring nothing."""
        self.grow(500, (0, 200))
        yield
        for number, changed in ((6, 0), (0, 0), (40, 12), (3, 60)):
            self.night += 1
            self.grow(number, (150, 215 + 10 * self.night))
            self.change(changed)
            yield


def fill(connection: duckdb.DuckDBPyConnection, town: Town) -> None:
    """Put what changed in the night into a store, and take out what went."""
    keys = sorted(key for key, page in town.page.items() if page == town.night and key in town.rows)
    fresh = store([town.rows[key] for key in keys], coverage={1: "complete", 2: "listing"}).execute("FROM records").df()
    connection.register("fresh", fresh)
    connection.execute("DELETE FROM records WHERE record_id IN (SELECT record_id FROM fresh)")
    connection.execute("INSERT INTO records BY NAME SELECT * REPLACE (?::BIGINT AS changed) FROM fresh", [town.night + 1])
    connection.execute("DELETE FROM records WHERE NOT list_contains(?, record_id)", [sorted(town.rows)])
    connection.unregister("fresh")


def again(town: Town, **settings: Any) -> Measurement:
    """Measure all of the town in a store of its own, in another order."""
    rows = list(town.rows.values())
    town.dice.shuffle(rows)
    connection = store(rows, coverage={1: "complete", 2: "listing"})
    return measure(connection, scope=SCOPE, settings=FeatureSettings(**settings))


@pytest.mark.parametrize(("seed", "sampled"), [(1, 500), (2, 500), (3, 50)])
def test_a_night_gives_the_bits_of_a_computation_from_scratch(seed, sampled):
    """Late, edited, deleted, moved, credited and withdrawn records, and nights without any, give the very bits of a fresh store.

    A sample of 50 records is drawn from months that are past, one of 500 takes all there are.
    """
    town, connection = Town(seed), store([], coverage={1: "complete", 2: "listing"})
    for _ in town.nights():
        fill(connection, town)
        measured = measure(connection, scope=SCOPE, settings=FeatureSettings(sample_records=sampled))
        assert_same(measured, again(town, sample_records=sampled))


def test_batches_change_nothing():
    """Communities reduced a few at a time give the bits of all at once."""
    town = Town(3)
    next(town.nights())
    assert_same(again(town), again(town, batch_records=50))


def test_now_and_the_window_may_move():
    """A later ``now`` and a window that leaves old records behind give the bits of a fresh store, without a new record."""
    town, connection = Town(4), store([], coverage={1: "complete", 2: "listing"})
    next(town.nights())
    fill(connection, town)
    for day in (150, 190, 193, 260):
        scope = Scope(sources=("one", "two"), now={"one": START + day * 86_400, "two": START + day * 86_400}, window_days=120)
        fresh = store(list(town.rows.values()), coverage={1: "complete", 2: "listing"})
        one, other = (measure(at, scope=scope, settings=FeatureSettings(sample_records=50)) for at in (connection, fresh))
        assert_same(one, other)


def test_another_scope_is_another_measuring():
    """After a run of other sources a store measures what it would have measured without it."""
    town, connection = Town(5), store([], coverage={1: "complete", 2: "listing"})
    next(town.nights())
    fill(connection, town)
    alone = measure(connection, scope=Scope(sources=("one",)), settings=FeatureSettings())
    both = measure(connection, scope=SCOPE, settings=FeatureSettings())
    assert_same(both, again(town))
    assert_same(alone, measure(connection, scope=Scope(sources=("one",)), settings=FeatureSettings()))


def test_a_record_that_moves_is_missed_where_it_stood():
    """One record that moves, and one that is withdrawn, change the communities they leave, even if nothing else happens there."""
    town, connection = Town(8), store([], coverage={1: "complete", 2: "listing"})
    next(town.nights())
    fill(connection, town)
    measure(connection, scope=SCOPE, settings=FeatureSettings())
    first, second = (next(row for row in town.rows.values() if row["communities"] == [place]) for place in ("reddit:c0", "reddit:c1"))
    town.night += 1
    town.put({**first, "communities": ["reddit:c2"]})
    del town.rows[second["record_id"]]
    fill(connection, town)
    assert_same(measure(connection, scope=SCOPE, settings=FeatureSettings()), again(town))


def test_a_community_may_change_its_language():
    """What was read of a community counts no more once most of it is in another language than the lexicon, and again if that passes."""
    town, connection = Town(9), store([], coverage={1: "complete", 2: "listing"})
    place = {"communities": ["reddit:c9"], "accepted": False}
    for number in range(40):
        town.put(post(f"person{number}", number, f"{ENGLISH} looking for an app for crew scheduling", id=f"e{number}", **place))
    languages = []
    for spoken in ("", GERMAN, ENGLISH):
        for number in range(400 if spoken else 0):
            town.put(post(f"person{number}", 50 + number % 90, f"{spoken} {spoken}", id=f"d{number}", **place))
        fill(connection, town)
        measured = measure(connection, scope=SCOPE, settings=FeatureSettings())
        assert_same(measured, again(town))
        languages.append(measured.communities.at["reddit:c9", "language"])
        town.night += 1
    assert languages == ["en", "de", "en"]


def test_a_source_may_turn_out_to_be_a_listing():
    """Where a source is known for a listing only later, its communities are computed anew."""
    town = Town(10)
    next(town.nights())
    connection = store(list(town.rows.values()), coverage={1: "complete", 2: "complete"})
    measure(connection, scope=SCOPE, settings=FeatureSettings())
    connection.execute("UPDATE sources SET coverage = 'listing' WHERE source_id = 2")
    assert_same(measure(connection, scope=SCOPE, settings=FeatureSettings()), again(town))


def test_only_what_changed_is_computed_again():
    """A night reads the words of its new record alone, and renews its community alone."""
    town, connection = Town(6), store([], coverage={1: "complete", 2: "listing"})
    next(town.nights())
    fill(connection, town)
    measure(connection, scope=SCOPE, settings=FeatureSettings())
    before = dict(connection.execute("SELECT c, max(page) FROM partial.read_to GROUP BY c").fetchall())
    town.night += 1
    town.put(post("person1", 199.5, f"{ENGLISH} is there an app for that?", communities=["reddit:c2"], id="late"))
    fill(connection, town)
    measure(connection, scope=SCOPE, settings=FeatureSettings())
    after = dict(
        connection.execute("SELECT community, max(page) FROM partial.read_to JOIN partial.community USING (c) GROUP BY ALL").fetchall()
    )
    assert {community for community, page in after.items() if page != max(before.values())} == {"reddit:c2"}


def test_a_failure_leaves_the_partials_as_they_were():
    """A measuring that is broken off takes nothing along: the next gives what it would have given."""
    town, connection = Town(7), store([], coverage={1: "complete", 2: "listing"})
    for _ in town.nights():
        fill(connection, town)
        connection.execute("ALTER TABLE records RENAME COLUMN text TO lost")
        with pytest.raises(duckdb.Error):
            measure(connection, scope=SCOPE, settings=FeatureSettings())
        connection.execute("ALTER TABLE records RENAME COLUMN lost TO text")
        measured = measure(connection, scope=SCOPE, settings=FeatureSettings())
        if town.night == 3:
            assert_same(measured, again(town))
