"""State in PostgreSQL: locks by name, a server that is away for a moment, and what became of a commit nobody answered.

A write takes its locks (locks.py) before anything else, at READ COMMITTED, so that what it reads afterwards is newest
and holds until it commits; a read is one snapshot (REPEATABLE READ), as SQLite gives. Both wait for a server that
is away: nothing was done yet. A connection lost later ends the block with an error, and nothing of it was kept;
where it is lost in the commit itself, PostgreSQL is asked what became of that transaction; where it can't say so for
certain, that is what is raised.
Not for: SQLite or what callers do (database.py).
Source: PostgreSQL 15 manual, 9.27.10 (advisory locks), 9.26.8 (pg_xact_status).
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, Select, create_engine, event
from sqlalchemy.exc import DBAPIError, DisconnectionError, OperationalError

from ecauto_pipeline.state.driver_rows import first_row
from ecauto_pipeline.state.locks import Lock, Locks, in_order
from ecauto_pipeline.state.postgresql_errors import code_of, is_away

T = TypeVar("T")
STATE = "state"
"""The name that every write shares, and a write of the whole state has alone."""
LONGEST_PAUSE_S = 30.0
"""A process that stops in the middle of a write (SIGSTOP, a machine that hangs) holds its locks so long at most: then
the server ends its session, and nothing of the write is kept."""
OPENING_WAIT_S = 10.0
TRUSTED_FOR_S = 1.0
"""A connection that was used within this time is used again without asking whether it still stands."""
_USED = "ecauto_used"
_ASK_AGAIN_S = 0.25
_POOL: dict[str, Any] = {"pool_size": 4, "max_overflow": 12, "pool_timeout": 60}
"""A process seldom has more than four transactions at once: three threads an SP-API account wait for Amazon."""
_CONNECT = {
    "connect_timeout": 5,
    "application_name": "ecauto",
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}


class CommitUnknown(OperationalError):
    """The server went away while it was told to commit, and has not said since what became of it: nobody knows."""


class ServerClock:
    """The server's clock, as every machine of a fleet can know it: by this machine's monotonic one and the least
    delayed of the latest answers. Safe to share between threads."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._ahead: deque[tuple[float, float]] = deque(maxlen=64)  # (heard at, server's seconds less ours)
        self._lock = threading.Lock()

    def heard(self, server_s: float) -> None:
        """An answer that has just come said so (seconds since 1970): it was then, or a little earlier."""
        now_s = self._monotonic()
        with self._lock:
            while self._ahead and now_s - self._ahead[0][0] > 30:  # both clocks are slewed a little
                self._ahead.popleft()
            self._ahead.append((now_s, server_s - now_s))

    def time_s(self) -> float | None:
        """Seconds since 1970 on the server now; None before anything was heard."""
        with self._lock:
            ahead = max((one for _, one in self._ahead), default=None)
        return None if ahead is None else self._monotonic() + ahead


class PostgresqlStore:
    """The transactions of one process. Safe to share between threads.

    `wait_s`: so long a lock, or a server that is away, is waited for.
    """

    def __init__(self, url: URL, wait_s: float, clock: ServerClock) -> None:
        self._wait_s, self.clock = wait_s, clock
        self.engine: Engine = create_engine(url, connect_args=_CONNECT, **_POOL)
        self._reading = self.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self._looking = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._looks: dict[Select[Any], tuple[str, Mapping[str, Any], Sequence[str]]] = {}
        """In the driver's words, the values that stand in the statement itself, and its columns."""
        self._lost_s = 0.0  # when a connection was last found to be gone
        event.listen(self.engine, "connect", self._prepare)
        event.listen(self.engine, "checkin", _note_use)
        event.listen(self.engine, "checkout", self._ping_after_a_rest)

    def _prepare(self, connection: Any, record: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = {max(1, round(self._wait_s * 1000))}")
            cursor.execute(f"SELECT {_STARTED}")
            record.info[_STARTED] = cursor.fetchone()[0]
        connection.commit()

    def _ping_after_a_rest(self, connection: Any, record: Any, _proxy: object) -> None:
        """A connection that was used just now answers; one that rested may be to a server that was away since."""
        used_s = record.info.get(_USED, 0.0)
        if used_s <= self._lost_s or time.monotonic() - used_s > TRUSTED_FOR_S:
            try:
                alive = self.engine.dialect.do_ping(connection)
            except self.engine.dialect.loaded_dbapi.Error:
                alive = False
            if not alive:
                raise DisconnectionError  # the pool opens another

    def look(self, query: Select[Any], values: Mapping[str, object]) -> Mapping[str, Any] | None:
        """The first row of one statement, by column, as of now: a fifth of what a transaction costs."""
        if query not in self._looks:
            made = query.compile(dialect=self.engine.dialect)
            self._looks[query] = str(made), made.params, query.selected_columns.keys()
        statement, own, names = self._looks[query]
        asked = {**own, **values}
        connection, row = self._entered(self._looking, lambda one: first_row(one, statement, asked), self._wait_s)
        _left(connection)
        return None if row is None else dict(zip(names, row, strict=True))

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One snapshot; nothing is kept."""
        connection, _ = self._entered(self._reading, lambda _connection: None, self._wait_s)
        try:
            yield connection
        finally:
            _left(connection)

    @contextmanager
    def write(self, lock: Locks, shared: Lock | None = None) -> Iterator[Connection]:
        """One transaction under these names; `shared`: one more, which others who share it may hold too."""
        connection, transaction_id = self._entered(self.engine, lambda one: self._take(one, lock, shared), self._wait_s)
        try:
            yield connection
        except BaseException:
            _left(connection)
            raise
        started = connection.info.get(_STARTED)
        try:
            connection.commit()
        except DBAPIError as error:
            if not error.connection_invalidated or not self._was_kept(transaction_id, started, error):
                raise
        finally:
            _left(connection)

    def opening(self) -> Connection:
        """A connection to look at what is there, its transaction begun; waits less for a server that is away."""

        def heard(connection: Connection) -> None:
            self.clock.heard(connection.exec_driver_sql(f"SELECT {_NOW}").scalar_one())

        return self._entered(self.engine, heard, min(self._wait_s, OPENING_WAIT_S))[0]

    def _was_kept(self, transaction_id: str, started: object, lost: DBAPIError) -> bool:
        """Whether a transaction whose commit nobody answered was committed: as PostgreSQL itself knows.

        A server that crashed meanwhile gives out numbers again that it had not yet written down: its "aborted" is true
        of ours, its "committed" may be of another. Raises CommitUnknown there, and where it says nothing in time.
        """
        until, ask = time.monotonic() + self._wait_s, f"SELECT pg_xact_status(%s::xid8), {_STARTED}"
        said, started_since = "in progress", started
        while said == "in progress" and time.monotonic() < until:
            try:
                connection, row = self._entered(
                    self.engine, lambda one: one.exec_driver_sql(ask, (transaction_id,)).one(), self._wait_s
                )
            except DBAPIError as error:
                if code_of(error) == _IN_THE_FUTURE:  # that number is still to be given out
                    return False
                raise CommitUnknown(None, None, error.orig or error) from lost
            _left(connection)
            said, started_since = row
            if said == "in progress":
                time.sleep(_ASK_AGAIN_S)
        if said == "aborted":
            return False
        if said != "committed" or started_since != started:
            raise CommitUnknown(None, None, lost.orig or lost) from lost
        return True

    def close(self) -> None:
        self.engine.dispose()

    def _take(self, connection: Connection, lock: Locks, shared: Lock | None) -> str:
        reach, names = in_order(lock)
        asked = ["pg_current_xact_id()::text", f"set_config('{_IDLE}', '{round(LONGEST_PAUSE_S * 1000)}', true)"]
        words: list[str] = []
        if reach != "apart":
            asked.append(_LOCK if reach == "whole" else _SHARE)
            words.append(STATE)
        if shared is not None and shared not in names:
            asked.append(_SHARE)
            words.append(shared.name)
        for one in names:
            asked.append(_LOCK)
            words.append(one.name)
        connection.begin()
        row = first_row(connection, f"SELECT {', '.join(asked)}, {_NOW}", words)
        assert row is not None
        self.clock.heard(row[-1])
        return str(row[0])

    def _entered(self, engine: Engine, begin: Callable[[Connection], T], wait_s: float) -> tuple[Connection, T]:
        """A connection whose transaction has begun, and what `begin` made of it. Waits for a server that is away."""
        until = time.monotonic() + wait_s
        while True:
            connection: Connection | None = None
            try:
                connection = engine.connect()
                return connection, begin(connection)
            except BaseException as error:
                if connection is not None:
                    _left(connection)
                if isinstance(error, DBAPIError) and error.connection_invalidated:
                    self._lost_s = time.monotonic()
                if not isinstance(error, DBAPIError) or not is_away(error) or time.monotonic() > until:
                    raise
            time.sleep(_ASK_AGAIN_S)


_IN_THE_FUTURE = "22023"
_STARTED = "extract(epoch FROM pg_postmaster_start_time())::float8"
_IDLE = "idle_in_transaction_session_timeout"
_LOCK = "pg_advisory_xact_lock(hashtextextended(%s, 0))"
_SHARE = "pg_advisory_xact_lock_shared(hashtextextended(%s, 0))"
_NOW = "extract(epoch FROM clock_timestamp())::float8"


def _note_use(_connection: object, record: Any) -> None:
    record.info[_USED] = time.monotonic()


def _left(connection: Connection) -> None:
    with suppress(DBAPIError):  # the server went away meanwhile: it has rolled back by itself
        connection.close()
