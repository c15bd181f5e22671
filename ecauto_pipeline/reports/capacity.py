"""What the limits in force can keep fresh: the arithmetic of domain/freshness over this shop, or a supposed one.

Not for: whether a run kept to it (the checks do that).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from ecauto_pipeline.domain.freshness.capacity import Capacity, Shop, UsagePlan, compute_capacity
from ecauto_pipeline.domain.selling.call_shares import reserved
from ecauto_pipeline.state import targets
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.operations_now import OperationsNow, present_operations
from ecauto_pipeline.sync.stale_asins.plan import survey
from ecauto_pipeline.sync.sweep_evidence import sweep_evidence

HEADINGS = (("項目", "item"), ("値", "value"), ("備考", "note"))
_SHARES = (0.01, 0.05)  # high and medium of a supposed shop that names no tiers


def capacity(
    tools: Tools,
    listings: int | None = None,
    sp_accounts: int | None = None,
    tiers: tuple[int, int, int] | None = None,
) -> Capacity:
    """This shop as it is, or one with that many ASINs, SP-API accounts, or ASINs of tier high, medium, low.

    Without `tiers` a supposed shop has the shares of the tiers seen here (none: 1% high, 5% medium).
    Rates are the measured ones, so a throttled account shows. Raises ValueError for impossible numbers.
    """
    settings = tools.settings
    seen = survey(tools)
    with tools.state.read() as connection:
        present = present_operations(tools, connection)
        plans = _usage_plans(connection, present)
        blind = sweep_evidence(connection, tools.clock.now()).blind
        offered = targets.count_listings(connection)
    by_tier = tuple(seen.by_tier.get(name, 0) for name in ("high", "medium", "low"))
    high, medium, low = tiers if tiers is not None else _scaled(by_tier, listings)
    return compute_capacity(
        Shop(
            high=high,
            medium=medium,
            low=low,
            sp_accounts=sp_accounts if sp_accounts is not None else max(1, len(tools.sp_accounts)),
            base_accounts=max(1, sum(account.active for account in settings.base.accounts)),
            listings_per_asin=offered / seen.total_asins if seen.total_asins else 1.0,
            high_h=_hours(max(settings.tiers.high_every, settings.ttl.stock)),
            medium_h=_hours(max(settings.tiers.medium_every, settings.ttl.stock)),
            low_h=_hours(max(settings.tiers.low_every, settings.ttl.stock)),
            price_h=_hours(settings.ttl.price),
            base_per_hour=settings.base.limits.per_hour,
            base_per_day=settings.base.limits.per_day,
            base_reserve=settings.base.limits.reserve,
            sweep_sees=not blind,
            spend=settings.tiers.spend,
            include_price=settings.schedules.include_price,
        ),
        plans,
        (*present.down, *present.switched_off),
    )


def headings(language: str = "ja") -> tuple[str, ...]:
    """What the columns are called."""
    return tuple(en if language == "en" else ja for ja, en in HEADINGS)


def rows(found: Capacity, language: str = "ja") -> list[tuple[str, str, str]]:
    """The answer as rows of `headings`, for a table."""

    def said(ja: str, en: str) -> str:
        return en if language == "en" else ja

    def hours(count: float, digits: int = 1) -> str:
        return f"{count:,.{digits}f} {said('時間', 'h')}" if math.isfinite(count) else said("不明", "never")

    def percent(share: float) -> str:
        return f"{share:.0%}" if math.isfinite(share) else said("不能", "nobody")

    shop = found.shop
    tiers = f"high {shop.high:,} / medium {shop.medium:,} / low {shop.low:,}"
    needed = said(f"必要数 {found.accounts_needed}", f"needed: {found.accounts_needed}")
    if not found.accounts_needed:
        needed = said("数では解決しない", "no number of them helps")
    table = [
        ("ASIN", f"{shop.asins:,}", tiers),
        (said("SP-APIアカウント", "SP-API accounts"), f"{shop.sp_accounts}", needed),
    ]
    per_hour = said("回/時", "calls/h")
    for one in found.operations:
        figures = f"{one.calls_per_hour:,.0f} {per_hour}, {one.asins_per_hour:,.0f} ASIN/h"
        table.append((one.operation, figures, f"{said('全件一巡', 'full cycle')} {hours(one.full_cycle_h, 2)}"))
    for gone in found.missing:
        table.append((gone.operation, said("使えない", "not asked"), gone.sentence(language)))
    for tier in found.tiers:
        figures = f"{tier.checks_per_hour:,.0f} {said('件/時', 'checks/h')} ({percent(tier.budget_share)})"
        oldest = f"{said('最古', 'oldest')} {hours(tier.oldest_reachable_h)}"
        table.append((said(f"層 {tier.tier}", f"tier {tier.tier}"), figures, oldest))
    stretched = said(f"収まらない ×{found.stretch:.1f}", f"periods x{found.stretch:.1f}")
    if found.asked_by is None:
        stretched = said("価格と在庫を聞ける操作がない", "no operation brings prices and stock")
    loads = f"detail {percent(found.detail_load)}, sweep {percent(found.sweep_load)}"
    if not shop.sweep_sees:
        loads += said("（sweep は使えない）", " (the sweep can't be used)")
    limit = said(f"上限 {found.base_limit_per_day:,.0f}", f"limit {found.base_limit_per_day:,.0f}")
    alone = f"{said('SP-APIのみ', 'Amazon alone')} {hours(found.fetch_fill_h)}"
    single = said("不能", "nobody")
    if math.isfinite(found.single_call_accounts):
        single = f"{found.single_call_accounts:,.2f} {said('アカウント', 'accounts')}"
    choices = _rows_of_choices(found, said, hours)
    kept_h, kept_d = (reserved(limit, shop.base_reserve) for limit in (shop.base_per_hour, shop.base_per_day))
    return [
        *table,
        (said("予算", "budget"), said("収まる", "fits") if found.fits else stretched, loads),
        (said("初回取得", "first fill"), hours(found.first_fill_h), alone),
        (said("単発呼び出しなら", "single calls"), single, said("同じ鮮度", "same freshness")),
        (
            said("BASE更新/日", "pushes a day"),
            f"{found.pushes_per_day:,.0f}",
            limit if found.shops_ok else said("超過: ", "over: ") + limit,
        ),
        (
            said("非公開と取り消しのために取ってある", "kept for hides and undoing"),
            said(f"1ショップ {kept_h:,} 回/時", f"{kept_h:,} calls/h a shop"),
            said(f"{kept_d:,} 回/日", f"{kept_d:,} calls a day"),
        ),
        *choices,
    ]


def _rows_of_choices(
    found: Capacity, said: Callable[[str, str], str], hours: Callable[..., str]
) -> list[tuple[str, str, str]]:
    """What each choice of ecauto.toml costs and buys; the one in force is marked."""
    one, shop = found.choices, found.shop
    high, medium, low = (hours(every, 0) for every in (shop.high_h, shop.medium_h, shop.low_h))
    every = hours(one.budget_every_h) if one.budget_every_h >= 1 else _minutes(one.budget_every_h, said)

    def calls(count: float) -> str:
        return said(f"SP-API {count:,.0f} 回/日", f"{count:,.0f} SP-API calls/d")

    def pushes(count: float) -> str:
        return said(f"BASE {count:,.0f} 回/日", f"{count:,.0f} BASE calls/d")

    def name(key: str, value: str, chosen: str) -> str:
        return f'{key} = "{value}"' + (said("（今の設定）", " (in force)") if value == chosen else "")

    slow = said(f"確認は {high} / {medium} / {low}ごと", f"asked every {high} / {medium} / {low}")
    fast = said(f"確認は平均 {every}ごと、売れるものほど短く", f"asked every {every} on average, sellers more often")
    night = said("赤字だけすぐ直し、ほかは価格の実行で", "losses at once, the rest in the price run")
    at_once = said("値動きを見た実行で直す", "by the run that sees the move")
    return [
        (name("tiers.spend", "due", shop.spend), calls(one.due_calls), slow),
        (name("tiers.spend", "budget", shop.spend), calls(one.budget_calls), fast),
        (name("schedules.include_price", "floor", shop.include_price), pushes(one.floor_pushes), night),
        (name("schedules.include_price", "all", shop.include_price), pushes(one.all_pushes), at_once),
    ]


def _minutes(count_h: float, said: Callable[[str, str], str]) -> str:
    count = max(1, round(count_h * 60))
    return said(f"{count} 分", f"{count} min")


def figures_of(found: Capacity) -> dict[str, Any]:
    """Everything as plain values; what is infinite is None."""
    return {name: _finite(value) for name, value in asdict(found).items()}


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def markdown(found: Capacity, language: str = "ja") -> str:
    """The rows as a markdown table."""
    lines = [headings(language), ("---",) * 3, *rows(found, language)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _usage_plans(connection: Connection, present: OperationsNow) -> list[UsagePlan]:
    """One account's usage plans: the mean of what was measured, else the owner's setting, else as documented; less the
    share of the accounts for which an operation is down."""
    plans = []
    for plan in present.operations.usage_plans:
        up = sum(present.is_up(account, plan.operation) for account in present.accounts) / len(present.accounts)
        rates = [rate for rate, _ in targets.rates(connection, plan.operation).values()]
        rate_per_s = sum(rates) / len(rates) if rates else plan.rate_per_s
        if up:
            plans.append(replace(plan, rate_per_s=rate_per_s * up))
    return plans


def _scaled(by_tier: tuple[int, ...], listings: int | None) -> tuple[int, int, int]:
    total = sum(by_tier)
    if listings is None:
        return by_tier[0], by_tier[1], by_tier[2]
    if listings < 0:
        raise ValueError("a shop has no fewer than 0 listings")
    shares = (by_tier[0] / total, by_tier[1] / total) if total else _SHARES
    high, medium = round(listings * shares[0]), round(listings * shares[1])
    return high, medium, listings - high - medium


def _hours(span: timedelta) -> float:
    return span.total_seconds() / 3600
