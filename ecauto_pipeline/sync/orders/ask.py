"""Asks Amazon about the goods of new orders, one ASIN a call, with a share of the single operation's bucket; while that
one is down, of the batch operation's.

The answer goes the way of every answer: one observation, freshness, doubts. Of each account at most every second slot
is taken, so that second looks of a run beside it never starve. Not for: which orders (watch.py) or telling anybody.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from ecauto_pipeline.amazon.client import SpApiClient
from ecauto_pipeline.amazon.operation import Operation
from ecauto_pipeline.domain.model import Answer, Role
from ecauto_pipeline.state import leases, locks, observations
from ecauto_pipeline.state.observations import Observation
from ecauto_pipeline.state.operation_health import read_health
from ecauto_pipeline.sync.context import Context
from ecauto_pipeline.sync.sp_api_snapshots.batch import Asking
from ecauto_pipeline.sync.sp_api_snapshots.fetch import learn_rules
from ecauto_pipeline.sync.sp_api_snapshots.health_watch import HealthWatch
from ecauto_pipeline.sync.sp_api_snapshots.queues import Work
from ecauto_pipeline.sync.sp_api_snapshots.tally import Tally

SHARE = 0.5
"""Of an account's slots for single questions: what is left is for second looks."""
_HELD_WAIT_S = 0.5  # real time, when another run asks about the same ASIN at this moment: its call needs it
_MOST_WAITS = 60


def ask_about(context: Context, asins: Sequence[str], deadline: float) -> Iterator[tuple[str, Observation | None]]:
    """Each ASIN, in order, with the newest answer of this run's time (None = nobody could be asked), as it comes.

    Ends early at the deadline (monotonic): what is left out had no slot. Raises Stopped.
    """
    if not context.sp_accounts:
        yield from ((asin, None) for asin in asins)
        return
    with context.state.read() as connection:
        watch = HealthWatch(read_health(connection))
    rules, since = learn_rules(context.settings), context.run.started_at
    asking = Asking(context, Work((), (), ()), Tally(), rules, deadline, since, watch)
    turns = _Turns(context, watch)
    try:
        for asin in asins:
            if not _ask_one(context, asking, turns, asin, deadline):
                return
            yield asin, _newest(context, asin, context.run.started_at)
    finally:
        with context.state.write(locks.run(context.run.run_id)) as connection:
            leases.release(connection, asking.owner)
            for account in context.sp_accounts:
                account.ledger.flush(connection)


class _Turns:
    """Whose slot comes next, and not before every second one of an account's would be ours."""

    def __init__(self, context: Context, watch: HealthWatch) -> None:
        self._context, self._watch = context, watch
        self._operations = context.operations.under(context.settings).of(Role.CONFIRM, Role.DETAIL)[::-1]
        self._free_at = dict.fromkeys(range(len(context.sp_accounts)), 0.0)
        self._last, self._sent = 0, 0.0

    @property
    def over(self) -> bool:
        """No account is left to ask with."""
        return not self._free_at

    def take(self, deadline: float) -> tuple[SpApiClient, Operation[Answer]] | None:
        """The account to ask, and with what, once it may be; None: none may before the deadline, or none is left."""
        clock = self._context.clock
        for number in [number for number in self._free_at if not self._may_ask(number)]:
            del self._free_at[number]  # everything it could be asked with is down
        if self.over:
            return None
        self._last = min(self._free_at, key=lambda number: (self._free_at[number], number))
        wait_s = self._free_at[self._last] - clock.monotonic()
        if clock.monotonic() + max(0.0, wait_s) > deadline:
            return None
        if wait_s > 0:
            clock.sleep(wait_s, self._context.stop)
        self._context.go_on()
        self._sent = clock.monotonic()
        return self._context.sp_accounts[self._last], self._may_ask(self._last)[0]

    def _may_ask(self, number: int) -> list[Operation[Answer]]:
        """What an account can be asked with now, the first choice first: operations that are up, or to be tried."""
        account, now = self._context.sp_accounts[number].account_id, self._context.clock.now()
        up = [one for one in self._operations if self._watch.is_up(account, one.name)]
        return up or [one for one in self._operations if self._watch.may_ask(account, one.name, now)]

    def asked(self, operation: Operation[Answer], shut_out: bool) -> None:
        """It was asked just now; `shut_out`: its token is refused, nothing more is asked of it."""
        if shut_out:
            del self._free_at[self._last]
            return
        account = self._context.sp_accounts[self._last]
        bucket = account.pace.last_seen(account.account_id, operation.name, operation.limit)
        self._free_at[self._last] = self._sent + bucket.interval_s / SHARE


def _ask_one(context: Context, asking: Asking, turns: _Turns, asin: str, deadline: float) -> bool:
    """Whether this ASIN has been dealt with: asked, or answered by somebody else meanwhile. False = no slot."""
    waits = 0
    while True:
        context.go_on()
        claimed = asking.claim(Role.CONFIRM, [asin])
        if claimed.busy:
            waits += 1
            if waits > _MOST_WAITS or context.clock.monotonic() > deadline:
                return False
            context.stop.wait(_HELD_WAIT_S)
            continue
        if not claimed.asins:
            return True
        taken = turns.take(deadline)
        if taken is None:
            return turns.over
        account, operation = taken
        asked = asking.ask(account, operation, Role.CONFIRM, claimed.asins)
        if asked.unasked:
            return False
        turns.asked(operation, asked.shut_out)
        if not asked.shut_out:
            return True


def _newest(context: Context, asin: str, since: datetime) -> Observation | None:
    """What Amazon said last of it, of this run's time."""
    with context.state.read() as connection:
        found = observations.of_asin(connection, asin)
    stamp = since.replace(microsecond=since.microsecond // 1000 * 1000)
    of_now = [one for one in found if one.observed_at >= stamp]
    return max(of_now, key=lambda one: one.snapshot_id, default=None)
