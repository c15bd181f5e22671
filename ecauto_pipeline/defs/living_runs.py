"""Which of the runs that Dagster calls queued or under way are alive; the dead ones are marked failed, with the reason.

Dagster believes a run until somebody reports its end, and after a power cut nobody does. So every place that asks
"does a run before this one still work?" asks here: schedules, `next_slice`, the command line, `ecauto dev`.
Not for: the decision (domain/liveness.py) or finding a process (state/owner.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg
import psutil
from sqlalchemy import Connection

from ecauto_pipeline.clock import jst
from ecauto_pipeline.defs.lanes import lane_id
from ecauto_pipeline.domain.lanes import meets
from ecauto_pipeline.domain.liveness import Life, Process, Signs, life_of, stands_in_the_way, why_dead
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.state.owner import may_be_elsewhere, process_of, process_seen
from ecauto_pipeline.sync.context import Tools

OWNER_TAG = "ecauto/owner"
"""Who executes a run of the command line, known before the run opens its record."""

ON_ANOTHER_MACHINE = ("dagster-celery/task_id", "dagster/image")
"""Tags that Dagster's launchers of a fleet leave: a process number in such a run's events is one of another machine."""

NO_PROCESS_YET = (dg.DagsterRunStatus.QUEUED,)
ACTIVE = [
    *NO_PROCESS_YET,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]
AT_ONCE, AND_A_LANE = 200, 10
"""Records looked at in one go, oldest first: a queue is never so long, and a look has to end."""


@dataclass(frozen=True, slots=True)
class LivingRun:
    """A run that Dagster shows as queued or under way, and what is known of it. `last_sign_at`: aware UTC."""

    run: dg.DagsterRun
    life: Life
    last_sign_at: datetime


def is_alive(run: LivingRun) -> bool:
    """Whether somebody works on the run, or it waits its turn: only then is it a reason to wait."""
    return stands_in_the_way(run.life)


def stands_before(run: LivingRun, lane: str) -> bool:
    """Whether the run is alive and works on shops of this lane (its id): its own runs do, and those of the whole."""
    return is_alive(run) and meets(lane_id(run.run), lane)


def active_runs(instance: dg.DagsterInstance, tools: Tools, job_name: str | None = None) -> Sequence[LivingRun]:
    """Every run that Dagster shows as queued or under way, of one job or of all, the oldest first."""
    most = AT_ONCE + AND_A_LANE * len(tools.settings.lanes)
    records = instance.get_run_records(dg.RunsFilter(job_name=job_name, statuses=ACTIVE), most, ascending=True)
    with tools.state.read() as connection:
        return [_look(instance, record, connection, tools.clock.now()) for record in records]


def mark_dead_runs_failed(instance: dg.DagsterInstance, tools: Tools) -> Sequence[str]:
    """Tell Dagster of every run whose process has gone that it failed, and why. Returns their ids."""
    dead = [one for one in active_runs(instance, tools) if one.life == "dead"]
    for one in dead:
        instance.report_run_failed(one.run, why_dead(f"{jst(one.last_sign_at):%Y-%m-%d %H:%M}"))
        with tools.state.write() as connection:
            run_book.end_at_last_sign(connection, one.run.run_id)
    return [one.run.run_id for one in dead]


def _look(instance: dg.DagsterInstance, record: dg.RunRecord, connection: Connection, now: datetime) -> LivingRun:
    signs = _signs(instance, record, connection)
    return LivingRun(record.dagster_run, life_of(signs, now), signs.last_sign_at)


def _signs(instance: dg.DagsterInstance, record: dg.RunRecord, connection: Connection) -> Signs:
    run = record.dagster_run
    updated = record.update_timestamp.replace(tzinfo=record.update_timestamp.tzinfo or UTC)
    if run.status in NO_PROCESS_YET:
        return Signs("unknown", updated, queued=True)
    kept = run_book.read(connection, run.run_id)
    heard_at = max(updated, kept.heartbeat_at or kept.started_at) if kept is not None else updated
    owner = kept.owner if kept is not None and kept.owner else run.tags.get(OWNER_TAG, "")
    if owner:
        return Signs(process_of(owner), heard_at)
    if may_be_elsewhere(connection) or any(tag in run.tags for tag in ON_ANOTHER_MACHINE):
        return Signs("unknown", heard_at)  # its launcher asks the machines (run monitoring)
    process: Process = "unknown"
    for pid, seen_at in _processes(instance, run.run_id):
        process, heard_at = process_seen(pid, seen_at), max(heard_at, seen_at)
    return Signs(process, heard_at, host_up_since=datetime.fromtimestamp(psutil.boot_time(), UTC))


def _processes(instance: dg.DagsterInstance, run_id: str) -> Iterator[tuple[int, datetime]]:
    """Number of the process, and when it said so, of every event of Dagster's that names one; the newest last."""
    for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT):
        named = re.search(r"\(pid: (\d+)\)", entry.message)
        if named:
            yield int(named[1]), datetime.fromtimestamp(entry.timestamp, UTC)
