"""Time, as the program sees it: aware UTC inside, JST at the edges, and a clock that can be moved by hand.

Everything that waits or stamps takes a `Clock` by its constructor, so that a test or a simulation replays a week
in seconds. Not for: schedules (Dagster's) or formats of other systems (their parsers').
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

JST = ZoneInfo("Asia/Tokyo")
AHEAD = timedelta(minutes=5)
"""A stamp that lies further ahead than clocks of machines differ is of a clock that was set back since: no proof."""


class Clock(Protocol):
    """The three things anybody may ask of time."""

    def now(self) -> datetime:
        """This instant, aware, in UTC. May jump when the machine's clock is set."""

    def monotonic(self) -> float:
        """Seconds that never go back; only differences mean something."""

    def sleep(self, seconds: float, wake: threading.Event | None = None) -> bool:
        """Wait. Returns True when `wake` was set before the time was over (stop what you are doing)."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float, wake: threading.Event | None = None) -> bool:
        if wake is None:
            time.sleep(max(0.0, seconds))
            return False
        return wake.wait(max(0.0, seconds))


class ManualClock:
    """A clock moved by hand; `sleep` moves it to the end of the wait at once. Safe to share between threads."""

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError("a clock starts at an aware time")
        self._lock = threading.Lock()
        self._now = start.astimezone(UTC)
        self._monotonic = 0.0

    def now(self) -> datetime:
        with self._lock:
            return self._now

    def monotonic(self) -> float:
        with self._lock:
            return self._monotonic

    def sleep(self, seconds: float, wake: threading.Event | None = None) -> bool:
        if wake is not None and wake.is_set():
            return True
        self.advance(max(0.0, seconds))
        return False

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass (>= 0)."""
        if seconds < 0:
            raise ValueError("time passes forwards; use set() for a clock change")
        with self._lock:
            self._now += timedelta(seconds=seconds)
            self._monotonic += seconds

    def set(self, moment: datetime) -> None:
        """A clock change, forwards or back: `now` jumps, `monotonic` does not."""
        with self._lock:
            self._now = moment.astimezone(UTC)


def to_ms(moment: datetime) -> int:
    """Milliseconds since the epoch, the form in which state.db keeps time. Raises ValueError on a naive time."""
    if moment.tzinfo is None:
        raise ValueError("naive time")
    return round(moment.timestamp() * 1000)


def from_ms(milliseconds: int) -> datetime:
    """The aware UTC time of `to_ms`."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def jst(moment: datetime) -> datetime:
    """The same instant on a Japanese wall clock."""
    return moment.astimezone(JST)
