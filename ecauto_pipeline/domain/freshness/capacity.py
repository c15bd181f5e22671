"""What given limits can keep fresh: calls and ASINs an hour, the share each tier takes, when another account is due.

Arithmetic over steady state; no assumption about how often goods change. Not for: planning a run (planning.py) or the
usage plans themselves (each operation's own file).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ecauto_pipeline.domain.model import Role
from ecauto_pipeline.domain.operation_health import role_left
from ecauto_pipeline.domain.operations_down import OperationDown
from ecauto_pipeline.domain.selling.call_shares import RESERVE, allowance


@dataclass(frozen=True, slots=True)
class UsagePlan:
    """An operation's usage plan for one account: calls a second, burst, ASINs a call; and what it is asked for."""

    operation: str
    role: Role
    rate_per_s: float
    burst: float
    batch: int

    @property
    def calls_per_hour(self) -> float:
        return self.rate_per_s * 3600

    @property
    def asins_per_hour(self) -> float:
        return self.calls_per_hour * self.batch


@dataclass(frozen=True, slots=True)
class Shop:
    """The case to compute: distinct ASINs by tier, accounts on both sides, the owner's ages in hours.

    `pushes_per_asin_day` is an assumption; a replay of 100,000 articles pushed 0.3 to 0.42 of them a day.
    `spend`, `include_price`: what ecauto.toml says of the two choices that `Choices` compares.
    """

    high: int
    medium: int
    low: int
    sp_accounts: int = 1
    base_accounts: int = 1
    listings_per_asin: float = 1.0
    high_h: float = 1.0
    medium_h: float = 6.0
    low_h: float = 24.0
    price_h: float = 24.0
    base_per_hour: int = 5_000
    base_per_day: int = 100_000
    base_reserve: float = RESERVE
    pushes_per_asin_day: float = 0.42
    sweep_sees: bool = True
    spend: str = "due"
    include_price: str = "all"

    @property
    def asins(self) -> int:
        return self.high + self.medium + self.low


@dataclass(frozen=True, slots=True)
class OperationCapacity:
    """One operation, all SP-API accounts together; `full_cycle_h` = asking once about every ASIN."""

    operation: str
    role: Role
    calls_per_hour: float
    asins_per_hour: float
    asins_per_day: float
    full_cycle_h: float


@dataclass(frozen=True, slots=True)
class TierCapacity:
    """One tier: stock checks an hour that it asks for, the share of the budget, the oldest age that can be kept."""

    tier: str
    asins: int
    every_h: float
    checks_per_hour: float
    budget_share: float
    oldest_reachable_h: float


FLOOR_PUSHES = 0.3 / 0.42
"""Of the pushes with include_price = "all", those with "floor": from the same replay."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What the two ways to spend, and the two ways with prices, cost this shop and buy it.

    Calls to Amazon and pushes are a day's. `budget_every_h`: how often an ASIN is asked about on the average when no
    call is left unused (best sellers more often), infinite where nobody can be asked; with "due" its tier says that.
    """

    due_calls: float
    budget_calls: float
    budget_every_h: float
    floor_pushes: float
    all_pushes: float


@dataclass(frozen=True, slots=True)
class Capacity:
    """The whole answer. `detail_load` / `sweep_load`: share of that role's budget in use (> 1 = does not fit).

    `stretch`: by what factor every tier's period grows where the work does not fit (1.0 = it fits).
    `first_fill_h`: until every ASIN was asked in detail and every listing may have been pushed once.
    `accounts_needed`: SP-API accounts with which everything fits; `shops_ok`: whether BASE takes the pushes, of which
    `base_limit_per_day` is the most, without what is kept for hides, undoing and reads.
    `asked_by`: the role whose operations bring prices and "out of stock", None: nobody does, then loads, ages and
    times are infinite and `accounts_needed` is 0. `missing`: operations that are not reckoned with.
    """

    shop: Shop
    operations: tuple[OperationCapacity, ...]
    tiers: tuple[TierCapacity, ...]
    detail_load: float
    sweep_load: float
    fits: bool
    stretch: float
    first_fill_h: float
    fetch_fill_h: float
    accounts_needed: int
    single_call_accounts: float
    pushes_per_day: float
    base_limit_per_day: float
    shops_ok: bool
    choices: Choices
    asked_by: Role | None = Role.DETAIL
    missing: tuple[OperationDown, ...] = ()


def compute_capacity(shop: Shop, plans: Iterable[UsagePlan], missing: Iterable[OperationDown] = ()) -> Capacity:
    """What these usage plans can keep fresh. `plans` are one account's; accounts multiply them, operations of one role
    add up, and a role without any is done by the one that takes over.

    Raises ValueError for no account or a negative count.
    """
    plans = tuple(plans)
    if shop.sp_accounts < 1 or min(shop.high, shop.medium, shop.low) < 0:
        raise ValueError("at least one SP-API account, and no negative counts")
    an_hour = {role: sum(plan.asins_per_hour for plan in plans if plan.role is role) for role in Role}
    asked_by = role_left(Role.DETAIL, [role for role in Role if an_hour[role]])
    detail_h = an_hour[asked_by] * shop.sp_accounts if asked_by is not None else 0.0
    sweep_h = an_hour[Role.SWEEP] * shop.sp_accounts
    if not sweep_h:
        shop = replace(shop, sweep_sees=False)
    tiers = (("high", shop.high, shop.high_h), ("medium", shop.medium, shop.medium_h), ("low", shop.low, shop.low_h))
    checks = {name: count / every for name, count, every in tiers}
    detail_checks, sweep_checks = _split(tiers, shop)
    detail_load = _share(sum(detail_checks.values()), detail_h)
    sweep_load = _share(sum(sweep_checks.values()), sweep_h)
    stretch = max(1.0, detail_load, sweep_load)
    pushes = shop.asins * shop.listings_per_asin * shop.pushes_per_asin_day
    edits_h, edits_d = (allowance(n, "edit", shop.base_reserve) for n in (shop.base_per_hour, shop.base_per_day))
    base_day = min(edits_d, edits_h * 24) * shop.base_accounts
    fetch_fill_h = _share(shop.asins, detail_h)
    accounts = max(detail_load, sweep_load) * shop.sp_accounts
    return Capacity(
        shop=shop,
        operations=tuple(_operation(plan, shop) for plan in plans),
        tiers=tuple(
            TierCapacity(
                tier=name,
                asins=count,
                every_h=every,
                checks_per_hour=checks[name],
                budget_share=_share(detail_checks[name], detail_h) + _share(sweep_checks[name], sweep_h),
                oldest_reachable_h=every * stretch,
            )
            for name, count, every in tiers
        ),
        detail_load=detail_load,
        sweep_load=sweep_load,
        fits=stretch <= 1.0,
        stretch=stretch,
        first_fill_h=max(fetch_fill_h, _push_hours(shop)),
        fetch_fill_h=fetch_fill_h,
        accounts_needed=max(1, math.ceil(accounts - 1e-9)) if math.isfinite(accounts) else 0,
        single_call_accounts=_share(sum(checks.values()), an_hour[Role.CONFIRM]),
        pushes_per_day=pushes,
        base_limit_per_day=float(base_day),
        shops_ok=pushes <= base_day,
        choices=_choices(shop, plans, asked_by, sum(detail_checks.values()), sum(sweep_checks.values()), pushes),
        asked_by=asked_by,
        missing=tuple(missing),
    )


def _choices(
    shop: Shop,
    plans: tuple[UsagePlan, ...],
    asked_by: Role | None,
    detail_checks: float,
    sweep_checks: float,
    pushes: float,
) -> Choices:
    """`detail_checks`, `sweep_checks`: an hour's, as the tiers ask for them."""
    roles = [(asked_by, detail_checks), *([(Role.SWEEP, sweep_checks)] if shop.sweep_sees else [])]
    due_calls = budget_calls = asins = 0.0
    for role, checks in roles:
        asked = [plan for plan in plans if plan.role is role]
        calls_h = sum(plan.calls_per_hour for plan in asked) * shop.sp_accounts
        asins_h = sum(plan.asins_per_hour for plan in asked) * shop.sp_accounts
        due_calls += 24 * min(calls_h, checks * calls_h / asins_h) if asins_h else 0.0
        budget_calls += 24 * calls_h
        asins += asins_h
    every_h = _share(shop.asins, asins)
    return Choices(due_calls, budget_calls, every_h, pushes * FLOOR_PUSHES, pushes)


def _operation(plan: UsagePlan, shop: Shop) -> OperationCapacity:
    an_hour, calls_an_hour = plan.asins_per_hour * shop.sp_accounts, plan.calls_per_hour * shop.sp_accounts
    return OperationCapacity(plan.operation, plan.role, calls_an_hour, an_hour, an_hour * 24, shop.asins / an_hour)


def _share(work: float, an_hour: float) -> float:
    """Of what can be done in an hour; nobody does what there is to do: infinite."""
    return work / an_hour if an_hour else math.inf if work else 0.0


def _split(tiers: tuple[tuple[str, int, float], ...], shop: Shop) -> tuple[dict[str, float], dict[str, float]]:
    """Checks an hour by detail and by sweep: the price's age sets the details, the sweep does what lies between."""
    detail, sweep = {}, {}
    for name, count, every in tiers:
        detail[name] = count / (shop.price_h if shop.sweep_sees else min(shop.price_h, every))
        sweep[name] = max(0.0, count / every - detail[name])
    return detail, sweep


def _push_hours(shop: Shop) -> float:
    """Hours until every listing was pushed once: whole days at the day window, the rest at the hour window."""
    an_account = shop.asins * shop.listings_per_asin / max(1, shop.base_accounts)
    full_days = max(0, math.ceil(an_account / shop.base_per_day) - 1)
    rest_h = (an_account - full_days * shop.base_per_day) / shop.base_per_hour
    return full_days * max(24.0, shop.base_per_day / shop.base_per_hour) + rest_h
