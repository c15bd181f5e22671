"""A code location for tests of the launcher: one job that works until it is told to end, and writes down who works.

Not for: anything about shops.
"""

import os
import time
from pathlib import Path

import dagster as dg
from sqlalchemy import create_engine, text

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


defs = dg.Definitions(jobs=[working])
