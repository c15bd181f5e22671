"""The tables of state.db about runs: each run, what its steps report of themselves, what is to be asked.

They belong to schema.py's metadata. Not for: what a run decides or sends (schema.py).
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table, Text

from ecauto_pipeline.state.schema import MS, metadata, text_column

runs = Table(  # one row a run
    "runs",
    metadata,
    Column("run_id", Text, primary_key=True),
    Column("job", Text, nullable=False),
    text_column("partition_key"),
    Column("started_at", MS, nullable=False),
    Column("ended_at", MS),
    Column("heartbeat_at", MS),
    Column("dry_run", Integer, nullable=False, server_default="0"),
    Column("exported", Integer, nullable=False, server_default="0"),
    text_column("owner"),  # host, process id and start of whoever works on it
    text_column("stop_by"),  # who asked it to end, "" = nobody
    text_column("lane"),  # whose shops it works on, "" = begun before there were lanes
    Index("ix_runs_lane", "lane", "started_at"),
    Index("ix_runs_started_at", "started_at"),  # the newest, the oldest
    Index("ix_runs_hour", "partition_key"),
    Index("ix_runs_ended_at", "ended_at"),  # who is under way
    Index("ix_runs_exported", "exported", "started_at"),
)


run_sections = Table(  # what each step of a run reports of itself
    "run_sections",
    metadata,
    Column("run_id", Text, primary_key=True),
    Column("section", Text, primary_key=True),
    Column("document", Text, nullable=False),  # JSON; the shape is the step's own
)


plans = Table(  # what is to be asked in one hour, lane and scope; whoever gets to it takes it up
    "plans",
    metadata,
    Column("plan_id", Text, primary_key=True),
    Column("run_id", Text, nullable=False, index=True),  # who made it
    text_column("partition_key"),
    text_column("lane"),
    text_column("scope"),  # JSON: accounts, max_items
    Column("made_at", MS, nullable=False),
    Column("left_over", Integer, nullable=False, server_default="0"),  # due, and more than fits
    Column("finished_at", MS),  # NULL = something may still be unasked
    Index("ix_plans_hour", "partition_key", "lane", "made_at"),
)


lane_leases = Table(  # who works on a lane of a fleet, under which number
    "lane_leases",
    metadata,
    Column("lane", Text, primary_key=True),
    Column("number", Integer, nullable=False),  # rises with each claim, never falls
    Column("run_id", Text, nullable=False),
    text_column("owner"),  # "" = nobody works on it now
    Column("expires_at", MS, nullable=False),
    Column("heartbeat_at", MS, nullable=False),
)


plan_targets = Table(
    "plan_targets",
    metadata,
    Column("plan_id", Text, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("asin", Text, nullable=False),
    Column("operation", Text, nullable=False),  # detail | sweep
    text_column("reason"),  # new | error | second_look | filtered_look|changed|price_due|stock_due|audit|cadence
    text_column("tier"),
)
