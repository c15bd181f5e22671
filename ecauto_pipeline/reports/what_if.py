"""What another setting, or another file of rules, would do: the real decision code over what is known, nothing written.

Two parts, each beside what is in force: day 0, the plan that a run would make now of what state.db knows; and the past
days, played through the answers that history holds (what_if_past.py).
Not for: the command line, or a plan that is sent (sync/people/plan_files.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from ecauto_pipeline.domain.model import AccountKey, Decision, Diff, Kind, ListingKey, Role
from ecauto_pipeline.domain.selling.item_rules import ItemRule
from ecauto_pipeline.history.summaries import HistorySummaries
from ecauto_pipeline.reports.what_if_past import Past, answers_of, play
from ecauto_pipeline.settings import Settings
from ecauto_pipeline.shops.platforms import PLATFORMS
from ecauto_pipeline.state import decisions
from ecauto_pipeline.sync.context import Context, Run, Tools
from ecauto_pipeline.sync.diffs.evaluate import EDITS, EvaluationInput, closed_accounts, collector_paused, gather
from ecauto_pipeline.sync.diffs.price import evaluate_prices
from ecauto_pipeline.sync.diffs.visibility import evaluate_visibility
from ecauto_pipeline.sync.people.plan_files import plan_of

_HOWEVER_OLD = timedelta(days=36_500)
"""A shop that was read long ago is judged all the same: nothing is sent to it."""
RuleOf = Callable[[ListingKey], ItemRule | None]


@dataclass(frozen=True, slots=True)
class DayZero:
    """What a run would decide now. `plan`: as `ecauto plan` writes it; counts are of targets, moves in yen.

    `set_aside`: held, blocked and skipped targets by "decision:reason".
    """

    plan: Mapping[str, Any]
    up: int
    down: int
    hides: int
    shows: int
    restocks: int
    set_aside: Mapping[str, int]

    @property
    def edits(self) -> int:
        return len(self.plan["rows"])


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Both parts, as things are and as they would be."""

    now: DayZero
    then: DayZero
    past_now: Past
    past_then: Past


def what_if(
    tools: Tools,
    changed: Settings,
    accounts: tuple[AccountKey, ...],
    days: int,
    rule_of: RuleOf | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> WhatIf:
    """Compare the settings of `tools` with `changed`. `rule_of`: the rule of a listing instead of those in force.

    `accounts`: the active shops. `progress`: of so many days of the past, both ways counted.
    """
    now = tools.clock.now()
    run = Run("what-if", "full_sync", (), now, dry_run=True, include_price="all")
    context = tools.for_run(run)
    other = replace(context, settings=changed)
    with collector_paused():
        found = _gathered(context, accounts, now)
        varied = _gathered(other, accounts, now)
        if rule_of is not None:
            listings = {key: replace(one, rule=rule_of(key)) for key, one in varied.listings.items()}
            varied = replace(varied, listings=listings)
        today, tomorrow = _day_zero(context, found), _day_zero(other, varied)
        asked = [plan.operation for plan in tools.operations.usage_plans if plan.role in (Role.DETAIL, Role.CONFIRM)]
        answers, both = answers_of(HistorySummaries(tools.history), asked, now, days), 2 * days
        before = play(context, found.listings.values(), found.known, answers, lambda day: progress(day, both))
        after = play(other, varied.listings.values(), varied.known, answers, lambda day: progress(days + day, both))
    return WhatIf(today, tomorrow, before, after)


def _gathered(context: Context, accounts: tuple[AccountKey, ...], now: datetime) -> EvaluationInput:
    fixed = {
        account: EDITS - PLATFORMS[account.platform].edits_of(context.settings)
        for account in sorted(accounts)
        if account.platform in PLATFORMS
    }
    with context.state.read() as connection:
        closed = closed_accounts(context, connection, now, _HOWEVER_OLD, tuple(fixed))
        return gather(context, connection, now, fixed, closed)


def _day_zero(context: Context, inputs: EvaluationInput) -> DayZero:
    with context.state.read() as connection:
        standing = decisions.standing(connection, inputs.fixed)
    found: list[Diff] = []
    for judged in (evaluate_prices(context, inputs, standing), evaluate_visibility(context, inputs, standing)):
        found += judged.found
    pushes = [diff for diff in found if diff.decision is Decision.PUSH]
    aside: dict[str, int] = {}
    for diff in found:
        if diff.decision is not Decision.PUSH:
            name = f"{diff.decision}:{diff.reason}"
            aside[name] = aside.get(name, 0) + 1
    return DayZero(
        plan_of(context.run, found),
        up=sum(diff.kind is Kind.PRICE and (diff.wanted or 0) > (diff.shown or 0) for diff in pushes),
        down=sum(diff.kind is Kind.PRICE and (diff.wanted or 0) < (diff.shown or 0) for diff in pushes),
        hides=sum(diff.kind is Kind.VISIBILITY and diff.wanted == 0 for diff in pushes),
        shows=sum(diff.kind is Kind.VISIBILITY and diff.wanted == 1 for diff in pushes),
        restocks=sum(diff.kind is Kind.STOCK for diff in pushes),
        set_aside=dict(sorted(aside.items())),
    )
