"""Whose turn it is to write to SQLite's file, among the threads of one process, and several small writes in one turn.

SQLite has one writer; who finds it at work sleeps, up to a tenth of a second, and looks again. Threads of one process
wait for each other here instead, and go on at once. What of them may be done twice waits as a job: whoever has the turn
does all jobs that wait in one transaction, with one flush of the disk. One that raises is left out, and the others are
done once more.
Not for: other processes (SQLite's own lock), PostgreSQL, or what is written.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection

from ecauto_pipeline.state import locks

T = TypeVar("T")
MOST_JOBS = 64


@dataclass(slots=True, eq=False)
class Job(Generic[T]):
    """Work in a transaction, done by whatever thread; `fenced`: only while the fence lets it (database.py).

    `results`: what it returned, once, when it is committed; `error`: what kept it from that.
    """

    work: Callable[[Connection], T]
    lock: locks.Locks
    fenced: bool = True
    results: tuple[T, ...] = ()
    error: BaseException | None = None
    under_way: bool = False

    def do(self, connection: Connection) -> None:
        self.under_way = True
        self.results = (self.work(connection),)
        self.under_way = False

    @property
    def over(self) -> bool:
        return bool(self.results) or self.error is not None


class WriteTurns:
    """The turns of one process at one file. `patience_s`: so long one is waited for; then SQLite says who holds it."""

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._turn, self._lock = threading.Lock(), threading.Lock()
        self._waiting: list[Job[Any]] = []

    @property
    def waiting(self) -> int:
        """Jobs that nobody has taken yet."""
        with self._lock:
            return len(self._waiting)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """To be in it for as long as a transaction takes."""
        mine = self._turn.acquire(timeout=self._patience_s)
        try:
            yield
        finally:
            if mine:
                self._turn.release()

    def together(self, job: Job[T], write: Callable[[Sequence[Job[Any]]], None]) -> T:
        """Its result, once it is committed, with others or alone. Raises what the work, or committing it, raises.

        `write` does these jobs in one transaction.
        """
        with self._lock:
            self._waiting.append(job)
        with self._turn:
            if not job.over:
                self._do(self._taken(job), write)
        if job.error is not None:
            raise job.error
        return job.results[0]

    def _taken(self, mine: Job[Any]) -> list[Job[Any]]:
        """Ours first, and others of its kind that wait."""
        with self._lock:
            others = [job for job in self._waiting if job is not mine and job.fenced == mine.fenced]
            jobs = [mine, *others[: MOST_JOBS - 1]]
            self._waiting = [job for job in self._waiting if job not in jobs]
        return jobs

    def _do(self, jobs: list[Job[Any]], write: Callable[[Sequence[Job[Any]]], None]) -> None:
        while jobs:
            try:
                write(jobs)
            except Exception as error:
                failed = [job for job in jobs if job.under_way] or jobs  # or the transaction itself: all of them
                jobs = [job for job in jobs if job not in failed]
                for job in failed:
                    job.results, job.error = (), error
                for job in jobs:
                    job.results = ()
            except BaseException:  # Ctrl-C is for whoever does them: the others are done by their own threads
                for job in jobs:
                    job.results, job.under_way = (), False
                raise
            else:
                return
