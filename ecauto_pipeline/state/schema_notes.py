"""The small tables of state.db: what people were told, how far work has come, what the owner's files said last,
what a person has stopped.

They belong to schema.py's metadata, apart for their reasons to change. Not for: facts, decisions, calls, runs.
"""

from __future__ import annotations

from sqlalchemy import Column, Table, Text

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

every_table = metadata
"""All tables of state.db, these and schema.py's."""
