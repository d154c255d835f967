"""Rows made fit for a table: DataFrames and lists flow in, plain Python values of exactly the table's columns and types flow out.

SQLite would turn NaN into NULL without a word and a DataFrame would turn integers beside a gap into floats: here a value either fits or
is refused with its table and column.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
from sqlalchemy import Column, Integer, LargeBinary, Table
from sqlalchemy.types import REAL
from sqlmodel import SQLModel

Rows = pd.DataFrame | Sequence[Mapping[str, Any] | SQLModel]


def checked(table: Table, rows: Rows, *, run_id: str | None = None, partial: bool = False) -> list[dict[str, Any]]:
    """Turn rows into what the table takes; NaN and None become NULL.

    Args:
        table: The table they go to.
        rows: A DataFrame, mappings with the same keys each, or table models.
        run_id: Fills the column of that name.
        partial: Columns may be missing, as the rows change a row that exists.

    Raises:
        ValueError: A column is unknown or missing, or a value does not fit its column.
    """
    if len(rows) == 0:
        return []
    columns = _columns(table, rows)
    if run_id is not None:
        columns["run_id"] = [run_id] * len(rows)
    unknown = sorted(columns.keys() - table.c.keys())
    if unknown:
        raise ValueError(f"{table.name} has no column {', '.join(unknown)}; it has {', '.join(table.c.keys())}.")
    missing = [column.name for column in table.c if column.name not in columns and _needed(column)]
    if missing and not partial:
        raise ValueError(f"The rows of {table.name} lack {', '.join(missing)}.")
    fitted = [_fit_column(table.c[name], values) for name, values in columns.items()]
    return [dict(zip(columns, row, strict=True)) for row in zip(*fitted, strict=True)]


def _columns(table: Table, rows: Rows) -> dict[str, list[Any]]:
    if isinstance(rows, pd.DataFrame):
        return {str(name): rows[name].tolist() for name in rows.columns}
    plain = [row.model_dump() if isinstance(row, SQLModel) else dict(row) for row in rows]
    names = plain[0].keys()
    for position, row in enumerate(plain):
        if row.keys() != names:
            differing = ", ".join(sorted(row.keys() ^ names))
            raise ValueError(f"Row {position} of {table.name} differs from row 0 in its columns: {differing}.")
    return {name: [row[name] for row in plain] for name in names}


def _needed(column: Column[Any]) -> bool:
    return not (column.nullable or column.default is not None or column.autoincrement is True or column.name == "id")


def _fit_column(column: Column[Any], values: list[Any]) -> list[Any]:
    if all(type(value) is float for value in values) and isinstance(column.type, REAL) and not any(map(math.isinf, values)):
        return [None if math.isnan(value) else value for value in values]  # the bulk of a run: floats, checked at once
    seen = {value: _fit(value, column=column) for value in set(values)}
    return [seen[value] for value in values]


def _fit(value: Any, *, column: Column[Any]) -> str | int | float | bytes | None:
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return None
    convert: Callable[[Any], str | int | float | bytes] = _text
    if isinstance(column.type, Integer):
        convert = _integer
    elif isinstance(column.type, REAL):
        convert = _real
    elif isinstance(column.type, LargeBinary):
        convert = _bytes
    try:
        return convert(value)
    except ValueError as error:
        raise ValueError(f"{column.table.name}.{column.name}: {error}") from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"a {type(value).__name__} is no text")
    if "\x00" in value:
        raise ValueError("the text holds a NUL character")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"the text holds a lone surrogate at position {error.start}") from None
    return value


def _bytes(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise ValueError(f"a {type(value).__name__} is no bytes")
    return value


def _integer(value: Any) -> int:
    if isinstance(value, str) or value != int(value):
        raise ValueError(f"{value!r} is no whole number")
    if abs(value) >= 2**63:
        raise ValueError(f"{value} does not fit 64 bits")
    return int(value)


def _real(value: Any) -> float:
    if isinstance(value, str) or not math.isfinite(value):
        raise ValueError(f"{value!r} is no finite number")
    return float(value)
