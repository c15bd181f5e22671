"""A person's word that comes while a run judges: the run has read what stood before, and nobody waits for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from ecauto_pipeline.state.decisions import Decided, Target
from ecauto_pipeline.sync.base_updates import push
from ecauto_pipeline.sync.context import Context
from ecauto_pipeline.sync.diffs import price, visibility
from ecauto_pipeline.sync.diffs.decide import EvaluatedDiffs, decide
from ecauto_pipeline.sync.diffs.evaluate import EvaluationInput
from ecauto_pipeline.sync.people.holds import Hold, approve, list_holds, reject
from ecauto_pipeline_tests.sync.diffs.selling import ITEMS, World

Said = Callable[..., list[Hold]]
THIRD = ITEMS[0]


@pytest.mark.parametrize("word", [approve, reject])
@pytest.mark.parametrize("mass", ["stays", "is over"])
def test_it_counts_as_if_it_had_been_said_before(tmp_path: Path, word: Said, mass: str) -> None:
    """A no is never expired by what the run thought before it, nor the change sent; a yes goes in the same run."""
    before, meanwhile = (_play(tmp_path / when, word, mass, when) for when in ("before", "meanwhile"))
    assert before == meanwhile
    edits, state = before
    assert ([], "rejected") == (edits, state) if word is reject else [(THIRD, "visibility", 0)] == edits


def _play(folder: Path, word: Said, mass: str, when: str) -> tuple[list[tuple[str, str, int]], str]:
    """Three hides at once are held; a newer answer says the same of one. What was sent, and how its hold ended."""
    folder.mkdir()
    world = World(folder, guards={"max_hide_rows": 2, "max_hide_share": 0.2})
    asins = [world.list_item(item, 1300, cost_jpy=1000) for item in ITEMS]
    world.sync()
    world.later(minutes=5)
    for asin in asins[:3]:
        world.amazon(asin, None, "out_of_stock")
    world.sync()
    world.later(minutes=10)
    world.amazon(asins[0], None, "out_of_stock")
    for asin in asins[1:3]:
        world.amazon(asin, *((1000,) if mass == "is over" else (None, "out_of_stock")))

    def say() -> None:
        word(world.tools, [hold.diff_id for hold in list_holds(world.tools) if hold.key.item_id == THIRD])

    def judge(context: Context, inputs: EvaluationInput, standing: Mapping[Target, list[Decided]]) -> EvaluatedDiffs:
        found = visibility.evaluate_visibility(context, inputs, standing)
        if when == "meanwhile":
            say()
        return found

    if when == "before":
        say()
    context = world.tools.for_run(world.run())
    price.run(context)
    decide(context, "visibility", judge)
    push.run(context)
    (held,) = [row for row in world.rows(decision="held", item_id=THIRD, reason="mass_hide")][:1]
    return list(world.shops[0].edits), str(held["state"])
