"""Rows on their way into history: what is handed out, what leaves, what stays."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.domain.model import Decision, Diff, Kind, ListingKey
from ecauto_pipeline.state import calls, decisions, decisions_for_history, journal, journal_for_history
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.described import StateUnreadable, columns_of, damage, looking_at, missing_tables
from ecauto_pipeline.state.schema_calls import api_calls

NOW = datetime(2026, 1, 5, 3, tzinfo=UTC)
KEY = ListingKey("base", "shop_1", "101")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{(tmp_path / 'state.db').as_posix()}")
    yield database
    database.close()


def _diff(decision: Decision, kind: Kind = Kind.PRICE) -> Diff:
    return Diff(KEY, "B000000001", kind, 1000, 1300, decision, "moved")


def _call(seq: int) -> dict[str, object]:
    return {
        **{"seq": seq, "call_id": f"call-{seq}", "run_id": "run", "api": "sp_api", "operation": "getItemOffers"},
        **{"account": "sp_1", "started_at": to_ms(NOW), "outcome": "ok"},
    }


def test_only_what_was_handed_out_leaves(database: Database) -> None:
    """A row that another process commits between two that were read is not lost: it goes with the next hand-over."""
    with database.write() as connection:
        connection.execute(insert(api_calls), [_call(1), _call(3)])
    with database.read() as connection:
        chunk = calls.unexported(connection, 10)
    with database.write() as connection:
        connection.execute(insert(api_calls), [_call(2)])
        calls.mark_exported(connection, chunk)
    with database.read() as connection:
        left = calls.unexported(connection, 10)
    assert [1, 3] == [row.key for row in chunk]
    assert [2] == [row.key for row in left]
    assert NOW == left[0].values["started_at"]
    assert "seq" not in left[0].values


def test_decisions_are_forgotten_when_they_are_in_history_old_and_over(database: Database) -> None:
    """A row not in history, one still open and one that was held stay, however old."""
    found = [_diff(Decision.PUSH), _diff(Decision.BLOCKED, Kind.VISIBILITY), _diff(Decision.HELD, Kind.STOCK)]
    with database.write() as connection:
        decisions.store(connection, "run", "", found, NOW, closed=False)
        decisions_for_history.forget(connection, NOW + timedelta(days=1))
    with database.write() as connection:
        rows = decisions_for_history.unexported(connection, 10)
        assert 3 == len(rows)
        decisions_for_history.mark_exported(connection, rows)
        decisions_for_history.forget(connection, NOW)
        assert 3 == len(decisions.of_run(connection, "run"))
        decisions_for_history.forget(connection, NOW + timedelta(days=1))
        left = {row.diff.decision for row in decisions.of_run(connection, "run")}
        assert [] == decisions_for_history.unexported(connection, 10)
        assert 1 == decisions.count_open_holds(connection)
    assert {Decision.PUSH, Decision.HELD} == left


def test_an_edit_goes_to_history_when_it_has_an_outcome(database: Database) -> None:
    """An intent alone waits; its times are aware, and what only state needs is not among its values."""
    with database.write() as connection:
        decisions.store(connection, "run", "", [_diff(Decision.PUSH)], NOW, closed=False)
        decided = decisions.of_run(connection, "run")[0]
        update_id = journal.intend(connection, "run", decided, NOW)
        assert [] == journal_for_history.unexported(connection, 10)
        assert 1 == journal.count_open_intents(connection)
        journal.finish(connection, update_id, "confirm", NOW)
        [row] = journal_for_history.unexported(connection, 10)
    assert (update_id, "run", NOW) == (row.key, row.run_id, row.at)
    assert (NOW, NOW) == (row.values["attempted_at"], row.values["completed_at"])
    assert not {"intent_at", "written_back", "exported"} & set(row.values)


def test_an_edit_that_is_settled_while_it_is_published_goes_once_more(database: Database) -> None:
    """Handed out as unknown and read back before it was marked: history would else keep it unknown for good."""
    with database.write() as connection:
        decisions.store(connection, "run", "", [_diff(Decision.PUSH)], NOW, closed=False)
        update_id = journal.intend(connection, "run", decisions.of_run(connection, "run")[0], NOW)
        journal.finish(connection, update_id, "lose", NOW)
        handed_out = journal_for_history.unexported(connection, 10)
        journal.finish(connection, update_id, "confirm", NOW + timedelta(seconds=1))
        journal_for_history.mark_exported(connection, handed_out)
        again = journal_for_history.unexported(connection, 10)
        assert ["unknown", "done"] == [row.values["outcome"] for row in (*handed_out, *again)]
        journal_for_history.mark_exported(connection, again)
        assert [] == journal_for_history.unexported(connection, 10)


def test_looking_at_a_state_makes_nothing(tmp_path: Path, database: Database) -> None:
    """What is missing is named and stays missing; what can't be read is one error of ours."""
    with looking_at(database.url.render_as_string()) as connection:
        assert "" == damage(connection)
        assert [] == missing_tables(connection)
    empty = tmp_path / "empty.db"
    empty.touch()
    with looking_at(f"sqlite:///{empty.as_posix()}") as connection:
        assert "diffs" in missing_tables(connection)
    assert b"" == empty.read_bytes()
    empty.write_bytes(b"this is no database" * 100)
    with pytest.raises(StateUnreadable, match="DatabaseError"), looking_at(f"sqlite:///{empty.as_posix()}") as torn:
        damage(torn)
    assert ("platform", "TEXT") == columns_of("listings")[0]
