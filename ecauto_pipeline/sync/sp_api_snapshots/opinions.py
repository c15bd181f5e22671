"""Doubted answers of one run, and what the second opinion made of them.

A doubt is put to another family of Amazon's. What that one agrees with is believed as the doubted answer had it; what
it contradicts is not, and is asked again later; where it can't say, a single look is taken as ever. When it is refused
as a whole (a role is missing, it is gone), nobody asks it again for an hour.
Not for: the verdict (domain/offers/second_opinion.py) or who asks next (queues.py).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from ecauto_pipeline.domain.model import Answer
from ecauto_pipeline.domain.offers.learning import AsinRow, LearnRules
from ecauto_pipeline.domain.offers.second_opinion import Verdict, judge, settled
from ecauto_pipeline.state.marks import read_mark, set_mark

PROBE_AFTER = timedelta(hours=1)
_ANSWERED = "opinion_answered"
_REFUSED = {status: f"opinion_refused_{status}" for status in (401, 403, 404)}
"""Answers to a whole call that say that this account does not get this operation."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of a batch: the rows as they are now, and the ASINs that still need a single look."""

    rows: Mapping[str, AsinRow]
    undecided: list[str]
    verdicts: list[Verdict]


def refused_since(connection: Connection) -> tuple[int, datetime] | None:
    """HTTP status and time of the last refusal of the whole operation, None where it was answered since, or never."""
    answered = read_mark(connection, _ANSWERED)
    marks = [(at, status) for status, name in _REFUSED.items() if (at := read_mark(connection, name)) is not None]
    if not marks or (answered is not None and answered >= max(marks)[0]):
        return None
    at, status = max(marks)
    return status, at


def to_be_asked(connection: Connection, now: datetime) -> bool:
    """Whether it is worth a call: it was not refused within the last hour."""
    refused = refused_since(connection)
    return refused is None or abs(now - refused[1]) >= PROBE_AFTER


class Opinions:
    """The doubts of one run in one process. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._claims: dict[str, tuple[str, Answer]] = {}  # ASIN -> the doubted answer and its snapshot id
        self.refused = False
        """The operation as a whole was refused in this run."""

    def doubted(self, claims: Mapping[str, tuple[str, Answer]]) -> None:
        """Remember these answers until the second opinion has spoken."""
        with self._lock:
            self._claims |= claims

    def judge(
        self,
        connection: Connection,
        answers: list[Answer],
        rows: Mapping[str, AsinRow],
        now: datetime,
        rules: LearnRules,
    ) -> Settled:
        """What these answers make of the doubts they are about. Notes in state whether the operation is refused."""
        after: dict[str, AsinRow] = {}
        undecided, verdicts = [], []
        for answer in answers:
            with self._lock:
                snapshot_id, claim = self._claims.pop(answer.asin, ("", None))
            row = rows[answer.asin]
            if claim is None or not row.doubt:
                continue
            verdict = judge(row, claim, answer, rules)
            verdicts.append(verdict)
            after[answer.asin] = settled(row, claim, snapshot_id, verdict, answer, now, rules)
            if verdict is Verdict.CANT_SAY:
                undecided.append(answer.asin)
        self._note(connection, answers, now)
        return Settled(after, undecided, verdicts)

    def _note(self, connection: Connection, answers: list[Answer], now: datetime) -> None:
        if any(not answer.of_call for answer in answers):
            if refused_since(connection) is not None:
                set_mark(connection, _ANSWERED, now)
            return
        statuses = {answer.http_status for answer in answers if not answer.reason.startswith("lwa_")}
        for status, name in _REFUSED.items():
            if status in statuses:
                self.refused = True
                set_mark(connection, name, now)
