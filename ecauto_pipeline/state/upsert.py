"""INSERT ... ON CONFLICT for SQLite and PostgreSQL alike.

For: the state modules that write many rows at once. Not for: what the rows mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

CHUNK_ROWS = 5_000


def insert_for(connection: Connection, table: Table) -> Any:
    """The INSERT of this connection's dialect, which knows ON CONFLICT."""
    return (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(table)


def upsert(connection: Connection, table: Table, rows: Sequence[dict[str, Any]], keep: Sequence[str] = ()) -> None:
    """Insert rows that all have the same keys; an existing row takes the new values, but for the columns in `keep`."""
    if not rows:
        return
    statement = insert_for(connection, table)
    key = [column.name for column in table.primary_key]
    changed = {name: statement.excluded[name] for name in rows[0] if name not in key and name not in keep}
    statement = (
        statement.on_conflict_do_update(index_elements=key, set_=changed)
        if changed
        else statement.on_conflict_do_nothing(index_elements=key)
    )
    for start in range(0, len(rows), CHUNK_ROWS):
        connection.execute(statement, rows[start : start + CHUNK_ROWS])
