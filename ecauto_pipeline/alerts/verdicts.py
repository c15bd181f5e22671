"""The words of alerting: what a run did (`RunFacts`), what a rule says about it (`Verdict`).

Not for: the rules (rates.py, states.py, gathered in rules.py) or telling anybody (alerts/announce.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Severity = Literal["WARN", "ERROR"]
Row = Mapping[str, object]
WORST_ROWS = 3


@dataclass(frozen=True, slots=True)
class RunFacts:
    """One run as the rules see it. Fields are called as the columns of `run_metrics`; None = unknown, never zero.

    `never_fetched`: how many of `cache_misses` nobody ever had an answer about (a first fill, new listings).
    `due_total`: ASINs due when the run looked; `fetch`: whether asking Amazon was part of its job.
    `breakers`: (account, reason) of every shop whose breaker is open. `out_of_calls`: (account, changes that wait) of
    every shop whose calls were used up. `worst`: by rule, the rows that explain it, worst first.
    `channels` / `broken_channels`: alert channels configured, and those that last refused a message.
    """

    run_id: str = ""
    job: str = ""
    partition_key: str = ""
    started_at: datetime | None = None
    dry_run: bool = False
    fetch: bool = True
    total_asins: int = 0
    cache_hits: int = 0
    cache_misses: int = 0
    never_fetched: int = 0
    sp_api_calls: int = 0
    sp_api_errors: int = 0
    status_success: int = 0
    status_out_of_stock: int = 0
    status_filtered_out: int = 0
    status_not_found: int = 0
    status_api_error: int = 0
    base_api_calls: int = 0
    base_api_updates: int = 0
    base_api_errors: int = 0
    errors: int = 0
    execution_time_seconds: float | None = None
    planned_seconds: float | None = None
    targets: int = 0
    pushed: int = 0
    unchanged: int = 0
    held: int = 0
    blocked: int = 0
    skipped: int = 0
    failed: int = 0
    oldest_pushed_data_s: float | None = None
    oldest_allowed_s: float | None = None
    due_total: int = 0
    left_over: int = 0
    held_open: int = 0
    catalogue_nulled: int | None = None
    probe_audited: int = 0
    probe_missed: int = 0
    token_days_left: float | None = None
    breakers: tuple[tuple[str, str], ...] = ()
    out_of_calls: tuple[tuple[str, int], ...] = ()
    channels: int | None = None
    broken_channels: tuple[str, ...] = ()
    worst: Mapping[str, Sequence[Row]] = field(default_factory=dict)

    @property
    def answers(self) -> int:
        """Requested ASINs that got their one row, whatever it said."""
        return (
            self.status_success
            + self.status_out_of_stock
            + self.status_filtered_out
            + self.status_not_found
            + self.status_api_error
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule says. `judged` False: reported only (too few attempts, nothing to judge), and then `passed`.

    `value` and `threshold` are in the rule's own unit (share, seconds, days, rows); None = there is none.
    `remedy` is the command to run next, or "". `subject` tells verdicts of one rule apart (a job's name).
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

    @property
    def key(self) -> str:
        """What people are told about once: the rule, and its subject where it has one."""
        return f"{self.rule}:{self.subject}" if self.subject else self.rule

    def message(self, language: str) -> str:
        """The message in `language` ("ja" or "en")."""
        return self.message_en if language == "en" else self.message_ja


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
