"""Whom a run of a fleet waits for before it works on its lane, by what Dagster and state say of the run before it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest

from ecauto_pipeline.defs.resources import lane_held
from ecauto_pipeline.domain.lanes import WHOLE, Lane
from ecauto_pipeline.state import lane_leases, leases, locks
from ecauto_pipeline.state.lane_leases import LIFE
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline_tests.alerts.alert_tools import tools_at

EAST = Lane("east")
LEFT = timedelta(seconds=2)
"""So long a lease that nobody renews has to live when the next run comes."""


@pytest.fixture
def tools(tmp_path: Path) -> Iterator[Tools]:
    lanes = [{"id": "east", "shops": ["tokyo"], "sp_accounts": ["sp_east"]}]
    made = tools_at(tmp_path, {"fleet": {"on": True}, "lanes": lanes})
    yield replace(made, lane=EAST)
    made.state.close()


@pytest.fixture(scope="module")
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


def context_of(run: dg.DagsterRun | None, instance: dg.DagsterInstance) -> dg.InitResourceContext:
    """As Dagster opens the resource for a run."""
    return dg.InitResourceContext(
        resource_config=None,
        resources=dg.build_init_resource_context().resources,
        resource_def=None,
        all_resource_defs={},
        instance=instance,
        dagster_run=run,
    )


def works_on(tools: Tools, run_id: str, lane: str = "east") -> None:
    """Another process, alive, has begun this run of the lane."""
    with tools.state.write(locks.lane(lane)) as connection:
        lane_leases.claim(connection, lane, run_id, leases.new_owner(), tools.clock.now())
    tools.clock.sleep((LIFE - LEFT).total_seconds())


def waited_s(tools: Tools, run: dg.DagsterRun, instance: dg.DagsterInstance, job: str = "stock_sync") -> float:
    """By a clock that only waiting moves. Inside, writes go under the run's number; outside under none."""
    began = tools.clock.monotonic()
    with lane_held(context_of(run, instance), tools, job):
        waited = tools.clock.monotonic() - began
        assert tools.state.fence is not None
    assert tools.state.fence is None
    return waited


def a_run(instance: dg.DagsterInstance, status: dg.DagsterRunStatus, parent: str | None = None) -> dg.DagsterRun:
    return instance.add_run(dg.DagsterRun("stock_sync", status=status, parent_run_id=parent, root_run_id=parent))


def test_a_run_waits_for_one_that_dagster_shows_at_work(tools: Tools, instance: dg.DagsterInstance) -> None:
    """Until its lease is over, where nobody renews it."""
    working = a_run(instance, dg.DagsterRunStatus.STARTED)
    works_on(tools, working.run_id)
    assert LEFT.total_seconds() == waited_s(tools, a_run(instance, dg.DagsterRunStatus.STARTED), instance)


ENDED = {"failed": dg.DagsterRunStatus.FAILURE, "canceled": dg.DagsterRunStatus.CANCELED}


@pytest.mark.parametrize("end", ENDED)
def test_a_run_that_dagster_calls_over_holds_nobody_up(tools: Tools, instance: dg.DagsterInstance, end: str) -> None:
    """Its process may live on: from now on it is fenced off by the higher number."""
    works_on(tools, a_run(instance, ENDED[end]).run_id)
    assert 0.0 == waited_s(tools, a_run(instance, dg.DagsterRunStatus.STARTED), instance)


def test_a_run_that_dagster_does_not_know_is_waited_for(tools: Tools, instance: dg.DagsterInstance) -> None:
    """Not known is not over."""
    works_on(tools, "of another instance")
    assert LEFT.total_seconds() == waited_s(tools, a_run(instance, dg.DagsterRunStatus.STARTED), instance)


def test_a_retry_takes_its_lane_from_the_run_it_stands_for(tools: Tools, instance: dg.DagsterInstance) -> None:
    """So does a run that begins again itself: neither may wait for its own lease."""
    parent = a_run(instance, dg.DagsterRunStatus.STARTED)
    works_on(tools, parent.run_id)
    retry = a_run(instance, dg.DagsterRunStatus.STARTED, parent.run_id)
    assert 0.0 == waited_s(tools, retry, instance)
    works_on(tools, retry.run_id)
    assert 0.0 == waited_s(tools, retry, instance)


def test_the_watch_for_orders_waits_for_its_own_runs_alone(tools: Tools, instance: dg.DagsterInstance) -> None:
    """Somebody is about to buy: a long run of the same lane does not hold it up; another watch does."""
    works_on(tools, a_run(instance, dg.DagsterRunStatus.STARTED).run_id)
    watch = a_run(instance, dg.DagsterRunStatus.STARTED)
    assert 0.0 == waited_s(tools, watch, instance, "order_watch")
    works_on(tools, a_run(instance, dg.DagsterRunStatus.STARTED).run_id, "east/order_watch")
    assert LEFT.total_seconds() == waited_s(tools, watch, instance, "order_watch")


@pytest.mark.parametrize(("working", "lane"), [("all", EAST), ("east", WHOLE)], ids=["one_for_all", "all_for_one"])
def test_a_run_of_all_lanes_and_one_of_a_lane_wait_for_each_other(
    tools: Tools, instance: dg.DagsterInstance, working: str, lane: Lane
) -> None:
    """They work on the same shops. Of another lane nobody waits."""
    works_on(tools, a_run(instance, dg.DagsterRunStatus.STARTED).run_id, "west")
    works_on(tools, a_run(instance, dg.DagsterRunStatus.STARTED).run_id, working)
    waits = replace(tools, lane=lane)
    assert LEFT.total_seconds() == waited_s(waits, a_run(instance, dg.DagsterRunStatus.STARTED), instance)


def test_one_machine_holds_no_lane(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    """Nothing is claimed, and nothing is asked before a write."""
    tools = tools_at(tmp_path)
    with lane_held(context_of(a_run(instance, dg.DagsterRunStatus.STARTED), instance), tools, "stock_sync"):
        assert tools.state.fence is None
    with tools.state.read() as connection:
        assert [] == lane_leases.read(connection)
    tools.state.close()
