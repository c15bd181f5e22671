"""Puts the definitions together, with whatever a test or a script wants to be different."""

from __future__ import annotations

import dagster as dg

from ecauto_pipeline.defs.assets import ASSETS
from ecauto_pipeline.defs.by_hand import BY_HAND
from ecauto_pipeline.defs.capacity import capacity
from ecauto_pipeline.defs.jobs import SYNC_JOBS
from ecauto_pipeline.defs.questions import QUESTIONS
from ecauto_pipeline.defs.resources import Pipeline
from ecauto_pipeline.defs.schedules import build_schedules
from ecauto_pipeline.defs.sensors import build_sensors
from ecauto_pipeline.settings import Settings, load


def build_defs(settings: Settings | None = None, pipeline: Pipeline | None = None) -> dg.Definitions:
    """Every asset, check, job, schedule and sensor. Raises SettingsError when ecauto.toml can't be read."""
    settings = settings or load()
    return dg.Definitions(
        assets=[*ASSETS, capacity],
        jobs=[*SYNC_JOBS, *BY_HAND, *QUESTIONS],
        schedules=build_schedules(settings),
        sensors=build_sensors(settings),
        resources={"pipeline": pipeline or Pipeline()},  # type: ignore[call-arg]
        executor=dg.in_process_executor,
    )
