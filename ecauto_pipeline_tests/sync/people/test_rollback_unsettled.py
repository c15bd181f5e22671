"""Taking back a run that died: whether its last edits happened is found out first."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pytest
from sqlalchemy import update

from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.errors import Transport
from ecauto_pipeline.shops.protocol import Item
from ecauto_pipeline.state.schema_decisions import journal
from ecauto_pipeline.sync.people.rollback import RollbackReport, rollback_run
from ecauto_pipeline.sync.people.rollback_preview import preview_rollback
from ecauto_pipeline_tests.sync.diffs.selling import NOW, HonestShop, World

SHOP = AccountKey("base", "shop_1")


class ShopWithUnreadableItems(HonestShop):
    """Does not answer when it is asked about one of these items."""

    unreadable: Collection[str] = ()

    def item(self, item_id: str) -> Item:
        if item_id in self.unreadable:
            raise Transport("timeout")
        return super().item(item_id)


class DyingRun(World):
    """run-1 set 2,580 yen instead of 3,000 on three items, and died before it knew how those in `open` had ended; of
    them those in `undone` have not happened."""

    def __init__(self, folder: Path, open_ones: Collection[str], undone: Collection[str] = ()) -> None:
        self.deaf = ShopWithUnreadableItems("shop_1")
        super().__init__(folder, self.deaf)
        for item in "123":
            self.list_item(item, 3000, cost_jpy=1984)
        self.sync()
        with self.state.write() as connection:
            mine = update(journal).where(journal.c.item_id.in_(list(open_ones)))
            connection.execute(mine.values(outcome=None, completed_at=None))
        for item in open_ones:
            self.change(item, shown_price_jpy=3000, priced_jpy=None)
        for item in undone:
            self.deaf.put(item, 3000)
        self.later(seconds=5)

    def prices(self) -> list[int | None]:
        return [item.price_jpy for _, item in sorted(self.shop.stock.items())]

    def take_back(self, since: bool = False, **fields: bool) -> RollbackReport:
        context = self.tools.for_run(self.run(**fields))
        report = rollback_run(context, *(() if since else ("run-1",)), since=NOW if since else None)
        assert report.account.adds_up()
        return report


@pytest.mark.parametrize("since", [False, True], ids=["by name", "since"])
@pytest.mark.parametrize(
    ("open_ones", "undone"), [("3", ""), ("23", "3"), ("123", ""), ("123", "123")], ids=["one", "two", "all", "none"]
)
def test_what_a_run_that_died_has_done_is_taken_back(tmp_path: Path, open_ones: str, undone: str, since: bool) -> None:
    """At once, be it known that it happened or found out now; what has not happened is none of it."""
    world = DyingRun(tmp_path, open_ones, undone)
    report = world.take_back(since)
    assert ([3000, 3000, 3000], 3 - len(undone)) == (world.prices(), report.account.pushed)
    assert (0, (), ("run-1",)) == (report.left, report.refused, report.targets)
    assert (len(open_ones) - len(undone), len(undone)) == (report.pushed.settled_done, report.pushed.settled_not_done)


def test_what_can_not_be_read_back_is_left_and_named(tmp_path: Path) -> None:
    """It may stand: never a success, and the same rollback again goes on when it can be read."""
    world = DyingRun(tmp_path, "23")
    world.deaf.unreadable = "23"
    report = world.take_back()
    assert [3000, 2580, 2580] == world.prices()
    assert {("2", "unsettled"), ("3", "unsettled")} == {(item, why) for _, item, _, why in report.refused}
    assert (1, 2, 2) == (report.account.pushed, report.account.skipped, report.left)
    world.deaf.unreadable = ""
    report = world.take_back()
    assert ([3000, 3000, 3000], 2, 0) == (world.prices(), report.account.pushed, report.left)


def test_looking_sends_nothing_and_counts_it(tmp_path: Path) -> None:
    """A dry run and the preview read nothing back: they say that it is open, also where all of the run is."""
    for open_ones in ("23", "123"):
        (tmp_path / open_ones).mkdir()
        world = DyingRun(tmp_path / open_ones, open_ones)
        sent = len(world.shop.edits)
        dry = world.take_back(dry_run=True)
        preview = preview_rollback(world.tools, "run-1", (SHOP,))
        assert (sent, 3 - len(open_ones), len(open_ones)) == (len(world.shop.edits), dry.account.pushed, dry.left)
        assert (3 - len(open_ones), {"unsettled": len(open_ones)}) == (preview.count("back"), preview.left)
        assert 0 == preview.undone
        assert len(open_ones) == len(world.rows(journal, outcome=None, run_id="run-1"))
