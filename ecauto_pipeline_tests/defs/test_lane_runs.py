"""One run a lane: schedules ask for each by its own key and tag, and a lane waits for nobody but its own runs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
import yaml
from sqlalchemy import insert, update

from ecauto_pipeline.cli.dagster_run import job_origin
from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.defs.build import build_defs
from ecauto_pipeline.defs.lanes import LANE_TAG, SIDE_BY_SIDE, lane_id
from ecauto_pipeline.defs.partitions import hour_key
from ecauto_pipeline.domain.lanes import WHOLE_LANE, Lane, in_turn
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.state.owner import new_owner
from ecauto_pipeline.state.schema import listings
from ecauto_pipeline.sync.stale_asins.next_slice import NextSlice, decide_next
from ecauto_pipeline.sync.stale_asins.passed_over import note_passed_over
from ecauto_pipeline.wiring.lanes import lanes_of
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.defs.installation import SMALL, Installation, installed
from ecauto_pipeline_tests.pages import ROOT
from ecauto_pipeline_tests.two_lanes import LANES

TWO_LANES = SMALL.replace("accounts = 2", "accounts = 3") + LANES


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Installation]:
    with installed(tmp_path, TWO_LANES) as opened:
        yield opened


def under_way(here: Installation, job: str, lane: str, since: datetime | None = None) -> str:
    """A run of a lane ("" = of the whole) that Dagster shows as under way and that this process works on."""
    tags = {LANE_TAG: lane} if lane else {}
    run = here.instance.add_run(
        dg.DagsterRun(job, status=dg.DagsterRunStatus.STARTED, tags=tags, remote_job_origin=job_origin(job))
    )
    with open_tools(here.settings, offline=True) as tools, tools.state.write() as connection:
        at = since or datetime.now(UTC)
        run_book.begin(connection, run.run_id, job, "", at, False, new_owner(), lane or WHOLE_LANE)
    return run.run_id


def tick(here: Installation, schedule: str = "stock_sync_schedule") -> list[dg.RunRequest]:
    """What a schedule asks for at this hour, lane by lane."""
    defs = build_defs().get_repository_def()
    at = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    context = dg.build_schedule_context(instance=here.instance, scheduled_execution_time=at, repository_def=defs)
    said = defs.get_schedule_def(schedule)(context)
    if isinstance(said, dg.SkipReason):
        return []
    asked = said if isinstance(said, list) else [said]
    return [one for one in asked if isinstance(one, dg.RunRequest)]


def test_a_tick_asks_for_one_run_a_lane_on_the_hours_partition(here: Installation) -> None:
    """Key, tag and launchpad say which; the catalogue has no partition."""
    key = hour_key(datetime.now(UTC))
    asked = tick(here)
    assert [f"stock_sync:{key}:east", f"stock_sync:{key}:west"] == [one.run_key for one in asked]
    assert [key, key] == [one.partition_key for one in asked]
    assert ["east", "west"] == [one.tags[LANE_TAG] for one in asked]
    assert ["east", "west"] == [one.run_config["resources"]["pipeline"]["config"]["lane"] for one in asked]
    assert [None, None] == [one.partition_key for one in tick(here, "catalog_refresh_schedule")]


def test_where_there_is_one_lane_its_runs_are_as_before(tmp_path: Path) -> None:
    """No tag, so no limit; the run key has no lane in it; nor has the launchpad."""
    with installed(tmp_path) as here:
        (asked,) = tick(here)
    assert f"stock_sync:{hour_key(datetime.now(UTC))}" == asked.run_key
    assert LANE_TAG not in asked.tags
    assert {"trigger": "schedule"} == asked.run_config["resources"]["pipeline"]["config"]


def test_in_a_fleet_the_one_lane_has_its_tag_too(tmp_path: Path) -> None:
    """So that Dagster's queue orders its runs: each of them took a worker, and waited there for the one before. The run
    key stays, so that what one machine asked for is not asked for again."""
    with installed(tmp_path, SMALL + "[fleet]\non = true\n") as here:
        asked = [*tick(here), *tick(here, "price_sync_schedule")]
    key = hour_key(datetime.now(UTC))
    assert [f"stock_sync:{key}", f"price_sync:{key}"] == [one.run_key for one in asked]
    assert [WHOLE_LANE, WHOLE_LANE] == [one.tags[LANE_TAG] for one in asked]


@pytest.mark.parametrize(
    ("lane", "job", "free"),
    [
        ("east", "stock_sync", ["west"]),
        ("east", "price_sync", ["east", "west"]),
        ("", "stock_sync", []),
    ],
    ids=["its_own", "another_job", "the_whole"],
)
def test_a_lane_waits_for_its_own_runs_and_those_of_the_whole(
    here: Installation, lane: str, job: str, free: list[str]
) -> None:
    """Any run of the job stopped every lane's tick."""
    under_way(here, job, lane)
    assert free == [one.tags[LANE_TAG] for one in tick(here)]


def test_dagster_lets_one_run_of_each_lane_work_at_a_time() -> None:
    """By the tag, in the dagster.yaml that comes with the project."""
    limits = yaml.safe_load((ROOT / "dagster.yaml").read_text(encoding="utf-8"))["concurrency"]["runs"]
    assert [{"key": LANE_TAG, "value": {"applyLimitPerUniqueValue": True}, "limit": 1}] == limits[
        "tag_concurrency_limits"
    ]
    assert {"order_watch"} == SIDE_BY_SIDE


def test_a_run_knows_its_lane_by_tag_or_launchpad() -> None:
    """Who says neither works on everything."""
    config = {"resources": {"pipeline": {"config": {"lane": "west"}}}}
    assert ["east", "west", "all"] == [
        lane_id(dg.DagsterRun("stock_sync", tags={LANE_TAG: "east"})),
        lane_id(dg.DagsterRun("stock_sync", run_config=config)),
        lane_id(dg.DagsterRun("stock_sync")),
    ]


def test_the_next_slice_of_a_lane_follows_that_lanes_last_run(here: Installation) -> None:
    """The newest run of all was looked at: a lane whose run had ended waited for whichever lane had begun last."""
    hour = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
    with open_tools(here.settings, offline=True, clock=ManualClock(hour + timedelta(minutes=20))) as tools:
        with tools.state.write() as connection:
            for lane, minute in (("east", 0), ("west", 5)):
                at = hour + timedelta(minutes=minute)
                run_book.begin(connection, f"run of {lane}", "stock_sync", hour_key(hour), at, False, "", lane)
            run_book.end(connection, "run of east", hour + timedelta(minutes=10))
            connection.execute(insert(listings), [listing("base_account_1", "B000000001")])
        east, west = (tools.in_lane(lane) for lane in lanes_of(here.settings))
        assert NextSlice(True, "next_slice", 2, "run of east") == decide_next(east, [])
        assert NextSlice(False, "planning", 2, "run of west") == decide_next(west, ["run of west"])
        with tools.state.write() as connection:
            connection.execute(update(listings).values(account_id="base_account_2"))
        assert NextSlice(False, "nothing_due", 2, "run of east") == decide_next(east, [])


def test_an_hour_whose_tick_found_a_run_at_work_begins_as_that_run_ends(here: Installation) -> None:
    """A slice that lasted past the full hour had its tick skipped, and until the next hour nobody began another."""
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    run_id = under_way(here, "stock_sync", "west", hour - timedelta(minutes=5))
    assert ["east"] == [one.tags[LANE_TAG] for one in tick(here)]
    clock = ManualClock(hour + timedelta(seconds=30))
    with open_tools(here.settings, offline=True, clock=clock) as tools:
        east, west = (tools.in_lane(lane) for lane in lanes_of(here.settings))
        assert NextSlice(False, "planning", 1, run_id) == decide_next(west, [run_id])
        assert NextSlice(False, "another_run_waits", 1, run_id) == decide_next(west, [run_id, "queued"])
        with tools.state.write() as connection:
            run_book.end(connection, run_id, clock.now())
        assert NextSlice(True, "passed_over", 1, run_id) == decide_next(west, [])
        assert not decide_next(east, []).launch
        clock.advance(3_600.0)  # an hour of which nobody has begun a run either, until the schedule's does
        assert decide_next(west, []).launch
        with tools.state.write() as connection:
            at = hour + timedelta(minutes=50)
            run_book.begin(connection, "made up for", "stock_sync", hour_key(hour), at, False, "", "west")
            run_book.end(connection, "made up for", clock.now())
        assert not decide_next(west, []).launch
        clock.advance(30 * 3_600.0)
        with tools.state.write() as connection:
            note_passed_over(connection, ["west"], clock.now() - timedelta(days=2))
        assert not decide_next(west, []).launch


def listing(account: str, asin: str) -> dict[str, object]:
    """One that takes part, and of whose ASIN nothing is known."""
    return {"platform": "base", "account_id": account, "item_id": "1", "asin": asin, "listed": 1}


def test_each_lane_has_its_turn_to_be_looked_at() -> None:
    """However many there are: the look begins where the one before had to end."""
    lanes = [Lane("a"), Lane("b"), Lane("c")]
    assert ["b", "c", "a"] == [lane.id for lane in in_turn(lanes, "b")]
    assert ["a", "b", "c"] == [lane.id for lane in in_turn(lanes, "gone")]
    assert () == in_turn([], "a")
