"""The planner: looks at every listed ASIN, says what is due and why, and writes down what is to be asked.

`survey` only counts (validate --dry-run, status, the sensor); `run` also writes the list. The rules are pure
(domain/freshness/ages.py, planning.py). Not for: whose plan a run works on (take_up.py), or asking.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
from sqlalchemy import Connection

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.domain.freshness import planning
from ecauto_pipeline.domain.freshness.ages import REASONS, TIERS, Policy, RowFreshness, Rows, evaluate_freshness
from ecauto_pipeline.domain.freshness.planning import CallRates, Choice
from ecauto_pipeline.domain.freshness.quiet import QuietBounds
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.state import locks, plans, targets
from ecauto_pipeline.state.plans import Plan, Target
from ecauto_pipeline.sync.context import Context, Run, Tools
from ecauto_pipeline.sync.run_record import keep, read_record
from ecauto_pipeline.sync.sections import PlanReport, Survey, ViewsReport
from ecauto_pipeline.sync.stale_asins.measured_rates import measured_call_rates
from ecauto_pipeline.sync.stale_asins.views import read_views

OVERHEAD_S = 60.0
"""Reading the shops, judging and pushing, beside the asking, in a run as it should be."""


def survey(tools: Tools, run: Run | None = None) -> Survey:
    """Count, and touch nothing. Without a run: every active account of the lane, every listing, and little memory."""
    now, policy = tools.clock.now(), policy_of(tools)
    quiet = _may_be_left_out(run, now, policy) if run else QuietBounds.of(policy, now)
    with tools.state.read() as connection:
        if run:
            parts: Iterable[Rows] = [_read(connection, run, now, quiet)]
        else:
            parts = targets.each_part(connection, now, tools.lane.shops, but=quiet)
        counted = [count(rows, evaluate_freshness(rows, now, policy), to_ms(now)) for rows in parts]
        if quiet is not None:
            read, accounts = sum(one.total_asins for one in counted), run.accounts if run else tools.lane.shops
            counted.append(_count_quiet(connection, quiet, read, accounts, now))
    return together(counted)


def due_now(tools: Tools) -> int:
    """ASINs whose turn it is, but for those whose last answer was none: they wait for a run and start none."""
    found = survey(tools)
    return found.cache_misses - found.due_but_failed


def run(context: Context) -> PlanReport:
    """Decide and write down what is to be asked, in one transaction; planning a run again replaces its list.

    A run that must not fetch (`run.fetch` False) gets an empty list and the same figures.
    """
    report, _ = _plan(context)
    return report


def make_plan(context: Context) -> Plan:
    """The same, for a run that begins with asking and found no plan to take up."""
    _, made = _plan(context)
    return made


def _plan(context: Context) -> tuple[PlanReport, Plan]:
    views = read_views(context)
    now, policy = context.clock.now(), policy_of(context)
    now_ms = to_ms(now)
    quiet = _may_be_left_out(context.run, now, policy)
    with context.state.read() as connection:
        rows = _read(connection, context.run, now, quiet)
        others = [] if quiet is None else [_count_quiet(connection, quiet, rows.size, context.run.accounts, now)]
        call_rates = measured_call_rates(connection, context, now)
    judged = evaluate_freshness(rows, now, policy)
    choice = _choose(rows, judged, now_ms, context.run.slice_s, call_rates, policy, context.run)
    counted = together([count(rows, judged, now_ms), *others])
    report = _report(counted, choice, call_rates, context.run, views)
    with context.state.write(locks.plan(context.run.partition_key, context.run.lane)) as connection:
        listed = _targets(rows, judged, choice) if context.run.fetch else []
        made = _write(connection, context.run, now, listed, report.left_over)
        if context.run.fetch:
            _write_periods(connection, rows, choice, now_ms)
        keep(connection, context.run.run_id, "stale_asins", report)
    if report.blind:
        context.log.warning("sweep not used, details only: %s", report.blind)
    if report.short_by > 0:
        context.log.warning("the tiers ask for %.0f%% more than the budget; ages stretch", report.short_by * 100)
    return report, made


def scope_of(run: Run) -> str:
    """Which listings the plans of this run speak of."""
    return plans.scope_of(run.accounts, run.max_items)


def policy_of(tools: Tools) -> Policy:
    """The owner's ages."""
    return Policy.of(tools.settings.ttl, tools.settings.tiers, tools.settings.offers)


def _write(connection: Connection, run: Run, now: datetime, listed: list[Target], left_over: int) -> Plan:
    return plans.write_plan(
        *(connection, run.run_id, run.partition_key, run.lane, scope_of(run), now),
        targets=listed,
        left_over=left_over,
    )


def plan_more(context: Context, made: Plan, elapsed_s: float, left_s: float) -> list[Target]:
    """What else a run can ask in the `left_s` seconds its slice has left when its list is done, added to the plan.

    The list is as long as the rates known when it was made allow, and Amazon may let an account ask more than that.
    Nothing is on the list twice, so what failed waits for the next run.
    """
    now, policy = context.clock.now(), policy_of(context)
    now_ms = to_ms(now)
    with context.state.read() as connection:
        rows = _read(connection, context.run, now, _may_be_left_out(context.run, now, policy))
        call_rates = measured_call_rates(connection, context, now)
        listed = plans.targets_of(connection, made.plan_id)
    rows = rows[~np.isin(rows["asin"], [target.asin for target in listed])]
    judged = evaluate_freshness(rows, now, policy)
    choice = _choose(rows, judged, now_ms, left_s, call_rates, policy, context.run)
    added = _targets(rows, judged, choice, len(listed))
    operations = [target.operation for target in (*listed, *added)]
    detail, sweep = choice.detail.size, choice.sweep.size
    fetch_s = elapsed_s + min(left_s, max(call_rates.detail.seconds_for(detail), call_rates.sweep.seconds_for(sweep)))
    if added:
        with context.state.write(locks.plan(context.run.partition_key, context.run.lane)) as connection:
            plans.add_targets(connection, made.plan_id, added, choice.left_over)
            _write_periods(connection, rows, choice, now_ms)
            record = read_record(connection, context.run.run_id)
            if record is not None and record.stale_asins is not None:
                longer = replace(
                    record.stale_asins,
                    detail_asins=operations.count("detail"),
                    sweep_asins=operations.count("sweep"),
                    planned_fetch_s=fetch_s,
                    planned_seconds=fetch_s + OVERHEAD_S,
                    left_over=choice.left_over,
                )
                keep(connection, context.run.run_id, "stale_asins", longer)
    return added


def _choose(
    rows: Rows, judged: RowFreshness, now_ms: int, slice_s: float, call_rates: CallRates, policy: Policy, run: Run
) -> Choice:
    looks = call_rates.detail if call_rates.blind else call_rates.sweep
    if run.spend == "budget" and min(call_rates.detail.asins_per_s, looks.asins_per_s) > 0:
        return planning.choose_budget(rows, judged, now_ms, slice_s, call_rates, policy)
    return planning.choose_due(rows, judged, now_ms, slice_s, call_rates)


def _write_periods(connection: Connection, rows: Rows, choice: Choice, now_ms: int) -> None:
    if choice.tau_s is None or choice.full_tau_s is None:
        return
    chosen = np.concatenate((choice.detail, choice.sweep))
    tau, full = choice.tau_s[chosen], choice.full_tau_s[chosen]
    looked = np.where(np.arange(chosen.size) < choice.detail.size, now_ms, rows["detail_at"][chosen])
    targets.write_periods(connection, rows["asin"][chosen], tau, now_ms + tau * 1000, looked + full * 1000)


def _read(connection: Connection, run: Run, now: datetime, quiet: QuietBounds | None) -> Rows:
    return targets.read_rows(connection, now, run.accounts, run.max_items, run.spend == "budget", quiet)


def _may_be_left_out(run: Run, now: datetime, policy: Policy) -> QuietBounds | None:
    """Who need not be read to plan this run; None: everybody counts, where a budget is spent on all of them or the best
    sellers among them are looked for."""
    return None if run.spend == "budget" or run.max_items is not None else QuietBounds.of(policy, now)


def _count_quiet(
    connection: Connection, quiet: QuietBounds, read: int, accounts: Sequence[AccountKey], now: datetime
) -> Survey:
    """Those that nobody read: all of them are fresh."""
    tiers = dict(zip(map(str, TIERS), targets.count_quiet(connection, quiet, read, accounts), strict=True))
    many = sum(one.asins for one in tiers.values())
    return Survey(
        total_asins=many,
        cache_hits=many,
        by_tier={tier: one.asins for tier, one in tiers.items()},
        due_by_tier=dict.fromkeys(tiers, 0),
        oldest_stock_s={tier: _age_s(one.oldest_stock_ms, to_ms(now)) for tier, one in tiers.items()},
    )


def count(rows: Rows, judged: RowFreshness, now_ms: int) -> Survey:
    """What is due of these rows, and why."""
    due = int(np.count_nonzero(judged.due))
    fetched = rows["fetched"] == 1
    by_reason = np.bincount(judged.reason, minlength=len(REASONS))
    by_tier = np.bincount(judged.tier, minlength=len(TIERS))
    due_by_tier = np.bincount(judged.tier[judged.due], minlength=len(TIERS))
    oldest: dict[str, float | None] = {}
    for code, tier in enumerate(TIERS):
        stamps = rows["stock_at"][(judged.tier == code) & (rows["stock_at"] > 0)]
        oldest[str(tier)] = _age_s(int(stamps.min()) if stamps.size else None, now_ms)
    overdue = fetched & (now_ms - rows["stock_at"] > 2 * judged.max_age_ms) & (rows["error_at"] <= judged.checked_at)
    return Survey(
        total_asins=int(rows.size),
        cache_hits=int(rows.size) - due,
        cache_misses=due,
        missing=int(np.count_nonzero(~fetched)),
        price_expired=int(np.count_nonzero(fetched & judged.price_due)),
        stock_expired=int(np.count_nonzero(fetched & judged.stock_due)),
        by_reason={REASONS[code]: int(n) for code, n in enumerate(by_reason) if code and n},
        by_tier={str(tier): int(by_tier[code]) for code, tier in enumerate(TIERS)},
        due_by_tier={str(tier): int(due_by_tier[code]) for code, tier in enumerate(TIERS)},
        oldest_stock_s=oldest,
        overdue=int(np.count_nonzero(overdue)),
        waiting=int(np.count_nonzero(judged.due & judged.waits)),
    )


def _age_s(stamp_ms: int | None, now_ms: int) -> float | None:
    return None if stamp_ms is None else max(0.0, (now_ms - stamp_ms) / 1000)


def together(parts: Sequence[Survey]) -> Survey:
    """What was counted part by part."""
    by_reason = sum((Counter(one.by_reason) for one in parts), Counter[str]())
    known = {str(tier): [one.oldest_stock_s[tier] or 0.0 for one in parts if one.oldest_stock_s[tier] is not None]
             for tier in TIERS}  # fmt: skip
    return Survey(
        **{name: sum(getattr(one, name) for one in parts) for name in _COUNTS},
        by_reason={reason: by_reason[reason] for reason in REASONS if by_reason[reason]},
        by_tier={str(tier): sum(one.by_tier[tier] for one in parts) for tier in TIERS},
        due_by_tier={str(tier): sum(one.due_by_tier[tier] for one in parts) for tier in TIERS},
        oldest_stock_s={tier: max(ages, default=None) for tier, ages in known.items()},
    )


_COUNTS = (
    *("total_asins", "cache_hits", "cache_misses", "missing", "price_expired", "stock_expired", "overdue", "waiting"),
)


def _report(counted: Survey, choice: Choice, call_rates: CallRates, run: Run, views: ViewsReport) -> PlanReport:
    detail, sweep = (choice.detail.size, choice.sweep.size) if run.fetch else (0, 0)
    calls = {"detail": -(-detail // call_rates.detail.batch), "sweep": -(-sweep // call_rates.sweep.batch)}
    fetch_s = min(run.slice_s, max(call_rates.detail.seconds_for(detail), call_rates.sweep.seconds_for(sweep)))
    return PlanReport(
        survey=counted,
        detail_asins=detail,
        sweep_asins=sweep,
        planned_calls=calls,
        planned_seconds=fetch_s + OVERHEAD_S if fetch_s > 0 else 0.0,
        planned_fetch_s=fetch_s,
        left_over=choice.left_over if run.fetch else counted.cache_misses,
        spend=run.spend,
        short_by=choice.short_by,
        blind=call_rates.blind,
        views=views,
    )


def _targets(rows: Rows, judged: RowFreshness, choice: Choice, first: int = 0) -> list[Target]:
    """Details first, then sweeps, each in its order, numbered from `first`."""
    chosen = np.concatenate((choice.detail, choice.sweep))
    columns = (rows["asin"][chosen].tolist(), choice.reason[chosen].tolist(), judged.tier[chosen].tolist())
    return [
        Target(first + seq, asin, "detail" if seq < choice.detail.size else "sweep", REASONS[reason], str(TIERS[tier]))
        for seq, (asin, reason, tier) in enumerate(zip(*columns, strict=True))
    ]
