"""The emulator's own time: a clock handed in, plus an offset that the control plane moves.

For: rates, windows, expiry and the state of the world. Not for: real waiting (slow answers, time-outs).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ecauto_pipeline.clock import Clock


class WorldTime:
    """Now, in the emulated world."""

    def __init__(self, clock: Clock, offset_s: float = 0.0) -> None:
        self._clock = clock
        self.offset_s = offset_s

    def now(self) -> datetime:
        """This instant in the world, aware, in UTC."""
        return self._clock.now() + timedelta(seconds=self.offset_s)

    def seconds(self) -> float:
        """`now` as seconds since the epoch."""
        return self.now().timestamp()

    def set(self, moment: datetime) -> None:
        """Move the offset so that `now` is `moment`. Raises ValueError on a naive time."""
        if moment.tzinfo is None:
            raise ValueError("naive time")
        self.offset_s = (moment.astimezone(UTC) - self._clock.now()).total_seconds()
