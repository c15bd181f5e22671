"""How many calls a shop has left in its clock hour and its day, counted over all processes and restarts.

The hour begins at minute 00, the day at midnight in Japan. Every call is reserved before it is sent and counted
whatever becomes of it; of several that follow at once (`ahead`) a process that dies leaves some counted that it did not
make, never one made that is not counted.
Not for: what BASE's limits are (settings), what of them is kept back for whom (domain/selling/call_shares.py), or which
window a refusal is about (domain/selling/window_edges.py).
Source: limits and resets as in BASE's API documents (5,000 an hour, 100,000 a day, per shop).
"""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Literal

from sqlalchemy import Connection, bindparam, delete, func, select

from ecauto_pipeline.clock import Clock, from_ms, jst, to_ms
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.domain.selling.call_shares import RESERVE, allowance
from ecauto_pipeline.domain.selling.window_edges import closed_until
from ecauto_pipeline.errors import BudgetSpent
from ecauto_pipeline.state import locks
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.schema_calls import windows
from ecauto_pipeline.state.upsert import insert_for, insert_into

Span = Literal["hour", "day"]
SPANS: tuple[Span, ...] = ("hour", "day")
_EDITS = ("edit", "hide", "undo")
_TO_ITS_END = 1
_LONGEST_QUEUE_MS = 600_000  # a reservation further ahead than this is a clock that was set back
_OF_WINDOW = select(windows.c.calls, windows.c.exhausted).where(
    *(column == bindparam(f"of_{column.name}") for column in windows.primary_key)
)
_LAST_CALL = select(func.max(windows.c.last_call_at)).where(
    windows.c.platform == bindparam("of_platform"), windows.c.account_id == bindparam("of_account_id")
)


@dataclass(slots=True)
class _Ahead:
    """Calls that were counted in the hour (and day) of `hour_ms` and not made yet, by kind."""

    hour_ms: int
    kinds: Counter[str] = field(default_factory=Counter)

    def take(self, hour_ms: int, kind: str) -> bool:
        """Whether there was one of this kind, in this hour."""
        if hour_ms != self.hour_ms or not self.kinds[kind]:
            return False
        self.kinds[kind] -= 1
        return True

    @property
    def edits(self) -> int:
        return sum(count for kind, count in self.kinds.items() if kind in _EDITS)


@dataclass(frozen=True, slots=True)
class WindowUse:
    """One window of one shop: calls counted, the limit, whether the API itself said that it is over, and until when."""

    span: Span
    used: int
    limit: int
    exhausted: bool
    until: datetime


@dataclass(frozen=True, slots=True)
class WindowCount:
    """Calls counted in one clock hour or day of one shop; `exhausted`: the shop itself said that it is over."""

    platform: str
    account_id: str
    span: Span
    starts_at: datetime
    calls: int
    exhausted: bool


def windows_counted(connection: Connection) -> list[WindowCount]:
    """Every window still on record (a few days), by account and span, oldest first."""
    order = (windows.c.platform, windows.c.account_id, windows.c.span, windows.c.starts_at)
    return [
        WindowCount(
            *(row.platform, row.account_id, row.span, from_ms(row.starts_at), row.calls),
            exhausted=row.exhausted == _TO_ITS_END,
        )
        for row in connection.execute(select(windows).order_by(*order))
    ]


def window_start(moment: datetime, span: Span) -> datetime:
    """When the hour or day (in Japan) of this instant began."""
    hour = jst(moment).replace(minute=0, second=0, microsecond=0)
    return hour if span == "hour" else hour.replace(hour=0)


def window_end(moment: datetime, span: Span) -> datetime:
    """When it ends: the next :00, or the next midnight in Japan."""
    return window_start(moment, span) + (timedelta(hours=1) if span == "hour" else timedelta(days=1))


def forget(connection: Connection, before: datetime) -> None:
    """Drop hours and days that began before."""
    connection.execute(delete(windows).where(windows.c.starts_at < to_ms(before)))


def calls_in(connection: Connection, span: Span, moment: datetime) -> dict[AccountKey, int]:
    """Calls counted in the hour or day of this instant, of the shops that made any."""
    query = select(windows.c.platform, windows.c.account_id, windows.c.calls).where(
        windows.c.span == span, windows.c.starts_at == to_ms(window_start(moment, span))
    )
    return {AccountKey(platform, account): calls for platform, account, calls in connection.execute(query)}


@lru_cache(maxsize=2)
def _counting(dialect: str) -> Any:
    """One call more in a window; made once, because making it takes longer than what it does."""
    new = insert_into(dialect, windows)
    more = {name: windows.c[name] + new.excluded[name] for name in ("calls", "edits")}
    return new.on_conflict_do_update(
        index_elements=[column.name for column in windows.primary_key],
        set_={**more, "last_call_at": new.excluded.last_call_at},
    )


class ShopWindows:
    """The budget of one shop account. Safe to share between threads and processes.

    `kept`: the share of each window that is for hides and undoing ([base.limits] reserve).
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        platform: str,
        account_id: str,
        *,
        per_hour: int,
        per_day: int,
        min_interval_s: float = 0.0,
        kept: float = RESERVE,
    ) -> None:
        self._database, self._clock = database, clock
        self._platform, self._account_id = platform, account_id
        self._lock = locks.window(platform, account_id)
        self._limits: dict[Span, int] = {"hour": per_hour, "day": per_day}
        self._kept = kept
        self._interval_ms = math.ceil(min_interval_s * 1000)
        self._ahead_lock = threading.Lock()
        self._ahead = _Ahead(0)

    def reserve(self, kind: str) -> float:
        """Count one call of this kind and give the seconds to wait before sending it (spacing of calls).

        Raises BudgetSpent: reason `hour_api_limit` / `day_api_limit` when the window is over, `hour_reserve` /
        `day_reserve` when only the share kept for hides, undoing and reads is left.
        """
        now = self._clock.now()
        now_ms = to_ms(now)
        with self._ahead_lock:
            if self._ahead.take(to_ms(window_start(now, "hour")), kind):
                return 0.0
        slot_ms = self._database.write_again(lambda connection: self._reserve(connection, kind, now_ms), self._lock)
        return (slot_ms - now_ms) / 1000

    @contextmanager
    def ahead(self, kinds: Sequence[str]) -> Iterator[None]:
        """`reserve` of these kinds follows within it: as many as the windows have left are counted in one transaction,
        and those that were not asked for until its end are given back. One at a time."""
        if len(kinds) < 2 or self._interval_ms:
            yield
            return
        now = self._clock.now()
        counted = self._database.write_again(lambda connection: self._count_ahead(connection, kinds, now), self._lock)
        with self._ahead_lock:
            self._ahead = counted
        try:
            yield
        finally:
            with self._ahead_lock:
                left, self._ahead = self._ahead, _Ahead(0)
            if left.kinds:
                back = {"calls": -left.kinds.total(), "edits": -left.edits, "exhausted": 0, "last_call_at": to_ms(now)}
                self._database.write_again(lambda connection: self._add(connection, now, back), self._lock)

    def _count_ahead(self, connection: Connection, kinds: Sequence[str], now: datetime) -> _Ahead:
        uses = [self._use(connection, now, span) for span in SPANS]
        ahead = _Ahead(to_ms(window_start(now, "hour")))
        for kind in kinds:
            used = ahead.kinds.total()
            if all(not use.exhausted and use.used + used < allowance(use.limit, kind, self._kept) for use in uses):
                ahead.kinds[kind] += 1
        if ahead.kinds:
            counted = {"calls": ahead.kinds.total(), "edits": ahead.edits, "exhausted": 0, "last_call_at": to_ms(now)}
            self._add(connection, now, counted)
        return ahead

    def _add(self, connection: Connection, moment: datetime, counted: dict[str, int]) -> None:
        rows = [{**self._key(moment, span), **counted} for span in SPANS]
        connection.execute(_counting(connection.dialect.name), rows)

    def _reserve(self, connection: Connection, kind: str, now_ms: int) -> int:
        slot_ms = self._slot(connection, now_ms)
        slot = from_ms(slot_ms)
        for span in SPANS:
            self._refuse(self._use(connection, slot, span), kind)
        counted = {"calls": 1, "edits": int(kind in _EDITS), "exhausted": 0, "last_call_at": slot_ms}
        self._add(connection, slot, counted)
        return slot_ms

    def exhausted(self, span: Span, called_at: datetime) -> datetime:
        """The API refused a call sent at `called_at` because this window is over. Returns until when all wait: its end,
        or a minute where the window before is still meant."""
        key, starts_at, ends_at = self._key(called_at, span), window_start(called_at, span), window_end(called_at, span)
        with self._database.write(self._lock) as connection:
            row = self._row(connection, key)
            used, before = (row.calls, row.exhausted) if row is not None else (0, 0)
            until = closed_until(called_at, starts_at, ends_at, used, self._limits[span])
            seconds = int((until - starts_at).total_seconds())
            over = _TO_ITS_END if _TO_ITS_END == before or until == ends_at else max(seconds, before)
            statement = insert_for(connection, windows).values(**key, calls=0, edits=0, exhausted=over)
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=[column.name for column in windows.primary_key], set_={"exhausted": over}
                )
            )
        return _closed_until(over, starts_at, ends_at)

    def usage(self) -> tuple[WindowUse, ...]:
        """The running hour and day."""
        now = self._clock.now()
        with self._database.read() as connection:
            return tuple(self._use(connection, now, span) for span in SPANS)

    def left(self, kind: str) -> int:
        """Calls of this kind that the running windows still allow."""
        return min(
            0 if use.exhausted else max(0, allowance(use.limit, kind, self._kept) - use.used) for use in self.usage()
        )

    def _slot(self, connection: Connection, now_ms: int) -> int:
        if not self._interval_ms:
            return now_ms
        mine = {"of_platform": self._platform, "of_account_id": self._account_id}
        last = connection.execute(_LAST_CALL, mine).scalar()
        if last is None or last > now_ms + _LONGEST_QUEUE_MS:
            return now_ms
        return max(now_ms, int(last) + self._interval_ms)

    def _refuse(self, use: WindowUse, kind: str) -> None:
        if use.exhausted or use.used >= use.limit:
            raise BudgetSpent(f"{use.span}_api_limit", use.until, f"{use.used} of {use.limit} calls in this {use.span}")
        if use.used >= allowance(use.limit, kind, self._kept):
            raise BudgetSpent(
                f"{use.span}_reserve", use.until, f"the rest of this {use.span} is kept for hides and undoing"
            )

    def _use(self, connection: Connection, moment: datetime, span: Span) -> WindowUse:
        row, ends_at = self._row(connection, self._key(moment, span)), window_end(moment, span)
        used, over = (row.calls, row.exhausted) if row is not None else (0, 0)
        until, limit = _closed_until(over, window_start(moment, span), ends_at), self._limits[span]
        closed = moment < until
        return WindowUse(span, used, limit, closed, until if closed and used < limit else ends_at)

    def _row(self, connection: Connection, key: dict[str, object]) -> Any:
        return connection.execute(_OF_WINDOW, {f"of_{name}": value for name, value in key.items()}).first()

    def _key(self, moment: datetime, span: Span) -> dict[str, object]:
        return {
            "platform": self._platform,
            "account_id": self._account_id,
            "span": span,
            "starts_at": to_ms(window_start(moment, span)),
        }


def _closed_until(over: int, starts_at: datetime, ends_at: datetime) -> datetime:
    """What `exhausted` of the table says: to its end, or as many seconds from its start."""
    return ends_at if over == _TO_ITS_END else starts_at + timedelta(seconds=over)
