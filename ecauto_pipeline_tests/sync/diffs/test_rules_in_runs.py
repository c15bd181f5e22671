"""Laws of the owner's rules in whole runs: taken up by a reading, heeded by decisions, looked at before an edit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ecauto_pipeline.domain.model import Kind
from ecauto_pipeline.register.master import Register
from ecauto_pipeline.state.schema_decisions import diffs, journal
from ecauto_pipeline.sync.base_updates import push
from ecauto_pipeline.sync.diffs import price
from ecauto_pipeline.sync.listings.item_rules import take_up_rules
from ecauto_pipeline_tests.domain.selling.malformed_rules import HEAD, row
from ecauto_pipeline_tests.sync.diffs.selling import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    Register.create(world.master, [], [])
    world.settings.rules.parent.mkdir(parents=True)
    for number in range(1001, 1006):
        world.list_item(str(number), 1300, cost_jpy=1000)
    yield world
    world.state.close()


def rules(world: World, *rows: dict[str, str]) -> None:
    """The owner saves these lines, and a reading takes them up; the first one is line 2."""
    text = "\n".join([HEAD, *(row(**cells) for cells in rows)])
    world.settings.rules.write_text(text, encoding="utf-8-sig")
    assert take_up_rules(world.tools, list(world.tools.shops)).trouble is None


def test_a_run_does_what_the_rules_say(world: World) -> None:
    """Each item its own; the edit's decision names the line; a second run has nothing to do."""
    rules(
        world,
        {"item_id": "1001", "fixed_price_jpy": "1480"},
        {"item_id": "1002", "markup_ratio": "1.5"},
        {"item_id": "1003", "never_sell": "yes"},
        {"item_id": "1004", "exclude": "all"},
    )
    world.amazon("B000001004", None, "out_of_stock")
    account, _ = world.sync()
    assert (3, 2) == (account.pushed, account.skipped)
    assert {("1001", Kind.PRICE, 1480), ("1002", Kind.PRICE, 1500), ("1003", Kind.VISIBILITY, 0)} == {*world.shop.edits}
    assert ("1004", "visibility", "skipped", "rule_excluded") in world.decisions(decision="skipped")
    pushed = {one["item_id"]: json.loads(one["evidence"]) for one in world.rows(diffs, decision="push")}
    assert {"1001": {"price": 2}, "1002": {"price": 3}, "1003": {"on_sale": 4}} == {
        item: one["rules"] for item, one in pushed.items()
    }
    world.later(minutes=5)
    assert 0 == world.sync()[0].pushed


def test_a_rule_that_came_after_the_decision_is_heeded_before_the_edit(world: World) -> None:
    """What was decided without it is not sent."""
    world.list_item("1006", 2000, cost_jpy=1000)
    run = world.tools.for_run(world.run())
    price.run(run)
    rules(world, {"item_id": "1006", "exclude": "price"})
    push.run(run)
    assert [] == [edit for edit in world.shop.edits if edit[0] == "1006"]


def test_a_hold_ends_when_the_rules_take_its_item_out(world: World) -> None:
    """Nobody is asked about what is left alone."""
    world.list_item("1006", 9000, cost_jpy=1000)
    world.sync()
    assert ["1006"] == [one["item_id"] for one in world.rows(diffs, decision="held", state="open")]
    rules(world, {"item_id": "1006", "exclude": "price"})
    world.later(minutes=5)
    world.sync()
    assert [] == world.rows(diffs, decision="held", state="open")


def test_a_rule_that_is_over_leaves_things_to_the_house(world: World) -> None:
    """From midnight in Japan on."""
    rules(world, {"item_id": "1001", "fixed_price_jpy": "1480", "until": "2026-06-01"})
    world.sync()
    assert [("1001", Kind.PRICE, 1480)] == world.shop.edits
    world.later(hours=11, minutes=59)
    world.read_shops()
    for number in range(1001, 1006):
        world.amazon(f"B00000{number}", 1000)
    assert 0 == world.sync()[0].pushed
    world.later(minutes=2)
    world.sync()
    assert ("1001", Kind.PRICE, 1300) == world.shop.edits[-1]


def test_a_ban_that_hides_a_whole_shop_waits_for_nobody(world: World) -> None:
    """The owner has said so; a mass of hides of our own would be held."""
    for number in range(2000, 2060):
        world.list_item(str(number), 1300, cost_jpy=1000)
    rules(world, {"account_id": "shop_1", "never_sell": "yes"})
    account, _ = world.sync()
    assert (65, 0) == (account.pushed, account.held)
    assert {"done"} == {one["outcome"] for one in world.rows(journal)}
