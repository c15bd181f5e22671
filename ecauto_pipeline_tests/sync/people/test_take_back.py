"""A yes that is taken back: as long as nothing was sent for it, and then nothing is."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecauto_pipeline.domain.model import Kind
from ecauto_pipeline.errors import NotOnRecord
from ecauto_pipeline.state import decisions, held
from ecauto_pipeline.state.held import HeldQuestion, word_in
from ecauto_pipeline.sync.base_updates.recheck import RulesGate
from ecauto_pipeline.sync.diffs import decide as deciding
from ecauto_pipeline.sync.diffs.evaluate import load_input
from ecauto_pipeline.sync.diffs.price import evaluate_prices
from ecauto_pipeline.sync.people.holds import approve, list_holds, reject, show_hold
from ecauto_pipeline.sync.people.take_back import take_back
from ecauto_pipeline_tests.sync.diffs.selling import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """One listing whose price wants to fall by 67%: held, then approved by tanaka."""
    world = World(tmp_path)
    world.list_item("1", 4000, cost_jpy=1000)
    world.sync()
    approve(world.tools, everything=True, who="tanaka")
    return world


def name_of(world: World) -> str:
    return str(world.rows(decision="held")[0]["diff_id"])


def test_a_yes_that_is_taken_back_is_a_no(world: World) -> None:
    """Nothing is sent, run after run; both words are kept, and the last one is what is said of the row."""
    name = name_of(world)
    said = take_back(world.tools, [name[:8]], "sato")
    assert ([(name, "rejected")], ()) == ([(one.diff_id, one.state) for one in said.done], said.late)
    for _ in range(2):
        account, _ = world.sync()
        assert (0, 1, []) == (account.pushed, account.skipped, world.shop.edits)
    kept = show_hold(world.tools, name)
    assert ("tanaka", "sato") == (kept.evidence["approved_by"], kept.evidence["rejected_by"])
    last = word_in(kept.evidence, kept.wanted)
    assert last is not None
    assert ("rejected", "sato") == (last.word, last.who)


def decided_and_not_sent(world: World) -> decisions.Decided:
    """A run has judged and found the yes; it ends before it sends."""
    context = world.tools.for_run(world.run())
    with world.state.read() as connection:
        inputs = load_input(context, connection, context.clock.now())
        standing = deciding.standing_of(context, connection)
    found = evaluate_prices(context, inputs, standing)
    with world.state.write() as connection:
        deciding.keep(context, connection, found)
        [push] = decisions.to_push(connection, context.run.run_id, context.accounts, dry_run=False)
    assert "approved" == push.diff.reason
    return push


def test_what_a_run_has_decided_and_not_sent_leaves_no_more(world: World) -> None:
    """Its change goes in the same transaction as the yes."""
    push = decided_and_not_sent(world)
    take_back(world.tools, [name_of(world)], "sato")
    with world.state.read() as connection:
        assert [] == decisions.to_push(connection, push.run_id, [push.diff.key.account], dry_run=False)
    world.sync()
    assert [] == world.shop.edits


def test_a_push_that_was_decided_by_a_yes_that_went_is_stopped_at_the_last_look(world: World) -> None:
    """Between judging and storing the yes went: the look before the edit sees it, whoever stored the push."""
    context = world.tools.for_run(world.run())
    with world.state.read() as connection:
        inputs = load_input(context, connection, context.clock.now())
        standing = deciding.standing_of(context, connection)
    found = evaluate_prices(context, inputs, standing).found
    take_back(world.tools, [name_of(world)], "sato")
    with world.state.write() as connection:
        run = context.run
        decisions.store(connection, run.run_id, run.partition_key, found, context.clock.now(), closed=False)
        [push] = decisions.to_push(connection, run.run_id, context.accounts, dry_run=False)
        refused = RulesGate(world.tools)(connection, [push], world.clock.now())(push, False)
    assert ("skipped", "rejected", True) == (refused.end, refused.reason, refused.final)


def not_sent_yet(world: World) -> list[str]:
    with world.state.read() as connection:
        found = [row.diff_id for row in held.held_rows(connection, HeldQuestion(state="approved"), 0, 9)]
        assert len(found) == sum(one.count for one in held.held_groups(connection, "approved"))
    return found


def test_what_was_sent_can_not_be_taken_back(world: World) -> None:
    """It is named, with its state, and stays approved until the next run has got over it; among what is not sent yet it
    stands no more."""
    assert [name_of(world)] == not_sent_yet(world)
    world.sync()
    assert [("1", "price", 1300)] == world.shop.edits
    assert [] == not_sent_yet(world)
    said = take_back(world.tools, [name_of(world)], "sato")
    assert ((), ["approved"]) == (said.done, [one.state for one in said.late])
    assert "rejected_by" not in show_hold(world.tools, name_of(world)).evidence


def test_what_has_no_yes_is_named_and_what_there_never_was_is_an_error(tmp_path: Path) -> None:
    """A row that waits, and one that was rejected, stay as they are; a name that fits none takes nothing back."""
    world = World(tmp_path)
    for item in ("1", "2", "3"):
        world.list_item(item, 4000, cost_jpy=1000)
    world.sync()
    first, second, third = (one.diff_id for one in list_holds(world.tools))
    approve(world.tools, [first], who="tanaka")
    reject(world.tools, [second], who="tanaka")
    with pytest.raises(NotOnRecord):
        take_back(world.tools, [first, "nothing-starts-so"], "sato")
    said = take_back(world.tools, [first, second, third], "sato")
    assert ([first], {second: "rejected", third: "open"}) == (
        [one.diff_id for one in said.done],
        {one.diff_id: one.state for one in said.late},
    )


def test_of_two_who_take_back_at_once_one_does(world: World) -> None:
    """The other is told."""
    name = name_of(world)
    first, second = (take_back(world.tools, [name], who) for who in ("sato", "suzuki"))
    assert ([name], [name]) == ([one.diff_id for one in first.done], [one.diff_id for one in second.late])
    assert "sato" == show_hold(world.tools, name).evidence["rejected_by"]


def test_a_change_names_the_hold_whose_yes_let_it_pass(world: World) -> None:
    """By the held row; a change that needed no yes names none."""
    push = decided_and_not_sent(world)
    name = name_of(world)
    with world.state.read() as connection:
        found = held.pushes_of_yes(connection, [name, "another"], [push.diff.key])
    assert {name: [push]} == found
    assert (Kind.PRICE, name) == (push.diff.kind, held.hold_behind(push))
