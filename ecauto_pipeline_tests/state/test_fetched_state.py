"""The ledger, the observations and the beliefs as they are kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from ecauto_pipeline.domain.model import Answer, Status
from ecauto_pipeline.domain.offers.learning import AsinRow
from ecauto_pipeline.state import asins, observations
from ecauto_pipeline.state.calls import CallLedger, counted
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.observations import SnapshotIds
from ecauto_pipeline.state.schema import observations as table
from ecauto_pipeline.state.schema_calls import api_calls

_NOW = datetime(2026, 1, 5, 3, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(f"sqlite:///{tmp_path / 'state.db'}")


@pytest.fixture(scope="module")
def one_database(tmp_path_factory: pytest.TempPathFactory) -> Database:
    return Database(f"sqlite:///{tmp_path_factory.mktemp('state') / 'state.db'}")


def _record(
    ledger: CallLedger, status: int = 200, operation: str = "getItemOffers", after: timedelta = timedelta(0)
) -> None:
    outcome = "ok" if status == 200 else "failed"
    ledger.record(
        api="sp_api", operation=operation, account="sp_1", started_at=_NOW + after, duration_ms=5, items=1,
        http_status=status, outcome=outcome, error="", request_id="r", rate_limit=0.5, run_id="run",
    )  # fmt: skip


def _flush_in_vain(ledger: CallLedger, database: Database) -> None:
    with database.write() as connection:
        ledger.flush(connection)
        raise ZeroDivisionError("the work failed")


def _rows(database: Database) -> int:
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(api_calls)).scalar_one()


def test_a_ledger_that_holds_nothing_back_writes_every_call_at_once(database: Database) -> None:
    """One row a call, committed when `record` returns."""
    _record(CallLedger(database))
    assert 1 == _rows(database)


def test_held_rows_are_written_with_the_work_they_belong_to(database: Database) -> None:
    """Nothing is written twice, a rolled back transaction loses no row, too many rows write themselves."""
    ledger = CallLedger(database, hold=2)
    _record(ledger)
    with pytest.raises(ZeroDivisionError):
        _flush_in_vain(ledger, database)
    assert 0 == _rows(database)
    _record(ledger)
    assert 0 == _rows(database)
    _record(ledger)
    assert 3 == _rows(database)
    ledger.flush()
    assert 3 == _rows(database)


def test_rows_wait_for_each_other_a_moment(database: Database) -> None:
    """Until the last who holds them lets go, for a second at most; a rolled back transaction loses none."""
    ledger = CallLedger(database)
    with ledger.held():
        with ledger.held():
            _record(ledger)
        assert 0 == _rows(database)
        with pytest.raises(ZeroDivisionError):
            _flush_in_vain(ledger, database)
        _record(ledger, after=timedelta(milliseconds=999))
        assert 0 == _rows(database)
        _record(ledger, after=timedelta(seconds=1))
        assert 3 == _rows(database)
        _record(ledger)
    assert 4 == _rows(database)
    _record(ledger)
    assert 5 == _rows(database)


def test_a_call_that_failed_waits_for_no_answers(database: Database) -> None:
    """It is committed when `record` returns, and with it the calls before it that were answered."""
    ledger = CallLedger(database, hold=100)
    _record(ledger)
    assert 0 == _rows(database)
    _record(ledger, 429)
    assert 2 == _rows(database)


def test_calls_are_counted_by_account_and_operation(database: Database) -> None:
    """All, refused, failed."""
    ledger = CallLedger(database)
    for status in (200, 429, 502):
        _record(ledger, status)
    with database.read() as connection:
        assert {("sp_1", "getItemOffers"): (3, 1, 2)} == counted(connection, "run")


def test_snapshot_ids_rise_even_when_the_clock_does_not() -> None:
    """Unique, and in the order in which they were given."""
    ids = SnapshotIds()
    given_ids = [ids.next(_NOW - timedelta(seconds=n)) for n in range(500)]
    assert sorted(set(given_ids)) == given_ids
    assert {32} == {len(one) for one in given_ids}


def test_answers_are_kept_and_can_lose_their_credit(database: Database) -> None:
    """One row an answer; a disbelieved one becomes an api_error and keeps its id."""
    answers = [
        ("s1", Answer("B000000001", "op", Status.OUT_OF_STOCK, "no_offers", in_stock=False)),
        ("s2", Answer("B000000002", "op", Status.SUCCESS, price_jpy=1000, in_stock=True)),
    ]
    with database.write() as connection:
        observations.insert_answers(
            connection, answers, run_id="run", partition_key="p", sp_account="sp_1", observed_at=_NOW
        )
        assert ["s1"] == observations.disbelieve(connection, "run", "op", ["s1", "s9"], "mass_zero")
    with database.read() as connection:
        rows = connection.execute(select(table.c.snapshot_id, table.c.status, table.c.reason, table.c.in_stock))
        assert {("s1", "api_error", "mass_zero", None), ("s2", "success", "", 1)} == {tuple(row) for row in rows}


_times = st.none() | st.integers(0, 2**41).map(lambda ms: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms))
_numbers = st.none() | st.integers(0, 10**9)


@given(
    st.builds(
        AsinRow,
        asin=st.just("B000000001"),
        status=st.none() | st.sampled_from(Status),
        price_jpy=_numbers,
        in_stock=st.none() | st.booleans(),
        is_prime=st.none() | st.booleans(),
        price_at=_times,
        filtered_since=_times,
        doubt=st.sampled_from(["", "zero", "jump"]),
        probe_at=_times,
        error_at=_times,
        error_count=st.integers(0, 99),
        changes=st.floats(0, 1e6),
        watched_days=st.floats(0, 30),
    )
)
def test_what_is_believed_comes_back_as_it_was_written(one_database: Database, row: AsinRow) -> None:
    """Write, read: the same row."""
    with one_database.write() as connection:
        asins.write(connection, [AsinRow("B000000001"), row])
        found = asins.read(connection, ["B000000001", "B000000002"])
    assert {"B000000001": row, "B000000002": AsinRow("B000000002")} == found
