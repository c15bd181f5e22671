"""Two runs that begin at the same moment and want to know the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import insert

from ecauto_pipeline.alerts.rule import AlertSetup
from ecauto_pipeline.alerts.rules import RULES
from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.state.schema import listings
from ecauto_pipeline.sync.run_record import begin_run, record_of
from ecauto_pipeline.sync.sp_api_snapshots import fetch
from ecauto_pipeline.sync.stale_asins import plan as planner
from ecauto_pipeline_tests.sync.sp_api_snapshots.means import a_run, tools_at


def test_the_run_that_finds_its_plan_answered_is_well(tmp_path: Path) -> None:
    """stock_sync and price_sync have planned the same ASINs before either asks; one asks, and no alarm is raised of the
    other."""
    clock = ManualClock(datetime(2026, 1, 5, 17, tzinfo=UTC))
    with EmulatorServer(clock=clock, seed=5, listings=60, accounts=1, speed=1.0) as world:
        tools = tools_at(tmp_path, world.url, clock, timeout_s=60.0)
        rows = [
            {"platform": "base", "account_id": "base_account_1", "item_id": asin, "asin": asin, "listed": 1}
            for asin in sorted(world.control.asins())[:15]
        ]
        with tools.state.write() as connection:
            connection.execute(insert(listings), rows)
        both = [
            tools.for_run(replace(a_run(job, clock.now(), slice_s=60.0), job=job))
            for job in ("stock_sync", "price_sync")
        ]
        for context in both:
            begin_run(context)
        planned = [planner.run(context).detail_asins for context in both]
        asked = [fetch.run(context) for context in both]
        rule = RULES["calls_made_when_due"]
        said = [
            rule.judge(record_of(context, context.run.run_id), AlertSetup(context.settings.alerts)) for context in both
        ]
        for account in tools.sp_accounts:
            account.close()
        tools.state.close()
    assert ([15, 15], 15, 0) == (planned, asked[1].others, asked[1].sp_api_calls)
    assert asked[0].sp_api_calls > 0
    assert [True, True] == [one.passed for one in said]
