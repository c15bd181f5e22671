"""What Amazon can be asked with just now: the measured rates of detail and sweep operations, all accounts of the lane.

Not for: keeping the buckets (the limiter and state/buckets.py) or spending them (sync/sp_api_snapshots/fetch.py).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from ecauto_pipeline.domain.freshness.planning import CallRates, Channel
from ecauto_pipeline.domain.model import Role
from ecauto_pipeline.state import targets
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.operations_now import NO_ACCOUNT, OperationsNow, present_operations
from ecauto_pipeline.sync.sweep_evidence import sweep_evidence


def channel(connection: Connection, tools: Tools, role: Role, present: OperationsNow) -> Channel:
    """The operations that do this role's work together: the measured rate where an account has used an operation, else
    the owner's setting, else the documented rate. One that is down and may be tried counts for a call of it."""
    accounts = max(1, len(tools.sp_accounts) or len(tools.lane.sp_accounts))
    asins_per_s = burst_asins = 0.0
    largest = 1
    known = {one.name: targets.rates(connection, one.name) for one in present.operations}
    measured = sorted({name for rates in known.values() for name in rates})
    names = (measured if present.accounts == NO_ACCOUNT else list(present.accounts))[:accounts]
    for account in [*names, *[""] * (accounts - len(names))]:
        doing = present.of_role(account, role) if role is Role.SWEEP else present.doing(account, role)
        for operation in doing:
            rate_per_s, burst = known[operation.name].get(account, (operation.rate_per_s, operation.burst))
            asins_per_s += operation.batch * rate_per_s
            burst_asins += operation.batch * burst
            largest = max(largest, operation.batch)
        for operation in present.to_try(account, role):
            burst_asins += operation.batch
            largest = max(largest, operation.batch)
    return Channel(asins_per_s, largest, burst_asins)


def measured_call_rates(connection: Connection, tools: Tools, now: datetime) -> CallRates:
    """Detail, sweep, and why the sweep is not used: it has shown itself blind lately, or there is none."""
    present = present_operations(tools, connection)
    detail = channel(connection, tools, Role.DETAIL, present)
    sweep = channel(connection, tools, Role.SWEEP, present)
    none = "no operation is left to sweep with" if sweep.burst_asins == 0 else ""
    return CallRates(detail, sweep, sweep_evidence(connection, now, tools.lane.id).blind or none)
