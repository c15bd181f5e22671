"""Buckets shared by threads, processes and restarts."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event

from ecauto_pipeline.clock import ManualClock, SystemClock
from ecauto_pipeline.errors import Stopped
from ecauto_pipeline.limiter import RateLimit
from ecauto_pipeline.state.buckets import Buckets
from ecauto_pipeline.state.database import Database

_LIMIT = RateLimit(0.1, 1)
_START = datetime(2026, 1, 5, 3, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(f"sqlite:///{tmp_path / 'state.db'}")


def test_calls_are_an_interval_apart(database: Database) -> None:
    """The first call goes at once, each further one an interval later."""
    clock = ManualClock(_START)
    buckets, times = Buckets(database, clock), []
    for _ in range(4):
        buckets.take("sp_1", "getItemOffersBatch", _LIMIT)
        times.append(clock.monotonic())
    gaps = [b - a for a, b in itertools.pairwise(times)]
    assert 0.0 == times[0]
    assert all(10.0 <= gap <= 10.3 for gap in gaps)


def test_the_next_allowed_time_survives_a_restart(database: Database) -> None:
    """A new process on the same clock waits for the rest of the interval."""
    clock = ManualClock(_START)
    Buckets(database, clock, "boot").take("sp_1", "op", _LIMIT)
    clock.advance(4)
    Buckets(database, clock, "boot").take("sp_1", "op", _LIMIT)
    assert 10.0 <= clock.monotonic() <= 10.3


def test_after_a_reboot_the_wall_clock_tells_what_passed(database: Database) -> None:
    """A monotonic clock that begins anew grants neither a free call nor a long wait."""
    Buckets(database, ManualClock(_START), "boot-1").take("sp_1", "op", _LIMIT)
    clock = ManualClock(_START + timedelta(seconds=7))
    Buckets(database, clock, "boot-2").take("sp_1", "op", _LIMIT)
    assert 3.0 <= clock.monotonic() <= 3.3


@pytest.mark.parametrize("jump", [timedelta(days=-400), timedelta(hours=-1), timedelta(hours=1), timedelta(days=400)])
def test_a_clock_that_is_set_moves_no_slot(database: Database, jump: timedelta) -> None:
    """Setting the wall clock back or ahead neither lets a call through early nor holds one up."""
    clock = ManualClock(_START)
    buckets = Buckets(database, clock, "boot")
    buckets.take("sp_1", "op", _LIMIT)
    clock.set(_START + jump)
    buckets.take("sp_1", "op", _LIMIT)
    assert 10.0 <= clock.monotonic() <= 10.3


def test_a_slot_after_the_deadline_is_neither_given_nor_taken(database: Database) -> None:
    """None when the slot would come too late, and the next caller finds it untouched."""
    clock = ManualClock(_START)
    buckets = Buckets(database, clock)
    assert buckets.take("sp_1", "op", _LIMIT, until_s=5.0) is not None
    assert buckets.take("sp_1", "op", _LIMIT, until_s=5.0) is None
    assert 0.0 == clock.monotonic()
    buckets.take("sp_1", "op", _LIMIT)
    assert clock.monotonic() <= 10.3


def test_each_account_and_operation_has_its_own_bucket(database: Database) -> None:
    """Calls of one never hold up another."""
    clock = ManualClock(_START)
    buckets = Buckets(database, clock)
    for account in ("sp_1", "sp_2"):
        for operation in ("getItemOffers", "getItemOffersBatch"):
            buckets.take(account, operation, _LIMIT)
    assert 0.0 == clock.monotonic()


def test_a_stop_ends_the_wait(database: Database) -> None:
    """Whoever is asked to end while waiting leaves within a moment."""
    buckets, stop = Buckets(database, SystemClock()), threading.Event()
    buckets.take("sp_1", "op", _LIMIT)
    timer = threading.Timer(0.05, stop.set)
    timer.start()
    with pytest.raises(Stopped):
        buckets.take("sp_1", "op", _LIMIT, stop=stop)
    timer.join()


def test_the_advertised_rate_is_remembered_and_a_refusal_too(database: Database) -> None:
    """The pace learned by one process is the pace of the next."""
    clock = ManualClock(_START)
    buckets = Buckets(database, clock)
    permit = buckets.take("sp_1", "op", _LIMIT)
    assert permit is not None
    buckets.answered("sp_1", "op", _LIMIT, 0.5, permit, clock.monotonic(), clock.monotonic())
    assert 0.5 == Buckets(database, clock).peek("sp_1", "op", _LIMIT).rate_per_s
    permit = buckets.take("sp_1", "op", _LIMIT)
    assert permit is not None
    for _ in range(2):
        buckets.refused("sp_1", "op", _LIMIT, permit)
        permit = buckets.take("sp_1", "op", _LIMIT)
        assert permit is not None
    assert 0.25 == Buckets(database, clock).peek("sp_1", "op", _LIMIT).rate_per_s


def test_whoever_only_wants_to_know_the_pace_asks_nobody(database: Database) -> None:
    """What this process saw last, its own changes included; what others changed shows with its next slot."""
    clock, asked = ManualClock(_START), Counter[str]()
    ours, others = Buckets(database, clock), Buckets(database, clock)
    assert 0.1 == ours.last_seen("sp_1", "op", _LIMIT).rate_per_s
    permit = ours.take("sp_1", "op", _LIMIT)
    assert permit is not None
    ours.answered("sp_1", "op", _LIMIT, 0.5, permit, clock.monotonic(), clock.monotonic())
    others.answered("sp_1", "op", _LIMIT, 0.25, permit, clock.monotonic(), clock.monotonic())
    event.listen(database.engine, "before_execute", lambda *_: asked.update(["statements"]))
    assert 0.5 == ours.last_seen("sp_1", "op", _LIMIT).rate_per_s
    assert 0 == asked["statements"]
    ours.take("sp_1", "op", _LIMIT)
    assert 0.25 == ours.last_seen("sp_1", "op", _LIMIT).rate_per_s


def test_another_rate_in_the_settings_starts_anew(database: Database) -> None:
    """Limits are data: what the owner writes is the start, until the API says otherwise."""
    buckets = Buckets(database, ManualClock(_START))
    permit = buckets.take("sp_1", "op", _LIMIT)
    assert permit is not None
    buckets.answered("sp_1", "op", _LIMIT, 0.5, permit, 0.0, 0.0)
    assert 0.05 == buckets.peek("sp_1", "op", RateLimit(0.05, 1)).rate_per_s


def test_threads_and_databases_of_several_processes_share_the_rate(database: Database) -> None:
    """Four callers with their own connections never get more calls than the rate allows since the first could begin."""
    limit, starts, lock = RateLimit(40.0, 1), [], threading.Lock()

    def caller() -> None:
        own = Database(str(database.url))
        buckets = Buckets(own, SystemClock())
        for _ in range(8):
            buckets.take("sp_1", "op", limit)
            with lock:
                starts.append(SystemClock().monotonic())
        own.close()

    began = SystemClock().monotonic()
    threads = [threading.Thread(target=caller) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 32 == len(starts)
    assert max(starts) - began >= 31 / 40.0 * 0.98


class _Machine(ManualClock):
    """One of several machines in one world: its wall clock is wrong by `wrong_s`, its monotonic one began at will."""

    def __init__(self, world: ManualClock, wrong_s: float, began_s: float) -> None:
        super().__init__(_START)
        self._world, self._wrong, self._began_s = world, timedelta(seconds=wrong_s), began_s

    def now(self) -> datetime:
        return self._world.now() + self._wrong

    def monotonic(self) -> float:
        return self._world.monotonic() + self._began_s

    def sleep(self, seconds: float, wake: threading.Event | None = None) -> bool:
        return self._world.sleep(seconds, wake)


def test_machines_whose_clocks_differ_by_minutes_keep_one_rate(database: Database) -> None:
    """By the clock of the server that both ask: never a call too early, and hardly any time lost."""
    world = ManualClock(_START)
    machines = [_Machine(world, 180.0, 5e5), _Machine(world, -240.0, 17.0)]
    both = [Buckets(database, one, "server", lambda: world.now().timestamp()) for one in machines]
    times = []
    for number in range(100):
        both[number * 7 % 3 % 2].take("sp_1", "op", _LIMIT)
        times.append(world.monotonic())
    gaps = [b - a for a, b in itertools.pairwise(times)]
    assert min(gaps) >= 10.0
    assert 99 / (times[-1] - times[0]) >= 0.97 * _LIMIT.rate_per_s
