"""What the workers of a fleet say when they are asked: who answers, which runs they have, how many they take at once.

They are asked by Celery's broadcasts over Redis; whoever does not answer in time is left out. Not for: what follows of
their answers (launcher.py).
Source: celery/worker/control.py (5.7).
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kombu.exceptions import ChannelError, OperationalError
from redis.exceptions import RedisError

if TYPE_CHECKING:
    from celery import Celery

ANSWER_WITHIN_S = 2.0
ROUND_S = 3.0
"""One question to all workers serves every run that is looked at within so many seconds."""

UNREACHABLE = (OperationalError, RedisError, OSError)
"""What is raised where Redis can't be asked."""


@dataclass(frozen=True, slots=True)
class Round:
    """What all workers said when they were asked: who answered, which runs (ids) they work on."""

    workers: frozenset[str]
    running: frozenset[str]


@contextmanager
def reached(celery: Celery) -> Iterator[Any]:
    """A connection to Redis of this moment. Raises UNREACHABLE within seconds where there is none to be had."""
    with celery.connection_for_write() as connection:
        connection.ensure_connection(max_retries=1, interval_start=0.2)
        yield connection


class Workers:
    """All workers of one Celery application; `queue` is the one they take runs from. Each method raises UNREACHABLE."""

    def __init__(self, celery: Celery, queue: str) -> None:
        self._celery, self._queue = celery, queue
        self._round: tuple[float, Round] | None = None
        self._slots: tuple[float, int] | None = None

    def ask(self) -> Round:
        """As of ROUND_S ago at most."""
        now = time.monotonic()
        if self._round is None or now - self._round[0] > ROUND_S:
            answers = self._inspect().active() or {}
            tasks = frozenset(str(task["id"]) for active in answers.values() for task in active)
            self._round = now, Round(frozenset(answers), tasks)
        return self._round[1]

    def slots(self) -> int:
        """How many runs all that answer take at once, whether they have any now or not; 0 = nobody answers."""
        if self._slots is None or not self._slots[1] or time.monotonic() - self._slots[0] > ROUND_S:
            answers = self._inspect().stats() or {}
            self._slots = time.monotonic(), sum(int(one["pool"]["max-concurrency"]) for one in answers.values())
        return self._slots[1]

    def without_a_worker(self, run_ids: Collection[str]) -> frozenset[str]:
        """Which of these runs nobody has who answers, neither at work nor about to begin; none where nobody answers."""
        answers = self._inspect().query_task(*run_ids) or {}
        had = {str(run_id) for tasks in answers.values() for run_id in tasks}
        return frozenset(run_ids) - had if answers else frozenset()

    def waiting(self) -> int:
        """How many runs lie in Redis because no worker has taken them yet."""
        with reached(self._celery) as connection:
            try:
                return int(connection.default_channel.queue_declare(self._queue, passive=True).message_count)
            except ChannelError:  # an empty queue of Redis's is none
                return 0

    def runs(self) -> dict[str, list[str]]:
        """The ids of the runs that each worker has, by its name."""
        answers = self._inspect().active() or {}
        return {name: [str(task["id"]) for task in active] for name, active in sorted(answers.items())}

    def _inspect(self) -> Any:
        with reached(self._celery):  # a broadcast waits without an end for a Redis that is away
            return self._celery.control.inspect(timeout=ANSWER_WITHIN_S)
