"""The hours of the shop's day: one partition an hour on the Japanese wall clock, the current hour included.

Not for: what a run of an hour does (steps/).
"""

from __future__ import annotations

from datetime import datetime, timedelta

import dagster as dg

from ecauto_pipeline.clock import JST, jst

KEY_FORMAT = "%Y-%m-%d-%H:%M"
FIRST_HOUR = "2026-01-01-00:00"

HOURS = dg.HourlyPartitionsDefinition(start_date=FIRST_HOUR, timezone="Asia/Tokyo", fmt=KEY_FORMAT, end_offset=1)
"""`end_offset=1`: the hour that just began can run at :00."""

_PARTITION, _RANGE_START, _RANGE_END = (
    "dagster/partition",
    "dagster/asset_partition_range_start",
    "dagster/asset_partition_range_end",
)


def hour_key(moment: datetime) -> str:
    """The partition key of the hour that holds `moment`."""
    return jst(moment).strftime("%Y-%m-%d-%H:00")


def hour_start(key: str) -> datetime:
    """The aware beginning of an hour. Raises ValueError on anything that is no partition key."""
    return datetime.strptime(key, KEY_FORMAT).replace(tzinfo=JST)


def keys_of(tags: dict[str, str]) -> tuple[str, ...]:
    """The hours a run stands for, oldest first, from its tags: one key, a range (single-run backfill), or none."""
    if _PARTITION in tags:
        return (tags[_PARTITION],)
    if _RANGE_START in tags and _RANGE_END in tags:
        first, last = hour_start(tags[_RANGE_START]), hour_start(tags[_RANGE_END])
        hours = int((last - first) / timedelta(hours=1)) + 1
        return tuple(hour_key(first + timedelta(hours=n)) for n in range(hours))
    return ()


def bad_key(key: str, now: datetime) -> str:
    """Why `key` is no partition that can run now; "" where it is one."""
    try:
        start = hour_start(key)
    except ValueError:
        return f"{key!r} is no partition key; one looks like {hour_key(now)!r}"
    if start.minute:
        return f"{key!r} is not the beginning of an hour; did you mean {hour_key(start)!r}?"
    if start < hour_start(FIRST_HOUR) or start > now:
        return f"{key!r} is out of range: {FIRST_HOUR} to {hour_key(now)}"
    return ""
