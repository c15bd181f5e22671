"""Taking back a run that put losses on sale: what is wrong and can be bought ends first, whatever stands in the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ecauto_pipeline.domain.model import Kind, ListingKey, Outcome
from ecauto_pipeline.errors import ItemRefused, NotOnRecord, Transport
from ecauto_pipeline.settings import parse
from ecauto_pipeline.shops.protocol import Item
from ecauto_pipeline.state import lifetimes
from ecauto_pipeline.state.journal import Update
from ecauto_pipeline.sync.base_updates import push
from ecauto_pipeline.sync.people.reading_back import read_shop
from ecauto_pipeline.sync.people.rollback import RollbackReport, rollback_run
from ecauto_pipeline.sync.people.stop import resume_pushing, stop_pushing
from ecauto_pipeline.sync.people.undoing import joined
from ecauto_pipeline_tests.sync.diffs.selling import (
    NOW,
    HonestShop,
    ShopOutOfCalls,
    ShopWithRefusals,
    World,
    refusing,
)


class BadDay(World):
    """A world whose first run has put losses on sale; stopped, and the setting mended.

    Goods of 1,984 yen are sold for 1,990 instead of 2,200, and nobody counted BASE's fees: the floor is 2,169.
    """

    def __init__(self, folder: Path, shop: HonestShop | None = None, items: int = 3) -> None:
        free = {"plan": "custom", "payment_ratio": 0.0, "payment_fixed_jpy": 0, "service_ratio": 0.0}
        bad: dict[str, Any] = {"pricing": {"markup_ratio": 1.004}, "guards": {"min_markup_ratio": 0.5}}
        super().__init__(folder, *((shop,) if shop else ()), base={"accounts": [{"id": "shop_1"}], "fees": free}, **bad)
        for number in range(1, items + 1):
            self.list_item(str(number), 2200, cost_jpy=1984)
        self.sync()
        assert {1990} == {item.price_jpy for item in self.shop.stock.values()}
        stop_pushing(self.tools, (), "owner")
        accounts = [{"id": shop.account_id} for shop in self.shops]
        self.tools = replace(self.tools, settings=parse({"base": {"accounts": accounts}}, folder))
        self.sent = len(self.shop.edits)

    def take_back(self, *runs: str, **options: Any) -> RollbackReport:
        report = rollback_run(self.tools.for_run(self.run()), *(runs or ("run-1",)), **options)
        assert report.account.adds_up()
        return report

    def edits(self) -> list[tuple[str, Kind, int]]:
        """Those since the bad run."""
        return self.shop.edits[self.sent :]

    def wrong_and_on_sale(self) -> set[str]:
        """By the shop itself."""
        items = self.shop.stock.items()
        return {name for name, item in items if item.visible and item.stock and (item.price_jpy or 0) < 2169}


def test_a_loss_on_sale_ends_with_one_call_and_before_everything_else(tmp_path: Path) -> None:
    """Its price goes back, which needs no hide; what nobody can buy waits behind it."""
    world = BadDay(tmp_path)
    world.shop.put("1", 1990, stock=0)
    report = world.take_back()
    assert [(name, Kind.PRICE, 2200) for name in ("2", "3", "1")] == world.edits()
    assert (set(), 3, 0, 0) == (world.wrong_and_on_sale(), report.account.pushed, report.hidden, report.left)


def test_a_loss_whose_price_may_not_go_back_is_hidden_first_and_mended_by_the_next_run(tmp_path: Path) -> None:
    """Amazon charges more by now: the old price is a loss, too. Ours to show again, once the price is right."""
    world = BadDay(tmp_path)
    world.amazon("B000000003", 2150)  # the floor is 2,346
    report = world.take_back()
    assert ("3", Kind.VISIBILITY, 0) == world.edits()[0]
    assert (set(), 1, (("shop_1", "3", "price", "price_min_markup"),)) == (
        world.wrong_and_on_sale(),
        report.hidden,
        report.refused,
    )
    resume_pushing(world.tools, (), (), "owner")
    world.sync()
    assert (2800, True) == (world.shop.stock["3"].price_jpy, world.shop.stock["3"].visible)


def test_a_price_that_the_shop_does_not_take_back_is_hidden_and_shown_once_it_does(tmp_path: Path) -> None:
    """In the same rollback; the next one puts the price back and shows what the first has hidden, and nothing else."""
    shop = ShopWithRefusals("shop_1", lambda _item, _kind: None)
    world = BadDay(tmp_path, shop)
    shop.refuses = refusing("2", ItemRefused("validation_error", "no"), Kind.PRICE)
    report = world.take_back()
    assert (set(), 1, 1) == (world.wrong_and_on_sale(), report.hidden, report.account.failed)
    assert not world.shop.stock["2"].visible
    shop.refuses = lambda _item, _kind: None
    world.sent = len(shop.edits)
    report = world.take_back()
    assert [("2", Kind.PRICE, 2200), ("2", Kind.VISIBILITY, 1)] == world.edits()
    assert (1, 0) == (report.shown_again, report.account.failed)


def test_what_the_calls_do_not_allow_is_left_and_the_next_one_goes_on(tmp_path: Path) -> None:
    """It says how many are left; no edit is sent twice."""
    shop = ShopOutOfCalls("shop_1", calls=1000, until=NOW + timedelta(hours=1))
    world = BadDay(tmp_path, shop, items=5)
    shop.calls = len(shop.edits) + 2
    report = world.take_back()
    assert (2, 3, 3) == (report.account.pushed, report.left, len(world.wrong_and_on_sale()))
    world.later(hours=1)
    shop.calls = 1000
    report = world.take_back()
    assert (3, 0, set()) == (report.account.pushed, report.left, world.wrong_and_on_sale())
    done = [edit for edit in world.edits() if edit[2] == 2200]
    assert sorted(done[:2] + done[3:]) == sorted((str(number), Kind.PRICE, 2200) for number in range(1, 6))


def _twice(world: World) -> None:
    """run-1 and run-2 change item 1, run-2 alone item 2."""
    world.list_item("1", 2200, cost_jpy=1984)
    world.sync()
    world.later(minutes=10)
    world.list_item("2", 2200, cost_jpy=1984)
    world.amazon("B000000001", 2300)
    world.sync()
    assert [2990, 2580] == [item.price_jpy for item in world.shop.stock.values()]


@pytest.mark.parametrize("how", ["both by name", "since before", "one by name and since"])
def test_several_runs_are_one_change_of_each_item(tmp_path: Path, how: str) -> None:
    """What was before the first of them comes back in one edit; after it each of them counts as undone."""
    world = World(tmp_path)
    began = world.clock.now()
    _twice(world)
    world.amazon("B000000001", 1984)
    sent = len(world.shop.edits)
    runs = {"both by name": ("run-2", "run-1"), "since before": (), "one by name and since": ("run-1",)}[how]
    since = {"both by name": None, "since before": began, "one by name and since": began + timedelta(minutes=5)}[how]
    report = rollback_run(world.tools.for_run(world.run()), *runs, since=since)
    assert (("run-1", "run-2"), 2) == (report.targets, report.account.pushed)
    assert sorted([("1", Kind.PRICE, 2200), ("2", Kind.PRICE, 2200)]) == sorted(world.shop.edits[sent:])
    for one in ("run-1", "run-2"):
        assert 0 == rollback_run(world.tools.for_run(world.run()), one).account.targets


def test_a_moment_after_the_last_edit_names_nothing(tmp_path: Path) -> None:
    """Said, nothing done; what a rollback itself sent is not taken back by its time."""
    world = World(tmp_path)
    _twice(world)
    world.later(minutes=10)
    rollback_run(world.tools.for_run(world.run()), "run-2")
    with pytest.raises(NotOnRecord):
        rollback_run(world.tools.for_run(world.run()), since=world.clock.now())


def test_a_run_of_a_month_ago_can_be_taken_back(tmp_path: Path) -> None:
    """What was before is kept for 30 days; that no run has read the shop since is no reason, for the rollback does."""
    world = World(tmp_path)
    world.list_item("1", 2200, cost_jpy=1984)
    world.sync()
    with world.state.write() as connection:
        connection.exec_driver_sql("UPDATE journal SET exported = 1")
    world.later(days=29)
    with world.state.write() as connection:
        lifetimes.end_lives(connection, world.clock.now())
    report = rollback_run(world.tools.for_run(world.run()), "run-1")
    assert (1, 2200) == (report.account.pushed, world.shop.stock["1"].price_jpy)


def _edit(number: int, before: int | None, after: int, minute: int = 0, run: str = "run-1", item: str = "1") -> Update:
    key = ListingKey("base", "shop_1", item)
    at = datetime(2026, 6, 1, 3, minute, tzinfo=UTC)
    return Update(str(number), "d", run, key, "B1", Kind.PRICE, before, after, Outcome.DONE, "", at, "")


@pytest.mark.parametrize(
    ("edits", "before", "after"),
    [
        ([_edit(1, 10, 20)], 10, 20),
        ([_edit(2, 20, 30, 2), _edit(1, 10, 20, 1)], 10, 30),
        ([_edit(1, 10, 20, 1), _edit(2, 25, 30, 2)], 25, 30),
        ([_edit(1, 10, 20, 1), _edit(2, 25, 30, 2), _edit(3, 30, 40, 3)], 25, 40),
        ([_edit(1, None, 20, 1), _edit(2, 20, 30, 2)], None, 30),
    ],
    ids=["one", "a chain in any order", "something between", "from there on", "before unknown"],
)
def test_edits_of_one_target_are_joined_where_nothing_came_between(
    edits: list[Update], before: int | None, after: int
) -> None:
    """The last value is what the shop must still show; somebody else's value in between is where it ends."""
    (found,) = joined(edits)
    assert (before, after) == (found.before, found.after)


class ShopThatListsChanges(HonestShop):
    """Lists what changed since a moment, in pages of 100, and remembers what was asked; `moves`: its pages do."""

    def __init__(self, items: int, changed: int, moves: bool = False) -> None:
        super().__init__("shop_1")
        self.asked: list[str] = []
        self.moves = moves
        for number in range(items):
            self.put(str(number), 1000)
            at = NOW if number < changed else NOW - timedelta(days=9)
            self.stock[str(number)] = replace(self.stock[str(number)], modified_at=at)

    def items(self, modified_since: datetime | None = None) -> Iterator[list[Item]]:
        since = modified_since or datetime(2000, 1, 1, tzinfo=UTC)
        found = [item for item in self.stock.values() if item.modified_at is not None and item.modified_at >= since]
        for start in range(0, len(found), 100):
            self.asked.append("all" if modified_since is None else "changed")
            if self.moves and modified_since is not None and start:
                raise Transport("list_moved")
            yield found[start : start + 100]


@pytest.mark.parametrize(
    ("edited", "moves", "pages", "singly"),
    [
        (2, False, [], 2),
        (3, False, ["changed"], 0),
        (250, False, ["changed"] * 3, 0),
        (250, True, ["changed"] * 2 + ["all"] * 3, 0),
    ],
    ids=["two", "few", "many", "pages move"],
)
def test_few_calls_are_spent_on_looking(
    tmp_path: Path, edited: int, moves: bool, pages: list[str], singly: int
) -> None:
    """Of a shop of 1,000 items only those that changed since the first edit are listed, and no page too many."""
    shop = ShopThatListsChanges(1000, edited, moves)
    edits = [replace(_edit(number, 10, 20, item=str(number)), intent_at=NOW) for number in range(edited)]
    found = read_shop(World(tmp_path).tools, shop, edits)
    assert (edited, "") == (len(found.items), found.problem)
    assert (pages, singly) == (shop.asked, len(shop.reads))


def test_the_line_itself_still_waits(tmp_path: Path) -> None:
    """A rollback under a stop lets nothing else leave: what the bad run decided and did not send stays where it is."""
    world = BadDay(tmp_path)
    world.list_item("9", 2220, cost_jpy=1984)
    run = world.run()
    world.decide(run)
    push.run(world.tools.for_run(run))
    world.take_back()
    assert 2220 == world.shop.stock["9"].price_jpy
