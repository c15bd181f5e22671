"""The owner hears of each order once: what was sold, what it costs to buy now, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest

from ecauto_pipeline.alerts.orders import tell_orders
from ecauto_pipeline.alerts.outbox import LONGEST_TALK, PERHAPS_TWICE, Delivered
from ecauto_pipeline.defs.order_watch import LOOK_EVERY_S
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.state import messages
from ecauto_pipeline.sync.orders.new_orders import look
from ecauto_pipeline_tests.alerts.receivers import HttpReceiver, Received, http_receiver
from ecauto_pipeline_tests.sync.orders.order_bench import SHOP, OrderBench, order_bench

ENVIRON = {"HOOK": "https://example.invalid/secret-path"}


@pytest.fixture(scope="module")
def hook() -> Iterator[HttpReceiver]:
    with http_receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, hook: HttpReceiver) -> Iterator[OrderBench]:
    channel = {"kind": "webhook", "url_env": "HOOK", "endpoint": hook.url}
    with order_bench(tmp_path_factory.mktemp("told"), {"alerts": {"channels": [channel]}}) as bench:
        yield bench


@pytest.fixture
def received(hook: HttpReceiver) -> list[Received]:
    """What arrives during one test."""
    hook.received.clear()
    hook.status = 200
    return hook.received


def documents(received: list[Received]) -> list[dict[str, Any]]:
    return [one.json for one in received]


def tell(bench: OrderBench, **more: Any) -> Delivered:
    with bench.day.tools() as tools:
        return tell_orders(tools, environ=ENVIRON, **more)


def ordered(bench: OrderBench, number: int, **truth: Any) -> dict[str, Any]:
    """An order of the item of this number, found and asked about; the item."""
    goods = bench.goods(number)
    if truth:
        bench.emulator.control.set_truth(goods["asin"], **truth)
    bench.emulator.control.edit_item(SHOP, goods["item_id"], stock=1)
    bench.clock.advance(60)
    bench.sell(goods["item_id"])
    bench.watch()
    return goods


def test_an_order_is_told_with_goods_price_cost_seller_and_link(bench: OrderBench, received: list[Received]) -> None:
    """In one message, in Japanese; the same as data for programs."""
    offer = {"seller_id": "A1SELLER", "price_jpy": 1984, "fba": True, "prime": True}
    goods = ordered(bench, 0, offers=[offer])
    with bench.day.tools() as tools:
        title = tools.register.titles([goods["asin"]])[goods["asin"]]
    assert 1 == tell(bench).sent
    told = documents(received)[0]
    assert f"【ecauto 注文】{SHOP}: 1件" == told["title"]
    left = told["orders"][0]["profit_jpy"]
    for said in (
        title[:10],
        f"手数料を引いた利益 {left:,}円",
        f"販売 {goods['price_jpy']:,}円",
        "今の仕入れ 1,984円 (A1SELLER, FBA, Prime)",
    ):
        assert said in told["body"]
    assert f"https://www.amazon.co.jp/dp/{goods['asin']}" in told["body"]
    row = told["orders"][0]
    assert (str(goods["item_id"]), 1984, "A1SELLER", True, "") == (
        *(row["item_id"], row["cost_at_sale_jpy"], row["seller_id"]),
        *(row["is_prime"], row["verdict"]),
    )


@pytest.mark.parametrize(
    ("number", "truth", "verdict", "words"),
    [
        (1, {"in_stock": False}, "gone", "今はAmazonで買えません"),
        (2, {"unknown": True}, "gone", "今はAmazonで買えません"),
        (3, {"offers": [{"seller_id": "A1", "price_jpy": 900, "shipping_jpy": 500}]}, "filtered", "送料がかかる"),
    ],
)
def test_what_can_not_be_bought_is_said_in_words(
    bench: OrderBench, received: list[Received], number: int, truth: dict[str, Any], verdict: str, words: str
) -> None:
    """Sold, and Amazon has none, or none that fits the owner's rule: what to do stands in the message."""
    ordered(bench, number, **truth)
    tell(bench)
    told = documents(received)[0]
    assert [verdict] == [row["verdict"] for row in told["orders"]]
    assert words in told["body"]
    assert ("取り消しの検討 1件" in told["title"]) == (verdict == "gone")


def test_a_sale_at_a_loss_says_to_cancel(bench: OrderBench, received: list[Received]) -> None:
    """The goods can be bought, for more than the sale brings."""
    goods = bench.goods(12)
    bench.emulator.control.edit_item(SHOP, goods["item_id"], price_jpy=1050)
    ordered(bench, 12, offers=[{"seller_id": "A1SELLER", "price_jpy": 1000}])
    tell(bench)
    told = documents(received)[0]
    assert [("loss", -60)] == [(row["verdict"], row["profit_jpy"]) for row in told["orders"]]
    assert "この値段で買うと赤字です" in told["body"]
    assert "取り消しの検討 1件" in told["title"]


def test_several_orders_of_a_look_are_one_message_and_told_once(bench: OrderBench, received: list[Received]) -> None:
    """The ones that need a person come first; nothing is told again by the next look, or by the hourly reading."""
    fine, gone = bench.goods(4), bench.goods(5)
    bench.offer(fine["asin"], 1000)
    bench.emulator.control.set_truth(gone["asin"], in_stock=False)
    for goods in (fine, gone):
        bench.emulator.control.edit_item(SHOP, goods["item_id"], stock=1)
        bench.sell(goods["item_id"])
    bench.watch()
    tell(bench)
    told = documents(received)
    assert [[gone["asin"], fine["asin"]]] == [[row["asin"] for row in one["orders"]] for one in told]
    bench.read()
    bench.watch()
    assert 0 == tell(bench).sent
    assert 1 == len(received)


def test_two_processes_tell_an_order_once(bench: OrderBench, received: list[Received]) -> None:
    """Each has connections of its own; the message is made once and sent by whoever claims it."""
    ordered(bench, 6)
    with ThreadPoolExecutor(4) as pool:
        turns = [future.result() for future in [pool.submit(tell, bench) for _ in range(4)]]
    assert 1 == sum(turn.sent for turn in turns)
    assert 1 == len(received)


def test_a_channel_that_refuses_is_told_again_until_it_takes_the_message(
    bench: OrderBench, hook: HttpReceiver, received: list[Received]
) -> None:
    """Once taken, never again; it is the same message."""
    ordered(bench, 7)
    hook.status = 503
    assert [0, 0] == [tell(bench).sent for _ in range(2)]
    refused, hook.status = len(received), 200
    assert [1, 0] == [tell(bench).sent for _ in range(2)]
    assert (2, 3) == (refused, len(received))
    assert 1 == len({one["message_id"] for one in documents(received)})
    assert not any(one["again"] for one in documents(received))


def test_after_a_death_in_mid_sending_the_message_comes_once_more_and_says_so(
    bench: OrderBench, received: list[Received]
) -> None:
    """The intent is on record, the outcome is not: nobody knows, so it is neither lost nor repeated blindly. While the
    sender may be alive, nobody else sends it."""
    ordered(bench, 8)
    with bench.day.tools() as tools:
        tell_orders(tools, environ=ENVIRON)
        with tools.state.write() as connection:
            name = documents(received)[0]["message_id"]
            kept = messages.read(connection, name)
            assert kept is not None
            messages.record(connection, name, dict.fromkeys(kept.told, "sending"), tools.clock.now())
    bench.clock.advance(LONGEST_TALK.total_seconds() + 1)
    assert [1, 0] == [tell(bench).sent for _ in range(2)]
    first, second = documents(received)
    assert (first["message_id"], False, True) == (second["message_id"], first["again"], second["again"])
    assert second["body"].startswith(PERHAPS_TWICE["ja"])


def test_calls_that_are_back_in_a_moment_are_no_news(bench: OrderBench) -> None:
    """At the edge of an hour the next look may well read the orders."""
    with bench.day.tools() as tools:
        now, key = tools.clock.now(), AccountKey("base", SHOP)
        told = [tell_orders(tools, {key: now + timedelta(minutes=span)}, ENVIRON).sent for span in (1, 60)]
    assert [0, 1] == told


def test_with_the_hours_calls_spent_it_is_said_once_an_hour(bench: OrderBench, received: list[Received]) -> None:
    """And when there are calls again, the orders of that time are told."""
    goods = bench.goods(9)
    bench.emulator.control.set_base_limits(SHOP, per_hour=0)
    bench.clock.advance(60)
    bench.sell(goods["item_id"])
    key = AccountKey("base", SHOP)
    for _ in range(3):
        with bench.day.tools() as tools:
            looked = look(tools)
            assert {key} == set(looked.spent)
            tell_orders(tools, looked.spent, ENVIRON)
    assert ["orders_not_read"] == [one["kind"] for one in documents(received)]
    assert "BASEの呼び出し上限" in documents(received)[0]["body"]
    bench.emulator.control.set_base_limits(SHOP, per_hour=5000)
    bench.clock.advance((looked.spent[key] - bench.clock.now()).total_seconds() + 1)
    with bench.day.tools() as tools:
        assert {key: 1} == look(tools).new
    bench.watch()
    tell(bench)
    assert [goods["asin"]] == [row["asin"] for row in documents(received)[-1]["orders"]]


def test_order_to_message_takes_three_minutes_at_most(bench: OrderBench, received: list[Received]) -> None:
    """On a clock moved by hand: a look every two minutes, half a minute for a run to begin; told once each."""
    began, placed = bench.clock.now(), dict[str, datetime]()
    for number, minutes in enumerate((0.1, 1.9, 2.1, 5.0, 5.5, 9.9), start=13):
        goods = bench.goods(number)
        bench.offer(goods["asin"], 1000)
        bench.emulator.control.edit_item(SHOP, goods["item_id"], visible=True, stock=1)
        placed[str(goods["item_id"])] = began + timedelta(minutes=minutes)
        bench.emulator.control.expect_order(SHOP, goods["item_id"], placed[str(goods["item_id"])])
    heard: dict[str, datetime] = {}
    for looks in range(7):
        bench.clock.set(began + timedelta(seconds=LOOK_EVERY_S * looks))
        with bench.day.tools() as tools:
            new = look(tools).new
        if new:
            bench.clock.advance(30)
            bench.watch()
            before = len(received)
            tell(bench)
            told = [row["item_id"] for one in documents(received)[before:] for row in one["orders"]]
            assert not heard.keys() & set(told)
            heard |= dict.fromkeys(told, bench.clock.now())
    assert placed.keys() == heard.keys()
    assert max(heard[item] - at for item, at in placed.items()) <= timedelta(minutes=3)


def test_nothing_of_a_buyer_is_in_a_message(bench: OrderBench, hook: HttpReceiver, received: list[Received]) -> None:
    """What is sent to a channel leaves the house: goods and money, no person, not even the order's own number."""
    goods = ordered(bench, 10)
    unique_key = bench.emulator.control.orders(SHOP)[0]["unique_key"]
    tell(bench)
    sent = received[0].body
    assert goods["asin"] in sent
    assert [] == [word for word in ("テスト用", "架空県", "nobody@example.invalid", unique_key) if word in sent]


def test_quiet_hours_only_delay(bench: OrderBench, received: list[Received]) -> None:
    """An order of the night is told when the night is over."""
    ordered(bench, 11)
    with bench.day.tools() as tools:
        local = tools.clock.now() + timedelta(hours=9)
        quiet = f"{local - timedelta(minutes=5):%H:%M}-{local + timedelta(minutes=5):%H:%M}"
        alerts = tools.settings.alerts.model_copy(update={"quiet_hours": quiet})
        bench.day.settings = tools.settings.model_copy(update={"alerts": alerts})
    assert (0, 0) == (tell(bench).sent, len(received))
    bench.clock.advance(600)
    assert 1 == tell(bench).sent
