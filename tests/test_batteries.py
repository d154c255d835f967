"""The benchmark of labelled sets reads what public batteries publish, and scores it as they do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.batteries import Labelled, folder, generated, table


def test_noise_is_not_scored() -> None:
    """Label 0 counts neither as a kind nor for or against an answer."""
    one = Labelled("hand-made", np.zeros((5, 1)), np.array([1, 1, 2, 2, 0]))

    assert one.kinds == 2
    assert one.agreement(np.array([7, 7, 3, 3, 3])) == 1.0


def test_a_folder_is_read_with_what_is_in_it(tmp_path: Path) -> None:
    """Data and labels that stand beside each other, compressed, at any depth, are one set by its path."""
    (tmp_path / "wut").mkdir()
    np.savetxt(tmp_path / "wut" / "x.data.gz", [[0.0, 1.0], [2.0, 3.0]])
    np.savetxt(tmp_path / "wut" / "x.labels0.gz", [1, 2], fmt="%d")

    (one,) = folder(tmp_path)

    assert one.name == "wut/x"
    np.testing.assert_array_equal(one.rows, [[0, 1], [2, 3]])
    np.testing.assert_array_equal(one.truth, [1, 2])


def test_a_set_without_a_label_for_each_row_is_refused(tmp_path: Path) -> None:
    """Too few labels, or none at all, would be scored against the wrong rows: the message counts both."""
    np.savetxt(tmp_path / "x.data.gz", [[0.0], [1.0]])
    with pytest.raises(ValueError, match=r"x\.labels0\.gz should stand beside it"):
        list(folder(tmp_path))
    np.savetxt(tmp_path / "x.labels0.gz", [1], fmt="%d")
    with pytest.raises(ValueError, match=r"2 rows and x\.labels0\.gz 1 labels"):
        list(folder(tmp_path))


def test_the_table_tells_each_set_and_what_they_come_to() -> None:
    """Six blobs six widths apart are found by both, so both agree with the kinds."""
    head, line, summary = table(list(generated(0))[:1], starts=1)

    assert head.startswith("| set | rows | kinds | k | agreement | k with segments | structure | agreement with segments |")
    assert line.startswith("| equal blobs | 900 | 6 | 6 | ")
    assert "| AutoKMeans | 1.000 | " in summary
