"""What a change would do: day 0 is the plan itself, the past is played by hand-made answers, and nothing is written."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ecauto_pipeline.domain.model import AccountKey, ListingKey
from ecauto_pipeline.domain.selling.item_rules import ItemRule
from ecauto_pipeline.history.store import HistoryStore
from ecauto_pipeline.reports.what_if import WhatIf, what_if
from ecauto_pipeline.settings import Settings, parse
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.people.plan_files import make_plan, plan_text
from ecauto_pipeline_tests.sync.diffs.selling import NOW, World

SHOP = AccountKey("base", "shop_1")
ASIN = "B000000001"
CHEAPER = {"pricing": {"markup_ratio": 1.25}}


def _changed(world: World, **document: Any) -> Settings:
    return parse({"base": {"accounts": [{"id": "shop_1"}]}, **document}, world.folder)


def _offline(world: World) -> Tools:
    """The tools as the command opens them: no shop to ask, a history of its own."""
    folder = world.folder
    store = HistoryStore(folder / "history", folder / "history.duckdb", world.clock)
    return replace(world.tools, shops={}, history=store)


def _compared(world: World, changed: Settings, days: int = 0, **more: Any) -> WhatIf:
    return what_if(_offline(world), changed, (SHOP,), days, **more)


def _mixed(folder: Path) -> World:
    """A rise, a fall, a loss, a hide, one held, one blocked, one as it should be."""
    world = World(folder)
    for number, (shown, cost) in enumerate(((2000, 1984), (3000, 1984), (2500, 2400), (2580, 1984)), start=1):
        world.list_item(str(number), shown, cost_jpy=cost)
    world.list_item("5", 2580)
    world.amazon("B000000005", None, "out_of_stock")
    world.list_item("6", 1000, cost_jpy=1984)
    world.list_item("7", 90_000, cost_jpy=90_000)
    return world


@pytest.mark.parametrize("document", [{}, CHEAPER])
def test_day_0_is_the_plan_byte_for_byte(tmp_path: Path, document: dict[str, Any]) -> None:
    """With the settings in force and with others: what a dry run under them plans, in its own order."""
    world = _mixed(tmp_path)
    changed = _changed(world, **document)
    found = _compared(world, changed)
    under = replace(world.tools, settings=changed)
    run = world.run(dry_run=True)
    context = under.for_run(run)
    world.tools = under
    world.decide(run)
    plan = make_plan(context)
    told = {**found.then.plan, "run_id": plan["run_id"]}
    assert plan_text(plan) == plan_text(told)
    assert len(plan["rows"]) == found.then.edits > 2


def test_the_difference_is_counted(tmp_path: Path) -> None:
    """By direction, and by why a target is set aside."""
    found = _compared(_mixed(tmp_path), _cheap(tmp_path))
    assert (2, 1, 3, 0) == (found.now.up, found.now.down, found.now.hides, found.now.shows)
    assert (2, 2) == (found.then.up, found.then.down)
    assert {"held:move", "blocked:price_max_price"} <= set(found.now.set_aside)


def _cheap(folder: Path) -> Settings:
    return parse({"base": {"accounts": [{"id": "shop_1"}]}, **CHEAPER}, folder)


def test_nothing_is_written(tmp_path: Path) -> None:
    """Checksums of everything that is there, before and after; and no file more."""
    world = _mixed(tmp_path)
    _history(world, [(1, "success", 1500)])
    before = _checksums(tmp_path)
    _compared(world, _cheap(tmp_path), 3)
    assert before == _checksums(tmp_path)


def test_the_past_is_played_by_the_rules(tmp_path: Path) -> None:
    """Cost 1000 before; then 1200, gone, 1100: up, hidden, down and shown again; at both ratios, worked out by hand."""
    world = _one(tmp_path)
    found = _compared(world, _cheap(tmp_path), 3)
    for past in (found.past_now, found.past_then):
        assert (3, 1, 1, 1, 1, 0, 0) == (
            *(past.moves, past.up, past.down, past.hides, past.shows, past.held, past.blocked),
        )
        assert {SHOP: 2} == dict(past.worst_day)


def test_orders_are_reckoned_at_the_prices_of_their_day(tmp_path: Path) -> None:
    """1560 - 57 - 40 - 47 - 1200 = 216 left, 1500 - 54 - 40 - 45 - 1200 = 161; off sale is no profit."""
    world = _one(tmp_path)
    _order(world, "1", days=2)
    _order(world, "1", days=1)
    _order(world, "9", days=1)
    found = _compared(world, _cheap(tmp_path), 3)
    for past, left in ((found.past_now, 216), (found.past_then, 161)):
        assert (3, 1, 1, left, 0) == (past.orders, past.priced, past.off_sale, past.profit_jpy, past.at_a_loss)


def test_other_rules_hold_instead_of_those_in_force(tmp_path: Path) -> None:
    """A fixed price for one item: its price moves, the others' do not."""
    world = _mixed(tmp_path)
    fixed = ItemRule(fixed_price_jpy=2800, line=2)
    found = _compared(
        world, _changed(world), rule_of=lambda key: fixed if key == ListingKey("base", "shop_1", "4") else None
    )
    assert ["2800"] == [str(row["wanted"]) for row in found.then.plan["rows"] if row["item_id"] == "4"]
    others = [[row for row in day.plan["rows"] if row["item_id"] != "4"] for day in (found.now, found.then)]
    assert others[0] == others[1]


def _one(folder: Path) -> World:
    world = World(folder)
    world.list_item("1", 1430, cost_jpy=1100, asin=ASIN)
    _history(world, [(4, "success", 1000), (3, "success", 1200), (2, "out_of_stock", None), (1, "success", 1100)])
    return world


def _history(world: World, answers: list[tuple[int, str, int | None]]) -> None:
    """One answer about ASIN on each of these days ago."""
    rows = [
        {"snapshot_id": f"s{days}", "run_id": "r", "asin": ASIN, "observed_at": NOW - timedelta(days=days)}
        | {"operation": "getItemOffersBatch", "status": status, "price_jpy": price, "in_stock": price is not None}
        for days, status, price in answers
    ]
    store = _offline(world).history
    store.write("snapshots", "r", rows, NOW)


def _order(world: World, item_id: str, days: int) -> None:
    at = NOW - timedelta(days=days)
    row: dict[str, Any] = {"order_id": f"o{item_id}{days}", "run_id": "r", "platform": "base", "account_id": "shop_1"}
    row |= {"item_id": item_id, "asin": ASIN, "amount": 1, "price_jpy": 1500, "sold_at": at}
    _offline(world).history.write("orders", f"o{item_id}{days}", [row], at)


def _checksums(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(("-shm", "-wal"))
    }
