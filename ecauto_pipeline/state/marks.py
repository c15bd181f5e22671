"""How far a piece of work has come, by name: a time up to which everything is done.

Not for: claims on work (leases.py).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from ecauto_pipeline.clock import from_ms, to_ms
from ecauto_pipeline.state.schema_notes import marks
from ecauto_pipeline.state.upsert import upsert


def read_mark(connection: Connection, name: str) -> datetime | None:
    """The time of this mark, None where it was never set."""
    at = connection.execute(select(marks.c.at).where(marks.c.name == name)).scalar()
    return None if at is None else from_ms(at)


def set_mark(connection: Connection, name: str, at: datetime) -> None:
    upsert(connection, marks, [{"name": name, "at": to_ms(at)}])
