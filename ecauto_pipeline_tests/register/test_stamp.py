"""A register's stamp is another one for another content, and our own writes are told from everybody else's."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from ecauto_pipeline.errors import RegisterBusy, RegisterError
from ecauto_pipeline.register.master import Register
from ecauto_pipeline.register.rows import ListingUpdate, ProductUpdate
from ecauto_pipeline.register.stamp import OwnWrites
from ecauto_pipeline_tests.register.register_laws import LISTINGS, PRODUCTS


@pytest.fixture
def register(tmp_path: Path) -> Register:
    Register.create(tmp_path / "master.db", PRODUCTS, LISTINGS)
    return Register(tmp_path / "master.db", 0.02, wall_s=lambda: time.time() + 60)


@contextmanager
def other_program(register: Register) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(register.path, isolation_level=None)) as database:
        yield database


def now(register: Register) -> str:
    found = register.stamp()
    return "" if found is None else found.text


def test_reading_leaves_the_stamp_and_each_commit_gives_another(register: Register) -> None:
    """Two right after each other too."""
    stamps = [register.read().stamp, register.read().stamp]
    with other_program(register) as database:
        for _ in range(2):
            database.execute("UPDATE listings SET selling_price = selling_price + 1")
            stamps.append(now(register))
    assert (3, stamps[0]) == (len(set(stamps)), stamps[1])
    assert not register.is_still(stamps[0])
    assert register.is_still(stamps[-1])


def test_a_journal_that_waits_to_be_rolled_back_leaves_no_stamp(register: Register) -> None:
    """What stands in the file is not what is in the register; one that is empty or over says nothing."""
    journal = register.path.with_name("master.db-journal")
    before = now(register)
    journal.write_bytes(bytes.fromhex("d9d505f920a163d7") + bytes(504))
    assert register.stamp() is None
    for over in (b"", bytes(512)):
        journal.write_bytes(over)
        assert before == now(register)


def test_what_can_not_be_read_is_not_what_it_was(register: Register) -> None:
    """Held by another program, or without a column: said as a reading would say it."""
    with other_program(register) as database:
        database.execute("BEGIN EXCLUSIVE")
        with pytest.raises(RegisterBusy):
            register.is_still(now(register))
        database.execute("ROLLBACK")
        database.execute("ALTER TABLE listings RENAME COLUMN status TO state")
    with pytest.raises(RegisterError, match="lacks status"):
        register.is_still(now(register))


def written(register: Register, own: OwnWrites) -> bool:
    """Two transactions of ours; whether they are known as all there was."""
    register.write_back((), [ListingUpdate(1, 3000), ListingUpdate(2, 3100)], batch=1, own=own)
    return own.known


def test_our_own_writes_lead_from_stamp_to_stamp(register: Register) -> None:
    """Through several transactions, of both tables."""
    own, before = OwnWrites(), now(register)
    assert written(register, own)
    register.write_back([ProductUpdate("B000000001", 2000)], own=own)
    assert (True, before, now(register)) == (own.known, own.before, own.after)


def test_another_ones_commit_between_ours_breaks_the_chain(register: Register) -> None:
    """Between two of our transactions, or between one's beginning and the look after it."""
    own = OwnWrites()
    assert written(register, own)
    with other_program(register) as database:
        database.execute("UPDATE listings SET selling_price = 1 WHERE id = 2")
        assert not written(register, own)
        assert ("", "") == (own.before, own.after)
        late = OwnWrites()
        with closing(sqlite3.connect(register.path, isolation_level=None)) as ours:
            ours.execute("BEGIN IMMEDIATE")
            version = late.began(ours, register.path)
            ours.execute("UPDATE listings SET selling_price = 2 WHERE id = 2")
            ours.execute("COMMIT")
            database.execute("UPDATE listings SET selling_price = 3 WHERE id = 2")
            late.ended(ours, register.path, version)
    assert not late.known


def test_a_row_that_takes_nothing_breaks_the_chain(register: Register) -> None:
    """What was written then, row by row, was not watched."""
    with other_program(register) as database:
        database.execute("CREATE UNIQUE INDEX one_price ON listings (selling_price) WHERE selling_price = 3000")
    own = OwnWrites()
    register.write_back((), [ListingUpdate(1, 3000), ListingUpdate(2, 3000)], refused=[], own=own)
    assert not own.known
