"""State in PostgreSQL keeps its promises to many processes at once; made without locks these all failed.

Not for: what a server that goes away does to them (test_postgresql_away.py).
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest

from ecauto_pipeline.state import locks, migrations
from ecauto_pipeline.state.database import Database
from ecauto_pipeline_tests.state import races


def _processes(worker: Callable[..., Any], *given: Sequence[object]) -> list[Any]:
    with ProcessPoolExecutor(len(given), multiprocessing.get_context("spawn")) as pool:
        return [future.result() for future in [pool.submit(worker, *one) for one in given]]


@pytest.mark.parametrize(
    "law",
    [
        races.no_lease_twice,
        races.a_window_grants_what_it_holds,
        races.a_window_stays_closed,
        races.no_note_is_lost,
        races.no_two_wait_for_each_other,
    ],
)
def test_what_must_hold_when_several_write(state_url: str, law: Callable[..., None]) -> None:
    """The law's own docstring says what."""
    law(state_url, _processes)


def test_a_bucket_keeps_its_rate(state_url: str) -> None:
    """Over four processes, by when the calls left."""
    races.a_bucket_keeps_its_rate(state_url, _processes, 8.0)


def test_the_first_opening_by_six_processes_is_done_by_one(postgresql_url: str) -> None:
    """All six find the tables afterwards; nobody is told of a table that is there already."""
    assert [(0, 6)] == [(0, len(_processes(migrate_and_open, *[(postgresql_url,)] * 6)))]


def migrate_and_open(url: str) -> int:
    database = Database(url, unmigrated=True)
    with database.write(locks.schema()) as connection:
        _, version = migrations.migrate_postgresql(connection)
    database.close()
    Database(url).close()
    return version
