"""What others do while a run is taken back: another run, and people at the shop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.domain.model import Kind
from ecauto_pipeline.domain.selling.joining import RegisterSide
from ecauto_pipeline.errors import ItemRefused, Transport
from ecauto_pipeline.shops.protocol import Item
from ecauto_pipeline.state.shop_accounts import load_account
from ecauto_pipeline.sync.listings.shop_items import read_items
from ecauto_pipeline.sync.people.rollback import rollback_run
from ecauto_pipeline.sync.run_record import begin_run, read_record
from ecauto_pipeline.views.undoing import not_put_back
from ecauto_pipeline_tests.sync.diffs.selling import NOW, HonestShop, ShopWithRefusals, World, refusing


class ShopThatMovesOn(HonestShop):
    """Answers what is asked of one item, and then something happens, once, before the answer is worked on."""

    def __init__(self) -> None:
        super().__init__("shop_1")
        self.then: Callable[[], object] | None = None

    def item(self, item_id: str) -> Item:
        item = super().item(item_id)
        then, self.then = self.then, None
        if then is not None:
            then()
        return item


def test_what_another_run_has_sent_since_the_shop_was_read_stands(tmp_path: Path) -> None:
    """Amazon is dearer by now, and a run under way has put the price up: the older answer of the shop is no proof that
    it still shows what was to be taken back."""
    shop = ShopThatMovesOn()
    world = World(tmp_path, shop)
    world.list_item("1", 2200, cost_jpy=1900)
    world.sync()
    world.later(minutes=5)
    world.read_shops()
    world.amazon("B000000001", 2000)

    def another_run() -> None:
        world.later(seconds=1)
        world.sync()

    shop.then = another_run
    report = rollback_run(world.tools.for_run(world.run()), "run-1")
    assert [("1", Kind.PRICE, 2470), ("1", Kind.PRICE, 2600)] == shop.edits
    assert (2600, 2600) == (shop.stock["1"].price_jpy, world.listing("1")["shown_price_jpy"])
    assert (("shop_1", "1", "price", "changed_since"),) == report.refused


def _named_as_left(world: World) -> list[tuple[str, Kind, str]]:
    """What whoever typed the second run is told."""
    with world.state.read() as connection:
        rows = not_put_back(connection, "run-2", read_record(connection, "run-2"))
    return [(diff.key.item_id, diff.kind, diff.reason) for diff in rows]


def _edits_then(shop: HonestShop, then: Callable[[], object]) -> Callable[..., object]:
    """The shop's edit, after whose first call this happens."""
    edit, left = shop.edit, [then]

    def edited(*given: Any, **named: Any) -> Any:
        answer = edit(*given, **named)
        if left:
            left.pop()()
        return answer

    return edited


def test_what_may_not_go_back_any_more_when_it_is_to_leave_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Amazon becomes dearer after the rollback judged and before it sends the price: the price before would be a loss
    by now. The report names it, and so is whoever typed it told."""
    shop = HonestShop("shop_1")
    world = World(tmp_path, shop)
    world.list_item("1", 2200, cost_jpy=1600, visible=False, hidden_by="ours")
    world.sync()
    assert {Kind.PRICE, Kind.VISIBILITY} == {kind for _, kind, _ in shop.edits}
    monkeypatch.setattr(shop, "edit", _edits_then(shop, lambda: world.amazon("B000000001", 2150)))
    run = world.run()
    begin_run(world.tools.for_run(run))
    report = rollback_run(world.tools.for_run(run), "run-1")
    assert (("shop_1", "1", "price", "price_min_markup"),) == report.refused
    assert [("1", Kind.PRICE, "price_min_markup")] == _named_as_left(world)
    assert 1 == report.account.blocked


def test_what_the_shop_does_not_take_back_is_named(tmp_path: Path) -> None:
    """With the word of the shop for it; what went back is not among it."""
    shop = ShopWithRefusals("shop_1", lambda _item, _kind: None)
    world = World(tmp_path, shop)
    for item in ("1", "2"):
        world.list_item(item, 3000, cost_jpy=1984)
    world.sync()
    shop.refuses = refusing("2", ItemRefused("validation_error", "no"), Kind.PRICE)
    run = world.run()
    begin_run(world.tools.for_run(run))
    report = rollback_run(world.tools.for_run(run), "run-1")
    assert (("shop_1", "2", "price", "validation_error"),) == report.refused
    assert [("2", Kind.PRICE, "validation_error")] == _named_as_left(world)


class BusyShop(HonestShop):
    """An edit takes twenty seconds, and people work there meanwhile: `people` says what they do after which edit."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__("shop_1")
        self.clock = clock
        self.people: dict[int, Callable[[], object]] = {}
        self.looks: list[datetime | None] = []

    def changed(self, item_id: str, price_jpy: int) -> None:
        self.put(item_id, price_jpy)
        self.stock[item_id] = replace(self.stock[item_id], modified_at=self.clock.now())

    def edit(self, item_id: str, kind: Kind, value: int) -> Item | None:
        self.clock.advance(20)
        answer = super().edit(item_id, kind, value)
        self.changed(item_id, value)
        self.people.get(len(self.edits), lambda: None)()
        return answer

    def items(self, modified_since: datetime | None = None) -> Iterator[list[Item]]:
        self.looks.append(modified_since)
        yield [one for one in self.stock.values() if not (modified_since and (one.modified_at or NOW) < modified_since)]


@pytest.fixture
def busy(tmp_path: Path) -> tuple[World, BusyShop]:
    """A shop of twelve items of which a run has edited each, an hour ago."""
    clock = ManualClock(NOW)
    shop = BusyShop(clock)
    world = World(tmp_path, shop, clock=clock)
    for number in range(1, 13):
        world.list_item(str(number), 3000, cost_jpy=1984)
    world.sync()
    world.later(minutes=60)
    shop.looks.clear()
    return world, shop


def test_what_people_change_while_a_long_rollback_lasts_stands(busy: tuple[World, BusyShop]) -> None:
    """The shop is looked at again every two minutes, by what has changed there: a price that somebody set after the
    rollback began is not written over, and named; nothing else is left."""
    world, shop = busy
    shop.people = {14: lambda: shop.changed("9", 2700)}
    report = rollback_run(world.tools.for_run(world.run()), "run-1")
    assert (("shop_1", "9", "price", "changed_since"),) == report.refused
    assert (2700, {3000}) == (
        shop.stock["9"].price_jpy,
        {shop.stock[str(one)].price_jpy for one in range(1, 13)} - {2700},
    )
    assert 11 == report.account.pushed
    assert 2 == len(shop.looks)  # one before, one after two minutes of four


def test_a_shop_that_can_not_be_looked_at_again_waits(busy: tuple[World, BusyShop]) -> None:
    """Nothing more leaves, and how many are left is said; the same rollback again does the rest."""
    world, shop = busy
    look = shop.items

    def away(modified_since: datetime | None = None) -> Iterator[list[Item]]:
        raise Transport("HTTP 503")

    shop.people = {14: lambda: setattr(shop, "items", away)}
    first = rollback_run(world.tools.for_run(world.run()), "run-1")
    assert (12, True) == (first.account.pushed + first.left, 0 < first.left < 12)
    setattr(shop, "items", look)  # noqa: B010  # a method, back in its place
    again = rollback_run(world.tools.for_run(world.run()), "run-1")
    assert (first.left, 0) == (again.account.pushed, again.left)
    assert {3000} == {one.price_jpy for one in shop.stock.values()}


@pytest.mark.parametrize("taken_back", [False, True], ids=["no rollback", "a rollback between"])
def test_a_person_is_known_by_the_reading_whether_or_not_a_rollback_looked_before(
    tmp_path: Path, taken_back: bool
) -> None:
    """Somebody hides an item in the shop and calls it hidden in master.db, and sets another's price: what the rollback
    saw on its way, and let be, is no first sight and no known price of the next reading."""
    world = World(tmp_path)
    world.list_item("1", 2580, cost_jpy=1984, visible=False, hidden_by="ours")
    world.list_item("2", 3000, cost_jpy=1984)
    register = {
        "1": RegisterSide(1, "B000000001", "listed", True, 2580),
        "2": RegisterSide(2, "B000000002", "listed", True, 2580),
    }

    def read() -> None:
        with world.state.read() as connection:
            known = load_account(connection, "base", "shop_1")
        read_items(world.tools, world.shop, known, lambda _items: register)
        world.read_shops()

    world.sync()
    world.later(minutes=30)
    read()
    world.later(minutes=5)
    world.shop.put("1", 2580, visible=False)
    world.shop.put("2", 2700)
    register["1"] = RegisterSide(1, "B000000001", "listed", False, 2580)
    world.change("1", register_visible=0)
    if taken_back:
        assert 0 == rollback_run(world.tools.for_run(world.run()), "run-1").account.pushed
    world.later(minutes=25)
    read()
    assert ("person", 1) == (world.listing("1")["hidden_by"], world.listing("2")["price_by_hand"])
    world.amazon("B000000001", 1984)
    world.sync()
    assert not world.shop.stock["1"].visible
