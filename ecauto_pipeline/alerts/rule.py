"""What an alert rule is: one declaration that holds everything said and done about it.

Its name is the law it states; checks, messages and the runbook take law, label, asset, severity and remedy from here.
Not for: the rules themselves (rules/) or telling anybody (announce.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ecauto_pipeline.alerts.verdicts import WORST_ROWS, Row, Severity, Verdict
from ecauto_pipeline.settings import Alerts
from ecauto_pipeline.sync.run_record import RunRecord


@dataclass(frozen=True, slots=True)
class Words:
    """The same in Japanese and in English."""

    ja: str
    en: str


@dataclass(frozen=True, slots=True)
class AlertSetup:
    """What rules go by besides the run: [alerts], and the channels that refused the last message sent through them."""

    alerts: Alerts
    broken_channels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a rule finds. `judged` False: reported only, nothing was measured or too little.

    `severity` where it is not the rule's own; `remedy` where it names what was found.
    """

    said: Words
    passed: bool = True
    judged: bool = True
    value: float | None = None
    threshold: float | None = None
    worst: tuple[Row, ...] = ()
    severity: Severity | None = None
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`law`: what must hold; `label`: what people call it; `remedy`: the command to run next when it fires."""

    name: str
    law: Words
    label: Words
    severity: Severity
    remedy: str

    def verdict(self, found: Finding, subject: str = "") -> Verdict:
        """What is said about it. What is not judged passes; `subject` tells verdicts of one rule apart."""
        passed = found.passed or not found.judged
        return Verdict(
            rule=self.name,
            passed=passed,
            judged=found.judged,
            value=found.value,
            threshold=found.threshold,
            severity=found.severity or self.severity,
            message_ja=found.said.ja,
            message_en=found.said.en,
            worst=found.worst[:WORST_ROWS],
            remedy="" if passed else found.remedy or self.remedy,
            subject=subject,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRule(Rule):
    """A rule that judges the record of a run. `asset`: which one shows it as its check; `find` is pure."""

    asset: str
    find: Callable[[RunRecord, AlertSetup], Finding]

    def judge(self, record: RunRecord, setup: AlertSetup) -> Verdict:
        """What this rule says of the run; a step that the run did not do leaves its rules unjudged."""
        return self.verdict(self.find(record, setup))


def unmeasured(ja: str, en: str, threshold: float | None = None) -> Finding:
    """What a rule says of a run that did not look."""
    return Finding(said=Words(ja, en), judged=False, threshold=threshold)
