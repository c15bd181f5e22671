"""A price that a person set at the shop: written over, asked about or left alone, and never left at a loss."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecauto_pipeline.state import decisions
from ecauto_pipeline.sync.people.holds import list_holds
from ecauto_pipeline_tests.sync.diffs.selling import World

OURS, HIGHER, LOSS = 2580, 3300, 2000
COST = 1984


def _world(folder: Path, word: str, shown: int) -> World:
    world = World(folder, pricing={"by_hand": word})
    world.list_item("1", shown, cost_jpy=COST, price_by_hand=1)
    return world


@pytest.mark.parametrize(
    ("word", "shown", "edits"),
    [
        ("overwrite", HIGHER, [("1", "price", OURS)]),
        ("hold", HIGHER, []),
        ("keep", HIGHER, []),
        ("overwrite", LOSS, [("1", "price", OURS)]),
        ("hold", LOSS, [("1", "visibility", 0)]),
        ("keep", LOSS, [("1", "price", OURS)]),
    ],
)
def test_what_is_sent(tmp_path: Path, word: str, shown: int, edits: list[tuple[str, str, int]]) -> None:
    """Kept or asked about as long as it sells at a profit; at a loss it is corrected, or off sale until the word."""
    world = _world(tmp_path, word, shown)
    account, _ = world.sync()
    assert edits == world.shop.edits
    assert (int(word == "hold"), int((word, shown) == ("keep", HIGHER))) == (account.held, account.skipped)


def test_a_person_says_what_becomes_of_it(tmp_path: Path) -> None:
    """The held row shows both prices; approved, our price is shown, and is nobody's but ours from then on."""
    world = _world(tmp_path, "hold", HIGHER)
    world.sync()
    (hold,) = list_holds(world.tools)
    assert ("by_hand", HIGHER, OURS) == (hold.reason, hold.evidence["shown"], hold.wanted)
    with world.state.write() as connection:
        decisions.move(connection, [hold.diff_id], "approve", world.clock.now())
    world.sync()
    assert ([("1", "price", OURS)], 0) == (world.shop.edits, world.listing("1")["price_by_hand"])


def test_they_are_counted(tmp_path: Path) -> None:
    """Also where nothing comes of it: the summary says how many there are."""
    world = _world(tmp_path, "keep", HIGHER)
    world.list_item("2", OURS, cost_jpy=COST)
    assert 1 == world.decide(world.run()).by_hand
