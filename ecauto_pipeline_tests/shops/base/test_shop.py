"""Laws of a shop on BASE, asked over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from ecauto_pipeline.clock import ManualClock, jst
from ecauto_pipeline.domain.model import Kind
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.errors import (
    AccountBlocked,
    BudgetSpent,
    CallError,
    ItemGone,
    ItemRefused,
    OutcomeUnknown,
    Transport,
)
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.schema_calls import windows
from ecauto_pipeline_tests.shops.base.shops_at_hand import ACCOUNT, NOON, Hands, authorise, set_up


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[EmulatorServer, ManualClock]]:
    clock = ManualClock(NOON)
    with EmulatorServer(clock=clock, seed=1, listings=350, accounts=1) as emulator:
        yield emulator, clock


@pytest.fixture
def world(server: tuple[EmulatorServer, ManualClock], tmp_path: Path) -> Iterator[tuple[EmulatorServer, Hands]]:
    emulator, clock = server
    clock.set(NOON)
    emulator.control.reset(seed=1)
    hands = set_up(tmp_path, emulator.url, clock)
    authorise(hands, emulator, clock)
    yield emulator, hands
    emulator.control.clear_faults()


def some_item(emulator: EmulatorServer) -> int:
    """An ordinary visible item."""
    return next(
        int(item["item_id"])
        for item in emulator.control.items(ACCOUNT)
        if item["visible"] and item["editable"] and not item["variations"] and item["stock"] > 0
    )


def test_a_whole_read_gives_every_item_once(world: tuple[EmulatorServer, Hands]) -> None:
    """Pages of 100 to the end: every item of the shop, each once, in as few calls as there are pages."""
    emulator, hands = world
    read = [item for page in hands.shop.items() for item in page]
    truth = {str(item["item_id"]): item for item in emulator.control.items(ACCOUNT)}
    assert sorted(truth) == sorted(item.item_id for item in read)
    assert all(
        (truth[item.item_id]["price_jpy"], truth[item.item_id]["stock"], truth[item.item_id]["visible"])
        == (item.price_jpy, item.stock, item.visible)
        for item in read
    )
    assert len(truth) // 100 + 1 == len(emulator.control.calls(operation="items"))


def test_an_incremental_read_ends_at_the_first_page_that_is_wholly_older(
    world: tuple[EmulatorServer, Hands],
) -> None:
    """One changed item costs one or two pages, and it is among them."""
    emulator, hands = world
    changed = some_item(emulator)
    since = emulator.control.now()
    emulator.control.edit_item(ACCOUNT, changed, price_jpy=4321)
    read = [item for page in hands.shop.items(modified_since=since) for item in page]
    assert (str(changed), 4321) == (read[0].item_id, read[0].price_jpy)
    assert 2 == len(emulator.control.calls(operation="items"))


def test_an_item_that_leaves_in_mid_read_hides_no_other(world: tuple[EmulatorServer, Hands]) -> None:
    """A deletion shifts the pages; the incremental read notices and starts again, so nothing is skipped."""
    emulator, hands = world
    pages = hands.shop.items(modified_since=datetime(2000, 1, 1, tzinfo=UTC))
    first = next(pages)
    emulator.control.delete_item(ACCOUNT, int(first[5].item_id))
    seen = {item.item_id for page in pages for item in page} | {item.item_id for item in first}
    assert {str(item["item_id"]) for item in emulator.control.items(ACCOUNT)} <= seen


def test_a_page_that_fails_is_not_read(world: tuple[EmulatorServer, Hands]) -> None:
    """Three bad answers end the read with an error; a partial list never passes for a whole one."""
    emulator, hands = world
    emulator.control.add_faults({"kind": "http_error", "api": "base", "operation": "items", "after": 2})
    with pytest.raises(Transport):
        list(hands.shop.items())
    assert 2 + 3 == len(emulator.control.calls(operation="items"))


@pytest.mark.parametrize("kind", ["http_error", "truncated", "invalid_utf8", "reset", "reset_after", "server_error"])
def test_reads_are_tried_again(world: tuple[EmulatorServer, Hands], kind: str) -> None:
    """Two bad answers of any sort do not harm a read."""
    emulator, hands = world
    emulator.control.add_faults({"kind": kind, "api": "base", "operation": "items/detail", "times": 2})
    assert str(some_item(emulator)) == hands.shop.item(str(some_item(emulator))).item_id
    assert ["failed", "failed", "ok"] == [row["outcome"] for row in hands.calls.of("items_detail")]


@pytest.mark.parametrize(
    ("kind", "value", "field", "shown"),
    [(Kind.PRICE, 2580, "price_jpy", 2580), (Kind.VISIBILITY, 0, "visible", False), (Kind.STOCK, 7, "stock", 7)],
)
def test_an_edit_changes_that_field_alone(
    world: tuple[EmulatorServer, Hands], kind: Kind, value: int, field: str, shown: object
) -> None:
    """What was asked for is shown; every other field stays."""
    emulator, hands = world
    number = some_item(emulator)
    before = emulator.control.item(ACCOUNT, number)
    hands.shop.edit(str(number), kind, value)
    after = emulator.control.item(ACCOUNT, number)
    assert before is not None
    assert {**before, field: shown, "modified": int(NOON.timestamp())} == after


@pytest.mark.parametrize("kind", ["reset_after", "truncated", "http_error", "cut_in_body", "body", "redirect"])
def test_an_edit_without_an_answer_is_never_repeated(world: tuple[EmulatorServer, Hands], kind: str) -> None:
    """Nobody knows whether it happened: exactly one call, and the caller is told."""
    emulator, hands = world
    emulator.control.add_faults({"kind": kind, "api": "base", "operation": "items/edit", "body": "null"})
    with pytest.raises(OutcomeUnknown):
        hands.shop.edit(str(some_item(emulator)), Kind.PRICE, 2580)
    assert 1 == len(emulator.control.calls(operation="items/edit"))
    assert ["unknown"] == [row["outcome"] for row in hands.calls.of("items_edit")]


def test_an_answer_that_shows_another_value_proves_nothing(world: tuple[EmulatorServer, Hands]) -> None:
    """HTTP 200 with the old price is an unknown outcome, not a success."""
    emulator, hands = world
    number = some_item(emulator)
    body = f'{{"item": {{"item_id": {number}, "price": 1, "stock": 1, "visible": 1, "variations": []}}}}'
    emulator.control.add_faults({"kind": "body", "api": "base", "operation": "items/edit", "body": body})
    with pytest.raises(OutcomeUnknown, match="shows 1"):
        hands.shop.edit(str(number), Kind.PRICE, 2580)


def test_an_edit_that_never_left_may_be_tried_again(tmp_path: Path) -> None:
    """Where no connection stood, nothing happened: three tries, then Transport."""
    clock = ManualClock(NOON)
    with EmulatorServer(clock=clock, seed=1, listings=5, accounts=1) as emulator:
        url = emulator.url
        hands = set_up(tmp_path, url, clock)
        authorise(hands, emulator, clock)
    with pytest.raises(Transport) as failure:
        hands.shop.edit("1", Kind.PRICE, 2580)
    assert ("connect", 3) == (failure.value.reason, len(hands.calls.of("items_edit")))


@pytest.mark.parametrize(
    ("spec", "error", "reason", "permanent"),
    [
        (
            {"code": "invalid_request", "message": "デジタルコンテンツの商品は編集できません。"},
            ItemRefused,
            "uneditable",
            True,
        ),
        ({"code": "invalid_request", "message": "何か新しい文"}, ItemRefused, "invalid_request", False),
        ({"code": "access_denied", "message": "x"}, AccountBlocked, "access_denied", None),
        ({"code": "invalid_scope", "message": "x"}, AccountBlocked, "invalid_scope", None),
        ({"code": "bad_item_id", "message": "x"}, ItemGone, "bad_item_id", None),
        ({"code": "no_item_id", "message": "x"}, ItemRefused, "no_item_id", False),
        ({"code": "validation_error", "message": "x"}, ItemRefused, "validation_error", False),
        ({"code": "never_heard_of", "message": "x"}, ItemRefused, "unknown:never_heard_of", False),
        ({"code": "server_error", "message": "DBエラー"}, Transport, "server_error", None),
    ],
)
def test_each_refusal_is_told_apart(
    world: tuple[EmulatorServer, Hands],
    spec: dict[str, str],
    error: type[CallError],
    reason: str,
    permanent: bool | None,
) -> None:
    """Every row of BASE's error table ends as what the caller does about it, after one call, with its text kept."""
    emulator, hands = world
    body = f'{{"error": "{spec["code"]}", "error_description": "{spec["message"]}"}}'
    emulator.control.add_faults({"kind": "body", "status": 400, "api": "base", "operation": "items/edit", "body": body})
    with pytest.raises(error) as refusal:
        hands.shop.edit(str(some_item(emulator)), Kind.PRICE, 2580)
    assert (reason, permanent) == (refusal.value.reason, getattr(refusal.value, "permanent", None))
    assert spec["message"] in str(refusal.value)
    assert 1 == len(emulator.control.calls(operation="items/edit"))


def test_an_hour_that_is_over_stops_the_shop_until_the_next_one(world: tuple[EmulatorServer, Hands]) -> None:
    """hour_api_limit names the next :00, and until then not one call leaves, whoever asks."""
    emulator, hands = world
    emulator.control.set_base_limits(ACCOUNT, per_hour=1)
    number = str(some_item(emulator))
    hands.shop.item(number)
    for _ in range(3):
        with pytest.raises(BudgetSpent) as spent:
            hands.shop.edit(number, Kind.PRICE, 2580)
        assert datetime(2026, 11, 10, 4, 0, tzinfo=UTC) == spent.value.until
    assert 1 == len(emulator.control.calls(operation="items/edit"))


def test_what_is_kept_of_the_hour_is_there_for_hides_and_for_undoing(world: tuple[EmulatorServer, Hands]) -> None:
    """With the rest spent no price leaves and no page is read; a hide does, and all that takes something back."""
    emulator, hands = world
    number = str(some_item(emulator))
    hands.shop.item(number)
    with Database(f"sqlite:///{hands.token_path.parents[1] / 'state.db'}").write() as connection:
        connection.execute(update(windows).values(calls=5000 - 100 - 500))
    for refused in (lambda: hands.shop.edit(number, Kind.PRICE, 2580), lambda: list(hands.shop.items())):
        with pytest.raises(BudgetSpent, match="is kept for"):
            refused()
    hands.shop.edit(number, Kind.VISIBILITY, 0)
    undoing = hands.shop.for_undoing()
    undoing.edit(number, Kind.PRICE, 2580)
    undoing.edit(number, Kind.VISIBILITY, 1)
    assert next(undoing.items())
    assert 3 == len(emulator.control.calls(operation="items/edit"))


def test_absence_needs_the_word_for_it(world: tuple[EmulatorServer, Hands]) -> None:
    """An unknown id is ItemGone; an id that is none never reaches BASE."""
    _, hands = world
    with pytest.raises(ItemGone):
        hands.shop.item("999999999999")
    with pytest.raises(ItemRefused):
        hands.shop.item("b-B000000001")


def test_sales_hold_items_times_and_amounts_and_nothing_else(world: tuple[EmulatorServer, Hands]) -> None:
    """Orders since then, oldest first, without the cancelled ones; the records name no buyer."""
    emulator, hands = world
    since = emulator.control.now() - timedelta(days=30)
    sales = hands.shop.sales(since)
    truth = [order for order in emulator.control.orders(ACCOUNT) if order["dispatch_status"] != "cancelled"]
    expected = sorted((order["ordered"], str(order["item_id"]), order["amount"]) for order in truth)
    assert expected == sorted((int(sale.ordered_at.timestamp()), sale.item_id, sale.amount) for sale in sales)
    assert sales == sorted(sales, key=lambda sale: sale.ordered_at)
    assert "テスト用" not in str(hands.calls.rows)


def test_the_day_of_an_order_is_a_day_in_japan(world: tuple[EmulatorServer, Hands]) -> None:
    """`since` reaches BASE as a Japanese wall clock."""
    emulator, hands = world
    hands.shop.sales(NOON)
    params = emulator.control.calls(operation="orders")[-1]["details"]["params"]
    assert jst(NOON).strftime("%Y-%m-%d %H:%M:%S") == params["start_ordered"]


def test_every_call_has_one_row_in_the_ledger(world: tuple[EmulatorServer, Hands]) -> None:
    """What the emulator saw and what we wrote down are the same calls."""
    emulator, hands = world
    number = some_item(emulator)
    list(hands.shop.items())
    hands.shop.edit(str(number), Kind.PRICE, 2580)
    assert hands.shop.check()["shop_name"]
    seen = [call["operation"].replace("/", "_") for call in emulator.control.calls(api="base")]
    assert [name.replace("items_list", "items") for name in (row["operation"] for row in hands.calls.rows)] == seen
    assert {"base"} == {row["api"] for row in hands.calls.rows}
    assert len(seen) == hands.windows.usage()[0].used
