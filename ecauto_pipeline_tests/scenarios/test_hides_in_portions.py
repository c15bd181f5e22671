"""Something is wrong with half of a shop's goods, and slices find out portion by portion, each a small one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.sync.people.holds import approve, list_holds
from ecauto_pipeline_tests.scenarios.shop_day import ShopDay

_START = datetime(2026, 6, 1, 1, 0, tzinfo=UTC)
_GUARDS = {"max_hide_rows": 20, "max_hide_share": 0.2}


def _hidden(day: ShopDay, since: int = 0) -> list[str]:
    return [
        str(call["details"]["item_id"]) for call in day.edits(since) if call["details"]["fields"].get("visible") == "0"
    ]


def test_six_slices_hide_no_more_of_a_shop_than_one_run_may(tmp_path: Path) -> None:
    """Each slice's hides are below the limit, all of them are above it: the first leave, the rest waits for a person.

    Approved, they leave, each once.
    """
    clock = ManualClock(_START)
    with EmulatorServer(clock=clock, seed=11, listings=100, accounts=1, speed=1.0) as emulator:
        day = ShopDay(tmp_path, emulator, clock, {"guards": _GUARDS}, loads_when_asked=True)
        shop = day.accounts[0]
        for row in day.register("select distinct asin from listings order by asin")[::2]:
            day.control.set_truth(row["asin"], offers=[])
        on_show = sum(item["visible"] for (account, _), item in day.shown().items() if account == shop)
        portions = []
        for _ in range(6):
            before = len(_hidden(day))
            day.run("stock_sync", slice_s=25.0)
            portions.append(len(_hidden(day)) - before)
        limit = on_show * _GUARDS["max_hide_share"]
        hidden = _hidden(day)
        with day.tools() as tools:
            holds = [hold for hold in list_holds(tools, AccountKey("base", shop)) if hold.reason == "mass_hide"]
            assert 0 < len(hidden) <= limit < len(hidden) + len(holds)
            assert portions[0] > 0, "the first portion is below the limit"
            assert portions[-1] == 0, "the last one waits"
            assert len(hidden) == holds[0].evidence["hidden_lately"]
            approve(tools, [hold.diff_id for hold in holds])
        day.run("stock_sync", slice_s=1.0)
        assert {hold.key.item_id for hold in holds} <= set(_hidden(day))
        assert len(_hidden(day)) == len(set(_hidden(day)))
