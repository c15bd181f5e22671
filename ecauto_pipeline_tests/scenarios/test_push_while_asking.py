"""A long slice, and a stock-out that Amazon tells of at its beginning: the shop need not wait for its end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.sync.push_while_asking import PUSH_EVERY_S
from ecauto_pipeline_tests.scenarios.shop_day import RunResult, ShopDay

_START = datetime(2026, 6, 1, 1, 0, tzinfo=UTC)
_BATCH = "push-"
"""What the names of the threads begin with that push while others ask."""
_SHORTEST_LOOK_S = 0.3
_RATES = {
    "getItemOffersBatch": 0.1,
    "getCompetitivePricing": 0.5,
    "getItemOffers": 0.5,
    "getCompetitiveSummary": 0.033,
}
"""Calls a second."""


class GivesBatchesTime(ManualClock):
    """Moved by whoever waits, but a batch that is due has the (real) time to begin and to end."""

    def __init__(self, start: datetime) -> None:
        super().__init__(start)
        self.asking = False
        self._paused_at = self.monotonic()

    def sleep(self, seconds: float, wake: threading.Event | None = None) -> bool:
        woken = super().sleep(seconds, wake)
        if self.asking and not threading.current_thread().name.startswith(_BATCH):
            with self._lock:
                due = self._monotonic - self._paused_at >= PUSH_EVERY_S
                self._paused_at = self._monotonic if due else self._paused_at
            if due:
                threading.Event().wait(_SHORTEST_LOOK_S)
                for thread in threading.enumerate():
                    if thread.name.startswith(_BATCH):
                        thread.join(10)
        return woken


def at_documented_rates(emulator: EmulatorServer) -> None:
    """From now on Amazon allows what its papers say."""
    for operation, rate in _RATES.items():
        emulator.control.set_rate(operation, rate, 1)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ShopDay, GivesBatchesTime]]:
    """A shop whose first fill is done, a day later, at the documented rates."""
    clock = GivesBatchesTime(_START)
    with EmulatorServer(clock=clock, seed=9, listings=130, accounts=1, speed=100.0) as emulator:
        day = ShopDay(tmp_path_factory.mktemp("day"), emulator, clock, loads_when_asked=True)
        day.run("full_sync", slice_s=600.0)
        at_documented_rates(emulator)
        yield day, clock


def _sold_out(day: ShopDay) -> tuple[str, str]:
    """An item on show that has just been sold, so that it is asked about first; Amazon has no more of it."""
    asins = {str(row["platform_item_id"]): str(row["asin"]) for row in day.register("select * from listings")}
    shop = day.accounts[0]
    item = next(
        item
        for (account, item), shown in sorted(day.shown().items())
        if account == shop and shown["visible"] and item in asins
        if day.control.truth(asins[item])["status"] == "Success"
    )
    day.control.sell(shop, int(item))
    day.control.set_truth(asins[item], offers=[])
    return shop, item


def _a_run(day: ShopDay, clock: GivesBatchesTime, **options: Any) -> tuple[RunResult, list[dict[str, Any]]]:
    """A run of one slice, and every call that was made in it, in order."""
    before = max(call["seq"] for call in day.control.calls())
    clock.asking = True
    try:
        result = day.run("full_sync", slice_s=600.0, push_while_asking=True, **options)
    finally:
        clock.asking = False
    return result, day.control.calls(since=before)


def test_a_stock_out_is_hidden_while_the_slice_goes_on(filled: tuple[ShopDay, GivesBatchesTime]) -> None:
    """Before the slice's last question, within a minute of the first answer; its account adds up."""
    day, clock = filled
    day.advance(25 * 3600)
    shop, item = _sold_out(day)
    result, calls = _a_run(day, clock)
    asked = [call for call in calls if call["operation"] == "getItemOffersBatch"]
    hidden = [call for call in calls if call["operation"] == "items/edit" and call["details"]["item_id"] == int(item)]
    assert ["0"] == [call["details"]["fields"]["visible"] for call in hidden]
    assert hidden[0]["seq"] < asked[-1]["seq"]
    first = datetime.fromisoformat(str(asked[0]["at"]))
    assert (datetime.fromisoformat(str(hidden[0]["at"])) - first).total_seconds() <= 60
    figures = result.figures
    assert figures["targets"] == sum(
        figures[end] for end in ("pushed", "unchanged", "held", "blocked", "skipped", "failed")
    )
    assert figures["pushed"] == len([call for call in calls if call["operation"].startswith("items/edit")])
    assert not day.shown()[shop, item]["visible"]


def test_a_dry_run_sends_nothing_while_it_asks(filled: tuple[ShopDay, GivesBatchesTime]) -> None:
    """The permission is the run's, whatever its steps."""
    day, clock = filled
    day.advance(25 * 3600)
    _sold_out(day)
    _, calls = _a_run(day, clock, dry_run=True)
    assert [] == [call for call in calls if call["operation"].startswith("items/edit")]
