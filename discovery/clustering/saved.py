"""A fitted estimator as a file of plain arrays with a checksum: nothing in it is code, and what is read is what was written."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

FORMAT = "subcurrent AutoKMeans 1"
TOLD = "told"
"""The array that holds what is no array, as JSON."""
SEAL = 64
"""Characters of a checksum."""
_LENGTH = SEAL.to_bytes(2, "little")


def write(path: str | PathLike[str], settings: Mapping[str, Any], fitted: Mapping[str, Any]) -> None:
    """Write settings and what was fitted, whole or not at all, as a ``.npz`` whose comment is the checksum of everything before it.

    Args:
        path: Where to.
        settings: Arguments of the constructor.
        fitted: Arrays, frames, numbers, texts and dictionaries of them, by attribute.

    Raises:
        TypeError: a value is neither, such as a random state that is not a number.
    """
    arrays = {name: value for name, value in fitted.items() if isinstance(value, np.ndarray) and value.dtype != object}
    told = {name: _plain(value) for name, value in fitted.items() if name not in arrays}
    arrays[TOLD] = np.array(json.dumps({"format": FORMAT, "settings": dict(settings), "fitted": told}))
    archive = io.BytesIO()
    np.savez(archive, allow_pickle=False, **arrays)
    whole = Path(path)
    part = whole.with_name(whole.name + ".part")
    with part.open("wb") as file:
        file.write(_sealed(archive.getvalue()))
        file.flush()
        os.fsync(file.fileno())
    part.replace(whole)


def read(path: str | PathLike[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read settings and what was fitted.

    Raises:
        ValueError: the file is damaged, or of another kind.
        OSError: it cannot be read.
    """
    whole = Path(path).read_bytes()
    archive = whole[: -len(_LENGTH) - SEAL] + bytes(len(_LENGTH))
    if whole != _sealed(archive):
        raise ValueError(
            f"{path} is not a saved AutoKMeans, or is damaged: its checksum does not hold. Save it again or take a whole copy."
        )
    with np.load(io.BytesIO(archive), allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    told = json.loads(str(arrays.pop(TOLD)))
    if told["format"] != FORMAT:
        raise ValueError(f"{path} is of the format {told['format']!r}, and this version reads {FORMAT!r}: fit and save again.")
    return told["settings"], {name: _rebuilt(value) for name, value in told["fitted"].items()} | arrays


def _sealed(archive: bytes) -> bytes:
    """Give an archive its checksum as comment; the length of the comment is the last thing in an archive that has none."""
    return archive[: -len(_LENGTH)] + _LENGTH + hashlib.sha256(archive).hexdigest().encode()


def _plain(value: Any) -> Any:
    if isinstance(value, pd.DataFrame):
        return {"frame": {str(name): column.tolist() for name, column in value.items()}}
    if isinstance(value, np.ndarray):
        return {"names": value.tolist()}
    return {"value": value}


def _rebuilt(value: dict[str, Any]) -> Any:
    if "frame" in value:
        return pd.DataFrame(value["frame"])
    return np.array(value["names"], dtype=object) if "names" in value else value["value"]
