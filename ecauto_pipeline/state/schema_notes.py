"""The small tables of state.db: what people were told, how far work has come, what the owner's files said last,
what a person has stopped, which operations are down.

They belong to schema.py's metadata, apart for their reasons to change. Not for: facts, decisions, calls, runs.
"""

from __future__ import annotations

from sqlalchemy import Column, Integer, Table, Text

from ecauto_pipeline.state.schema import MS, metadata

notices = Table(  # alert rules: what was last said to people
    "notices",
    metadata,
    Column("rule", Text, primary_key=True),
    Column("state", Text, nullable=False),  # ok | firing
    Column("since", MS, nullable=False),
    Column("said_at", MS),
    Column("document", Text, nullable=False, server_default="{}"),
)

marks = Table(  # how far a piece of work has come
    "marks",
    metadata,
    Column("name", Text, primary_key=True),
    Column("at", MS, nullable=False),
)

owner_files = Table(  # what a file of the owner's said when it could last be read
    "owner_files",
    metadata,
    Column("name", Text, primary_key=True),  # blocklist | views
    Column("content", Text),  # NULL = never read, or nothing of it is kept
    Column("read_at", MS),
    Column("broken_since", MS),  # NULL = it can be read
)

stops = Table(  # shops that a person lets nothing be sent to
    "stops",
    metadata,
    Column("platform", Text, primary_key=True),  # "" with account_id "" = every shop
    Column("account_id", Text, primary_key=True),
    Column("since", MS, nullable=False),
    Column("who", Text, nullable=False, server_default=""),
)

operation_health = Table(  # an SP-API operation of one account that fails; one that is well has no row
    "operation_health",
    metadata,
    Column("account", Text, primary_key=True),
    Column("operation", Text, primary_key=True),
    Column("failed_calls", Integer, nullable=False, server_default="0"),
    Column("failing_since", MS),
    Column("reason", Text, nullable=False, server_default=""),
    Column("http_status", Integer),
    Column("down_since", MS),  # NULL = it is asked as usual
    Column("probe_at", MS),
    Column("probes", Integer, nullable=False, server_default="0"),
)

amazon_shapes = Table(  # answers of Amazon's that were not as documented
    "amazon_shapes",
    metadata,
    Column("operation", Text, primary_key=True),
    Column("shape", Text, primary_key=True),
    Column("first_seen_at", MS, nullable=False),
    Column("since", MS, nullable=False),
    Column("last_seen_at", MS, nullable=False),
    Column("answers", Integer, nullable=False, server_default="0"),
    Column("asins", Text, nullable=False, server_default="[]"),  # JSON: the first of them
    Column("gone_at", MS),  # a run measured it and did not meet it; NULL = it stands
    Column("accepted_at", MS),  # a person has looked at it
)

every_table = metadata
"""All tables of state.db, these and schema.py's."""
