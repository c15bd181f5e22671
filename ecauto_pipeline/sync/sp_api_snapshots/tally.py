"""What a fetching run has done so far, counted while it works, and the report made of it.

Not for: judging the figures (domain/alerts) or the ledger's own count of calls (state/calls.py).
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ecauto_pipeline.domain.model import Answer, Status
from ecauto_pipeline.domain.offers.learning import SWEEP, UNKNOWN_TO_SWEEP, ZERO, AsinRow, LearnRules


@dataclass(frozen=True, slots=True)
class FetchReport:
    """One run's questions to Amazon. Every asked ASIN is in `by_status` once a request.

    `calls`, `refused` (429) and `used_share` by "account/operation"; `used_share`: calls made of the calls that the
    rate allowed while there was work. `left_over`: planned or found and not asked. `doubts_open`: second looks owed.
    `not_believed`: operations whose zeros were too many at once. `others`: ASINs another run answered meanwhile.
    `continues`: the run whose plan this one went on with, "" where it was its own.
    """

    planned: int = 0
    asked: int = 0
    by_status: Mapping[str, int] = field(default_factory=dict)
    by_reason: Mapping[str, int] = field(default_factory=dict)
    calls: Mapping[str, int] = field(default_factory=dict)
    refused: Mapping[str, int] = field(default_factory=dict)
    failed_calls: int = 0
    used_share: Mapping[str, float] = field(default_factory=dict)
    left_over: int = 0
    others: int = 0
    doubts_open: int = 0
    second_looks: int = 0
    not_believed: tuple[str, ...] = ()
    probe_audited: int = 0
    probe_missed: int = 0
    sweep_answers: int = 0
    sweep_unknown: int = 0
    seconds: float = 0.0
    continues: str = ""


class Tally:
    """The counts of one run in one process. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._audited: set[str] = set()
        self.statuses: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.figures: Counter[str] = Counter()
        self._used: Counter[str] = Counter()
        self._allowed: dict[str, float] = {}

    def audit(self, asins: Iterable[str]) -> None:
        """These are asked to see what the sweep misses."""
        with self._lock:
            self._audited.update(asins)

    def count(self, operation: str, pairs: Iterable[tuple[Answer, AsinRow]], rules: LearnRules) -> None:
        """A committed batch: each answer with what was believed before."""
        with self._lock:
            for answer, before in pairs:
                self.figures["asked"] += 1
                self.statuses[str(answer.status)] += 1
                if answer.status is not Status.SUCCESS and answer.reason:
                    self.reasons[answer.reason] += 1
                if operation == SWEEP:
                    self.figures["sweep_answers"] += 1
                    self.figures["sweep_unknown"] += answer.reason in UNKNOWN_TO_SWEEP
                elif answer.asin in self._audited and answer.status.authoritative and before.status is not None:
                    self.figures["probe_audited"] += 1
                    self.figures["probe_missed"] += _missed(before, answer, rules)

    def add(self, figure: str, number: int = 1) -> None:
        with self._lock:
            self.figures[figure] += number

    def allowed(self, bucket: str, calls: float, used: int) -> None:
        """The rate allowed so many calls more, and so many were made."""
        with self._lock:
            self._allowed[bucket] = self._allowed.get(bucket, 0.0) + calls
            self._used[bucket] += used

    def used_share(self) -> dict[str, float]:
        with self._lock:
            return {
                name: round(min(1.0, self._used[name] / calls), 4)
                for name, calls in sorted(self._allowed.items())
                if calls >= 1
            }

    def allowed_calls(self) -> dict[str, float]:
        """Calls that the rates have allowed so far, by account and operation."""
        with self._lock:
            return {name: round(calls, 1) for name, calls in self._allowed.items()}

    def calls(self) -> dict[str, int]:
        """Batches asked so far, by account and operation."""
        with self._lock:
            return dict(self._used)

    def snapshot(self) -> dict[str, int]:
        """Statuses so far, for people who wait."""
        with self._lock:
            return dict(self.statuses)


def _missed(before: AsinRow, answer: Answer, rules: LearnRules) -> bool:
    """Whether the offers differ from what a sweep had just called unchanged, by what a sweep should have seen."""
    if (before.status in ZERO) != (answer.status in ZERO):
        return True
    if before.price_jpy is None or answer.price_jpy is None:
        return False
    move = abs(before.price_jpy - answer.price_jpy)
    return move >= rules.sweep_jpy or move >= rules.sweep_ratio * before.price_jpy > 0
