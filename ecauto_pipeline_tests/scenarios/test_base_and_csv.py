"""One shop on BASE and one whose cart takes files offer the same goods: one line for both."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.sync.context import Run
from ecauto_pipeline.sync.people.holds import approve, list_holds
from ecauto_pipeline.sync.people.rollback import rollback_run
from ecauto_pipeline_tests.scenarios.picking import (
    Listed,
    cost_of,
    costs,
    item_of,
    seen,
    selling,
    sold_out,
    sound,
)
from ecauto_pipeline_tests.scenarios.shop_day import ShopDay
from ecauto_pipeline_tests.shops.csv.cart import FileCart

_START = datetime(2026, 6, 1, 1, 10, tzinfo=UTC)
STORE = AccountKey("csv", "store")


class BothShops:
    """A day with both, as its folder and the emulator have them."""

    def __init__(self, folder: Path, emulator: EmulatorServer, clock: ManualClock) -> None:
        self.clock = clock
        self.cart = FileCart(folder, "cp932")
        table = {"accounts": [self.cart.account()], "encoding": "cp932"}
        self.day = ShopDay(folder, emulator, clock, {"csv": table}, loads_when_asked=True)
        self.cases: list[Listed] = []

    def begin(self) -> None:
        """One ASIN of each case offered in both, everything in step and a day later."""
        self.cases = sound(self.day, 3)
        with sqlite3.connect(self.day.settings.master_db) as register:
            for number, case in enumerate(self.cases):
                register.execute(
                    "INSERT INTO listings (asin, platform, account_id, platform_item_id, sku, selling_price, status,"
                    " visibility) VALUES (?, 'CSV', 'store', ?, ?, ?, 'listed', 'public')",
                    (case.asin, f"c-{number}", f"c-{case.asin}", case.price_jpy),
                )
                self.cart.put(f"c-{number}", case.price_jpy)
        self.export()
        self.day.run()
        assert [] == self.cart.files()
        self.clock.advance(25 * 3600)
        self.export()

    def go_on_from(self, begun: BothShops) -> None:
        """What is in no file."""
        self.cases, self.cart.rows = list(begun.cases), {name: dict(row) for name, row in begun.cart.rows.items()}

    def export(self) -> None:
        """The owner exports the cart's products, some minutes ago."""
        self.cart.export(self.clock.now() - timedelta(minutes=5))

    def shown(self, case: Listed) -> tuple[int, int]:
        """The price of it on BASE, and in the cart once it has taken in our files."""
        self.cart.take_in()
        number = self.cases.index(case)
        return item_of(self.day, case)["price_jpy"], int(self.cart.rows[f"c-{number}"]["price"])


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> BothShops:
    """The first day, lived once; its folder lies beside its emulator's."""
    folder, clock = tmp_path_factory.mktemp("both"), ManualClock(_START)
    data = folder / "emulator"
    with EmulatorServer(clock=clock, seed=21, listings=30, accounts=2, speed=200.0, data=data) as emulator:
        both = BothShops(folder / "shops", emulator, clock)
        both.begin()
    return both


@pytest.fixture
def both(begun: BothShops, tmp_path: Path) -> Iterator[BothShops]:
    """A copy of the first day, to be lived on."""
    clock = ManualClock(begun.clock.now())
    shutil.copytree(begun.day.folder.parent, tmp_path, dirs_exist_ok=True)
    with EmulatorServer(clock=clock, data=tmp_path / "emulator") as emulator:
        both = BothShops(tmp_path / "shops", emulator, clock)
        both.go_on_from(begun)
        yield both


def _updates(both: BothShops, run_id: str) -> dict[str, list[Any]]:
    query = "select platform, item_id, kind, after, outcome from updates where run_id = ? order by all"
    found: dict[str, list[Any]] = {}
    for row in both.day.history(query, run_id):
        found.setdefault(row.pop("platform"), []).append(tuple(row.values()))
    return found


def test_one_call_to_amazon_changes_both(both: BothShops) -> None:
    """The ASIN is asked about once, and both shops show the price that follows; records tell them apart."""
    case, *_ = both.cases
    cost = cost_of(case.price_jpy) + 400
    costs(both.day, case, cost)
    since = seen(both.day)
    result = both.day.run()
    calls = both.day.control.calls(since=since, api="sp_api")
    answered = [call for call in calls if case.asin in call["details"].get("asins", ()) and call["http_status"] == 200]
    assert ["getItemOffersBatch"] == [call["operation"] for call in answered]
    assert 1 == answered[0]["details"]["asins"].count(case.asin)
    wanted = str(selling(cost))
    updates = _updates(both, result.run_id)
    assert [("c-0", "price", wanted, "done")] == updates["csv"]
    assert (case.item_id, "price", wanted, "done") in updates["base"]
    (rows,) = both.cart.told()
    assert [{"item_id": "c-0", "price": wanted}] == rows
    assert (selling(cost), selling(cost)) == both.shown(case)
    (row,) = both.day.register("select selling_price from listings where platform_item_id = 'c-0'")
    assert selling(cost) == row["selling_price"]


def test_what_is_sold_out_is_hidden_in_both_and_shown_again(both: BothShops) -> None:
    """We hid it in the cart, so it is ours to show again, before and after the cart has exported anew."""
    case, *_ = both.cases
    sold_out(both.day, case)
    both.day.run()
    assert [[{"item_id": "c-0", "visible": "0"}]] == both.cart.told()
    assert not item_of(both.day, case)["visible"]
    both.cart.take_in()
    both.clock.advance(25 * 3600)
    both.export()
    costs(both.day, case, cost_of(case.price_jpy))
    both.day.run()
    assert [[{"item_id": "c-0", "visible": "1"}]] == both.cart.told()
    assert item_of(both.day, case)["visible"]


def test_our_edit_stands_until_the_cart_exports_anew(both: BothShops) -> None:
    """An old product file is no news: nothing is written again, nobody has changed anything."""
    case, *_ = both.cases
    sold_out(both.day, case)
    both.day.run()
    for _ in range(2):
        both.clock.advance(2 * 3600)
        both.day.run()
    assert 1 == len(both.cart.files())
    costs(both.day, case, cost_of(case.price_jpy))
    both.clock.advance(25 * 3600)
    both.day.run()
    assert [{"item_id": "c-0", "visible": "1"}] == both.cart.told()[-1]


def test_a_hold_and_its_approval_work_in_both(both: BothShops) -> None:
    """A move of more than half waits in each shop; approved, the next run sends both."""
    case, *_ = both.cases
    cost = cost_of(case.price_jpy) * 2
    costs(both.day, case, cost)
    both.day.run()
    with both.day.tools() as tools:
        held = [hold for hold in list_holds(tools) if hold.asin == case.asin and hold.kind == "price"]
        assert {"base", "csv"} == {hold.key.platform for hold in held}
        assert [STORE] == [hold.key.account for hold in list_holds(tools, STORE) if hold.kind == "price"]
        approve(tools, [hold.diff_id for hold in held], who="tanaka")
    both.day.run()
    assert (selling(cost), selling(cost)) == both.shown(case)


@pytest.mark.parametrize("exported", [False, True])
def test_a_run_is_taken_back_in_both(both: BothShops, exported: bool) -> None:
    """The price from before stands in BASE and in a new update file, whether the cart has exported since or not."""
    case, *_ = both.cases
    before = case.price_jpy
    costs(both.day, case, cost_of(before) - 200)
    done = both.day.run()
    assert both.shown(case)[0] == both.shown(case)[1] != before
    both.clock.advance(1800)
    if exported:
        both.export()
    with both.day.tools("back") as tools:
        context = tools.for_run(Run("back", "rollback_run", (), both.clock.now()))
        report = rollback_run(context, done.run_id)
    assert report.account.adds_up()
    assert (before, before) == both.shown(case)


@pytest.mark.parametrize("damage", [None, b"item_id,sku\n1,2\n", "商品番号".encode("utf-16")])
def test_a_cart_that_can_not_be_read_is_its_own_trouble(both: BothShops, damage: bytes | None) -> None:
    """BASE is read, decided and changed as ever; the cart keeps what was known of it and gets no file."""
    case, *_ = both.cases
    cost = cost_of(case.price_jpy) + 400
    costs(both.day, case, cost)
    if damage is None:
        both.cart.items.unlink()
    else:
        both.cart.write(damage, both.clock.now() - timedelta(minutes=5))
    result = both.day.run()
    expected = {None: "file_missing", b"item_id,sku\n1,2\n": "missing_column"}.get(damage, "wrong_encoding")
    assert {"store": expected} == dict(result.reports["listings"].not_read)
    assert (selling(cost), case.price_jpy) == both.shown(case)
    both.export()
    both.clock.advance(600)
    both.day.run()
    assert (selling(cost), selling(cost)) == both.shown(case)


def test_a_row_that_left_the_file_is_gone_by_two_proofs(both: BothShops) -> None:
    """A whole reading does not find it, nor does looking for it alone; when it is back, so is the listing."""
    both.cart.rows.pop("c-2")
    both.clock.advance(24 * 3600)
    both.export()
    both.day.run()
    query = "select orphan, listed from listings where item_id = 'c-2'"
    with sqlite3.connect(both.day.settings.data_dir / "state.db") as state:
        assert [("no_item", 0)] == state.execute(query).fetchall()
        both.cart.put("c-2", both.cases[2].price_jpy)
        both.export()
        both.day.run()
        assert [("", 1)] == state.execute(query).fetchall()


def test_a_run_for_the_cart_alone(both: BothShops) -> None:
    """`accounts` narrows a run to the shop that was named."""
    case, *_ = both.cases
    cost = cost_of(case.price_jpy) + 400
    costs(both.day, case, cost)
    both.day.run(accounts=(STORE,))
    assert (case.price_jpy, selling(cost)) == both.shown(case)
