"""Which operation of which account answers, watched call by call while a run asks.

When one goes down, the ASINs of its last calls in vain are handed to whoever takes over; when it answers again, all is
as before. Not for: when an operation counts as down (domain/operation_health.py) or who takes over (workers.py).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from ecauto_pipeline.amazon.client import NOT_ASKED, SpApiClient
from ecauto_pipeline.amazon.operation import Operation
from ecauto_pipeline.domain.model import Answer, Role
from ecauto_pipeline.domain.operation_health import MOST_OF_A_CALL, OF_SHAPES, WELL, FailedCall, OperationHealth
from ecauto_pipeline.state import asins, locks
from ecauto_pipeline.state.operation_health import AccountOperation, note_call
from ecauto_pipeline.sync.context import Context
from ecauto_pipeline.sync.sp_api_snapshots.opinions import note_answers

PROBE_TRIES = 2
"""Of an operation that is down: a call, and one with a fresh token."""


class HealthWatch:
    """The health as one run sees it. Safe to share between threads."""

    def __init__(self, health: Mapping[AccountOperation, OperationHealth]) -> None:
        self._lock = threading.Lock()
        self._health = dict(health)
        self._in_vain: dict[AccountOperation, list[str]] = {}  # ASINs of the calls in vain in a row, in this run
        self._handed_over: set[str] = set()

    def is_up(self, account: str, operation: str) -> bool:
        with self._lock:
            return self._health.get((account, operation), WELL).down_since is None

    def may_ask(self, account: str, operation: str, now: datetime) -> bool:
        """It is up, or may be tried."""
        with self._lock:
            return self._health.get((account, operation), WELL).may_be_asked(now)

    def handed_over(self, asin: str) -> bool:
        """Whether it was asked about in vain by an operation that is down: it is asked again in this run."""
        with self._lock:
            return asin in self._handed_over

    def blamed(self, account: str, operation: Operation[Answer], answers: Sequence[Answer]) -> list[Answer]:
        """The answers with the call to blame for a single one that found nothing (404), and for one that can't be read
        for the reason for which those before it could not, where the call before it failed too: alone it may be its
        ASIN's."""
        with self._lock:
            health = self._health.get((account, operation.name), WELL)
        if health.failed_calls == 0:
            return list(answers)
        as_before = OF_SHAPES & {health.reason}
        return [
            replace(one, of_call=True) if _not_found(one, operation) or one.reason in as_before else one
            for one in answers
        ]

    def called(
        self,
        connection: Connection,
        account: str,
        operation: Operation[Answer],
        answers: Sequence[Answer],
        now: datetime,
        wanted: bool = True,
    ) -> list[str]:
        """Keep what one call brought. Returns the ASINs to be asked by somebody else: none unless it is down now, and
        not those of this call where nobody has `wanted` to know of them."""
        if not answers:
            return []
        failed = None
        in_vain = [answer for answer in answers if answer.of_call or _not_found(answer, operation)]
        if len(in_vain) >= MOST_OF_A_CALL * len(answers):
            failed = FailedCall(in_vain[0].reason, in_vain[0].http_status, operation.batch)
        asked = [answer.asin for answer in answers if wanted and not answer.status.authoritative]
        return self._noted(connection, (account, operation.name), failed, asked, now)

    def found_down(
        self, connection: Connection, account: str, operation: Operation[Answer], refusal: Answer, now: datetime
    ) -> list[str]:
        """The same where it is certain that this operation refuses whatever it is asked."""
        failed = FailedCall(refusal.reason, refusal.http_status, operation.batch, certain=True)
        return self._noted(connection, (account, operation.name), failed, [], now)

    def _noted(
        self, connection: Connection, key: AccountOperation, failed: FailedCall | None, asked: list[str], now: datetime
    ) -> list[str]:
        after = note_call(connection, *key, failed, now)
        with self._lock:
            self._health[key] = after
            waiting = self._in_vain.pop(key, []) + asked
            if failed is None:
                return []
            if after.down_since is None:
                self._in_vain[key] = waiting
                return []
            self._handed_over.update(waiting)
            return waiting


def try_out(
    context: Context, watch: HealthWatch, account: SpApiClient, operation: Operation[Answer], deadline: float
) -> None:
    """Ask an operation that is down, and that nothing has to be asked of now, about an ASIN known to be good: else it
    would stand as down until somebody needs it. Only whether it answers is kept."""
    with context.state.read() as connection:
        good = asins.known_good(connection)
    if good is None:
        return
    answers = account.call(operation, [good], context.run.run_id, deadline, PROBE_TRIES)
    given = watch.blamed(account.account_id, operation, [one for one in answers if one.reason != NOT_ASKED])
    now = context.clock.now()
    reach = locks.sp_account(account.account_id) if operation.role is not Role.OPINION else None
    with context.state.write(reach) as connection:
        watch.called(connection, account.account_id, operation, given, now, wanted=False)
        if operation.role is Role.OPINION and given:
            note_answers(connection, given, now)
        account.ledger.flush(connection)


def _not_found(answer: Answer, operation: Operation[Answer]) -> bool:
    return operation.batch == 1 and answer.http_status == 404 and not answer.status.authoritative
