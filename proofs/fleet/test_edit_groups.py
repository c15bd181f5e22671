"""Intents of several edits written at once, in PostgreSQL: each edit once, a stop heard at the next call."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.domain.model import Kind
from ecauto_pipeline.state.schema_decisions import journal
from ecauto_pipeline.sync.people.rollback import rollback_run
from ecauto_pipeline.sync.people.stop import resume_pushing, stop_pushing
from ecauto_pipeline_tests.sync.diffs.selling import World, nothing

ROWS = 12


@pytest.fixture
def world(tmp_path: Path, state_url: str) -> Iterator[World]:
    """A shop with so many prices that are too low."""
    made = World(tmp_path, state_url=state_url)
    for number in range(1, ROWS + 1):
        made.list_item(str(number), 2300, cost_jpy=1984)
    yield made
    made.state.close()


def test_each_edit_is_made_once_and_taken_back_once(world: World) -> None:
    """However slow the shop: what is looked at again in mid-group is sent all the same."""

    def slow(_item: str, _kind: Kind, _value: int) -> None:
        assert isinstance(world.clock, ManualClock)
        world.clock.advance(0.4)

    world.shop.before_edit = slow
    account, _ = world.sync()
    assert (ROWS, ROWS) == (account.pushed, len({item for item, _, _ in world.shop.edits}))
    assert ROWS == len(world.shop.edits)
    report = rollback_run(world.tools.for_run(world.run()), "run-1")
    assert (ROWS, {2300}) == (report.account.pushed, {item.price_jpy for item in world.shop.stock.values()})


def test_a_stop_is_heard_at_the_next_call(world: World) -> None:
    """No intent of what did not leave stands, and all of it leaves afterwards."""

    def stop_after_three(_item: str, _kind: Kind, _value: int) -> None:
        if len(world.shop.edits) == 3:
            stop_pushing(world.tools, (), "owner")

    world.shop.after_edit = stop_after_three
    account, report = world.sync()
    assert (3, 3, ROWS - 3) == (len(world.shop.edits), account.pushed, report.reasons["skipped:paused"])
    assert ["done"] * 3 == [row["outcome"] for row in world.rows(journal)]
    world.shop.after_edit = nothing
    resume_pushing(world.tools, (), (), "owner")
    account, _ = world.sync()
    assert (ROWS - 3, ROWS) == (account.pushed, len(world.shop.edits))
