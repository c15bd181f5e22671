"""A clock moved by hand on which no time passes while a call to Amazon is on its way.

Who waits on a `ManualClock` moves it for everybody: a call that left in its slot arrives seconds later by the
emulator's clock, the next one comes too early, and a rate that is kept looks broken.
For: laws about the rate under several workers. Not for: an emulator that itself lets this clock pass.
"""

from __future__ import annotations

import sys
import threading
from datetime import timedelta
from types import FrameType

from ecauto_pipeline.amazon.wire import Wire
from ecauto_pipeline.clock import ManualClock

_EXCHANGE = Wire.request.__code__
_LOOK_EVERY_S = 0.001


class StandingClock(ManualClock):
    """`advance` and `sleep` move it once nothing is on its way. Safe to share between threads."""

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass (>= 0)."""
        answered = threading.Event()
        while not self._moved(seconds):
            answered.wait(_LOOK_EVERY_S)  # nobody tells: the answer is on a socket

    def _moved(self, seconds: float) -> bool:
        """Who sends reads the time inside the exchange and under this lock: it is seen here, or leaves afterwards."""
        with self._lock:
            if _on_the_way():
                return False
            self._now += timedelta(seconds=seconds)
            self._monotonic += seconds
            return True


def _on_the_way() -> bool:
    """Whether any thread is within an exchange."""
    for frame in sys._current_frames().values():
        at: FrameType | None = frame
        while at is not None:
            if at.f_code is _EXCHANGE:
                return True
            at = at.f_back
    return False
