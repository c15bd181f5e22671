"""Keeping the price that is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecauto_pipeline.errors import NotOnRecord
from ecauto_pipeline.sync.people.holds import approve, list_holds, show_hold
from ecauto_pipeline.sync.people.keep_price import keep_price
from ecauto_pipeline.sync.people.rule_edits import own_rule
from ecauto_pipeline_tests.sync.diffs.selling import HonestShop, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """One ASIN in two shops, whose price wants to fall from 4,000 to 1,300 yen: held in both."""
    world = World(tmp_path, HonestShop("shop_1"), HonestShop("shop_2"), paths={"rules": str(tmp_path / "rules.csv")})
    world.list_item("1", 4000, cost_jpy=1000)
    world.list_item("2", 4000, asin="B000000001", shop=1)
    world.sync()
    return world


def test_the_price_shown_is_fixed_for_this_listing_alone_and_the_change_rejected(world: World) -> None:
    """No run proposes it again, whatever Amazon asks; the same ASIN in another shop still waits."""
    first = next(hold for hold in list_holds(world.tools) if hold.key.item_id == "1")
    said = keep_price(world.tools, first.diff_id[:8], "owner")
    assert [("rejected", "owner")] == [(hold.state, hold.evidence["rejected_by"]) for hold in said.done]
    assert {"fixed_price_jpy": "4000"} == own_rule(world.tools, first.key).cells
    assert ["2"] == [hold.key.item_id for hold in list_holds(world.tools)]
    world.amazon("B000000001", 2000)
    world.sync()
    assert ([], [("2", "price", 2600)]) == (world.shops[0].edits, world.shops[1].edits)
    assert [] == list_holds(world.tools)


def test_a_row_that_somebody_decided_meanwhile_gets_no_rule(world: World) -> None:
    """The later of two people is told; nothing is fixed behind the other's back."""
    hold = list_holds(world.tools)[0]
    approve(world.tools, [hold.diff_id], who="tanaka")
    said = keep_price(world.tools, hold.diff_id, "owner")
    assert ((), ["approved"]) == (said.done, [one.state for one in said.late])
    assert {} == own_rule(world.tools, hold.key).cells


def test_a_hide_has_no_price_to_keep(tmp_path: Path) -> None:
    """Refused by name; the row waits on."""
    world = World(tmp_path, guards={"max_hide_rows": 1, "max_hide_share": 0.01})
    for item in range(1, 6):
        world.list_item(str(item), 2580, cost_jpy=1984)
        world.amazon(f"B{item:09d}", None, "out_of_stock")
    world.sync()
    hold = list_holds(world.tools)[0]
    with pytest.raises(NotOnRecord):
        keep_price(world.tools, hold.diff_id, "owner")
    assert "open" == show_hold(world.tools, hold.diff_id).state
