"""Nearest centres by FAISS (extra ``faiss``), quicker on some machines for many clusters; also on graphics processors.

Only this file knows faiss, and only once it is asked for. It searches exactly, in float32: labels differ from our own search only
where two centres are as near as float32 can tell.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from threading import Lock
from typing import Any

import numpy as np

from discovery.clustering.partition import Matrix, Placing, magnitude
from storage.errors import MissingExtraError

PROBE = 1_000
"""Rows that tell how large all of them are."""
Search = Callable[[Matrix, Matrix, int], tuple[Matrix, Matrix]]


def require() -> None:
    """Ask for the extra before anything is computed that would be lost without it.

    Raises:
        MissingExtraError: faiss is not installed.
    """
    if importlib.util.find_spec("faiss") is None:
        raise MissingExtraError("backend='faiss' needs faiss: pip install 'subcurrent[faiss]'.")


def placing(matrix: Matrix, centres: Matrix) -> Placing:
    """Make room for the nearest centre of every row, and say what fills it."""
    import faiss  # noqa: PLC0415 - an extra, and heavy

    search = _on_graphics(faiss) if faiss.get_num_gpus() else faiss.knn
    labels, nearest = np.empty(len(matrix), dtype=np.int32), np.empty(len(matrix), dtype=matrix.dtype)
    size = max(magnitude(matrix[:: max(1, len(matrix) // PROBE)]), magnitude(centres))  # float32 holds the squares of what is divided by it
    sought = np.ascontiguousarray(np.ldexp(centres, -size), dtype=np.float32)

    def place(rows: slice) -> None:
        block = np.ascontiguousarray(np.ldexp(matrix[rows], -size), dtype=np.float32)
        distances, found = search(block, sought, 1)
        labels[rows] = found[:, 0]
        nearest[rows] = np.ldexp((distances[:, 0] - np.einsum("ij,ij->i", block, block)).astype(matrix.dtype), 2 * size)

    return Placing(labels, nearest, place)


def _on_graphics(faiss: Any) -> Search:
    """Search on the first graphics processor, which serves one thread at a time."""
    resources, lock = faiss.StandardGpuResources(), Lock()

    def search(rows: Matrix, centres: Matrix, k: int) -> tuple[Matrix, Matrix]:
        with lock:
            found: tuple[Matrix, Matrix] = faiss.knn_gpu(resources, rows, centres, k)
        return found

    return search
