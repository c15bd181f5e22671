"""Shops whose edits leave together: nothing is done before all have left, and nothing is lost or sent twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ecauto_pipeline.domain.model import Kind
from ecauto_pipeline.errors import OutcomeUnknown, Stopped, Transport
from ecauto_pipeline.shops.protocol import Abilities, Item
from ecauto_pipeline.state.schema_decisions import journal
from ecauto_pipeline.sync.people.rollback import rollback_run
from ecauto_pipeline_tests.sync.diffs.selling import NOW, HonestShop, World


class ShopWithAnOutbox(HonestShop):
    """Takes edits in and does them when told to let them leave; `error`: what leaving ends with, after or before."""

    abilities = Abilities(together=True)

    def __init__(self, account_id: str, error: BaseException | None = None, leaves: bool = True) -> None:
        super().__init__(account_id)
        self.error, self.leaves = error, leaves
        self.outbox: list[tuple[str, Kind, int]] = []
        self.flushes = 0

    def edit(self, item_id: str, kind: Kind, value: int) -> Item | None:
        self.outbox.append((item_id, kind, value))
        return None

    def flush(self) -> None:
        self.flushes += 1
        if self.leaves:
            for edit in self.outbox:
                super().edit(*edit)
        self.outbox = []
        if self.error is not None:
            raise self.error


class ShopThatCannotChangeStock(HonestShop):
    """Its form has no field for stock."""

    abilities = Abilities(edits=frozenset((Kind.PRICE, Kind.VISIBILITY)))


def three_prices(world: World) -> None:
    for number in (1, 2, 3):
        world.list_item(str(number), 2000, cost_jpy=2000)


def outcomes(world: World) -> list[str | None]:
    return [row["outcome"] for row in world.rows(journal)]


def test_an_edit_is_done_when_all_have_left(tmp_path: Path) -> None:
    """Each is journalled as an intent before, and done after; they leave once."""
    shop = ShopWithAnOutbox("shop_1")
    world = World(tmp_path, shop)
    three_prices(world)
    account, report = world.sync()
    assert (3, 3, 1) == (account.pushed, report.edits, shop.flushes)
    assert ["done"] * 3 == outcomes(world)
    assert 2600 == world.listing("1")["shown_price_jpy"]


def test_what_could_not_leave_has_failed_and_is_judged_anew(tmp_path: Path) -> None:
    """None of them happened: the next run decides again from what the shop shows."""
    shop = ShopWithAnOutbox("shop_1", Transport("disk_full"), leaves=False)
    world = World(tmp_path, shop)
    three_prices(world)
    account, _ = world.sync()
    assert (0, 3, ["failed"] * 3) == (account.pushed, account.failed, outcomes(world))
    shop.error, shop.leaves = None, True
    account, _ = world.sync()
    assert (3, 2600) == (account.pushed, shop.stock["1"].price_jpy)


def test_what_may_have_left_is_read_back(tmp_path: Path) -> None:
    """An unknown end is settled by what the shop shows, not by sending again."""
    shop = ShopWithAnOutbox("shop_1", OutcomeUnknown("folder_gone"))
    world = World(tmp_path, shop)
    three_prices(world)
    account, report = world.sync()
    assert (3, 0, 1) == (account.pushed, report.unknown, shop.flushes)
    assert 3 == len(shop.reads)


def test_a_run_that_dies_before_they_leave_repeats_them(tmp_path: Path) -> None:
    """The intents stand, the shop shows the old values: read back, opened again, sent."""
    shop = ShopWithAnOutbox("shop_1", KeyboardInterrupt(), leaves=False)
    world = World(tmp_path, shop)
    three_prices(world)
    with pytest.raises(KeyboardInterrupt):
        world.sync()
    assert [None] * 3 == outcomes(world)
    shop.error, shop.leaves = None, True
    _, report = world.sync()
    assert (3, 3) == (report.settled_not_done, report.edits)
    assert [("1", Kind.PRICE, 2600), ("2", Kind.PRICE, 2600), ("3", Kind.PRICE, 2600)] == sorted(shop.edits)


def test_a_run_that_dies_after_they_left_sends_nothing_twice(tmp_path: Path) -> None:
    """The intents stand, the shop shows the new values: settled as done."""
    shop = ShopWithAnOutbox("shop_1", KeyboardInterrupt())
    world = World(tmp_path, shop)
    three_prices(world)
    with pytest.raises(KeyboardInterrupt):
        world.sync()
    shop.error = None
    _, report = world.sync()
    assert (3, 0, 3) == (report.settled_done, report.edits, len(shop.edits))


def test_a_run_that_is_stopped_before_they_leave_takes_its_intents_back(tmp_path: Path) -> None:
    """Nothing has happened, nothing is to be read back, and the next run sends them."""
    world = World(tmp_path, ShopWithAnOutbox("shop_1"))
    three_prices(world)
    stopping = world.tools

    class ShopThatIsLeftInMidRun(ShopWithAnOutbox):
        def edit(self, item_id: str, kind: Kind, value: int) -> Item | None:
            stopping.stop.set()
            return super().edit(item_id, kind, value)

    left = ShopThatIsLeftInMidRun("shop_1")
    left.stock = world.shop.stock
    (key,) = world.tools.shops
    world.tools = replace(world.tools, shops={key: left})
    with pytest.raises(Stopped):
        world.sync()
    assert ([], 0) == (outcomes(world), left.flushes)
    stopping.stop.clear()
    world.tools = stopping
    account, _ = world.sync()
    assert (3, ["done"] * 3) == (account.pushed, outcomes(world))


def test_a_price_that_leaves_with_it_lets_an_item_be_shown(tmp_path: Path) -> None:
    """Shown again below the floor is refused, unless the price that mends it leaves in the same file."""
    world = World(tmp_path, ShopWithAnOutbox("shop_1"))
    world.list_item("1", 2000, cost_jpy=2000, visible=False, hidden_by="ours")
    account, _ = world.sync()
    assert [("1", Kind.PRICE, 2600), ("1", Kind.VISIBILITY, 1)] == world.shop.edits
    assert account.adds_up()


def test_what_a_shop_cannot_change_is_skipped_and_said(tmp_path: Path) -> None:
    """No edit is tried that the platform has no field for."""
    world = World(tmp_path, ShopThatCannotChangeStock("shop_1"))
    world.list_item("1", 2600, cost_jpy=2000, stock=0)
    world.sync()
    assert [("1", "stock", "skipped", "no_such_edit")] == world.decisions()
    assert [] == world.shop.edits


def test_an_export_older_than_our_edit_does_not_undo_it_in_our_eyes(tmp_path: Path) -> None:
    """Rollback puts back what was done, also while the shop's export still shows what was before."""

    class ShopSeenByItsExport(ShopWithAnOutbox):
        def __init__(self, account_id: str) -> None:
            super().__init__(account_id)
            self.export: dict[str, Item] = {}

        def item(self, item_id: str) -> Item:
            return self.export[item_id]

    shop = ShopSeenByItsExport("shop_1")
    world = World(tmp_path, shop)
    world.list_item("1", 2400, cost_jpy=2000)
    shop.export = {"1": replace(shop.stock["1"], shown_at=NOW - timedelta(hours=5))}
    world.sync()
    report = rollback_run(world.tools.for_run(world.run()), "run-1")
    assert (1, 2400) == (report.account.pushed, shop.stock["1"].price_jpy)
