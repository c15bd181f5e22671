"""Claims on work: exclusive while somebody lives who holds them, anybody's afterwards."""

from __future__ import annotations

import platform
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ecauto_pipeline.state import leases
from ecauto_pipeline.state.database import Database

_NOW = datetime(2026, 1, 5, 3, tzinfo=UTC)
_A, _B = "elsewhere|1|0|a", "elsewhere|2|0|b"


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(f"sqlite:///{tmp_path / 'state.db'}")


def _claim(database: Database, names: list[str], owner: str, now: datetime) -> list[str]:
    with database.write() as connection:
        return leases.claim(connection, names, owner, now)


def test_what_one_holds_another_does_not_get(database: Database) -> None:
    """The second gets the rest, in its order; its own it may claim again."""
    assert ["x", "y"] == _claim(database, ["x", "y"], _A, _NOW)
    assert ["z"] == _claim(database, ["y", "z"], _B, _NOW)
    assert ["y"] == _claim(database, ["y", "z"], _A, _NOW)


def test_a_lease_that_nobody_renews_is_anybodys_after_its_life(database: Database) -> None:
    """kill -9 holds up the work for the life of a lease at most."""
    _claim(database, ["x"], _A, _NOW)
    assert [] == _claim(database, ["x"], _B, _NOW + leases.LIFE - timedelta(seconds=1))
    assert ["x"] == _claim(database, ["x"], _B, _NOW + leases.LIFE)


def test_a_heartbeat_keeps_it(database: Database) -> None:
    """Whoever works renews."""
    _claim(database, ["x"], _A, _NOW)
    with database.write() as connection:
        leases.renew(connection, _A, _NOW + timedelta(seconds=40))
    assert [] == _claim(database, ["x"], _B, _NOW + timedelta(seconds=60))


def test_a_clock_set_back_leaves_no_lease_for_ever(database: Database) -> None:
    """A heartbeat from the future is no heartbeat."""
    _claim(database, ["x"], _A, _NOW + timedelta(days=300))
    assert ["x"] == _claim(database, ["x"], _B, _NOW)


def test_a_dead_process_of_this_host_holds_nothing(database: Database) -> None:
    """A lease whose owner is surely gone is taken over at once; a living owner's is not."""
    gone = f"{platform.node()}|{2**22 + 1}|0.00|x"
    _claim(database, ["x"], gone, _NOW)
    assert ["x"] == _claim(database, ["x"], leases.new_owner(), _NOW)
    assert [] == _claim(database, ["x"], _B, _NOW)


def test_only_the_owner_gives_back(database: Database) -> None:
    """Releasing another's lease does nothing; releasing one's own frees it."""
    _claim(database, ["x"], _A, _NOW)
    with database.write() as connection:
        leases.release(connection, _B)
    assert [] == _claim(database, ["x"], _B, _NOW)
    with database.write() as connection:
        leases.release(connection, _A, ["x"])
    assert ["x"] == _claim(database, ["x"], _B, _NOW)
