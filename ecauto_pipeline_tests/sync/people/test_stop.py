"""A person stops all pushing, and lets it go on."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecauto_pipeline.domain.model import AccountKey, Kind
from ecauto_pipeline.state import stops
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.schema_decisions import journal
from ecauto_pipeline.sync.people.holds import release_holds
from ecauto_pipeline.sync.people.plan_files import apply_plan, make_plan
from ecauto_pipeline.sync.people.rollback import rollback_run
from ecauto_pipeline.sync.people.stop import resume_pushing, stop_pushing
from ecauto_pipeline_tests.sync.base_updates.test_edits_together import ShopWithAnOutbox
from ecauto_pipeline_tests.sync.diffs.selling import HonestShop, World

A, B, C = (AccountKey("base", name) for name in "abc")


def four(world: World, shop: int = 0, start: int = 1) -> None:
    """A hide and three prices."""
    for number in range(start, start + 3):
        world.list_item(str(number), 2200, cost_jpy=1984, shop=shop)
    world.list_item(str(start + 3), 2580, shop=shop)
    world.amazon(f"B{start + 3:09d}", None, "out_of_stock")


def test_nothing_leaves_while_it_is_stopped_not_even_a_hide_and_all_of_it_afterwards(tmp_path: Path) -> None:
    """Every row is skipped as `paused` and counted, waits, and is judged anew by the first run after it is resumed."""
    world = World(tmp_path)
    four(world)
    stop_pushing(world.tools, (), "owner")
    _, report = world.sync()
    assert ([], 4, {"skipped:paused": 4}, 4) == (
        world.shop.edits,
        report.account.skipped,
        dict(report.reasons),
        report.waiting,
    )
    assert [("shop_1", "owner")] == [(one.account, one.who) for one in report.shops.stopped]
    resume_pushing(world.tools, (), (), "owner")
    account, report = world.sync()
    assert (4, ()) == (account.pushed, report.shops.stopped)


def test_a_run_under_way_stops_at_its_next_edit(tmp_path: Path) -> None:
    """Stopped from elsewhere after the second edit: that one ends, no third is sent, no intent is left open."""
    world = World(tmp_path)
    four(world)

    def stop_after_two(_item: str, _kind: Kind, _value: int) -> None:
        if len(world.shop.edits) == 2:
            with Database(str(world.state.url)).write() as connection:
                stops.put(connection, (), world.clock.now(), "another process")

    world.shop.after_edit = stop_after_two
    account, report = world.sync()
    assert (2, 2, 2) == (len(world.shop.edits), account.pushed, report.reasons["skipped:paused"])
    assert ["done", "done"] == [row["outcome"] for row in world.rows(journal)]


def test_edits_that_leave_together_do_not_leave(tmp_path: Path) -> None:
    """Stopped after the last was taken in: none of them leaves, and none counts as sent."""
    shop = ShopWithAnOutbox("shop_1")
    world = World(tmp_path, shop)
    four(world)

    def take(item_id: str, kind: Kind, value: int) -> None:
        shop.outbox.append((item_id, kind, value))
        if len(shop.outbox) == 4:
            with world.state.write() as connection:
                stops.put(connection, (), world.clock.now(), "owner")

    shop.edit = take  # type: ignore[method-assign]  # the shop at hand is told to do one thing more
    _, report = world.sync()
    assert ([], 0, 4) == (shop.edits, shop.flushes, report.account.skipped)
    assert [] == world.rows(journal)


def test_one_shop_is_stopped_and_the_other_goes_on(tmp_path: Path) -> None:
    """The stop is that shop's alone."""
    world = World(tmp_path, HonestShop("a"), HonestShop("b"))
    four(world)
    four(world, shop=1, start=11)
    stop_pushing(world.tools, (A,), "owner")
    world.sync()
    assert (0, 4) == tuple(len(shop.edits) for shop in world.shops)


def test_a_persons_release_and_plan_wait_too_and_a_dry_run_does_not(tmp_path: Path) -> None:
    """All pushing means all; what would leave can be looked at meanwhile."""
    world = World(tmp_path)
    four(world)
    world.list_item("9", 10_000, cost_jpy=1984)
    world.sync()
    held = world.rows(decision="held")[0]["diff_id"]
    sent = len(world.shop.edits)
    stop_pushing(world.tools, (), "owner")
    release_holds(world.tools.for_run(world.run()), [held], "owner")
    world.amazon("B000000001", 1600)
    dry = world.run(dry_run=True)
    world.decide(dry)
    plan = make_plan(world.tools.for_run(dry))
    assert len(plan["rows"]) > 0
    apply_plan(world.tools.for_run(world.run()), plan)
    account, _ = world.sync(dry_run=True)
    assert (sent, True) == (len(world.shop.edits), account.pushed > 0)


def test_what_a_person_takes_back_leaves_all_the_same(tmp_path: Path) -> None:
    """That is what a stop is for."""
    world = World(tmp_path)
    four(world)
    world.sync()
    stop_pushing(world.tools, (), "owner")
    report = rollback_run(world.tools.for_run(world.run()), "run-1")
    assert (4, 2200, True) == (report.account.pushed, world.shop.stock["1"].price_jpy, world.shop.stock["4"].visible)


@pytest.mark.parametrize(
    ("stopped", "resumed", "still"),
    [
        ([()], (), set()),
        ([()], (A,), {B, C}),
        ([(A,)], (A,), set()),
        ([(A,), (B,)], (A,), {B}),
        ([(A,), (B,)], (), set()),
        ([(B,), ()], (B,), {A, C}),
        ([(A,)], (B,), {A}),
        ([], (), set()),
    ],
)
def test_what_goes_on_when_it_is_resumed(
    tmp_path: Path, stopped: list[tuple[AccountKey, ...]], resumed: tuple[AccountKey, ...], still: set[AccountKey]
) -> None:
    """Exactly the shops that are named, all without a name; who stopped the others and when is kept, over a restart."""
    world = World(tmp_path, *(HonestShop(name) for name in "abc"))
    for accounts in stopped:
        stop_pushing(world.tools, accounts, "owner")
    began = world.clock.now()
    world.later(hours=1)
    ended = resume_pushing(world.tools, resumed, (A, B, C), "somebody")
    with Database(str(world.state.url)).read() as connection:
        found = {key: stop for key in (A, B, C) if (stop := stops.stop_of(connection, key)) is not None}
    assert still == set(found)
    assert {("owner", began)} >= {(stop.who, stop.since) for stop in found.values()}
    assert bool(ended) == (len(still) < len({key for keys in stopped for key in keys or (A, B, C)}))


def test_a_shop_that_is_added_later_is_stopped_with_every_shop(tmp_path: Path) -> None:
    """ "Every shop" is no list of those of today; and a second word does not make the stop a younger one."""
    world = World(tmp_path)
    began = world.clock.now()
    stop_pushing(world.tools, (), "owner")
    world.later(hours=1)
    stop_pushing(world.tools, (), "somebody")
    with world.state.read() as connection:
        stop = stops.stop_of(connection, AccountKey("base", "new"))
    assert ("owner", began) == (stop and stop.who, stop and stop.since)
