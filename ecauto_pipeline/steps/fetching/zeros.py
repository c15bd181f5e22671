"""Too many zeros at once: the answers of one operation in one run, watched while they come.

When more of what we believed in stock is suddenly gone than the guard allows, the operation's zeros are not believed
at all: those still to come, and those already kept. Not for: the threshold itself (domain/guards.py).
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace

from ecauto_pipeline.domain.guards import mass_zero
from ecauto_pipeline.domain.learning import ZERO, AsinRow
from ecauto_pipeline.domain.model import Answer, Status
from ecauto_pipeline.settings import Guards

JUDGED_FROM = 50  # ASINs asked; of fewer, a share of zeros says nothing
REASON = "mass_zero"


@dataclass(slots=True)
class _Seen:
    asked: int = 0
    believed: int = 0
    zeros: int = 0
    kept: dict[str, str] = field(default_factory=dict)  # snapshot id -> ASIN of zeros that were news
    tripped: bool = False


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
            lost: dict[str, str] = {}
            if not seen.tripped and seen.asked >= JUDGED_FROM and mass_zero(seen.believed, seen.zeros, self._guards):
                seen.tripped, lost, seen.kept = True, seen.kept, {}
            if not seen.tripped:
                seen.kept |= news
                return [(sid, answer) for sid, answer, _ in answers], lost
            return [(sid, _unbelieved(answer) if sid in news else answer) for sid, answer, _ in answers], lost

    def judged(self, operation: str) -> bool:
        """Whether enough was asked to tell."""
        with self._lock:
            return operation in self._seen and self._seen[operation].asked >= JUDGED_FROM

    def tripped(self) -> list[str]:
        """The operations whose zeros are not believed in this run."""
        with self._lock:
            return sorted(name for name, seen in self._seen.items() if seen.tripped)


def _is_news(answer: Answer, row: AsinRow) -> bool:
    return answer.status in ZERO and row.status not in ZERO


def _unbelieved(answer: Answer) -> Answer:
    return replace(
        answer,
        status=Status.API_ERROR,
        reason=REASON,
        in_stock=None,
        offer_count=None,
        probe_offer_count=None,
    )
