"""When the jobs run by themselves: the hourly stock run, the daily price and catalogue runs, Japanese wall clock.

On by default in live mode only. Each lane gets a run of its own. Stock and price resolve the partition of the hour they
fire in; the one that comes second finds nothing stale. The catalogue has no partitions. A machine that was off starts
again by itself: Dagster asks for the last tick it missed, and a run that died with the machine is no reason to skip
(living_runs.py).
What a stock tick passes over since the run before it still works begins as that run ends (next_slice.py),
and the hour's run that died before it opened its record is begun again there.
Not for: further slices of an hour (sensors.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from ecauto_pipeline.defs.by_hand import catalog_refresh
from ecauto_pipeline.defs.history_upkeep import compact_history, publish_history
from ecauto_pipeline.defs.jobs import price_sync, stock_sync
from ecauto_pipeline.defs.lanes import config_of, tags_of
from ecauto_pipeline.defs.living_runs import ACTIVE, LivingRun, active_runs, stands_before
from ecauto_pipeline.defs.partitions import hour_key
from ecauto_pipeline.defs.run_keys import tick_key
from ecauto_pipeline.domain.lanes import Lane
from ecauto_pipeline.settings import Settings
from ecauto_pipeline.sync.stale_asins.passed_over import note_passed_over
from ecauto_pipeline.wiring.lanes import working_lanes
from ecauto_pipeline.wiring.open import open_tools


def build_schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """`stock_sync_schedule`, `price_sync_schedule`, `catalog_refresh_schedule` with the cron lines of ecauto.toml;
    `compact_history_schedule` where it has one, and `publish_history_schedule` in a fleet."""
    upkeep = {compact_history.name: settings.history.compact}
    if settings.fleet.on:
        upkeep[publish_history.name] = settings.history.publish
    return [
        _schedule(settings, "stock_sync_schedule", stock_sync.name, settings.schedules.stock, "毎時の在庫同期"),
        _schedule(settings, "price_sync_schedule", price_sync.name, settings.schedules.price, "毎日の価格同期"),
        _schedule(
            settings, "catalog_refresh_schedule", catalog_refresh.name, settings.schedules.catalog, "カタログ情報の更新"
        ),
        *(_upkeep(settings, name, cron) for name, cron in upkeep.items() if cron),
    ]


def _upkeep(settings: Settings, job_name: str, cron: str) -> dg.ScheduleDefinition:
    """A job beside the line; a tick while the one before it works is skipped."""
    live = settings.mode == "live"

    @dg.schedule(
        name=f"{job_name}_schedule",
        job_name=job_name,
        cron_schedule=cron,
        execution_timezone=settings.timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING if live else dg.DefaultScheduleStatus.STOPPED,
        description=f"履歴の手入れ ({cron}, {settings.timezone})。Skips a tick while the run before it works.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if context.instance.get_runs_count(dg.RunsFilter(job_name=job_name, statuses=ACTIVE)):
            return dg.SkipReason(f"前の実行がまだ動いています / the run of {job_name} before this one still works")
        return dg.RunRequest(run_key=f"{job_name}:{context.scheduled_execution_time.isoformat()}")

    return schedule


def _schedule(settings: Settings, name: str, job_name: str, cron: str, title: str) -> dg.ScheduleDefinition:
    live, lanes = settings.mode == "live", working_lanes(settings)

    @dg.schedule(
        name=name,
        job_name=job_name,
        cron_schedule=cron,
        execution_timezone=settings.timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING if live else dg.DefaultScheduleStatus.STOPPED,
        description=f"{title} ({cron}, {settings.timezone})。Skips a tick while the run before it lives and works.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason | list[dg.RunRequest]:
        active: Sequence[LivingRun] = ()
        free = list(lanes)
        if context.instance.get_runs_count(dg.RunsFilter(job_name=job_name, statuses=ACTIVE)):
            with open_tools(settings, offline=True) as tools:
                active = active_runs(context.instance, tools, job_name)
                free = [lane for lane in lanes if not any(stands_before(one, lane.id) for one in active)]
                if job_name == stock_sync.name and len(free) < len(lanes):
                    with tools.state.write() as connection:
                        busy = [lane.id for lane in lanes if lane not in free]
                        note_passed_over(connection, busy, context.scheduled_execution_time)
        if lanes and not free:
            run_id = active[0].run.run_id[:8]
            return dg.SkipReason(f"前の実行がまだ動いています / run {run_id} of {job_name} still works")
        key = hour_key(context.scheduled_execution_time)
        asked = [_run_in(settings, lane, job_name, key) for lane in free]
        return asked[0] if len(asked) == 1 else asked

    return schedule


def _run_in(settings: Settings, lane: Lane, job_name: str, key: str) -> dg.RunRequest:
    """`key`: the hour of the tick."""
    return dg.RunRequest(
        run_key=tick_key(job_name, key, lane),
        partition_key=None if job_name == catalog_refresh.name else key,
        run_config={"resources": {"pipeline": {"config": {"trigger": "schedule", **config_of(lane)}}}},
        tags=tags_of(lane, fleet=settings.fleet.on),
    )
