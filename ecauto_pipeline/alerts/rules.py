"""The alert rules, gathered: every one a pure predicate over `RunFacts`, its name the law it states.

The owner's four (SP-API error rate, BASE error rate, cache hit rate, duration) and ours. Asset checks and messages
call the same functions. Not for: gathering the facts (sync/metrics.py) or telling anybody (alerts/announce.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from ecauto_pipeline.alerts.rates import (
    base_error_rate,
    cache_hit_rate,
    probe_miss_rate,
    run_duration,
    sp_api_error_rate,
)
from ecauto_pipeline.alerts.states import (
    account_blocked,
    alert_channel_configured,
    base_calls_suffice,
    calls_made_when_due,
    catalogue_intact,
    held_rows,
    numbers_add_up,
    oldest_pushed_data,
    run_failed,
    run_stuck,
    token_expiry,
)
from ecauto_pipeline.alerts.verdicts import RunFacts, Severity, Verdict
from ecauto_pipeline.settings import Alerts

Rule = Callable[[RunFacts, Alerts], Verdict]

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        rule.__name__: rule
        for rule in (
            sp_api_error_rate,
            base_error_rate,
            cache_hit_rate,
            run_duration,
            oldest_pushed_data,
            numbers_add_up,
            calls_made_when_due,
            catalogue_intact,
            held_rows,
            token_expiry,
            probe_miss_rate,
            account_blocked,
            base_calls_suffice,
            alert_channel_configured,
        )
    }
)
"""By name, in the order in which people read them."""

OUTSIDE_RULES = ("run_failed", "run_stuck")
"""Rules that no run can judge about itself; fed by whoever watches runs."""


def judge(facts: RunFacts, alerts: Alerts) -> tuple[Verdict, ...]:
    """One verdict a rule, in the order of RULES."""
    return tuple(rule(facts, alerts) for rule in RULES.values())


__all__ = [
    "OUTSIDE_RULES",
    "RULES",
    "Rule",
    "RunFacts",
    "Severity",
    "Verdict",
    "account_blocked",
    "alert_channel_configured",
    "base_calls_suffice",
    "base_error_rate",
    "cache_hit_rate",
    "calls_made_when_due",
    "catalogue_intact",
    "held_rows",
    "judge",
    "numbers_add_up",
    "oldest_pushed_data",
    "probe_miss_rate",
    "run_duration",
    "run_failed",
    "run_stuck",
    "sp_api_error_rate",
    "token_expiry",
]
