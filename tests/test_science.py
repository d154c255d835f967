"""The check of published relations: what is printed follows from the interval alone, and what cannot be told says why."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from discovery.science import RELATIONS, Relation, check
from tests.command_line import configured, subcurrent

POSITIVE = Relation("specificity", "retention", "positive", "somebody")
LOW = Relation("growth", "retention", "low", "somebody")


def values(one: list[float], other: list[float], *, platforms: str = "reddit", name: str = "specificity") -> pd.DataFrame:
    """Put two features of some communities side by side."""
    keys = [f"{platforms.split()[number % len(platforms.split())]}:c{number:03d}" for number in range(len(one))]
    return pd.DataFrame({name: one, "retention": other}, index=keys)


def test_a_perfect_relation_holds() -> None:
    """Thirty communities in the same order by both: rho is 1 in every bootstrap draw, so the positive claim holds."""
    found = check(values(list(range(30)), [n**2 for n in range(30)]), POSITIVE)
    assert (found.n, found.verdict) == (30, "holds")
    assert (found.rho, found.low, found.high) == pytest.approx((1, 1, 1))


def test_the_opposite_does_not_hold() -> None:
    """In opposite order rho is -1: neither positive nor low."""
    table = values(list(range(30)), list(range(30, 0, -1)))
    assert check(table, POSITIVE).verdict == "does not"
    assert check(table.rename(columns={"specificity": "growth"}), LOW).verdict == "does not"


def test_rho_is_spearmans() -> None:
    """Four swaps of neighbours, sum of squared differences 8: rho = 1 - 6 * 8 / (20 * 399)."""
    order = [1, 0, 3, 2, 5, 4, 7, 6, *range(8, 20)]
    found = check(values(list(range(20)), order), POSITIVE)
    assert found.rho == pytest.approx(1 - 48 / 7980)


def test_no_relation_is_low_and_not_positive() -> None:
    """Two hundred communities without relation: the low claim holds, the positive one does not or cannot be told."""
    random = np.random.default_rng(5)
    table = values(random.random(200).tolist(), random.random(200).tolist())
    assert check(table, POSITIVE).verdict != "holds"
    assert check(table.rename(columns={"specificity": "growth"}), LOW).verdict == "holds"


def test_the_interval_covers() -> None:
    """Of twenty samples of 60 from a normal pair of correlation 0.5 (rank correlation 0.483), at least 16 intervals hold it."""
    held = 0
    for seed in range(20):
        random = np.random.default_rng(seed)
        one = random.standard_normal(60)
        found = check(values(one.tolist(), (0.5 * one + np.sqrt(0.75) * random.standard_normal(60)).tolist()), POSITIVE)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 0.483 <= found.high
    assert held >= 16


def test_two_platforms_are_no_relation() -> None:
    """Platforms that differ in both features say nothing about communities: within each there is no order in common."""
    random = np.random.default_rng(2)
    shift = np.tile([0.0, 10.0], 40)
    table = values((random.random(80) + shift).tolist(), (random.random(80) + shift).tolist(), platforms="reddit lemmy")
    found = check(table, POSITIVE)
    assert found.rho is not None
    assert abs(found.rho) < 0.25


@pytest.mark.parametrize(
    ("table", "why"),
    [
        (values([1.0] * 19, [0.5] * 19), "19 communities have both, 20 needed"),
        (values([float("nan")] * 30, list(range(30))), "not measured: specificity"),
        (values(list(range(30)), list(range(30)), name="growth"), "not measured: specificity"),
        (values([1.0] * 30, list(range(30))), "one of the two is the same everywhere"),
    ],
    ids=["few", "missing", "unknown", "constant"],
)
def test_what_cannot_be_told_says_why(table: pd.DataFrame, why: str) -> None:
    """Too few communities, a feature that is not there, a feature without differences: no number, and the reason."""
    found = check(table, POSITIVE)
    assert (found.verdict, found.rho, found.why) == ("cannot tell", None, why)


def test_the_command_prints_every_relation(tmp_path: Path) -> None:
    """After a run, one row a relation, with the paper it is from; the exit code is 0 whatever holds."""
    config = configured(tmp_path, "world:2?communities=24&days=196&scale=0.4")
    assert subcurrent("run", "--config", config).code == 0
    said = subcurrent("science-check", "--config", config, "--json")
    assert said.code == 0
    rows = json.loads(said.out)
    assert [row["relation"] for row in rows] == [f"{relation.one} and {relation.other}" for relation in RELATIONS]
    assert {tuple(row) for row in rows} == {("relation", "claim", "n", "rho", "low", "high", "verdict", "why", "source")}
    known = [row for row in rows if row["rho"] is not None]
    assert known
    assert all(-1 <= row["low"] <= row["rho"] <= row["high"] <= 1 and row["n"] >= 20 for row in known)


def test_before_the_first_run_there_is_nothing_to_check(tmp_path: Path) -> None:
    """Without results the command says so and leaves with 2."""
    said = subcurrent("science-check", "--config", configured(tmp_path, "world:1"))
    assert said.code == 2
    assert "There are no results" in said.err
