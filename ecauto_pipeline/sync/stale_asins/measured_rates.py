"""What Amazon can be asked with just now: the measured rates of detail and sweep operations, all accounts together.

Not for: keeping the buckets (the limiter and state/buckets.py) or spending them (sync/sp_api_snapshots/fetch.py).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from ecauto_pipeline.domain.freshness.planning import CallRates, Channel
from ecauto_pipeline.domain.model import Role
from ecauto_pipeline.state import targets
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.run_record import sweep_evidence


def channel(connection: Connection, tools: Tools, role: Role) -> Channel:
    """The operations of one role together: the measured rate where an account has used an operation, else the owner's
    setting, else the documented rate."""
    accounts = max(1, len(tools.sp_accounts))
    ids = [account.id for account in tools.settings.sp_api.accounts]
    asins_per_s = burst_asins = 0.0
    operations = tools.operations.under(tools.settings).of(role)
    for operation in operations:
        known = targets.rates(connection, operation.name)
        measured = [known[name] for name in ids if name in known] if ids else list(known.values())
        each = (measured + [(operation.rate_per_s, operation.burst)] * accounts)[:accounts]
        asins_per_s += operation.batch * sum(rate for rate, _ in each)
        burst_asins += operation.batch * sum(burst for _, burst in each)
    return Channel(asins_per_s, max((operation.batch for operation in operations), default=1), burst_asins)


def measured_call_rates(connection: Connection, tools: Tools, now: datetime) -> CallRates:
    """Detail, sweep, and whether the sweep has shown itself blind lately."""
    return CallRates(
        detail=channel(connection, tools, Role.DETAIL),
        sweep=channel(connection, tools, Role.SWEEP),
        blind=sweep_evidence(connection, now).blind,
    )
