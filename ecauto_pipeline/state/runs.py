"""The account book of the runs: one row a run, its figures noted step by step.

A step notes what it found under its own keys; publishing turns the whole into one row of `run_metrics`.
Not for: what the figures mean (alerts/rules.py) or Dagster's own record of a run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from ecauto_pipeline.clock import from_ms, to_ms
from ecauto_pipeline.state.database import to_json
from ecauto_pipeline.state.schema import runs


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run as noted. `document` holds every figure the steps noted; times aware UTC."""

    run_id: str
    job: str
    partition_key: str
    started_at: datetime
    ended_at: datetime | None
    heartbeat_at: datetime | None
    dry_run: bool
    document: dict[str, object]


def begin(
    connection: Connection, run_id: str, job: str, partition_key: str, started_at: datetime, dry_run: bool
) -> None:
    """Open the run's row; a second call for the same run changes nothing."""
    known = connection.execute(select(runs.c.run_id).where(runs.c.run_id == run_id)).first()
    if known is None:
        connection.execute(
            insert(runs).values(
                run_id=run_id,
                job=job,
                partition_key=partition_key,
                started_at=to_ms(started_at),
                heartbeat_at=to_ms(started_at),
                dry_run=int(dry_run),
            )
        )


def note(connection: Connection, run_id: str, figures: Mapping[str, object]) -> None:
    """Merge figures into the run's document; a key noted again is replaced. Unknown run: nothing is noted."""
    text = connection.execute(select(runs.c.document).where(runs.c.run_id == run_id)).scalar()
    if text is not None:
        document = {**json.loads(text), **figures}
        connection.execute(update(runs).where(runs.c.run_id == run_id).values(document=to_json(document)))


def beat(connection: Connection, run_id: str, now: datetime) -> None:
    """Still alive."""
    connection.execute(update(runs).where(runs.c.run_id == run_id).values(heartbeat_at=to_ms(now)))


def end(connection: Connection, run_id: str, now: datetime) -> None:
    """Close the run; the first close stands."""
    connection.execute(
        update(runs).where(runs.c.run_id == run_id, runs.c.ended_at.is_(None)).values(ended_at=to_ms(now))
    )


def end_silent(connection: Connection, since: datetime) -> int:
    """Close runs that gave no sign of life since then, at their last sign; their process has gone. Returns how many."""
    silent = connection.execute(select(runs).where(runs.c.ended_at.is_(None), runs.c.heartbeat_at < to_ms(since))).all()
    for row in silent:
        note(connection, row.run_id, {"died": True})
        connection.execute(update(runs).where(runs.c.run_id == row.run_id).values(ended_at=row.heartbeat_at))
    return len(silent)


def end_at_last_sign(connection: Connection, run_id: str) -> None:
    """Close a run that is known to be over, at its last sign of life; the first close stands."""
    still_open = update(runs).where(runs.c.run_id == run_id, runs.c.ended_at.is_(None))
    connection.execute(still_open.values(ended_at=func.coalesce(runs.c.heartbeat_at, runs.c.started_at)))


def read(connection: Connection, run_id: str) -> RunRow | None:
    """The run, None where nobody began it."""
    row = connection.execute(select(runs).where(runs.c.run_id == run_id)).first()
    return _row(row) if row is not None else None


def recent(connection: Connection, limit: int = 20) -> list[RunRow]:
    """The newest runs, newest first."""
    rows = connection.execute(select(runs).order_by(runs.c.started_at.desc(), runs.c.run_id).limit(limit))
    return [_row(row) for row in rows]


def unexported(connection: Connection) -> list[RunRow]:
    """Closed runs whose row is not in history yet, oldest first."""
    query = select(runs).where(runs.c.exported == 0, runs.c.ended_at.is_not(None)).order_by(runs.c.started_at)
    return [_row(row) for row in connection.execute(query)]


def mark_exported(connection: Connection, run_id: str) -> None:
    connection.execute(update(runs).where(runs.c.run_id == run_id).values(exported=1))


def _row(row) -> RunRow:  # type: ignore[no-untyped-def]
    return RunRow(
        run_id=row.run_id,
        job=row.job,
        partition_key=row.partition_key,
        started_at=from_ms(row.started_at),
        ended_at=from_ms(row.ended_at) if row.ended_at is not None else None,
        heartbeat_at=from_ms(row.heartbeat_at) if row.heartbeat_at is not None else None,
        dry_run=bool(row.dry_run),
        document=json.loads(row.document),
    )
