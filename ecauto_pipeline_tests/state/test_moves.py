"""Decisions and edits in state.db move as domain/transitions.py says, whoever asks for what."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from ecauto_pipeline.domain.model import Decision, Diff, Kind, ListingKey
from ecauto_pipeline.domain.transitions import DECISIONS, EDITS, NEW, DecisionEvent, MoveNotAllowed, next_state
from ecauto_pipeline.state import decisions, journal
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.decisions import Decided
from ecauto_pipeline.state.schema_decisions import journal as edits

NOW = datetime(2026, 1, 5, 3, tzinfo=UTC)
_NUMBER = count(1)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    folder: Path = tmp_path_factory.mktemp("moves")
    database = Database(f"sqlite:///{(folder / 'state.db').as_posix()}")
    yield database
    database.close()


def _new(database: Database, *, closed: bool = False) -> Decided:
    run_id = f"run-{next(_NUMBER)}"
    diff = Diff(ListingKey("base", "shop_1", "101"), "B000000001", Kind.PRICE, 1000, 1300, Decision.PUSH, "moved")
    with database.write() as connection:
        decisions.store(connection, run_id, "", [diff], NOW, closed=closed)
        return decisions.of_run(connection, run_id)[0]


@given(events=st.lists(st.sampled_from(get_args(DecisionEvent)), max_size=12), closed=st.booleans())
def test_a_decision_makes_no_other_move(database: Database, events: list[DecisionEvent], closed: bool) -> None:
    """Any events in any order: the row goes where the table says, or stays where it is and the count says 0."""
    decided = _new(database, closed=closed)
    state = next_state(DECISIONS, NEW, "file" if closed else "wait")
    assert state == decided.state
    for number, event in enumerate(events):
        with database.write() as connection:
            if event in ("wait", "file"):
                with pytest.raises(MoveNotAllowed):
                    decisions.move(connection, [decided.diff_id], event, NOW)
                continue
            moved = decisions.move(connection, [decided.diff_id], event, NOW + timedelta(seconds=number))
            row = decisions.by_id(connection, decided.diff_id)
        assert row is not None
        assert (1 if event in DECISIONS[state] else 0) == moved
        state = DECISIONS[state].get(event, state)
        assert state == row.state


@given(events=st.lists(st.sampled_from(("intend", "rehearse", "confirm", "refuse", "lose", "withdraw")), max_size=12))
def test_an_edit_makes_no_other_move(database: Database, events: list[Any]) -> None:
    """Any events in any order: the outcome is what the table says; a second intent over one that is done, or still to
    be settled, is refused."""
    decided, state = _new(database), NEW
    for event in events:
        with database.write() as connection:
            update_id = _id_of(connection, decided)
            allowed = event in EDITS[state]
            if event in ("intend", "rehearse"):
                if allowed:
                    journal.intend(connection, decided.run_id, decided, NOW, event=event)
                else:
                    with pytest.raises(MoveNotAllowed):
                        journal.intend(connection, decided.run_id, decided, NOW, event=event)
            elif event == "withdraw":
                assert allowed == journal.withdraw(connection, update_id)
            else:
                assert allowed == journal.finish(connection, update_id, event, NOW)
            state = EDITS[state].get(event, state)
            state = NEW if state == "withdrawn" else state  # the row is gone: it may begin again
            assert state == _state_of(connection, decided)


def test_an_answer_that_comes_late_still_counts(database: Database) -> None:
    """Read back as not done, then the shop's own answer arrives: it was done. The other way round changes nothing."""
    decided = _new(database)
    with database.write() as connection:
        name = journal.intend(connection, decided.run_id, decided, NOW)
        assert journal.finish(connection, name, "refuse", NOW, "read back: shows 1000")
        assert journal.finish(connection, name, "confirm", NOW)
        assert not journal.finish(connection, name, "refuse", NOW, "timeout")
        assert "done" == _state_of(connection, decided)


def _id_of(connection: Connection, decided: Decided) -> str:
    return connection.execute(select(edits.c.update_id).where(edits.c.diff_id == decided.diff_id)).scalar() or ""


def _state_of(connection: Connection, decided: Decided) -> str:
    row = connection.execute(select(edits.c.outcome).where(edits.c.diff_id == decided.diff_id)).first()
    return NEW if row is None else row.outcome or "intent"
