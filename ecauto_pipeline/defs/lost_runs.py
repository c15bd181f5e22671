"""Runs of a fleet that were lost on their way to a worker are marked failed, so that Dagster tries them again at once.

Whoever hands runs out may die with one in hand: Redis between taking a message and passing it on, a worker's machine
before the run has begun, the daemon before it has sent it. Dagster's monitoring asks about runs that have begun; of the
others it only waits `start_timeout_seconds`. So a launcher that can tell is asked here.
Not for: runs that have begun (run monitoring), or one machine (living_runs.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg

from ecauto_pipeline.defs.living_runs import AT_ONCE, OWNER_TAG

TAKEN_WITHIN = timedelta(seconds=10)
"""A worker that is free takes a run within a moment; the sender may have had to wait for answers before it sent."""

WHY_LOST = (
    "この実行はワーカーに届く前に失われました(Redis、ワーカーのマシン、デーモンのどれかがその間に停止しました)。"
    "まだ何も始めていません。自動的に再実行されます。"
    " / This run was lost on its way to a worker (Redis, the worker's machine or the daemon stopped in between);"
    " it had not begun, and is tried again by itself."
)


def mark_lost_runs_failed(instance: dg.DagsterInstance, now: datetime) -> Sequence[str]:
    """Tell Dagster of every run that was handed out and that nobody has. Returns their ids. `now`: aware UTC."""
    starting = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTING])
    records = instance.get_run_records(starting, AT_ONCE, ascending=True)
    late = [one.dagster_run for one in records if now - _touched(one) > TAKEN_WITHIN]
    handed_out = {run.run_id: run for run in late if OWNER_TAG not in run.tags}
    ask = getattr(instance.run_launcher, "lost", None) if handed_out else None
    lost = [run_id for run_id in ask(list(handed_out)) if _still_starting(instance, run_id)] if ask is not None else []
    for run_id in lost:
        instance.report_run_failed(handed_out[run_id], WHY_LOST)
    return lost


def _touched(record: dg.RunRecord) -> datetime:
    at = record.update_timestamp
    return at.replace(tzinfo=at.tzinfo or UTC)


def _still_starting(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Asking took seconds: who has begun meanwhile is not lost."""
    run = instance.get_run_by_id(run_id)
    return run is not None and run.status == dg.DagsterRunStatus.STARTING
