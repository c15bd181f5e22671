"""What people see in the UI: the progress of long work, and what the limits can keep fresh."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from sqlalchemy import delete, func, select

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.defs import metadata as showing
from ecauto_pipeline.defs.capacity import capacity
from ecauto_pipeline.defs.partitions import hours_from
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.state.schema import asins
from ecauto_pipeline.sync.line import run_line
from ecauto_pipeline.sync.sp_api_snapshots import fetch
from ecauto_pipeline_tests.scenarios.shop_day import ShopDay
from ecauto_pipeline_tests.sync.sp_api_snapshots.means import a_run, plan, tools_at

_NOW = datetime(2026, 6, 1, 3, 0, tzinfo=UTC)
_HOUR = "2026-06-01-12:00"


def test_an_observation_says_how_far_how_fast_and_how_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """n of N, outcomes, calls made and allowed, the rate used in %, the seconds that remain: numbers."""
    monkeypatch.setattr(showing, "OBSERVE_EVERY_S", 0.0)
    clock = ManualClock(_NOW)
    with EmulatorServer(clock=clock, seed=5, listings=120, accounts=1, speed=1.0) as world:
        tools, run = tools_at(tmp_path, world.url, clock), a_run("run", _NOW)
        plan(tools.for_run(run), detail=world.control.asins()[:60])

        @dg.asset(partitions_def=hours_from(_NOW))
        def asked(context: dg.AssetExecutionContext) -> None:
            with showing.live_progress(context, tools.for_run(run)) as work:
                fetch.run(work)

        with dg.DagsterInstance.ephemeral() as instance:
            assert dg.materialize([asked], instance=instance, partition_key=_HOUR).success
            last = instance.fetch_observations(asked.key, limit=1).records[0].asset_observation
    shown: dict[str, Any] = {name: value.value for name, value in (last.metadata if last else {}).items()}
    assert last is not None
    assert last.partition == _HOUR
    assert (shown["done"], shown["total"], shown["asked"], shown["remaining_s"]) == (60, 60, 60, 0)
    calls = {name.partition(" ")[2]: value for name, value in shown.items() if name.startswith("calls ")}
    assert sum(calls.values()) >= 3
    for bucket, made in calls.items():
        assert shown[f"allowed {bucket}"] > 0
        assert 0 < shown.get(f"used % {bucket}", 100.0 if made < 2 else 0.0) <= 100
    assert (
        sum(
            shown[status]
            for status in ("success", "out_of_stock", "filtered_out", "not_found", "api_error")
            if status in shown
        )
        == 60
    )


def test_the_capacity_asset_answers_with_figures_a_table_and_a_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """100,000 articles and one account: what `ecauto capacity` says, to look at and to plot; nobody is called."""
    monkeypatch.setenv("ECAUTO_DATA_DIR", str(tmp_path))
    config = dg.RunConfig({"capacity": {"config": {"listings": 100_000, "sp_accounts": 1}}})
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([capacity], instance=instance, run_config=config)
        shown: dict[str, Any] = dict(result.asset_materializations_for_node("capacity")[0].metadata)
    assert (100_000, 1) == (shown["asins"].value, shown["accounts_needed"].value)
    assert 0.5 < shown["detail_load"].value < 1
    assert "| getItemOffersBatch | 360 回/時, 7,200 ASIN/h |" in shown["answer"].value
    assert "data:image/png;base64,iVBOR" in shown["picture"].value


def test_a_dry_run_s_figures_never_stand_among_those_of_edits(tmp_path: Path) -> None:
    """A plot of `pushed` shows what was pushed: what would have been has a name of its own, whatever came before."""
    with EmulatorServer(seed=5, listings=20, accounts=1, speed=1000.0) as emulator:
        day = ShopDay(tmp_path, emulator)
        with day.tools("live") as tools:
            work = tools.for_run(a_run("live", tools.clock.now()))
            section = run_line(work)["base_updates"]
            live = showing.run_figures(work, "base_updates", section)
            dry = showing.run_figures(tools.for_run(replace(work.run, dry_run=True)), "base_updates", section)
    assert live["pushed"] > 0
    assert set(dry) == {f"dry_run/{name}" for name in showing.figures(section)}


def test_an_hour_of_several_runs_shows_its_sum(tmp_path: Path) -> None:
    """Dagster plots one run an hour; what the others of the hour did stands beside it, dry runs left out."""
    with EmulatorServer(seed=5, listings=20, accounts=1, speed=1000.0) as emulator:
        day = ShopDay(tmp_path, emulator)
        sections = []
        for name, dry in (("first", False), ("dry", True), ("second", False)):
            with day.tools(name) as tools:
                with tools.state.write() as connection:  # what was answered a while ago is asked again
                    connection.execute(delete(asins).where(asins.c.asin.in_(select(func.max(asins.c.asin)))))
                work = tools.for_run(replace(a_run(name, tools.clock.now()), dry_run=dry))
                sections.append(run_line(work)["sp_api_snapshots"])
                shown = showing.run_figures(work, "sp_api_snapshots", sections[-1])
    first, _, second = (showing.figures(section)["asked"] for section in sections)
    assert first > second == shown["asked"] > 0
    assert first + second == shown["hour/asked"]
