"""Claims on pieces of work, so that two runs never do the same piece at once: named, owned, and mortal.

A lease lives until it expires; whoever works renews it. It is stale, and anybody's, when it has expired, when its
owner's process is gone (same host), or when its heartbeat lies in the future (the clock was set back).
Every function works inside the caller's transaction. Not for: rates (buckets.py) or what the work is (sync/).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Delete, Select, bindparam, delete, select, update

from ecauto_pipeline.clock import from_ms, to_ms
from ecauto_pipeline.state.database import Fence
from ecauto_pipeline.state.one_of import one_of
from ecauto_pipeline.state.owner import new_owner as new_worker
from ecauto_pipeline.state.owner import process_of
from ecauto_pipeline.state.schema_calls import leases
from ecauto_pipeline.state.shared_time import shared_now
from ecauto_pipeline.state.upsert import upsert

LIFE = timedelta(seconds=45)
RENEW_EVERY_S = 10.0
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Lease:
    """Who does the work called `name`, until when."""

    name: str
    owner: str
    expires_at: datetime
    heartbeat_at: datetime


def claim(connection: Connection, names: Sequence[str], owner: str, now: datetime, life: timedelta = LIFE) -> list[str]:
    """The names, in their order, that are now the owner's; the others are somebody else's and alive."""
    now = shared_now(connection, now)
    taken = {lease.name for lease in read(connection, names) if lease.owner != owner and not stale(lease, now, life)}
    got = [name for name in names if name not in taken]
    stamp = {"owner": owner, "expires_at": to_ms(now + life), "heartbeat_at": to_ms(now)}
    upsert(connection, leases, [{"name": name, **stamp} for name in got])
    return got


def read(connection: Connection, names: Sequence[str]) -> list[Lease]:
    """The leases on these names, stale ones too."""
    found = []
    for start in range(0, len(names), _CHUNK):
        rows = connection.execute(_of_names(connection.dialect.name), {"names": list(names[start : start + _CHUNK])})
        found += [Lease(row.name, row.owner, from_ms(row.expires_at), from_ms(row.heartbeat_at)) for row in rows]
    return found


def stale(lease: Lease, now: datetime, life: timedelta = LIFE) -> bool:
    """Whether anybody may take it over."""
    return lease.expires_at <= now or lease.heartbeat_at > now + life or process_of(lease.owner) == "gone"


def renew(connection: Connection, owner: str, now: datetime, life: timedelta = LIFE) -> None:
    """Everything the owner holds lives on."""
    now = shared_now(connection, now)
    stamp = {"expires_at": to_ms(now + life), "heartbeat_at": to_ms(now)}
    if connection.dialect.name != "sqlite":
        connection.execute(_in_order(select(leases.c.name).where(leases.c.owner == owner))).all()
    connection.execute(update(leases).where(leases.c.owner == owner).values(**stamp))


def release(connection: Connection, owner: str, names: Sequence[str] | None = None) -> None:
    """Give back `names`, or everything, of what this owner holds. What is another's stays."""
    dialect = connection.dialect.name
    if names is None:
        connection.execute(_giving_back(dialect, everything=True), {"of_owner": owner})
        return
    ours = sorted(names)
    for start in range(0, len(ours), _CHUNK):
        some = {"of_owner": owner, "names": ours[start : start + _CHUNK]}
        connection.execute(_giving_back(dialect, everything=False), some)


@lru_cache(maxsize=2)
def _of_names(dialect: str) -> Select[Any]:
    return select(leases).where(one_of(dialect, leases.c.name, "names"))


@lru_cache(maxsize=4)
def _giving_back(dialect: str, everything: bool) -> Delete:
    """Made once: every call gives back its claims, and making this takes longer than doing it."""
    mine = [leases.c.owner == bindparam("of_owner")]
    mine += [] if everything else [one_of(dialect, leases.c.name, "names")]
    if dialect != "sqlite":
        mine = [leases.c.name.in_(_in_order(select(leases.c.name).where(*mine)))]
    return delete(leases).where(*mine)


def _in_order(mine: Select[tuple[str]]) -> Select[tuple[str]]:
    """These rows locked by name, as `claim` writes them: threads of one owner that renew, give back and claim would
    wait for each other in a circle. SQLite knows no locks of rows, and needs none."""
    return mine.order_by(leases.c.name).with_for_update()


def forget(connection: Connection, before: datetime) -> None:
    """Drop leases that ran out before: whoever held them is long gone."""
    connection.execute(delete(leases).where(leases.c.expires_at < to_ms(before)))


def new_owner(fence: Fence | None = None) -> str:
    """A name for one worker of this process; of a run in a lane of a fleet, such that whoever takes the lane over knows
    its claims (lane_leases.py)."""
    return new_worker() + (fence.claims if fence is not None else "")


__all__ = ["LIFE", "RENEW_EVERY_S", "Lease", "claim", "forget", "new_owner", "read", "release", "renew", "stale"]
