"""What Amazon can be asked with just now: the measured rates of detail and sweep, all accounts together.

Not for: keeping the buckets (the limiter and state/buckets.py) or spending them (sync/sp_api_snapshots/fetch.py).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from ecauto_pipeline.domain.freshness.capacity import DETAIL, DOCUMENTED, SWEEP
from ecauto_pipeline.domain.freshness.planning import Channel, Means
from ecauto_pipeline.settings import Settings
from ecauto_pipeline.state import targets
from ecauto_pipeline.sync.run_record import sweep_evidence


def channel(connection: Connection, settings: Settings, operation: str, accounts: int) -> Channel:
    """Measured rates where an account has used the operation, else the owner's setting, else the documented rate."""
    documented, own = DOCUMENTED[operation], settings.sp_api.limits.get(operation)  # type: ignore[call-overload]
    rate = own.rate_per_s if own and own.rate_per_s else documented.rate_per_s
    burst = own.burst if own and own.burst else documented.burst
    batch = own.batch if own and own.batch else documented.batch
    known = targets.rates(connection, operation)
    ids = [account.id for account in settings.sp_api.accounts]
    measured = [known[name] for name in ids if name in known] if ids else list(known.values())
    each = (measured + [(rate, burst)] * max(1, accounts))[: max(1, accounts)]
    return Channel(
        asins_per_s=batch * sum(rate for rate, _ in each),
        batch=batch,
        burst_asins=batch * sum(burst for _, burst in each),
    )


def means(connection: Connection, settings: Settings, accounts: int, now: datetime) -> Means:
    """Detail, sweep, and whether the sweep has shown itself blind lately."""
    return Means(
        detail=channel(connection, settings, DETAIL, accounts),
        sweep=channel(connection, settings, SWEEP, accounts),
        blind=sweep_evidence(connection, now).blind,
    )
