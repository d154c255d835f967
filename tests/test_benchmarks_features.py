"""The benchmark of the features: its stores are what they say, its peers do the same work, and it notices when they do not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from benchmarks.features import invented, ours, peers, rooms, sums_pandas, sums_sql, words
from benchmarks.features.__main__ import NotTheSameError, Turn, held_same, middle
from tests.feature_records import post, reply, store

ROOT = Path(__file__).parents[1]
RECORDS, COMMUNITIES = 6_000, 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Invent one small store."""
    path = tmp_path_factory.mktemp("invented") / "store"
    invented.write(path, records=RECORDS, communities=COMMUNITIES)
    return path


def rows(folder: Path, query: str) -> list[tuple[object, ...]]:
    """Ask a store."""
    with duckdb.connect(str(folder / "activity.duckdb"), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_a_store_has_the_size_that_is_asked_for(folder):
    """So many records within a hundredth, each once, in so many communities; the largest has at least a fifth of them."""
    ((records, keys, communities),) = rows(folder, "SELECT count(*), count(DISTINCT key), count(DISTINCT communities) FROM records")
    assert records == keys == pytest.approx(RECORDS, rel=0.01)
    assert communities == COMMUNITIES
    ((largest,),) = rows(folder, "SELECT max(n) FROM (SELECT count(*) AS n FROM records GROUP BY communities)")
    assert largest > RECORDS / 5


def test_the_same_store_is_invented_every_time(folder, tmp_path):
    """Two writings of one size hold the same records and bring the same night."""
    invented.write(tmp_path / "again", records=RECORDS, communities=COMMUNITIES)
    query = "SELECT * FROM records ORDER BY key"
    assert rows(folder, query) == rows(tmp_path / "again", query)
    night, again = (duckdb.read_parquet(str(path / invented.NIGHT)).order("key").fetchall() for path in (folder, tmp_path / "again"))
    assert night == again


def test_a_night_brings_a_hundredth_as_much(folder):
    """Most of a night is newer than all that is stored, some is late, and some replaces what is stored."""
    known = {key for (key,) in rows(folder, "SELECT key FROM records")}
    ((last,),) = rows(folder, "SELECT quantile_disc(created_at, 0.99) FROM records")
    night = duckdb.read_parquet(str(folder / invented.NIGHT)).select("key", "created_at", "changed").fetchall()
    assert len(night) == pytest.approx(RECORDS / 100, rel=0.2)
    assert {changed for _, _, changed in night} == {2}
    assert sum(at > last for _, at, _ in night) > 0.8 * len(night)
    assert 0 < sum(key in known for key, _, _ in night) < len(night) / 10


def test_one_record_in_twenty_shows_intent(folder):
    """Our search finds about a twentieth, the readers that only filter find the same records, and all read the words."""
    with invented.opened(folder) as activity:
        found = {name: reader(activity.connection) for name, reader in words.READERS.items() if name not in {"counts", "sampled"}}
    assert found["search"] == found["separate"] == found["alternation"] == pytest.approx(RECORDS / 20, rel=0.2)
    assert found["column"] > 100 * RECORDS


def test_words_are_counted_by_community():
    """Of "alpha beta", "alpha" and a reply "beta" in one community: two words; the same word elsewhere is another."""
    first = post("a", 1, "alpha beta and the")
    elsewhere = post("a", 1, "alpha", communities=["reddit:b"])
    connection = store([first, post("b", 2, "Alpha!"), reply(first, "a", 3, "beta 7"), elsewhere])
    assert words.counts(connection) == 3
    told = connection.execute("SELECT community, word, n, authors FROM word ORDER BY ALL").fetchall()
    assert told == [("reddit:a", "alpha", 2, 2), ("reddit:a", "beta", 2, 1), ("reddit:b", "alpha", 1, 1)]


def test_peers_add_up_the_same(folder):
    """Every sum of pandas and of plain SQL is ours; one that is not is an error, with its name."""
    _, communities, *_ = ours.added(folder / "bare")
    mine = pd.read_csv(folder / "bare" / ours.SUMS, index_col="community")
    assert len(mine) == communities == COMMUNITIES
    for peer in (sums_pandas, sums_sql):
        found = peer.added(folder / "bare" / "records.parquet")
        assert peers.agree(found, mine) == COMMUNITIES * 18 + mine["gini"].notna().sum()
        with pytest.raises(peers.DisagreementError, match="'stayed': 12"):
            peers.agree(found.assign(stayed=found["stayed"] + 1), mine)
        with pytest.raises(peers.DisagreementError, match="'gini': "):
            peers.agree(found.assign(gini=found["gini"] + 1e-8), mine)


def test_a_night_and_a_computation_from_scratch_give_one_digest(folder, tmp_path):
    """The digest of a night is that of all its records measured at once, and not that of the day before."""
    for name in ("night", "scratch"):
        (tmp_path / name).mkdir()
        for file in ("activity.duckdb", "pseudonym.key", ours.NIGHT):
            (tmp_path / name / file).write_bytes((folder / file).read_bytes())
    _, *before = ours.scratch(tmp_path / "night")
    new, touched = ours.arrival(tmp_path / "scratch")
    _, *night = ours.night(tmp_path / "night")
    _, *scratch = ours.scratch(tmp_path / "scratch")
    assert night == scratch != before
    assert 0 < touched <= new < RECORDS / 50


def test_a_watch_tells_what_the_seconds_go_to(folder, tmp_path):
    """A statement counts for the partial it renews, another for the module that asks, and nothing is counted twice."""
    for file in ("activity.duckdb", "pseudonym.key"):
        (tmp_path / file).write_bytes((folder / file).read_bytes())
    spent = rooms.watched(tmp_path, afresh=True)
    assert {"partial.token", "partial.thread", "authors", "intent", rooms.PYTHON} <= set(spent)
    assert min(spent.values()) > 0
    assert not {"partials", "measure_parts", "benchmarks"} & set(spent)


def test_the_middle_of_several_turns_counts():
    """Of 1, 9 and 3 seconds, 3; of one turn, that one."""
    turns = [Turn(seconds, 0, ()) for seconds in (1.0, 9.0, 3.0)]
    assert middle(turns) == turns[2]
    assert middle(turns[:1]) == turns[0]


def test_what_differs_is_no_figure():
    """Two turns that found different things are an error that tells both."""
    held_same("records", {"one": 7, "other": 7})
    with pytest.raises(NotTheSameError, match="'one': 7, 'other': 8"):
        held_same("records", {"one": 7, "other": 8})


@pytest.mark.parametrize(("arguments", "said"), [(["--records", "10"], "6000"), (["nights"], "sums, words, night, rooms, growth")])
def test_wrong_use_is_refused(arguments, said):
    """Too few records and an unknown part are refused with what there is."""
    done = subprocess.run([sys.executable, "-m", "benchmarks.features", *arguments], cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_part_is_measured_and_printed():
    """Asked for the night of a small store, it prints one table, whose last row is the share."""
    command = [sys.executable, "-m", "benchmarks.features", "night", "--records", "6000"]
    printed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert printed.count("###") == 1
    assert "Every bit measured is the same" in printed
    (share,) = [line for line in printed.splitlines() if line.startswith("| share")]
    assert 0 < float(share.split("|")[2].strip(" %")) < 500
