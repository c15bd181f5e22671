"""What must hold when several write to state at once, whichever database it is in: the laws, and one worker of each.

A law is given the address of an empty state and `at_once`, which runs workers side by side: threads here, processes of
their own in proofs/fleet, where it is PostgreSQL. Each worker opens the state for itself, as a process does.
Not for: what a single writer may expect (test_leases.py and the others).
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import select

from ecauto_pipeline.clock import ManualClock, SystemClock
from ecauto_pipeline.errors import BudgetSpent
from ecauto_pipeline.limiter import RateLimit
from ecauto_pipeline.state import leases, locks
from ecauto_pipeline.state.buckets import Buckets
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.schema import asins
from ecauto_pipeline.state.schema_notes import owner_files
from ecauto_pipeline.state.upsert import upsert
from ecauto_pipeline.state.windows import ShopWindows, windows_counted

WORKERS = 4
NAMES = [f"B{number:09d}" for number in range(800)]
BATCH = 20
WINDOW = 200
REFUSALS_EACH = 25
NOTES_EACH = 25
UPSERTS_EACH = 60
RATE_PER_S = 10.0
_NAP_S = 0.005
_NOW = datetime(2026, 1, 5, 3, tzinfo=UTC)


class AtOnce(Protocol):
    def __call__(self, worker: Callable[..., Any], *given: Sequence[object]) -> list[Any]:
        """`worker(*one)` for each of `given`, all at the same time; what they return, in order."""


def no_lease_twice(url: str, at_once: AtOnce) -> None:
    """Of 800 claims each is one worker's."""
    got = at_once(claim_all, *[(url, number) for number in range(WORKERS)])
    assert {name: 1 for name in NAMES} == dict(Counter(name for names in got for name in names))


def claim_all(url: str, number: int) -> list[str]:
    database, got = Database(url), []
    for start in range(0, len(NAMES), BATCH):
        wanted = NAMES[start : start + BATCH]
        with database.write(locks.asins(wanted)) as connection:
            got += leases.claim(connection, wanted, f"elsewhere|{number}|0|x", _NOW)
    database.close()
    return got


def a_window_grants_what_it_holds(url: str, at_once: AtOnce) -> None:
    """Two hundred calls of a window of two hundred, not one more or less."""
    assert WINDOW == sum(at_once(spend_window, *[(url,)] * WORKERS))


def spend_window(url: str) -> int:
    database, granted = Database(url), 0
    windows = ShopWindows(database, ManualClock(_NOW), "base", "a", per_hour=WINDOW, per_day=10 * WINDOW, kept=0.0)
    try:
        while True:
            windows.reserve("undo")
            granted += 1
    except BudgetSpent:
        return granted
    finally:
        database.close()


def a_window_stays_closed(url: str, at_once: AtOnce) -> None:
    """Of refusals at its edge and one after it the longest counts, in whatever order they are written down."""
    at_once(refuse, *[(url, number) for number in range(WORKERS)])
    database = Database(url)
    with database.read() as connection:
        assert [True] == [one.exhausted for one in windows_counted(connection)]
    database.close()


def refuse(url: str, number: int) -> None:
    database = Database(url)
    windows = ShopWindows(database, ManualClock(_NOW), "base", "a", per_hour=WINDOW, per_day=10 * WINDOW)
    for one in range(REFUSALS_EACH):
        after = (number, one) == (0, REFUSALS_EACH // 2)
        windows.exhausted("hour", _NOW + timedelta(minutes=6 if after else one % 5))
    database.close()


def no_note_is_lost(url: str, at_once: AtOnce) -> None:
    """Whoever adds to what is there adds to all that is there."""
    at_once(take_notes, *[(url, number) for number in range(WORKERS)])
    database = Database(url)
    with database.read() as connection:
        kept = (connection.execute(select(owner_files.c.content)).scalar() or "").split()
    database.close()
    assert WORKERS * NOTES_EACH == len(set(kept))


def take_notes(url: str, number: int) -> None:
    database = Database(url)
    for note in range(NOTES_EACH):
        with database.write() as connection:
            before = connection.execute(select(owner_files.c.content)).scalar() or ""
            upsert(connection, owner_files, [{"name": "notes", "content": f"{before} {number}.{note}"}])
    database.close()


def no_two_wait_for_each_other(url: str, at_once: AtOnce) -> None:
    """Rows that several write in whatever order are written by all of them: 240 times, nothing raised."""
    at_once(write_in_any_order, *[(url, number) for number in range(WORKERS)])


def write_in_any_order(url: str, number: int) -> None:
    database, chance = Database(url), random.Random(number)
    for _ in range(UPSERTS_EACH):
        rows = [{"asin": name, "orders_30d": 1.0} for name in chance.sample(NAMES[:40], 30)]
        with database.write(locks.run(f"run-{number}")) as connection:
            upsert(connection, asins, rows)
    database.close()


def a_bucket_keeps_its_rate(url: str, at_once: AtOnce, seconds: float) -> None:
    """Ten calls a second stay ten, whoever makes them, and few are lost but in the time in which the machine let its
    sleepers lie. How few on quiet cores: benchmarks.fetch."""
    drawn = at_once(draw, *[(url, seconds)] * WORKERS)
    times = sorted(time for left, _ in drawn for time in left)
    longest_s = times[-1] - times[0]
    overslept_s = sum(late_s for _, late_s in drawn)
    assert len(times) <= RATE_PER_S * longest_s + 1.5
    assert len(times) >= 0.9 * RATE_PER_S * (longest_s - overslept_s)


def draw(url: str, seconds: float) -> tuple[list[float], float]:
    """When calls were let through, by the machine's clock; and for how many seconds altogether somebody beside them who
    wished to wake lay on."""
    database, times = Database(url), []
    buckets, clock = Buckets(database, SystemClock()), SystemClock()
    until = clock.monotonic() + seconds
    with ThreadPoolExecutor(1) as beside, closing(database):
        overslept = beside.submit(_oversleep_s, until)
        while buckets.take("sp_1", "getItemOffers", RateLimit(RATE_PER_S, 1), until_s=until) is not None:
            times.append(time.monotonic())
        return times, overslept.result()


def _oversleep_s(until: float) -> float:
    late_s = 0.0
    while (began := time.monotonic()) < until:
        time.sleep(_NAP_S)
        late_s += max(0.0, time.monotonic() - began - 2 * _NAP_S)
    return late_s
