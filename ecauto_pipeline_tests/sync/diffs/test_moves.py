"""Prices that move in several steps, and the prices of a whole shop."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecauto_pipeline.sync.people.holds import approve, list_holds
from ecauto_pipeline.sync.people.rollback import rollback_run
from ecauto_pipeline_tests.sync.diffs.selling import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """One listing at 10,000 yen; Amazon's price has fallen so that 5,500 is right."""
    world = World(tmp_path)
    world.list_item("1", 10_000, cost_jpy=4231)
    return world


def again(world: World, cost_jpy: int, hours: float = 1) -> None:
    """A later hour: read anew, another price at Amazon, a whole run."""
    world.later(hours=hours)
    world.read_shops()
    world.amazon("B000000001", cost_jpy)
    world.sync()


def test_two_steps_of_45_percent_are_held(world: World) -> None:
    """Each may be; together they are -70% in a day. The evidence names the step before."""
    world.sync()
    again(world, 2327)
    assert [("1", "price", 5500)] == world.shop.edits
    (hold,) = list_holds(world.tools)
    assert ("moves", 5500, 3030) == (hold.reason, hold.shown, hold.wanted)
    assert (10_000, 1) == (hold.evidence["from"], len(list(str(hold.evidence["steps"]).split("->"))) - 1)


def test_what_was_approved_does_not_count_again(world: World) -> None:
    """A person said yes to the sum: it is sent, and the next step is measured from there."""
    world.sync()
    again(world, 2327)
    approve(world.tools, everything=True)
    again(world, 2327)
    again(world, 1281)
    assert [5500, 3030, 1670] == [value for _, _, value in world.shop.edits]
    again(world, 900)
    assert ["moves"] == [hold.reason for hold in list_holds(world.tools)]


def test_the_window_ends(world: World) -> None:
    """A day later the step is the first of its window."""
    world.sync()
    again(world, 2327, hours=24.1)
    assert [5500, 3030] == [value for _, _, value in world.shop.edits]


def test_a_run_taken_back_is_a_new_beginning(world: World) -> None:
    """8,000 to 5,500 to 4,000, the last one taken back: a person stands behind 5,500, and 2,800 is measured from it."""
    world.change("1", shown_price_jpy=8000)
    world.shop.put("1", 8000)
    world.sync()
    again(world, 3077)
    world.later(minutes=5)
    rollback_run(world.tools.for_run(world.run()), "run-2")
    again(world, 2154)
    assert [5500, 4000, 5500, 2800] == [value for _, _, value in world.shop.edits]


def shop_of(folder: Path, count: int = 100) -> World:
    world = World(folder)
    for number in range(1, count + 1):
        world.list_item(str(number), 2580, cost_jpy=1984)
    return world


def fallen(world: World, numbers: range, cost_jpy: int = 1700) -> None:
    for number in numbers:
        world.amazon(f"B{number:09d}", cost_jpy)


def test_a_crash_over_a_shop_is_held_as_one(tmp_path: Path) -> None:
    """Every price falls by 14%: all wait, one line in the summary, and the one rise leaves. Approved, they all go."""
    world = shop_of(tmp_path)
    fallen(world, range(1, 100))
    world.amazon("B000000100", 2500)
    world.sync()
    assert [("100", "price", 3250)] == world.shop.edits
    assert {("price", "account_fall")} == {(hold.kind, hold.reason) for hold in list_holds(world.tools)}
    approve(world.tools, everything=True)
    world.later(minutes=30)
    world.sync()
    assert 100 == len(world.shop.edits)


def test_a_crash_in_portions_is_one_too(tmp_path: Path) -> None:
    """Sixty of a hundred fall by 14% and are sent; the next thirty make it a crash and wait."""
    world = shop_of(tmp_path)
    fallen(world, range(1, 61))
    world.sync()
    assert 60 == len(world.shop.edits)
    world.later(minutes=10)
    fallen(world, range(61, 91))
    world.sync()
    assert (60, 30) == (len(world.shop.edits), len(list_holds(world.tools)))
