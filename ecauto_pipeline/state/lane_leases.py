"""Who works on a lane of a fleet: one run at a time, each with a number that is one higher than the last.

A run that was marked failed may still live, and one that was stopped wakes up. So the number decides: whoever takes a
lane over raises it, and what still runs under an older one writes and sends nothing more (sync/lane_lease.py). A claim
waits for writes under way, because each of them shares the lane's name (locks.py). The lane of every shop and any other
one meet: who has one of them keeps the other from being claimed, and who claims it raises the numbers of both.
Not for: claims on single ASINs or shops (leases.py), or which lanes there are (settings/lanes.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, select, update

from ecauto_pipeline.clock import from_ms, to_ms
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.driver_rows import first_row
from ecauto_pipeline.state.owner import process_of
from ecauto_pipeline.state.schema_calls import leases
from ecauto_pipeline.state.schema_runs import lane_leases as table
from ecauto_pipeline.state.shared_time import shared_now
from ecauto_pipeline.state.upsert import upsert

LIFE = timedelta(seconds=55)
"""A machine that is gone holds its lane up so long at most."""
RENEW_EVERY_S = 10.0
_ASK_NUMBER = "SELECT number FROM lane_leases WHERE lane = %s"
"""In the words of PostgreSQL's driver: each write of a fleet asks."""
_NUMBER = select(table.c.number).where(table.c.lane == bindparam("of_lane"))


@dataclass(frozen=True, slots=True)
class LaneLease:
    """`number` rises with each claim; `owner` "" = nobody works on the lane now. Times by the clock that all share."""

    lane: str
    number: int
    run_id: str
    owner: str
    expires_at: datetime
    heartbeat_at: datetime


def read(connection: Connection) -> list[LaneLease]:
    """Every lane that was ever worked on, by name."""
    rows = connection.execute(select(table).order_by(table.c.lane))
    return [
        LaneLease(row.lane, row.number, row.run_id, row.owner, from_ms(row.expires_at), from_ms(row.heartbeat_at))
        for row in rows
    ]


def number_of(connection: Connection, lane: str) -> int:
    """The newest number of this lane, 0 where nobody ever claimed it."""
    if connection.dialect.name == "sqlite":
        return int(connection.execute(_NUMBER, {"of_lane": lane}).scalar() or 0)
    row = first_row(connection, _ASK_NUMBER, (lane,))
    return 0 if row is None else int(row[0])


def number_now(database: Database, lane: str) -> int:
    """The same by a look: before each call that leaves, where nothing is written by it."""
    row = database.look(_NUMBER, {"of_lane": lane})
    return 0 if row is None else int(row["number"])


def is_alive(lease: LaneLease, now: datetime) -> bool:
    """Whether somebody works on it. `now`: by the clock all machines share."""
    return bool(lease.owner) and lease.expires_at > now and process_of(lease.owner) != "gone"


def claim(
    connection: Connection,
    lane: str,
    run_id: str,
    owner: str,
    now: datetime,
    is_over: Callable[[LaneLease], bool] = lambda _lease: False,
    meets: Sequence[str] = (),
) -> LaneLease:
    """The lane as it is now: ours, with a new number; else the lease that keeps it from us, whose owner is alive and
    not `is_over`. `meets`: other lanes that work on the same shops.

    What the one before us held (ASINs, shops) is free at once and its run is closed: it can do nothing with them any
    more. Under locks.lane of each of these names.
    """
    now = shared_now(connection, now)
    held = {one.lane: one for one in read(connection) if one.lane == lane or one.lane in meets}
    for one in held.values():
        if is_alive(one, now) and not is_over(one):
            return one
    for one in held.values():
        if not one.owner:
            continue
        claims = leases.c.owner.endswith(mark(one.lane, one.number), autoescape=True)
        connection.execute(delete(leases).where(claims))
        run_book.end_at_last_sign(connection, one.run_id)
        if one.lane != lane:
            ended = update(table).where(table.c.lane == one.lane)
            connection.execute(ended.values(number=one.number + 1, owner=""))
    number = held[lane].number + 1 if lane in held else 1
    stamp = {"expires_at": to_ms(now + LIFE), "heartbeat_at": to_ms(now)}
    upsert(connection, table, [{"lane": lane, "number": number, "run_id": run_id, "owner": owner, **stamp}])
    return LaneLease(lane, number, run_id, owner, now + LIFE, now)


def renew(connection: Connection, lane: str, number: int, now: datetime) -> bool:
    """It lives on; False where another has taken it over."""
    now = shared_now(connection, now)
    ours = update(table).where(table.c.lane == lane, table.c.number == number)
    stamp = {"expires_at": to_ms(now + LIFE), "heartbeat_at": to_ms(now)}
    return connection.execute(ours.values(**stamp)).rowcount == 1


def release(connection: Connection, lane: str, number: int) -> None:
    """Nobody works on it now; its number stands. What is another's stays."""
    connection.execute(update(table).where(table.c.lane == lane, table.c.number == number).values(owner=""))


def mark(lane: str, number: int) -> str:
    """How the claims of a run in a lane end (`leases.new_owner`), so that they can be told from all others."""
    return f"@{lane}#{number}"
