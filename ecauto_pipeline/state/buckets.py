"""Token buckets shared by every thread and process that calls for one account: who may call, and when.

A slot is reserved in one write transaction, the wait happens outside it, and the next-allowed time survives restarts.
Not for: the arithmetic (limiter.py) or what a refusal means for the call (amazon/client.py).
Time is measured on the machine's monotonic clock, which all processes since one boot share, so a change of the wall
clock moves nothing; across boots the wall clock has to do, and time that runs backwards gives nothing. Where state is
in PostgreSQL, whose processes may be on several machines, it is the server's clock for all of them.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from ecauto_pipeline import limiter
from ecauto_pipeline.clock import Clock, SystemClock, from_ms, to_ms
from ecauto_pipeline.errors import Stopped
from ecauto_pipeline.limiter import Bucket, RateLimit
from ecauto_pipeline.state import locks
from ecauto_pipeline.state.database import Database, to_json
from ecauto_pipeline.state.schema_calls import buckets
from ecauto_pipeline.state.shared_time import shared_now
from ecauto_pipeline.state.upsert import upsert

_ROW = select(buckets).where(
    buckets.c.account == bindparam("of_account"), buckets.c.operation == bindparam("of_operation")
)
_DOCUMENT = _ROW.with_only_columns(buckets.c.document)
_REMEMBERED = 30  # calls whose time is remembered
_LOOK_EVERY_S = 1.0  # how often a long wait asks whether the pace has changed
SERVER = "server"
"""The timeline of every process whose state is in PostgreSQL."""
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to make one call now, in the slot of `slot_s` (monotonic); goes back to `answered` or `refused`."""

    generation: int
    slot_s: float


def rate_of(connection: Connection, operation: str) -> float:
    """Calls a second that all accounts together may make of one operation; 0.0 where none was made yet."""
    query = select(func.sum(buckets.c.rate_per_s)).where(buckets.c.operation == operation)
    return float(connection.execute(query).scalar() or 0.0)


def rates(connection: Connection) -> dict[tuple[str, str], float]:
    """Calls a second that each account may make now, by (account, operation), of those it ever called."""
    query = select(buckets.c.account, buckets.c.operation, buckets.c.rate_per_s)
    return {(account, operation): float(rate) for account, operation, rate in connection.execute(query)}


class Buckets:
    """The buckets in state.db. Safe to share between threads; every process has its own."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        timeline: str | None = None,
        shared_s: Callable[[], float | None] | None = None,
    ) -> None:
        """`timeline` names the clock by which buckets are kept; processes that give the same name share one.
        `shared_s`: its seconds where it is not `clock`'s monotonic ones but those of a clock that machines share."""
        self._database, self._clock = database, clock
        self._took: dict[tuple[str, str], deque[float]] = {}
        self._seen: dict[tuple[str, str], Bucket] = {}
        if shared_s is None and isinstance(clock, SystemClock) and database.server_time_s() is not None:
            timeline, shared_s = timeline or SERVER, database.server_time_s
        self._timeline, self._shared_s = timeline or _timeline(clock), shared_s

    def take(
        self,
        account: str,
        operation: str,
        limit: RateLimit,
        *,
        until_s: float | None = None,
        stop: threading.Event | None = None,
    ) -> Permit | None:
        """Wait for a slot. None, and nothing is reserved, when the slot would come after `until_s` (monotonic).

        Raises Stopped when `stop` is set before the slot comes; that slot then goes unused.
        """
        while True:
            reserved = self._reserve(account, operation, limit, until_s)
            if reserved is None:
                return None
            bucket, slot_s = reserved
            if stop is not None and stop.is_set():
                raise Stopped("asked to end")
            if not self._wait(account, operation, bucket.generation, slot_s, stop):
                continue
            spare = bucket.tokens >= 1  # a burst at hand: nobody behind could come too early
            if not spare and self._clock.monotonic() - slot_s > bucket.late_after_s:
                bucket, slot_s = self._move(account, operation, limit, slot_s)
            return Permit(bucket.generation, slot_s)

    def answered(
        self,
        account: str,
        operation: str,
        limit: RateLimit,
        advertised_per_s: float | None,
        permit: Permit,
        sent_s: float,
        received_s: float,
    ) -> None:
        """The API let the call of `permit` through, and its answer named that rate; `*_s`: when (monotonic).

        Writes only what changed.
        """
        took_s, left_late_s = received_s - sent_s, max(0.0, sent_s - permit.slot_s)
        usual_s = self._usual((account, operation), took_s)

        def after(held: Bucket) -> Bucket:
            now_s = self._clock.monotonic()
            next_one = limiter.answered(held, advertised_per_s, now_s)
            delay_s = limiter.arrival_delay_s(next_one, left_late_s, took_s, usual_s)
            beat_goes_on = next_one.tokens < 1 and next_one.generation == held.generation
            if delay_s and beat_goes_on and left_late_s + took_s < next_one.interval_s:
                next_one = limiter.delayed(next_one, now_s, delay_s)
            return next_one

        held = self._look(account, operation, limit)
        if replace(after(held), tokens=held.tokens, at_s=held.at_s) == held:
            return
        with self._database.write(locks.bucket(account, operation)) as connection:
            held = self._load(connection, account, operation, limit)
            self._save(connection, account, operation, after(held))

    def _usual(self, key: tuple[str, str], took_s: float) -> float:
        """What answers take when nothing is in their way: the best of the latest."""
        latest = self._took.setdefault(key, deque(maxlen=_REMEMBERED))
        latest.append(took_s)
        return min(latest)

    def refused(self, account: str, operation: str, limit: RateLimit, permit: Permit) -> None:
        """The API refused the call that `permit` allowed (429)."""
        with self._database.write(locks.bucket(account, operation)) as connection:
            held = self._load(connection, account, operation, limit)
            after = limiter.refused(held, permit.generation, self._clock.monotonic())
            self._save(connection, account, operation, after, refused=True)

    def peek(self, account: str, operation: str, limit: RateLimit) -> Bucket:
        """The bucket as it stands now, times on this process's monotonic clock."""
        return limiter.brought_to(self._look(account, operation, limit), self._clock.monotonic())

    def last_seen(self, account: str, operation: str, limit: RateLimit) -> Bucket:
        """The bucket as this process saw it last, its own changes included: whose pace is asked about many times a
        second, and who takes no slot by the answer, has no need of more."""
        seen = self._seen.get((account, operation))
        return self._look(account, operation, limit) if seen is None else seen

    def _reserve(
        self, account: str, operation: str, limit: RateLimit, until_s: float | None
    ) -> tuple[Bucket, float] | None:
        def reserve(connection: Connection) -> tuple[Bucket, float] | None:
            held = self._load(connection, account, operation, limit)
            now_s = self._clock.monotonic()
            bucket, wait_s = limiter.reserve(held, now_s)
            if until_s is not None and now_s + wait_s > until_s:
                return None
            self._save(connection, account, operation, bucket, next_in_s=wait_s + bucket.interval_s)
            return bucket, now_s + wait_s

        return self._database.write_again(reserve, locks.bucket(account, operation))

    def _move(self, account: str, operation: str, limit: RateLimit, slot_s: float) -> tuple[Bucket, float]:
        """A call leaves only now: the slots behind it move."""

        def move(connection: Connection) -> tuple[Bucket, float]:
            held = self._load(connection, account, operation, limit)
            now_s = self._clock.monotonic()
            bucket = limiter.delayed(held, now_s, now_s - slot_s)
            self._save(connection, account, operation, bucket)
            return bucket, now_s

        return self._database.write_again(move, locks.bucket(account, operation))

    def _wait(self, account: str, operation: str, generation: int, slot_s: float, stop: threading.Event | None) -> bool:
        """Sleep until the slot. False as soon as the slots were given anew."""
        while True:
            wait_s = slot_s - self._clock.monotonic()
            if wait_s <= 0:  # the slot was given, or looked at, just now
                return True
            if self._clock.sleep(min(wait_s, _LOOK_EVERY_S), stop):
                raise Stopped("asked to end")
            if self._moved(account, operation, generation):
                return False
            if wait_s <= _LOOK_EVERY_S:
                return True

    def _moved(self, account: str, operation: str, generation: int) -> bool:
        row = self._database.look(_DOCUMENT, {"of_account": account, "of_operation": operation})
        return row is not None and json.loads(row["document"]).get("generation") != generation

    def _load(self, connection: Connection, account: str, operation: str, limit: RateLimit) -> Bucket:
        row = connection.execute(_ROW, {"of_account": account, "of_operation": operation}).first()
        now = shared_now(connection, self._clock.now())
        held = self._bucket(None if row is None else row._asdict(), limit, now)
        self._seen[account, operation] = held
        return held

    def _look(self, account: str, operation: str, limit: RateLimit) -> Bucket:
        """The same outside of a transaction, for what nothing is written by."""
        row = self._database.look(_ROW, {"of_account": account, "of_operation": operation})
        held = self._seen[account, operation] = self._bucket(row, limit, self._clock.now())
        return held

    def _bucket(self, row: Mapping[str, Any] | None, limit: RateLimit, now: datetime) -> Bucket:
        if row is None:
            return limiter.full(limit, self._clock.monotonic())
        document: dict[str, Any] = json.loads(row["document"] or "{}")
        if document.get("timeline") == self._timeline:
            at_s = float(document["at_s"]) - self._shared_ahead_s()
        else:
            passed = now - from_ms(row["updated_at"])
            at_s = self._clock.monotonic() - max(0.0, passed.total_seconds())
        bucket = Bucket(
            rate_per_s=row["rate_per_s"],
            burst=limit.burst,
            tokens=min(row["tokens"], limit.burst),
            at_s=at_s,
            start_per_s=float(document.get("start_per_s", row["rate_per_s"])),
            advertised_per_s=row["advertised_per_s"],
            learned_slack=float(document.get("learned_slack", 0.0)),
            refusals=int(document.get("refusals", 0)),
            answered=int(document.get("answered", 0)),
            generation=int(document.get("generation", 0)),
        )
        if bucket.start_per_s != limit.rate_per_s:  # the owner changed ecauto.toml: start again from there
            bucket = replace(
                bucket, start_per_s=limit.rate_per_s, rate_per_s=limit.rate_per_s, advertised_per_s=None, refusals=0
            )
        return bucket

    def _save(
        self,
        connection: Connection,
        account: str,
        operation: str,
        bucket: Bucket,
        *,
        next_in_s: float | None = None,
        refused: bool = False,
    ) -> None:
        now_ms = to_ms(shared_now(connection, self._clock.now()))
        wait_s = limiter.wait_s(bucket, self._clock.monotonic()) if next_in_s is None else next_in_s
        row: dict[str, Any] = {
            "account": account,
            "operation": operation,
            "rate_per_s": bucket.rate_per_s,
            "burst": bucket.burst,
            "tokens": bucket.tokens,
            "updated_at": now_ms,
            "next_at": now_ms + round(wait_s * 1000),
            "advertised_per_s": bucket.advertised_per_s,
            "document": to_json(
                {
                    "timeline": self._timeline,
                    "at_s": bucket.at_s + self._shared_ahead_s(),
                    "start_per_s": bucket.start_per_s,
                    "learned_slack": bucket.learned_slack,
                    "refusals": bucket.refusals,
                    "answered": bucket.answered,
                    "generation": bucket.generation,
                }
            ),
        }
        if refused:
            row["refused_at"] = now_ms
        upsert(connection, buckets, [row])
        self._seen[account, operation] = bucket

    def _shared_ahead_s(self) -> float:
        """By how much the shared clock is ahead of our monotonic one; 0 where ours is the shared one."""
        shared_s = self._shared_s() if self._shared_s is not None else None
        return 0.0 if shared_s is None else shared_s - self._clock.monotonic()


def _timeline(clock: Clock) -> str:
    """A name for the monotonic clock: this boot's, where the clock is the machine's own and the system tells."""
    if isinstance(clock, SystemClock) and _BOOT_ID.exists():
        return f"boot-{_BOOT_ID.read_text(encoding='utf-8').strip()}"
    return f"clock-{id(clock):x}"
