"""The benchmark: its dumps are what they say, and its figures are of the real stages."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import zstandard

from benchmarks import clusters, dump, duplicates, niches, reader, search, structure
from benchmarks.process import CommandFailedError, Spent, run
from discovery.sources import load
from tests.factories import gather
from tests.markets import market, subjects

ROOT = Path(__file__).parents[1]


def test_dumps_hold_the_planted_world(tmp_path: Path) -> None:
    """Every record of the world can be read back from its dump, with its text, its author, and the post it stands under."""
    communities, size = dump.write(tmp_path / "dumps", records=1_200)
    planted = [record for record, _ in dump.planted(communities=4)][:1_200]
    read = gather(load(f"pushshift:{tmp_path / 'dumps'}", credentials={}))
    assert communities == len({record.communities for record in planted}) == len({record.communities for record in read})
    assert sorted((record.created_at, record.kind, record.title, record.text) for record in read) == sorted(
        (record.created_at, record.kind, record.title, record.text) for record in planted
    )
    people = [{record.author for record in records if not record.bot} for records in (planted, read)]
    assert people[0] == people[1]
    posts = {record.id for record in read if record.kind == "post"}
    assert {record.thread for record in read} <= posts
    assert {record.parent for record in read} <= {None, *(record.id for record in read)}
    files = [zstandard.decompress(file.read_bytes(), max_output_size=1 << 24) for file in (tmp_path / "dumps").iterdir()]
    assert (sum(file.count(b"\n") for file in files), sum(map(len, files))) == (1_200, size)


def test_dumps_are_the_same_every_time(tmp_path: Path) -> None:
    """Two writings of one size are equal byte for byte, so that figures of two days are of the same work."""
    for name in ("one", "two"):
        dump.write(tmp_path / name, records=300)
    one, two = ({file.name: file.read_bytes() for file in (tmp_path / name).iterdir()} for name in ("one", "two"))
    assert one == two


def test_what_it_is_compared_with_reads_the_same_records(tmp_path: Path) -> None:
    """DuckDB's reader stores as many rows as records were written."""
    dump.write(tmp_path / "dumps", records=300)
    rows, seconds = reader.read(tmp_path / "dumps", tmp_path / "reader.duckdb")
    assert rows == 300
    assert seconds > 0


def test_planted_duplicates_are_found_and_nothing_else() -> None:
    """Of 400 communities with 40 copies, all pairs of at least .5 are found by both ways, and no other is told."""
    cells = duplicates.row(400, seed=2).split("|")
    assert int(cells[2]) > 10
    assert [float(cell) for cell in cells[3:5]] == [1.0, 1.0]


def test_planted_subjects_agree_with_themselves_and_come_back_from_halves() -> None:
    """Niches of four subjects, a tenth of whose words are anybody's, are the subjects, whole and from halves of words and communities."""
    words = subjects(4, each=24, seed=0, shared=0.1)
    measured = market(list(words), words=words)
    topics = pd.Series({name: name.split("-")[0] for name in words})
    found = niches.agreement(measured, topics, seed=1)
    assert (found.niches, found.placed) == (4, 1.0)
    assert (found.ours, found.ours_all, found.nearest_all) == (pytest.approx(1.0),) * 3
    assert found.plain > 0.5
    assert niches.returned(measured, seed=1) == (1.0, 1.0)


def test_a_process_is_measured_with_its_peak() -> None:
    """What a process held and let go again counts as its peak, and what it said is kept."""
    measure = "run('-c', 'held = bytearray(200_000_000); del held; print(7)')"
    program = f"import json; from benchmarks.process import run; print(json.dumps({measure}))"  # in a process that itself is small
    printed = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    spent = Spent(*json.loads(printed))
    assert 200e6 < spent.peak < 300e6
    assert spent.said == "7\n"
    assert 0 < spent.cpu < 2 * spent.seconds


def test_a_failure_is_told() -> None:
    """A command that fails is an error with its code and its last words, never a figure."""
    with pytest.raises(CommandFailedError, match="code 3: no such thing"):
        run("-c", "import sys; sys.stderr.write('no such thing'); sys.exit(3)")


def test_the_harness_measures_collecting() -> None:
    """Asked for a small size, it runs the command line on dumps of that size and prints its figures."""
    command = [sys.executable, "-m", "benchmarks", "--records", "1000", "--until", "collect"]
    printed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert printed.startswith("1,000 invented records of ")
    (row,) = [line for line in printed.splitlines() if line.startswith("| collect")]
    assert float(row.split("|")[2]) > 0
    assert "250 records" in printed


def test_too_few_records_are_refused() -> None:
    """A size that shows nothing is wrong use, with the least that is asked for."""
    command = [sys.executable, "-m", "benchmarks", "--records", "10"]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert "1000" in done.stderr


def test_a_clean_shape_bounds_its_rate() -> None:
    """No false valley in 59 runs bounds the rate at 5 %: .95 ** 59 is below 1 / 20."""
    assert structure.false_structure(
        lambda random, n, d: random.standard_normal((n, d)), structure.shows_structure, runs=59, n=12, d=2
    ) == (
        0,
        pytest.approx(0.0495, abs=1e-4),
    )


def test_a_gap_in_every_run_is_counted() -> None:
    """Two kinds ten standard deviations apart show a valley in every run, so that the rate may be 1."""
    apart = structure.false_structure(
        lambda random, n, d: structure.blobs(random, sizes=np.full(2, n // 2), d=d, apart=10)[0],
        structure.shows_structure,
        runs=3,
        n=120,
        d=2,
    )
    assert apart == (3, 1.0)


def test_whole_numbers_have_no_valleys() -> None:
    """Counts of one mode lie on a lattice, whose gaps are none; counts of two modes, 2 and 14, are told apart."""
    assert not any(
        structure.shows_structure(random.poisson(1.5, (168, 2)).astype(float), random) for random in map(np.random.default_rng, range(8))
    )
    random = np.random.default_rng(1)
    assert structure.shows_structure(random.poisson(np.repeat([[2], [14]], 84, axis=0), (168, 2)).astype(float), random)


def test_an_algorithm_is_asked_as_a_run_asks_it() -> None:
    """HDBSCAN calls no gaussian clusters, and two kinds far apart it does."""
    claim = structure.called_clusters("hdbscan")
    random = np.random.default_rng(0)
    assert not claim(random.standard_normal((120, 2)), random)
    assert claim(structure.blobs(random, sizes=np.full(2, 60), d=2, apart=10)[0], random)


def test_contestants_are_told_by_what_they_found() -> None:
    """A contestant's seconds, k, inertia and agreement are of the rows that all of them draw."""
    told = clusters.compete("AutoKMeans, silhouette alone", 3_000, 4)
    rows, truth = clusters.blobs(3_000, 4)
    assert (rows.dtype, len(set(truth.tolist()))) == (np.float32, clusters.KINDS)
    assert told.k > 1
    assert told.seconds > 0
    assert 0 < told.inertia < float(((rows - rows.mean(axis=0)) ** 2).sum())
    assert told.inertia <= 1.01 * clusters.best_of_ten(3_000, 4, told.k)
    assert 0.5 < told.agreement <= 1


def test_a_search_is_measured_against_reading_everything() -> None:
    """Of few communities every vector is read and all of the best are found, though most of a subject's neighbours fit as well."""
    cells = [cell.strip() for cell in search.line(400, queries=5, niches=2).strip("|").split("|")]
    assert cells[:5] == ["400", "10", "1.000", "1.000", "1.000"]
    assert 0.2 < float(cells[5]) < 0.95
    assert all(float(cell) > 0 for cell in cells[6:8])


def test_few_subjects_can_be_niches() -> None:
    """One subject of fifty is a niche where that is asked, and no niche is shared by two subjects."""
    market = search.invented(2_000, seed=1, niches=50)
    niches = market.interpretation.communities["niche_id"].to_numpy(object)
    assert sorted(market.interpretation.communities["niche_id"].dropna().unique()) == ["n0", "n50"]
    assert [set(market.subject[niches == niche].tolist()) for niche in ("n0", "n50")] == [{0}, {50}]
