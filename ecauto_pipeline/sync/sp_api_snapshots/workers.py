"""The workers of one run: one thread for each (SP account, operation), so that every bucket is used side by side.

Where an operation goes down, whoever takes over its role for that account asks in its place, at its own rate, and the
operation itself is tried again when its probe is due. Not for: what a batch does (batch.py), when an operation is down
(domain/operation_health.py) or who may stop them (fetch.py supervises).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable

from ecauto_pipeline import limiter
from ecauto_pipeline.amazon.client import SpApiClient
from ecauto_pipeline.amazon.operation import Operation
from ecauto_pipeline.domain.model import Answer, Role
from ecauto_pipeline.domain.operation_health import role_left
from ecauto_pipeline.errors import Stopped
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.room_for_threads import look_for_room
from ecauto_pipeline.sync.sp_api_snapshots.batch import Asking
from ecauto_pipeline.sync.sp_api_snapshots.mass_zeros import zeros_of
from ecauto_pipeline.sync.sp_api_snapshots.queues import Batch, Work
from ecauto_pipeline.sync.sp_api_snapshots.tally import Tally

_LOOK_EVERY_S = 0.1  # how often an idle worker looks whether there is something to do
_HELD_WAIT_S = 1.0  # ... when all it could do is being done by another run
_MOST_WITHOUT_TOKEN = 2  # calls in a row without a valid token, after which an account asks nothing more in this run
_FIRST = (Role.SWEEP, Role.DETAIL)  # without these, or who stands in for them, nothing that is planned is asked
_HASTE_CALLS = 3  # a call goes out unfilled when the slice has room for no more than this
_PATIENCE = 0.5  # of the time between two calls: so long a doubt waits for others to share its call


class Workers:
    """The threads of one run. `failure`: what one of them stumbled over, None while all is well; `no_slot`: one of them
    left because the rate gives it no call before the end of the slice; `down`: one is not asked because it is down, or
    none is left."""

    def __init__(
        self, tools: Tools, work: Work, asking: Asking, tally: Tally, deadline: float, planned_details: bool
    ) -> None:
        self._tools, self._work, self._asking, self._tally = tools, work, asking, tally
        self._deadline, self._planned_details = deadline, planned_details
        self._watch = asking.watch
        self._halt = threading.Event()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._waiting = 0  # threads that wait for a probe and keep no run alive
        self._standing_in: set[tuple[str, str, Role]] = set()
        self._operations: tuple[Operation[Answer], ...] = ()
        self._details: tuple[str, ...] = ()
        self.failure: BaseException | None = None
        self.no_slot = self.down = False

    def start(self, operations: Iterable[Operation[Answer]]) -> None:
        """One thread for each account and operation; those of one role take from the same queue.

        Raises MemoryError before any has begun.
        """
        self._operations = tuple(operations)
        details = [zeros_of(one, Role.DETAIL) for one in self._operations if one.role in (Role.DETAIL, Role.CONFIRM)]
        self._details = tuple(details)
        now = self._tools.clock.now()
        made = []
        for account in self._tools.sp_accounts:
            for operation in self._operations:
                at_once = self._watch.may_ask(account.account_id, operation.name, now)
                self.down = self.down or not at_once
                if at_once:
                    self._work.begin(operation.role)
                made.append(self._thread(account, operation, operation.role, at_once))
        for account in self._tools.sp_accounts:
            self._fill_in(account)
        self.down = self.down or not (self._standing_in or any(one.role in _FIRST for one in self._operations))
        look_for_room(len(made))
        for thread in made:
            thread.start()

    @property
    def busy(self) -> bool:
        with self._lock:
            return sum(thread.is_alive() for thread in self._threads) > self._waiting

    def halt(self) -> None:
        """Begin nothing more."""
        self._halt.set()

    def join(self, seconds: float) -> None:
        """Wait at most about so long (real time) for all to end."""
        for thread in tuple(self._threads):
            thread.join(seconds / max(1, len(self._threads)))

    @property
    def _going(self) -> bool:
        return (
            not self._halt.is_set() and not self._tools.stop.is_set() and self._tools.clock.monotonic() < self._deadline
        )

    def _thread(
        self, account: SpApiClient, operation: Operation[Answer], role: Role, at_work: bool
    ) -> threading.Thread:
        made = threading.Thread(
            target=self._work_until_done,
            args=(account, operation, role, at_work),
            name=f"{account.account_id}/{operation.name}/{role}",
            daemon=True,  # one that is stuck in a call is left behind
        )
        with self._lock:
            self._threads.append(made)
        return made

    def _up(self, account: SpApiClient, role: Role) -> list[Operation[Answer]]:
        of_role = (one for one in self._operations if one.role is role)
        return [one for one in of_role if self._watch.is_up(account.account_id, one.name)]

    def _fill_in(self, account: SpApiClient) -> None:
        """Let the operations that take over for this account take from the queue of a role that has none left."""
        has = {one.role for one in self._operations if self._watch.is_up(account.account_id, one.name)}
        doer = role_left(Role.DETAIL, has)  # a missing sweep's work is put into the same queue
        for operation in self._up(account, doer) if doer is not None and doer is not Role.DETAIL else ():
            key = account.account_id, operation.name, Role.DETAIL
            with self._lock:
                if key in self._standing_in:
                    continue
                self._standing_in.add(key)
            self._work.begin(Role.DETAIL)
            look_for_room(1)
            self._thread(account, operation, Role.DETAIL, True).start()

    def _work_until_done(self, account: SpApiClient, operation: Operation[Answer], role: Role, at_work: bool) -> None:
        name, own = account.account_id, role is operation.role
        try:
            while True:
                if at_work:
                    self._ask_until_done(account, operation, role)
                    self._try_out(account, operation, role)
                if self._watch.is_up(name, operation.name):
                    break
                self.down = True
                if at_work:
                    self._tools.log.warning("%s/%s: down, not asked", name, operation.name)
                if own:
                    self._fill_in(account)  # before this one leaves: its role is never without anybody at work
                if at_work:
                    at_work = False
                    self._work.end(role, down=own)
                if not own or role is Role.OPINION or not self._probe_comes(account, operation):
                    break
                self._work.begin(role)
                at_work = True
        except Stopped:
            self._halt.set()
        except BaseException as error:
            self.failure = self.failure or error  # the supervisor raises it
            self._halt.set()
        finally:
            if at_work:
                self._work.end(role)
            with self._lock:
                self._standing_in.discard((name, operation.name, role))

    def _try_out(self, account: SpApiClient, operation: Operation[Answer], role: Role) -> None:
        """A probe that is due and for which there was no work is made all the same."""
        name = account.account_id
        due = not self._watch.is_up(name, operation.name) and self._watch.may_ask(
            name, operation.name, self._tools.clock.now()
        )
        if due and role is operation.role and self._going:
            self._asking.try_out(account, operation)

    def _probe_comes(self, account: SpApiClient, operation: Operation[Answer]) -> bool:
        """Wait until it may be tried again. False when the run ends before; this wait does not keep it going."""
        with self._lock:
            self._waiting += 1
        try:
            while self._going:
                due = self._watch.may_ask(account.account_id, operation.name, self._tools.clock.now())
                if due and self._work.waits_for(operation.role):
                    return True
                self._work.wait(_LOOK_EVERY_S)
            return False
        finally:
            with self._lock:
                self._waiting -= 1

    def _ask_until_done(self, account: SpApiClient, operation: Operation[Answer], role: Role) -> None:
        clock = self._tools.clock
        since: float | None = None  # when there began to be work without a pause
        without_token = 0
        while self._going:
            if not self._watch.may_ask(account.account_id, operation.name, clock.now()):
                break
            if role is not operation.role and self._up(account, role):
                break  # who was stood in for is back
            since = clock.monotonic() if since is None else since
            made = shut_out = False
            seen = self._work.changes
            with self._work.turn(role):
                batch = self._next(account, operation, role)
                if batch:
                    since, made, shut_out = self._ask(account, operation, role, batch, since)
            if batch is None:
                break
            if not batch:
                since = None
                self._work.wait(_LOOK_EVERY_S, seen)
                continue
            self._work.changed()
            if not made:  # the next slot of this bucket comes after the slice
                self.no_slot = self.no_slot or role is not Role.OPINION
                break
            if role is Role.OPINION and shut_out:
                break  # this account does not get it; single looks take over
            without_token = without_token + 1 if shut_out else 0
            if without_token >= _MOST_WITHOUT_TOKEN:
                self._tools.log.error("%s: no valid token, nothing more is asked", account.account_id)
                break

    def _next(self, account: SpApiClient, operation: Operation[Answer], role: Role) -> Batch | None:
        """ASINs that are ours to ask, a full batch where there are so many; [] = wait, None = the end."""
        while role is Role.DETAIL and (part := self._work.take_part(operation.batch)):
            claimed = self._asking.claim(role, part)
            self._work.held_by_others(role, claimed.busy)
            if claimed.asins:
                return claimed.asins
        ours: Batch = []
        while True:
            wanted = self._take(account, operation, role, operation.batch - len(ours))
            if not wanted:
                return ours or wanted
            claimed = self._asking.claim(role, wanted)
            ours += claimed.asins
            self._tally.add("others", claimed.settled)
            self._work.held_by_others(role, claimed.busy)
            if len(ours) >= operation.batch:
                return ours
            if len(claimed.busy) == len(wanted):
                if ours:
                    return ours
                self._work.wait(_HELD_WAIT_S)
                return []

    def _take(self, account: SpApiClient, operation: Operation[Answer], role: Role, most: int) -> Batch | None:
        if role is Role.SWEEP:
            return self._work.take_sweep(most)
        if role in (Role.DETAIL, Role.OPINION):
            interval_s = account.pace.last_seen(account.account_id, operation.name, operation.limit).interval_s
            now_s = self._tools.clock.monotonic()
            in_haste = self._deadline - now_s < _HASTE_CALLS * interval_s
            if role is Role.DETAIL:
                return self._work.take_detail(most, in_haste)
            patience_s = 0.0 if in_haste else interval_s * _PATIENCE
            return self._work.take_opinion(most, lambda: self._slot_comes(account, operation), now_s, patience_s)
        return self._work.take_confirm(not self._planned_details or self._asking.zeros.judged(self._details))

    def _slot_comes(self, account: SpApiClient, operation: Operation[Answer]) -> bool:
        """Whether a call could go before the next look: it waits for its slot itself, and leaves on the beat."""
        bucket = account.pace.peek(account.account_id, operation.name, operation.limit)
        return limiter.wait_s(bucket, self._tools.clock.monotonic()) <= _LOOK_EVERY_S

    def _ask(
        self, account: SpApiClient, operation: Operation[Answer], role: Role, batch: Batch, since: float
    ) -> tuple[float, bool, bool]:
        """Ask, and count what the rate allowed `since` then against the call made. Returns now, whether there was a
        call, and whether the account was shut out."""
        was_up = self._watch.is_up(account.account_id, operation.name)
        asked = self._asking.ask(account, operation, role, batch)
        if not was_up and self._watch.is_up(account.account_id, operation.name):
            self._tools.log.info("%s/%s: answers again", account.account_id, operation.name)
            self._fill_in(account)
        unasked = asked.unasked
        bucket = account.pace.last_seen(account.account_id, operation.name, operation.limit)
        now = self._tools.clock.monotonic()
        made = len(unasked) < len(batch)
        allowed = (now - since) * bucket.rate_per_s
        self._tally.allowed(f"{account.account_id}/{operation.name}", allowed if made else 0.0, int(made))
        if unasked:
            self._work.put_back(role, unasked)
        if asked.to_others:
            self._work.put_back(role if role is Role.SWEEP else Role.DETAIL, asked.to_others)
        return now, made, asked.shut_out
