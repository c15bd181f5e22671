"""Values and rows of Arrow handed to DuckDB so that it does not load pandas: 50 MB and most of a second.

For a value beside a query it looks whether that is one of pandas; for rows of Arrow whether they are a data set of
Arrow's, a part that loads pandas itself. Nobody here has either. Not for: which file is open (database.py).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    import pyarrow as pa

_DATA_SETS = "pyarrow.dataset"


def with_values(query: str, values: Sequence[object]) -> str:
    """`query` with a literal in the place of each `?`."""
    first, *others = query.split("?")
    return first + "".join(f"{literal(value)}{text}" for value, text in zip(values, others, strict=True))


def literal(value: object) -> str:
    """In SQL: an aware time, a list, a whole number; anything else as text."""
    if isinstance(value, datetime):
        return f"TIMESTAMPTZ '{value.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f+00}'"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"


class Rows:
    """What stands in a table of rows_as: each statement reads what `rows` is then."""

    __slots__ = ("rows",)

    def __init__(self, rows: pa.Table) -> None:
        self.rows = rows

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.rows.__arrow_c_stream__(requested_schema)


@contextmanager
def rows_as(connection: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> Iterator[Rows]:
    """`rows` are a table called `name` in the block. Begin it outside a transaction: one keeps whatever was a table in
    it to its end. Of rows of the same columns
    that follow one another, each take the place of the last."""
    there = Rows(rows)
    absent = _DATA_SETS not in sys.modules
    if absent:
        sys.modules[_DATA_SETS] = None  # type: ignore[assignment]  # what the import system takes for "not there"
    try:
        connection.register(name, there)
        try:
            yield there
        finally:
            with suppress(duckdb.Error):  # of a database that broke: what broke it is told
                connection.unregister(name)
    finally:
        if absent:
            sys.modules.pop(_DATA_SETS, None)
