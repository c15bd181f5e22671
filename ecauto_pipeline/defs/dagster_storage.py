"""Dagster's records in SQLite files, with one SQLAlchemy engine a file, where its own storage has one a call.

Dagster 1.13.27 makes an engine for every call, so that each statement is compiled anew at every call; it connects to a
file up to three times an event, and some fifty events say what a run is going to do; at each opening, and twice for the
file of each run, it reads through all migrations there ever were. Files, tables and what may be open at once are
Dagster's own: its classes and these read each other's files. A connection still ends with its call: then SQLite writes
what happened into the file, which whoever watches a run waits for; and nothing open is there to be lost by a fork, a
kill or a file removed. What one call stores is there whole or not at all in each file, the run's own first. Named in
dagster.yaml, whose processes all load it; so it imports Dagster's storage and nothing of ours. Not for: what is
recorded, or how long it is kept (housekeeping.py).
Source: dagster/_core/storage/{sqlite_storage,event_log/sqlite,runs/sqlite,schedules/sqlite} 1.13.27.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.schema import SqlEventLogStorageMetadata
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage
from dagster._core.storage.runs.sqlite.sqlite_run_storage import SqliteRunStorage
from dagster._core.storage.schedules.sqlite.sqlite_schedule_storage import SqliteScheduleStorage
from dagster._core.storage.sql import create_engine, get_alembic_config
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS, create_db_conn_string
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

ENGINES = 16
"""Of so many runs' files of events the engine is kept: of those under way or looked at. Thousands of files are kept."""
EVENTS_AT_ONCE = 100
"""Of what Dagster may hand over together (what a run is going to do, what it made of several partitions)."""


def _is_made(engine: Engine, table: str) -> bool:
    """Whether Dagster made these tables, of whatever version: nothing is migrated but when a person asks for it."""
    with engine.connect() as connection:
        made = MigrationContext.configure(connection).get_current_revision() is not None
        return made and bool(connection.dialect.has_table(connection, table))


@cache
def _newest_migration() -> str:
    """What Dagster's newest tables of events are called: asked once a process."""
    folder = ScriptDirectory.from_config(get_alembic_config(sqlite_event_log.__file__))
    return str(folder.get_current_head())


class _OneFile:
    """A storage of Dagster's that is one file, whose address is `_conn_string`. `FILE`: its name; `LAST`: the table
    that Dagster makes last."""

    FILE: ClassVar[str]
    LAST: ClassVar[str]
    _conn_string: str

    @classmethod
    def from_local(cls, base_dir: str, inst_data: ConfigurableClassData | None = None) -> Self:
        address = create_db_conn_string(base_dir, cls.FILE)
        there = (Path(base_dir) / f"{cls.FILE}.db").exists()
        if there and _is_made(create_engine(address, poolclass=NullPool), cls.LAST):
            return cls(address, inst_data)  # type: ignore[call-arg]  # Dagster's class beside this one takes them
        return super().from_local(base_dir, inst_data)  # type: ignore[misc, no-any-return]  # of Dagster's class

    @cached_property
    def _engine(self) -> Engine:
        return create_engine(self._conn_string, poolclass=NullPool)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        with self._engine.begin() as connection:
            yield connection


class Runs(_OneFile, SqliteRunStorage):
    """Which runs there are: history/runs.db."""

    FILE, LAST = "runs", "instance_info"


class Ticks(_OneFile, SqliteScheduleStorage):
    """What schedules and sensors did: schedules/schedules.db."""

    FILE, LAST = "schedules", "job_ticks"


_VERSION_TABLE = """CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"""


class Events(SqliteEventLogStorage):
    """What happened in runs: history/runs/index.db, and a file a run."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: OrderedDict[str, Engine] = OrderedDict()  # Dagster's constructor connects already
        self._tables: set[str] = set()  # found to be there
        self._opened: dict[str, Connection] | None = None  # of the call under way that stores events, by file
        super().__init__(base_dir, inst_data)
        self._db_lock = threading.RLock()  # type: ignore[assignment]  # Dagster's can't be taken again by its holder

    def store_event(self, event: EventLogEntry) -> None:
        with self._one_connection_a_file():
            super().store_event(event)

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        with self._one_connection_a_file():
            for event in events:
                super().store_event(event)

    @contextmanager
    def _one_connection_a_file(self) -> Iterator[None]:
        with self._db_lock:
            self._opened = {}
            try:
                yield
                for connection in self._opened.values():
                    connection.commit()
            finally:
                opened, self._opened = self._opened, None
                for connection in opened.values():
                    connection.close()  # what was not committed is undone

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:  # one call at a time, as Dagster has it
            engine = self._engine_of(shard)
            if shard not in self._initialized_dbs:
                if not self._is_there(shard) or not _is_made(engine, "event_logs"):
                    self._initdb(engine)
                self._initialized_dbs.add(shard)
            if self._opened is None:
                with engine.begin() as connection:
                    yield connection
            else:
                if shard not in self._opened:
                    self._opened[shard] = engine.connect()
                    self._opened[shard].begin()
                yield self._opened[shard]

    def _initdb(self, engine: Engine, for_index_shard: bool = False) -> None:
        """The tables of a file. A run's own are always made new, so they are those of the newest migration."""
        if not for_index_shard:
            try:
                with engine.connect() as connection:
                    SqlEventLogStorageMetadata.create_all(connection)
                    connection.exec_driver_sql("PRAGMA journal_mode=WAL")
                    connection.exec_driver_sql(_VERSION_TABLE)
                    connection.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (_newest_migration(),))
                    connection.commit()
                    return
            except DBAPIError:  # another process makes it too: Dagster's own way waits for it, and goes on from there
                pass
        super()._initdb(engine, for_index_shard)

    def _is_there(self, shard: str) -> bool:
        return os.path.exists(self.path_for_shard(shard))

    def has_table(self, table_name: str) -> bool:
        if table_name not in self._tables:  # asked at every result of a check; a table that is there stays
            with self._index_engine.connect() as connection:  # not _connect: Dagster also asks while it is connected
                if not connection.dialect.has_table(connection, table_name):
                    return False
            self._tables.add(table_name)
        return True

    @cached_property
    def _index_engine(self) -> Engine:
        return self._new_engine(INDEX_SHARD_NAME)

    def _engine_of(self, shard: str) -> Engine:
        if shard == INDEX_SHARD_NAME:
            return self._index_engine
        engine = self._engines.pop(shard, None) or self._new_engine(shard)
        self._engines[shard] = engine
        while len(self._engines) > ENGINES:
            self._engines.popitem(last=False)
        return engine

    def _new_engine(self, shard: str) -> Engine:
        return create_engine(
            self.conn_string_for_shard(shard),
            poolclass=NullPool,
            connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS},
        )


class SqliteFiles(DagsterSqliteStorage):
    """All three under one folder, where Dagster's own `storage: sqlite:` has them."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        super(DagsterSqliteStorage, self).__init__()  # type: ignore[no-untyped-call]  # its own opens Dagster's classes
        os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", str(EVENTS_AT_ONCE))  # else it hands them over one by one
        history, schedules = Path(base_dir) / "history", Path(base_dir) / "schedules"
        self.base_dir, self._inst_data = base_dir, inst_data
        self._run_storage = Runs.from_local(str(history))
        self._event_log_storage = Events(str(history / "runs"))
        self._schedule_storage = Ticks.from_local(str(schedules))

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> SqliteFiles:
        return cls(config_value["base_dir"], inst_data)
