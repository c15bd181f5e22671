"""A call about many ASINs that Amazon refused as a whole: is it one of them, or is it the call?

Twenty single calls would tell, and would be made in vain where the call is to blame (a contract that has changed, a
marketplace). So one ASIN that is known to be good is asked alone: answered, the rest is asked one by one; refused too,
it is the call's failure, and no ASIN's.

Where nobody takes single looks (their operation is off, or down) the operation itself is asked about the one that is
known to be good, and then about parts of the call, down to the ASIN that it refuses. Not for: asking (batch.py) or who
asks next (queues.py).
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence

from ecauto_pipeline.domain.model import Status
from ecauto_pipeline.domain.offers.learning import AsinRow

_TRIALS = 2
"""So many of its own are asked where no ASIN at all is known to be good, or nobody else could be asked about it."""
_MOST_IN_A_ROW = 6
"""Parts refused without an answer between them, after which it is asked again whether it is the call."""


class RefusedCalls:
    """The refused calls of one run in one process. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, list[str]] = {}  # trial -> the ASINs that it decides about
        self._answered: set[str] = set()  # operations
        self._own_trials: set[str] = set()  # trials that the refusing operation itself is asked about
        self._in_parts: set[str] = set()  # ASINs of calls that are asked again in parts
        self._in_a_row: Counter[str] = Counter()  # operation -> its calls of those, refused since it last answered
        self.of_calls = 0
        """Calls that were found to be to blame themselves."""

    def answered(self, operation: str) -> None:
        """A call of this operation was answered: when one is refused in this run, it is an ASIN's fault."""
        with self._lock:
            self._answered.add(operation)
            self._in_a_row[operation] = 0

    def refused(
        self, operation: str, asins: Sequence[str], rows: Mapping[str, AsinRow], known_good: str | None
    ) -> list[str]:
        """A call about these was refused; the ASINs to be asked alone now. `known_good`: one from elsewhere."""
        good = [asin for asin in asins if rows[asin].status is Status.SUCCESS and not rows[asin].failures][:1]
        trials = good or ([known_good] if known_good else list(asins[:_TRIALS]))
        with self._lock:
            if operation in self._answered:
                return list(asins)
            waiting = [asin for asin in asins if asin not in trials]
            for trial in trials:
                self._waiting[trial] = waiting
        return trials

    def refused_with_nobody_else(
        self, operation: str, asins: Sequence[str], rows: Mapping[str, AsinRow], known_good: str | None
    ) -> tuple[list[str], list[list[str]]]:
        """The same where nobody takes single looks: the trials, and the calls of its own to be made now."""
        with self._lock:
            self._note_refusal(operation)
            if operation in self._answered:
                return [], self._parts(asins, [asin for asin in asins if rows[asin].failures])
            good = [asin for asin in asins if rows[asin].status is Status.SUCCESS and not rows[asin].failures]
            elsewhere = [known_good] if known_good and known_good not in self._waiting else []
            trials = list(dict.fromkeys((*good, *elsewhere, *asins)))[:_TRIALS]
            waiting = list(asins)
            for trial in trials:
                self._waiting[trial] = waiting
            self._own_trials.update(trials)
            return trials, [[trial] for trial in trials]

    def in_parts(self, asins: Sequence[str]) -> list[list[str]]:
        """The calls to be made about these: they were refused together by an operation that answers."""
        with self._lock:
            return self._parts(asins, ())

    def is_in_parts(self, asin: str) -> bool:
        """Whether its last error was that of a call about others too."""
        with self._lock:
            return asin in self._in_parts

    def is_of_asin(self, operation: str, asin: str) -> bool:
        """Whether a refusal of this operation, asked about this ASIN alone, is the ASIN's own."""
        with self._lock:
            if operation not in self._answered:
                return False
            self._note_refusal(operation)
            self._in_parts.discard(asin)
            return True

    def is_trial(self, asin: str) -> bool:
        """Whether this one is asked to decide about others."""
        with self._lock:
            return asin in self._waiting

    def is_trial_call(self, asins: Sequence[str], batch: int) -> bool:
        """Whether a call about these, of an operation that takes so many at once, is such a trial."""
        with self._lock:
            return len(asins) == 1 and asins[0] in self._waiting and (batch > 1) is (asins[0] in self._own_trials)

    def decided(self, trial: str, answered: bool) -> list[str]:
        """The trial's end; the ASINs that are to be asked one by one now."""
        with self._lock:
            waiting = self._waiting.pop(trial, [])
            self._own_trials.discard(trial)
            if answered:
                for other in [name for name, same in self._waiting.items() if same is waiting]:
                    del self._waiting[other]  # decided; its own answer counts as anybody's
                return list(waiting)
            self.of_calls += all(same is not waiting for same in self._waiting.values())
            return []

    def _parts(self, asins: Sequence[str], suspects: Sequence[str]) -> list[list[str]]:
        """Those that failed by themselves before apart from the others; else two halves."""
        self._in_parts.update(asins)
        half = len(asins) // 2
        one, other = list(asins[:half]), list(asins[half:])
        if 0 < len(suspects) < len(asins):
            one, other = list(suspects), [asin for asin in asins if asin not in suspects]
        return [part for part in (one, other) if part]

    def _note_refusal(self, operation: str) -> None:
        self._in_a_row[operation] += 1
        if self._in_a_row[operation] > _MOST_IN_A_ROW:
            self._answered.discard(operation)
            self._in_a_row[operation] = 0
