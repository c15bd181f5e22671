"""The workers of one run: one thread for each (SP account, operation), so that every bucket is used side by side.

Not for: what a batch does (batch.py) or who may stop them (fetch.py supervises).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable

from ecauto_pipeline.amazon.client import SpApiClient
from ecauto_pipeline.amazon.operation import Operation
from ecauto_pipeline.domain.model import Answer, Role
from ecauto_pipeline.errors import Stopped
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.sp_api_snapshots.batch import Asking
from ecauto_pipeline.sync.sp_api_snapshots.queues import Batch, Work
from ecauto_pipeline.sync.sp_api_snapshots.tally import Tally

_LOOK_EVERY_S = 0.1  # how often an idle worker looks whether there is something to do
_HELD_WAIT_S = 1.0  # ... when all it could do is being done by another run
_MOST_WITHOUT_TOKEN = 2  # calls in a row without a valid token, after which an account asks nothing more in this run
_HASTE_CALLS = 3  # a detail call goes out unfilled when the slice has room for no more than this


class Workers:
    """The threads of one run. `failure`: what one of them stumbled over, None while all is well; `no_slot`: one of them
    left because the rate gives it no call before the end of the slice."""

    def __init__(
        self, tools: Tools, work: Work, asking: Asking, tally: Tally, deadline: float, planned_details: bool
    ) -> None:
        self._tools, self._work, self._asking, self._tally = tools, work, asking, tally
        self._deadline, self._planned_details = deadline, planned_details
        self._halt = threading.Event()
        self._threads: list[threading.Thread] = []
        self._details: tuple[str, ...] = ()
        self.failure: BaseException | None = None
        self.no_slot = False

    def start(self, operations: Iterable[Operation[Answer]]) -> None:
        """One thread for each account and operation; those of one role take from the same queue."""
        operations = tuple(operations)
        self._details = tuple(one.name for one in operations if one.role is Role.DETAIL)
        for account in self._tools.sp_accounts:
            for operation in operations:
                self._work.begin(operation.role)
                self._threads.append(
                    threading.Thread(
                        target=self._ask_until_done,
                        args=(account, operation),
                        name=f"{account.account_id}/{operation.name}",
                        daemon=True,  # one that is stuck in a call is left behind
                    )
                )
        for thread in self._threads:
            thread.start()

    @property
    def busy(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def halt(self) -> None:
        """Begin nothing more."""
        self._halt.set()

    def join(self, seconds: float) -> None:
        """Wait at most about so long (real time) for all to end."""
        for thread in self._threads:
            thread.join(seconds / max(1, len(self._threads)))

    def _ask_until_done(self, account: SpApiClient, operation: Operation[Answer]) -> None:
        clock = self._tools.clock
        since: float | None = None  # when there began to be work without a pause
        without_token = 0
        try:
            while not self._halt.is_set() and not self._tools.stop.is_set() and clock.monotonic() < self._deadline:
                since = clock.monotonic() if since is None else since
                made = shut_out = False
                seen = self._work.changes
                with self._work.turn(operation.role):
                    batch = self._next(account, operation)
                    if batch:
                        since, made, shut_out = self._ask(account, operation, batch, since)
                if batch is None:
                    break
                if not batch:
                    since = None
                    self._work.wait(_LOOK_EVERY_S, seen)
                    continue
                self._work.changed()
                if not made:  # the next slot of this bucket comes after the slice
                    self.no_slot = self.no_slot or operation.role is not Role.OPINION
                    break
                if operation.role is Role.OPINION and shut_out:
                    break  # this account does not get it; single looks take over
                without_token = without_token + 1 if shut_out else 0
                if without_token >= _MOST_WITHOUT_TOKEN:
                    self._tools.log.error("%s: no valid token, nothing more is asked", account.account_id)
                    break
        except Stopped:
            self._halt.set()
        except BaseException as error:
            self.failure = self.failure or error  # the supervisor raises it
            self._halt.set()
        finally:
            self._work.end(operation.role)

    def _next(self, account: SpApiClient, operation: Operation[Answer]) -> Batch | None:
        """ASINs that are ours to ask, a full batch where there are so many; [] = wait, None = the end."""
        ours: Batch = []
        while True:
            wanted = self._take(account, operation, operation.batch - len(ours))
            if not wanted:
                return ours or wanted
            claimed = self._asking.claim(operation, wanted)
            ours += claimed.asins
            self._tally.add("others", claimed.settled)
            self._work.held_by_others(operation.role, claimed.busy)
            if len(ours) >= operation.batch:
                return ours
            if len(claimed.busy) == len(wanted):
                if ours:
                    return ours
                self._work.wait(_HELD_WAIT_S)
                return []

    def _take(self, account: SpApiClient, operation: Operation[Answer], most: int) -> Batch | None:
        if operation.role is Role.SWEEP:
            return self._work.take_sweep(most)
        if operation.role is Role.DETAIL:
            interval_s = account.pace.peek(account.account_id, operation.name, operation.limit).interval_s
            left_s = self._deadline - self._tools.clock.monotonic()
            return self._work.take_detail(most, in_haste=left_s < _HASTE_CALLS * interval_s)
        may_judge = not self._planned_details or self._asking.zeros.judged(self._details)
        if operation.role is Role.OPINION:
            return self._work.take_opinion(most, lambda: self._slot_now(account, operation), may_judge)
        return self._work.take_confirm(may_judge)

    def _slot_now(self, account: SpApiClient, operation: Operation[Answer]) -> bool:
        bucket = account.pace.peek(account.account_id, operation.name, operation.limit)
        return bucket.tokens >= 1

    def _ask(
        self, account: SpApiClient, operation: Operation[Answer], batch: Batch, since: float
    ) -> tuple[float, bool, bool]:
        """Ask, and count what the rate allowed `since` then against the call made. Returns now, whether there was a
        call, and whether the account was shut out."""
        asked = self._asking.ask(account, operation, batch)
        unasked = asked.unasked
        bucket = account.pace.peek(account.account_id, operation.name, operation.limit)
        now = self._tools.clock.monotonic()
        made = len(unasked) < len(batch)
        allowed = (now - since) * bucket.rate_per_s
        self._tally.allowed(f"{account.account_id}/{operation.name}", allowed if made else 0.0, int(made))
        if unasked:
            self._work.put_back(operation.role, unasked)
        return now, made, asked.shut_out
