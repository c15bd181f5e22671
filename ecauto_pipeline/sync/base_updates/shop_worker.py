"""One shop's worker: sends that shop's decisions, one at a time, in order, each with its intent journalled first.

One bad item ends as one failed row, whatever was raised over it; a spent window or a closed shop ends the worker, its
rows stay open for the next run. Where a shop takes its edits together, each is an intent until all have left.
Not for: choosing the rows or the other shops (push.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection

from ecauto_pipeline.domain.model import Diff, Kind, ListingKey, Outcome
from ecauto_pipeline.domain.selling.guards import push_order
from ecauto_pipeline.errors import (
    AccountBlocked,
    BudgetSpent,
    CallError,
    OutcomeUnknown,
    Stopped,
    Transport,
)
from ecauto_pipeline.shops.protocol import Item, Shop, key_of
from ecauto_pipeline.state import decisions, journal, locks, stops
from ecauto_pipeline.state.corrections import OTHER_VALUE
from ecauto_pipeline.state.decisions import Decided
from ecauto_pipeline.state.shop_accounts import breaker_of, open_breaker
from ecauto_pipeline.state.stops import PAUSED
from ecauto_pipeline.sync.base_updates.ends import RowOutcome, ShopReport, TakenIn
from ecauto_pipeline.sync.base_updates.outcomes import note_done, note_failed, note_lost, take_back
from ecauto_pipeline.sync.base_updates.push_lease import PushLease
from ecauto_pipeline.sync.base_updates.read_back import read_back_edit, read_back_open_edits
from ecauto_pipeline.sync.base_updates.recheck import End, Gate, RecheckResult
from ecauto_pipeline.sync.base_updates.safety import SafetyHides
from ecauto_pipeline.sync.context import Context
from ecauto_pipeline.sync.faults import FAULT, concerns_everybody, fault_of, place_of

UNREACHABLE_AFTER = 5  # calls in a row without any answer
UNREACHABLE = "shop_unreachable"
FAULTS_IN_A_ROW = 5  # rows; the next would hardly fare better
Order = Callable[[Diff], tuple[Any, ...]]
"""The sort key in which rows leave."""


class ShopWorker:
    """Pushes the rows of one shop. `rows` is asked once, after the past is settled: that may open some again.

    `closed`: "" or why nothing may be sent to it at all. `safety`: asked about listings whose price failed.
    """

    def __init__(
        self,
        context: Context,
        shop: Shop,
        rows: Callable[[], Sequence[Decided]],
        gate: Gate,
        *,
        closed: str = "",
        rollback_of: str = "",
        order: Order = push_order,
        ended: Callable[[RowOutcome], None] = lambda _ended: None,
        safety: SafetyHides | None = None,
    ) -> None:
        self._context, self._shop, self._gate = context, shop, gate
        self._load, self._rows = rows, list[Decided]()
        self._price_ends: dict[ListingKey, End] = {}
        self._closed, self._rollback_of, self._say, self._safety = closed, rollback_of, ended, safety
        self._name = context.name_of(key_of(shop))
        self._lease = PushLease(context, key_of(shop))
        self._lock = locks.shop(key_of(shop))
        self._order = order
        self._silent = self._faults_in_a_row = 0
        self._taken_in: list[TakenIn] = []
        self.report = ShopReport()

    def work(self) -> None:
        """Settle the past, then push. Never raises: what goes wrong is in the report."""
        try:
            if self._context.run.dry_run:
                self._fill()
                self._push()
            elif self._closed or self._lease.claim():
                try:
                    self._settle()
                    self._fill()
                    self._push()
                finally:
                    self._lease.release()
            else:
                self._fill()
                self._rest("pushed_elsewhere")
        except Stopped:
            self._rest("stopped")
        except BaseException as error:
            self._broken_off("push", error)
            self._rest(FAULT)

    def _broken_off(self, doing: str, error: BaseException) -> None:
        """Note what nobody foresaw; what concerns everybody is raised by the main thread when all shops are done."""
        if not isinstance(error, Exception) or concerns_everybody(error):
            self.report.crash = error
        else:
            self.report.faults.append(fault_of(self._context, key_of(self._shop), doing, error))

    def _fill(self) -> None:
        self._rows = sorted(self._load(), key=lambda row: self._order(row.diff))

    def _settle(self) -> None:
        if self._closed:
            return
        try:
            for _, outcome in read_back_open_edits(self._context, self._shop, self.report.faults.append):
                self.report.settled_done += outcome is Outcome.DONE
                self.report.settled_not_done += outcome is Outcome.FAILED
        except (BudgetSpent, AccountBlocked) as error:
            self._close(error)

    def _push(self) -> None:
        try:
            for decided in self._rows:
                if not self._closed:
                    self._context.go_on()
                    self._renew()
                if self._closed:
                    self._end(decided, "skipped", self._closed)
                else:
                    self._one_whatever_happens(decided)
            self._flush()
            self._hide_what_failed()
            self._flush()
        finally:  # only what did not get so far is left: no edit of it has left
            self._withdraw("stopped")

    def _hide_what_failed(self) -> None:
        """Take off sale what would go on selling at a loss because its shop did not take the right price."""
        if self._safety is None:
            return
        failed = [one.decided for one in self.report.ended if one.end == "failed"]
        prices = [decided for decided in failed if decided.diff.kind is Kind.PRICE]
        for price in [*prices, *self._safety.resting()]:
            self._context.go_on()
            self._renew()
            found = None if self._closed else self._safety.instead_of(price)
            if found is not None:
                self.report.instead[found[0].diff_id] = found[1]
                self._one_whatever_happens(found[0])

    def _renew(self) -> None:
        if not self._context.run.dry_run and not self._lease.renew():
            self._closed = "pushed_elsewhere"

    def _one_whatever_happens(self, decided: Decided) -> None:
        """A row over which something is raised is a failed row; its decision stays as it stands for the next run."""
        before = len(self.report.ended)
        try:
            self._one(decided)
        except Exception as error:
            self.report.faults.append(fault_of(self._context, key_of(self._shop), decided.diff.kind.value, error))
            if len(self.report.ended) == before:
                self._end(decided, "failed", FAULT)
            self._faults_in_a_row += 1
            if self._faults_in_a_row >= FAULTS_IN_A_ROW:
                self._closed = FAULT
        else:
            self._faults_in_a_row = 0

    def _one(self, decided: Decided) -> None:
        diff, now = decided.diff, self._context.clock.now()
        price_end = self._price_ends.get(diff.key)  # of this run's price push of the same listing
        with self._context.state.write(self._lock) as connection:
            if self._paused(connection):
                self._closed, rechecked = PAUSED, RecheckResult("skipped", PAUSED, final=False)
            elif diff.kind is Kind.VISIBILITY and diff.wanted == 1 and price_end not in (None, "pushed", "unchanged"):
                rechecked = RecheckResult("skipped", "price_failed")
            else:
                rechecked = self._gate(connection, decided, now, price_end == "pushed")
            update_id = ""
            if not rechecked.end and self._context.run.dry_run:
                journal.intend(
                    *(connection, self._context.run.run_id, decided, now),
                    event="rehearse",
                    rollback_of=self._rollback_of,
                )
            elif not rechecked.end:
                decisions.move(connection, [decided.diff_id], "send", now)
                update_id = journal.intend(
                    connection, self._context.run.run_id, decided, now, rollback_of=self._rollback_of
                )
            elif rechecked.final and not self._context.run.dry_run:
                decisions.move(connection, [decided.diff_id], "drop", now)
        if rechecked.end:
            self._end(decided, rechecked.end, rechecked.reason)
        elif self._context.run.dry_run:
            self._end(decided, "pushed", "", rechecked)
        else:
            self._send(decided, update_id, rechecked)

    def _paused(self, connection: Connection) -> bool:
        """Whether a person lets nothing leave now: it holds for other processes' runs too, and for one under way.

        What a person takes back leaves all the same, and a dry run sends nothing anyway.
        """
        if self._rollback_of or self._context.run.dry_run:
            return False
        return stops.stop_of(connection, key_of(self._shop)) is not None

    def _send(self, decided: Decided, update_id: str, rechecked: RecheckResult) -> None:
        diff = decided.diff
        assert diff.wanted is not None
        self.report.edits += 1
        try:
            item = self._shop.edit(diff.key.item_id, diff.kind, diff.wanted)
        except (BudgetSpent, AccountBlocked) as error:
            self._take_back(decided, update_id, error)
        except OutcomeUnknown as error:
            self._unknown(decided, update_id, error, rechecked)
        except CallError as error:
            self._failed(decided, update_id, error)
        except Exception as error:
            if concerns_everybody(error):
                raise
            self._unknown(decided, update_id, OutcomeUnknown(FAULT, place_of(error)), rechecked)
            raise  # told as a fault of this row, whose end is known by now
        else:
            self._silent = 0
            if self._shop.abilities.together:
                self._taken_in.append(TakenIn(decided, update_id, rechecked))
                self._note_price(decided, "pushed")
            else:
                self._done(decided, update_id, item, rechecked)

    def _flush(self) -> None:
        """Let what the shop has taken in leave together, then write how each edit of it ended."""
        if not self._taken_in:
            return
        self._renew()
        with self._context.state.read() as connection:
            if not self._closed and self._paused(connection):
                self._closed = PAUSED
        if self._closed in ("pushed_elsewhere", PAUSED):
            self._withdraw(self._closed)
            return
        self._context.state.may_send()
        taken_in, self._taken_in = self._taken_in, []  # from here on nobody may take an intent back unread
        error: CallError | None = None
        try:
            self._shop.flush()
        except CallError as caught:
            error = caught
        except Exception as fault:
            self.report.faults.append(fault_of(self._context, key_of(self._shop), "flush", fault))
            error = OutcomeUnknown(FAULT, place_of(fault))
        for one in taken_in:
            if error is None:
                self._done(one.decided, one.update_id, None, one.rechecked)
            elif isinstance(error, OutcomeUnknown):
                self._unknown(one.decided, one.update_id, error, one.rechecked)
            else:
                self._failed(one.decided, one.update_id, error)

    def _withdraw(self, reason: str) -> None:
        """Take back the intents of edits that have not left."""
        taken_in, self._taken_in = self._taken_in, []
        for one in taken_in:
            self._reopen(one.decided, one.update_id)
            self._end(one.decided, "skipped", reason)

    def _done(self, decided: Decided, update_id: str, item: Item | None, rechecked: RecheckResult) -> None:
        done = note_done(self._context, decided, update_id, item)
        self._end(decided, *(("pushed", "") if done else ("failed", OTHER_VALUE)), rechecked)

    def _failed(self, decided: Decided, update_id: str, error: CallError) -> None:
        note_failed(self._context, decided, update_id, error)
        self._end(decided, "failed", error.reason)
        self._silent = self._silent + 1 if isinstance(error, Transport) else 0
        if self._silent >= UNREACHABLE_AFTER:
            self._closed = UNREACHABLE
            self.report.alerts.append((self._name, UNREACHABLE))

    def _unknown(self, decided: Decided, update_id: str, error: CallError, rechecked: RecheckResult) -> None:
        update = note_lost(self._context, self._shop, update_id, error)
        try:
            outcome = read_back_edit(self._context, self._shop, update)
        except (BudgetSpent, AccountBlocked) as closing:
            outcome = Outcome.UNKNOWN
            self._close(closing)
        except Exception as fault:
            self.report.faults.append(fault_of(self._context, key_of(self._shop), "read back", fault))
            outcome = Outcome.UNKNOWN
        if outcome is Outcome.DONE:
            self._silent = 0
            self._end(decided, "pushed", "", rechecked)
            return
        self.report.unknown += outcome is Outcome.UNKNOWN
        if outcome is Outcome.FAILED:  # this run has tried; the next one judges anew
            with self._context.state.write(self._lock) as connection:
                decisions.move(connection, [decided.diff_id], "drop", self._context.clock.now())
        self._end(decided, "failed", error.reason if outcome is Outcome.UNKNOWN else f"not_done:{error.reason}")

    def _reopen(self, decided: Decided, update_id: str) -> None:
        take_back(self._context, decided, update_id, rolls_back=bool(self._rollback_of))

    def _take_back(self, decided: Decided, update_id: str, error: CallError) -> None:
        self._reopen(decided, update_id)
        self._close(error)
        self._end(decided, "skipped", self._closed)

    def _close(self, error: CallError) -> None:
        """Nothing more to this shop in this run; its breaker says so to the others."""
        self._closed = "account_blocked" if isinstance(error, AccountBlocked) else error.reason
        reason, until = breaker_of(error)
        if reason:
            now = self._context.clock.now()
            with self._context.state.write(self._lock) as connection:
                args = (self._shop.platform, self._shop.account_id, reason, now, until)
                if open_breaker(connection, *args):
                    self.report.alerts.append((self._name, reason))

    def _end(self, decided: Decided, end: End, reason: str, rechecked: RecheckResult | None = None) -> None:
        age, allowed = (rechecked.data_age_s, rechecked.allowed_s) if rechecked is not None else (None, None)
        ended = RowOutcome(decided, end, reason, age, allowed)
        self.report.ended.append(ended)
        self._note_price(decided, end)
        self._say(ended)

    def _note_price(self, decided: Decided, end: End) -> None:
        if decided.diff.kind is Kind.PRICE:
            self._price_ends[decided.diff.key] = end

    def _rest(self, reason: str) -> None:
        seen = {ended.decided.diff_id for ended in self.report.ended}
        for decided in self._rows:
            if decided.diff_id not in seen:
                self._end(decided, "skipped", reason)
