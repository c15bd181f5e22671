"""New orders are found once, counted once, and their goods asked about at once; nothing of a buyer comes with them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import delete, insert

from ecauto_pipeline.clock import from_ms, to_ms
from ecauto_pipeline.domain.model import Kind, ListingKey
from ecauto_pipeline.state import orders
from ecauto_pipeline.state.orders import FoundOrder
from ecauto_pipeline.state.schema_calls import operation_health
from ecauto_pipeline.state.shown import record_edit
from ecauto_pipeline_tests.sync.orders.order_bench import SHOP, OrderBench, order_bench

BUYER = ("テスト用", "架空県", "存在しない市", "nobody@example.invalid", "00000000000")
"""What the emulator's orders say of their buyer."""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OrderBench]:
    """Each test sells goods of its own."""
    with order_bench(tmp_path_factory.mktemp("orders")) as bench:
        yield bench


def test_the_goods_of_a_new_order_are_asked_about_at_once(bench: OrderBench) -> None:
    """One list call, one detail, one single question; the answer is kept and stamped like any other."""
    goods, before = bench.goods(), bench.last_call()
    bench.offer(goods["asin"], 1984)
    sale = bench.sell(goods["item_id"])
    bench.clock.advance(90)
    report = bench.watch(published=True)
    assert (1, 1, 1, {"success": 1}, 0) == (
        *(report.orders, report.rows, report.asked, dict(report.by_status)),
        report.waiting,
    )
    assert [1, 1] == [len(bench.calls(name, before)) for name in ("orders", "orders/detail")]
    assert [[goods["asin"]]] == [call["details"]["asins"] for call in bench.calls("getItemOffers", before)]
    row, known = bench.rows()[-1], bench.asin(goods["asin"])
    assert (goods["asin"], 1984, "A1SELLER", sale["price_jpy"]) == (
        *(row.asin, row.cost_at_sale_jpy, row.seller_id),
        row.price_jpy,
    )
    assert (1984, to_ms(bench.clock.now())) == (known.price_jpy, known.price_at)
    assert to_ms(datetime.fromtimestamp(sale["ordered"], UTC)) == known.last_sold_at
    kept = bench.day.history("select * from orders where order_id = ?", row.order_id)
    assert [(SHOP, str(goods["item_id"]), 1, 1984)] == [
        (one["account_id"], one["item_id"], one["amount"], one["cost_at_sale_jpy"]) for one in kept
    ]
    asked = bench.day.history("select operation from snapshots where asin = ?", goods["asin"])
    assert [{"operation": "getItemOffers"}] == asked
    assert 0 == bench.watch().orders


@pytest.mark.parametrize("watch_first", [True, False])
def test_an_order_counts_once_whoever_reads_it_first(bench: OrderBench, watch_first: bool) -> None:
    """The watch counts at once, the hourly reading what the watch did not: never both, never neither."""
    goods = bench.goods(1 + watch_first)
    before, sales = bench.orders_30d(goods["asin"]), []
    bench.sell(goods["item_id"])
    bench.clock.advance(30)
    for turn in (watch_first, not watch_first):
        if turn:
            assert 1 == bench.watch().orders
        else:
            sales.append(bench.read())
    bench.clock.advance(30)
    sales.append(bench.read())
    assert [0 if watch_first else 1, 0] == sales
    assert before + 1 == pytest.approx(bench.orders_30d(goods["asin"]), rel=1e-3)


def test_two_watchers_keep_an_order_once(bench: OrderBench) -> None:
    """Both may list it; one counts it, and Amazon is asked once."""
    goods, last = bench.goods(3), bench.last_call()
    before = bench.orders_30d(goods["asin"])
    bench.sell(goods["item_id"])
    with ThreadPoolExecutor(2) as pool:
        reports = [future.result() for future in [pool.submit(bench.watch) for _ in range(2)]]
    assert 1 == sum(report.rows for report in reports)
    assert 1 == len([row for row in bench.rows() if row.asin == goods["asin"]])
    assert 1 == len(bench.calls("getItemOffers", last))
    assert before + 1 == pytest.approx(bench.orders_30d(goods["asin"]), rel=1e-3)


def test_a_dry_run_says_that_there_is_an_order_and_leaves_it_to_the_next_run(bench: OrderBench) -> None:
    """Nothing is kept, counted or asked."""
    goods, last, before = bench.goods(9), bench.last_call(), len(bench.rows())
    bench.sell(goods["item_id"])
    dry = bench.watch(dry_run=True)
    assert (1, 0, before, []) == (dry.orders, dry.rows, len(bench.rows()), bench.calls("getItemOffers", last))
    assert 1 == bench.watch().rows


def test_nothing_of_a_buyer_is_kept_anywhere(bench: OrderBench) -> None:
    """Neither name, address, mail nor phone, nor the shop's own name of the order: state, history, logs."""
    goods = bench.goods(4)
    sale = bench.sell(goods["item_id"])
    bench.watch()
    secret = [*BUYER, sale["unique_key"]]
    data = bench.day.settings.data_dir
    texts = [path.read_text(encoding="utf-8") for path in (data / "logs").iterdir()]
    texts += [path.read_bytes().decode("utf-8", "ignore") for path in data.glob("state.db*")]
    tables = ("orders", "api_calls", "snapshots", "run_metrics")
    texts += [str(bench.day.history(f"select * from {table}")) for table in tables]
    assert goods["asin"] in "".join(texts)
    assert [] == [word for word in secret if any(word in text for text in texts)]


def test_the_cost_then_is_the_one_behind_the_price_sold_at(bench: OrderBench) -> None:
    """Of a price that we set, what it was made from; of another, what was known of the cost last."""
    ours, other = bench.goods(5), bench.goods(6)
    bench.offer(other["asin"], 3000)
    bench.sell(other["item_id"])
    bench.watch()
    with bench.day.tools() as tools, tools.state.write() as connection:
        for goods, cost_jpy in ((ours, 1500), (other, 900)):
            key, price_jpy = ListingKey("base", SHOP, str(goods["item_id"])), goods["price_jpy"]
            shown = price_jpy if goods is ours else price_jpy - 10  # the other was changed by hand since
            record_edit(connection, key, Kind.PRICE, shown, tools.clock.now(), "moved", cost_jpy)
    bench.clock.advance(60)
    for goods in (ours, other):
        bench.emulator.control.edit_item(SHOP, goods["item_id"], stock=1)
        bench.sell(goods["item_id"])
    bench.watch()
    newest = {row.asin: row.cost_then_jpy for row in bench.rows()}
    assert (1500, 3000) == (newest[ours["asin"]], newest[other["asin"]])


@pytest.mark.parametrize(
    ("number", "price_jpy", "cost_jpy", "pieces", "left_jpy", "losses"),
    [
        (10, 2580, 1984, 1, 2580 - 93 - 40 - 78 - 1984, 0),
        (11, 1050, 1000, 1, 1050 - 38 - 40 - 32 - 1000, 1),
        (12, 2580, 1984, 2, 5160 - 186 - 40 - 155 - 3968, 0),
    ],
)
def test_what_is_left_after_fees_is_known(
    bench: OrderBench, number: int, price_jpy: int, cost_jpy: int, pieces: int, left_jpy: int, losses: int
) -> None:
    """At BASE's standard plan (3.6% and 40 yen, 3%), each fee rounded up, of all the pieces of the row."""
    goods = bench.goods(number)
    bench.offer(goods["asin"], cost_jpy)
    bench.emulator.control.edit_item(SHOP, goods["item_id"], price_jpy=price_jpy, stock=5)
    bench.sell(goods["item_id"], amount=pieces)
    assert losses == bench.watch().at_a_loss
    row = next(row for row in bench.rows() if row.asin == goods["asin"])
    assert (pieces, price_jpy, cost_jpy, left_jpy) == (row.amount, row.price_jpy, row.cost_at_sale_jpy, row.profit_jpy)


def test_the_items_own_extra_cost_counts(bench: OrderBench) -> None:
    """What the owner's file of rules says of the item is not left of the sale, for each piece."""
    goods = bench.goods(13)
    rules = bench.day.settings.data_dir / "rules.csv"
    rules.write_text(f"item_id,extra_cost_jpy\n{goods['item_id']},300\n", encoding="utf-8")
    bench.read()
    rules.unlink()
    bench.offer(goods["asin"], 1984)
    bench.emulator.control.edit_item(SHOP, goods["item_id"], price_jpy=2580, stock=2)
    bench.sell(goods["item_id"], amount=2)
    bench.watch()
    row = next(row for row in bench.rows() if row.asin == goods["asin"])
    assert 5160 - 186 - 40 - 155 - 3968 - 600 == row.profit_jpy


def test_an_order_taken_back_before_its_rows_are_read_is_no_news_for_ever(bench: OrderBench) -> None:
    """It is neither counted nor asked about, and the next look finds nothing new."""
    goods, before = bench.goods(7), len(bench.rows())
    bench.sell(goods["item_id"])
    refused = '{"error": "bad_order", "error_description": "x"}'
    fault = {"kind": "body", "api": "base", "operation": "orders/detail", "status": 400, "body": refused}
    bench.emulator.control.add_faults(fault)
    first = bench.watch()
    bench.emulator.control.clear_faults()
    assert (1, 0, 0) == (first.orders, first.rows, first.asked)
    assert 0 == bench.watch().orders
    assert [0] == [row.amount for row in bench.rows()[before:]]


def test_amazon_silent_settles_an_order_with_the_reason(bench: OrderBench) -> None:
    """People hear of the order anyhow, and why nobody knows what the goods cost now."""
    goods = bench.goods(8)
    bench.sell(goods["item_id"])
    bench.emulator.control.add_faults(
        {"kind": "http_error", "api": "sp_api", "operation": "getItemOffers", "status": 503}
    )
    report = bench.watch()
    bench.emulator.control.clear_faults()
    row = next(row for row in bench.rows() if row.asin == goods["asin"])
    assert {"api_error": 1} == dict(report.by_status)
    assert ("api_error", None) == (row.status, row.cost_at_sale_jpy)
    assert row.reason
    assert from_ms(row.settled_at) >= from_ms(row.seen_at)


@pytest.mark.parametrize(
    ("number", "down", "asked_with"),
    [(14, ("getItemOffers",), ["getItemOffersBatch"]), (15, ("getItemOffers", "getItemOffersBatch"), [])],
)
def test_while_an_operation_is_down_another_one_is_asked(
    bench: OrderBench, number: int, down: tuple[str, ...], asked_with: list[str]
) -> None:
    """The offers of one ASIN can be had of the batch operation too; with both down nothing is asked in vain, and the
    order is told without a cost."""
    goods, last, now = bench.goods(number), bench.last_call(), bench.clock.now()
    bench.offer(goods["asin"], 1984)
    with bench.day.tools() as tools, tools.state.write() as connection:
        connection.execute(delete(operation_health))
        for operation in down:
            times = {"down_since": to_ms(now), "probe_at": to_ms(now + timedelta(minutes=20))}
            connection.execute(insert(operation_health).values(account="sp_1", operation=operation, **times))
    bench.sell(goods["item_id"])
    bench.watch()
    with bench.day.tools() as tools, tools.state.write() as connection:
        connection.execute(delete(operation_health))
    assert asked_with == [call["operation"] for call in bench.emulator.control.calls(since=last, api="sp_api")]
    row = next(row for row in bench.rows() if row.asin == goods["asin"])
    assert 1984 * len(asked_with) == (row.cost_at_sale_jpy or 0)
    assert row.settled_at is not None


def test_what_a_run_that_died_had_kept_is_asked_about_by_the_next(bench: OrderBench) -> None:
    """Killed (-9) between keeping an order and asking: the next run asks, counts nothing anew, and it can be told."""
    goods, last = bench.goods(16), bench.last_call()
    with bench.run() as context, context.state.write() as connection:  # what it left, and no end
        key = ListingKey("base", SHOP, str(goods["item_id"]))
        kept = FoundOrder("row-of-the-dead", "order-of-the-dead", key, goods["asin"], 1, 2580, bench.clock.now())
        assert [kept] == orders.add(connection, [kept], context.run.run_id, bench.clock.now())
    before = bench.orders_30d(goods["asin"])
    assert 1 == bench.watch().asked
    assert [[goods["asin"]]] == [call["details"]["asins"] for call in bench.calls("getItemOffers", last)]
    assert before == pytest.approx(bench.orders_30d(goods["asin"]), rel=1e-3)
    row = next(row for row in bench.rows() if row.order_id == "row-of-the-dead")
    assert row.settled_at is not None
    assert row.message_id == ""


def test_an_order_that_the_shop_shows_late_is_kept_once_and_can_be_told(bench: OrderBench) -> None:
    """Forty minutes after its own time, behind one that is known by then, and for no call more than any look."""
    newer, late = bench.goods(17), bench.goods(18)
    bench.clock.advance(3600)
    bench.sell(newer["item_id"])
    assert 1 == bench.watch().orders
    last = bench.last_call()
    bench.emulator.control.expect_order(SHOP, late["item_id"], bench.clock.now() - timedelta(minutes=40))
    assert [1, 0] == [bench.watch().rows, bench.watch().rows]
    [row] = [row for row in bench.rows() if row.asin == late["asin"]]
    assert (1, "") == (row.amount, row.message_id)
    assert row.settled_at is not None
    assert [2, 1] == [len(bench.calls(name, last)) for name in ("orders", "orders/detail")]


def test_the_first_look_of_all_tells_nothing_of_the_past(tmp_path: Path) -> None:
    """Thirty days of orders are no news on the day the watch is switched on."""
    with order_bench(tmp_path, begun=False) as bench:
        assert 0 < len(bench.emulator.control.orders(SHOP))
        assert [0, 0] == [bench.watch().orders, bench.watch().orders]
        assert [] == bench.rows()
        bench.clock.advance(1)
        bench.sell(bench.goods()["item_id"])
        assert 1 == bench.watch().orders


def test_a_crowd_of_orders_leaves_second_looks_every_other_slot(bench: OrderBench) -> None:
    """At the documented rate (one in two seconds) at most one question in four seconds is about orders; what has no
    slot within the minute is asked about by the next run, and nobody is asked about twice."""
    bench.clock.advance(60)
    last, sold = bench.last_call(), [bench.goods(number) for number in range(17)]
    for goods in sold:
        bench.sell(goods["item_id"])
    first = bench.watch()
    at = [datetime.fromisoformat(call["at"]) for call in bench.calls("getItemOffers", last)]
    second = bench.watch()
    asked = [call["details"]["asins"][0] for call in bench.calls("getItemOffers", last)]
    assert min(later - earlier for earlier, later in pairwise(at)) >= timedelta(seconds=4)
    assert (17, 17) == (first.rows, first.asked + second.asked)
    assert first.waiting == second.asked > 0
    assert sorted(goods["asin"] for goods in sold) == sorted(asked)
