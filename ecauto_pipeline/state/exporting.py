"""Rows of state.db on their way into history: the shape in which every table hands them out.

Each table's own module, or the room beside it (`..._for_history.py`), says which rows are ready (`unexported`), is told
that they are safe (`mark_exported`), and drops what is old and over (`forget`). Not for: writing them (history/) or the
order of it (sync/publish.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Row

from ecauto_pipeline.clock import from_ms

T = TypeVar("T")
FEW = 500
"""Names in one statement."""
FLAGS = frozenset({"in_stock", "is_prime", "is_fba"})


@dataclass(frozen=True, slots=True)
class ForHistory:
    """One row. `key`: its name here, `at`: the time it is filed under; `values`: by history's column names, times
    aware UTC, flags True, False or None.
    """

    key: str | int
    run_id: str
    at: datetime
    values: dict[str, object]


def for_history(row: Row[Any], key: str, at: str, without: Sequence[str]) -> ForHistory:
    """A row of a table as history takes it: `*_at` columns are times, what only state.db needs is left out."""
    values = {name: _value(name, value) for name, value in row._mapping.items() if name not in without}
    return ForHistory(getattr(row, key), row.run_id, from_ms(getattr(row, at)), values)


def in_portions(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """The values, so few at a time that one statement can name them."""
    return (values[start : start + FEW] for start in range(0, len(values), FEW))


def _value(name: str, value: Any) -> object:
    if value is None:
        return None
    if name.endswith("_at"):
        return from_ms(value)
    return bool(value) if name in FLAGS else value
