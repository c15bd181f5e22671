"""Taking a run back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.state.schema_decisions import diffs, journal
from ecauto_pipeline.sync.people.rollback import rollback_run
from ecauto_pipeline_tests.sync.diffs.selling import NOW, HonestShop, ShopOutOfCalls, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """run-1 raised one price, lowered another, hid one, showed one again, restocked one."""
    world = World(tmp_path)
    world.list_item("1", 2200, cost_jpy=1984)
    world.list_item("2", 3000, cost_jpy=1984)
    world.list_item("3", 2580)
    world.amazon("B000000003", None, "out_of_stock")
    world.list_item("4", 2580, cost_jpy=1984, visible=False, hidden_by="ours")
    world.list_item("5", 2580, cost_jpy=1984, stock=0)
    account, _ = world.sync()
    assert 5 == account.pushed
    return world


def _state(world: World) -> list[tuple[int | None, bool | None, int | None]]:
    return [(item.price_jpy, item.visible, item.stock) for _, item in sorted(world.shop.stock.items())]


def test_a_rollback_puts_back_what_was_before(world: World) -> None:
    """Every edit undone, journalled as a rollback of that run; a second rollback finds nothing to do."""
    report = rollback_run(world.tools.for_run(world.run()), "run-1")
    before = [(2200, True, 1), (3000, True, 1), (2580, True, 1), (2580, False, 1), (2580, True, 0)]
    assert before == _state(world)
    assert (5, True) == (report.account.pushed, report.account.adds_up())
    assert 5 == len(world.rows(journal, rollback_of="run-1", outcome="done"))
    again = rollback_run(world.tools.for_run(world.run()), "run-1")
    assert (0, 10) == (again.account.pushed, len(world.shop.edits))


def test_a_price_that_goes_back_carries_what_is_left_of_a_sale(world: World) -> None:
    """As every row does: at the price that it leads to. 2,200 and 3,000 yen at the standard plan, the goods for 1,984:
    2,200 - 80 - 40 - 66 - 1,984 = 30; 3,000 - 108 - 40 - 90 - 1,984 = 778."""
    rollback_run(world.tools.for_run(world.run(dry_run=True)), "run-1")
    rows = world.rows(diffs, run_id="run-2", kind="price")
    assert {"1": (1984, 30), "2": (1984, 778)} == {row["item_id"]: (row["cost_jpy"], row["profit_jpy"]) for row in rows}


def test_a_dry_rollback_edits_nothing_and_says_the_same(world: World) -> None:
    """The same account, no edit, no row that a later run could send."""
    after = _state(world)
    dry = rollback_run(world.tools.for_run(world.run(dry_run=True)), "run-1")
    assert after == _state(world)
    live = rollback_run(world.tools.for_run(world.run()), "run-1")
    assert dry.account == live.account


def test_what_changed_since_is_left_alone(world: World) -> None:
    """Somebody set another price after the run: theirs stands."""
    world.shop.put("1", 2700)
    report = rollback_run(world.tools.for_run(world.run()), "run-1")
    assert 2700 == world.shop.stock["1"].price_jpy
    assert (("shop_1", "1", "price", "changed_since"),) == report.refused


def test_a_price_below_the_floor_is_not_restored(world: World) -> None:
    """Amazon charges more now: the old price would be a loss, it stays away."""
    world.amazon("B000000001", 2150)  # the floor is 2,258 yen by now
    report = rollback_run(world.tools.for_run(world.run()), "run-1")
    assert 2580 == world.shop.stock["1"].price_jpy
    assert (("shop_1", "1", "price", "price_min_markup"),) == report.refused
    assert 1 == report.account.blocked


def test_a_rollback_never_shows_what_the_blocklist_forbids(world: World) -> None:
    """Hidden by the run, blocked since: stays hidden."""
    world.change("3", blocked=1)
    report = rollback_run(world.tools.for_run(world.run()), "run-1")
    assert (("shop_1", "3", "visibility", "blocklist"),) == report.refused
    assert world.shop.stock["3"].visible is False


def test_an_unknown_run_is_an_error(world: World) -> None:
    """Nothing on record: said, nothing done."""
    with pytest.raises(LookupError):
        rollback_run(world.tools.for_run(world.run()), "run-99")


def test_a_rollback_cut_short_leaves_nothing_behind_for_later_runs(tmp_path: Path) -> None:
    """Out of calls in the middle: the rest is told, and no later run sends it."""
    shop = ShopOutOfCalls("shop_1", calls=1000, until=NOW)
    world = World(tmp_path, shop)
    for number in range(1, 7):
        world.list_item(str(number), 3000, cost_jpy=1984)
    world.sync()
    shop.calls = len(shop.edits) + 2
    report = rollback_run(world.tools.for_run(world.run()), "run-1")
    assert (2, 4) == (report.account.pushed, report.account.skipped)
    assert [] == world.rows(state="open")


def test_only_the_accounts_asked_for_are_taken_back(tmp_path: Path) -> None:
    """A rollback of one shop leaves the other as it is."""
    world = World(tmp_path, HonestShop("a"), HonestShop("b"))
    world.list_item("1", 3000, cost_jpy=1984)
    world.list_item("2", 3000, cost_jpy=1984, shop=1)
    world.sync()
    rollback_run(world.tools.for_run(world.run(accounts=(AccountKey("base", "b"),))), "run-1")
    assert (2580, 3000) == (world.shops[0].stock["1"].price_jpy, world.shops[1].stock["2"].price_jpy)


def test_what_a_shop_that_is_switched_off_keeps_is_named(world: World) -> None:
    """Nothing is said to be put back that was not looked at: skipped, with the reason, and the account adds up."""
    context = replace(world.tools.for_run(world.run()), shops={})
    report = rollback_run(context, "run-1")
    assert (0, 5, True) == (report.account.pushed, report.account.skipped, report.account.adds_up())
    assert {"shop_off"} == {why for *_, why in report.refused}
    assert 5 == len(report.refused)


def test_a_run_is_named_by_its_beginning(world: World) -> None:
    """As far as it is clear which one is meant."""
    assert ("run-1",) == rollback_run(world.tools.for_run(world.run(dry_run=True)), "run").targets
    world.list_item("6", 2200, cost_jpy=1984)
    world.sync()
    with pytest.raises(LookupError, match="2 runs begin with 'run-'"):
        rollback_run(world.tools.for_run(world.run(dry_run=True)), "run-")


def test_a_run_can_be_taken_back_as_often_as_its_rollback_was(tmp_path: Path) -> None:
    """A rollback that was itself taken back has put nothing back: what the run did stands again, and goes again."""
    world = World(tmp_path)
    world.list_item("1", 3000, cost_jpy=1984)
    world.sync()
    for target, price_jpy in (("run-1", 3000), ("run-2", 2580), ("run-1", 3000), ("run-4", 2580), ("run-1", 3000)):
        world.later(seconds=5)
        report = rollback_run(world.tools.for_run(world.run()), target)
        assert (1, price_jpy) == (report.account.pushed, world.shop.stock["1"].price_jpy)
    world.later(seconds=5)
    for target in ("run-1", "run-2", "run-4"):
        assert 0 == rollback_run(world.tools.for_run(world.run()), target).account.targets
