"""Whether an error means that the home of state can't go on, whatever is asked of it: SQLite's file, or PostgreSQL.

Not for: what is done about it (sync/faults.py) or waiting for it (postgresql.py, postgresql_errors.py).
"""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError


def store_failed(error: BaseException) -> bool:
    """Whether the database itself can't go on (full, read-only, damaged, gone), whatever is asked of it.

    A row that it refuses is no such error.
    """
    if not isinstance(error, DBAPIError):
        return False
    if not isinstance(error.orig, sqlite3.Error):
        from ecauto_pipeline.state.postgresql_errors import is_unable

        return is_unable(error)
    code = getattr(error.orig, "sqlite_errorcode", None)
    return error.connection_invalidated or (isinstance(code, int) and code & 0xFF in _SQLITE_FAILED)


_SQLITE_FAILED = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_BUSY,
    }
)
