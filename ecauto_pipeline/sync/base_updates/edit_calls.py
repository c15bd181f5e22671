"""Makes one shop's edits whose intents are journalled, and sees to what becomes of each.

An unknown outcome is read back at once; what closes the shop is in `closed`, what closes it for a moment in `spent`.
Not for: which edits, or when one may leave (shop_worker.py); how outcomes are written (intents.py, outcomes.py).
"""

from __future__ import annotations

from datetime import datetime

from ecauto_pipeline.domain.model import Outcome
from ecauto_pipeline.errors import AccountBlocked, BudgetSpent, CallError, OutcomeUnknown, Transport
from ecauto_pipeline.shops.protocol import Shop, key_of
from ecauto_pipeline.state.corrections import OTHER_VALUE
from ecauto_pipeline.state.decisions import Decided
from ecauto_pipeline.state.shop_accounts import breaker_of
from ecauto_pipeline.state.stops import PAUSED
from ecauto_pipeline.sync.base_updates.ends import Answered, Ends, Intended
from ecauto_pipeline.sync.base_updates.intents import Intents
from ecauto_pipeline.sync.base_updates.outcomes import note_closed, note_failed, note_lost, note_not_done
from ecauto_pipeline.sync.base_updates.push_lease import PushLease
from ecauto_pipeline.sync.base_updates.read_back import read_back_edit, shown_value
from ecauto_pipeline.sync.context import Context
from ecauto_pipeline.sync.faults import FAULT, concerns_everybody, fault_of, place_of
from ecauto_pipeline.sync.short_waits import MOST_WAITS, back_in_a_moment, wait_out

UNREACHABLE_AFTER = 5  # calls in a row without any answer
UNREACHABLE = "shop_unreachable"
FAULTS_IN_A_ROW = 5  # rows; the next would hardly fare better


class EditCalls:
    """The calls of one shop's worker. `closed`: "" or why nothing more may be sent to it in this run. `spent`: why the
    last edit was refused that can be asked for again after a `rest`; its intent is still there."""

    def __init__(
        self, context: Context, shop: Shop, intents: Intents, ends: Ends, lease: PushLease, closed: str
    ) -> None:
        self._context, self._shop, self._intents, self._ends, self._lease = context, shop, intents, ends, lease
        self._name = context.name_of(key_of(shop))
        self._silent = self.faults_in_a_row = 0
        self._taken_in: list[Intended] = []
        self._waits = 0
        self.spent: BudgetSpent | None = None
        self.report = ends.report
        self.closed = closed

    def renew(self) -> None:
        if not self._context.run.dry_run and not self._lease.renew():
            self.closed = "pushed_elsewhere"

    def rest(self) -> None:
        """Wait until the shop takes edits again, where one was refused for a moment. Raises Stopped."""
        if self.spent is not None:
            spent, self.spent = self.spent, None
            self._waits += 1
            wait_out(self._context, spent)

    def make(self, one: Intended) -> None:
        """A row over which something is raised is a failed row; its decision stays as it stands for the next run."""
        try:
            self._send(one)
        except Exception as error:
            self.fault(one.decided, error)
        else:
            self.faults_in_a_row = 0

    def fault(self, decided: Decided, error: Exception) -> None:
        self.report.faults.append(fault_of(self._context, key_of(self._shop), decided.diff.kind.value, error))
        if not self._ends.is_last(decided):
            self._ends.end(decided, "failed", FAULT)
        self.faults_in_a_row += 1
        if self.faults_in_a_row >= FAULTS_IN_A_ROW:
            self.closed = FAULT

    def _send(self, one: Intended) -> None:
        diff, now = one.decided.diff, self._context.clock.now()
        assert diff.wanted is not None
        self.report.edits += 1
        try:
            item = self._shop.edit(diff.key.item_id, diff.kind, diff.wanted)
        except (BudgetSpent, AccountBlocked) as error:
            if isinstance(error, BudgetSpent) and self._may_wait(error):
                self.spent = error
            else:
                self._take_back(one, error)
        except OutcomeUnknown as error:
            self._unknown(one, error)
        except CallError as error:
            self._failed(one, error)
        except Exception as error:
            if concerns_everybody(error):
                raise
            self._unknown(one, OutcomeUnknown(FAULT, place_of(error)))
            raise  # told as a fault of this row, whose end is known by now
        else:
            self._silent = 0
            if self._shop.abilities.together:
                self._taken_in.append(one)
                self._ends.note_price(one.decided, "pushed")
            else:
                self._done(one, diff.wanted if item is None else shown_value(item, diff.kind), now)

    def flush(self) -> None:
        """Let what the shop has taken in leave together, then write how each edit of it ended."""
        self._intents.keep_outcomes()
        if not self._taken_in:
            return
        self.renew()
        if not self.closed and self._intents.stopped_meanwhile():
            self.closed = PAUSED
        if self.closed in ("pushed_elsewhere", PAUSED):
            self.withdraw(self.closed)
            return
        self._context.state.may_send()
        taken_in, self._taken_in = self._taken_in, []  # from here on nobody may take an intent back unread
        error: CallError | None = None
        now = self._context.clock.now()
        try:
            self._shop.flush()
        except CallError as caught:
            error = caught
        except Exception as fault:
            self.report.faults.append(fault_of(self._context, key_of(self._shop), "flush", fault))
            error = OutcomeUnknown(FAULT, place_of(fault))
        for one in taken_in:
            if error is None:
                self._done(one, one.decided.diff.wanted, now)
            elif isinstance(error, OutcomeUnknown):
                self._unknown(one, error)
            else:
                self._failed(one, error)
        self._intents.keep_outcomes()

    def withdraw(self, reason: str) -> None:
        """Take back the intents of edits that have not left."""
        taken_in, self._taken_in = self._taken_in, []
        self._intents.take_back(taken_in, for_good=True)
        for one in taken_in:
            self._ends.end(one.decided, "skipped", reason)

    def _done(self, one: Intended, value: int | None, left_at: datetime) -> None:
        """`value`: what the shop's answer shows; of one that shows nothing, what it took."""
        done = value == one.decided.diff.wanted
        self._intents.answered(Answered(one.decided, one.update_id, value, left_at, self._context.clock.now()))
        self._ends.end(one.decided, *(("pushed", "") if done else ("failed", OTHER_VALUE)), one.rechecked)

    def _failed(self, one: Intended, error: CallError) -> None:
        note_failed(self._context, one.decided, one.update_id, error)
        self._ends.end(one.decided, "failed", error.reason)
        self._silent = self._silent + 1 if isinstance(error, Transport) else 0
        if self._silent >= UNREACHABLE_AFTER:
            self.closed = UNREACHABLE
            self.report.alerts.append((self._name, UNREACHABLE))

    def _unknown(self, one: Intended, error: CallError) -> None:
        update = note_lost(self._context, self._shop, one.update_id, error)
        try:
            outcome = read_back_edit(self._context, self._shop, update)
        except (BudgetSpent, AccountBlocked) as closing:
            outcome = Outcome.UNKNOWN
            self.close(closing)
        except Exception as fault:
            self.report.faults.append(fault_of(self._context, key_of(self._shop), "read back", fault))
            outcome = Outcome.UNKNOWN
        if outcome is Outcome.DONE:
            self._silent = 0
            self._ends.end(one.decided, "pushed", "", one.rechecked)
            return
        self.report.unknown += outcome is Outcome.UNKNOWN
        if outcome is Outcome.FAILED:
            note_not_done(self._context, one.decided)
        reason = error.reason if outcome is Outcome.UNKNOWN else f"not_done:{error.reason}"
        self._ends.end(one.decided, "failed", reason)

    def _may_wait(self, error: BudgetSpent) -> bool:
        return self._waits < MOST_WAITS and back_in_a_moment(self._context, error)

    def _take_back(self, one: Intended, error: CallError) -> None:
        self._intents.take_back([one], for_good=True)
        self.close(error)
        self._ends.end(one.decided, "skipped", self.closed)

    def close(self, error: CallError) -> None:
        """Nothing more to this shop in this run; its breaker says so to the others."""
        self.closed = "account_blocked" if isinstance(error, AccountBlocked) else error.reason
        if note_closed(self._context, self._shop, error):
            self.report.alerts.append((self._name, breaker_of(error)[0]))
