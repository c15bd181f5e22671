"""Asking goes on where another run was broken off, in any order, by whoever comes next."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, insert, select

from ecauto_pipeline.clock import SystemClock
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.errors import NothingDone, Stopped
from ecauto_pipeline.state import locks, plans
from ecauto_pipeline.state.database import LOCKS_HELD
from ecauto_pipeline.state.schema import listings
from ecauto_pipeline.state.schema_calls import api_calls
from ecauto_pipeline.sync.context import Run, Tools
from ecauto_pipeline.sync.sp_api_snapshots import fetch
from ecauto_pipeline.sync.stale_asins import plan as stale_asins
from ecauto_pipeline_tests.sync.sp_api_snapshots.means import a_run, kept, tools_at

_CLOCK = SystemClock()


@pytest.fixture(scope="module")
def world() -> Iterator[EmulatorServer]:
    """Amazon in good order: 120 ASINs, every one answered with success."""
    with EmulatorServer(clock=_CLOCK, seed=5, listings=300, accounts=1, speed=1.0) as server:
        yield server


@pytest.fixture(scope="module")
def asins(world: EmulatorServer) -> list[str]:
    found = [asin for asin in world.control.asins() if _sound(world.control.truth(asin))][:120]
    for asin in found:
        world.control.set_truth(asin, price_jpy=3000)
    return found


def _sound(truth: dict[str, object]) -> bool:
    return bool(truth["known"] and truth["status"] == "Success" and not truth["failure"])


@pytest.fixture
def tools(world: EmulatorServer, asins: list[str], tmp_path: Path) -> Tools:
    """An installation that may make five detail calls a second, with a burst that nobody has used.

    A new client knows of no calls before its own; refused for those of the test before, it would ask at half of
    Amazon's documented rate, 20 seconds later.
    """
    for operation in ("getItemOffersBatch", "getItemOffers", "getCompetitivePricing"):
        for rate_per_s in (1_000_000.0, 5.0):  # the first fills the burst again: a plan alone leaves it as it is
            world.control.set_rate(operation, rate_per_s, 4)
    tools = tools_at(tmp_path, world.url, _CLOCK)
    rows = [
        {"platform": "base", "account_id": "a", "item_id": str(number), "asin": asin, "listed": 1}
        for number, asin in enumerate(asins)
    ]
    with tools.state.write() as connection:
        connection.execute(insert(listings), rows)
    return tools


def broken_off(tools: Tools, run: Run) -> int:
    """Plan, ask, and end somewhere after the first answers; how many were answered."""
    stale_asins.run(tools.for_run(run))

    def stop_when_begun() -> None:
        while not kept(tools) and not tools.stop.wait(0.005):
            pass
        tools.stop.set()

    watcher = threading.Thread(target=stop_when_begun)
    watcher.start()
    with pytest.raises(Stopped):
        fetch.run(tools.for_run(run))
    watcher.join()
    tools.stop.clear()
    return len(kept(tools))


def test_a_retry_asks_what_is_left_and_nothing_else(tools: Tools, asins: list[str]) -> None:
    """Every ASIN is answered once over both runs; the retry says whose plan it went on with, and its figures add up."""
    answered = broken_off(tools, a_run("first", _CLOCK.now()))
    report = fetch.run(tools.for_run(replace(a_run("retry", _CLOCK.now()), retries="first")))
    assert 0 < answered < len(asins)
    assert (len(asins) - answered, 0, "first") == (report.asked, report.left_over, report.continues)
    assert {1} == set(Counter(row.asin for row in kept(tools)).values())
    assert {"success": report.asked} == dict(report.by_status)


def test_what_a_run_that_dies_leaves_of_a_call_is_all_or_nothing(tools: Tools) -> None:
    """A call and its answers are written down in one transaction, beside that of its claims; none is the ledger's
    own."""
    commits = Counter[str]()

    def committed(connection: Connection) -> None:
        lock = connection.info[LOCKS_HELD]
        kinds = sorted({one.kind for one in locks.in_order(lock)[1]})
        commits["ledger" if lock == locks.ledger() else " ".join(kinds)] += 1

    event.listen(tools.state.engine, "commit", committed)
    few = a_run("few", _CLOCK.now(), max_items=40)
    stale_asins.run(tools.for_run(few))
    fetch.run(tools.for_run(few))
    with tools.state.read() as connection:
        made = list(connection.execute(select(api_calls.c.operation)).scalars())
    assert (2, 2, 2) == (made.count("getItemOffersBatch"), commits["asin"], commits["asin sp_account"])
    assert 0 == commits["ledger"]


def test_asking_alone_takes_up_the_newest_plan_of_its_hour(tools: Tools, asins: list[str]) -> None:
    """The asset materialized alone after `stale_asins` alone: another run's plan, as nobody else finished it."""
    stale_asins.run(tools.for_run(a_run("planner", _CLOCK.now())))
    report = fetch.run(tools.for_run(a_run("asker", _CLOCK.now())))
    assert (len(asins), "planner") == (report.asked, report.continues)


def test_asking_without_any_plan_makes_one(tools: Tools, asins: list[str]) -> None:
    """Nothing was planned at all: the asset finds out by itself what is due. Again: nothing is, and no call is made."""
    report = fetch.run(tools.for_run(a_run("alone", _CLOCK.now())))
    again = fetch.run(tools.for_run(a_run("again", _CLOCK.now())))
    assert (len(asins), "") == (report.asked, report.continues)
    assert (0, 0) == (again.planned, again.asked)


def test_the_plan_of_another_hour_lane_or_scope_is_left_alone(tools: Tools, asins: list[str]) -> None:
    """What belongs to other listings or another hour is no work of this run; it makes a plan of its own."""
    stale_asins.run(tools.for_run(a_run("planner", _CLOCK.now())))
    elsewhere = [
        replace(a_run("hour", _CLOCK.now()), partition_keys=("2026-01-05-13:00",)),
        replace(a_run("lane", _CLOCK.now()), lane="west"),
        a_run("few", _CLOCK.now(), max_items=7),
    ]
    with tools.state.read() as connection:
        found = [
            plans.newest_unfinished(connection, run.partition_key, run.lane, stale_asins.scope_of(run))
            for run in elsewhere
        ]
        planned = plans.of_run(connection, "planner")
    few = fetch.run(tools.for_run(elsewhere[2]))
    assert [None, None, None] == found
    assert planned is not None
    assert planned.finished_at is None
    assert (7, "") == (few.asked, few.continues)


def test_a_plan_with_nothing_left_is_done_and_the_next_one_is_made(tools: Tools, asins: list[str]) -> None:
    """Answered meanwhile by somebody else: the old plan is closed, what is due now is planned anew (here: nothing)."""
    stale_asins.run(tools.for_run(a_run("left", _CLOCK.now())))
    fetch.run(tools.for_run(replace(a_run("other hour", _CLOCK.now()), partition_keys=("2026-01-05-13:00",))))
    report = fetch.run(tools.for_run(a_run("late", _CLOCK.now())))
    with tools.state.read() as connection:
        left = plans.of_run(connection, "left")
    assert (0, "") == (report.asked, report.continues)
    assert left is not None
    assert left.finished_at is not None


def test_work_time_and_nothing_done_is_a_failure(tools: Tools) -> None:
    """A run with due ASINs and nobody to ask with must not end well."""
    with pytest.raises(NothingDone, match="no SP-API account"):
        fetch.run(replace(tools, sp_accounts=()).for_run(a_run("idle", _CLOCK.now())))
