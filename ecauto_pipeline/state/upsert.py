"""INSERT ... ON CONFLICT for SQLite and PostgreSQL alike.

For: the state modules that write many rows at once. Not for: what the rows mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import sqlite

CHUNK_ROWS = 5_000


def insert_for(connection: Connection, table: Table) -> Any:
    """The INSERT of this connection's dialect, which knows ON CONFLICT."""
    return insert_into(connection.dialect.name, table)


def insert_into(dialect: str, table: Table) -> Any:
    """The same for statements that are made once and kept, by the dialect's name."""
    if dialect == "sqlite":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # its import costs every command that never meets PostgreSQL

    return postgresql.insert(table)


def upsert(connection: Connection, table: Table, rows: Sequence[dict[str, Any]], keep: Sequence[str] = ()) -> None:
    """Insert rows that all have the same keys; an existing row takes the new values, but for the columns in `keep`.

    Where others write at the same time (PostgreSQL) they are written by key: two who write the same rows in two orders
    would wait for each other.
    """
    if not rows:
        return
    if connection.dialect.name != "sqlite":
        key = [column.name for column in table.primary_key]
        rows = sorted(rows, key=lambda row: [row[name] for name in key])
    statement = _upsert(connection.dialect.name, table, tuple(rows[0]), tuple(keep))
    for start in range(0, len(rows), CHUNK_ROWS):
        connection.execute(statement, rows[start : start + CHUNK_ROWS])


@lru_cache(maxsize=128)
def _upsert(dialect: str, table: Table, columns: tuple[str, ...], keep: tuple[str, ...]) -> Any:
    """The statement for rows of these columns; made once, because making it costs more than a row."""
    statement = insert_into(dialect, table)
    key = [column.name for column in table.primary_key]
    changed = {name: statement.excluded[name] for name in columns if name not in key and name not in keep}
    if not changed:
        return statement.on_conflict_do_nothing(index_elements=key)
    return statement.on_conflict_do_update(index_elements=key, set_=changed)
