"""The rows behind the pictures: from history for what happened, from state.db for what waits and what is allowed.

Not for: drawing (pictures.py) or the weekly page (weekly.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from ecauto_pipeline.clock import from_ms
from ecauto_pipeline.domain.freshness.ages import stock_max_age, tier_of
from ecauto_pipeline.domain.model import Tier
from ecauto_pipeline.history.summaries import HistorySummaries
from ecauto_pipeline.state.schema import asins, buckets, diffs, listings
from ecauto_pipeline.sync.context import Tools

Rows = list[dict[str, Any]]
DAY = timedelta(days=1)


def freshness_rows(tools: Tools, past: HistorySummaries, end: datetime, span: timedelta = DAY) -> Rows:
    """at, tier, fresh, total: one row an hour and tier up to the last full hour before `end`, and at `end`."""
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
    return [
        {"at": at, "tier": tier, "fresh": found.get((at, tier), 0), "total": total}
        for at in hours
        for tier, total in totals.items()
        if total
    ]


def budget_rows(
    tools: Tools, past: HistorySummaries, end: datetime, span: timedelta = DAY, operation: str = "getItemOffersBatch"
) -> Rows:
    """at, used, allowed: calls of one SP-API operation, over all selling accounts."""
    with tools.state.read() as connection:
        rate = connection.execute(
            select(func.sum(buckets.c.rate_per_s)).where(buckets.c.operation == operation)
        ).scalar()
    allowed = round((rate or 0) * 3600)
    used: dict[datetime, int] = {}
    for row in past.calls_by_hour(end - span, end):
        if row["api"] == "sp_api" and row["operation"] == operation:
            at = row["at"]
            assert isinstance(at, datetime)
            used[at] = used.get(at, 0) + int(str(row["count"]))
    return [{"at": at, "used": used[at], "allowed": allowed} for at in sorted(used)]


def held_now(tools: Tools, now: datetime) -> Rows:
    """reason, count, oldest_h: open holds by reason."""
    with tools.state.read() as connection:
        found = connection.execute(
            select(diffs.c.reason, func.count(), func.min(diffs.c.decided_at))
            .where(diffs.c.decision == "held", diffs.c.state == "open")
            .group_by(diffs.c.reason)
            .order_by(diffs.c.reason)
        ).all()
    return [
        {"reason": reason, "count": count, "oldest_h": (now - from_ms(oldest)).total_seconds() / 3600}
        for reason, count, oldest in found
    ]


def _fresh_now(tools: Tools, tiers: Mapping[str, str], ages: Mapping[str, timedelta], now: datetime) -> dict[str, int]:
    """How many ASINs of each tier have stock no older than they may."""
    with tools.state.read() as connection:
        stamps = connection.execute(select(asins.c.asin, asins.c.stock_at).where(asins.c.stock_at.is_not(None))).all()
    fresh: dict[str, int] = {}
    for row in stamps:
        tier = tiers.get(row.asin)
        if tier is not None and now - from_ms(row.stock_at) <= ages[tier]:
            fresh[tier] = fresh.get(tier, 0) + 1
    return fresh


def _tiers(tools: Tools, now: datetime) -> dict[str, str]:
    """The tier of each ASIN that takes part, as of now."""
    taking_part = select(listings.c.asin).where(listings.c.listed == 1, listings.c.asin.is_not(None))
    with tools.state.read() as connection:
        rows = connection.execute(
            select(asins.c.asin, asins.c.last_sold_at, asins.c.last_viewed_at).where(asins.c.asin.in_(taking_part))
        ).all()
    return {
        row.asin: tier_of(_time(row.last_sold_at), _time(row.last_viewed_at), now, tools.settings.tiers).value
        for row in rows
    }


def _time(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else from_ms(milliseconds)
