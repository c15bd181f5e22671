"""Laws of errors that nobody foresaw: one shop's or one row's matter, told with their place, whatever their type."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.domain.model import AccountKey, Kind
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.errors import Transport
from ecauto_pipeline.shops.base.parse import items_of
from ecauto_pipeline.shops.protocol import Item
from ecauto_pipeline.state import shop_accounts
from ecauto_pipeline.state.shop_accounts import ShopAccount
from ecauto_pipeline.sync.base_updates import push
from ecauto_pipeline.sync.base_updates.recheck import RulesGate
from ecauto_pipeline.sync.listings.shop_items import read_items
from ecauto_pipeline_tests.examples import examples
from ecauto_pipeline_tests.sync.diffs.selling import HonestShop, World
from ecauto_pipeline_tests.sync.listings.shop_bench import NOON, ShopBench

ONE, TWO = "base_account_1", "base_account_2"
ERRORS = [
    KeyError("price"),
    ValueError("secret-in-a-message"),
    TypeError("NoneType"),
    AttributeError("x"),
    OverflowError("too large"),
    ZeroDivisionError(),
    RecursionError(),
    UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates"),
    PermissionError(errno.EACCES, "in use"),
    AssertionError(),
]
any_error = pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)


class FaultyShop(HonestShop):
    """Raises `error` at `place` ("before" or "after" an edit, "item") over the items that `over` names."""

    def __init__(self, account_id: str, place: str, error: BaseException, over: frozenset[str]) -> None:
        super().__init__(account_id)
        self.place, self.error, self.over = place, error, over

    def edit(self, item_id: str, kind: Kind, value: int) -> Item | None:
        if self.place == "before" and item_id in self.over:
            raise self.error
        item = super().edit(item_id, kind, value)
        if self.place == "after" and item_id in self.over:
            raise self.error
        return item

    def item(self, item_id: str) -> Item:
        if self.place == "item" and item_id in self.over:
            raise self.error
        return super().item(item_id)


def two_shops(folder: Path, place: str, error: BaseException, over: tuple[str, ...] = ("2",)) -> World:
    """Three rises to be sent in each; the first shop is the faulty one."""
    world = World(folder, FaultyShop("shop_1", place, error, frozenset(over)), HonestShop("shop_2"))
    for shop in (0, 1):
        for number in range(3):
            world.list_item(str(shop * 3 + number + 1), 2000, cost_jpy=1984, shop=shop)
    return world


@any_error
def test_an_edit_that_breaks_is_read_back_and_one_row(tmp_path: Path, error: Exception) -> None:
    """What was done before the error is found done; the other rows and shops are sent; nothing is sent twice."""
    world = two_shops(tmp_path, "after", error)
    account, report = world.sync()
    assert (6, 0) == (account.pushed, account.failed + account.skipped)
    world.sync()
    assert [3, 3] == [len(shop.edits) for shop in world.shops]
    assert [("shop_1", "price", type(error).__name__)] == [(f.account, f.doing, f.error) for f in report.faults]
    assert report.faults[0].place.startswith("sync.base_updates.edit_calls:")
    assert "secret" not in str(report.faults)


@any_error
def test_an_edit_that_never_left_is_a_failed_row(tmp_path: Path, error: Exception) -> None:
    """Five rows are sent, one failed; the next run sends it once it can."""
    world = two_shops(tmp_path, "before", error)
    account, _ = world.sync()
    assert (5, 1) == (account.pushed, account.failed)
    world.shops[0].place = ""  # type: ignore[attr-defined]  # it is the faulty one
    world.sync()
    assert {2580} == {world.listing(str(number))["shown_price_jpy"] for number in range(1, 7)}


@any_error
def test_a_row_that_can_not_be_judged_again_is_a_failed_row(tmp_path: Path, error: Exception) -> None:
    """Of the last look before an edit: no edit of that row leaves, all others do."""
    world = two_shops(tmp_path, "", error)
    run = world.run()
    world.decide(run)
    context = world.tools.for_run(run)
    gate = RulesGate(context)

    def breaks(connection: Any, rows: Sequence[Any], now: datetime) -> Any:
        if any(decided.diff.key.item_id == "2" for decided in rows):
            raise error
        return gate(connection, rows, now)

    def rows_of(account: AccountKey) -> Any:
        from ecauto_pipeline.state import decisions

        with world.state.read() as connection:
            return decisions.to_push(connection, run.run_id, [account], dry_run=False)

    report = push.push(context, rows_of, breaks)
    assert (5, 1, 1) == (report.account.pushed, report.account.failed, len(report.faults))
    assert "2" not in [item for item, _, _ in world.shops[0].edits]


@any_error
def test_an_open_edit_that_can_not_be_read_back_stays_open(tmp_path: Path, error: Exception) -> None:
    """The shop's other rows and the other shop go on; the edit is settled by a later run, and never sent again."""
    world = two_shops(tmp_path, "after", error)
    shop = world.shops[0]
    assert isinstance(shop, FaultyShop)
    honest = shop.item

    def unreadable(item_id: str) -> Item:
        raise error

    shop.item = unreadable  # type: ignore[method-assign]  # this one shop answers otherwise
    account, _ = world.sync()
    assert (5, 1) == (account.pushed, account.failed)
    shop.place = ""
    world.sync()
    assert 3 == len(shop.edits)
    shop.item = honest  # type: ignore[method-assign]  # this one shop answers otherwise
    _, report = world.sync()
    assert (3, 1) == (len(shop.edits), report.settled_done)


def test_a_shop_in_which_every_row_breaks_is_left_alone(tmp_path: Path) -> None:
    """Five in a row; the rest waits for the next run."""
    world = World(tmp_path, FaultyShop("shop_1", "before", KeyError("x"), frozenset(map(str, range(1, 21)))))
    for number in range(1, 21):
        world.list_item(str(number), 2000, cost_jpy=1984)
    account, report = world.sync()
    assert (5, 15, 15) == (account.failed, account.skipped, report.waiting)


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "full"), OSError(errno.EROFS, "read-only"), KeyboardInterrupt()]
)
def test_what_concerns_everybody_ends_the_run_when_the_others_are_done(tmp_path: Path, error: BaseException) -> None:
    """A full disk is nobody's fault in particular."""
    world = two_shops(tmp_path, "before", error)
    with pytest.raises(type(error)):
        world.sync()
    assert 3 == len(world.shops[1].edits)


class FaultyReading:
    """A real shop whose method `place` raises."""

    def __init__(self, shop: Any, place: str, error: BaseException) -> None:
        self._shop, self._place, self._error = shop, place, error

    def __getattr__(self, name: str) -> Any:
        if name != self._place:
            return getattr(self._shop, name)

        def breaks(*_args: Any, **_options: Any) -> Any:
            raise self._error

        return breaks


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[EmulatorServer, ManualClock]]:
    clock = ManualClock(NOON)
    with EmulatorServer(clock=clock, seed=1, listings=30, accounts=2) as emulator:
        yield emulator, clock


@pytest.fixture
def bench(server: tuple[EmulatorServer, ManualClock], tmp_path: Path) -> ShopBench:
    emulator, clock = server
    clock.set(NOON)
    emulator.control.reset(seed=1)
    return ShopBench.at(tmp_path, emulator, clock, (ONE, TWO))


def with_fault(bench: ShopBench, place: str, error: BaseException) -> Callable[[], None]:
    """Put it into the first shop; returns what takes it out."""
    honest, key = bench.tools, AccountKey("base", ONE)
    faulty: Any = FaultyReading(honest.shops[key], place, error)
    bench.tools = replace(honest, shops={**honest.shops, key: faulty})

    def mend() -> None:
        bench.tools = honest

    return mend


@any_error
def test_a_shop_that_breaks_while_read_is_not_read(bench: ShopBench, error: Exception) -> None:
    """Of any type: the other shop is read, this one has its breaker and its place told, and recovers."""
    mend = with_fault(bench, "items", error)
    report = bench.read()
    assert [TWO] == list(report.modes)
    assert [ONE] == list(report.not_read)
    assert [(ONE, "items", type(error).__name__)] == [(f.account, f.doing, f.error) for f in report.faults]
    with bench.tools.state.read() as connection:
        assert "not_read" == shop_accounts.load_account(connection, "base", ONE).breaker
    mend()
    again = bench.read()
    assert ({ONE, TWO}, (), {}) == (set(again.modes), again.faults, again.not_read)


@pytest.mark.parametrize("place", ["sales", "token_expires_at"])
@any_error
def test_what_breaks_beside_the_items_costs_that_alone(bench: ShopBench, place: str, error: Exception) -> None:
    """Orders or the token's age of one shop are not known; its items are."""
    with_fault(bench, place, error)
    report = bench.read()
    assert ({ONE, TWO}, {}) == (set(report.modes), report.not_read)
    assert ([ONE] if place == "sales" else []) == list(report.orders_not_read)
    assert 1 == len(report.faults)


FIELDS = ("title", "price", "stock", "visible", "identifier", "modified", "variations")
FIGURES = st.sampled_from([None, True, -1, 7, 10**17, 2**63, 10**30, 0.5, float("nan"), "", "12", "9" * 40, "\ud800\0"])


@settings(max_examples=examples(12), deadline=None)
@given(item_id=st.integers(1, 10**17) | FIGURES, values=st.lists(FIGURES, min_size=len(FIELDS), max_size=len(FIELDS)))
def test_items_with_absurd_figures_are_kept_or_not_read(
    tmp_path_factory: pytest.TempPathFactory, item_id: object, values: list[object]
) -> None:
    """Whatever stands in their fields: state takes them, or the page is Transport."""
    pages = [[{"item_id": 1}, {"item_id": item_id, **dict(zip(FIELDS, values, strict=True))}]]
    world = World(tmp_path_factory.mktemp("shop"))

    class PageShop(HonestShop):
        def items(self, modified_since: datetime | None = None) -> Iterator[list[Item]]:
            for page in pages:
                yield items_of({"items": page})

    try:
        read_items(world.tools, PageShop("shop_1"), ShopAccount("shop_1"), lambda _items: {})
    except Transport:
        assert not isinstance(item_id, int) or isinstance(item_id, bool) or not 0 <= item_id < 10**18
    world.state.close()
