"""Runs that Dagster still shows as under way after a power cut hold nothing up; they are marked failed, in words."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from ecauto_pipeline.cli.dagster_run import execute, job_origin
from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.defs.build import build_defs
from ecauto_pipeline.defs.living_runs import OWNER_TAG, active_runs, is_alive, mark_dead_runs_failed
from ecauto_pipeline.defs.partitions import hour_key
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.state.owner import new_owner
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.defs.installation import Installation, installed

STARTED, STARTING = dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING
OWNER = "from ecauto_pipeline.state.owner import new_owner; print(new_owner())"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Installation]:
    with installed(tmp_path) as opened:
        yield opened


@pytest.fixture
def tools(here: Installation) -> Iterator[Tools]:
    with open_tools(here.settings, offline=True) as opened:
        yield opened


@pytest.fixture(scope="module")
def gone() -> str:
    """A process of this host that worked once and has ended."""
    return subprocess.run([sys.executable, "-c", OWNER], capture_output=True, text=True, check=True).stdout.strip()


def shown(
    here: Installation,
    status: dg.DagsterRunStatus,
    job: str = "stock_sync",
    owner: str = "",
    tags: dict[str, str] | None = None,
) -> str:
    """A run that Dagster shows in this state; `owner`: who began its record in state.db."""
    run = here.instance.add_run(dg.DagsterRun(job, status=status, tags=tags or {}, remote_job_origin=job_origin(job)))
    if owner:
        with open_tools(here.settings, offline=True) as tools, tools.state.write() as connection:
            run_book.begin(connection, run.run_id, job, "", datetime.now(UTC), False, owner)
    return run.run_id


def tick(here: Installation, schedule: str = "stock_sync_schedule") -> dg.RunRequest | dg.SkipReason:
    """What a schedule says at this hour."""
    defs = build_defs().get_repository_def()
    at = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    context = dg.build_schedule_context(instance=here.instance, scheduled_execution_time=at, repository_def=defs)
    said = defs.get_schedule_def(schedule)(context)
    assert isinstance(said, dg.RunRequest | dg.SkipReason)
    return said


def test_the_first_tick_after_a_power_cut_launches(here: Installation, gone: str) -> None:
    """The run before stands at "started", its heartbeat is seconds old, and its process has gone."""
    shown(here, STARTED, owner=gone)
    assert isinstance(tick(here), dg.RunRequest)


def test_a_tick_waits_for_a_run_that_lives(here: Installation) -> None:
    """However long the run has said nothing."""
    shown(here, STARTED, owner=new_owner())
    assert isinstance(tick(here), dg.SkipReason)
    assert isinstance(tick(here, "price_sync_schedule"), dg.RunRequest)


def test_a_run_that_died_before_it_opened_its_record_is_known_by_its_process(here: Installation, tools: Tools) -> None:
    """By the number that Dagster wrote down when it started the process; by its owner where we started it."""
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    by_number = shown(here, STARTING)
    run = here.instance.get_run_by_id(by_number)
    assert run is not None
    here.instance.report_engine_event(f"Started process for run (pid: {ended.pid}).", run)
    lives = {one.run.run_id: one.life for one in active_runs(here.instance, tools)}
    assert {by_number: "dead"} == lives
    assert isinstance(tick(here), dg.RunRequest)


@pytest.mark.parametrize("tag", ["dagster-celery/task_id", "dagster/image"])
def test_a_process_number_of_another_machine_says_nothing_here(here: Installation, tools: Tools, tag: str) -> None:
    """A worker's run that has not opened its record yet: that nobody here has its number is no death."""
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    elsewhere = shown(here, STARTED, tags={tag: "1"})
    run = here.instance.get_run_by_id(elsewhere)
    assert run is not None
    here.instance.report_engine_event(f"Started process for run (pid: {ended.pid}).", run)
    assert ["works"] == [one.life for one in active_runs(here.instance, tools)]
    assert [] == list(mark_dead_runs_failed(here.instance, tools))


def test_the_dead_are_marked_failed_in_words_and_the_living_are_left_alone(
    here: Installation, tools: Tools, gone: str
) -> None:
    """Dagster shows the failure and its reason; what waits in the queue or works stays; a second look finds nothing."""
    dead = [
        shown(here, STARTED, owner=gone),
        shown(here, STARTED, "catalog_refresh", owner=gone),
        shown(here, dg.DagsterRunStatus.NOT_STARTED, tags={OWNER_TAG: gone}),
    ]
    living = [shown(here, STARTED, owner=new_owner()), shown(here, dg.DagsterRunStatus.QUEUED)]
    assert dead == list(mark_dead_runs_failed(here.instance, tools))
    assert [] == list(mark_dead_runs_failed(here.instance, tools))
    for run_id in dead:
        record = here.instance.get_run_by_id(run_id)
        assert record is not None
        assert dg.DagsterRunStatus.FAILURE == record.status
        (event,) = here.instance.all_logs(run_id, of_type=dg.DagsterEventType.RUN_FAILURE)
        assert "プロセスはもうありません" in event.message
        assert "has gone" in event.message
    assert sorted(living) == sorted(one.run.run_id for one in active_runs(here.instance, tools) if is_alive(one))
    with tools.state.read() as connection:
        assert living[:1] == [row.run_id for row in run_book.unended(connection)]


def test_the_next_command_marks_the_dead(here: Installation, gone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no daemon looks, whatever is run at a terminal does, before anything else: no such job is needed."""
    monkeypatch.setenv("DAGSTER_HOME", str(here.folder / "instance"))
    run_id = shown(here, STARTED, owner=gone)
    with pytest.raises(dg.DagsterInvariantViolationError, match="no_such_job"):
        execute("no_such_job", "", {}, lambda _: None)
    record = here.instance.get_run_by_id(run_id)
    assert record is not None
    assert dg.DagsterRunStatus.FAILURE == record.status


def test_a_dead_catalogue_run_alone_blocks_no_slice(here: Installation, tools: Tools, gone: str) -> None:
    """`next_slice` looks at what lives."""
    shown(here, STARTED, "catalog_refresh", owner=gone)
    with tools.state.write() as connection:
        run_book.begin(connection, "first", "stock_sync", hour_key(datetime.now(UTC)), datetime.now(UTC), False)
        run_book.end(connection, "first", datetime.now(UTC))
    sensor = build_defs().get_repository_def().get_sensor_def("next_slice")
    said = sensor(dg.build_sensor_context(instance=here.instance))
    assert "another_run_waits" != getattr(said, "skip_message", "")


@pytest.mark.parametrize("off", [timedelta(hours=1), timedelta(days=1), timedelta(days=30)])
def test_a_machine_that_was_off_waits_for_nobody(here: Installation, off: timedelta) -> None:
    """What it left queued, starting or under way an hour, a day, a month ago: known to nobody, and in nobody's way."""
    shown(here, dg.DagsterRunStatus.QUEUED)
    shown(here, STARTED, owner="another-name|1|0|a")
    with open_tools(here.settings, offline=True, clock=ManualClock(datetime.now(UTC) + off)) as tools:
        assert [] == [one.run.run_id for one in active_runs(here.instance, tools) if is_alive(one)]
