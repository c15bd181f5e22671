"""A run as a document, and applying exactly that document."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecauto_pipeline.errors import SettingsError
from ecauto_pipeline.sync.people.plan_files import apply_plan, make_plan, plan_text, read_plan
from ecauto_pipeline_tests.examples import examples
from ecauto_pipeline_tests.sync.diffs.selling import World


def _plan(world: World, **fields: object) -> dict[str, Any]:
    run = world.run(dry_run=True, **fields)
    world.decide(run)
    return make_plan(world.tools.for_run(run))


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.list_item("1", 3000, cost_jpy=1984)
    world.list_item("2", 2200, cost_jpy=1984)
    world.list_item("3", 2580)
    world.amazon("B000000003", None, "out_of_stock")
    return world


def test_a_plan_is_what_a_live_run_sends(world: World) -> None:
    """The rows of the dry run's plan are the live run's edits."""
    plan = _plan(world)
    world.sync()
    sent = {(item, kind.value, value) for item, kind, value in world.shop.edits}
    assert {(row["item_id"], row["kind"], row["wanted"]) for row in plan["rows"]} == sent


def test_a_plan_says_what_is_left_of_each_sale(world: World) -> None:
    """Beside each change: Amazon's price, and the yen left after BASE's fees; a hide for lack of goods leaves none."""
    rows = {row["item_id"]: (row["cost_jpy"], row["profit_jpy"]) for row in _plan(world)["rows"]}
    assert {"1": (1984, 385), "2": (1984, 385)} == {item: rows[item] for item in ("1", "2")}
    assert rows["3"][1] is None


def test_a_plan_is_the_same_bytes_each_time(world: World) -> None:
    """Two dry runs at one moment differ in their names alone; text and document are one another's."""
    one, two = _plan(world), _plan(world)
    assert plan_text({**one, "run_id": ""}) == plan_text({**two, "run_id": ""})
    assert one == read_plan(plan_text(one))


def test_applying_a_plan_leaves_an_empty_plan(world: World) -> None:
    """Everything named was sent, through the journal, and nothing is left to do."""
    plan = _plan(world)
    report = apply_plan(world.tools.for_run(world.run()), plan)
    assert ((), 3, 3) == (report.refused, report.pushed.account.pushed, len(world.shop.edits))
    assert [] == _plan(world)["rows"]
    assert {"nothing_to_do"} == {why for *_, why in apply_plan(world.tools.for_run(world.run()), plan).refused}
    assert 3 == len(world.shop.edits)


def test_what_changed_since_is_refused_row_by_row(world: World) -> None:
    """Another price shown, other facts, a hidden listing: refused with the reason; the rest is applied."""
    plan = _plan(world)
    world.change("1", shown_price_jpy=2900)
    world.later(seconds=5)
    world.amazon("B000000002", 1984)
    report = apply_plan(world.tools.for_run(world.run()), plan)
    refused = {(item, why) for _, item, _, why in report.refused}
    assert {("1", "shown_changed"), ("2", "snapshot_id_changed")} == refused
    assert [("3", "visibility", 0)] == world.shop.edits


@pytest.mark.parametrize("wanted", [1, 1984, 999_999, -5, None, "2580"])
def test_a_value_written_by_hand_is_refused(world: World, wanted: object) -> None:
    """Nothing in the file is believed: a value that the rules do not want is not sent."""
    plan = _plan(world)
    for row in plan["rows"]:
        row["wanted"] = wanted
    report = apply_plan(world.tools.for_run(world.run()), plan)
    assert (3, []) == (len(report.refused), world.shop.edits)


def test_held_rows_written_in_by_hand_are_refused(tmp_path: Path) -> None:
    """A mass of hides that was held can't leave through a file."""
    world = World(tmp_path)
    for number in range(1, 101):
        world.list_item(str(number), 2580, cost_jpy=1984)
    world.list_item("500", 3000, cost_jpy=1984)
    plan = _plan(world)
    for number in range(1, 61):
        asin = f"B{number:09d}"
        world.amazon(asin, None, "out_of_stock")
        row = {"item_id": str(number), "asin": asin, "kind": "visibility", "shown": 1, "wanted": 0}
        plan["rows"].append({**plan["rows"][0], **row, "snapshot_id": f"{asin}@x"})
    report = apply_plan(world.tools.for_run(world.run()), plan)
    assert {"held:mass_hide"} == {why for *_, why in report.refused}
    assert [("500", "price", 2580)] == world.shop.edits


def test_an_old_plan_is_refused_whole(world: World) -> None:
    """A day later nothing of it is sent."""
    plan = _plan(world)
    world.later(hours=25)
    report = apply_plan(world.tools.for_run(world.run()), plan)
    assert ({"plan_too_old"}, []) == ({why for *_, why in report.refused}, world.shop.edits)


def test_a_row_named_twice_is_sent_once(world: World) -> None:
    """The second naming is refused."""
    plan = _plan(world)
    plan["rows"] += plan["rows"]
    report = apply_plan(world.tools.for_run(world.run()), plan)
    assert ({"twice"}, 3) == ({why for *_, why in report.refused}, len(world.shop.edits))


def test_a_dry_application_sends_nothing(world: World) -> None:
    """apply --dry-run: counted, not sent."""
    report = apply_plan(world.tools.for_run(world.run(dry_run=True)), _plan(world))
    assert (3, []) == (report.pushed.account.pushed, world.shop.edits)


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "{}", '{"version": 2}', "null"),
        json.dumps({"version": 1, "include_price": "all", "include_visibility": True, "rows": [{}], "made_at": ""}),
        json.dumps({"version": 1, "include_price": "all", "include_visibility": True, "rows": [], "made_at": "soon"}),
    ],
)
def test_what_is_no_plan_is_refused(text: str) -> None:
    """A file of another shape is an error of use, nothing is sent."""
    with pytest.raises(SettingsError):
        read_plan(text)


_GOODS = st.lists(
    st.tuples(st.integers(300, 6000), st.none() | st.integers(100, 9000), st.booleans(), st.integers(0, 1)),
    min_size=1,
    max_size=8,
)


@settings(max_examples=examples(8), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(goods=_GOODS, chance=st.randoms())
def test_a_plan_does_not_depend_on_the_order_of_its_input(
    tmp_path_factory: pytest.TempPathFactory, goods: list[tuple[int, int | None, bool, int]], chance: random.Random
) -> None:
    """The same listings written down in another order: the same bytes. Applied, the next plan is empty."""
    numbered = list(enumerate(goods, 1))
    shuffled = list(numbered)
    chance.shuffle(shuffled)
    texts = []
    for order in (numbered, shuffled):
        world = World(tmp_path_factory.mktemp("world"))
        for number, (price, cost, visible, stock) in order:
            asin = world.list_item(
                str(number), price, visible=visible, stock=stock, hidden_by="" if visible else "ours"
            )
            if cost is not None:
                world.amazon(asin, cost)
        plan = _plan(world)
        texts.append(plan_text(plan))
        apply_plan(world.tools.for_run(world.run()), plan)
        later = [row for row in _plan(world)["rows"] if (row["item_id"], row["kind"]) in _targets(plan)]
        assert [] == later
        world.state.close()
    assert texts[0] == texts[1]


def _targets(plan: dict[str, Any]) -> set[tuple[str, str]]:
    return {(row["item_id"], row["kind"]) for row in plan["rows"]}
