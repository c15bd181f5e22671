"""Intents of several edits written at once: few commits, each intent before its call, and no edit lost or doubled."""

from __future__ import annotations

import re
import sqlite3
from collections import deque
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from ecauto_pipeline.clock import ManualClock, from_ms
from ecauto_pipeline.domain.model import Decision, Diff, Kind, ListingKey
from ecauto_pipeline.state.decisions import Decided
from ecauto_pipeline.state.schema_decisions import journal
from ecauto_pipeline.sync.base_updates import push
from ecauto_pipeline.sync.base_updates.group_size import LONGEST_S, MOST, GroupSize, next_group, put_back
from ecauto_pipeline.sync.base_updates.intents import Intents
from ecauto_pipeline.sync.base_updates.push_lease import LEASE_LIFE
from ecauto_pipeline.sync.people.rollback import rollback_run
from ecauto_pipeline_tests.state.query_plans import Asked, Step, noted, steps_of
from ecauto_pipeline_tests.sync.diffs.selling import NOW, World, nothing

ROWS = 12
SLOW_S = 0.4


def rises(world: World, count: int = ROWS, shown_jpy: int = 2000) -> list[tuple[str, Kind, int]]:
    """So many prices that are too low; the edits that mend them."""
    for number in range(1, count + 1):
        world.list_item(str(number), shown_jpy, cost_jpy=1984)
    return [(str(number), Kind.PRICE, 2580) for number in range(1, count + 1)]


def decided_of(*items: str) -> deque[Decided]:
    diffs = [Diff(ListingKey("base", "a", item), "B", Kind.PRICE, 1, 2, Decision.PUSH, "moved") for item in items]
    return deque(Decided(str(number), "run", diff, NOW, "open") for number, diff in enumerate(diffs))


def pass_time(world: World) -> Callable[[str, Kind, int], None]:
    clock = world.clock
    assert isinstance(clock, ManualClock)
    return lambda _item, _kind, _value: clock.advance(SLOW_S)


@pytest.mark.parametrize(
    ("calls", "seconds", "expected"),
    [(1, 0.0, 4), (1, 0.01, 4), (1, 0.3, 3), (1, 1.0, 1), (1, 30.0, 1), (0, 0.0, 4)],
    ids=["at once", "quick", "as at BASE", "a second", "half a minute", "none"],
)
def test_a_group_is_no_longer_than_its_calls_take_a_second(calls: int, seconds: float, expected: int) -> None:
    """It grows fourfold at most; where one call takes a second each edit goes by itself."""
    size = GroupSize()
    size.learn(calls, seconds)
    assert expected == size.now


def test_a_group_never_grows_beyond_its_most() -> None:
    """However quick the shop; and one that is told to go one by one does."""
    size, alone = GroupSize(), GroupSize(1)
    for _ in range(9):
        size.learn(size.now, 0.0)
        alone.learn(1, 0.0)
    assert (MOST, 1) == (size.now, alone.now)


def test_a_group_holds_each_listing_once_and_keeps_the_order() -> None:
    """What became of a listing's price decides whether it is shown; what is put back comes first again."""
    waiting = decided_of("1", "2", "1", "3")
    before = list(waiting)
    first = next_group(waiting, 9)
    assert ["1", "2"] == [one.diff.key.item_id for one in first]
    put_back(waiting, first)
    assert before == list(waiting)
    assert before[:1] == next_group(waiting, 1)


def test_each_intent_is_on_the_disk_before_its_call_and_commits_are_few(tmp_path: Path) -> None:
    """Seen by another connection at each call; fewer than half as many commits as edits."""
    world = World(tmp_path)
    expected = rises(world, 40)
    run = world.run()
    world.decide(run)
    commits, seen = [0], list[str]()

    def look(item_id: str, _kind: Kind, _value: int) -> None:
        with closing(sqlite3.connect(tmp_path / "state.db")) as other:
            rows = other.execute("select item_id from journal where outcome is null and item_id = ?", (item_id,))
            seen.extend(name for (name,) in rows)

    event.listen(world.state.engine, "commit", lambda _connection: commits.__setitem__(0, commits[0] + 1))
    world.shop.before_edit = look
    report = push.run(world.tools.for_run(run))
    assert (40, [item for item, _, _ in world.shop.edits]) == (report.account.pushed, seen)
    assert sorted(expected) == sorted(world.shop.edits)
    assert commits[0] < 20


def test_the_intents_of_a_group_cost_no_more_however_many_edits_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each row is found by its name, or by its listing: a group of edits once went through every decision that was
    open, so that what a first run sent cost the square of it."""
    world = World(tmp_path)
    rises(world)
    run = world.run()
    world.decide(run)
    asked, begin = Asked(), Intents.begin

    def begin_noted(*values: Any) -> Any:
        with noted(world.state, asked):
            return begin(*values)

    monkeypatch.setattr(Intents, "begin", begin_noted)
    assert ROWS == push.run(world.tools.for_run(run)).account.pushed
    steps = steps_of(world.state, asked, "diffs", "journal", "listings", "asins")
    assert Step("UPDATE", "SEARCH diffs USING INDEX sqlite_autoindex_diffs_1 (diff_id=?)") in steps
    assert set() == {step for step in steps if re.search(r"SCAN|ix_\w+_(state|exported|decided_at)", step.way)}


def test_no_edit_leaves_more_than_a_second_after_its_look(tmp_path: Path) -> None:
    """The shop grows slow in mid-group: what has not left is looked at again, and leaves all the same, once."""
    world = World(tmp_path)
    expected = rises(world)
    ages = []

    def look(item_id: str, _kind: Kind, _value: int) -> None:
        (row,) = world.rows(journal, item_id=item_id)
        ages.append((world.clock.now() - from_ms(row["intent_at"])).total_seconds())
        if len(world.shop.edits) >= 2:
            pass_time(world)(item_id, _kind, _value)

    world.shop.before_edit = look
    account, _ = world.sync()
    assert (ROWS, sorted(expected)) == (account.pushed, sorted(world.shop.edits))
    assert LONGEST_S + SLOW_S > max(ages) > 0


def test_what_a_slow_shop_has_not_taken_back_yet_is_taken_back_too(tmp_path: Path) -> None:
    """A rollback whose rows are looked at again loses none of them."""
    world = World(tmp_path)
    rises(world, shown_jpy=2300)
    world.sync()
    world.shop.before_edit = pass_time(world)
    report = rollback_run(world.tools.for_run(world.run()), "run-1")
    assert (ROWS, {2300}) == (report.account.pushed, {item.price_jpy for item in world.shop.stock.values()})


def test_edits_are_told_in_the_order_in_which_they_left(tmp_path: Path) -> None:
    """Though their intents were written together."""
    world = World(tmp_path)
    rises(world)
    world.shop.after_edit = pass_time(world)
    world.sync()
    rows = sorted(world.rows(journal), key=lambda row: row["attempted_at"])
    assert [item for item, _, _ in world.shop.edits] == [row["item_id"] for row in rows]
    assert all(row["attempted_at"] < row["completed_at"] for row in rows)


@pytest.mark.parametrize("killed_at", [0, 2, 4, 7])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_in_mid_group_nothing_is_lost_or_doubled(tmp_path: Path, killed_at: int, moment: str) -> None:
    """What is on the disk in the moment of a call is all that another process has: it reads back what is open, sends
    the rest, and each edit is made once."""
    home, left = tmp_path / "first", tmp_path / "left"
    home.mkdir()
    left.mkdir()
    first = World(home)
    expected, shop = rises(first), first.shop

    def die(_item: str, _kind: Kind, _value: int) -> None:
        if len(shop.edits) == killed_at + (moment == "after"):
            with closing(sqlite3.connect(home / "state.db")) as now:
                now.execute("vacuum into ?", (str(left / "state.db"),))
            raise Killed

    setattr(shop, f"{moment}_edit", die)
    run = first.run()
    first.decide(run)
    with pytest.raises(Killed):
        push.run(first.tools.for_run(run))
    shop.before_edit = shop.after_edit = nothing
    world = World(left, shop, clock=first.clock)
    world.later(seconds=LEASE_LIFE.total_seconds())  # of the process that is gone
    report = push.run(world.tools.for_run(run))
    assert sorted(expected) == sorted(shop.edits)
    assert sorted((item, "price", "done") for item, _, _ in expected) == world.outcomes()
    assert report.settled_done >= (moment == "after")


class Killed(BaseException):
    pass
