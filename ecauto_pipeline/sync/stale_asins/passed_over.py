"""A tick of the hourly run that found the run before it at work, lane by lane: the hour's first run is still owed.

A run may last past the full hour, by a moment or by hours. Its tick starts nothing then, and without a note of it
nobody would begin the hour. Not for: whether to begin now (next_slice.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection

from ecauto_pipeline.state.marks import read_mark, set_mark

OWED_FOR = timedelta(days=1)
"""After that nobody makes up for a tick: the schedule was switched off since, or the machine."""


def note_passed_over(connection: Connection, lanes: Iterable[str], tick: datetime) -> None:
    """Nothing was started in these lanes, by id, at this tick."""
    for lane in lanes:
        set_mark(connection, _name(lane), tick)


def tick_owed(connection: Connection, lane: str, now: datetime) -> datetime | None:
    """The tick that was passed over last in this lane, None where there was none of late."""
    tick = read_mark(connection, _name(lane))
    return tick if tick is not None and now - OWED_FOR <= tick <= now else None


def _name(lane: str) -> str:
    return f"tick_passed_over:{lane}"
