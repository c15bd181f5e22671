"""A call about many ASINs that Amazon refused as a whole: is it one of them, or is it the call?

Twenty single calls would tell, and would be made in vain where the call is to blame (a contract that has changed, a
marketplace). So one ASIN that is known to be good is asked alone: answered, the rest is asked one by one; refused too,
it is the call's failure, and no ASIN's. Not for: asking (batch.py) or who asks next (queues.py).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

from ecauto_pipeline.domain.model import Status
from ecauto_pipeline.domain.offers.learning import AsinRow

_TRIALS = 2
"""So many of its own are asked where no ASIN at all is known to be good."""


class RefusedCalls:
    """The refused calls of one run in one process. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, list[str]] = {}  # trial -> the ASINs that it decides about
        self._answered: set[str] = set()  # operations
        self.of_calls = 0
        """Calls that were found to be to blame themselves."""

    def answered(self, operation: str) -> None:
        """A call of this operation was answered: when one is refused in this run, it is an ASIN's fault."""
        with self._lock:
            self._answered.add(operation)

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

    def is_trial(self, asin: str) -> bool:
        """Whether this one is asked to decide about others."""
        with self._lock:
            return asin in self._waiting

    def decided(self, trial: str, answered: bool) -> list[str]:
        """The trial's end; the ASINs that are to be asked one by one now."""
        with self._lock:
            waiting = self._waiting.pop(trial, [])
            if answered:
                for other in [name for name, same in self._waiting.items() if same is waiting]:
                    del self._waiting[other]  # decided; its own answer counts as anybody's
                return list(waiting)
            self.of_calls += all(same is not waiting for same in self._waiting.values())
            return []
