"""An operation of Amazon's dies, or all of Product Pricing v0: nothing wrong reaches a shop, and it all comes back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ecauto_pipeline.alerts.rules import judge
from ecauto_pipeline.alerts.setup import alert_setup
from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.state import asins
from ecauto_pipeline.sync.run_record import record_of
from ecauto_pipeline_tests.scenarios.picking import Listed, asked_about, cost_of, edits_of, item_of, seen, sound
from ecauto_pipeline_tests.scenarios.shop_day import RunResult, ShopDay

_START = datetime(2026, 6, 8, 1, 0, tzinfo=UTC)
_DETAIL, _CONFIRM, _OPINION = "getItemOffersBatch", "getItemOffers", "getCompetitiveSummary"
_HOUR = 3600.0
Opened = Callable[..., ShopDay]


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    """A small shop that has just been synced once."""

    def day(emulator: EmulatorServer, clock: ManualClock, **document: object) -> ShopDay:
        shop = ShopDay(tmp_path, emulator, clock, dict(document), loads_when_asked=True)
        shop.run()
        return shop

    return day


def _firing(day: ShopDay, run: RunResult) -> set[str]:
    with day.tools() as tools:
        verdicts = judge(record_of(tools, run.run_id), alert_setup(tools))
    return {one.rule for one in verdicts if not one.passed}


def _cost(day: ShopDay, listed: Listed, price_jpy: int) -> None:
    day.control.set_truth(listed.asin, offers=[{"seller_id": "A1SELLER", "price_jpy": price_jpy, "max_hours": 24}])


def test_with_all_of_v0_gone_the_shop_keeps_what_it_shows(opened: Opened) -> None:
    """For four days: not one edit, no run fails, people are told of the operations and of what nobody confirms; the
    first run that Amazon answers brings it all back."""
    clock = ManualClock(_START)
    with EmulatorServer(clock=clock, seed=9, listings=16, accounts=2, speed=100.0) as emulator:
        day = opened(emulator, clock)
        risen, *_ = sound(day, 2)
        before, shown = seen(day), day.shown()
        (gone,) = day.control.add_faults({"kind": "gone", "family": "pricing/v0"})
        _cost(day, risen, 2 * cost_of(risen.price_jpy))
        clock.advance(100 * _HOUR)
        last = day.run()
        assert ([], shown) == (day.edits(before), day.shown())
        assert {"operation_down", "unconfirmed_on_sale"} <= _firing(day, last)
        assert day.control.calls(since=before, operation=_DETAIL)[-1]["http_status"] == 404, "it is tried"
        day.control.remove_faults(gone)
        clock.advance(2 * _HOUR)
        back = day.run()
        assert not {"operation_down", "unconfirmed_on_sale"} & _firing(day, back)
        assert () == back.reports["sp_api_snapshots"].down


def test_while_the_batch_is_gone_doubts_go_to_the_summary_and_prices_are_kept_in_step(opened: Opened) -> None:
    """The single operation brings the offers; a jump it tells of is put to the other family before it counts."""
    clock = ManualClock(_START)
    with EmulatorServer(clock=clock, seed=9, listings=16, accounts=2, speed=100.0) as emulator:
        day = opened(emulator, clock)
        risen, jumped, *_ = sound(day, 3)
        before = seen(day)
        day.control.add_faults({"kind": "gone", "operation": _DETAIL})
        moved = cost_of(risen.price_jpy) + 400
        _cost(day, risen, moved)
        _cost(day, jumped, 2 * cost_of(jumped.price_jpy))
        clock.advance(25 * _HOUR)
        run = day.run()
        with day.tools() as tools, tools.state.read() as connection:
            rows = asins.read(connection, [risen.asin, jumped.asin])
        assert (moved, 2 * cost_of(jumped.price_jpy)) == (rows[risen.asin].price_jpy, rows[jumped.asin].price_jpy)
        assert [_CONFIRM, _OPINION] == [name for name in asked_about(day, jumped.asin, before) if name != _DETAIL]
        assert risen.price_jpy != item_of(day, risen)["price_jpy"]
        assert "operation_down" in _firing(day, run)


def test_without_second_looks_a_mass_of_zeros_hides_nothing(opened: Opened) -> None:
    """v0 calls half of the shop sold out, run after run for a day: held or not believed, nothing is hidden."""
    clock = ManualClock(_START)
    with EmulatorServer(clock=clock, seed=9, listings=90, accounts=2, speed=100.0) as emulator:
        day = opened(emulator, clock)
        chosen = sound(day, 25)
        before = seen(day)
        for name in (_CONFIRM, _OPINION):
            day.control.add_faults({"kind": "gone", "operation": name})
        zeros = {"kind": "false_zeros", "family": "pricing/v0", "asins": [one.asin for one in chosen]}
        day.control.add_faults(zeros)
        for _ in range(2):
            clock.advance(12 * _HOUR)
            day.run()
        assert [] == [edit for one in chosen for edit in edits_of(day, one, before)]
