"""Who asks what next: a queue for each role, shared by the workers of all accounts and operations that have it.

What a sweep found comes before what was planned; a detail call goes out full, unless nothing more can come or the
slice ends. Not for: asking (batch.py) or whether an ASIN is still to be asked (state decides at the claim).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from ecauto_pipeline.domain.model import Role

Batch = list[str]
ASKING = (Role.SWEEP, Role.DETAIL, Role.CONFIRM, Role.OPINION)
"""The roles that ask about price and stock."""


class Work:
    """Queues of one run in one process. Safe to share between threads.

    `second_looks`: planned details that a single call may settle as well, whoever comes first.
    `take_*` give the next ASINs, [] = nothing now but something may come, None = there is and will be nothing.
    """

    def __init__(self, sweep: Iterable[str], detail: Iterable[str], second_looks: Iterable[str]) -> None:
        self._lock = threading.Condition()
        self._detail: deque[str] = deque()
        self._sweep: deque[str] = deque()
        self._singles: deque[str] = deque()
        self._owed: deque[str] = deque()
        self._parts: deque[Batch] = deque()
        self._found: deque[str] = deque()
        self._doubted: deque[str] = deque()
        self._unbelieved: deque[str] = deque()
        self._never_alone: set[str] = set()
        self._unchanged: deque[str] = deque()
        self._doubts_since_s: float | None = None  # when the oldest doubt that waits was seen first
        self._only_checked: set[str] = set()
        self._known_found: set[str] = set()
        self._held: dict[Role, deque[str]] = {role: deque() for role in ASKING}
        self._at_work = dict.fromkeys(ASKING, 0)
        self._turns = dict.fromkeys(ASKING, 0)
        self._changes = 0
        self.planned = 0
        self.add(sweep, detail, second_looks)

    def add(self, sweep: Iterable[str], detail: Iterable[str], second_looks: Iterable[str]) -> None:
        """More is planned. What is in both lists is asked in detail."""
        with self._lock:
            details = [asin for asin in dict.fromkeys(detail) if asin not in self._known_found]
            self._known_found.update(details)
            sweeps = [asin for asin in dict.fromkeys(sweep) if asin not in self._known_found]
            self._detail.extend(details)
            self._sweep.extend(sweeps)
            self._owed.extend(dict.fromkeys(second_looks))
            self.planned += len(details) + len(sweeps)

    def begin(self, role: Role) -> None:
        """A worker of that role starts."""
        with self._lock:
            self._at_work[role] += 1

    def end(self, role: Role, *, down: bool = False) -> None:
        """A worker of that role is done, for good or as long as its operation is `down`.

        What the last sweep of all leaves then is asked in detail, after everything else.
        """
        with self._lock:
            self._at_work[role] -= 1
            if down and role is Role.SWEEP and not self._at_work[role]:
                self._detail.extend(asin for asin in self._sweep if asin not in self._known_found)
                self._known_found.update(self._sweep)
                self._sweep.clear()
            if not self._at_work[Role.OPINION]:
                self._single_look(self._doubted)
                self._doubted.clear()
                self._unbelieved.clear()
                self._unchanged.clear()
            self._wake()

    @contextmanager
    def turn(self, role: Role) -> Iterator[None]:
        """A worker takes and asks. Others of its role stay meanwhile: what it can't ask it puts back for them.

        Its end alone wakes nobody: idle workers that took nothing would wake each other without an end.
        """
        with self._lock:
            self._turns[role] += 1
        try:
            yield
        finally:
            with self._lock:
                self._turns[role] -= 1

    def take_sweep(self, most: int) -> Batch | None:
        with self._lock:
            return _pop(most, self._sweep) or self._again(Role.SWEEP, most)

    def take_detail(self, most: int, in_haste: bool) -> Batch | None:
        """`in_haste`: the slice ends; do not wait for a full call."""
        with self._lock:
            ready = len(self._found) + len(self._detail)
            more_may_come = self._at_work[Role.SWEEP] > 0
            if ready >= most or (ready and (in_haste or not more_may_come)):
                return _pop(most, self._found, self._detail)
            if ready or more_may_come:
                return []
            return self._again(Role.DETAIL, most)

    def take_part(self, most: int) -> Batch:
        """Details that go out by themselves, without others to fill the call."""
        with self._lock:
            if not self._parts:
                return []
            part = self._parts.popleft()
            if part[most:]:
                self._parts.appendleft(part[most:])
            return part[:most]

    def take_confirm(self, may_judge: bool) -> Batch | None:
        """One ASIN. `may_judge` False: the zeros seen so far are too few to tell an accident from a catastrophe."""
        with self._lock:
            if may_judge or not self._at_work[Role.DETAIL]:
                if self._singles:
                    return [self._singles.popleft()]
                if self._owed:  # from the far end: the detail worker comes from the near one
                    return [self._owed.pop()]
            if self._singles or self._owed or any(self._at_work[role] for role in ASKING if role is not Role.CONFIRM):
                return []
            return self._again(Role.CONFIRM, 1)

    def take_opinion(self, most: int, at_once: Callable[[], bool], now_s: float, patience_s: float) -> Batch | None:
        """Doubted answers, then those that were too many to be believed, then unchanged ones as far as there is room.
        `at_once`: a call could be made now; else a full one is waited for while more may come, and for unchanged ones
        alone nothing is waited for. A call that is not full leaves once its oldest doubt has waited `patience_s`: the
        next slot may be half a minute away, and who comes a second later would wait for it. An accident or a
        catastrophe: both are put to it, so nothing has to be told."""
        with self._lock:
            more_may_come = self._at_work[Role.DETAIL] > 0 or self._at_work[Role.SWEEP] > 0
            waiting = len(self._doubted) + len(self._unbelieved)
            if not waiting:
                self._doubts_since_s = None
            elif self._doubts_since_s is None:
                self._doubts_since_s = now_s
            since_s = now_s if self._doubts_since_s is None else self._doubts_since_s
            ripe = waiting + len(self._unchanged) >= most or now_s - since_s >= patience_s
            if waiting and (not more_may_come or waiting >= most or (ripe and at_once())):
                self._doubts_since_s = None
                return _pop(most, self._doubted, self._unbelieved, self._unchanged)
            full = len(self._unchanged) >= most or not more_may_come
            if not waiting and self._unchanged and full and at_once():
                return _pop(most, self._unchanged)
            if waiting or more_may_come:
                return []
            return self._again(Role.OPINION, most)

    def found(self, asins: Iterable[str]) -> None:
        """A sweep wants detail of these."""
        with self._lock:
            fresh = [asin for asin in dict.fromkeys(asins) if asin not in self._known_found]
            self._known_found.update(fresh)
            self._found.extend(fresh)
            self._wake()

    def forget(self, asins: Iterable[str]) -> None:
        """What a sweep wanted and is not believed any more."""
        with self._lock:
            gone = set(asins)
            self._found = deque(asin for asin in self._found if asin not in gone)
            self._known_found -= gone

    def look_again(self, asins: Iterable[str]) -> None:
        """These need a single look: a doubt, or a call that was refused as a whole."""
        with self._lock:
            self._single_look(asins)
            self._wake()

    def ask_in_parts(self, parts: Iterable[Batch]) -> None:
        """A detail of these was refused as a whole, and nobody takes single looks: each part is a call of its own."""
        with self._lock:
            self._parts.extend(parts)
            self._wake()

    def ask_opinion(self, asins: Iterable[str]) -> None:
        """The answers about these are doubted: another source is asked, else a single look is taken."""
        with self._lock:
            asins = list(asins)
            self._only_checked.difference_update(asins)
            if self._at_work[Role.OPINION]:
                self._doubted.extend(asin for asin in asins if asin not in self._doubted)
            else:
                self._single_look(asins)
            self._wake()

    def ask_opinion_of_mass(self, asins: Iterable[str]) -> None:
        """These were said to be gone, too many at once: another source is asked where there is one, and nobody else."""
        with self._lock:
            if self._at_work[Role.OPINION]:
                fresh = [asin for asin in asins if asin not in self._doubted and asin not in self._never_alone]
                self._never_alone.update(fresh)
                self._unbelieved.extend(fresh)
            self._wake()

    def check(self, asins: Iterable[str]) -> None:
        """Answers about these changed nothing; another source is asked where there is one with a call to spare."""
        with self._lock:
            if self._at_work[Role.OPINION]:
                fresh = [asin for asin in dict.fromkeys(asins) if asin not in self._only_checked]
                self._only_checked.update(fresh)
                self._unchanged.extend(fresh)

    def _single_look(self, asins: Iterable[str]) -> None:
        waiting = set(self._singles)
        self._singles.extend(asin for asin in asins if asin not in waiting)

    def waits_for(self, role: Role) -> bool:
        """Whether there is something to ask for a worker of that role."""
        with self._lock:
            mine = {Role.SWEEP: (self._sweep,), Role.DETAIL: (self._found, self._detail, self._parts)}
            return any(mine.get(role, (self._singles, self._owed)))

    def held_by_others(self, role: Role, asins: Iterable[str]) -> None:
        """Another run is asking about these: look again when everything else is done."""
        with self._lock:
            self._held[role].extend(asins)

    def put_back(self, role: Role, asins: Iterable[str]) -> None:
        """No call was made for these."""
        with self._lock:
            if role is Role.OPINION:  # no slot is left in this slice: whoever ends hands over what is doubted
                for asin in reversed([asin for asin in asins if asin not in self._only_checked]):
                    (self._unbelieved if asin in self._never_alone else self._doubted).appendleft(asin)
                return
            queue = {Role.SWEEP: self._sweep, Role.DETAIL: self._found}.get(role, self._singles)
            queue.extendleft(reversed(list(asins)))

    @property
    def changes(self) -> int:
        """Goes up whenever idle workers may find something that was not there before."""
        with self._lock:
            return self._changes

    def changed(self) -> None:
        """A turn with a call in it is over: its answers, or its end, may be what others wait for."""
        with self._lock:
            self._wake()

    def wait(self, seconds: float, seen: int | None = None) -> None:
        """Until something changes after `seen` (None: from now on), at most so long (real time: nobody is called
        meanwhile)."""
        with self._lock:
            known = self._changes if seen is None else seen
            self._lock.wait_for(lambda: self._changes != known, seconds)

    def _wake(self) -> None:
        self._changes += 1
        self._lock.notify_all()

    @property
    def left(self) -> int:
        """Planned or found, and not taken."""
        with self._lock:
            waiting = (self._sweep, self._detail, self._found, *self._parts, *self._held.values())
            return sum(map(len, waiting))

    def _again(self, role: Role, most: int) -> Batch | None:
        return _pop(most, self._held[role]) or ([] if self._turns[role] > 1 else None)


def _pop(most: int, *queues: deque[str]) -> Batch:
    taken: Batch = []
    for queue in queues:
        while queue and len(taken) < most:
            taken.append(queue.popleft())
    return taken
