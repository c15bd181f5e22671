"""Laws of the memory of a load: little is enough for what is narrow, and what is too wide comes in all the same."""

from __future__ import annotations

from pathlib import Path
from random import Random

import duckdb
import pytest

from ecauto_pipeline.history.database import database, ensure_schema
from ecauto_pipeline.history.load_memory import LOAD_MB, MOST_LOAD_MB, MemoryTooSmall, with_enough_memory
from ecauto_pipeline.history.loading import Loaded, load_all
from ecauto_pipeline.history.store import HistoryStore
from ecauto_pipeline_tests.history.rows import NOON, ids, snapshot, store_in

WIDE, ROWS, FILE_ROWS = 2_000, 6_000, 2_000


def _wide(folder: Path) -> HistoryStore:
    """Files of text that does not get smaller, and a database that holds one row more, loaded before them."""
    store, random = store_in(folder), Random(1)
    store.write("snapshots", "before", [snapshot(ROWS)], NOON)
    store.load()
    for first in range(0, ROWS, FILE_ROWS):
        rows = [
            snapshot(number, offers_json=random.randbytes(WIDE // 2).hex())
            for number in range(ROWS)[first:][:FILE_ROWS]
        ]
        store.write("snapshots", "run", rows, NOON, str(first))
    return store


def test_as_much_is_given_as_it_takes_and_no_more() -> None:
    """It begins with little, has twice as much each time, and ends where nothing would help; other errors are not
    asked about twice."""
    given: list[int] = []

    def never(most_mb: int) -> None:
        given.append(most_mb)
        raise MemoryTooSmall("too little", ja="不足")

    with pytest.raises(MemoryTooSmall):
        with_enough_memory(never)
    assert LOAD_MB == given[0]
    assert given[-1] <= MOST_LOAD_MB < 2 * given[-1]
    assert [2 * one for one in given[:-1]] == given[1:]

    def broken(_most_mb: int) -> None:
        given.clear()
        raise duckdb.IOException("no such file")

    with pytest.raises(duckdb.IOException):
        with_enough_memory(broken)
    assert [] == given


@pytest.mark.parametrize("first_mb", [2, 4, 8])
def test_what_does_not_fit_comes_in_with_more(tmp_path: Path, first_mb: int) -> None:
    """Nothing is lost, nothing is there twice, the database is the same one and sound, and what it held stays."""
    store = _wide(tmp_path)
    inode, given, done = store.database.stat().st_ino, [], Loaded()

    def load(most_mb: int) -> None:
        given.append(most_mb)
        with database(store.database) as connection:
            ensure_schema(connection)
            load_all(connection, store.directory, NOON, done, most_mb)

    with_enough_memory(load, first_mb)
    assert len(given) > 1
    assert ROWS == done.rows
    assert [f"s{number:08d}" for number in range(ROWS + 1)] == ids(store)
    assert inode == store.database.stat().st_ino
    assert store.verify().ok
    assert (0, "") == (lambda report: (report.rows, report.reason))(store.load())
