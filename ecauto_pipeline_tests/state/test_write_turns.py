"""Threads of one process that write to one file: one after another, and small writes together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, select
from sqlalchemy.exc import OperationalError

from ecauto_pipeline.state import locks
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.schema_calls import buckets
from ecauto_pipeline.state.upsert import upsert
from ecauto_pipeline.state.write_turns import Job, WriteTurns

WRITERS = 6


def save(number: int) -> Callable[[Connection], int]:
    """Work that leaves one row; the third raises."""

    def work(connection: Connection) -> int:
        row = {"account": str(number), "operation": "o", "rate_per_s": 1.0, "burst": 1.0, "tokens": 1.0}
        upsert(connection, buckets, [row | {"updated_at": 0, "next_at": 0, "document": "{}"}])
        if number == 3:
            raise ZeroDivisionError
        return number

    return work


def kept(database: Database) -> list[str]:
    with database.read() as connection:
        return sorted(connection.execute(select(buckets.c.account)).scalars())


def test_what_waits_for_one_turn_is_one_commit(tmp_path: Path) -> None:
    """Each gets its own result; one that raises is left out, alone, and hears of it."""
    database, results, errors = Database(f"sqlite:///{tmp_path / 'state.db'}"), list[int](), list[str]()
    commits: list[object] = []

    def writer(number: int) -> None:
        try:
            results.append(database.write_again(save(number), locks.bucket(str(number), "o")))
        except ZeroDivisionError as error:
            errors.append(type(error).__name__)

    threads = [threading.Thread(target=writer, args=(number,)) for number in range(WRITERS)]
    with database.write():
        for thread in threads:
            thread.start()
        while database.writes_waiting < WRITERS:
            threads[0].join(0.001)
        event.listen(database.engine, "commit", commits.append)
    for thread in threads:
        thread.join(10)
    assert ["0", "1", "2", "4", "5"] == kept(database)
    assert ([0, 1, 2, 4, 5], ["ZeroDivisionError"]) == (sorted(results), errors)
    assert 2 == len(commits), "the one under way, and one for all others"
    database.close()


def test_a_transaction_that_fails_fails_for_all_that_were_in_it() -> None:
    """A file that is locked or full is nobody's work's fault; nothing counts as done."""
    turns, asked, heard = WriteTurns(5.0), list[int](), list[str]()

    def write(jobs: Sequence[Job[Any]]) -> None:
        asked.append(len(jobs))
        for job in jobs:
            job.do(None)  # type: ignore[arg-type]  # this work asks nothing of it
        raise OperationalError("COMMIT", None, Exception("database or disk is full"))

    def writer() -> None:
        with pytest.raises(OperationalError):
            turns.together(Job(lambda _connection: 1, None), write)
        heard.append("full")

    threads = [threading.Thread(target=writer) for _ in range(3)]
    with turns.turn():
        for thread in threads:
            thread.start()
        while turns.waiting < 3:
            threads[0].join(0.001)
    for thread in threads:
        thread.join(10)
    assert ([3], ["full"] * 3) == (asked, heard)


def test_a_turn_that_does_not_come_is_not_waited_for_for_ever() -> None:
    """After its patience a writer asks SQLite, which says who holds the file."""
    turns = WriteTurns(0.01)
    with turns.turn(), turns.turn():
        pass
    with turns.turn():
        pass


def test_ctrl_c_is_for_whoever_does_the_work_and_costs_nobody_else_a_write(tmp_path: Path) -> None:
    """It meets the one who has the turn in the middle of the other's work: he ends, that is done by its own thread."""
    database, done, met, ended = (
        Database(f"sqlite:///{tmp_path / 'state.db'}"),
        list[str](),
        list[object](),
        list[object](),
    )
    once = iter([True])

    def writer(number: int) -> None:
        mine = threading.current_thread()

        def work(connection: Connection) -> int:
            if threading.current_thread() is not mine and next(once, False):
                met.append(threading.current_thread())
                raise KeyboardInterrupt
            return save(number)(connection)

        try:
            done.append(str(database.write_again(work, locks.bucket(str(number), "o"))))
        except KeyboardInterrupt:
            ended.append(mine)

    threads = [threading.Thread(target=writer, args=(number,)) for number in range(2)]
    with database.write():
        for thread in threads:
            thread.start()
        while database.writes_waiting < len(threads):
            threads[0].join(0.001)
    for thread in threads:
        thread.join(10)
    assert (met, 1) == (ended, len(done))
    assert done == kept(database)
    database.close()
