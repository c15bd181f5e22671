"""The call ledger: one row for every call that left this machine, whatever became of it.

A ledger that holds rows back writes them with the transaction of the work they belong to (`flush`), or by itself when
too many wait, or one has waited LONGEST_HELD_MS: a process that dies leaves out the calls of that time at most, and of
those to Amazon the ones whose answers it had not kept.
Not for: budgets (windows.py, buckets.py) or judging (alerts/rates.py).
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, case, delete, event, func, select

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.state import locks
from ecauto_pipeline.state.database import UNUSABLE, Database
from ecauto_pipeline.state.exporting import ForHistory, for_history, in_portions
from ecauto_pipeline.state.schema_calls import api_calls
from ecauto_pipeline.state.upsert import add_rows

MOST_HELD = 200
LONGEST_HELD_MS = 1_000


class CallLedger:
    """The ledger of one process. Safe to share between threads.

    `hold`: so many rows of calls that were answered may wait in memory for somebody's `flush`; 0 = every row is
    committed at once, as is that of a call that was not answered: nothing comes of it that could take the row along.
    """

    def __init__(self, database: Database, run_id: str = "", hold: int = 0) -> None:
        self._database, self.run_id, self._hold = database, run_id, hold
        self._lock = threading.Lock()
        self._waiting: list[dict[str, Any]] = []
        self._holders = 0

    @contextmanager
    def held(self) -> Iterator[None]:
        """Rows wait within it, whoever makes them: for somebody's `flush`, and for the end of the last such block."""
        with self._lock:
            self._holders += 1
        try:
            yield
        finally:
            with self._lock:
                self._holders -= 1
                write = not self._holders and len(self._waiting) > self._hold
            if write:
                self.flush()

    def record(
        self,
        *,
        api: str,
        operation: str,
        account: str,
        started_at: datetime,
        duration_ms: int,
        items: int | None,
        http_status: int | None,
        outcome: str,
        error: str,
        request_id: str = "",
        rate_limit: float | None = None,
        run_id: str | None = None,
    ) -> None:
        """`outcome`: ok | refused | failed | unknown; `error`: one word, "" when ok; `items`: rows asked or got."""
        row = {
            "call_id": uuid.uuid4().hex,
            "run_id": self.run_id if run_id is None else run_id,
            "api": api,
            "operation": operation,
            "account": account,
            "started_at": to_ms(started_at),
            "duration_ms": duration_ms,
            "items": items,
            "http_status": http_status,
            "outcome": outcome,
            "error": error,
            "request_id": request_id,
            "rate_limit": rate_limit,
        }
        with self._lock:
            self._waiting.append(row)
            most = max(self._hold, MOST_HELD) if self._holders else self._hold
            waited_ms = row["started_at"] - self._waiting[0]["started_at"]
            full = len(self._waiting) > most
            full |= waited_ms >= LONGEST_HELD_MS if self._holders else outcome != "ok"
        if full:
            self.flush()

    def flush(self, connection: Connection | None = None) -> None:
        """Write what waits: in the caller's transaction, or in one of its own. Rolled back, it waits again."""
        if connection is None:
            if not self._waiting:
                return
            with self._database.write(locks.ledger()) as own:
                self.flush(own)
            return
        with self._lock:
            rows, self._waiting = self._waiting, []
        if not rows:
            return
        kept = threading.Event()

        def wait_again(_connection: Connection) -> None:
            if not kept.is_set():
                kept.set()
                with self._lock:
                    self._waiting = rows + self._waiting

        event.listen(connection, "commit", lambda _connection: kept.set())
        event.listen(connection, "rollback", wait_again)
        add_rows(connection, api_calls, rows)

    def close(self, log: logging.Logger) -> None:
        """Write what nobody kept answers of: a token that was fetched last. Where state is away it is not in it."""
        try:
            self.flush()
        except UNUSABLE as error:
            log.warning("the last calls are not in the ledger: %s", type(error).__name__)


def counted(connection: Connection, run_id: str, api: str = "sp_api") -> dict[tuple[str, str], tuple[int, int, int]]:
    """Calls, refused ones (429) and failed ones in all, by (account, operation) of a run."""
    found = connection.execute(_COUNTED, {"run": run_id, "of_api": api})
    return {
        (account, operation): (int(calls), int(refused), int(failed))
        for account, operation, calls, refused, failed in found
    }


_COUNTED = (
    select(
        api_calls.c.account,
        api_calls.c.operation,
        func.count(),
        func.sum(case((api_calls.c.http_status == 429, 1), else_=0)),
        func.sum(case((api_calls.c.outcome != "ok", 1), else_=0)),
    )
    .where(api_calls.c.run_id == bindparam("run"), api_calls.c.api == bindparam("of_api"))
    .group_by(api_calls.c.account, api_calls.c.operation)
)


def failed_for(connection: Connection, run_id: str, api: str = "sp_api") -> list[tuple[str, str, int]]:
    """(operation, reason, calls that failed for it) of a run, in a fixed order."""
    what = (api_calls.c.operation, api_calls.c.error)
    of_run = (api_calls.c.run_id == run_id, api_calls.c.api == api, api_calls.c.outcome != "ok")
    query = select(*what, func.count()).where(*of_run).group_by(*what).order_by(*what)
    return [(operation, reason, int(calls)) for operation, reason, calls in connection.execute(query)]


def unexported(connection: Connection, limit: int) -> list[ForHistory]:
    """The oldest calls, for `api_calls`; their keys are numbers that rise."""
    rows = connection.execute(select(api_calls).order_by(api_calls.c.seq).limit(limit))
    return [for_history(row, "seq", "started_at", without=("seq",)) for row in rows]


def mark_exported(connection: Connection, rows: Iterable[ForHistory]) -> None:
    """These are in history: they leave."""
    for keys in in_portions([row.key for row in rows]):
        connection.execute(delete(api_calls).where(api_calls.c.seq.in_(keys)))
