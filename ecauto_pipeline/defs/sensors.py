"""What happens between the schedules: the next slice of an hour, and telling people how runs ended.

Each sensor is a thin shell around a pure decision (domain/freshness/slicing.py, domain/liveness.py,
alerts/rules). On by default in live mode only. Not for: what a slice does.
"""

from __future__ import annotations

from datetime import UTC, datetime

import dagster as dg

from ecauto_pipeline.alerts.announce import announce
from ecauto_pipeline.alerts.heartbeat import beat
from ecauto_pipeline.alerts.outbox import deliver
from ecauto_pipeline.alerts.rules import judge
from ecauto_pipeline.alerts.rules.runs import run_failed
from ecauto_pipeline.alerts.setup import alert_setup
from ecauto_pipeline.alerts.shapes_heard import shapes_heard
from ecauto_pipeline.alerts.silent_runs import stuck_runs
from ecauto_pipeline.defs.housekeeping import forget_old_runs
from ecauto_pipeline.defs.living_runs import ACTIVE, mark_dead_runs_failed
from ecauto_pipeline.defs.lost_runs import mark_lost_runs_failed
from ecauto_pipeline.defs.next_slice import build_next_slice
from ecauto_pipeline.defs.order_watch import build_new_orders
from ecauto_pipeline.defs.slips import classes_of, is_a_slip, is_rehearsal, subject_of
from ecauto_pipeline.doctor.silence import silences
from ecauto_pipeline.settings import Settings
from ecauto_pipeline.sync.run_record import read_record
from ecauto_pipeline.wiring.open import open_tools

LOOK_EVERY_S = 30
LOOK_FOR_LOST_EVERY_S = 10
"""In a fleet a lane goes on within a minute, whoever dies: this look is a part of it."""


def build_sensors(settings: Settings) -> list[dg.SensorDefinition]:
    """`next_slice`, `new_orders`, `alerts_after_success`, `alerts_after_failure`, `alerts_watch`, `dead_runs`,
    `old_runs`."""
    status = dg.DefaultSensorStatus.RUNNING if settings.mode == "live" else dg.DefaultSensorStatus.STOPPED

    @dg.run_status_sensor(
        run_status=dg.DagsterRunStatus.SUCCESS,
        default_status=status,
        minimum_interval_seconds=LOOK_EVERY_S,
        description="Sends what the checks of a finished run found, once a rule and change of state.",
    )
    def alerts_after_success(context: dg.RunStatusSensorContext) -> None:
        _after_run(settings, context.instance, context.dagster_run, failed=False, why="")

    @dg.run_failure_sensor(
        default_status=status,
        minimum_interval_seconds=LOOK_EVERY_S,
        description="Tells people that a run failed, and when its job is well again.",
    )
    def alerts_after_failure(context: dg.RunFailureSensorContext) -> None:
        event, run = context.failure_event, context.dagster_run
        if is_a_slip(run, classes_of(event)):
            context.log.info("%s: a person's own slip or wish, nobody is told", run.run_id)
            return
        _after_run(settings, context.instance, run, failed=True, why=event.message or "")

    @dg.sensor(
        minimum_interval_seconds=300,
        default_status=status,
        description="Looks for silence (stuck runs, nothing ran, no room), new shapes of answers, messages still owed.",
    )
    def alerts_watch(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        with open_tools(settings, offline=True) as tools:
            silent = silences(tools, daemon_at=tools.clock.now())  # whoever asks this is the daemon
            report = announce(tools, (*stuck_runs(tools), *shapes_heard(tools), *silent))
            late = deliver(tools)  # of orders, where nobody looks for new ones
        return dg.SkipReason(f"{report.sent + late.sent} messages sent, {len(report.firing)} rules firing")

    @dg.sensor(
        minimum_interval_seconds=LOOK_FOR_LOST_EVERY_S if settings.fleet.on else LOOK_EVERY_S,
        default_status=status,
        description="Marks runs failed whose process has gone (power cut, restart), with the reason.",
    )
    def dead_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        if not context.instance.get_runs_count(dg.RunsFilter(statuses=ACTIVE)):
            return dg.SkipReason("no run is under way")
        with open_tools(settings, offline=True) as tools:
            lost = mark_lost_runs_failed(context.instance, tools.clock.now()) if settings.fleet.on else ()
            dead = [*lost, *mark_dead_runs_failed(context.instance, tools)]
        return dg.SkipReason(f"{len(dead)} dead runs marked failed{''.join(f' {run_id[:8]}' for run_id in dead)}")

    @dg.sensor(
        minimum_interval_seconds=600,
        default_status=status,
        description="Removes Dagster's records of old runs beyond [logs] keep_runs; history keeps what they did.",
    )
    def old_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        return dg.SkipReason(f"{forget_old_runs(context.instance, settings.logs.keep_runs)} records removed")

    next_slice, new_orders = build_next_slice(settings, status), build_new_orders(settings, status)
    return [next_slice, new_orders, alerts_after_success, alerts_after_failure, alerts_watch, dead_runs, old_runs]


def _after_run(settings: Settings, instance: dg.DagsterInstance, run: dg.DagsterRun, *, failed: bool, why: str) -> None:
    """Either sensor looks by itself, so of two runs that ended between two looks the later may come here first."""
    with open_tools(settings, offline=True) as tools:
        with tools.state.read() as connection:  # nothing of a run that never came to its work, or has none of ours
            record = read_record(connection, run.run_id)
        judged = list(judge(record, alert_setup(tools))) if record is not None and not failed else []
        if failed or record is None or not record.dry_run:  # that a rehearsal went well proves nothing
            ended_at = _end_of(instance, run.run_id)
            judged.append(run_failed(run.run_id, subject_of(run), why, failed=failed, ended_at=ended_at))
        if announce(tools, judged, record).overtaken:
            return  # a sign of how it stood before
        dry_run = record.dry_run if record is not None else is_rehearsal(run)
        beat(tools, run.job_name, judged, failed=failed, dry_run=dry_run)


def _end_of(instance: dg.DagsterInstance, run_id: str) -> datetime | None:
    record = instance.get_run_record_by_id(run_id)
    return datetime.fromtimestamp(record.end_time, UTC) if record is not None and record.end_time is not None else None
