"""A person's word that is given while a run judges counts as one given before it: the run asks again as it writes."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pytest

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.sync.base_updates import push
from ecauto_pipeline.sync.context import Context
from ecauto_pipeline.sync.diffs import price, visibility
from ecauto_pipeline.sync.diffs.decide import decide
from ecauto_pipeline.sync.people.holds import approve, list_holds, reject
from ecauto_pipeline.sync.people.take_back import take_back
from ecauto_pipeline_tests.sync.diffs.selling import ITEMS, NOW, World

Word = Literal["yes", "no", "not after all"]
Words = tuple[Word, ...]
When = Literal["before", "while"]
Step = Literal["price", "visibility"]
_SETTINGS: dict[Step, dict[str, Any]] = {
    "price": {},
    "visibility": {"guards": {"max_hide_rows": 2, "max_hide_share": 0.2}},
}


def say(world: World, word: Word, ids: list[str]) -> None:
    match word:
        case "yes":
            done = approve(world.tools, ids)
        case "no":
            done = reject(world.tools, ids)
        case _:
            done = [*take_back(world.tools, ids).done]
    assert len(ids) == len(done)


def outcome(world: World, words: Words, when: When, step: Step) -> tuple[Any, ...]:
    """One run about the held item: all but the last of `words` were said before it, the last then. What became of the
    hold, what the run decided about its target, and what was sent."""
    ids = [hold.diff_id for hold in list_holds(world.tools) if hold.key.item_id == "1001"]
    assert 1 == len(ids)
    for word in words[:-1]:
        say(world, word, ids)
    if when == "before":
        say(world, words[-1], ids)
    before = len(world.shop.edits)
    run = world.run()
    context = world.tools.for_run(run)
    judges = {"price": price.evaluate_prices, "visibility": visibility.evaluate_visibility}

    def late(of: Context, inputs: Any, standing: Any) -> Any:
        evaluated = judges[step](of, inputs, standing)
        if when == "while":
            say(world, words[-1], ids)
        return evaluated

    decide(context, step, late)
    push.run(context)
    held = [row["state"] for row in world.rows(decision="held", item_id="1001", diff_id=ids[0])]
    return held, world.decisions(run_id=run.run_id, item_id="1001", kind=step), world.shop.edits[before:]


def a_held_hide(folder: Path, *, over: bool) -> World:
    """Of a mass; `over`: that is none any more, with a newer answer about the one that is left."""
    folder.mkdir()
    world = World(folder, **_SETTINGS["visibility"])
    for item in ITEMS:
        world.list_item(item, 1300, cost_jpy=1000)
    world.sync()
    world.later(minutes=5)
    for item in ITEMS[:3]:
        world.amazon(f"B{int(item):09d}", None, "out_of_stock")
    world.sync()
    world.later(minutes=10)
    if over:
        for item in ITEMS[1:3]:
            world.amazon(f"B{int(item):09d}", 1000)
        world.amazon("B000001001", None, "out_of_stock")
    return world


def a_held_price(folder: Path, *, over: bool) -> World:
    """A jump; `over`: Amazon has another price now, which is none."""
    folder.mkdir()
    world = World(folder)
    for item in ITEMS:
        world.list_item(item, 1300, cost_jpy=1000)
    world.sync()
    world.amazon("B000001001", 4000)
    world.sync()
    world.later(minutes=10)
    if over:
        world.amazon("B000001001", 1200)
    return world


def copied(world: World, folder: Path, step: Step) -> World:
    """One in which all has happened that has happened in `world`."""
    folder.mkdir()
    shutil.copy(world.folder / "state.db", folder / "state.db")  # it is closed: all is in this one file
    clock = ManualClock(NOW)
    other = World(folder, clock=clock, **_SETTINGS[step])
    clock.set(world.clock.now())
    other.shop.stock, other.shop.edits = dict(world.shop.stock), list(world.shop.edits)
    other.runs_begun = world.runs_begun
    return other


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Step, bool], World]:
    """The worlds with something held, to be copied; each is lived through once."""

    @cache
    def lived(step: Step, over: bool) -> World:
        build = a_held_price if step == "price" else a_held_hide
        world = build(tmp_path_factory.mktemp("held") / "world", over=over)
        world.state.close()
        return world

    return lived


@pytest.mark.parametrize("over", [True, False], ids=["newer facts", "the same facts"])
@pytest.mark.parametrize("words", [("yes",), ("no",), ("yes", "not after all")], ids=["yes", "no", "taken back"])
@pytest.mark.parametrize("step", ["price", "visibility"])
def test_a_word_given_while_a_run_judges_counts_as_one_given_before(
    tmp_path: Path, held: Callable[[Step, bool], World], step: Step, words: Words, over: bool
) -> None:
    """What becomes of the hold, what is decided and what is sent are the same."""
    world = held(step, over)
    first, second = copied(world, tmp_path / "before", step), copied(world, tmp_path / "while", step)
    assert outcome(first, words, "before", step) == outcome(second, words, "while", step)
    first.state.close()
    second.state.close()


def test_a_no_given_while_a_run_judges_keeps_the_hide_from_the_shop(tmp_path: Path) -> None:
    """Though the mass is over and a newer answer says the same of the item."""
    world = a_held_hide(tmp_path / "one", over=True)
    held, decided, sent = outcome(world, ("no",), "while", "visibility")
    assert (["rejected"], [("1001", "visibility", "skipped", "rejected")], []) == (held, decided, sent)
    world.state.close()
