"""People and held rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.sync.people.holds import (
    approve,
    consequence_of_rejecting,
    decide,
    list_holds,
    reject,
    release_holds,
    show_hold,
)
from ecauto_pipeline_tests.sync.diffs.selling import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """One listing whose price wants to move from 1,000 to 2,580 yen: held."""
    world = World(tmp_path)
    world.list_item("1", 4000, cost_jpy=1000)  # wants 1,300: a fall of 67%
    account, _ = world.sync()
    assert (1, []) == (account.held, world.shop.edits)
    return world


def test_a_hold_says_what_and_why(world: World) -> None:
    """Shown, wanted, the reason, the evidence, its age; found by the beginning of its name."""
    world.later(hours=2)
    hold = list_holds(world.tools)[0]
    assert (4000, 1300, "move", "open", 7200) == (
        hold.shown,
        hold.wanted,
        hold.reason,
        hold.state,
        hold.age.total_seconds(),
    )
    assert (1300, 1000) == (hold.evidence["wanted"], hold.evidence["cost_jpy"])
    assert hold == show_hold(world.tools, hold.diff_id[:8])


@pytest.mark.parametrize("prefix", ["", "nothing-starts-so"])
def test_a_name_that_names_no_hold_is_an_error(world: World, prefix: str) -> None:
    """Nothing is approved by a name that fits none."""
    with pytest.raises(LookupError):
        approve(world.tools, [prefix])


def test_the_same_hold_keeps_its_name_and_age_and_is_counted_in_each_run(world: World) -> None:
    """Seen again by the next run: one row, held in both accounts."""
    world.later(minutes=10)
    account, _ = world.sync()
    assert 1 == account.held
    assert 1 == len(world.rows(decision="held"))


def test_an_approved_hold_is_sent_by_the_next_run(world: World) -> None:
    """Approved, by whom and when kept; the next run sends exactly that; then the matter is settled."""
    said = approve(world.tools, account=AccountKey("base", "shop_1"), who="tanaka")
    assert ("tanaka", "approved") == (said[0].evidence["approved_by"], said[0].state)
    dry, _ = world.sync(dry_run=True)
    account, _ = world.sync()
    assert ([("1", "price", 1300)], dry) == (world.shop.edits, account)
    world.sync()
    assert ["expired"] == [row["state"] for row in world.rows(decision="held")]
    assert 1 == len(world.shop.edits)


def test_an_approval_is_for_that_value_alone(world: World) -> None:
    """Amazon's price moved on before the next run: another value, a new hold, nothing sent."""
    approve(world.tools, everything=True)
    world.amazon("B000000001", 1100)
    account, _ = world.sync()
    assert (1, []) == (account.held, world.shop.edits)
    assert ["expired", "open"] == sorted(row["state"] for row in world.rows(decision="held"))


def test_a_rejected_change_stays_away_while_the_same_is_wanted(world: World) -> None:
    """Rejected: skipped(rejected) run after run; another value is judged anew."""
    reject(world.tools, everything=True, who="sato")
    for _ in range(2):
        account, _ = world.sync()
        assert (0, 1) == (account.held, account.skipped)
    world.amazon("B000000001", 2500)  # wants 3,250: an ordinary move
    world.sync()
    assert [("1", "price", 3250)] == world.shop.edits


def test_a_hold_is_settled_by_newer_facts(world: World) -> None:
    """What is shown is right after all: the hold expires by itself."""
    world.amazon("B000000001", 3077)  # wants 4,000
    account, _ = world.sync()
    assert (0, 0) == (account.held, len(list_holds(world.tools)))


def test_a_hold_outlives_facts_that_say_nothing(world: World) -> None:
    """Stale facts settle nothing: the hold stays open."""
    world.later(hours=30)
    world.read_shops()
    world.sync()
    assert 1 == len(list_holds(world.tools))


def test_of_two_people_the_later_is_told_and_the_rest_of_the_word_counts(tmp_path: Path) -> None:
    """What somebody decided, or newer facts settled, meanwhile keeps that; nothing is said twice of one row."""
    world = World(tmp_path)
    for item in ("1", "2", "3"):
        world.list_item(item, 4000, cost_jpy=1000)
    world.sync()
    first, second, third = (hold.diff_id for hold in list_holds(world.tools))
    approve(world.tools, [first], who="tanaka")
    world.amazon("B000000002" if show_hold(world.tools, second).key.item_id == "2" else "B000000003", 3077)
    world.later(minutes=5)
    world.sync()
    said = decide(world.tools, "reject", [first, second, third[:8]], who="sato (desk)")
    states = {hold.diff_id: hold.state for hold in (*said.done, *said.late)}
    assert {first: "approved", second: "expired", third: "rejected"} == states
    assert ([third], {first, second}) == ([hold.diff_id for hold in said.done], {hold.diff_id for hold in said.late})
    kept = {row["diff_id"]: row["evidence"] for row in world.rows(decision="held")}
    assert ("sato" in kept[first], "tanaka" in kept[first], "sato (desk)" in kept[third]) == (False, True, True)
    with pytest.raises(LookupError):
        decide(world.tools, "approve", [third, "nothing-starts-so"])


def test_release_sends_the_chosen_hold_and_nothing_else(world: World) -> None:
    """Another change that waits for its own run is not sent along."""
    world.list_item("2", 3000, cost_jpy=1984)
    hold = list_holds(world.tools)[0]
    looked = release_holds(world.tools.for_run(world.run(dry_run=True)), [hold.diff_id])
    assert (1, [], 1) == (looked.pushed.account.pushed, world.shop.edits, len(list_holds(world.tools)))
    report = release_holds(world.tools.for_run(world.run()), [hold.diff_id[:10]], who="tanaka")
    assert ([("1", "price", 1300)], 1, 1) == (world.shop.edits, report.approved, report.pushed.account.pushed)


def test_an_approved_mass_leaves_and_does_not_hold_up_the_others(tmp_path: Path) -> None:
    """60 hides approved: sent; five new ones beside them are judged for themselves."""
    world = World(tmp_path)
    for number in range(1, 201):
        world.list_item(str(number), 2580, cost_jpy=1984)
    for number in range(1, 61):
        world.amazon(f"B{number:09d}", None, "out_of_stock")
    world.sync()
    assert [] == world.shop.edits
    approve(world.tools, everything=True)
    for number in range(61, 66):
        world.amazon(f"B{number:09d}", None, "out_of_stock")
    account, _ = world.sync()
    assert (65, 65, 0) == (account.pushed, len(world.shop.edits), account.held)


def test_a_loss_is_hidden_while_its_price_is_held_and_comes_back_with_it(tmp_path: Path) -> None:
    """Shown far below the floor: the price waits for a person, the listing is off the shelf; approved, both return."""
    world = World(tmp_path)
    world.list_item("1", 1000, cost_jpy=1984)
    world.sync()
    assert [("1", "visibility", 0)] == world.shop.edits
    approve(world.tools, everything=True)
    world.sync()
    assert [("1", "price", 2580), ("1", "visibility", 1)] == world.shop.edits[1:]


def test_a_rejected_hide_says_that_the_item_keeps_selling(tmp_path: Path) -> None:
    """In Japanese and in English, with how many and which; a rejected price says nothing of the kind."""
    world = World(tmp_path, guards={"max_hide_rows": 3})
    for number in range(1, 11):
        world.list_item(str(number), 2580, cost_jpy=1984)
    for number in range(1, 8):
        world.amazon(f"B{number:09d}", None, "out_of_stock")
    world.list_item("11", 4000, cost_jpy=1000)
    world.sync()
    rejected = reject(world.tools, everything=True)
    assert 8 == len(rejected)
    japanese, english = consequence_of_rejecting(rejected)
    assert "7 件の商品は、公開されたまま販売が続きます" in japanese
    assert "the 7 items whose hide was rejected stay on show and keep selling" in english
    assert all("(1, 2, 3, 4, 5 ...)" in words for words in (japanese, english))
    assert () == consequence_of_rejecting([hold for hold in rejected if hold.reason == "move"])
    world.sync()
    assert [] == world.shop.edits


def test_hides_of_earlier_runs_count_for_a_day(tmp_path: Path) -> None:
    """15 of 100, then 10 more: a mass. Not so when the first came back, or a day later."""
    cases: list[tuple[Callable[[World], None], int]] = [(_nothing_happens, 10), (_comes_back, 0), (_a_day_passes, 0)]
    for number, (between, held) in enumerate(cases):
        folder = tmp_path / str(number)
        folder.mkdir()
        world = World(folder, guards={"max_hide_rows": 20})
        for item in range(1, 101):
            world.list_item(str(item), 2580, cost_jpy=1984)
        _sell_out(world, range(1, 16))
        account, _ = world.sync()
        assert (15, 0) == (account.pushed, account.held)
        between(world)
        _sell_out(world, range(51, 61))
        account, _ = world.sync()
        assert held == account.held


def _sell_out(world: World, items: range) -> None:
    for item in items:
        world.amazon(f"B{item:09d}", None, "out_of_stock")


def _nothing_happens(world: World) -> None:
    pass


def _comes_back(world: World) -> None:
    for item in range(1, 16):
        world.amazon(f"B{item:09d}", 1984)
    world.sync()


def _a_day_passes(world: World) -> None:
    world.later(hours=24, seconds=1)
    world.read_shops()
