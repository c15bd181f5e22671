"""A skip is stored when it differs from the last of its target; the counts of a run hold it all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.state import decisions_for_history
from ecauto_pipeline_tests.sync.diffs.selling import NOW, HonestShop, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Two items: of one Amazon was never asked, the other's price is right."""
    made = World(tmp_path, HonestShop("shop_1"), HonestShop("shop_2"))
    made.list_item("1", 1300)
    made.list_item("2", 1300, cost_jpy=1000)
    return made


def skips(world: World, **wanted: object) -> list[tuple[str, str, str]]:
    """(run, kind, reason) of the skips on record."""
    found = [row for row in world.rows(**wanted) if row["decision"] == "skipped"]
    return sorted((row["run_id"], row["kind"], row["reason"]) for row in found)


@pytest.mark.parametrize("dry_run", [False, True])
def test_what_every_run_says_is_stored_once(world: World, dry_run: bool) -> None:
    """A shop with 53 runs an hour keeps a row, not 53; each run counts it, and so do its figures."""
    said = [world.decide(world.run(dry_run=dry_run)) for _ in range(3)]
    assert [("run-1", "price", "never_fetched"), ("run-1", "visibility", "never_fetched")] == skips(world)
    assert [2, 2, 2] == [one.account.skipped for one in said]
    assert said[0].reasons == said[2].reasons


def test_another_reason_is_stored_and_so_is_the_old_one_after_it(world: World) -> None:
    """Whoever asks why finds each change of mind."""
    for status in ("", "not_found", ""):
        if status:
            world.amazon("B000000001", None, status)
        world.decide(world.run())
        world.later(minutes=10)
    world.amazon("B000000001", None, None)  # type: ignore[arg-type]  # no answer is known any more
    world.decide(world.run())
    assert ["never_fetched", "no_offer", "never_fetched"] == [why for _, kind, why in skips(world) if kind == "price"]


def test_another_value_shown_is_stored(world: World) -> None:
    """The past of what a shop shows is read from decisions."""
    for price_jpy in (1300, 1500, 1500):
        world.change("1", shown_price_jpy=price_jpy)
        world.decide(world.run())
    assert ["run-1", "run-2"] == [run for run, kind, _ in skips(world) if kind == "price"]


def test_what_has_left_the_record_is_stored_again(world: World) -> None:
    """A row lives three days: what still holds stands in history at least so often."""
    world.decide(world.run())
    with world.state.write() as connection:
        decisions_for_history.mark_exported(connection, decisions_for_history.unexported(connection, 10))
        decisions_for_history.forget(connection, NOW.replace(hour=4))
    world.decide(world.run())
    assert ["run-2", "run-2"] == [run for run, *_ in skips(world)]


def test_of_a_closed_shop_it_is_stored_since_it_was_closed(world: World) -> None:
    """Each time that a shop is closed the alert names what can't reach it."""
    world.amazon("B000000002", 2000)
    closed = {"breaker": "token", "breaker_since": to_ms(NOW)}
    for _ in range(2):
        world.read_shops(**closed)
        world.decide(world.run())
        world.later(minutes=10)
    assert [("run-1", "price", "account_blocked")] == skips(world, item_id="2", kind="price")
    world.read_shops(**closed | {"breaker_since": to_ms(world.clock.now())})
    world.later(minutes=1)
    world.decide(world.run())
    assert ["run-1", "run-3"] == [
        run for run, _, why in skips(world, item_id="2", kind="price") if why == "account_blocked"
    ]


def test_of_a_shop_that_is_not_read_it_is_stored_once_since_it_was_read_last(world: World) -> None:
    """No breaker tells since when; a held row is judged by every run, and says the same in each."""
    world.amazon("B000000002", 4000)
    world.sync()
    assert [("2", "price", "held", "move")] == world.decisions(decision="held")
    for _ in range(2):  # it grows too old, is read, and grows too old again
        world.later(hours=2)
        for _ in range(3):
            world.decide(world.run())
            world.later(minutes=10)
        world.read_shops()
        world.decide(world.run())
    assert [("run-2", "price", "not_read"), ("run-6", "price", "not_read")] == skips(world, item_id="2")


def test_beside_a_price_to_be_sent_it_is_stored(world: World) -> None:
    """Where the price fails the run hides the listing, and takes off its account what it had decided before."""
    world.list_item("3", 1300, cost_jpy=1300, visible=False, hidden_by="person")
    for _ in range(2):
        world.decide(world.run())
    assert [("3", "price", "push", "below_floor")] == world.decisions(item_id="3", run_id="run-2", kind="price")
    assert ["run-1", "run-2"] == [run for run, kind, _ in skips(world, item_id="3") if kind == "visibility"]
