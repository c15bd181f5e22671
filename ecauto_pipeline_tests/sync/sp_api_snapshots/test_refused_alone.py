"""A call about twenty that Amazon refuses whole, where nobody takes single looks: the operation itself finds out whom
it refuses, or that it refuses everybody."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.domain.offers.learning import AsinRow
from ecauto_pipeline.domain.operation_health import FIRST_PROBE, FailedCall
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.state.operation_health import note_call
from ecauto_pipeline.sync.sp_api_snapshots.refused_calls import RefusedCalls
from ecauto_pipeline_tests.sync.sp_api_snapshots.means import rows_of
from ecauto_pipeline_tests.sync.sp_api_snapshots.test_operations_down import CONFIRM, DETAIL, Amazon

_REFUSAL = {"api": "sp_api", "kind": "error_json", "status": 400, "code": "InvalidInput"}
_OFF = {"sp_api": {"without": [CONFIRM, "getCompetitiveSummary"]}}


@pytest.fixture(params=["off", "down"])
def amazon(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Amazon]:
    """Its single operation is switched off, or down."""
    clock = ManualClock(datetime(2026, 1, 5, 3, tzinfo=UTC))
    document: dict[str, Any] = _OFF if request.param == "off" else {"sp_api": {"without": ["getCompetitiveSummary"]}}
    with EmulatorServer(clock=clock, seed=5, listings=60, accounts=1, speed=1.0) as emulator:
        amazon = Amazon(tmp_path, emulator, clock, **document)
        if request.param == "down":
            amazon.control.add_faults({"api": "sp_api", "operation": CONFIRM, "kind": "http_error", "status": 503})
            with amazon.tools.state.write() as connection:
                note_call(connection, "sp_1", CONFIRM, FailedCall("http_503", 503, 1, certain=True), clock.now())
        yield amazon
        for account in amazon.tools.sp_accounts:
            account.close()
        amazon.tools.state.close()


def _poisoned(amazon: Amazon, *asins: str) -> int:
    (fault,) = amazon.control.add_faults({**_REFUSAL, "operation": DETAIL, "asins": list(asins)})
    return fault


def _made(amazon: Amazon, since: int) -> int:
    """Calls about many, answered or refused; one with an expired token is repeated."""
    seen = amazon.control.calls(since=since, operation=DETAIL)
    return sum(call["http_status"] in (200, 400) for call in seen)


@pytest.mark.parametrize("place", [0, 1, 7, 19])
@pytest.mark.parametrize("known", [False, True])
def test_one_bad_asin_costs_no_other_its_answer(amazon: Amazon, place: int, known: bool) -> None:
    """Whatever its place, and whether it was once good or nothing was ever answered: every other ASIN is answered
    within the run, the bad one is to blame, and the operation is up. Once blamed it is looked for first."""
    asked, bad = amazon.asins[:40], amazon.asins[place]
    if known:
        amazon.fetch(asked)
    amazon.clock.advance(7200)
    _poisoned(amazon, bad)
    before = amazon.seen
    report = amazon.fetch(asked)
    assert sorted(set(asked) - {bad}) == sorted(amazon.answered_by(DETAIL, "run-2" if known else "run-1"))
    assert {bad} == {asin for asin, row in rows_of(amazon.tools, asked).items() if row.failures}
    assert (1, 0) == (rows_of(amazon.tools, [bad])[bad].failures, report.left_over)
    assert DETAIL not in amazon.down()
    assert _made(amazon, before) <= 14
    assert amazon.calls(before)[DETAIL] == report.calls[f"sp_1/{DETAIL}"]
    amazon.clock.advance(7200)
    before = amazon.seen
    amazon.fetch(asked[20:] + asked[:20])
    assert (4, 2) == (_made(amazon, before), rows_of(amazon.tools, [bad])[bad].failures)


def test_three_bad_ones_cost_no_other_its_answer(amazon: Amazon) -> None:
    """However they lie."""
    asked, bad = amazon.asins[:20], [amazon.asins[place] for place in (2, 9, 13)]
    _poisoned(amazon, *bad)
    amazon.fetch(asked)
    assert sorted(set(asked) - set(bad)) == sorted(amazon.answered_by(DETAIL, "run-1"))
    assert set(bad) == {asin for asin, row in rows_of(amazon.tools, asked).items() if row.failures}


def test_a_call_that_is_refused_whatever_it_asks_is_not_halved(amazon: Amazon) -> None:
    """Two ASINs known to be good are refused alone too: the operation is down, no ASIN is to blame, and a probe that is
    answered ends it."""
    amazon.fetch(amazon.asins[:40])
    amazon.clock.advance(7200)
    (fault,) = amazon.control.add_faults({**_REFUSAL, "family": "pricing/v0"})
    before, began = amazon.seen, amazon.clock.now()
    amazon.fetch(amazon.asins[:40])
    assert 3 == _made(amazon, before)
    assert amazon.clock.now() - began < timedelta(minutes=1)
    assert DETAIL in amazon.down()
    assert {0} == {row.failures for row in rows_of(amazon.tools, amazon.asins[:40]).values()}
    amazon.control.remove_faults(fault)
    amazon.clock.advance(FIRST_PROBE.total_seconds())
    assert 40 == amazon.fetch(amazon.asins[:40]).by_status["success"]


def test_single_looks_are_taken_where_somebody_takes_them(tmp_path: Path) -> None:
    """An operation that is up is not spared: the call is not made again in parts."""
    clock = ManualClock(datetime(2026, 1, 5, 3, tzinfo=UTC))
    with EmulatorServer(clock=clock, seed=5, listings=60, accounts=1, speed=1.0) as emulator:
        amazon = Amazon(tmp_path, emulator, clock)
        _poisoned(amazon, amazon.asins[3])
        amazon.fetch(amazon.asins[:20])
        assert (1, True) == (amazon.calls()[DETAIL], amazon.calls()[CONFIRM] >= 19)


def test_an_operation_that_stops_answering_in_mid_run_is_not_halved_without_an_end() -> None:
    """Refused again and again after it had answered: who is good is asked anew before more of it is made in parts."""
    calls = RefusedCalls()
    calls.answered(DETAIL)
    wanted = [f"B{number:09d}" for number in range(20)]
    rows = {asin: AsinRow(asin) for asin in wanted}
    found = [calls.refused_with_nobody_else(DETAIL, wanted, rows, "B999999999") for _ in range(8)]
    assert [10, 10] == [len(part) for part in found[0][1]]
    assert [["B999999999"], [wanted[0]]] in [parts for _, parts in found]
