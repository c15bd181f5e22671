"""Whether the hour wants one more slice: gathers the facts for the pure decision in domain/freshness/slicing.py.

Not for: launching (defs/sensors.py) or what a slice does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection

from ecauto_pipeline.clock import jst
from ecauto_pipeline.domain.freshness import slicing
from ecauto_pipeline.state import targets
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.operations_now import present_operations
from ecauto_pipeline.sync.run_record import RunRecord, recent_of_lane
from ecauto_pipeline.sync.stale_asins.measured_rates import measured_call_rates
from ecauto_pipeline.sync.stale_asins.passed_over import tick_owed
from ecauto_pipeline.sync.stale_asins.plan import due_now

_MOST_IN_AN_HOUR = 100
_LONGEST_RUN = timedelta(days=1)
SYNC_JOBS = ("stock_sync", "price_sync", "full_sync", "materialize")


@dataclass(frozen=True, slots=True)
class NextSlice:
    """Launch or not, and why (not). `after_run` names the run this one follows."""

    launch: bool
    reason: str
    slice_no: int = 1
    after_run: str = ""


def slice_length_s(tools: Tools, spend: Literal["due", "budget"]) -> float:
    """How long one slice of this shop asks, at most as long as ecauto.toml says."""
    longest_s = tools.settings.slices.minutes * 60
    if spend == "due":
        return longest_s
    with tools.state.read() as connection:
        call_rates = measured_call_rates(connection, tools, tools.clock.now())
        asins = targets.count_asins(connection, tools.lane.shops)
    looks = call_rates.detail if call_rates.blind else call_rates.sweep
    return slicing.length_s(longest_s, spend, asins, looks.asins_per_s)


def decide_next(
    tools: Tools, active_run_ids: Sequence[str], tick_died: Callable[[], bool] = lambda: False
) -> NextSlice:
    """The decision for this moment and lane. `active_run_ids`: runs of the lane, queued or under way, that live.

    `tick_died`: whether the run that this hour's tick asked for is over without a record, for a while already. It is
    asked only where nobody has begun the hour and somebody should have.
    """
    now = tools.clock.now()
    hour = jst(now).replace(minute=0, second=0, microsecond=0)
    with tools.state.read() as connection:
        in_hour = _runs(connection, tools.lane.id, hour)
        owed = None if in_hour else tick_owed(connection, tools.lane.id, now)
        before = _runs(connection, tools.lane.id, owed - _LONGEST_RUN) if owed is not None else []
    begun_by_none = "passed_over"
    if not in_hour and (owed is None or (before and before[0].started_at >= owed)):
        if active_run_ids or now - hour < slicing.AGAIN_AFTER or not tick_died():
            return NextSlice(False, "この時間の最初の実行を待っています / waiting for the hour's first run")
        begun_by_none = "tick_died"
    if in_hour and not present_operations(tools).can_ask:
        return NextSlice(False, "operations_down")
    last = next(iter(in_hour or before), None)  # of an hour whose tick was passed over, the run that was in its way
    last_id = last.run_id if last is not None else ""
    decision = slicing.decide(
        now=now,
        hour_start=hour,
        last_fetch_ends_at=_fetch_end(last, tools.settings.slices.minutes * 60) if last is not None else None,
        active=last is not None and last_id in active_run_ids and last.ended_at is None,
        queued=len([run_id for run_id in active_run_ids if run_id != last_id]),
        due_left=lambda: due_now(tools) if in_hour else 1,  # the hour's own run is owed whatever is due
        spend=tools.settings.tiers.spend,
        failed_at=_failed_at(in_hour[0]) if in_hour else None,
    )
    reason = begun_by_none if decision.launch and not in_hour else decision.reason
    return NextSlice(decision.launch, reason, len(in_hour) + 1, last_id)


def _runs(connection: Connection, lane: str, since: datetime) -> list[RunRecord]:
    """Runs of the line in this lane since then, rehearsals left out, the newest first."""
    recent = recent_of_lane(connection, lane, since, _MOST_IN_AN_HOUR)
    return [one for one in recent if one.job in SYNC_JOBS and not one.dry_run]


def _failed_at(record: RunRecord) -> datetime | None:
    """When the run ended, where it never came to report of its questions. Assets that a person chose need not ask."""
    return record.ended_at if record.sp_api_snapshots is None and record.job != "materialize" else None


def _fetch_end(record: RunRecord, slice_s: float) -> datetime | None:
    planned, asked = record.stale_asins, record.sp_api_snapshots
    return slicing.fetch_end(
        asked.seconds if asked is not None else None,
        planned.planned_fetch_s if planned is not None else None,
        record.started_at,
        slice_s,
    )
