"""Laws of pushing at the edge of an hour, where a shop takes no edits for a moment."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from ecauto_pipeline.clock import Clock, ManualClock
from ecauto_pipeline.domain.model import Kind
from ecauto_pipeline.errors import BudgetSpent, Stopped
from ecauto_pipeline.shops.protocol import Item
from ecauto_pipeline.state import stops
from ecauto_pipeline.state.schema import shop_accounts
from ecauto_pipeline.state.schema_decisions import journal
from ecauto_pipeline.sync.short_waits import A_MOMENT, MOST_WAITS
from ecauto_pipeline_tests.sync.diffs.selling import NOW, HonestShop, World


class ShopAtTheEdge(HonestShop):
    """After `calls` edits it refuses `times` of them, and says each time: in a minute."""

    def __init__(self, account_id: str, clock: Clock, calls: int, times: int) -> None:
        super().__init__(account_id)
        self.clock, self.calls, self.times = clock, calls, times
        self.meanwhile: Callable[[], None] = lambda: None

    def edit(self, item_id: str, kind: Kind, value: int) -> Item | None:
        if len(self.edits) >= self.calls and self.times:
            self.times -= 1
            self.meanwhile()
            raise BudgetSpent("hour_api_limit", self.clock.now() + A_MOMENT)
        return super().edit(item_id, kind, value)


def _world(folder: Path, times: int) -> World:
    clock = ManualClock(NOW)
    world = World(folder, ShopAtTheEdge("shop_1", clock, 3, times), clock=clock)
    for number in range(1, 11):
        world.list_item(str(number), 2000, cost_jpy=1984)
    return world


def edge_of(world: World) -> ShopAtTheEdge:
    assert isinstance(world.shop, ShopAtTheEdge)
    return world.shop


@pytest.mark.parametrize("times", [1, MOST_WAITS])
def test_what_opens_in_a_moment_is_waited_for(tmp_path: Path, times: int) -> None:
    """Every row leaves once in this run, nobody is told that calls were lacking, and no breaker keeps others away."""
    world = _world(tmp_path, times)
    account, report = world.sync()
    assert (10, 0, ()) == (account.pushed, account.skipped, report.alerts)
    assert sorted(map(str, range(1, 11))) == sorted(item for item, _, _ in world.shop.edits)
    assert {"done"} == {row["outcome"] for row in world.rows(journal)}
    assert times * A_MOMENT == world.clock.now() - NOW
    assert {""} == {row["breaker"] for row in world.rows(shop_accounts)}


def test_a_moment_that_does_not_end_ends_the_worker(tmp_path: Path) -> None:
    """Five waits, then its rows are the next run's and no intent is left behind."""
    world = _world(tmp_path, MOST_WAITS + 1)
    account, report = world.sync()
    assert (3, 7) == (account.pushed, account.skipped)
    assert ({"skipped:hour_api_limit": 7}, 7) == (dict(report.reasons), report.waiting)
    assert ["done"] * 3 == [row["outcome"] for row in world.rows(journal)]
    world.later(minutes=1)
    assert 7 == world.sync()[0].pushed


def test_who_stops_the_pushing_meanwhile_has_stopped_it(tmp_path: Path) -> None:
    """What was to leave before the wait is looked at again after it."""
    world = _world(tmp_path, 1)

    def stop() -> None:
        with world.state.write() as connection:
            stops.put(connection, (), NOW, "another process")

    edge_of(world).meanwhile = stop
    account, report = world.sync()
    assert (3, 7, {"skipped:paused": 7}) == (account.pushed, account.skipped, dict(report.reasons))
    assert ["done"] * 3 == [row["outcome"] for row in world.rows(journal)]


def test_whoever_asks_the_run_to_end_waits_for_nothing(tmp_path: Path) -> None:
    """The wait is over at once, and the row that was refused is the next run's."""
    world = _world(tmp_path, 1)
    edge_of(world).meanwhile = world.tools.stop.set
    with suppress(Stopped):
        world.sync()
    assert NOW == world.clock.now()
    assert ["done"] * 3 == [row["outcome"] for row in world.rows(journal)]
    world.tools.stop.clear()
    assert 7 == world.sync()[0].pushed
