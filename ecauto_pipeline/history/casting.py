"""Plain rows into the columns of a public table, strictly: what does not fit is refused by name, never bent.

Not for: the columns themselves (tables.py), or files.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from ecauto_pipeline.history.arrow_columns import flags, moments, reals, texts, wholes
from ecauto_pipeline.history.errors import RowRefused
from ecauto_pipeline.history.tables import FLAG, REAL, TEXT, TIME, WHOLE, Table


def to_arrow(table: Table, rows: Sequence[Mapping[str, object]]) -> pa.Table:
    """`rows` under the table's schema, in their order; an absent column is null.

    Raises RowRefused on an unknown column, a value of another type (a float where a whole number belongs, a naive
    time, NaN) or a null where the table allows none.
    """
    known = set(table.names)
    for number, row in enumerate(rows):
        if not row.keys() <= known:
            unknown = sorted(row.keys() - known)
            raise RowRefused(f"{table.name}: unknown column {', '.join(unknown)} in row {number}")
    return pa.Table.from_arrays(
        [
            _column(table, field, kind, [row.get(field.name) for row in rows])
            for field, (_, kind) in zip(table.schema, table.columns, strict=True)
        ],
        schema=table.schema,
    )


def _column(table: Table, field: pa.Field, kind: str, values: list[object]) -> pa.Array:
    cast = _digits if field.name in table.digits else _CASTS[kind]
    if field.name not in table.required and all(value is None for value in values):
        return pa.nulls(len(values), field.type)
    out: list[object] = []
    for number, value in enumerate(values):
        if value is None:
            if field.name in table.required:
                raise RowRefused(f"{table.name}.{field.name} is missing in row {number}")
            out.append(None)
            continue
        try:
            out.append(cast(value))
        except ValueError as wrong:
            raise RowRefused(f"{table.name}.{field.name}: {wrong} in row {number}") from None
    try:
        return _ARRAYS[kind](out)
    except (OverflowError, UnicodeEncodeError) as wrong:
        raise RowRefused(f"{table.name}.{field.name}: {wrong}") from None


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise ValueError(f"text wanted, got {type(value).__name__}")


def _whole(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError(f"a whole number wanted, got {type(value).__name__}")


def _real(value: object) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    raise ValueError(f"a finite number wanted, got {value if isinstance(value, float) else type(value).__name__}")


def _flag(value: object) -> bool:
    if isinstance(value, int) and value in (0, 1):
        return bool(value)
    raise ValueError(f"true or false wanted, got {type(value).__name__}")


def _time(value: object) -> datetime:
    if not isinstance(value, datetime):
        raise ValueError(f"a time wanted, got {type(value).__name__}")
    if value.tzinfo is None:
        raise ValueError("an aware time wanted, got a naive one")
    return value.astimezone(UTC)


def _digits(value: object) -> str:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else _text(value)
    if not text.removeprefix("-").isdecimal() or not text.isascii():
        raise ValueError("the text of an integer wanted")
    return text


_ARRAYS: Mapping[str, Callable[[Any], pa.Array]] = {
    TEXT: texts,
    WHOLE: wholes,
    REAL: reals,
    FLAG: flags,
    TIME: moments,
}
_CASTS = {TEXT: _text, WHOLE: _whole, REAL: _real, FLAG: _flag, TIME: _time}
