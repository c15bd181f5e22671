"""The alert rules, gathered in the order in which people read them.

The owner's four (SP-API error rate, BASE error rate, cache hit rate, duration) and ours. Asset checks, messages and the
runbook go by these declarations. Not for: what a rule is (rule.py) or telling anybody (announce.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeVar

from ecauto_pipeline.alerts.rule import AlertSetup, Rule, RunRule
from ecauto_pipeline.alerts.rules.account import HELD_ROWS, NUMBERS_ADD_UP, OLDEST_PUSHED_DATA
from ecauto_pipeline.alerts.rules.asking import (
    ANSWERS_BELIEVED,
    CACHE_HIT_RATE,
    CALLS_MADE_WHEN_DUE,
    PROBE_MISS_RATE,
    SP_API_ERROR_RATE,
)
from ecauto_pipeline.alerts.rules.operations import OPERATION_DOWN
from ecauto_pipeline.alerts.rules.owner_files import BLOCKLIST_READ, RULES_READ, VIEWS_READ
from ecauto_pipeline.alerts.rules.register import CATALOGUE_INTACT, REGISTER_WRITTEN
from ecauto_pipeline.alerts.rules.register_read import REGISTER_KEPT, REGISTER_READ, REGISTER_ROWS
from ecauto_pipeline.alerts.rules.runs import (
    ALERT_CHANNEL_CONFIGURED,
    HISTORY_PUBLISHED,
    RUN_DURATION,
    RUN_FAILED,
    RUN_STUCK,
)
from ecauto_pipeline.alerts.rules.shapes import AMAZON_SHAPE
from ecauto_pipeline.alerts.rules.shops import (
    ACCOUNT_BLOCKED,
    BASE_CALLS_SUFFICE,
    BASE_ERROR_RATE,
    NO_FAULTS,
    ORDERS_READ,
)
from ecauto_pipeline.alerts.rules.silence import SILENCE
from ecauto_pipeline.alerts.rules.stopped import PUSHING_STOPPED
from ecauto_pipeline.alerts.rules.tokens import TOKEN_EXPIRY, TOKEN_FILE_WRITTEN
from ecauto_pipeline.alerts.rules.unconfirmed import UNCONFIRMED_ON_SALE
from ecauto_pipeline.alerts.verdicts import Verdict
from ecauto_pipeline.sync.run_record import RunRecord

_R = TypeVar("_R", bound=Rule)


def _by_name(*rules: _R) -> Mapping[str, _R]:
    return MappingProxyType({rule.name: rule for rule in rules})


RULES: Mapping[str, RunRule] = _by_name(
    SP_API_ERROR_RATE,
    OPERATION_DOWN,
    ANSWERS_BELIEVED,
    AMAZON_SHAPE,
    BASE_ERROR_RATE,
    CACHE_HIT_RATE,
    RUN_DURATION,
    OLDEST_PUSHED_DATA,
    UNCONFIRMED_ON_SALE,
    NUMBERS_ADD_UP,
    CALLS_MADE_WHEN_DUE,
    CATALOGUE_INTACT,
    REGISTER_READ,
    REGISTER_KEPT,
    REGISTER_ROWS,
    REGISTER_WRITTEN,
    HELD_ROWS,
    TOKEN_EXPIRY,
    TOKEN_FILE_WRITTEN,
    PROBE_MISS_RATE,
    ACCOUNT_BLOCKED,
    NO_FAULTS,
    ORDERS_READ,
    BASE_CALLS_SUFFICE,
    PUSHING_STOPPED,
    BLOCKLIST_READ,
    RULES_READ,
    VIEWS_READ,
    HISTORY_PUBLISHED,
    ALERT_CHANNEL_CONFIGURED,
)
"""Rules that judge the record of a run, by name."""

OUTSIDE_RULES: Mapping[str, Rule] = _by_name(RUN_FAILED, RUN_STUCK, *SILENCE)
"""Rules that no run can judge about itself; fed by whoever watches runs."""


def judge(record: RunRecord, setup: AlertSetup) -> tuple[Verdict, ...]:
    """What people are told about: at least one verdict a rule, one a subject, in the order of RULES."""
    return tuple(verdict for rule in RULES.values() for verdict in rule.verdicts(record, setup))


def rule_label(name: str, language: str) -> str:
    """What people call this rule; the name itself of a rule that is no more."""
    rule = RULES.get(name) or OUTSIDE_RULES.get(name)
    if rule is None:
        return name
    return rule.label.en if language == "en" else rule.label.ja
