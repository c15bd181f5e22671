"""One thing that a person should look at: its words, the command to type next, and the page of the desk to open.

Not for: finding out (health.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ecauto_pipeline.alerts.rules import OUTSIDE_RULES, RULES

DESK: Mapping[str, str] = {
    "stopped": "/",
    "setup": "/setup",
    "amazon": "/setup",
    "operation": "/setup",
    "daemon": "/setup",
    "schedule": "/setup",
    "dagster": "/setup",
    "run_failed": "/runs?only=failed",
    "run_dead": "/runs?only=failed",
    "missing_runs": "/",
    "shop": "/setup",
    "token": "/setup",
    "register": "/setup",
    "channel": "/setup",
    "stale": "/setup",
    "held": "/holds",
}
"""The page of the owner's desk on which a trouble is settled, or seen; of an alert its rule says which."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that a person should look at, and the command to type next. `rule`: the alert's that stands."""

    code: str
    ja: str
    en: str
    command: str
    rule: str = ""

    @property
    def desk(self) -> str:
        """Its page of the desk ("/holds"), "" = it is settled elsewhere."""
        rule = RULES.get(self.rule) or OUTSIDE_RULES.get(self.rule)
        return rule.desk if rule is not None else DESK.get(self.code, "")

    def text(self, language: str) -> str:
        return self.en if language == "en" else self.ja
