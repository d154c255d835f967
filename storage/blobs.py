"""Arrays as bytes for the results, and back: zlib's own frame, whose checksum tells damage; no pickle.

Numbers are little-endian whatever the machine.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from storage.errors import ResultsFileError


def pack(array: NDArray[Any], *, level: int = 0) -> bytes:
    """Write an array's numbers, in the type they have; a level above 0 compresses, which vectors hardly allow and places reward."""
    return zlib.compress(np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).tobytes(), level)


def unpack(blob: bytes, kind: str) -> NDArray[Any]:
    """Read numbers back, as one row.

    Args:
        blob: What :func:`pack` wrote.
        kind: NumPy's name of the type it was written in, such as ``int8``.

    Raises:
        ResultsFileError: the checksum or the length is wrong.
    """
    return _joined([blob], kind)[0]


def _joined(blobs: Sequence[bytes], kind: str) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Read several arrays one after the other, thousands as quickly as one; also how many numbers each has."""
    written = np.dtype(kind).newbyteorder("<")
    parts = [_decompressed(blob, written.itemsize) for blob in blobs]
    return np.frombuffer(b"".join(parts), written), np.array([len(part) for part in parts], dtype=np.int64) // written.itemsize


def _decompressed(blob: bytes, size: int) -> bytes:
    try:
        found = zlib.decompress(blob)
    except zlib.error as error:
        raise ResultsFileError(
            f"The results are damaged: an array of {len(blob)} bytes cannot be read ({error}). Restore a copy, or run again."
        ) from error
    if len(found) % size:
        raise ResultsFileError(f"The results are damaged: {len(found)} bytes are no numbers of {size}. Restore a copy, or run again.")
    return found


def pack_sorted(numbers: NDArray[Any]) -> bytes:
    """Write whole numbers that only rise: their steps are small, so they take about a byte each."""
    return pack(np.diff(numbers, prepend=0).astype(np.uint32), level=6)


def unpack_sorted(blob: bytes) -> NDArray[np.int64]:
    """Read rising numbers back.

    Raises:
        ResultsFileError: the checksum or the length is wrong.
    """
    return unpack_runs([blob])[0]


def unpack_runs(blobs: Sequence[bytes]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Read several rows of rising numbers back, one after the other, and how many each has.

    Raises:
        ResultsFileError: a checksum or a length is wrong.
    """
    steps, counts = _joined(blobs, "uint32")
    heaped = np.concatenate([[0], np.cumsum(steps, dtype=np.int64)])
    return heaped[1:] - np.repeat(heaped[np.cumsum(counts) - counts], counts), counts


def pack_vectors(rows: NDArray[Any]) -> bytes:
    """Write the directions of some vectors, a byte a component; a zero row stays zero.

    Each row is scaled by its own largest component, so its length is lost: only angles come back.
    """
    largest = np.abs(rows).max(axis=1, keepdims=True, initial=0)
    return pack(np.rint(rows / np.where(largest > 0, largest, 1) * 127).astype(np.int8))


def unpack_vectors(*blobs: bytes, dimensions: int) -> NDArray[np.float32]:
    """Read unit vectors back, shape (n, dimensions): those of several blobs one after the other.

    Raises:
        ResultsFileError: the checksum or the length is wrong.
    """
    numbers = _joined(blobs, "int8")[0].astype(np.float32)
    if dimensions < 1 or len(numbers) % dimensions:
        raise ResultsFileError(
            f"The results are damaged: {len(numbers)} numbers are no vectors of {dimensions}. Restore a copy, or run again."
        )
    rows = numbers.reshape(-1, dimensions)
    length = np.sqrt(np.square(rows).sum(axis=1, keepdims=True))
    return np.asarray(rows / np.where(length > 0, length, 1), dtype=np.float32)
