"""What an error of PostgreSQL means for whoever met it: is the server away, can it do nothing, would it pass next time.

Not for: waiting or doing it again (postgresql.py, database.py), or SQLite's (store_failed.py).
Source: PostgreSQL 15 manual, appendix A (error codes).
"""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError, OperationalError

_AWAY = frozenset({"57P01", "57P02", "57P03", "53300"})
"""admin_shutdown, crash_shutdown, cannot_connect_now, too_many_connections."""
_REFUSED_SAID = ("authentication", "password", "does not exist", "pg_hba", "permission", "not allowed")
"""What a connection that is refused for good is told, which has no code. All else (starting up, shutting down, full,
nobody there) may be over soon."""
_UNABLE = ("08", "53", "57P", "58", "XX")
"""Classes: connection, resources (disk full), operator's intervention, system, internal (damaged)."""
_UNABLE_CODES = frozenset({"25006", "55P03"})
"""read_only_sql_transaction, lock_not_available: as a read-only file and SQLITE_BUSY."""
_UNDONE = frozenset({"40001", "40P01"})
"""serialization_failure, deadlock_detected: rolled back whole."""


def is_away(error: DBAPIError) -> bool:
    """Whether the server can't be reached now and may be soon; not what it refuses for good (a password)."""
    code = code_of(error)
    if error.connection_invalidated or code in _AWAY or code.startswith("08"):
        return True
    refused = any(words in str(error.orig) for words in _REFUSED_SAID)
    return isinstance(error, OperationalError) and not code and not refused


def is_unable(error: DBAPIError) -> bool:
    """Whether the server can't go on, whatever is asked of it: gone, full, read-only, damaged, or locked for long."""
    code = code_of(error)
    return is_away(error) or code.startswith(_UNABLE) or code in _UNABLE_CODES


def may_pass(error: DBAPIError) -> bool:
    """Whether the same done once more may well succeed: the server was away, or it undid the transaction (deadlock)."""
    return is_away(error) or code_of(error) in _UNDONE


def code_of(error: DBAPIError) -> str:
    """SQLSTATE, "" where there is none: psycopg says `sqlstate`, psycopg2 `pgcode`."""
    return str(getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None) or "")
