"""Dagster's records in SQLite files, with one SQLAlchemy engine a file, where its own storage has one a call.

Dagster 1.13.27 makes an engine for every call, so that each statement is compiled anew at every call. Files, tables and
what may be open at once are Dagster's own: its classes and these read each other's files. A connection still ends with
its call: then SQLite writes what happened into the file, which whoever watches a run waits for; and nothing open is
there to be lost by a fork, a kill or a file removed. Named in dagster.yaml, whose processes all load it; so it imports
Dagster's storage and nothing of ours. Not for: what is recorded, or how long it is kept (housekeeping.py).
Source: dagster/_core/storage/{sqlite_storage,event_log/sqlite,runs/sqlite,schedules/sqlite} 1.13.27.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage
from dagster._core.storage.runs.sqlite.sqlite_run_storage import SqliteRunStorage
from dagster._core.storage.schedules.sqlite.sqlite_schedule_storage import SqliteScheduleStorage
from dagster._core.storage.sql import create_engine
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine
from sqlalchemy.pool import NullPool

ENGINES = 16
"""Of so many runs' files of events the engine is kept: of those under way or looked at. Thousands of files are kept."""


class _OneFile:
    """A storage of Dagster's that is one file, whose address is `_conn_string`."""

    _conn_string: str

    @cached_property
    def _engine(self) -> Engine:
        return create_engine(self._conn_string, poolclass=NullPool)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        with self._engine.begin() as connection:
            yield connection


class Runs(_OneFile, SqliteRunStorage):
    """Which runs there are: history/runs.db."""


class Ticks(_OneFile, SqliteScheduleStorage):
    """What schedules and sensors did: schedules/schedules.db."""


class Events(SqliteEventLogStorage):
    """What happened in runs: history/runs/index.db, and a file a run."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: OrderedDict[str, Engine] = OrderedDict()  # Dagster's constructor connects already
        super().__init__(base_dir, inst_data)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:  # Dagster's own: one call at a time
            engine = self._engine_of(shard)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.begin() as connection:
                yield connection

    def has_table(self, table_name: str) -> bool:
        with self._index_engine.connect() as connection:  # not _connect: Dagster also asks while it is connected
            return bool(connection.dialect.has_table(connection, table_name))

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
        history, schedules = Path(base_dir) / "history", Path(base_dir) / "schedules"
        self.base_dir, self._inst_data = base_dir, inst_data
        self._run_storage = Runs.from_local(str(history))
        self._event_log_storage = Events(str(history / "runs"))
        self._schedule_storage = Ticks.from_local(str(schedules))

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> SqliteFiles:
        return cls(config_value["base_dir"], inst_data)
