"""A turn at something that only one may do at a time, over all processes and machines that share this state.

Nobody's clock is trusted: whoever waits watches the holder's row, and takes it over when it has stood unchanged for
the turn's whole life by the watcher's own monotonic clock, or when its process is gone from this machine. A holder
gives it back; one that is late must ask `still_mine` before it does what cannot be undone.
Not for: work that is renewed while it goes on (leases.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.exc import DBAPIError

from ecauto_pipeline.clock import Clock, to_ms
from ecauto_pipeline.state import locks
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.owner import new_owner, process_of
from ecauto_pipeline.state.schema_calls import leases
from ecauto_pipeline.state.upsert import insert_for

LOOK_EVERY_S = 0.25


class TurnTaken(Exception):
    """The turn did not come within the time that it was waited for."""


class Turn:
    """What is held. `still_mine`: whether the first `safe_s` seconds of it are not over yet."""

    def __init__(self, clock: Clock, safe_s: float) -> None:
        self._clock, self._ends = clock, clock.monotonic() + safe_s

    def still_mine(self) -> bool:
        return self._clock.monotonic() < self._ends


@contextmanager
def turn(
    database: Database,
    clock: Clock,
    name: str,
    *,
    life_s: float,
    safe_s: float,
    patience_s: float,
    wait: Callable[[float], None],
) -> Iterator[Turn]:
    """Hold `name` alone. Raises TurnTaken after `patience_s`; whatever `wait` raises ends the waiting.

    `life_s`: after so long without a change a holder counts as dead; `safe_s`: so long after it began a holder may
    begin what takes at most `life_s - safe_s`.
    """
    owner, deadline = new_owner(), clock.monotonic() + patience_s
    seen, since = "", 0.0
    while True:
        held = Turn(clock, safe_s)  # begins before the row does: late at worst by its own watch
        holder = _holder(database, name)
        if holder != seen:
            seen, since = holder, clock.monotonic()
        dead = bool(holder) and (process_of(holder) == "gone" or clock.monotonic() - since >= life_s)
        if (not holder or dead) and _take(database, clock, name, owner, holder, life_s):
            break
        if clock.monotonic() >= deadline:
            raise TurnTaken(name)
        wait(LOOK_EVERY_S)
    try:
        yield held
    finally:
        with (
            suppress(DBAPIError),
            database.write(locks.turn(name), fenced=False) as connection,
        ):  # kept too long it ends with its life
            connection.execute(delete(leases).where(leases.c.name == name, leases.c.owner == owner))


def _holder(database: Database, name: str) -> str:
    with database.read() as connection:
        return connection.execute(select(leases.c.owner).where(leases.c.name == name)).scalar() or ""


def _take(database: Database, clock: Clock, name: str, owner: str, seen: str, life_s: float) -> bool:
    """Put our row where `seen` still holds it ("" = nobody): one statement, so that of two only one does."""
    now = clock.now()
    ends = to_ms(now + timedelta(seconds=life_s))
    row = {"name": name, "owner": owner, "expires_at": ends, "heartbeat_at": to_ms(now)}
    with database.write(locks.turn(name)) as connection:
        if seen:
            mine = update(leases).where(leases.c.name == name, leases.c.owner == seen).values(row)
        else:
            mine = insert_for(connection, leases).values(row).on_conflict_do_nothing(index_elements=["name"])
        return connection.execute(mine.returning(leases.c.name)).first() is not None
