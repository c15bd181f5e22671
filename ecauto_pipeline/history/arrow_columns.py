"""Python values as columns of Arrow, put together from their buffers.

`pa.array` looks whether it was given something of pandas, and loads pandas for that: 50 MB and most of a second in a
process of every run. Not for: which values a column takes (casting.py), which hands over nothing else.
Source: Arrow Columnar Format 1.5, "Physical Memory Layout".
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import TypeVar

import numpy as np
import pyarrow as pa

Column = TypeVar("Column", pa.Array, pa.ChunkedArray)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def texts(values: Sequence[str | None]) -> pa.Array:
    """A column of text; None is null. Raises OverflowError beyond 2 GiB, UnicodeEncodeError for what is no text."""
    parts = [b"" if value is None else value.encode() for value in values]
    ends = np.array([*accumulate(map(len, parts), initial=0)], dtype=np.int32)
    return _array(pa.string(), values, pa.py_buffer(ends), pa.py_buffer(b"".join(parts)))


def wholes(values: Sequence[int | None]) -> pa.Array:
    """A column of int64; None is null. Raises OverflowError for what is larger."""
    return _array(pa.int64(), values, _numbers(values, np.int64))


def reals(values: Sequence[float | None]) -> pa.Array:
    """A column of float64; None is null."""
    return _array(pa.float64(), values, _numbers(values, np.float64))


def flags(values: Sequence[bool | None]) -> pa.Array:
    """A column of yes and no; None is null."""
    return _array(pa.bool_(), values, _bits(values))


def moments(values: Sequence[datetime | None]) -> pa.Array:
    """A column of aware times, in microseconds of UTC; None is null."""
    numbers = [None if value is None else (value - _EPOCH) // _MICROSECOND for value in values]
    return _array(pa.timestamp("us", "UTC"), values, _numbers(numbers, np.int64))


def of_type(column: Column, kind: pa.DataType) -> Column:
    """`column` as that type: as it is where it has it, since the first cast loads all of Arrow's functions (20 MB)."""
    return column if column.type == kind else column.cast(kind)


def counted(first: int, count: int) -> pa.Array:
    """first, first + 1, ...: `count` of them, int64."""
    return pa.Array.from_buffers(
        pa.int64(), count, [None, pa.py_buffer(np.arange(first, first + count, dtype=np.int64))]
    )


def repeated(value: int, count: int) -> pa.Array:
    """`value`, `count` times, int64."""
    return pa.Array.from_buffers(pa.int64(), count, [None, pa.py_buffer(np.full(count, value, dtype=np.int64))])


def _array(kind: pa.DataType, values: Sequence[object], *data: pa.Buffer) -> pa.Array:
    there = _bits([value is not None for value in values]) if None in values else None
    return pa.Array.from_buffers(kind, len(values), [there, *data])


def _numbers(values: Sequence[float | None], kind: type[np.generic]) -> pa.Buffer:
    return pa.py_buffer(np.array([0 if value is None else value for value in values], dtype=kind))


def _bits(values: Sequence[object]) -> pa.Buffer:
    return pa.py_buffer(np.packbits(np.array([bool(value) for value in values], dtype=np.bool_), bitorder="little"))
