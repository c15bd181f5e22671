"""Which operations of which SP-API account are down, since when and why, and when each is tried again.

Kept for each account, because a role can be missing for one of them; runs are short, so it outlives them all.
Not for: when an operation counts as down (domain/operation_health.py) or its rate (buckets.py).
"""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime

from sqlalchemy import Connection, RowMapping, delete, select

from ecauto_pipeline.clock import from_ms, to_ms
from ecauto_pipeline.domain.operation_health import WELL, FailedCall, OperationHealth, after_call
from ecauto_pipeline.state.schema_calls import operation_health as table
from ecauto_pipeline.state.upsert import upsert

AccountOperation = tuple[str, str]
"""An SP-API account's id and an operation's name."""

_NAMES = tuple(one.name for one in fields(OperationHealth))
_TIMES = frozenset({"failing_since", "down_since", "probe_at"})


def read_health(connection: Connection) -> dict[AccountOperation, OperationHealth]:
    """Those that are not well; whoever is missing is."""
    return {(row.account, row.operation): _from_row(row._mapping) for row in connection.execute(select(table))}


def note_call(
    connection: Connection, account: str, operation: str, failed: FailedCall | None, now: datetime
) -> OperationHealth:
    """Write down what became of one whole call (None: it was answered); the health after it. One that is well has no
    row, and nothing is written where nothing changes."""
    mine = (table.c.account == account, table.c.operation == operation)
    row = connection.execute(select(table).where(*mine)).first()
    before = WELL if row is None else _from_row(row._mapping)
    after = after_call(before, failed, now)
    if after == WELL and row is not None:
        connection.execute(delete(table).where(*mine))
    elif after != before:
        values = {name: _column(name, getattr(after, name)) for name in _NAMES}
        upsert(connection, table, [{"account": account, "operation": operation, **values}])
    return after


def _column(name: str, value: object) -> object:
    return to_ms(value) if name in _TIMES and isinstance(value, datetime) else value


def _from_row(row: RowMapping) -> OperationHealth:
    return OperationHealth(
        failed_calls=row["failed_calls"],
        failing_since=_moment(row["failing_since"]),
        reason=row["reason"],
        http_status=row["http_status"],
        down_since=_moment(row["down_since"]),
        probe_at=_moment(row["probe_at"]),
        probes=row["probes"],
    )


def _moment(at_ms: int | None) -> datetime | None:
    return None if at_ms is None else from_ms(at_ms)
