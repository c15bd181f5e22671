"""What a run decides, and what becomes of what earlier runs decided."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.domain.selling.row_counts import RowCounts
from ecauto_pipeline_tests.sync.diffs.selling import NOW, HonestShop, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_decision_says_how_well_its_article_sold(tmp_path: Path) -> None:
    """The tier of its ASIN at that moment, in state and on its way to history; never asked about is the lowest."""
    world = World(tmp_path)
    sold, viewed = to_ms(NOW - timedelta(days=1)), to_ms(NOW - timedelta(days=2))
    world.amazon(world.list_item("1", 1000), 2000, last_sold_at=sold)
    world.amazon(world.list_item("2", 1000), 2000, last_viewed_at=viewed)
    world.list_item("3", 1000)
    world.decide(world.run())
    assert {("1", "high"), ("2", "medium"), ("3", "low")} == {(row["item_id"], row["tier"]) for row in world.rows()}


def test_a1_out_of_stock_hides_in_the_same_run_and_leaves_the_price(world: World) -> None:
    """Amazon answers that there is no offer: the listing is hidden by us, its price is not touched."""
    asin = world.list_item("1", 2580, cost_jpy=1984)
    world.amazon(asin, None, "out_of_stock")
    account, report = world.sync()
    assert world.shop.edits == [("1", "visibility", 0)]
    assert (1, 0) == (account.pushed, account.failed)
    listing = world.listing("1")
    assert (0, "ours", "out_of_stock", 2580) == (
        listing["shown_visible"],
        listing["hidden_by"],
        listing["hidden_reason"],
        listing["shown_price_jpy"],
    )
    assert 1 == report.edits


def test_a2_an_error_changes_nothing(world: World) -> None:
    """Facts that carry an old answer are stale, not wrong: no push, the reason told."""
    world.list_item("1", 9999, cost_jpy=1984)
    world.later(hours=30)
    world.read_shops()
    account, _ = world.sync()
    assert [] == world.shop.edits
    assert ("1", "price", "skipped", "stale_price") in world.decisions()
    assert 0 == account.pushed


def test_a5_a_cost_beyond_the_limits_blocks_the_price_and_hides_the_listing(world: World) -> None:
    """amazon 150,000 at 1.3 with max 100,000: no price push, the price blocked, the loss taken off the shelf."""
    world.list_item("1", 100_000, cost_jpy=150_000)
    account, _ = world.sync()
    assert [("1", "visibility", 0)] == world.shop.edits
    assert ("1", "price", "blocked", "price_max_price") in world.decisions()
    assert ("1", "visibility", "push", "price_blocked") in world.decisions()
    assert (1, 1) == (account.blocked, account.pushed)


def test_a6_no_amazon_price_means_no_price_diff(world: World) -> None:
    """A listing without any Amazon price is waited for: nothing pushed, nothing removed."""
    world.list_item("1", 2580)
    account, _ = world.sync()
    assert [] == world.shop.edits
    assert {"never_fetched"} == {reason for *_, reason in world.decisions(decision="skipped")}
    assert account.adds_up()


@pytest.mark.parametrize(("hidden_by", "shown"), [("person", 0), ("", 0), ("ours", 1), ("owner_scripts", 1)])
def test_a7_only_what_we_hid_is_shown_again(world: World, hidden_by: str, shown: int) -> None:
    """In stock and hidden: shown again when it was ours to hide, left alone when a person hid it."""
    world.list_item("1", 2580, cost_jpy=1984, visible=False, hidden_by=hidden_by)
    world.sync()
    assert bool(shown) is world.shop.stock["1"].visible


def test_a7_the_blocklist_wins(world: World) -> None:
    """A blocked ASIN that is in stock and was hidden by us stays hidden; a public one is hidden."""
    world.list_item("1", 2580, cost_jpy=1984, visible=False, hidden_by="ours", blocked=1)
    world.list_item("2", 2580, cost_jpy=1984, blocked=1)
    world.sync()
    assert [("2", "visibility", 0)] == world.shop.edits


def test_a12_a_sold_piece_is_restocked_only_on_fresh_proof(world: World) -> None:
    """BASE stock 0, public, in stock at Amazon: back to 1. Stale facts: no restock. Out of stock: hidden instead."""
    world.list_item("1", 2580, cost_jpy=1984, stock=0)
    world.list_item("2", 2580, stock=0)
    old = to_ms(world.clock.now() - timedelta(hours=30))
    world.amazon("B000000002", 1984, price_at=old, stock_at=old)
    world.list_item("3", 2580, stock=0)
    world.amazon("B000000003", None, "out_of_stock")
    planned, _ = world.sync(dry_run=True)
    assert [] == world.shop.edits
    account, _ = world.sync()
    assert [("3", "visibility", 0), ("1", "stock", 1)] == world.shop.edits
    assert planned == account


def test_a14_the_numbers_add_up_and_every_reason_is_told(world: World) -> None:
    """targets = unchanged + decided, one row for each target that is not unchanged."""
    world.list_item("1", 2580, cost_jpy=1984)
    world.list_item("2", 3000, cost_jpy=1984)
    world.list_item("3", 2580)
    report = world.decide(world.run())
    assert RowCounts(targets=9, pushed=1, unchanged=6, skipped=2) == report.account
    assert {"push:moved": 1, "skipped:never_fetched": 2} == report.reasons
    assert 3 == len(world.rows())


def test_numbers_of_a_run_start_at_nothing(world: World) -> None:
    """A11: what failed or was pushed in one run is not in the figures of the next."""
    world.list_item("1", 3000, cost_jpy=1984)
    first, _ = world.sync()
    second, report = world.sync()
    assert (1, 0) == (first.pushed, second.pushed)
    assert 0 == report.edits


def test_a_shop_that_was_not_read_is_left_alone(world: World) -> None:
    """Its changes wait as skipped rows with the reason; the unchanged ones are unchanged."""
    world.list_item("1", 3000, cost_jpy=1984)
    world.read_shops(breaker="not_read")
    report = world.decide(world.run())
    assert {"skipped:not_read": 1} == report.reasons
    assert 1 == report.waiting


def test_a_later_run_supersedes_what_was_never_sent(world: World) -> None:
    """Two runs want the same: one open row stands, the newer one."""
    world.list_item("1", 3000, cost_jpy=1984)
    world.decide(world.run())
    world.decide(world.run())
    assert ["superseded", "open"] == [row["state"] for row in sorted(world.rows(), key=lambda row: row["run_id"])]


def test_a_dry_run_leaves_the_open_rows_of_a_live_run_alone(world: World) -> None:
    """A dry run between deciding and pushing changes nothing: its own rows are closed, the live ones are sent."""
    world.list_item("1", 3000, cost_jpy=1984)
    live = world.run()
    world.decide(live)
    account, report = world.sync(dry_run=True)
    assert (1, 0, []) == (account.pushed, report.edits, world.shop.edits)
    assert {"open", "closed"} == {row["state"] for row in world.rows()}
    world.sync(dry_run=False)
    assert [("1", "price", 2580)] == world.shop.edits


def test_the_hourly_run_mends_the_floor_alone(world: World) -> None:
    """include_price = floor: a loss is corrected, an ordinary move waits; never: there are no price targets."""
    world.list_item("1", 1600, cost_jpy=1400)  # 1,600 / 1,400 is above the floor: an ordinary move
    world.list_item("2", 1400, cost_jpy=1400)
    never, _ = world.sync(include_price="never")
    assert (4, []) == (never.targets, world.shop.edits)
    account, _ = world.sync(include_price="floor")
    assert [("2", "price", 1820)] == world.shop.edits
    assert 6 == account.targets


def test_the_hourly_run_sends_what_the_nightly_run_left_open(world: World) -> None:
    """A price push left over by a full run leaves with the next floor run, while it is still what the rule wants."""
    world.list_item("1", 3000, cost_jpy=1984)
    world.list_item("2", 3000, cost_jpy=1984)
    world.decide(world.run())
    world.amazon("B000000002", 2000)  # another price since: wanted is no longer what was decided
    account, _ = world.sync(include_price="floor")
    assert [("1", "price", 2580)] == world.shop.edits
    assert (1, 5) == (account.pushed, account.unchanged)


def test_max_items_judges_the_best_sellers(world: World) -> None:
    """A limited run judges the listings sold last and nothing else."""
    for number in ("1", "2", "3"):
        world.list_item(number, 3000, cost_jpy=1984)
    world.amazon("B000000002", 1984, last_sold_at=to_ms(world.clock.now()))
    account, _ = world.sync(max_items=1)
    assert [("2", "price", 2580)] == world.shop.edits
    assert 3 == account.targets


def test_a_mass_of_hides_waits_and_the_rest_goes_on(tmp_path: Path) -> None:
    """60 of 100 listings gone at once: held with evidence, none hidden; a price change still leaves."""
    world = World(tmp_path)
    for number in range(1, 101):
        world.list_item(str(number), 2580, cost_jpy=1984)
    for number in range(1, 61):
        world.amazon(f"B{number:09d}", None, "out_of_stock")
    world.amazon("B000000100", 2500)
    account, _ = world.sync()
    assert [("100", "price", 3250)] == world.shop.edits
    assert 60 == account.held
    assert {"mass_hide"} == {reason for *_, reason in world.decisions(decision="held")}


def test_a_held_mass_does_not_leak_as_it_shrinks(tmp_path: Path) -> None:
    """The mass falls under the limit as some come back: what nobody looked at again stays held and keeps its age."""
    world = World(tmp_path)
    for number in range(1, 101):
        world.list_item(str(number), 2580, cost_jpy=1984)
    for number in range(1, 61):
        world.amazon(f"B{number:09d}", None, "out_of_stock")
    world.sync()
    held = {row["item_id"]: row["diff_id"] for row in world.rows(decision="held")}
    for number in range(1, 41):
        world.amazon(f"B{number:09d}", 1984)
    account, _ = world.sync()
    assert (20, []) == (account.held, world.shop.edits)
    open_ones = {row["item_id"]: row["diff_id"] for row in world.rows(decision="held", state="open")}
    assert {item: held[item] for item in map(str, range(41, 61))} == open_ones
    assert 40 == len(world.rows(decision="held", state="expired"))
    world.later(minutes=5)
    for number in range(41, 61):
        world.amazon(f"B{number:09d}", None, "out_of_stock")
    world.sync()
    assert 20 == len(world.shop.edits)


def test_accounts_are_guarded_one_by_one(tmp_path: Path) -> None:
    """A mass in one shop holds nothing of another."""
    world = World(tmp_path, HonestShop("shop_1"), HonestShop("shop_2"))
    for number in range(1, 61):
        world.list_item(str(number), 2580, cost_jpy=None)
        world.amazon(f"B{number:09d}", None, "out_of_stock")
    world.list_item("99", 2580, shop=1)
    world.amazon("B000000099", None, "out_of_stock")
    world.sync()
    assert ([], [("99", "visibility", 0)]) == (world.shops[0].edits, world.shops[1].edits)
