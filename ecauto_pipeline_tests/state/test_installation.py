"""The first hour of a folder: written once, found by all, looked up without a trace."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, create_engine

from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.installation import first_hour, look_up_first_hour, remember_first_hour
from ecauto_pipeline.state.schema import metadata

NOON = datetime(2026, 6, 1, 3, 0, tzinfo=UTC)
MOMENTS = st.integers(-2_000_000, 2_000_000).map(lambda minutes: NOON + timedelta(minutes=minutes))


@pytest.fixture(scope="module")
def never_used() -> Iterator[Engine]:
    """The tables of a folder that nothing is ever committed to."""
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    yield engine
    engine.dispose()


@given(moments=st.lists(MOMENTS, min_size=1, max_size=5))
def test_the_first_hour_never_moves(never_used: Engine, moments: list[datetime]) -> None:
    """Whoever comes later, with whatever clock, changes nothing."""
    with never_used.connect() as connection:
        assert first_hour(connection) is None
        for moment in moments:
            remember_first_hour(connection, moment)
        assert moments[0].replace(minute=0, second=0, microsecond=0) == first_hour(connection)
        connection.rollback()


def test_a_folder_older_than_the_mark_began_with_its_earliest_run(tmp_path: Path) -> None:
    """Its runs are what is known of it; the mark, once there, is what counts."""
    url = f"sqlite:///{tmp_path}/state.db"
    database = Database(url)
    assert look_up_first_hour(url) is None
    with database.write() as connection:
        for number, minutes in enumerate((90, 25, 300)):
            at = NOON + timedelta(minutes=minutes)
            run_book.begin(connection, f"run_{number}", "full_sync", "", at, False)
    assert NOON == look_up_first_hour(url)
    with database.write() as connection:
        remember_first_hour(connection, NOON - timedelta(hours=5, minutes=-1))
    assert NOON - timedelta(hours=5) == look_up_first_hour(url)
    database.close()


def test_looking_creates_migrates_and_breaks_nothing(tmp_path: Path) -> None:
    """No file appears; an earlier version's database keeps its tables; what is no database is nobody's hour."""
    absent = tmp_path / "data" / "state.db"
    assert look_up_first_hour(f"sqlite:///{absent}") is None
    assert [] == list(tmp_path.iterdir())

    earlier = tmp_path / "earlier.db"
    connection = sqlite3.connect(earlier)
    connection.execute("CREATE TABLE asins (asin)")
    connection.close()
    before = earlier.read_bytes()
    assert look_up_first_hour(f"sqlite:///{earlier}") is None
    assert before == earlier.read_bytes()

    torn = tmp_path / "torn.db"
    torn.write_bytes(b"no database" * 500)
    assert look_up_first_hour(f"sqlite:///{torn}") is None
    assert look_up_first_hour("postgresql+psycopg2://nobody@127.0.0.1:9/none") is None
    assert look_up_first_hour("no address at all") is None
    assert {"earlier.db", "torn.db"} == {path.name for path in tmp_path.iterdir()}
