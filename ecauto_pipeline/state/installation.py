"""Since when this data folder works: one hour, written by its first run and never moved.

The hours that Dagster offers begin with it, so every process must find the same one. Not for: how far a piece of work
has come (marks.py).
"""

from __future__ import annotations

import sqlite3
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, func, inspect, make_url, select
from sqlalchemy.exc import SQLAlchemyError

from ecauto_pipeline.clock import from_ms, to_ms
from ecauto_pipeline.state.schema_notes import marks
from ecauto_pipeline.state.schema_runs import runs
from ecauto_pipeline.state.upsert import upsert

INSTALLED_AT = "installed_at"
_CONNECT_TIMEOUT_S = 5


def first_hour(connection: Connection) -> datetime | None:
    """The beginning of the first hour, aware UTC; of a folder older than the mark, that of its earliest run.

    None where nothing ever ran.
    """
    present = set(inspect(connection).get_table_names())
    for table, query in (
        (marks, select(marks.c.at).where(marks.c.name == INSTALLED_AT)),
        (runs, select(func.min(runs.c.started_at))),
    ):
        at = connection.execute(query).scalar() if table.name in present else None
        if at is not None:
            return hour_of(from_ms(at))
    return None


def remember_first_hour(connection: Connection, moment: datetime) -> None:
    """Write down the hour of `moment` as the first one, unless there is one already: it never moves."""
    upsert(connection, marks, [{"name": INSTALLED_AT, "at": to_ms(hour_of(moment))}], keep=("at",))


def look_up_first_hour(url: str) -> datetime | None:
    """`first_hour` of the state at `url`, read without creating, migrating or locking anything.

    None too where there is no database yet or it can't be read: whoever opens it to work says what is wrong.
    """
    try:
        engine = _reader(url)
        if engine is None:
            return None
        try:
            with engine.connect() as connection:
                return first_hour(connection)
        finally:
            engine.dispose()
    except (SQLAlchemyError, ModuleNotFoundError, OSError):
        return None


def hour_of(moment: datetime) -> datetime:
    """The beginning of the hour; hours begin together in Japan and in UTC."""
    return moment.replace(minute=0, second=0, microsecond=0)


def _reader(url: str) -> Engine | None:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, connect_args={"connect_timeout": _CONNECT_TIMEOUT_S})
    path = Path(parsed.database or "").absolute()
    if not path.is_file():
        return None
    address = f"{path.as_uri()}?mode=rw"  # WAL wants to be written to for reading; rw opens, and never creates
    return create_engine("sqlite://", creator=lambda: sqlite3.connect(address, uri=True, timeout=_CONNECT_TIMEOUT_S))
