"""Many rows at once, for SQLite and PostgreSQL alike: added, or INSERT ... ON CONFLICT.

PostgreSQL gets them as one JSON text that it takes apart itself: one statement with one value, where a statement a row
costs this side's processor several times as much (benchmarks/state_cost.py).
For: the state modules that write rows. Not for: what the rows mean.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, bindparam, column, select, text
from sqlalchemy.dialects import sqlite

CHUNK_ROWS = 5_000
Row = dict[str, Any]
_AS_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def insert_for(connection: Connection, table: Table) -> Any:
    """The INSERT of this connection's dialect, which knows ON CONFLICT."""
    return insert_into(connection.dialect.name, table)


def insert_into(dialect: str, table: Table) -> Any:
    """The same for statements that are made once and kept, by the dialect's name."""
    if dialect == "sqlite":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # its import costs every command that never meets PostgreSQL

    return postgresql.insert(table)


def upsert(connection: Connection, table: Table, rows: Sequence[Row], keep: Sequence[str] = ()) -> None:
    """Insert rows that all have the same keys; an existing row takes the new values, but for the columns in `keep`.

    Where others write at the same time (PostgreSQL) they are written by key: two who write the same rows in two orders
    would wait for each other.
    """
    if not rows:
        return
    if connection.dialect.name != "sqlite":
        rows = _each_once(table, rows, keep)
    _execute(connection, _upsert(connection.dialect.name, table, tuple(rows[0]), tuple(keep)), rows)


def add_rows(connection: Connection, table: Table, rows: Sequence[Row], *, known_stay: bool = False) -> None:
    """Insert rows that all have the same keys. One that is there already is an error; with `known_stay` it stays as it
    is."""
    if rows:
        _execute(connection, _insert(connection.dialect.name, table, tuple(rows[0]), known_stay), rows)


def _each_once(table: Table, rows: Sequence[Row], keep: Sequence[str]) -> list[Row]:
    """By key. Of rows with one key the last, as if each had been written after the other: a statement that holds all
    of them may meet each key once."""
    key = [one.name for one in table.primary_key]
    found: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        name = tuple(row[one] for one in key)
        found[name] = row if name not in found else row | {one: found[name][one] for one in keep}
    return [found[name] for name in sorted(found)]


def _execute(connection: Connection, statement: Any, rows: Sequence[Row]) -> None:
    for start in range(0, len(rows), CHUNK_ROWS):
        some = rows[start : start + CHUNK_ROWS]
        connection.execute(statement, some if connection.dialect.name == "sqlite" else {"rows": as_json(some)})


def as_json(rows: Sequence[Row]) -> str:
    """Rows for `json_populate_recordset`; whole numbers in place of True and False, which a column of 0 and 1 would not
    take."""
    return _AS_JSON([_with_numbers(row) if bool in map(type, row.values()) else row for row in rows])


def _with_numbers(row: Row) -> Row:
    return {name: int(value) if isinstance(value, bool) else value for name, value in row.items()}


def _values(dialect: str, table: Table, columns: tuple[str, ...]) -> Any:
    """INSERT of these columns, from the rows given or from their JSON."""
    statement = insert_into(dialect, table)
    if dialect == "sqlite":
        return statement
    came = text(f'json_populate_recordset(NULL::"{table.name}", CAST(:rows AS json)) AS came').bindparams(
        bindparam("rows")
    )
    names: list[ColumnElement[Any]] = [column(name) for name in columns]
    return statement.from_select(columns, select(*names).select_from(came), include_defaults=False)


@lru_cache(maxsize=128)
def _insert(dialect: str, table: Table, columns: tuple[str, ...], known_stay: bool) -> Any:
    statement = _values(dialect, table, columns)
    return statement.on_conflict_do_nothing() if known_stay else statement


@lru_cache(maxsize=128)
def _upsert(dialect: str, table: Table, columns: tuple[str, ...], keep: tuple[str, ...]) -> Any:
    """The statement for rows of these columns; made once, because making it costs more than a row."""
    statement = _values(dialect, table, columns)
    key = [one.name for one in table.primary_key]
    changed = {name: statement.excluded[name] for name in columns if name not in key and name not in keep}
    if not changed:
        return statement.on_conflict_do_nothing(index_elements=key)
    return statement.on_conflict_do_update(index_elements=key, set_=changed)
