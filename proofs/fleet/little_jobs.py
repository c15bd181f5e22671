"""A code location for tests of the launcher: one job that works until it is told to end, and writes down who works, and
the look for runs that were lost on their way, as sensor `dead_runs` of a fleet takes it.

Not for: anything about shops.
"""

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
from sqlalchemy import create_engine, text

from ecauto_pipeline.defs.lost_runs import mark_lost_runs_failed
from ecauto_pipeline.defs.sensors import LOOK_FOR_LOST_EVERY_S

STEPS_S = 0.2


@dg.op
def work(context: dg.OpExecutionContext) -> None:
    """A line of its pid every STEPS_S in WORK/<run>.beats, until WORK/<run>.end is there; tagged `asks_postgresql`,
    each beat asks PostgreSQL something over one connection, as a run does whose state is there."""
    folder = Path(os.environ["WORK"])
    engine = create_engine(os.environ["ECAUTO_DAGSTER_POSTGRES_URL"])
    with engine.connect() as connection, (folder / f"{context.run_id}.beats").open("a", encoding="utf-8") as beats:
        while not (folder / f"{context.run_id}.end").exists():
            print(os.getpid(), file=beats, flush=True)
            if "asks_postgresql" in context.run.tags:
                connection.execute(text("SELECT 1"))
            time.sleep(STEPS_S)


@dg.job(executor_def=dg.in_process_executor)
def working() -> None:
    work()


@dg.sensor(minimum_interval_seconds=LOOK_FOR_LOST_EVERY_S, default_status=dg.DefaultSensorStatus.RUNNING)
def lost_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    return dg.SkipReason(f"{len(mark_lost_runs_failed(context.instance, datetime.now(UTC)))} lost")


defs = dg.Definitions(jobs=[working], sensors=[lost_runs])
