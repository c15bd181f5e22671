"""The order of the steps, said once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ecauto_pipeline.defs.assets import ASSETS
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.sync.context import Context
from ecauto_pipeline.sync.diff_section import DiffReport
from ecauto_pipeline.sync.line import LINE, STEPS, Step, run_line
from ecauto_pipeline.sync.run_record import Section, record_of
from ecauto_pipeline_tests.scenarios.shop_day import ShopDay
from ecauto_pipeline_tests.sync.sp_api_snapshots.means import a_run


@pytest.fixture
def day(tmp_path: Path) -> Iterator[ShopDay]:
    with EmulatorServer(seed=3, listings=20, accounts=1, speed=100.0) as emulator:
        yield ShopDay(tmp_path, emulator)


def test_every_step_comes_after_what_it_reads() -> None:
    """One process that goes down the line has done everything a step depends on."""
    done: set[str] = set()
    for step in LINE:
        assert set(step.after) <= done
        done.add(step.name)
    assert list(STEPS) == [step.name for step in LINE]


def test_the_assets_are_the_line() -> None:
    """The graph in the UI has the steps and arrows of the line, no others."""
    graph = {asset.key.to_user_string(): {key.to_user_string() for key in asset.dependency_keys} for asset in ASSETS}
    assert {step.name: set(step.after) for step in LINE} == graph


def test_a_run_of_the_line_is_begun_ended_and_published(day: ShopDay) -> None:
    """Each step keeps its own section, which is what it reported; the record is closed and in history."""
    with day.tools("whole") as tools:
        reported = run_line(tools.for_run(a_run("whole", tools.clock.now())))
        record = record_of(tools, "whole")
    assert set(STEPS) == set(reported)
    assert record.start is not None
    assert record.ended_at is not None
    assert all(type(section) is type(getattr(record, name)) for name, section in reported.items())
    assert reported["base_updates"] == record.base_updates
    assert [{"n": 1}] == day.history("select count(*) as n from run_metrics where run_id = 'whole'")


def test_a_run_does_the_steps_it_wants(day: ShopDay) -> None:
    """Without visibility and without pushing there are no such sections: not done is not zero."""
    with day.tools("part") as tools:
        context = tools.for_run(a_run("part", tools.clock.now(), push=False, include_visibility=False))
        reported = run_line(context)
        record = record_of(tools, "part")
    assert set(STEPS) - {"visibility_diffs", "base_updates"} == set(reported)
    assert (None, None) == (record.visibility_diffs, record.base_updates)


def test_a_step_that_is_done_holds_nothing_of_the_state_in_memory(day: ShopDay) -> None:
    """However many connections its threads had: the next step, and what comes after the last, have the room."""
    with day.tools("small") as tools:

        def read_side_by_side(context: Context) -> Section:
            with context.state.read(), context.state.read(), context.state.read():
                return DiffReport()

        context = tools.for_run(a_run("small", tools.clock.now()))
        assert DiffReport() == Step("price_diffs", read_side_by_side).work(context)
        assert "Connections in pool: 0" in tools.state.engine.pool.status()
