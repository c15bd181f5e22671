"""Opens state.db: SQLite in WAL with synchronous=FULL by default, any SQLAlchemy URL of SQLite or PostgreSQL.

`read()` and `write()` are the only ways in. A write transaction takes the write lock at its first line (BEGIN
IMMEDIATE), so that what was read inside it still holds when it commits. A database of an earlier version gains the
columns and indexes it lacks. Not for: what the tables mean (schema.py).
"""

from __future__ import annotations

import errno
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Index, create_engine, event, inspect, make_url
from sqlalchemy.dialects import registry, sqlite
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.schema import CreateColumn, CreateIndex, CreateTable
from sqlalchemy.util import LRUCache

from ecauto_pipeline.atomic_file import on_read_only_disk
from ecauto_pipeline.errors import SettingsError
from ecauto_pipeline.state.every_table import every_table

BUSY_TIMEOUT_S = 60.0
CACHE_KB = 65_536
UNUSABLE: type[Exception] = DBAPIError
"""What a read or write raises where the file is damaged or read-only, or the disk is full."""
LEAST_FREE_PAGES = 2_048
"""8 MiB of free pages: less is not worth rewriting the file."""
RETIRED = ("run_targets",)
"""Tables of earlier versions that hold nothing any more: what a run was to ask is planned anew (plans.py)."""
_POOL: dict[str, Any] = {"pool_size": 20, "max_overflow": 20}
_COMPILED: LRUCache[Any, Any] = LRUCache(1_000)
"""Statements that were compiled for one state.db of this process, for every other one."""
_Objects = frozenset[tuple[Any, ...]]
_COMPLETE: set[_Objects] = set()
"""Tables and indexes, as SQLite itself writes them down, of databases in which this process found nothing missing."""


class StateDialect(SQLiteDialect_pysqlite):
    """SQLite through Python's own module, one as good as another: it looks up compiled statements by its dialect."""

    supports_statement_cache = True

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self)

    def __hash__(self) -> int:
        return hash(type(self))


registry.register("sqlite.state", __name__, StateDialect.__name__)


def check_url(url: str) -> None:
    """Raises SettingsError, without a password in it, where this is no address that can be opened. Opens nothing."""
    try:
        backend = make_url(url).get_backend_name()
        if backend not in ("sqlite", "postgresql"):
            raise ArgumentError(f"{backend} is neither sqlite nor postgresql")
        create_engine(url).dispose()
    except ArgumentError as error:
        raise SettingsError(
            f"[state] url is no address of a database: {error}",
            ja="[state] url がデータベースのアドレスではありません",
        ) from None
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"[state] url needs the Python package {error.name} (docs/services.md)",
            ja=f"[state] url には Python のパッケージ {error.name} が必要です（docs/ja/services.md）",
        ) from None


class Database:
    """The state of one installation. Safe to share between threads; each process opens its own.

    Raises SettingsError, without a password in it, where `url` names no database that can be opened.
    """

    def __init__(self, url: str, busy_timeout_s: float = BUSY_TIMEOUT_S, cache_kb: int = CACHE_KB) -> None:
        """`busy_timeout_s`: so long SQLite waits for whoever holds the file before a read or write fails. `cache_kb`:
        so much of the file each of its connections keeps in memory."""
        check_url(url)
        self.url, self._busy_timeout_s, self._cache_kb = make_url(url), busy_timeout_s, cache_kb
        try:
            self._open()
        except DBAPIError as error:
            place = self.url.database if self.sqlite else self.url.render_as_string(hide_password=True)
            why = " ".join(str(error.orig).split())
            code = getattr(error.orig, "sqlite_errorname", why)  # SQLite's own words are English
            cause = _read_only_disk(self.url.database or "") if self.sqlite else None
            raise SettingsError(f"{place} can't be opened: {why}", ja=f"{place} を開けません（{code}）") from (
                cause or error
            )

    def _open(self) -> None:
        self.sqlite = self.url.get_backend_name() == "sqlite"
        if self.sqlite and self.url.database:
            _private_file(Path(self.url.database))
        self.engine: Engine = self._sqlite_engine() if self.sqlite else create_engine(self.url, **_POOL)
        if self.sqlite:
            event.listen(self.engine, "connect", self._prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        with self.write() as connection:
            if self.sqlite:
                _complete_sqlite(connection)
            else:
                _complete(connection)

    def _sqlite_engine(self) -> Engine:
        return create_engine(
            self.url.set(drivername="sqlite+state"),
            connect_args={"timeout": self._busy_timeout_s, "check_same_thread": False},
            execution_options={"compiled_cache": _COMPILED},
            **_POOL,
        )

    def _prepare_sqlite(self, connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        pragmas = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY")
        for pragma in (*pragmas, f"cache_size=-{self._cache_kb}"):
            connection.execute(f"PRAGMA {pragma}")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A snapshot to read from; nothing is kept."""
        with self.engine.connect() as connection:
            yield connection
            connection.rollback()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction, committed at the end of the block, rolled back when it raises."""
        with self.engine.connect().execution_options(ecauto_write=True) as connection, connection.begin():
            yield connection

    def give_back_space(self) -> bool:
        """Rewrite SQLite's file when more of it is free than used; whether it was done. Waits for nobody: when another
        process is at work, a later call does it.
        """
        if not self.sqlite:
            return False  # PostgreSQL sees to it itself
        with self.engine.connect() as connection:
            raw = connection.connection.driver_connection
            assert isinstance(raw, sqlite3.Connection)
            pages, free = (raw.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count"))
            if free < LEAST_FREE_PAGES or free * 2 <= pages:
                return False
            try:
                raw.execute("PRAGMA busy_timeout = 0")
                raw.execute("VACUUM")
                raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except sqlite3.OperationalError:
                return False
            finally:
                raw.execute(f"PRAGMA busy_timeout = {int(self._busy_timeout_s * 1000)}")
            return True

    def close(self) -> None:
        self.engine.dispose()


def store_failed(error: BaseException) -> bool:
    """Whether the database itself can't go on (full, read-only, damaged, gone), whatever is asked of it.

    A row that it refuses is no such error.
    """
    if not isinstance(error, DBAPIError):
        return False
    code = getattr(error.orig, "sqlite_errorcode", None)
    return error.connection_invalidated or (isinstance(code, int) and code & 0xFF in _STORE_FAILED)


_STORE_FAILED = frozenset(
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


def to_json(document: object) -> str:
    """Compact JSON text, keys sorted, Japanese kept readable."""
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _complete(connection: Connection) -> None:
    """Every table, column and index of this version is there afterwards, whatever version wrote the database."""
    every_table.create_all(connection)
    _add_missing_columns(connection)
    for name in RETIRED:
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {name}")


def _complete_sqlite(connection: Connection) -> None:
    """The same, by one question to SQLite where a database was found complete before: sensors, questions and pages open
    state.db all the time, and to look through its tables one by one is most of what that takes."""
    found = _objects(connection)
    if found in _COMPLETE:
        return
    if found:
        _complete(connection)
    else:
        for statement in _statements():
            connection.exec_driver_sql(statement)
    _COMPLETE.add(_objects(connection))


def _objects(connection: Connection) -> _Objects:
    return frozenset(tuple(row) for row in connection.exec_driver_sql("SELECT type, name, sql FROM sqlite_master"))


@lru_cache(maxsize=1)
def _statements() -> tuple[str, ...]:
    """What makes an empty SQLite file a database of this version."""
    made: list[str] = []
    dialect = sqlite.dialect()
    for table in every_table.sorted_tables:
        made.append(str(CreateTable(table).compile(dialect=dialect)))
        made += [str(CreateIndex(index).compile(dialect=dialect)) for index in sorted(table.indexes, key=_name)]
    return tuple(made)


def _name(index: Index) -> str:
    return str(index.name)


def _add_missing_columns(connection: Connection) -> None:
    """What a later version keeps besides; such columns are nullable or have a default, rows stay as they are."""
    present = inspect(connection)
    for table in every_table.sorted_tables:
        known = {column["name"] for column in present.get_columns(table.name)}
        missing = [column for column in table.columns if column.name not in known]
        for column in missing:
            ddl = CreateColumn(column).compile(connection)
            connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {ddl}")
        indexed = {index["name"] for index in present.get_indexes(table.name)}
        for index in table.indexes:
            if index.name not in indexed:
                index.create(connection, checkfirst=True)


def _read_only_disk(path: str) -> OSError | None:
    """The error that SQLite does not tell from a missing right: nobody can write where this file is."""
    folder = Path(path).parent
    if not folder.is_dir() or not on_read_only_disk(folder):
        return None
    return OSError(errno.EROFS, os.strerror(errno.EROFS), path)


def _private_file(path: Path) -> None:
    """The file holds rotated tokens for a moment: nobody else may read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _begin_sqlite(connection: Connection) -> None:
    wants_lock = connection.get_execution_options().get("ecauto_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if wants_lock else "BEGIN")
