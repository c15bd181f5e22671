"""What a rule says about a run (`Verdict`), and how figures are written for people.

Not for: the rules (rules/) or telling anybody (announce.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Severity = Literal["WARN", "ERROR"]
Row = Mapping[str, object]
WORST_ROWS = 3


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule says. `judged` False: reported only (too few attempts, nothing to judge), and then `passed`.

    `value` and `threshold` are in the rule's own unit (share, seconds, days, rows); None = there is none.
    `remedy` is the command to run next, or "". `subject` tells verdicts of one rule apart (shop, operation, job).
    `members`: the rows that a set consists of, by name, where its growing is news. `done_*`: what was done about it;
    `page`, `desk`: where in Dagster's UI and on the owner's desk a person acts, without the address in front.
    `at`: when it came to be so, of a rule whose verdicts may come in another order; None = they come in theirs.
    """

    rule: str
    passed: bool
    judged: bool
    value: float | None
    threshold: float | None
    severity: Severity
    message_ja: str
    message_en: str
    worst: tuple[Row, ...] = ()
    remedy: str = ""
    subject: str = ""
    members: Mapping[str, Row] = field(default_factory=dict)
    done_ja: str = ""
    done_en: str = ""
    page: str = ""
    desk: str = ""
    at: datetime | None = None

    @property
    def key(self) -> str:
        """What people are told about once: the rule, and its subject where it has one."""
        return f"{self.rule}:{self.subject}" if self.subject else self.rule

    def message(self, language: str) -> str:
        """The message in `language` ("ja" or "en")."""
        return self.message_en if language == "en" else self.message_ja

    def done(self, language: str) -> str:
        """What was done about it, in `language`."""
        return self.done_en if language == "en" else self.done_ja


def percent(share: float) -> str:
    """A share with one digit: 0.1234 -> "12.3%"."""
    return f"{share * 100:.1f}%"


def span_en(seconds: float) -> str:
    """Seconds for people, English: 5400 -> "1 h 30 min"."""
    return _span(seconds, " d", " h", " min", " s", " ")


def span_ja(seconds: float) -> str:
    """Seconds for people, Japanese: 5400 -> "1時間30分"."""
    return _span(seconds, "日", "時間", "分", "秒", "")


def _span(seconds: float, day: str, hour: str, minute: str, second: str, gap: str) -> str:
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole}{second}"
    minutes = whole // 60
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [(days, day), (hours, hour), (minutes, minute)]
    while parts and parts[0][0] == 0:
        parts.pop(0)
    return gap.join(f"{number}{unit}" for number, unit in parts[:2] if number)
