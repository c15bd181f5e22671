"""What a fetching run has done so far, counted while it works.

Not for: the report made of it (sync/sections.py) or the ledger's own count of calls (state/calls.py).
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from ecauto_pipeline.domain.model import Answer, Role, Status
from ecauto_pipeline.domain.offers.learning import UNKNOWN_TO_SWEEP, ZERO, AsinRow, LearnRules

SILENT = 3
"""Questions in a row without an answer after which one more is no news."""
NAMED = 3
"""ASINs of each operation that are named to people; the others are counted."""
_T = TypeVar("_T")


class Tally:
    """The counts of one run in one process. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._audited: set[str] = set()
        self.statuses: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.figures: Counter[str] = Counter()
        self.not_believed: Counter[str] = Counter()
        self._unanswered: dict[str, dict[str, tuple[str, int]]] = {}
        self._doubted: dict[str, dict[str, int | None]] = {}
        self._answers: Counter[str] = Counter()
        self._none: Counter[str] = Counter()
        self._used: Counter[str] = Counter()
        self._allowed: dict[str, float] = {}

    def audit(self, asins: Iterable[str]) -> None:
        """These are asked to see what the sweep misses."""
        with self._lock:
            self._audited.update(asins)

    def count(self, role: Role, pairs: Iterable[tuple[Answer, AsinRow]], rules: LearnRules) -> None:
        """A committed batch: each answer with what was believed before."""
        with self._lock:
            for answer, before in pairs:
                self.figures["asked"] += 1
                self.statuses[str(answer.status)] += 1
                if answer.status is not Status.SUCCESS and answer.reason:
                    self.reasons[answer.reason] += 1
                if role is Role.SWEEP:
                    self.figures["sweep_answers"] += 1
                    self.figures["sweep_unknown"] += answer.reason in UNKNOWN_TO_SWEEP
                elif answer.asin in self._audited and answer.status.authoritative and before.status is not None:
                    self.figures["probe_audited"] += 1
                    self.figures["probe_missed"] += _missed(before, answer, rules)

    def answered(self, operation: str, pairs: Iterable[tuple[Answer, AsinRow]]) -> None:
        """A committed batch of this operation with what was believed before, without the zeros not believed."""
        with self._lock:
            for answer, before in pairs:
                self._answers[operation] += 1
                if answer.status is Status.API_ERROR:
                    self._none[operation] += 1
                    self.figures["silent_again"] += before.error_count >= SILENT
                    silent = self._unanswered.setdefault(operation, {})
                    silent[answer.asin] = answer.reason, before.error_count + 1
                    self._unanswered[operation] = _worst(silent, key=lambda one: one[1])

    def disbelieved(self, operation: str, prices: Mapping[str, int | None]) -> None:
        """Zeros of this operation that are not believed, those taken back later included: ASIN -> price believed."""
        with self._lock:
            if prices:
                self.not_believed[operation] += len(prices)
                doubted = self._doubted.get(operation, {}) | dict(prices)
                self._doubted[operation] = _worst(doubted, key=lambda price: price or 0)

    def borne_out(self, answer: Answer, counted_as: str) -> None:
        """A zero that was not believed is believed after all. `counted_as`: the reason with which it was counted as an
        error, "" where it was taken back later."""
        with self._lock:
            if counted_as:
                self.statuses[str(Status.API_ERROR)] -= 1
                self.statuses[str(answer.status)] += 1
                self.reasons[counted_as] -= 1
                self._answers[answer.operation] += 1
            self.not_believed[answer.operation] -= 1
            self.statuses, self.reasons, self.not_believed = +self.statuses, +self.reasons, +self.not_believed
            self._doubted.get(answer.operation, {}).pop(answer.asin, None)

    def unanswered(self) -> tuple[tuple[str, str, str, int], ...]:
        """By operation, the ASINs that went longest without an answer: reason, and how often in a row."""
        with self._lock:
            return tuple((name, asin, *why) for name, found in self._unanswered.items() for asin, why in found.items())

    def doubted(self) -> tuple[tuple[str, str, int | None], ...]:
        """By operation, the dearest of the goods whose zeros are not believed."""
        with self._lock:
            return tuple((name, asin, price) for name, found in self._doubted.items() for asin, price in found.items())

    def of_operations(self) -> dict[str, tuple[int, int]]:
        """By operation: answers, and those of them that were none."""
        with self._lock:
            return {name: (count, self._none[name]) for name, count in sorted(self._answers.items())}

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


def _worst(found: Mapping[str, _T], key: Callable[[_T], int]) -> dict[str, _T]:
    """The few rows that messages name, the worst first, in an order that does not depend on who was asked first."""
    return dict(sorted(found.items(), key=lambda row: (-key(row[1]), row[0]))[:NAMED])


def _missed(before: AsinRow, answer: Answer, rules: LearnRules) -> bool:
    """Whether the offers differ from what a sweep had just called unchanged, by what a sweep should have seen."""
    if (before.status in ZERO) != (answer.status in ZERO):
        return True
    if before.price_jpy is None or answer.price_jpy is None:
        return False
    move = abs(before.price_jpy - answer.price_jpy)
    return move >= rules.sweep_jpy or move >= rules.sweep_ratio * before.price_jpy > 0
