"""The hours of the shop's day: one partition an hour on the Japanese wall clock, from the installation to this hour.

The first one is kept in state.db. Until something has run there is none: a code server begins with the hour in which it
loads and hands that to its run processes, the first of which writes it down. Not for: what a run does (sync/).
"""

from __future__ import annotations

from datetime import datetime, timedelta

import dagster as dg
from dagster._core.definitions.definitions_load_context import DefinitionsLoadContext, DefinitionsLoadType

from ecauto_pipeline.clock import JST, jst
from ecauto_pipeline.settings import Settings
from ecauto_pipeline.state.installation import hour_of, look_up_first_hour

KEY_FORMAT = "%Y-%m-%d-%H:%M"
FIRST_HOUR = "ecauto/first_hour"
"""Under which a code server hands the hour it began with to the run processes it starts."""

_PARTITION, _RANGE_START, _RANGE_END = (
    "dagster/partition",
    "dagster/asset_partition_range_start",
    "dagster/asset_partition_range_end",
)


def hours_from(first: datetime) -> dg.HourlyPartitionsDefinition:
    """The partitions from the hour of `first`; `end_offset=1`: the hour that just began can run at :00."""
    return dg.HourlyPartitionsDefinition(
        start_date=hour_key(first), timezone="Asia/Tokyo", fmt=KEY_FORMAT, end_offset=1
    )


def first_hour(settings: Settings, now: datetime) -> datetime:
    """The beginning of this installation's first hour; before anything ran, what was offered, else the hour of `now`.

    Reads state.db where there is one; creates and changes nothing.
    """
    return look_up_first_hour(settings.state_url()) or _offered() or hour_of(now)


def hand_to_run_processes(first: datetime) -> None:
    """While a code server loads: leave `first` with Dagster, for the run processes that this code server starts."""
    if DefinitionsLoadContext.is_set():  # not where a script or a test loads them: `get` would ask the last instance
        DefinitionsLoadContext.get().add_to_pending_reconstruction_metadata(FIRST_HOUR, hour_key(first))


def _offered() -> datetime | None:
    """What the code server that started this run process began with."""
    if not DefinitionsLoadContext.is_set():
        return None
    load = DefinitionsLoadContext.get()
    if load.load_type is DefinitionsLoadType.INITIALIZATION:
        return None
    key = load.reconstruction_metadata.get(FIRST_HOUR)
    return hour_start(key) if key else None


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


def bad_key(key: str, first: datetime, now: datetime) -> tuple[str, str] | None:
    """Why `key` is no hour that can run now, in Japanese and in English; None where it is one. `first`: first_hour."""
    try:
        start = hour_start(key)
    except ValueError:
        example = hour_key(now)
        return (
            f"{key!r} は対象の時間ではありません（例 {example!r}）",
            f"{key!r} is no partition key; one looks like {example!r}",
        )
    if start.minute:
        return (
            f"{key!r} は時間の始まりではありません。{hour_key(start)!r} のことですか",
            f"{key!r} is not the beginning of an hour; did you mean {hour_key(start)!r}?",
        )
    if start < first or start > now:
        bounds = f"{hour_key(first)} - {hour_key(now)}"
        return (
            f"{key!r} は範囲外です。この環境の時間は {bounds} です",
            f"{key!r} is out of range: this installation's hours are {bounds}",
        )
    return None
