"""What a stage hands to the next, kept on disk so that a run can stop between stages and go on: dataclasses of frames, no pickle.

A dataclass goes to a folder: its data frames as Parquet, its arrays and sparse matrices as ``.npz``, the rest as JSON. The
folder appears whole, by rename, or not at all.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import numpy as np
import pandas as pd
from scipy import sparse

T = TypeVar("T")
MANIFEST = "manifest.json"


def save(folder: Path, value: Any) -> None:
    """Write a dataclass to ``folder``, replacing what was there; a kill leaves the old folder, the new one or none."""
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
    """Read a dataclass back, or None where there is none whole."""
    if not (folder / MANIFEST).is_file():
        return None
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    names = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]  # the caller passes a dataclass
    if set(manifest) != set(names):
        return None  # written by another version: the stage is done again
    return kind(**{name: _read(folder, name, manifest[name]) for name in names})


def _write(folder: Path, name: str, value: Any) -> dict[str, Any]:
    if dataclasses.is_dataclass(value):
        save(folder / name, value)
        return {"as": "dataclass", "module": type(value).__module__, "type": type(value).__qualname__}
    if isinstance(value, pd.DataFrame):
        return {"as": "frame", **_write_frame(folder / f"{name}.parquet", value)}
    if isinstance(value, pd.Series):
        return {"as": "series", "name": value.name, **_write_frame(folder / f"{name}.parquet", value.to_frame("value"))}
    if isinstance(value, pd.Index):
        return {"as": "index", "name": value.name, **_write_frame(folder / f"{name}.parquet", pd.DataFrame({"value": value}))}
    if sparse.issparse(value):
        sparse.save_npz(folder / f"{name}.npz", value.tocsr())
        return {"as": "sparse"}
    if isinstance(value, np.ndarray):
        np.savez(folder / f"{name}.npz", value=value)
        return {"as": "array"}
    return {"as": "json", "value": value, "tuple": isinstance(value, tuple)}


def _read(folder: Path, name: str, entry: dict[str, Any]) -> Any:
    match entry["as"]:
        case "dataclass":
            return load(folder / name, _dataclass(entry))
        case "frame":
            return _read_frame(folder / f"{name}.parquet", entry)
        case "series":
            return _read_frame(folder / f"{name}.parquet", entry)["value"].rename(entry["name"])
        case "index":
            return pd.Index(_read_frame(folder / f"{name}.parquet", entry)["value"], name=entry["name"])
        case "sparse":
            return sparse.load_npz(folder / f"{name}.npz")
        case "array":
            return np.load(folder / f"{name}.npz", allow_pickle=False)["value"]
        case _:
            return tuple(entry["value"]) if entry["tuple"] else entry["value"]


def _dataclass(entry: dict[str, Any]) -> type[Any]:
    """Find a dataclass of ours by the name in a manifest; nothing else is ever imported from a file's word."""
    package = entry["module"].partition(".")[0]
    if package not in {"discovery", "scoring", "storage"}:
        raise ValueError(f"the manifest names {entry['module']}, which is not ours: delete the work folder and run the stage again")
    module = __import__(entry["module"], fromlist=[entry["type"]])
    kind: type[Any] = getattr(module, entry["type"])
    return kind


def _write_frame(path: Path, frame: pd.DataFrame) -> dict[str, Any]:
    named = frame.index.name is not None
    flat = frame.reset_index() if named else frame
    if not len(flat.columns):
        return {"index": None, "types": {}, "rows": len(flat)}
    connection = duckdb.connect()
    try:
        connection.register("flat", flat)
        connection.execute("COPY (SELECT * FROM flat) TO ? (FORMAT parquet)", [str(path)])
    finally:
        connection.close()
    return {"index": frame.index.name, "types": {str(column): str(dtype) for column, dtype in flat.dtypes.items()}}


def _read_frame(path: Path, entry: dict[str, Any]) -> pd.DataFrame:
    if not entry["types"]:
        return pd.DataFrame(index=range(entry["rows"]))
    connection = duckdb.connect()
    try:
        flat = connection.execute("SELECT * FROM read_parquet(?)", [str(path)]).df()
    finally:
        connection.close()
    flat = flat.astype(entry["types"])
    return flat.set_index(entry["index"]) if entry["index"] is not None else flat
