"""What is said before a run is undone is what then happens."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.domain.model import AccountKey, Kind
from ecauto_pipeline.errors import NotOnRecord
from ecauto_pipeline.state.schema_decisions import journal
from ecauto_pipeline.sync.people.rollback import rollback_run
from ecauto_pipeline.sync.people.rollback_preview import UndoPreview, preview_rollback
from ecauto_pipeline_tests.sync.diffs.selling import World

SHOP = AccountKey("base", "shop_1")


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
    world.sync()
    return world


def becomes(preview: UndoPreview) -> dict[tuple[str, Kind], tuple[str, str, str]]:
    return {(row.key.item_id, row.kind): (row.becomes, row.reason, row.by_run) for row in preview.rows}


def test_the_preview_says_what_the_rollback_does(world: World) -> None:
    """One price may not go back, one listing is blocked since: the same rows go back, the same stay, for the same
    reasons; no shop is asked for it and nothing is written."""
    world.amazon("B000000001", 2150)  # the floor is 2,258 yen by now
    world.change("3", blocked=1)
    edits = len(world.shop.edits)
    preview = preview_rollback(world.tools, "run-1", (SHOP,))
    assert (edits, []) == (len(world.shop.edits), world.rows(journal, rollback_of="run-1"))
    report = rollback_run(world.tools.for_run(world.run()), "run-1")
    assert (3, report.account.pushed) == (preview.count("back"), preview.count("back"))
    refused = {(item, kind): why for _, item, kind, why in report.refused}
    left = {(row.key.item_id, row.kind.value): row.reason for row in preview.rows if row.becomes == "left"}
    assert refused == left
    again = preview_rollback(world.tools, "run-1", (SHOP,))
    assert (3, 0) == (again.undone, again.count("back"))


def test_who_changed_a_row_since_is_named(world: World) -> None:
    """A later run, or else somebody at the shop; what is as before already needs nothing."""
    world.change("2", shown_price_jpy=2700)
    assert isinstance(world.clock, ManualClock)
    world.clock.advance(60)
    world.amazon("B000000001", 2100)
    world.sync()
    now = becomes(preview_rollback(world.tools, "run-1", (SHOP,)))
    assert ("left", "changed_since", "run-2") == now["1", Kind.PRICE]
    world.change("1", shown_price_jpy=3100)
    world.change("2", shown_price_jpy=3000)
    now = becomes(preview_rollback(world.tools, "run-1", (SHOP,)))
    assert ("left", "changed_since", "") == now["1", Kind.PRICE]
    assert ("left", "", "") == now["2", Kind.PRICE]


def test_a_loss_that_can_not_go_back_is_hidden(world: World) -> None:
    """As the rollback does: it is on sale below the floor, and its earlier price is one, too."""
    world.amazon("B000000001", 5000)
    now = becomes(preview_rollback(world.tools, "run-1", (SHOP,)))
    assert ("left", "price_min_markup") == now["1", Kind.PRICE][:2]
    assert ("hidden", "rollback_price") == now["1", Kind.VISIBILITY][:2]


def test_a_shop_that_is_off_and_a_run_without_edits(world: World) -> None:
    """Each row says so; a run that changed nothing can't be undone."""
    assert {("left", "shop_off", "")} == set(becomes(preview_rollback(world.tools, "run-1", ())).values())
    with pytest.raises(NotOnRecord):
        preview_rollback(world.tools, "run-99", (SHOP,))
