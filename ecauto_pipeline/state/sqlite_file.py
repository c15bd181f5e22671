"""SQLite's file: how it is opened, how transactions on it begin, and how it is rewritten smaller.

Not for: whose turn it is (write_turns.py), what a read or a write is (database.py), or PostgreSQL (postgresql.py).
"""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

from ecauto_pipeline.atomic_file import on_read_only_disk
from ecauto_pipeline.state.sqlite_caches import Caches

LEAST_FREE_PAGES = 2_048
"""8 MiB of free pages: less is not worth rewriting the file."""
_POOL: dict[str, Any] = {"pool_size": 20, "max_overflow": 20, "pool_use_lifo": True}
"""Whoever works alone has the same connection again, with what it has in memory, and fills no other's."""
COMPILED: LRUCache[Any, Any] = LRUCache(1_000)
"""Statements that were compiled for one state.db of this process, for every other one."""
_WRITE = "ecauto_write"
WRITES = {_WRITE: True}
"""Execution options of a connection whose transactions take SQLite's lock at their first line."""


class StateDialect(SQLiteDialect_pysqlite):
    """SQLite through Python's own module, one as good as another: it looks up compiled statements by its dialect."""

    supports_statement_cache = True

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self)

    def __hash__(self) -> int:
        return hash(type(self))


DRIVER = "sqlite+state"
registry.register("sqlite.state", __name__, StateDialect.__name__)


def open_engine(url: URL, busy_timeout_s: float, cache_kb: int) -> Engine:
    """Over this file, which nobody else may read: it holds rotated tokens for a moment.

    `busy_timeout_s`: so long whoever holds it is waited for; `cache_kb`: so much of it is kept in memory
    (sqlite_caches.py).
    """
    if url.database:
        _private_file(Path(url.database))
    engine = create_engine(
        url.set(drivername=DRIVER),
        connect_args={"timeout": busy_timeout_s, "check_same_thread": False},
        execution_options={"compiled_cache": COMPILED},
        **_POOL,
    )
    caches = Caches(cache_kb)

    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        pragmas = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY")
        for pragma in (*pragmas, f"cache_size=-{caches.of(connection)}"):
            connection.execute(f"PRAGMA {pragma}")

    event.listen(engine, "connect", prepare)
    event.listen(engine, "close", caches.closed)
    event.listen(engine, "begin", _begin)
    return engine


def give_back_space(engine: Engine, busy_timeout_s: float) -> bool:
    """Rewrite the file when more of it is free than used; whether it was done. Waits for nobody: when another process
    is at work, a later call does it."""
    with engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        pages, free = (raw.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count"))
        if free < LEAST_FREE_PAGES or free * 2 <= pages:
            return False
        try:
            raw.execute("PRAGMA busy_timeout = 0")
            raw.execute("PRAGMA temp_store = FILE")  # where the new file is put together, else in memory whole
            raw.execute("VACUUM")
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.OperationalError:
            return False
        finally:
            raw.execute(f"PRAGMA busy_timeout = {int(busy_timeout_s * 1000)}")
            raw.execute("PRAGMA temp_store = MEMORY")
        return True


def read_only_disk(path: str) -> OSError | None:
    """The error that SQLite does not tell from a missing right: nobody can write where this file is."""
    folder = Path(path).parent
    if not folder.is_dir() or not on_read_only_disk(folder):
        return None
    return OSError(errno.EROFS, os.strerror(errno.EROFS), path)


def _private_file(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _begin(connection: Connection) -> None:
    wants_lock = connection.get_execution_options().get(_WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if wants_lock else "BEGIN")
