"""Which orders are new: a shop is asked once a look, and left alone where asking is no use."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.errors import AccountBlocked, CallError, Transport
from ecauto_pipeline.shops.protocol import Abilities, Order, key_of
from ecauto_pipeline.state import orders
from ecauto_pipeline.state.lifetimes import LIFETIMES
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.orders.new_orders import LISTED_AGAIN, REMEMBERED, RESTS_FOR, look, new_orders, seen
from ecauto_pipeline_tests.alerts.alert_tools import NOON, tools_at
from ecauto_pipeline_tests.sync.diffs.selling import HonestShop

ORDERS_KEPT = next(one.after for one in LIFETIMES if one.table == "orders") or timedelta()


class ShopWithOrders(HonestShop):
    """Remembers from when on it was asked; `refusal`: what it says instead of an answer."""

    def __init__(self, account_id: str) -> None:
        super().__init__(account_id)
        self.asked: list[datetime] = []
        self.placed: list[Order] = []
        self.refusal: CallError | None = None

    def orders(self, since: datetime) -> list[Order]:
        self.asked.append(since)
        if self.refusal is not None:
            raise self.refusal
        return [order for order in self.placed if order.ordered_at >= since]


class ShopWithoutOrders(ShopWithOrders):
    """A cart that takes files tells nothing of what it sold."""

    abilities = Abilities(orders=False)


def tools_with(folder: Path, *shops: HonestShop) -> tuple[Tools, ManualClock]:
    tools = replace(tools_at(folder), shops={key_of(shop): shop for shop in shops})
    assert isinstance(tools.clock, ManualClock)
    look(tools)  # the watch begins
    return tools, tools.clock


def test_a_shop_is_asked_from_the_newest_order_known(tmp_path: Path) -> None:
    """A day before it, for lists that show an order late; never before the watch began."""
    shop = ShopWithOrders("one")
    tools, clock = tools_with(tmp_path, shop)
    clock.advance(120)
    look(tools)
    shop.placed = [Order("A1", NOON + timedelta(hours=30))]
    clock.advance(30 * 3600)
    assert {AccountKey("base", "one"): 1} == look(tools).new
    seen(tools, key_of(shop), shop.placed[0].ordered_at)
    look(tools)
    assert [NOON, NOON, shop.placed[0].ordered_at - LISTED_AGAIN] == shop.asked


def kept(tools: Tools, shop: HonestShop, order: Order) -> None:
    """As the watch leaves an order that it has found."""
    with tools.state.write() as connection:
        name = orders.order_keys(connection, tools.at_rest).of_order(key_of(shop), order.unique_key)
        orders.add_empty(connection, name, key_of(shop), "run", order.ordered_at)
    seen(tools, key_of(shop), order.ordered_at)


def test_an_order_shown_late_behind_a_newer_one_is_new_once(tmp_path: Path) -> None:
    """Hours late, and the newer one long known: found by the next look, and by none after it was kept."""
    shop = ShopWithOrders("one")
    tools, clock = tools_with(tmp_path, shop)
    clock.advance(5 * 3600)
    newer, late = Order("B2", NOON + timedelta(hours=4)), Order("A1", NOON + timedelta(hours=1))
    shop.placed = [newer]
    assert {key_of(shop): 1} == look(tools).new
    kept(tools, shop, newer)
    assert {} == look(tools).new
    shop.placed = [late, newer]
    assert [late] == new_orders(tools, shop)
    kept(tools, shop, late)
    assert {} == look(tools).new


@pytest.mark.parametrize(
    ("known", "every_s", "asked_s"),
    [(79, 60, 86_400), (200, 60, 79 * 60), (200, 5, 600)],
    ids=["few", "many", "crowd"],
)
def test_looking_back_takes_no_second_call(tmp_path: Path, known: int, every_s: int, asked_s: int) -> None:
    """As many known orders as leave room on a page for new ones, a day's at most; ten minutes' in any case."""
    shop = ShopWithOrders("one")
    tools, clock = tools_with(tmp_path, shop)
    clock.advance(3 * 86_400)
    newest = clock.now()
    for number in range(known):
        kept(tools, shop, Order(f"A{number}", newest - number * timedelta(seconds=every_s)))
    look(tools)
    assert [newest - timedelta(seconds=asked_s)] == shop.asked


def test_an_order_that_state_has_forgotten_is_no_news(tmp_path: Path) -> None:
    """A shop that sells nothing for weeks goes on listing its last order; a new one is found as ever."""
    shop = ShopWithOrders("one")
    tools, clock = tools_with(tmp_path, shop)
    shop.placed = [Order("A1", NOON)]
    kept(tools, shop, shop.placed[0])
    clock.advance(ORDERS_KEPT.total_seconds() + 60)
    with tools.state.write() as connection:
        orders.forget(connection, clock.now() - ORDERS_KEPT)
    assert {} == look(tools).new
    assert ORDERS_KEPT > REMEMBERED + LISTED_AGAIN
    shop.placed.append(Order("B2", clock.now()))
    assert {key_of(shop): 1} == look(tools).new


def test_a_shop_that_refuses_is_left_alone_for_an_hour(tmp_path: Path) -> None:
    """A restricted shop, or a token without the scope: asking every two minutes changes nothing."""
    shop, other = ShopWithOrders("one"), ShopWithOrders("two")
    tools, clock = tools_with(tmp_path, shop, other)
    shop.refusal = AccountBlocked("invalid_scope")
    assert {key_of(shop): "invalid_scope"} == look(tools).not_read
    for _ in range(29):
        clock.advance(120)
        assert {} == look(tools).not_read
    assert (1, 30) == (len(shop.asked), len(other.asked))
    clock.advance(RESTS_FOR.total_seconds())
    look(tools)
    assert 2 == len(shop.asked)


def test_a_shop_that_does_not_answer_is_asked_again_by_the_next_look(tmp_path: Path) -> None:
    """A time-out is no refusal, and nobody else's."""
    shop = ShopWithOrders("one")
    tools, clock = tools_with(tmp_path, shop)
    shop.refusal = Transport("timeout")
    assert [{key_of(shop): "timeout"}] * 2 == [look(tools).not_read for _ in range(2)]
    shop.refusal, shop.placed = None, [Order("A1", clock.now())]
    assert {key_of(shop): 1} == look(tools).new


def test_a_platform_without_orders_is_not_asked(tmp_path: Path) -> None:
    """It says so in its abilities."""
    shop = ShopWithoutOrders("files")
    tools, _ = tools_with(tmp_path, shop)
    assert {} == look(tools).new
    assert [] == shop.asked
