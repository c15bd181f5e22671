"""A lane of a fleet has one run at a time; one that wakes up after its successor began does nothing more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.errors import LaneTaken
from ecauto_pipeline.state import lane_leases, leases, locks
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.every_table import every_table
from ecauto_pipeline.state.lane_leases import LIFE, LaneLease
from ecauto_pipeline.state.oauth import TokenWriteAhead
from ecauto_pipeline.state.windows import ShopWindows
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.lane_lease import HeldLane, holding
from ecauto_pipeline.sync.line import LINE, finish, run_line
from ecauto_pipeline.sync.run_record import begin_run, record_of
from ecauto_pipeline_tests.scenarios.shop_day import ShopDay
from ecauto_pipeline_tests.sync.sp_api_snapshots.means import a_run, tools_at

_NOW = datetime(2026, 6, 1, 1, 10, tzinfo=UTC)


class _PausingClock(ManualClock):
    """A process that is stopped in its next wait: `pause` happens before it goes on."""

    pause: Callable[[], None] | None = None

    def sleep(self, seconds: float, wake: object = None) -> bool:
        pause, self.pause = self.pause, None
        if pause is not None:
            pause()
        return super().sleep(seconds)


@pytest.fixture
def clock() -> _PausingClock:
    return _PausingClock(_NOW)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'state.db'}")
    yield opened
    opened.close()


def _claim(
    database: Database,
    run_id: str,
    owner: str,
    now: datetime,
    is_over: Callable[[LaneLease], bool] = lambda _lease: False,
) -> int:
    """The number under which `owner` has the lane, 0 where another has it."""
    with database.write(locks.lane("a")) as connection:
        got = lane_leases.claim(connection, "a", run_id, owner, now, is_over)
    return got.number if got.owner == owner else 0


def test_a_claim_raises_the_number_and_a_living_one_is_left_alone(database: Database) -> None:
    """Given back, run out, or of a run that is known to be over: the next has it, under the next number."""
    one, two = "elsewhere|1|0|a", "elsewhere|2|0|b"
    assert 1 == _claim(database, "r1", one, _NOW)
    assert 0 == _claim(database, "r2", two, _NOW + LIFE - timedelta(seconds=1))
    assert 2 == _claim(database, "r2", two, _NOW + LIFE)
    assert 0 == _claim(database, "r3", one, _NOW + LIFE, is_over=lambda lease: lease.run_id == "r1")
    assert 3 == _claim(database, "r3", one, _NOW + LIFE, is_over=lambda lease: lease.run_id == "r2")
    with database.write(locks.lane_beat("a")) as connection:
        lane_leases.release(connection, "a", 2)
    assert 0 == _claim(database, "r4", two, _NOW + LIFE)
    with database.write(locks.lane_beat("a")) as connection:
        lane_leases.release(connection, "a", 3)
    assert 4 == _claim(database, "r4", two, _NOW + LIFE)


def _claim_beside(database: Database, lane: str, other: str, owner: str, now: datetime) -> LaneLease:
    """Whoever has what was asked for then: `owner`, or who keeps it from them."""
    with database.write([locks.lane(lane), locks.lane(other)]) as connection:
        return lane_leases.claim(connection, lane, f"run of {lane}", owner, now, meets=[other])


@pytest.mark.parametrize(("first", "second"), [("all", "a"), ("a", "all")], ids=["all_first", "one_first"])
def test_all_lanes_and_one_of_them_keep_each_other_waiting(database: Database, first: str, second: str) -> None:
    """They work on the same shops: while one lives the other waits; whoever takes over from a dead one fences it."""
    one, two = "elsewhere|1|0|a", "elsewhere|2|0|b"
    assert LaneLease(first, 1, f"run of {first}", one, _NOW + LIFE, _NOW) == _claim_beside(
        database, first, second, one, _NOW
    )
    assert first == _claim_beside(database, second, first, two, _NOW + LIFE - timedelta(seconds=1)).lane
    clock = ManualClock(_NOW + LIFE)
    zombie = HeldLane(database, clock, LaneLease(first, 1, f"run of {first}", one, _NOW, _NOW), 0.0, 30.0)
    got = _claim_beside(database, second, first, two, clock.now())
    assert (second, 1, two) == (got.lane, got.number, got.owner)
    with pytest.raises(LaneTaken, match="number 2, this run's is 1"):
        zombie.may_send()
    assert second == _claim_beside(database, first, second, one, clock.now()).lane
    with database.write(locks.lane_beat(second)) as connection:
        lane_leases.release(connection, second, 1)
    assert (first, 3) == ((now := _claim_beside(database, first, second, one, clock.now())).lane, now.number)


def test_what_the_one_before_held_is_free_at_once(database: Database, clock: ManualClock) -> None:
    """Its shops and ASINs, not those of another lane; its run is closed at its last sign."""
    held = HeldLane(database, clock, LaneLease("a", 1, "r1", "x", _NOW, _NOW), 0.0, 30.0)
    _claim(database, "r1", "elsewhere|1|0|a", _NOW)
    with database.write() as connection:
        run_book.begin(connection, "r1", "stock_sync", "", _NOW, False)
        leases.claim(connection, ["push:base:s"], leases.new_owner(held), _NOW)
        leases.claim(connection, ["push:base:t"], leases.new_owner(), _NOW)
    _claim(database, "r2", "elsewhere|2|0|b", _NOW + LIFE)
    with database.read() as connection:
        assert ["push:base:t"] == [one.name for one in leases.read(connection, ["push:base:s", "push:base:t"])]
        assert [] == run_book.unended(connection)


def test_an_older_number_writes_nothing_but_tokens(database: Database, clock: ManualClock) -> None:
    """Whatever it writes by whatever way is refused before it is kept; a token that a shop gave is not lost."""
    _claim(database, "r1", "elsewhere|1|0|a", _NOW)
    database.fence = HeldLane(database, clock, LaneLease("a", 1, "r1", "x", _NOW, _NOW), 0.0, 30.0)
    other = Database(database.url.render_as_string())
    windows = ShopWindows(database, clock, "base", "s", per_hour=10, per_day=10)
    windows.reserve("edit")
    _claim(other, "r2", "elsewhere|2|0|b", _NOW + LIFE)
    with pytest.raises(LaneTaken, match="number 2, this run's is 1"):
        windows.reserve("edit")
    with pytest.raises(LaneTaken), database.write() as connection:
        run_book.begin(connection, "late", "stock_sync", "", _NOW, False)
    with pytest.raises(LaneTaken):
        database.may_send()
    TokenWriteAhead(database, "base").save("s", "{}", _NOW)
    with other.read() as connection:
        assert run_book.read(connection, "late") is None
    assert "{}" == TokenWriteAhead(other, "base").load("s")
    assert 1 == ShopWindows(other, clock, "base", "s", per_hour=10, per_day=10).usage()[0].used
    other.close()


def test_a_call_leaves_only_while_the_lease_outlives_it(database: Database, clock: ManualClock) -> None:
    """Where it has too little left it is renewed first, also when it has run out and nobody took it."""
    with database.write(locks.lane("a")) as connection:
        held = lane_leases.claim(connection, "a", "r1", "elsewhere|1|0|a", clock.now())
    database.fence = HeldLane(database, clock, held, clock.monotonic(), 30.0)
    for passed, renewed in ((19.0, False), (2.0, True), (300.0, True), (1.0, False)):
        clock.advance(passed)
        database.may_send()
        with database.read() as connection:
            (now,) = lane_leases.read(connection)
        assert renewed == (now.heartbeat_at == clock.now())


def test_a_run_that_slept_in_a_write_ends_with_what_became_of_its_lane(tmp_path: Path, clock: ManualClock) -> None:
    """Also where its beat has found the lane taken before its write finds that the server gave it up."""
    tools = tools_at(tmp_path, "http://127.0.0.1:9", clock)
    others = Database(tools.state.url.render_as_string())

    def given_up(taken: bool) -> None:
        with holding(tools, "a", "first") as held:
            if taken:
                clock.advance(LIFE.total_seconds())
                assert _claim(others, "second", "elsewhere|2|0|b", clock.now())
                with pytest.raises(LaneTaken):
                    held.renew()
            raise OperationalError("COMMIT", None, Exception("terminating connection due to idle-in-transaction"))

    with pytest.raises(OperationalError):
        given_up(taken=False)
    with pytest.raises(LaneTaken, match="number 3, this run's is 2") as raised:
        given_up(taken=True)
    assert isinstance(raised.value.__cause__, OperationalError)
    others.close()


def _everything(tools: Tools) -> dict[str, list[tuple[object, ...]]]:
    """Every row of state."""
    with tools.state.read() as connection:
        return {
            name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for name, table in every_table.tables.items()
        }


def test_a_run_that_wakes_after_its_successor_began_sends_and_writes_nothing_more(
    tmp_path: Path, clock: _PausingClock
) -> None:
    """Stopped between the intent of an edit and the call, it finds the lane taken: the edit does not leave, its
    successor settles it and does the rest, and of the first not even the end is written."""
    limits = {"base": {"limits": {"min_interval_s": 1.0}}}
    with EmulatorServer(clock=clock, seed=3, listings=20, accounts=1, speed=100.0) as emulator:
        day = ShopDay(tmp_path, emulator, clock, limits, loads_when_asked=True)
        left: list[tuple[int, dict[str, list[tuple[object, ...]]]]] = []

        def another_takes_over() -> None:
            clock.advance(LIFE.total_seconds())
            with day.tools("second") as others, holding(others, "all", "second"):
                run_line(others.for_run(a_run("second", clock.now())))
                left.append((len(day.edits()), _everything(others)))

        def first_run() -> None:
            with day.tools("first") as tools, holding(tools, "all", "first"):
                context = tools.for_run(a_run("first", clock.now()))
                begin_run(context)
                for step in LINE[:-1]:
                    step.run(context)
                clock.pause = another_takes_over
                try:
                    LINE[-1].run(context)
                finally:
                    finish(context)

        with pytest.raises(LaneTaken):
            first_run()
        with day.tools() as tools:
            after = (len(day.edits()), _everything(tools) | {"lane_leases": left[0][1]["lane_leases"]})
            first, second = record_of(tools, "first"), record_of(tools, "second")
    assert after == left[0]
    assert first.base_updates is None
    assert second.base_updates is not None
    assert second.base_updates.account.pushed > 1
    assert second.base_updates.account.pushed + second.base_updates.account.failed == after[0]
