"""BASE refuses a price, or keeps its own in a sale, while the one shown sells at a loss: off sale, two edits each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline_tests.scenarios.picking import Listed, cost_of, costs, edits_of, item_of, seen, sound
from ecauto_pipeline_tests.scenarios.shop_day import ShopDay

_HOUR = 3600.0


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ShopDay, Listed, Listed, int]]:
    """A day in which the cost of two listings rises to what they sell for, and two more hours."""
    clock = ManualClock(datetime(2026, 6, 8, 1, 0, tzinfo=UTC))
    with EmulatorServer(clock=clock, seed=9, listings=40, accounts=2, speed=100.0) as emulator:
        day = ShopDay(tmp_path_factory.mktemp("corrections"), emulator, clock, loads_when_asked=True)
        refused, on_sale = sound(day, 2)
        day.run()
        since = seen(day)
        item = int(on_sale.item_id)
        day.control.edit_item(on_sale.account, item, proper_price_jpy=on_sale.price_jpy + 1000)
        day.control.add_faults(
            {"kind": "price_refused", "item_ids": [int(refused.item_id)]}, {"kind": "price_kept", "item_ids": [item]}
        )
        for listed in (refused, on_sale):
            costs(day, listed, int(cost_of(listed.price_jpy) * 1.3))
        for hours in (25, 1, 1):
            clock.advance(hours * _HOUR)
            day.run()
        yield day, refused, on_sale, since


def test_both_end_hidden_with_two_edits(played: tuple[ShopDay, Listed, Listed, int]) -> None:
    """One try and one hide each, in the run that saw the loss; later runs of the day send nothing more."""
    day, refused, on_sale, since = played
    for listed in (refused, on_sale):
        sent = edits_of(day, listed, since)
        assert (2, False) == (len(sent), item_of(day, listed)["visible"]), sent
        assert listed.price_jpy == item_of(day, listed)["price_jpy"]
