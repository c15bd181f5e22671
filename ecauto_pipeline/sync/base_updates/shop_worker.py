"""One shop's worker: sends that shop's decisions, one at a time, in order, each with its intent journalled first.

Intents of the next few are written at once (group_size.py). One bad item ends as one failed row, whatever was raised
over it; a spent window or a closed shop ends the worker, its rows stay open for the next run; a window that opens in a
moment is waited for. Where a shop takes its edits together, each is an intent until all have left.
Not for: choosing the rows or the other shops (push.py), or what is written (intents.py).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from ecauto_pipeline.domain.model import AccountKey, Diff, Kind, Outcome
from ecauto_pipeline.domain.selling.guards import push_order
from ecauto_pipeline.errors import (
    AccountBlocked,
    BudgetSpent,
    CallError,
    Stopped,
)
from ecauto_pipeline.shops.protocol import Shop, key_of
from ecauto_pipeline.state.decisions import Decided
from ecauto_pipeline.state.stops import PAUSED
from ecauto_pipeline.sync.base_updates.edit_calls import EditCalls
from ecauto_pipeline.sync.base_updates.ends import Ends, Intended, RowOutcome
from ecauto_pipeline.sync.base_updates.group_size import (
    LONGEST_S,
    MOST,
    MOST_REHEARSED,
    GroupSize,
    next_group,
    put_back,
)
from ecauto_pipeline.sync.base_updates.intents import Intents
from ecauto_pipeline.sync.base_updates.push_lease import PushLease
from ecauto_pipeline.sync.base_updates.read_back import read_back_open_edits
from ecauto_pipeline.sync.base_updates.recheck import Gate
from ecauto_pipeline.sync.base_updates.safety import SafetyHides
from ecauto_pipeline.sync.context import Context
from ecauto_pipeline.sync.faults import FAULT, concerns_everybody, fault_of

NOT_READ = "not_read"
Order = Callable[[Diff], tuple[Any, ...]]
"""The sort key in which rows leave."""
LookAgain = Callable[[AccountKey], None]
"""Asked before each group of rows: it may read the shop once more for the last look, and raises the CallError family
where the shop does not tell; nothing leaves then."""


def no_look(_account: AccountKey) -> None:
    """What is known of the shop will do."""


class ShopWorker:
    """Pushes the rows of one shop. `rows` is asked once, after the past is settled: that may open some again.

    `closed`: "" or why nothing may be sent to it at all. `safety`: asked about losses. `most`:
    intents written at once.
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
        most: int = MOST,
        look_again: LookAgain = no_look,
    ) -> None:
        self._context, self._shop = context, shop
        self._intents = Intents(context, shop, gate, rollback_of)
        self._size = GroupSize(most)
        self._load, self._rows = rows, list[Decided]()
        self._ends, self._safety = Ends(ended), safety
        self._lease = PushLease(context, key_of(shop))
        self._order, self._look_again = order, look_again
        self._intended = deque[Intended]()
        self._calls = EditCalls(context, shop, self._intents, self._ends, self._lease, closed)
        self.report = self._ends.report

    def work(self) -> None:
        """Settle the past, then push. Never raises: what goes wrong is in the report."""
        try:
            if self._context.run.dry_run:
                self._hide_losses()
                self._fill()
                self._push()
            elif self._calls.closed or self._lease.claim():
                try:
                    self._settle()
                    self._hide_losses()
                    self._fill()
                    self._push()
                finally:
                    self._lease.release()
            else:
                self._fill()
                self._ends.rest(self._rows, "pushed_elsewhere")
        except Stopped:
            self._ends.rest(self._rows, "stopped")
        except BaseException as error:
            self._broken_off("push", error)
            self._ends.rest(self._rows, FAULT)

    def _broken_off(self, doing: str, error: BaseException) -> None:
        """Note what nobody foresaw; what concerns everybody is raised by the main thread when all shops are done."""
        if not isinstance(error, Exception) or concerns_everybody(error):
            self.report.crash = error
        else:
            self.report.faults.append(fault_of(self._context, key_of(self._shop), doing, error))

    def _fill(self) -> None:
        self._rows = sorted(self._load(), key=lambda row: self._order(row.diff))

    def _settle(self) -> None:
        if self._calls.closed:
            return
        try:
            for _, outcome in read_back_open_edits(self._context, self._shop, self.report.faults.append):
                self.report.settled_done += outcome is Outcome.DONE
                self.report.settled_not_done += outcome is Outcome.FAILED
        except (BudgetSpent, AccountBlocked) as error:
            self._calls.close(error)

    def _hide_losses(self) -> None:
        """Decide to take off sale what this run can't correct; the hides leave first, with the run's other rows."""
        if self._safety is None or self._calls.closed:
            return
        try:
            self.report.instead |= dict.fromkeys(self._safety.of_losses())
        except Exception as error:
            if concerns_everybody(error):
                raise
            self.report.faults.append(fault_of(self._context, key_of(self._shop), "losses", error))

    def _push(self) -> None:
        try:
            self._send_all(self._rows)
            self._calls.flush()
            self._hide_what_failed()
            self._calls.flush()
        finally:  # only what did not get so far is left: no edit of it has left
            self._leave("stopped")

    def _send_all(self, rows: Sequence[Decided]) -> None:
        waiting = deque(rows)
        while waiting:
            self._calls.rest()
            if not self._calls.closed:
                self._context.go_on()
                self._calls.renew()
                self._see_again()
            if self._calls.closed:
                self._ends.end(waiting.popleft(), "skipped", self._calls.closed)
            else:
                put_back(waiting, self._group(next_group(waiting, self._next_size)))

    def _see_again(self) -> None:
        if self._calls.closed:
            return
        try:
            self._look_again(key_of(self._shop))
        except (BudgetSpent, AccountBlocked) as error:
            self._calls.close(error)
        except CallError:
            self._calls.closed = NOT_READ

    @property
    def _next_size(self) -> int:
        return MOST_REHEARSED if self._context.run.dry_run else self._size.now

    def _leave(self, reason: str) -> None:
        """Write how those ended that have left, and take back the others."""
        self._intents.keep_outcomes()
        self._take_back_intended()
        self._calls.withdraw(reason)

    def _take_back_intended(self) -> list[Decided]:
        left = list(self._intended)
        self._intents.take_back(left)
        self._intended.clear()
        return [one.decided for one in left]

    def _hide_what_failed(self) -> None:
        """Take off sale what would go on selling at a loss because its shop did not take the right price."""
        if self._safety is None:
            return
        failed = [one.decided for one in self.report.ended if one.end == "failed"]
        prices = [decided for decided in failed if decided.diff.kind is Kind.PRICE]
        self._intents.keep_outcomes()  # what is asked next is judged by them
        for price in prices:
            self._context.go_on()
            self._calls.renew()
            found = None if self._calls.closed else self._safety.instead_of(price)
            if found is not None:
                self.report.instead[found[0].diff_id] = found[1]
                self._send_all([found[0]])

    def _group(self, rows: Sequence[Decided]) -> list[Decided]:
        """Look at these rows and send what may leave. Returns those that are to be looked at again.

        Where looking at them together raises something, each is looked at by itself.
        """
        try:
            looked = self._intents.begin(rows, self._ends.of_prices)
        except Exception as error:
            if len(rows) == 1 or concerns_everybody(error):
                self._calls.fault(rows[0], error)
                return []
            for number, row in enumerate(rows):
                self._context.go_on()
                left = list(rows[number:]) if self._calls.closed else self._group([row])
                if left:
                    return [*left, *rows[number + len(left) :]]
            return []
        for one in looked:
            if one.rechecked.end:
                self._calls.faults_in_a_row = 0
                self._ends.end(one.decided, one.rechecked.end, one.rechecked.reason)
                self._calls.closed = PAUSED if one.rechecked.reason == PAUSED else self._calls.closed
            elif self._context.run.dry_run:
                self._ends.end(one.decided, "pushed", "", one.rechecked)
            else:
                self._intended.append(Intended(one.decided, one.update_id, one.rechecked))
        self._send_intended()
        return self._take_back_intended()

    def _send_intended(self) -> None:
        """Let the intended edits leave, until one of them should be looked at again before it does."""
        if not self._intended:
            return
        clock, began_s, calls = self._context.clock, self._context.clock.monotonic(), 0
        edits = [(one.decided.diff.kind, one.decided.diff.wanted or 0) for one in self._intended]
        with self._shop.series(edits):
            while self._intended and not self._calls.closed:
                if calls and (clock.monotonic() - began_s > LONGEST_S or self._must_not_go_on()):
                    break
                calls += 1
                one = self._intended.popleft()
                self._calls.make(one)
                if self._calls.spent is not None:  # looked at again after a rest: it may be another price by then
                    self._intended.appendleft(one)
                    break
        self._size.learn(calls, clock.monotonic() - began_s)

    def _must_not_go_on(self) -> bool:
        """Whether somebody has asked us to end, or stopped the pushing, since the last call."""
        if self._context.stop.is_set():
            return True
        if self._intents.stopped_meanwhile():
            self._calls.closed = PAUSED
        return bool(self._calls.closed)
