"""Pushing to a shop whose cart takes files: whoever dies when, each change is in exactly one file."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from ecauto_pipeline.state.schema_decisions import journal
from ecauto_pipeline_tests.processes import fresh
from ecauto_pipeline_tests.shops.csv.file_shop import sync_and_die, world_at
from ecauto_pipeline_tests.sync.diffs.selling import NOW, World

_MEND = {"1": "2600", "2": "2600"}


def a_world_killed(folder: Path, when: str) -> World:
    """Two prices to mend, and a run over them that was killed."""
    world, _ = world_at(folder)
    for number in ("1", "2"):
        world.list_item(number, 2000, cost_jpy=2000)
    run = fresh().Process(target=sync_and_die, args=(folder, when))
    run.start()
    run.join(100)
    assert -9 == run.exitcode
    assert [None, None] == [row["outcome"] for row in world.rows(journal)]
    return world


@pytest.mark.parametrize("when", ["before", "during"])
def test_killed_before_the_file_has_its_name_the_edits_are_made_anew(tmp_path: Path, when: str) -> None:
    """Intents without a file never happened, whatever temporary file lies about."""
    world = a_world_killed(tmp_path, when)
    world, shop = world_at(tmp_path)
    assert [] == shop.cart.files()
    account, report = world.sync(run_id="run-2")
    assert (2, 2, 0) == (account.pushed, report.settled_not_done, report.settled_done)
    (rows,) = shop.cart.told()
    assert _MEND == {row["item_id"]: row["price"] for row in rows}


def test_killed_after_the_file_has_its_name_nothing_is_written_twice(tmp_path: Path) -> None:
    """The file holds the rows: done, though nobody lived to say so."""
    world = a_world_killed(tmp_path, "after")
    world, shop = world_at(tmp_path)
    account, report = world.sync(run_id="run-2")
    assert (0, 2, 0) == (report.edits, report.settled_done, account.failed)
    assert ["done", "done"] == [row["outcome"] for row in world.rows(journal)]
    (rows,) = shop.cart.told()
    assert _MEND == {row["item_id"]: row["price"] for row in rows}


def test_a_run_with_nothing_new_writes_no_file(tmp_path: Path) -> None:
    """What we wrote stands until the cart exports anew: doing it once more does nothing."""
    world, shop = world_at(tmp_path)
    world.list_item("1", 2000, cost_jpy=2000)
    world.sync()
    account, report = world.sync()
    assert (0, 0, 1) == (report.edits, account.pushed, len(shop.cart.files()))


def test_a_file_that_vanishes_before_the_push_fails_that_shops_rows_alone(tmp_path: Path) -> None:
    """The rows end as failed with a word of why; nothing is written."""
    world, shop = world_at(tmp_path)
    world.list_item("1", 2000, cost_jpy=2000)
    shop.cart.items.unlink()
    account, report = world.sync()
    assert (1, (("store", "1", "price", "file_missing"),)) == (account.failed, report.failures)
    shop.cart.export(NOW - timedelta(minutes=30))
    assert (1, 1) == (world.sync()[0].pushed, len(shop.cart.files()))
