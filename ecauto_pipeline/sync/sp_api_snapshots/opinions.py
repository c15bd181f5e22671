"""Doubted answers of one run, and what the second opinion made of them.

A doubt is put to another family of Amazon's. What that one agrees with is believed as the doubted answer had it; what
it contradicts is not, and is asked again later; where it can't say, a single look is taken as ever. Zeros that were too
many at once are put to it in the same way; where it can't say they stay what they are, not believed. When it is refused
as a whole (a role is missing, it is gone), nobody asks it again for an hour; after the third refusal, for a day. An
answer to anybody, the doctor too, ends that at once.
Not for: the verdict (domain/offers/second_opinion.py) or who asks next (queues.py).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from ecauto_pipeline.domain.model import Answer, Role
from ecauto_pipeline.domain.offers.learning import AsinRow, LearnRules, learn
from ecauto_pipeline.domain.offers.second_opinion import Verdict, audit, judge, settled
from ecauto_pipeline.state.marks import read_mark, set_mark
from ecauto_pipeline.sync.sp_api_snapshots.mass_zeros import REASON as MASS_ZERO

PROBE_AFTER = timedelta(hours=1)
LATER_AFTER = timedelta(days=1)
_HOURLY = ("opinion_refusal_1", "opinion_refusal_2", "opinion_refusal_3")
"""Marks of the first refusals in a row; when all are set since the last answer, a day is waited."""
_ANSWERED = "opinion_answered"
_REFUSED = {status: f"opinion_refused_{status}" for status in (401, 403, 404)}
"""Answers to a whole call that say that this account does not get this operation."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A doubted answer, kept as `snapshot_id`. `unbelieved`: kept as an error, because too many said the same.
    `answered_at`: when a run that died was given it, None = in this run."""

    snapshot_id: str
    answer: Answer
    unbelieved: bool = False
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of a batch: the rows as they are now, and the ASINs that still need a single look.

    `borne_out`: answers that were too many at once to be believed, and are now. `audits`: verdicts on unchanged
    answers, which settle nothing.
    """

    rows: Mapping[str, AsinRow]
    undecided: list[str]
    verdicts: list[Verdict]
    borne_out: list[Claim]
    audits: list[Verdict]


def refused_since(connection: Connection) -> tuple[int, datetime] | None:
    """HTTP status and time of the last refusal of the whole operation, None where it was answered since, or never."""
    answered = read_mark(connection, _ANSWERED)
    marks = [(at, status) for status, name in _REFUSED.items() if (at := read_mark(connection, name)) is not None]
    if not marks or (answered is not None and answered >= max(marks)[0]):
        return None
    at, status = max(marks)
    return status, at


def to_be_asked(connection: Connection, now: datetime) -> bool:
    """Whether it is worth a call: it was not refused within the last hour, or day where it always is."""
    refused = refused_since(connection)
    if refused is None:
        return True
    often = _free_mark(connection) is None
    return abs(now - refused[1]) >= (LATER_AFTER if often else PROBE_AFTER)


def note_answers(connection: Connection, answers: Sequence[Answer], now: datetime) -> bool:
    """Keep in state whether these answers of one call say that the account does not get the operation; True = so."""
    if any(not answer.of_call for answer in answers):
        if refused_since(connection) is not None:
            set_mark(connection, _ANSWERED, now)
        return False
    statuses = {answer.http_status for answer in answers if not answer.reason.startswith("lwa_")}
    found = [name for status, name in _REFUSED.items() if status in statuses]
    before = refused_since(connection)
    if found and (before is None or abs(now - before[1]) >= PROBE_AFTER):  # two accounts at once are refused once
        free = _free_mark(connection)
        if free is not None:
            set_mark(connection, free, now)
    for name in found:
        set_mark(connection, name, now)
    return bool(found)


def _free_mark(connection: Connection) -> str | None:
    """The mark of the next refusal in a row, None where they are all set."""
    answered = read_mark(connection, _ANSWERED)
    for name in _HOURLY:
        at = read_mark(connection, name)
        if at is None or (answered is not None and at <= answered):
            return name
    return None


class Opinions:
    """The doubts of one run in one process. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._claims: dict[str, Claim] = {}  # by ASIN
        self._audits: set[str] = set()
        self._denied: set[str] = set()  # snapshot ids
        self.refused = False
        """The operation as a whole was refused in this run."""

    def doubted(self, claims: Mapping[str, Claim]) -> None:
        """Remember these answers until the second opinion has spoken."""
        with self._lock:
            self._claims |= claims

    def unchanged(self, asins: Iterable[str]) -> None:
        """The answers about these changed nothing; what the second opinion says of them is only counted."""
        with self._lock:
            self._audits.update(asins)

    def awaited(self, row: AsinRow) -> bool:
        """Whether there is still something to ask about this ASIN: what was spoken of is asked once."""
        with self._lock:
            return (_doubted(row) and row.asin in self._claims) or row.asin in self._audits

    def denied(self, snapshot_id: str) -> bool:
        """Whether the answer kept as `snapshot_id` was contradicted: it is not believed, and need not be taken back."""
        with self._lock:
            return snapshot_id in self._denied

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
        undecided, verdicts, borne_out, audits = [], [], [], []
        for answer in answers:
            with self._lock:
                claim = self._claims.pop(answer.asin, None)
                unchanged = answer.asin in self._audits
                self._audits.discard(answer.asin)
            row = rows[answer.asin]
            if not _doubted(row):
                if unchanged and not answer.of_call:
                    after[answer.asin] = replace(row, audited_at=now)
                    audits.append(audit(row, answer, rules))
                continue
            if claim is None:
                continue
            of_mass = row.error_reason == MASS_ZERO
            if of_mass:  # as it would stand had it come alone
                alone = replace(rules, opinion=True)
                row = learn(row, claim.answer, Role.DETAIL, claim.snapshot_id, now, alone)
            verdict = judge(row, claim.answer, answer, rules)
            verdicts.append(verdict)
            if of_mass and verdict is Verdict.CANT_SAY:
                continue
            as_of = (
                (claim.answered_at or now) if verdict is Verdict.AGREES else now
            )  # no price is younger than its look
            after[answer.asin] = settled(row, claim.answer, claim.snapshot_id, verdict, answer, as_of, rules)
            if verdict is Verdict.CANT_SAY:
                undecided.append(answer.asin)
            if of_mass and verdict is Verdict.AGREES:
                borne_out.append(claim)
            if verdict is Verdict.CONTRADICTS:
                with self._lock:
                    self._denied.add(claim.snapshot_id)
        self.refused = note_answers(connection, answers, now) or self.refused
        return Settled(after, undecided, verdicts, borne_out, audits)


def _doubted(row: AsinRow) -> bool:
    return bool(row.doubt) or row.error_reason == MASS_ZERO
