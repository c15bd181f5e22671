"""Whether one more slice is to start now: the decision behind sensor `next_slice`.

While the hour has time and work, the next run starts early enough that its fetch begins as the fetch before it ends;
the pushes of the one overlap the fetch of the other, and for some seconds both may ask, within one rate. A small shop's
work is done in one run an hour. Not for: launching (defs/sensors.py) or planning a slice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

STARTUP_S = 30.0
"""A run needs about 10 to 25 s from launch to its first question, and the sensor looks every 10 s. Two that fetch for
some seconds at once share the rate and never the work; a gap is lost for good."""

LAST_START_S = 60.0
"""With less than this left of the hour, the next hour's own run is the next slice."""

AGAIN_AFTER = timedelta(minutes=10)
"""After a run that failed before it asked anything: the next one would hardly fare better."""

SHORTEST_S = 90.0
"""A run takes about 20 s to start; slices that are not several times as long are all starting."""

SLICES_A_PASS = 10
"""A tenth of the time that looking at everything once takes: waiting for the push then adds little to waiting to be
looked at."""


def length_s(longest_s: float, spend: Literal["due", "budget"], asins: int, asins_per_s: float) -> float:
    """How long one slice asks, at most `longest_s`.

    When no call is left idle, slices follow one another all day, and the shop learns of a change when its slice ends:
    so they are as short as a shop is small. What is only asked when due ends a slice by itself.
    """
    if spend == "due" or asins == 0 or asins_per_s <= 0:
        return longest_s
    return min(longest_s, max(SHORTEST_S, asins / asins_per_s / SLICES_A_PASS))


@dataclass(frozen=True, slots=True)
class SliceDecision:
    """`reason` is one word for the records: next_slice, or why not."""

    launch: bool
    reason: str


def decide(
    *,
    now: datetime,
    hour_start: datetime,
    last_fetch_ends_at: datetime | None,
    active: bool,
    queued: int,
    due_left: Callable[[], int],
    spend: Literal["due", "budget"],
    failed_at: datetime | None = None,
    startup_s: float = STARTUP_S,
) -> SliceDecision:
    """Launch or wait.

    `last_fetch_ends_at`: when the newest run's fetch ended or is expected to, None where it has not planned yet;
    `active`: that run is still under way; `queued`: other runs queued or under way; `due_left`: ASINs due now, counted
    only where it depends on them; `failed_at`: when the newest run ended, where it never came to its questions. A clock
    set back makes the hour seem not to have begun: wait.
    """
    hour_end = hour_start + timedelta(hours=1)
    if not hour_start <= now < hour_end:
        return SliceDecision(False, "outside_the_hour")
    if (hour_end - now).total_seconds() < LAST_START_S:
        return SliceDecision(False, "hour_nearly_over")
    if queued > 0:
        return SliceDecision(False, "another_run_waits")
    if active and last_fetch_ends_at is None:
        return SliceDecision(False, "planning")
    if active and last_fetch_ends_at is not None and now < last_fetch_ends_at - timedelta(seconds=startup_s):
        return SliceDecision(False, "fetching")
    if failed_at is not None and a_moment_ago(failed_at, now):
        return SliceDecision(False, "last_run_failed")
    if spend == "due" and due_left() <= 0:
        return SliceDecision(False, "nothing_due")
    return SliceDecision(True, "next_slice")


def a_moment_ago(failed_at: datetime, now: datetime) -> bool:
    """Whether it is too early to try again. A time that is far ahead was stamped by a clock that was wrong."""
    return abs(now - failed_at) < AGAIN_AFTER


def fetch_end(
    fetch_seconds: float | None, planned_fetch_s: float | None, started_at: datetime, slice_s: float
) -> datetime | None:
    """When a run's fetch ended or is to end: `fetch_seconds` that it took, or else `planned_fetch_s`, after its start.

    None while it has not planned. Never later than a slice after the start.
    """
    span_s = fetch_seconds if fetch_seconds is not None else planned_fetch_s
    return None if span_s is None else started_at + timedelta(seconds=min(span_s, slice_s))
