"""What was earned, by day and month, as page and command tell it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from nicegui.testing import User

from ecauto_pipeline.clock import JST, jst, to_ms
from ecauto_pipeline.domain.model import Kind, ListingKey
from ecauto_pipeline.state import journal, orders
from ecauto_pipeline.state.orders import AskedOrder, FoundOrder
from ecauto_pipeline.state.schema import asins
from ecauto_pipeline.state.upsert import upsert
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.views.money import Earned, earned_by_day, earned_by_month, latest_orders, spared
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.cli.typed import type_command
from ecauto_pipeline_tests.desk.shop import FilledShop, a_filled_shop
from ecauto_pipeline_tests.desk.visitor import with_visitor


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FilledShop:
    return a_filled_shop(tmp_path, monkeypatch)


def sell(tools: Tools, item: tuple[str, str, str], number: int, at: datetime, price: int, asked: AskedOrder) -> None:
    """One order row, settled."""
    account, item_id, asin = item
    row = FoundOrder(f"row{number}", f"order{number}", ListingKey("base", account, item_id), asin, 2, price, at)
    with tools.state.write() as connection:
        orders.add(connection, [row], "a run", at)
        orders.settle(connection, row.order_id, asked, at)


def test_what_nobody_knows_is_counted_apart(shop: FilledShop) -> None:
    """A day's profit is of the known rows alone; a loss is counted as one; days and months are Japan's."""
    with open_tools(shop.settings, offline=True) as tools:
        noon = datetime.combine(jst(tools.clock.now()).date(), datetime.min.time(), JST) + timedelta(minutes=1)
        for number, profit in enumerate((500, -200, None)):
            sell(tools, shop.dearer, number, noon, 3000, AskedOrder("success", profit_jpy=profit))
        sell(tools, shop.dearer, 9, noon - timedelta(minutes=2), 1000, AskedOrder("success", profit_jpy=70))
        today, before = earned_by_day(tools, 2)
        assert (3, 6, 18_000, 300, 1, 1) == (
            *(today.rows, today.pieces, today.sales_jpy, today.profit_jpy, today.losses, today.unknown),
        )
        assert Earned(f"{noon - timedelta(minutes=2):%Y-%m-%d}", 1, 2, 2000, 70) == before
        assert [today] == earned_by_day(tools, 1)
        assert 370 == sum(one.profit_jpy for one in earned_by_month(tools, 2))


def test_orders_of_a_year_ago_come_from_history(shop: FilledShop) -> None:
    """state.db keeps 40 days; a month before that is asked of history, and none counts twice."""
    with open_tools(shop.settings, offline=True) as tools:
        now = tools.clock.now()
        kept = {
            "order_id": "old", "order_key": "old", "run_id": "r", "platform": "base", "account_id": shop.dearer[0],
            "item_id": shop.dearer[1], "asin": shop.dearer[2], "amount": 1, "price_jpy": 900, "cost_then_jpy": 500,
            "cost_at_sale_jpy": 500, "profit_jpy": 250, "sold_at": now - timedelta(days=100), "seen_at": now,
            "settled_at": now,
        }  # fmt: skip
        tools.history.write("orders", "r", [kept], now - timedelta(days=100))
        sell(tools, shop.dearer, 1, now, 3000, AskedOrder("success", profit_jpy=10))
        by_month = earned_by_month(tools, 6)
    assert [(1, 10), (1, 250)] == [(one.rows, one.profit_jpy) for one in by_month]


def orders_of(tools: Tools, asin: str, orders_30d: float) -> None:
    with tools.state.write() as connection:
        row = {"asin": asin, "orders_30d": orders_30d, "demand_at": to_ms(tools.clock.now())}
        upsert(connection, asins, [row])


def test_a_sale_after_a_rise_is_a_loss_avoided(shop: FilledShop) -> None:
    """The price of `dearer` was raised by the second run; at the price before, with twice the cost, it would lose."""
    with open_tools(shop.settings, offline=True) as tools:
        with tools.state.read() as connection:
            edits = journal.about(connection, shop.dearer[1])
        rise = next(one for one in edits if one.kind is Kind.PRICE)
        before, after = rise.before or 0, rise.after
        orders_of(tools, shop.dearer[2], 30.0)  # what the world sold meanwhile depends on the hour
        nothing = spared(tools)
        sell(tools, shop.dearer, 1, tools.clock.now(), after, AskedOrder("success", cost_at_sale_jpy=before + 1000))
        found = spared(tools)
        assert (0, 1) == (nothing.avoided.by_rises, found.avoided.by_rises)
        assert found.avoided.by_rises_jpy >= 2 * 1000  # two pieces, fees besides
        assert found.avoided.hides >= 1
        orders_of(tools, shop.dearer[2], 330.0)
        usual, more = nothing.expected, spared(tools).expected
        assert usual is not None
        assert more is not None
        assert usual.orders_a_day + 9.9 < more.orders_a_day < usual.orders_a_day + 10.1
        assert usual.wrong_orders_a_day < more.wrong_orders_a_day < 10


def test_page_and_command_tell_the_same(
    shop: FilledShop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The day's figures of `ecauto money --json` are on the page, with the orders behind them."""
    with open_tools(shop.settings, offline=True) as tools:
        sell(tools, shop.dearer, 1, tools.clock.now(), 4567, AskedOrder("success", profit_jpy=-321))
        (order,) = latest_orders(tools, 5)
    code, out, _ = type_command(monkeypatch, capsys, "money", "--json")
    (told,) = json.loads(out)["days"]
    assert (0, 9134, -321) == (code, told["sales_jpy"], told["profit_jpy"])

    async def scene(visitor: User) -> None:
        await visitor.open("/ja/money")
        for text in ("9,134円", "赤字 -321円", order.title[:20]):
            await visitor.should_see(text)

    with_visitor(scene)
