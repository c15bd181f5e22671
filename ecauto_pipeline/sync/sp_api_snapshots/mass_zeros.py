"""Too many zeros at once: the answers of one operation in one run, watched while they come.

When more of what we believed in stock is suddenly gone than the guard allows, the operation's zeros are not believed
at all: those still to come, and those already kept. A run that asks about few is judged by whether most of them are
gone; there, what is said in PERSISTED runs in a row is believed after all, because a handful of goods may well sell out
together. Not for: the thresholds themselves (domain/selling/guards.py).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from ecauto_pipeline.amazon.operation import Operation
from ecauto_pipeline.domain.model import Answer, Role, Status
from ecauto_pipeline.domain.offers.learning import ZERO, AsinRow
from ecauto_pipeline.domain.reasons import MASS_ZERO
from ecauto_pipeline.domain.selling.guards import mass_zero, most_are_zero
from ecauto_pipeline.settings import Guards

JUDGED_FROM = 50  # ASINs asked; of fewer, a share of zeros says nothing
PERSISTED = 6  # runs in a row: an hour of slices, six hours of a small shop
REASON = MASS_ZERO
_STANDING_IN = "/"


@dataclass(slots=True)
class _Seen:
    asked: int = 0
    believed: int = 0
    zeros: int = 0
    kept: dict[str, str] = field(default_factory=dict)  # snapshot id -> ASIN of zeros that were news
    fresh: int = 0  # believed in stock, and not doubted before this run
    fresh_zeros: int = 0
    tripped: bool = False
    by_few: bool = False

    def looks_wrong(self, guards: Guards) -> bool:
        if self.asked >= JUDGED_FROM:
            return mass_zero(self.believed, self.zeros, guards)
        self.by_few = most_are_zero(self.fresh, self.fresh_zeros)
        return self.by_few


class Zeros:
    """One run's zeros by operation. Safe to share between threads."""

    def __init__(self, guards: Guards) -> None:
        self._guards, self._lock = guards, threading.Lock()
        self._seen: dict[str, _Seen] = {}

    def judge(
        self, operation: str, answers: list[tuple[str, Answer, AsinRow]]
    ) -> tuple[list[tuple[str, Answer]], dict[str, str]]:
        """A batch's answers (snapshot id, answer, what was believed) as they may be kept, and the zeros kept earlier
        (snapshot id -> ASIN) that have just lost their credit."""
        with self._lock:
            seen = self._seen.setdefault(operation, _Seen())
            news = {sid: answer.asin for sid, answer, row in answers if _is_news(answer, row)}
            authoritative = [row for _, answer, row in answers if answer.status.authoritative]
            seen.asked += len(authoritative)
            seen.believed += sum(row.status is Status.SUCCESS for row in authoritative)
            seen.zeros += sum(row.status is Status.SUCCESS and answer.status in ZERO for _, answer, row in answers)
            fresh = [(answer, row) for _, answer, row in answers if answer.status.authoritative and _is_fresh(row)]
            seen.fresh += len(fresh)
            seen.fresh_zeros += sum(answer.status in ZERO for answer, _ in fresh)
            lost: dict[str, str] = {}
            if not seen.tripped and seen.looks_wrong(self._guards):
                seen.tripped, lost, seen.kept = True, seen.kept, {}
            if not seen.tripped:
                seen.kept |= news
                return [(sid, answer) for sid, answer, _ in answers], lost
            if seen.by_few:
                news = {sid: answer.asin for sid, answer, row in answers if sid in news and _is_fresh(row)}
            return [(sid, _unbelieved(answer) if sid in news else answer) for sid, answer, _ in answers], lost

    def may_lose_credit(self, operation: str, answers: Iterable[Answer]) -> bool:
        """Whether `judge` may take back zeros kept earlier when these come, whatever was believed before."""
        more = sum(answer.status in ZERO for answer in answers)
        with self._lock:
            seen = self._seen.get(operation)
            if seen is None or seen.tripped or not seen.kept or not more:
                return False
            worst = replace(seen, believed=seen.believed + more, zeros=seen.zeros + more)
            few = replace(worst, asked=0, fresh=seen.fresh + more, fresh_zeros=seen.fresh_zeros + more)
            return few.looks_wrong(self._guards) or replace(worst, asked=JUDGED_FROM).looks_wrong(self._guards)

    def judged(self, operations: Iterable[str]) -> bool:
        """Whether enough was asked, by all of these together, to tell."""
        with self._lock:
            return sum(self._seen[name].asked for name in operations if name in self._seen) >= JUDGED_FROM

    def tripped(self) -> list[str]:
        """The operations whose zeros are not believed in this run."""
        with self._lock:
            return sorted({name.partition(_STANDING_IN)[0] for name, seen in self._seen.items() if seen.tripped})


def zeros_of(operation: Operation[Answer], role: Role) -> str:
    """The name under which zeros are judged: first looks are not counted among the second looks of the same name."""
    return operation.name if role is operation.role else f"{operation.name}{_STANDING_IN}{role}"


def _is_news(answer: Answer, row: AsinRow) -> bool:
    return answer.status in ZERO and row.status not in ZERO


def _is_fresh(row: AsinRow) -> bool:
    """Believed in stock until now: neither a second look at a zero nor one that is said for the PERSISTEDth time."""
    said_so_often = row.error_reason == REASON and row.error_count >= PERSISTED
    return row.status is Status.SUCCESS and row.doubt != "zero" and not said_so_often


def _unbelieved(answer: Answer) -> Answer:
    return replace(
        answer,
        status=Status.API_ERROR,
        reason=REASON,
        in_stock=None,
        offer_count=None,
        probe_offer_count=None,
        of_call=True,
    )
