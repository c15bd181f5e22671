"""The rows behind the pictures: from history for what happened, from state.db for what waits and what is allowed.

Not for: drawing (pictures.py) or the weekly page (weekly.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from ecauto_pipeline.domain.freshness.ages import stock_max_age, tier_of
from ecauto_pipeline.domain.model import Role, Tier
from ecauto_pipeline.history.summaries import HistorySummaries
from ecauto_pipeline.state.asins import stock_stamps
from ecauto_pipeline.state.buckets import rate_of
from ecauto_pipeline.state.decisions import open_holds
from ecauto_pipeline.state.demand import last_demand
from ecauto_pipeline.state.installation import first_hour
from ecauto_pipeline.sync.context import Tools

Rows = list[dict[str, Any]]
DAY = timedelta(days=1)


def freshness_rows(tools: Tools, past: HistorySummaries, end: datetime, span: timedelta = DAY) -> Rows:
    """at, tier, fresh, total: one row an hour and tier up to the last full hour before `end`, and at `end`.

    Hours before the installation are left out: nothing was known in them, which is not "nothing was fresh".
    """
    now, end = end, end.replace(minute=0, second=0, microsecond=0)
    tiers = _tiers(tools, end)
    policy = tools.settings
    ages = {tier.value: stock_max_age(tier, policy.tiers, policy.ttl) for tier in Tier}
    totals = {tier: sum(1 for one in tiers.values() if one == tier) for tier in ages}
    start = end - span
    found = {(row["at"], row["tier"]): row["fresh"] for row in past.fresh_by_hour(start, end, tiers, ages)}
    found |= {(now, tier): fresh for tier, fresh in _fresh_now(tools, tiers, ages, now).items()}
    hours = [start + timedelta(hours=number) for number in range(int(span.total_seconds() // 3600) + 1)]
    if hours[-1] < now:
        hours.append(now)
    with tools.state.read() as connection:
        began = first_hour(connection)
    return [
        {"at": at, "tier": tier, "fresh": found.get((at, tier), 0), "total": total}
        for at in hours
        if began is None or at > began
        for tier, total in totals.items()
        if total
    ]


def budget_rows(
    tools: Tools, past: HistorySummaries, end: datetime, span: timedelta = DAY, role: Role = Role.DETAIL
) -> Rows:
    """at, used, allowed: calls of the SP-API operations of one role, over all selling accounts."""
    names = [operation.name for operation in tools.operations.of(role)]
    with tools.state.read() as connection:
        allowed = round(sum(rate_of(connection, name) for name in names) * 3600)
    used: dict[datetime, int] = {}
    for row in past.calls_by_hour(end - span, end):
        if row["api"] == "sp_api" and row["operation"] in names:
            at = row["at"]
            assert isinstance(at, datetime)
            used[at] = used.get(at, 0) + int(str(row["count"]))
    return [{"at": at, "used": used[at], "allowed": allowed} for at in sorted(used)]


def held_now(tools: Tools, now: datetime) -> Rows:
    """reason, count, oldest_h: open holds by reason."""
    with tools.state.read() as connection:
        found = open_holds(connection)
    return [
        {"reason": held.reason, "count": held.count, "oldest_h": (now - held.oldest).total_seconds() / 3600}
        for held in found
    ]


def _fresh_now(tools: Tools, tiers: Mapping[str, str], ages: Mapping[str, timedelta], now: datetime) -> dict[str, int]:
    """How many ASINs of each tier have stock no older than they may."""
    with tools.state.read() as connection:
        stamps = stock_stamps(connection)
    fresh: dict[str, int] = {}
    for asin, confirmed_at in stamps.items():
        tier = tiers.get(asin)
        if tier is not None and now - confirmed_at <= ages[tier]:
            fresh[tier] = fresh.get(tier, 0) + 1
    return fresh


def _tiers(tools: Tools, now: datetime) -> dict[str, str]:
    """The tier of each ASIN that takes part, as of now."""
    with tools.state.read() as connection:
        demand = last_demand(connection)
    return {asin: tier_of(sold, viewed, now, tools.settings.tiers).value for asin, (sold, viewed) in demand.items()}
