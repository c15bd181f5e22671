"""Shapes of Amazon's answers on record: since when each stands, how often it came, what ends it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ecauto_pipeline.domain.model import Answer, Status
from ecauto_pipeline.state import amazon_shapes
from ecauto_pipeline.state.amazon_shapes import NAMED, ShapeMet
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.observations import insert_answers

NOW = datetime(2026, 11, 26, 3, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
BATCH, SHAPE = "getItemOffersBatch", "missing Offers"
KEY = (BATCH, SHAPE)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{(tmp_path / 'state.db').as_posix()}")
    yield database
    database.close()


def _met(state: Database) -> ShapeMet:
    with state.read() as connection:
        (found,) = amazon_shapes.shapes_met(connection)
    return found


def _note(state: Database, now: datetime, *asins: str) -> None:
    with state.write() as connection:
        amazon_shapes.note(connection, {KEY: asins}, now)


def _settle(state: Database, now: datetime, *told_of: str, operation: str = BATCH) -> bool:
    with state.write() as connection:
        return bool(amazon_shapes.settle(connection, {operation: set(told_of)}, (), now))


def test_a_shape_is_counted_from_its_first_answer_on(state: Database) -> None:
    """Answers add up, an ASIN is named once, twenty are named at most; since when does not move."""
    _note(state, NOW, "B000000001", "B000000002")
    _note(state, NOW + MINUTE, "B000000002", *(f"B1{number:08}" for number in range(30)))
    met = _met(state)
    assert (NOW, NOW, NOW + MINUTE) == (met.first_seen_at, met.since, met.last_seen_at)
    assert (33, NAMED, ("B000000001", "B000000002")) == (met.answers, len(met.asins), met.asins[:2])


def test_it_ends_only_where_an_asin_that_had_it_was_told_of_without(state: Database) -> None:
    """Other ASINs, another operation, a run that met it again: it stands. It comes back as a shape that begins anew."""
    _note(state, NOW, "B000000001")
    assert not _settle(state, NOW, "B000000002")
    assert not _settle(state, NOW, "B000000001", operation="getItemOffers")
    with state.write() as connection:
        assert () == amazon_shapes.settle(connection, {BATCH: {"B000000001"}}, {KEY}, NOW)
    assert _settle(state, NOW + MINUTE, "B000000001")
    assert NOW + MINUTE == _met(state).gone_at
    _note(state, NOW + 2 * MINUTE, "B000000003")
    met = _met(state)
    assert (NOW, NOW + 2 * MINUTE, None, 1) == (met.first_seen_at, met.since, met.gone_at, met.answers)
    assert ("B000000003",) == met.asins


@pytest.mark.parametrize(
    ("status", "told"),
    [(Status.SUCCESS, True), (Status.FILTERED_OUT, True), (Status.OUT_OF_STOCK, False), (Status.API_ERROR, False)],
)
def test_only_an_answer_with_offers_measures_how_offers_look(state: Database, status: Status, told: bool) -> None:
    """Sold out, or no answer: nothing is known of the shape of the offers that were not there."""
    _note(state, NOW, "B000000001")
    with state.write() as connection:
        answers = [("s1", Answer("B000000001", BATCH, status))]
        insert_answers(connection, answers, run_id="r", partition_key="", sp_account="sp_1", observed_at=NOW)
        assert ({BATCH: {"B000000001"}} if told else {BATCH: set()}) == amazon_shapes.measured_by(connection, "r")
        assert {BATCH: set()} == amazon_shapes.measured_by(connection, "another run")


def test_what_a_person_has_looked_at_is_known_and_stays_so(state: Database) -> None:
    """Also when it comes again; what nobody looked at is known once it has stood for thirty days without a break."""
    _note(state, NOW, "B000000001")
    assert not _met(state).known(NOW + timedelta(days=30) - MINUTE)
    assert _met(state).known(NOW + timedelta(days=30))
    _settle(state, NOW + MINUTE, "B000000001")
    _note(state, NOW + timedelta(days=31), "B000000001")
    assert not _met(state).known(NOW + timedelta(days=31))
    with state.write() as connection:
        amazon_shapes.accept(connection, [KEY], NOW)
    _note(state, NOW + timedelta(days=32), "B000000001")
    assert _met(state).known(NOW + timedelta(days=32))
