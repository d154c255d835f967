"""What stages keep: it comes back equal with its types, whole or not at all."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse

from storage import artifacts

FLOATS = st.floats(width=64)
CELLS = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | FLOATS | st.text(max_size=8)
SIZE = 4
COLUMNS: tuple[st.SearchStrategy[Any], ...] = (
    st.lists(CELLS, min_size=SIZE, max_size=SIZE).map(lambda values: pd.Series(values, dtype=object)),
    st.lists(st.none() | st.text(max_size=8), min_size=SIZE, max_size=SIZE).map(lambda values: pd.Series(values, dtype="str")),
    st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), min_size=SIZE, max_size=SIZE).map(
        lambda values: pd.Series(values, dtype="Int64")
    ),
    st.lists(st.none() | st.booleans(), min_size=SIZE, max_size=SIZE).map(lambda values: pd.Series(values, dtype="boolean")),
    st.lists(FLOATS, min_size=SIZE, max_size=SIZE).map(lambda values: pd.Series(values, dtype="float64")),
    st.lists(st.integers(-(2**31), 2**31 - 1), min_size=SIZE, max_size=SIZE).map(lambda values: pd.Series(values, dtype="int32")),
    st.lists(st.booleans(), min_size=SIZE, max_size=SIZE).map(lambda values: pd.Series(values, dtype="bool")),
)
INDEXES = st.sampled_from(
    [
        pd.RangeIndex(SIZE),
        pd.RangeIndex(1, 9, 2, name="row"),
        pd.Index(["b", "a", "b", ""], name="community"),
        pd.Index(["b", None, 3, True], dtype=object),
        pd.Index([3, 1, 2, 2], name="n"),
    ]
)


@dataclass(frozen=True)
class Inner:
    """A value inside a value."""

    matrix: np.ndarray
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Kept:
    """One of everything that stages hand on."""

    frame: pd.DataFrame
    series: pd.Series
    index: pd.Index
    counts: sparse.csr_matrix
    inner: Inner | None
    confidence: float
    name: str


def kept(frame: pd.DataFrame | None = None, **changes: Any) -> Kept:
    """A value of every kind."""
    defaults: dict[str, Any] = {
        "frame": pd.DataFrame() if frame is None else frame,
        "series": pd.Series([1.5, math.nan], index=["a", "b"], name="value"),
        "index": pd.Index([], dtype=object, name="outliers"),
        "counts": sparse.csr_matrix(np.array([[0, 2], [1, 0]])),
        "inner": Inner(np.arange(6.0).reshape(2, 3), ("one", "two")),
        "confidence": math.nan,
        "name": "naïve \ud800 \x00",
    }
    return Kept(**{**defaults, **changes})


@given(columns=st.lists(st.one_of(*COLUMNS), max_size=5), index=INDEXES, labels=st.permutations(["a", "b", "c", "a", ""]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_frame_comes_back_with_its_types(tmp_path: Path, columns: list[pd.Series], index: pd.Index, labels: list[str]) -> None:
    """Values, gaps, dtypes, index and labels survive, whatever the columns hold, without columns too, and None stays apart from NaN."""
    frame = pd.DataFrame({at: column.set_axis(index) for at, column in enumerate(columns)}, index=index)
    frame.columns = pd.Index(labels[: len(columns)])
    artifacts.save(tmp_path / "stage", kept(frame))
    found = artifacts.load(tmp_path / "stage", Kept)
    assert found is not None
    pd.testing.assert_frame_equal(found.frame, frame, check_exact=True, check_index_type="exact", check_column_type="exact")
    for at in range(frame.shape[1]):
        assert list(map(repr, found.frame.iloc[:, at])) == list(map(repr, frame.iloc[:, at]))


def test_everything_else_comes_back(tmp_path: Path) -> None:
    """Series, index, sparse matrix, array, nested value, tuple, NaN and hostile text survive."""
    artifacts.save(tmp_path / "stage", kept())
    found, wanted = artifacts.load(tmp_path / "stage", Kept), kept()
    assert found is not None
    assert found.inner is not None
    pd.testing.assert_series_equal(found.series, wanted.series)
    pd.testing.assert_index_equal(found.index, wanted.index, exact=True)
    assert (found.counts != wanted.counts).nnz == 0
    np.testing.assert_array_equal(found.inner.matrix, np.arange(6.0).reshape(2, 3))
    assert (found.inner.notes, found.name) == (("one", "two"), wanted.name)
    assert math.isnan(found.confidence)


def test_a_missing_part_stays_missing(tmp_path: Path) -> None:
    """None where a value may stand is None again."""
    artifacts.save(tmp_path / "stage", kept(inner=None))
    found = artifacts.load(tmp_path / "stage", Kept)
    assert found is not None
    assert found.inner is None


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(np.array([{}], dtype=object), id="objects"),
        pytest.param({"a": 1}, id="mapping"),
        pytest.param(pd.Series([b"bytes"]), id="bytes"),
        pytest.param(pd.DataFrame(index=pd.MultiIndex.from_tuples([(1, 2)])), id="levels"),
    ],
)
def test_what_cannot_be_kept_exactly_is_refused(tmp_path: Path, value: Any) -> None:
    """A value that would come back as another one is refused when it is saved, not found out later."""
    with pytest.raises((TypeError, ValueError)):
        artifacts.save(tmp_path / "stage", kept(series=value))
    assert artifacts.load(tmp_path / "stage", Kept) is None


@pytest.mark.parametrize("name", ["manifest.json", "frame.npz", "counts.npz", "inner/matrix.npy", "inner/manifest.json"])
@pytest.mark.parametrize("damage", ["cut", "gone", "garbage"])
def test_a_torn_value_is_no_value(tmp_path: Path, name: str, damage: str) -> None:
    """A file that is cut, missing or garbage makes the whole value absent, so that its stage is done again."""
    artifacts.save(tmp_path / "stage", kept(pd.DataFrame({"a": range(100)})))
    file = tmp_path / "stage" / name
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:40] if damage == "cut" else b"\x00garbage" * 20)
    assert artifacts.load(tmp_path / "stage", Kept) is None


def test_another_version_wrote_it(tmp_path: Path) -> None:
    """A value with other fields is no value."""
    artifacts.save(tmp_path / "stage", Inner(np.zeros((1, 1)), ()))
    assert artifacts.load(tmp_path / "stage", Kept) is None
    assert artifacts.load(tmp_path / "absent", Kept) is None


def test_a_kill_leaves_nothing_half(tmp_path: Path) -> None:
    """Whoever is killed when all but the rename is done leaves no value, and the next one can be kept."""
    script = (
        "import os, signal, sys, numpy as np\nfrom pathlib import Path\nfrom storage import artifacts\n"
        "from tests.test_artifacts import Inner\nPath.rename = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "artifacts.save(Path(sys.argv[1]), Inner(np.ones((1, 1)), ('new',)))\n"
    )
    ended = subprocess.run([sys.executable, "-c", script, str(tmp_path / "stage")], cwd=Path(__file__).parents[1], check=False)
    assert ended.returncode == -9
    assert artifacts.load(tmp_path / "stage", Inner) is None
    artifacts.save(tmp_path / "stage", Inner(np.ones((1, 1)), ("newer",)))
    found = artifacts.load(tmp_path / "stage", Inner)
    assert found is not None
    assert found.notes == ("newer",)
