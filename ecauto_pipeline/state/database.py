"""Opens state.db: SQLite in WAL with synchronous=FULL by default, any SQLAlchemy URL of SQLite or PostgreSQL.

`read()` and `write()` are the only ways in; `write_again()` for what may be done again when the server was away. A
write takes its locks at its first line (BEGIN IMMEDIATE on SQLite; by name in PostgreSQL, see locks.py), so that what
was read inside it still holds when it commits. Not for: what the tables mean (schema.py), how they come to be
(migrations.py), how SQLite's file is opened (sqlite_file.py) or PostgreSQL asked (postgresql.py).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from sqlalchemy import Connection, Engine, Select, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from ecauto_pipeline.errors import SettingsError
from ecauto_pipeline.state import locks, migrations, sqlite_file
from ecauto_pipeline.state.shared_time import AHEAD
from ecauto_pipeline.state.sqlite_caches import CACHE_KB
from ecauto_pipeline.state.write_turns import Job, WriteTurns

if TYPE_CHECKING:
    from ecauto_pipeline.state.postgresql import PostgresqlStore

T = TypeVar("T")

BUSY_TIMEOUT_S = 60.0
UNUSABLE: type[Exception] = DBAPIError
"""What a read or write raises where the file is damaged or read-only, or the disk is full."""
LOCKS_HELD = "ecauto_locks"
"""In `connection.info` of a write: the Locks it was asked for, for whoever watches (the tests)."""


class Fence(Protocol):
    """What lets a process write: the lane that it works on, while nobody else has taken that over."""

    lane: str
    claims: str

    def may_send(self) -> None:
        """Raises where another has it, or may have it before a call that leaves now has come back."""

    def check(self, connection: Connection) -> None:
        """Raises where another has it: nothing of this transaction may be kept."""


def check_url(url: str) -> None:
    """Raises SettingsError, without a password in it, where this is no address that can be opened. Opens nothing."""
    try:
        address = make_url(url)
        backend = address.get_backend_name()
        if backend not in ("sqlite", "postgresql"):
            raise ArgumentError(f"{backend} is neither sqlite nor postgresql")
        dialect = address.get_dialect()  # all that an engine would find out, for a quarter of its price
        dialect.import_dbapi()
        dialect().create_connect_args(address)
    except (ArgumentError, ValueError) as error:
        why = error if isinstance(error, ArgumentError) else "its port is no number"  # it may be half a password
        raise SettingsError(
            f"[state] url is no address of a database: {why}",
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

    def __init__(
        self,
        url: str,
        busy_timeout_s: float = BUSY_TIMEOUT_S,
        cache_kb: int = CACHE_KB,
        *,
        unmigrated: bool = False,
        wall_s: Callable[[], float] = time.time,
    ) -> None:
        """`busy_timeout_s`: so long a read or write waits for whoever holds SQLite's file, or a lock in PostgreSQL, or
        for a server that is away. `cache_kb`: so much of SQLite's file is kept in memory (sqlite_caches.py).
        `unmigrated`: also where PostgreSQL's tables are not of this version (who opens them so migrates them).
        `wall_s`: this machine's clock, seconds since 1970."""
        check_url(url)
        self.url, self._busy_timeout_s, self._cache_kb = make_url(url), busy_timeout_s, cache_kb
        self._wall_s, self._unmigrated = wall_s, unmigrated
        self.fence: Fence | None = None
        self._turns = WriteTurns(busy_timeout_s)
        self._postgresql: PostgresqlStore | None = None
        try:
            self._open()
        except DBAPIError as error:
            place = self.url.database if self.sqlite else self.url.render_as_string(hide_password=True)
            why = " ".join(str(error.orig).split())
            code = getattr(error.orig, "sqlite_errorname", why)  # SQLite's own words are English
            cause = sqlite_file.read_only_disk(self.url.database or "") if self.sqlite else None
            raise SettingsError(f"{place} can't be opened: {why}", ja=f"{place} を開けません（{code}）") from (
                cause or error
            )

    def _open(self) -> None:
        self.sqlite = self.url.get_backend_name() == "sqlite"
        if not self.sqlite:
            self._open_postgresql()
            return
        self.engine: Engine = sqlite_file.open_engine(self.url, self._busy_timeout_s, self._cache_kb)
        with self.write() as connection:
            migrations.complete_sqlite(connection)

    def _open_postgresql(self) -> None:
        from ecauto_pipeline.state.postgresql import PostgresqlStore, ServerClock

        self._postgresql = PostgresqlStore(self.url, self._busy_timeout_s, ServerClock())
        self.engine = self._postgresql.engine
        with self._postgresql.opening() as connection:
            if not self._unmigrated:
                migrations.check_postgresql(connection)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A snapshot to read from; nothing is kept."""
        if self._postgresql is not None:
            with self._postgresql.read() as connection:
                self._note_time(connection)
                yield connection
            return
        with self.engine.connect() as connection:
            yield connection
            connection.rollback()

    def look(self, query: Select[Any], values: Mapping[str, object]) -> Mapping[str, Any] | None:
        """The first row, by column, that one statement (made once: what it comes to is kept) finds now; for what is
        looked at often and decides nothing by itself."""
        if self._postgresql is not None:
            return self._postgresql.look(query, values)
        with self.read() as connection:
            row = connection.execute(query, values).first()
            return None if row is None else row._asdict()

    @contextmanager
    def write(self, lock: locks.Locks = None, *, fenced: bool = True) -> Iterator[Connection]:
        """One transaction, committed at the end of the block, rolled back when it raises. `lock`: as in locks.py; None
        = the whole state. Raises what `fence` raises, unless `fenced` is False: for what would be lost unwritten."""
        fence = self.fence if fenced else None
        if self._postgresql is not None:
            shared = locks.lane(fence.lane) if fence is not None else None
            with self._postgresql.write(lock, shared) as connection:
                self._note_time(connection)
                connection.info[LOCKS_HELD] = lock
                if fence is not None:
                    fence.check(connection)
                yield connection
            return
        with self._turns.turn(), self._sqlite_write(fence) as connection:
            connection.info[LOCKS_HELD] = lock
            yield connection

    @contextmanager
    def _sqlite_write(self, fence: Fence | None) -> Iterator[Connection]:
        with self.engine.connect().execution_options(**sqlite_file.WRITES) as connection, connection.begin():
            if fence is not None:
                fence.check(connection)
            yield connection

    def write_again(self, work: Callable[[Connection], T], lock: locks.Locks = None, *, fenced: bool = True) -> T:
        """`work` in one write, and once more from its beginning where PostgreSQL went away in the middle of it or undid
        it (a deadlock), for as long as a server that is away is waited for.

        For work that does nothing but in its transaction and may be done twice: where the server was lost in the commit
        itself, the first may have been kept. On SQLite what several threads have to write meanwhile is one
        transaction (write_turns.py).
        """
        if self._postgresql is None:
            fence = self.fence if fenced else None
            return self._turns.together(Job(work, lock, fenced), lambda jobs: self._write_jobs(jobs, fence))
        until = time.monotonic() + self._busy_timeout_s
        while True:
            try:
                with self.write(lock, fenced=fenced) as connection:
                    return work(connection)
            except DBAPIError as error:
                if not self._may_pass(error) or time.monotonic() > until:
                    raise

    @property
    def writes_waiting(self) -> int:
        """Small writes of other threads that wait for whoever is writing."""
        return self._turns.waiting

    def _write_jobs(self, jobs: Sequence[Job[Any]], fence: Fence | None) -> None:
        with self._sqlite_write(fence) as connection:
            for job in jobs:
                connection.info[LOCKS_HELD] = job.lock
                job.do(connection)

    def may_send(self) -> None:
        """To be called right before a call to a shop or to Amazon leaves. Raises what `fence` raises; without one there
        is nobody who could have taken this process's work over."""
        if self.fence is not None:
            self.fence.may_send()

    def server_time_s(self) -> float | None:
        """The clock that all machines of a fleet share, seconds since 1970: PostgreSQL's. None on SQLite."""
        return None if self._postgresql is None else self._postgresql.clock.time_s()

    def _note_time(self, connection: Connection) -> None:
        server_s = self.server_time_s()
        if server_s is not None:
            connection.info[AHEAD] = timedelta(seconds=server_s - self._wall_s())

    def _may_pass(self, error: DBAPIError) -> bool:
        if self._postgresql is None:
            return False
        from ecauto_pipeline.state.postgresql_errors import may_pass

        return may_pass(error)

    def give_back_space(self) -> bool:
        """Rewrite SQLite's file when more of it is free than used; whether it was done. PostgreSQL sees to it
        itself."""
        return self.sqlite and sqlite_file.give_back_space(self.engine, self._busy_timeout_s)

    def close_idle(self) -> None:
        """Close each of SQLite's connections that nobody uses now, and let go of what it has of the file in memory."""
        if self.sqlite:
            self.engine.dispose()

    def close(self) -> None:
        self.engine.dispose()


def to_json(document: object) -> str:
    """Compact JSON text, keys sorted, Japanese kept readable."""
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
