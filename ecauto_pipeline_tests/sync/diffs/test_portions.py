"""Shops judged a few at a time come to what all of them at once come to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.errors import Stopped
from ecauto_pipeline.state.decisions import Decided, Target
from ecauto_pipeline.state.judged import JudgingStep
from ecauto_pipeline.state.schema_decisions import diffs
from ecauto_pipeline.sync.context import Context
from ecauto_pipeline.sync.diff_section import DiffReport
from ecauto_pipeline.sync.diffs import price, visibility
from ecauto_pipeline.sync.diffs.decide import EvaluatedDiffs, Evaluation, decide
from ecauto_pipeline.sync.diffs.evaluate import EvaluationInput, gather
from ecauto_pipeline.sync.diffs.portions import in_portions
from ecauto_pipeline_tests.sync.diffs.selling import HonestShop, World

STEPS: tuple[tuple[JudgingStep, Evaluation], ...] = (
    ("price", price.evaluate_prices),
    ("visibility", visibility.evaluate_visibility),
)
SHOPS = ("shop_1", "shop_2", "shop_3", "shop_4")
ALL_AT_ONCE, ONE_BY_ONE = 1_000, 1


def _world(folder: Path) -> World:
    """Four shops: prices to change, goods that are gone, one set by hand; many of the third's to hide at once."""
    folder.mkdir()
    world = World(folder, *(HonestShop(name) for name in SHOPS), guards={"max_hide_rows": 4})
    for shop in range(4):
        for number in range(6):
            item, gone = f"{shop + 1}{number:03}", shop == 2 or number == 5
            world.list_item(item, 1300 + 100 * number, cost_jpy=None if gone else 1000, shop=shop)
            if gone:
                world.amazon(f"B{int(item):09d}", None, "out_of_stock")
        world.change(f"{shop + 1}001", price_by_hand=1)
    return world


def _told(world: World) -> list[tuple[object, ...]]:
    named = [diffs.c[name] for name in ("item_id", "kind", "decision", "reason", "shown", "wanted", "state")]
    with world.state.read() as connection:
        return sorted(map(tuple, connection.execute(select(*named))), key=repr)


def _judged(context: Context, at_once: int) -> list[DiffReport]:
    return [decide(context, step, evaluation, at_once) for step, evaluation in STEPS]


@pytest.mark.parametrize("dry_run", [False, True], ids=["live", "dry run"])
def test_portions_come_to_what_all_at_once_comes_to(tmp_path: Path, *, dry_run: bool) -> None:
    """Every figure and every row, guards of whole shops included; and what is remembered: then nothing is judged."""
    together, apart = _world(tmp_path / "together"), _world(tmp_path / "apart")
    reports = []
    for world, at_once in ((together, ALL_AT_ONCE), (apart, ONE_BY_ONE)):
        first = _judged(world.tools.for_run(world.run(dry_run=dry_run)), at_once)
        world.later(minutes=1)
        reports.append((first, _judged(world.tools.for_run(world.run(dry_run=dry_run)), at_once)))
    assert reports[0] == reports[1]
    assert _told(together) == _told(apart)
    (prices, shown), again = reports[0]
    assert (24, 4) == (prices.judged, prices.by_hand)
    assert shown.reasons["held:mass_hide"] >= 6
    assert dry_run or again[0].judged == 24 - prices.account.unchanged  # about these nothing stands


def test_shops_are_judged_in_their_order_and_those_of_which_little_changed_together(tmp_path: Path) -> None:
    """As many as fit, or a single larger one; the shops that were judged as a whole today come last."""
    world = _world(tmp_path / "world")
    run = world.run()
    half = world.tools.for_run(replace(run, accounts=(AccountKey("base", "shop_1"), AccountKey("base", "shop_3"))))
    _judged(half, ALL_AT_ONCE)
    whole = world.tools.for_run(run)

    def names(context: Context, at_once: int) -> list[list[str]]:
        return [[key.account_id for key in one.accounts] for one in in_portions(context, "price", at_once)]

    assert [["shop_2"], ["shop_4"], ["shop_1", "shop_3"]] == names(whole, 11)
    assert [["shop_2", "shop_4"], ["shop_1", "shop_3"]] == names(whole, 12)
    assert [["shop_1", "shop_3"]] == names(half, 1)
    assert [list(SHOPS)] == names(world.tools.for_run(replace(run, max_items=3)), 1)


def test_a_portion_reads_the_asins_of_its_shops_alone(tmp_path: Path) -> None:
    """What the other shops list is in no portion's memory."""
    world = _world(tmp_path / "world")
    context = world.tools.for_run(world.run())
    ours = AccountKey("base", "shop_1")
    with world.state.read() as connection:
        inputs = gather(context, connection, world.clock.now(), {ours: frozenset()}, {})
    assert {f"B{int(f'1{number:03}'):09d}" for number in range(6)} == set(inputs.known)


def test_a_run_that_ends_between_two_portions_leaves_the_others_to_the_next(tmp_path: Path) -> None:
    """What the first shops came to stands; the next run judges the rest as a whole, as if it had not ended."""
    together, apart = _world(tmp_path / "together"), _world(tmp_path / "apart")
    context = apart.tools.for_run(apart.run())

    def ends_in_the_second(
        context: Context, inputs: EvaluationInput, standing: Mapping[Target, list[Decided]]
    ) -> EvaluatedDiffs:
        if context.accounts[0].account_id == "shop_2":
            context.stop.set()
        return price.evaluate_prices(context, inputs, standing)

    with pytest.raises(Stopped):
        decide(context, "price", ends_in_the_second, ONE_BY_ONE)
    context.stop.clear()
    assert {"1"} == {str(item)[0] for item, *_ in _told(apart)}
    for world in (together, apart):
        world.later(minutes=1)
        _judged(world.tools.for_run(world.run()), ONE_BY_ONE)
    standing = [row for row in _told(apart) if row[-1] == "open"]
    assert [row for row in _told(together) if row[-1] == "open"] == standing
