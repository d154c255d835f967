"""What a stage hands to the next, kept on disk so that a run can stop between stages and go on: dataclasses of frames, no pickle.

A dataclass goes in and comes out equal, types included: numbers as NumPy arrays, everything else as JSON. Its folder appears whole,
by rename, or not at all; one that cannot be read is as good as none, since its stage can be done again.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, get_args, get_type_hints

import numpy as np
import pandas as pd
from scipy import sparse

T = TypeVar("T")
MANIFEST = "manifest.json"
NUMERIC = "biufc"
"""Kinds of NumPy arrays that are written as they are."""
SCALARS = (str, bool, int, float, type(None))
TORN = (OSError, ValueError, KeyError, zipfile.BadZipFile)
"""What reading raises where a file is missing, cut, altered or of another version."""


def save(folder: Path, value: Any) -> None:
    """Write a dataclass to ``folder``, replacing what was there; a kill leaves one of them whole, or none.

    Raises:
        TypeError: a field holds what cannot be written exactly.
    """
    fresh = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True, mode=0o700)
    manifest = {field.name: _write(fresh, field.name, getattr(value, field.name)) for field in dataclasses.fields(value)}
    with (fresh / MANIFEST).open("w", encoding="utf-8") as stream:
        json.dump(manifest, stream)
        stream.flush()
        os.fsync(stream.fileno())
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)


def load(folder: Path, kind: type[T]) -> T | None:
    """Read a dataclass back, or None where there is none, or none that can be read."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        names = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]  # the caller passes a dataclass
        if set(manifest) != set(names):
            return None  # written by another version
        hints = get_type_hints(kind)
        return kind(**{name: _read(folder, name, manifest[name], hints[name]) for name in names})
    except TORN:
        return None


def _write(folder: Path, name: str, value: Any) -> dict[str, Any]:
    if dataclasses.is_dataclass(value):
        save(folder / name, value)
        return {"as": "dataclass"}
    if isinstance(value, pd.DataFrame | pd.Series | pd.Index):
        return _write_pandas(folder / f"{name}.npz", value)
    if sparse.issparse(value):
        sparse.save_npz(folder / f"{name}.npz", value)
        return {"as": "sparse"}
    if isinstance(value, np.ndarray):
        np.save(folder / f"{name}.npy", value, allow_pickle=False)
        return {"as": "array"}
    if isinstance(value, list | tuple):
        return {"as": type(value).__name__, "value": [_scalar(name, each) for each in value]}
    return {"as": "scalar", "value": _scalar(name, value)}


def _read(folder: Path, name: str, entry: dict[str, Any], hint: Any) -> Any:
    match entry["as"]:
        case "dataclass":
            kinds: list[Any] = [kind for kind in (hint, *get_args(hint)) if dataclasses.is_dataclass(kind)]
            found = load(folder / name, kinds[0])
            if found is None:
                raise ValueError(f"{folder / name} is not whole")
            return found
        case "frame" | "series" | "index":
            return _opened(folder / f"{name}.npz", lambda file: _read_pandas(file, entry))
        case "sparse":
            return _opened(folder / f"{name}.npz", sparse.load_npz)
        case "array":
            return _opened(folder / f"{name}.npy", lambda file: np.load(file, allow_pickle=False))
        case "tuple":
            return tuple(entry["value"])
        case _:
            return entry["value"]


def _opened(path: Path, read: Callable[[BinaryIO], Any]) -> Any:
    """Read a file and close it, which NumPy does not do with one that is damaged."""
    with path.open("rb") as file:
        return read(file)


def _scalar(name: str, value: Any) -> Any:
    if not isinstance(value, SCALARS):
        raise TypeError(f"`{name}` holds a {type(value).__name__}, which cannot be kept: put it into a frame or a dataclass.")
    return value


def _write_pandas(path: Path, value: pd.DataFrame | pd.Series | pd.Index) -> dict[str, Any]:
    arrays: dict[str, Any] = {}
    entry: dict[str, Any]
    if isinstance(value, pd.Index):
        entry = {"as": "index", "index": _index(value, "index", arrays)}
    elif isinstance(value, pd.Series):
        columns = [_column(value, "0", arrays)]
        entry = {"as": "series", "name": _scalar(path.stem, value.name), "columns": columns, "index": _index(value.index, "index", arrays)}
    else:
        columns = [_column(value.iloc[:, at], str(at), arrays) for at in range(value.shape[1])]
        index, labels = _index(value.index, "index", arrays), _index(value.columns, "labels", arrays)
        entry = {"as": "frame", "labels": labels, "columns": columns, "index": index}
    np.savez(path, **arrays)
    return entry


def _read_pandas(file: BinaryIO, entry: dict[str, Any]) -> Any:
    with np.load(file, allow_pickle=False) as arrays:
        index = _index_again(entry["index"], "index", arrays)
        if entry["as"] == "index":
            return index
        written = [_values(column, str(at), arrays) for at, column in enumerate(entry["columns"])]
        columns = [pd.Series(values, index=index, dtype=values.dtype) for values in written]
        if entry["as"] == "series":
            return columns[0].rename(entry["name"])
        frame = pd.DataFrame(dict(enumerate(columns)), index=index)
        frame.columns = _index_again(entry["labels"], "labels", arrays)
        return frame


def _index(index: pd.Index, place: str, arrays: dict[str, Any]) -> dict[str, Any]:
    if isinstance(index, pd.MultiIndex):
        raise TypeError("an index of several levels cannot be kept between stages; turn its levels into columns.")
    name = _scalar(place, index.name)
    if isinstance(index, pd.RangeIndex):
        return {"name": name, "range": [index.start, index.stop, index.step]}
    return {"name": name, **_column(index, place, arrays)}


def _index_again(entry: dict[str, Any], place: str, arrays: Any) -> Any:
    if "range" in entry:
        return pd.RangeIndex(range(*entry["range"]), name=entry["name"])
    values = _values(entry, place, arrays)
    return pd.Index(values, dtype=values.dtype, name=entry["name"])


def _column(column: pd.Series | pd.Index, place: str, arrays: dict[str, Any]) -> dict[str, Any]:
    """Put numbers among the arrays, and anything else into the manifest: JSON tells None from NaN, and writes floats exactly."""
    dtype = column.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in NUMERIC:
        arrays[place] = column.to_numpy()
        return {"dtype": None}
    listed = column.tolist()
    if not isinstance(dtype, np.dtype):
        listed = [None if value is pd.NA else value for value in listed]
    return {"dtype": str(dtype), "values": [_scalar(str(column.name), value) for value in listed]}


def _values(entry: dict[str, Any], place: str, arrays: Any) -> Any:
    if entry["dtype"] is None:
        return arrays[place]
    if entry["dtype"] == "object":
        values = np.empty(len(entry["values"]), dtype=object)
        values[:] = entry["values"]
        return values
    return pd.array(entry["values"], dtype=entry["dtype"])
