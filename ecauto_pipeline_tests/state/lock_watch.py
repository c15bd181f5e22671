"""Every write of a run held against what its locks stand for, while the run goes on.

SQLite does not need the names, so that only this finds a write that in PostgreSQL nothing would guard. Not for: whether
the rows are those of the thing named, which no table tells.
"""

from __future__ import annotations

from sqlalchemy import Connection, Delete, Insert, Table, Update, event

from ecauto_pipeline.state import locks
from ecauto_pipeline.state.database import LOCKS_HELD, Database

ALONE = frozenset({"buckets", "oauth"})
"""Tables that are written under their own name only: `apart` lets their writers work beside the whole state."""


def hold_to_locks(database: Database) -> None:
    """From now on a statement that writes beyond its locks raises AssertionError."""
    event.listen(database.engine, "before_execute", _check)


def _check(connection: Connection, statement: object, *_rest: object) -> None:
    if not isinstance(statement, (Insert, Update, Delete)):
        return
    assert isinstance(statement.table, Table)
    written, (reach, names) = statement.table.name, locks.in_order(connection.info[LOCKS_HELD])
    allowed = frozenset[str]().union(locks.ADDED_ANYWHERE, *(locks.TABLES.get(one.kind, ()) for one in names))
    if reach == "whole":
        assert written not in ALONE, f"{written} is written under its own name only"
    else:
        assert written in allowed, f"{written} is not what {sorted({one.kind for one in names})} stands for"
