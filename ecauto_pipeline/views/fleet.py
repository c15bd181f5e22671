"""The fleet at a glance: each lane with who works on it and how long ago its last run ended, and the state's server.

What `ecauto fleet status` prints, and the desk's first page where there are lanes. Not for: workers, whom Dagster's
launcher asks (cli/fleet.py), or what is wrong (doctor/).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ecauto_pipeline.state import lane_leases
from ecauto_pipeline.state.owner import place_of
from ecauto_pipeline.state.server_figures import ServerFigures, server_figures
from ecauto_pipeline.state.shared_time import shared_now
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.run_record import RunRecord, recent_records
from ecauto_pipeline.wiring.lanes import lanes_of

RUNS_A_LANE = 20
"""Newest runs looked at for each lane: some hours of theirs."""


@dataclass(frozen=True, slots=True)
class LaneNow:
    """One lane. `host` and `run_id`: who works on it now, "" = nobody; `number`: how often it was claimed, 0 = never.

    `ended_at` (aware UTC), `seconds`, `errors`: of its last ended run, None = none is on record.
    """

    lane: str
    shops: int
    sp_accounts: int
    host: str = ""
    run_id: str = ""
    number: int = 0
    ended_at: datetime | None = None
    seconds: float | None = None
    errors: int | None = None


@dataclass(frozen=True, slots=True)
class FleetNow:
    """`at`: aware UTC. `server` None where it was not measured (SQLite)."""

    at: datetime
    lanes: tuple[LaneNow, ...]
    server: ServerFigures | None


def look_at_fleet(tools: Tools) -> FleetNow:
    """A few questions to state; nothing is contacted."""
    now, lanes = tools.clock.now(), lanes_of(tools.settings)
    with tools.state.read() as connection:
        leases = {lease.lane: lease for lease in lane_leases.read(connection)}
        records = recent_records(connection, RUNS_A_LANE * len(lanes))
        server = server_figures(connection)
        by_all = shared_now(connection, now)
    ended: dict[str, RunRecord] = {}
    for record in records:  # the newest first
        if record.ended_at is not None:
            ended.setdefault(record.lane, record)
    found = []
    for lane in lanes:
        lease, last = leases.get(lane.id), ended.get(lane.id)
        alive = lease is not None and lane_leases.is_alive(lease, by_all)
        found.append(
            LaneNow(
                lane.id,
                len(lane.shops or ()),
                len(lane.sp_accounts or ()),
                host=place_of(lease.owner)[0] if lease is not None and alive else "",
                run_id=lease.run_id if lease is not None and alive else "",
                number=lease.number if lease is not None else 0,
                ended_at=last.ended_at if last is not None else None,
                seconds=last.execution_seconds if last is not None else None,
                errors=last.errors if last is not None else None,
            )
        )
    return FleetNow(now, tuple(found), server)
