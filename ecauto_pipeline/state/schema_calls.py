"""The tables of state.db about calling: what was called, how much may be, who works on what, what is down or odd.

They belong to schema.py's metadata. Not for: what an answer says (schema.py).
"""

from __future__ import annotations

from sqlalchemy import Column, Float, Integer, Table, Text

from ecauto_pipeline.state.schema import MS, metadata, text_column

api_calls = Table(
    "api_calls",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("call_id", Text, nullable=False, unique=True),
    Column("run_id", Text, nullable=False, index=True),
    Column("api", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("started_at", MS, nullable=False),
    Column("duration_ms", Integer),
    Column("items", Integer),
    Column("http_status", Integer),
    Column("outcome", Text, nullable=False),
    text_column("error"),
    text_column("request_id"),
    Column("rate_limit", Float),
)


buckets = Table(  # token bucket of one operation of one SP-API account
    "buckets",
    metadata,
    Column("account", Text, primary_key=True),
    Column("operation", Text, primary_key=True),
    Column("rate_per_s", Float, nullable=False),
    Column("burst", Float, nullable=False),
    Column("tokens", Float, nullable=False),
    Column("updated_at", MS, nullable=False),
    Column("next_at", MS),
    Column("advertised_per_s", Float),
    Column("refused_at", MS),
    text_column("document"),  # limiter's own further figures, JSON
)


windows = Table(  # calls of one shop in one clock hour or day
    "windows",
    metadata,
    Column("platform", Text, primary_key=True),
    Column("account_id", Text, primary_key=True),
    Column("span", Text, primary_key=True),  # hour | day
    Column("starts_at", MS, primary_key=True),
    Column("calls", Integer, nullable=False, server_default="0"),
    Column("edits", Integer, nullable=False, server_default="0"),
    Column("exhausted", Integer, nullable=False, server_default="0"),  # 1 = to its end; n = n s from its start
    Column("last_call_at", MS),
)


leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("expires_at", MS, nullable=False),
    Column("heartbeat_at", MS, nullable=False),
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
