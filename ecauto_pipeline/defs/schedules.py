"""When the jobs run by themselves: the hourly stock run, the daily price and catalogue runs, Japanese wall clock.

On by default in live mode only. Stock and price resolve the partition of the hour they fire in; the one that comes
second finds nothing stale. The catalogue has no partitions. A machine that was off starts again by itself: Dagster asks
for the last tick it missed, and a run that died with the machine is no reason to skip (living_runs.py).
Not for: further slices of an hour (sensors.py).
"""

from __future__ import annotations

import dagster as dg

from ecauto_pipeline.defs.by_hand import catalog_refresh
from ecauto_pipeline.defs.jobs import price_sync, stock_sync
from ecauto_pipeline.defs.living_runs import ACTIVE, active_runs, is_alive
from ecauto_pipeline.defs.partitions import hour_key
from ecauto_pipeline.settings import Settings
from ecauto_pipeline.wiring.open import open_tools


def build_schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """`stock_sync_schedule`, `price_sync_schedule`, `catalog_refresh_schedule` with the cron lines of ecauto.toml."""
    return [
        _schedule(settings, "stock_sync_schedule", stock_sync.name, settings.schedules.stock, "毎時の在庫同期"),
        _schedule(settings, "price_sync_schedule", price_sync.name, settings.schedules.price, "毎日の価格同期"),
        _schedule(
            settings, "catalog_refresh_schedule", catalog_refresh.name, settings.schedules.catalog, "カタログ情報の更新"
        ),
    ]


def _schedule(settings: Settings, name: str, job_name: str, cron: str, title: str) -> dg.ScheduleDefinition:
    live = settings.mode == "live"

    @dg.schedule(
        name=name,
        job_name=job_name,
        cron_schedule=cron,
        execution_timezone=settings.timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING if live else dg.DefaultScheduleStatus.STOPPED,
        description=f"{title} ({cron}, {settings.timezone})。Skips a tick while the run before it lives and works.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if context.instance.get_runs_count(dg.RunsFilter(job_name=job_name, statuses=ACTIVE)):
            with open_tools(settings, offline=True) as tools:
                living = [one.run.run_id for one in active_runs(context.instance, tools, job_name) if is_alive(one)]
            if living:
                return dg.SkipReason(f"前の実行がまだ動いています / run {living[0][:8]} of {job_name} still works")
        key = hour_key(context.scheduled_execution_time)
        config = {"resources": {"pipeline": {"config": {"trigger": "schedule"}}}}
        partition_key = None if job_name == catalog_refresh.name else key
        return dg.RunRequest(run_key=f"{job_name}:{key}", partition_key=partition_key, run_config=config)

    return schedule
