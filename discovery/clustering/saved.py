"""A fitted estimator as a file of plain arrays with a checksum: nothing in it is code, and what is read is what was written."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

FORMAT = "subcurrent {kind} 2"
"""The name of the estimator's class is part of the format."""
TOLD = "told"
"""The array that holds what is no array, as JSON."""
ROUTING = "_metadata_request"
"""Where scikit-learn keeps what metadata methods ask for."""
SEAL = 64
"""Characters of a checksum."""
_LENGTH = SEAL.to_bytes(2, "little")


class Saved:
    """An estimator that can be saved and loaded."""

    def save(self, path: str | PathLike[str]) -> None:
        """Write what was fitted as plain arrays with a checksum; nothing in the file is code.

        What was asked of scikit-learn's metadata routing is not written: ask for it again.
        """
        check_is_fitted(self)
        settings = self.get_params()  # type: ignore[attr-defined]  # scikit-learn's estimators have it
        fitted = {name: value for name, value in vars(self).items() if name not in settings and name != ROUTING}
        write(path, settings, fitted, kind=type(self).__name__)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read what ``save`` wrote, to the last bit.

        Raises:
            ValueError: the file is damaged, or of another estimator.
        """
        settings, fitted = read(path, kind=cls.__name__)
        model = cls(**settings)
        for name, value in fitted.items():
            setattr(model, name, value)
        return model


def write(path: str | PathLike[str], settings: Mapping[str, Any], fitted: Mapping[str, Any], *, kind: str) -> None:
    """Write settings and what was fitted, whole or not at all, as a ``.npz`` whose comment is the checksum of everything before it.

    Args:
        path: Where to.
        settings: Arguments of the constructor.
        fitted: Arrays, frames, numbers, texts and dictionaries of them, by attribute.
        kind: The estimator's class.

    Raises:
        TypeError: a value is neither, such as a random state that is not a number.
    """
    arrays = {name: value for name, value in fitted.items() if isinstance(value, np.ndarray) and value.dtype != object}
    told = {name: _plain(value) for name, value in fitted.items() if name not in arrays}
    arrays[TOLD] = np.array(json.dumps({"format": FORMAT.format(kind=kind), "settings": dict(settings), "fitted": told}, default=_number))
    archive = io.BytesIO()
    np.savez(archive, allow_pickle=False, **arrays)
    whole = Path(path)
    part = whole.with_name(whole.name + ".part")
    with part.open("wb") as file:
        file.write(_sealed(archive.getvalue()))
        file.flush()
        os.fsync(file.fileno())
    part.replace(whole)


def read(path: str | PathLike[str], *, kind: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read settings and what was fitted.

    Raises:
        ValueError: the file is damaged, or of another kind.
        OSError: it cannot be read.
    """
    whole = Path(path).read_bytes()
    archive = whole[: -len(_LENGTH) - SEAL] + bytes(len(_LENGTH))
    if whole != _sealed(archive):
        raise ValueError(f"{path} is not a saved {kind}, or is damaged: its checksum does not hold. Save it again or take a whole copy.")
    with np.load(io.BytesIO(archive), allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    told = json.loads(str(arrays.pop(TOLD)))
    wanted = FORMAT.format(kind=kind)
    if told["format"] != wanted:
        raise ValueError(f"{path} is of the format {told['format']!r}, and {wanted!r} is read here: fit and save again.")
    return told["settings"], {name: _rebuilt(value) for name, value in told["fitted"].items()} | arrays


def _sealed(archive: bytes) -> bytes:
    """Give an archive its checksum as comment; the length of the comment is the last thing in an archive that has none."""
    return archive[: -len(_LENGTH)] + _LENGTH + hashlib.sha256(archive).hexdigest().encode()


def _number(value: Any) -> Any:
    """Write numpy's numbers as plain ones."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{value!r} cannot be saved: only numbers, texts, arrays and frames can. A random state must be a number.")


def _plain(value: Any) -> Any:
    if isinstance(value, pd.DataFrame):
        types = {str(name): str(column.dtype) for name, column in value.items()}
        return {"frame": {str(name): column.tolist() for name, column in value.items()}, "types": types}
    if isinstance(value, np.ndarray):
        return {"names": value.tolist()}
    return {"value": value}


def _rebuilt(value: dict[str, Any]) -> Any:
    if "frame" in value:
        return pd.DataFrame(value["frame"]).astype(value["types"])
    return np.array(value["names"], dtype=object) if "names" in value else value["value"]
