"""Which orders are new: a shop is asked once a look, and left alone where asking is no use."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.errors import AccountBlocked, CallError, Transport
from ecauto_pipeline.shops.protocol import Abilities, Order, key_of
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.orders.new_orders import LISTED_AGAIN, RESTS_FOR, look, seen
from ecauto_pipeline_tests.alerts.alert_tools import NOON, tools_at
from ecauto_pipeline_tests.sync.diffs.selling import HonestShop


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
    """Some minutes before it, for lists that show an order late; never before the watch began."""
    shop = ShopWithOrders("one")
    tools, clock = tools_with(tmp_path, shop)
    clock.advance(120)
    look(tools)
    shop.placed = [Order("A1", NOON + timedelta(hours=1))]
    clock.advance(3600)
    assert {AccountKey("base", "one"): 1} == look(tools).new
    seen(tools, key_of(shop), shop.placed[0].ordered_at)
    look(tools)
    assert [NOON, NOON, shop.placed[0].ordered_at - LISTED_AGAIN] == shop.asked


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
