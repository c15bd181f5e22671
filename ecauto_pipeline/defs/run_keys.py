"""Run keys, by which Dagster begins nothing twice: the key of a tick's run, and the one under which to try again.

Dagster passes over a key for good once there is a run of it, also where that died before it opened its record (its
process was killed as it started, ecauto.toml was half written, state.db could not be opened) and the retry as well.
Not for: whether a run is wanted (sync/stale_asins/next_slice.py).
"""

from __future__ import annotations

from datetime import UTC, datetime

import dagster as dg
from dagster._core.storage.tags import RUN_KEY_TAG

from ecauto_pipeline.domain.freshness.slicing import a_moment_ago
from ecauto_pipeline.domain.lanes import Lane

_IN_VAIN = (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)


def tick_key(job_name: str, hour: str, lane: Lane) -> str:
    """Of the run that a schedule asks for. `hour`: of the tick. Where there is one lane the key does without it, as it
    was before there were lanes: what was asked for by an earlier version is not asked for again."""
    return f"{job_name}:{hour}" if lane.whole else f"{job_name}:{hour}:{lane.id}"


def died(instance: dg.DagsterInstance, key: str, now: datetime) -> bool:
    """Whether there were runs of this key, all of them are over in vain, and it is time to try again."""
    ended_at = _over_in_vain_at(instance, key)
    return ended_at is not None and not a_moment_ago(ended_at, now)


def free_key(instance: dg.DagsterInstance, key: str, now: datetime) -> str | None:
    """The key of the next try at what nobody has a record of: `key`, then `key:2`, ...; None = too early for one."""
    name, tries, failed_at = key, 1, None
    while (ended_at := _over_in_vain_at(instance, name)) is not None:
        tries += 1
        name, failed_at = f"{key}:{tries}", ended_at
    return None if failed_at is not None and a_moment_ago(failed_at, now) else name


def _over_in_vain_at(instance: dg.DagsterInstance, key: str) -> datetime | None:
    """When the last run of the key (its retries have the same) ended; None where there is none, or one that works or
    went well: those are Dagster's to know."""
    records = instance.get_run_records(dg.RunsFilter(tags={RUN_KEY_TAG: key}))
    if not records or any(one.dagster_run.status not in _IN_VAIN for one in records):
        return None
    return max(_ended_at(one) for one in records)


def _ended_at(record: dg.RunRecord) -> datetime:
    if record.end_time is not None:
        return datetime.fromtimestamp(record.end_time, UTC)
    return record.update_timestamp.replace(tzinfo=record.update_timestamp.tzinfo or UTC)
