"""Puts the definitions together, with whatever a test or a script wants to be different."""

from __future__ import annotations

import dagster as dg

from ecauto_pipeline.amazon.registry import registered
from ecauto_pipeline.clock import SystemClock
from ecauto_pipeline.defs.assets import ASSETS
from ecauto_pipeline.defs.by_hand import BY_HAND
from ecauto_pipeline.defs.capacity import capacity
from ecauto_pipeline.defs.history_upkeep import HISTORY_UPKEEP
from ecauto_pipeline.defs.in_process import in_process
from ecauto_pipeline.defs.jobs import SYNC_JOBS
from ecauto_pipeline.defs.order_watch import order_watch
from ecauto_pipeline.defs.partitions import first_hour, hand_to_run_processes, hours_from
from ecauto_pipeline.defs.questions import QUESTIONS
from ecauto_pipeline.defs.resources import Pipeline
from ecauto_pipeline.defs.schedules import build_schedules
from ecauto_pipeline.defs.sensors import build_sensors
from ecauto_pipeline.defs.stopping import STOPPING
from ecauto_pipeline.settings import Settings, load


def build_defs(settings: Settings | None = None, pipeline: Pipeline | None = None) -> dg.Definitions:
    """Every asset, check, job, schedule and sensor; the flow's assets by the hours since the installation.

    Raises SettingsError when ecauto.toml can't be read.
    """
    settings = settings or load()
    registered().check(settings)
    first = first_hour(settings, SystemClock().now())
    hand_to_run_processes(first)
    hours = hours_from(first)
    flow = dg.map_asset_specs(lambda spec: spec.replace_attributes(partitions_def=hours), ASSETS)
    return dg.Definitions(
        assets=[*flow, capacity],
        jobs=[*SYNC_JOBS, order_watch, *BY_HAND, *HISTORY_UPKEEP, *STOPPING, *QUESTIONS],
        schedules=build_schedules(settings),
        sensors=build_sensors(settings),
        resources={"pipeline": pipeline or Pipeline()},  # type: ignore[call-arg]  # the default is in Field(...), unseen by mypy
        executor=in_process,
    )
