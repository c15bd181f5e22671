"""One statement asked of PostgreSQL's driver itself, for the few that are asked several times a call to Amazon: through
SQLAlchemy each costs this side's processor twice as much. Errors are SQLAlchemy's all the same.

Not for: anything else (SQLAlchemy's own ways), or SQLite, whose driver is no dearer than it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError


def first_row(
    connection: Connection, statement: str, values: Mapping[str, object] | Sequence[object]
) -> Sequence[Any] | None:
    """What this statement, in the driver's own words, finds first, or None. Where the connection is gone, the error
    says so and the connection is given up, as SQLAlchemy does."""
    driver = connection.connection
    cursor = driver.cursor()
    try:
        cursor.execute(statement, values)
        row: Sequence[Any] | None = cursor.fetchone()
    except connection.dialect.loaded_dbapi.Error as error:
        gone = connection.dialect.is_disconnect(error, driver, cursor)
        if gone:
            connection.invalidate(error)
        else:
            cursor.close()
        given = connection.dialect.loaded_dbapi.Error
        raise DBAPIError.instance(
            statement, None, error, given, connection_invalidated=gone, dialect=connection.dialect
        ) from error
    except BaseException:  # in the middle of an answer that nobody will read
        connection.invalidate()
        raise
    cursor.close()
    return row
