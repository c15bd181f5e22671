"""The graph as a whole: names, order, partitions, checks, jobs, schedules and sensors, as one snapshot.

A change of shape shows as a diff of the snapshot (`pytest ecauto_pipeline_tests/test_definitions.py
--snapshot-update` takes it over). Not for: what a run does (scenarios/).
"""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster import DefaultScheduleStatus, DefaultSensorStatus
from syrupy.assertion import SnapshotAssertion

from ecauto_pipeline.alerts.rules import RULES
from ecauto_pipeline.defs.build import build_defs
from ecauto_pipeline.settings import Settings, parse
from ecauto_pipeline_tests.pages import ROOT

OWNERS_SIX = ["listings", "stale_asins", "sp_api_snapshots", "price_diffs", "visibility_diffs", "base_updates"]
OWNERS_FOUR = ("sp_api_error_rate", "base_error_rate", "cache_hit_rate", "run_duration")


@pytest.fixture(scope="module")
def defs() -> dg.Definitions:
    return build_defs(Settings())


@pytest.fixture(scope="module")
def repository(defs: dg.Definitions) -> Any:
    return defs.get_repository_def()


def describe(repository: Any) -> dict[str, Any]:
    """The shape as plain values, sorted by name."""
    graph = repository.asset_graph
    nodes = {key.to_user_string(): graph.get(key) for key in sorted(graph.get_all_asset_keys())}
    return {
        "assets": {
            name: {
                "deps": sorted(parent.to_user_string() for parent in node.parent_keys),
                "group": node.group_name,
                "partitions": _partitions(node.partitions_def),
                "backfill": node.backfill_policy.policy_type.value if node.backfill_policy else "",
                "checks": sorted(check.name for check in node.check_keys),
                "owners": sorted(node.owners),
                "kinds": sorted(node.kinds),
            }
            for name, node in nodes.items()
        },
        "jobs": {
            job.name: {
                "assets": sorted(key.to_user_string() for key in job.asset_layer.selected_asset_keys),
                "ops": sorted(node.name for node in job.nodes if not job.asset_layer.selected_asset_keys),
                "partitions": _partitions(job.partitions_def),
                "executor": job.executor_def.name,
            }
            for job in sorted(repository.get_all_jobs(), key=lambda job: job.name)
            if not job.name.startswith("__")
        },
        "schedules": {
            schedule.name: {
                "cron": schedule.cron_schedule,
                "timezone": schedule.execution_timezone,
                "job": schedule.job_name,
                "default": schedule.default_status.value,
            }
            for schedule in sorted(repository.schedule_defs, key=lambda schedule: schedule.name)
        },
        "sensors": {
            sensor.name: {
                "type": sensor.sensor_type.value,
                "every_s": sensor.minimum_interval_seconds,
                "jobs": sorted(target.job_name for target in sensor.targets),
                "default": sensor.default_status.value,
            }
            for sensor in sorted(repository.sensor_defs, key=lambda sensor: sensor.name)
        },
    }


def _partitions(definition: Any) -> str:
    """Which partitions, without the keys: "hourly Asia/Tokyo %Y-... +1"."""
    if definition is None:
        return ""
    kind = type(definition).__name__.removesuffix("PartitionsDefinition").lower()
    return f"{kind} {definition.timezone} {definition.fmt} +{definition.end_offset} {definition.cron_schedule}"


def test_the_graph_has_the_shape_that_was_agreed(
    repository: dg.RepositoryDefinition, snapshot: SnapshotAssertion
) -> None:
    """Names, dependencies, partitions, checks, jobs, crons and default states change on purpose or not at all."""
    assert snapshot == describe(repository)


def test_the_six_assets_have_exactly_the_owners_names(repository: dg.RepositoryDefinition) -> None:
    """Six assets, these names, no other in the flow; beside it what the limits allow, in a group of its own."""
    graph = repository.asset_graph
    groups = {key.to_user_string(): graph.get(key).group_name for key in graph.get_all_asset_keys()}
    assert sorted(OWNERS_SIX) == sorted(name for name, group in groups.items() if group == "sync")
    assert {"capacity": "capacity"} == {name: group for name, group in groups.items() if group != "sync"}


def test_every_alert_rule_is_a_check_of_exactly_one_asset(repository: dg.RepositoryDefinition) -> None:
    """A rule without a check would be seen by nobody; one with two would be told twice."""
    names = sorted(key.name for key in repository.asset_graph.asset_check_keys)
    assert sorted(RULES) == names
    assert set(OWNERS_FOUR) <= set(names)


def test_checks_hold_nothing_up(repository: dg.RepositoryDefinition) -> None:
    """A blocking check would stop the hiding of sold-out goods; rows are held instead."""
    graph = repository.asset_graph
    assert [] == [key.name for key in graph.asset_check_keys if graph.get(key).blocking]


def test_everything_public_says_what_it_is(repository: dg.RepositoryDefinition) -> None:
    """Assets, jobs, schedules, sensors and checks have a description in the UI."""
    graph = repository.asset_graph
    silent = [key.to_user_string() for key in graph.get_all_asset_keys() if not graph.get(key).description]
    silent += [key.name for key in graph.asset_check_keys if not graph.get(key).description]
    silent += [job.name for job in repository.get_all_jobs() if not job.name.startswith("__") and not job.description]
    silent += [schedule.name for schedule in repository.schedule_defs if not schedule.description]
    silent += [sensor.name for sensor in repository.sensor_defs if not sensor.description]
    assert [] == silent


def test_the_launchpad_says_what_every_field_is(defs: dg.Definitions) -> None:
    """The fields of the pipeline resource are read by people who start a run by hand."""
    assert defs.resources
    fields = type(defs.resources["pipeline"]).model_fields
    assert {"dry_run", "accounts", "max_items", "include_price"} <= set(fields)
    assert [] == [name for name, field in fields.items() if not field.description]


@pytest.mark.parametrize(
    ("mode", "schedules", "sensors"),
    [
        ("emulated", {DefaultScheduleStatus.STOPPED}, {DefaultSensorStatus.STOPPED}),
        ("live", {DefaultScheduleStatus.RUNNING}, {DefaultSensorStatus.RUNNING}),
    ],
)
def test_nothing_starts_by_itself_but_in_live_mode(
    mode: str, schedules: set[DefaultScheduleStatus], sensors: set[DefaultSensorStatus]
) -> None:
    """A demo left open overnight works on nothing; a live installation needs no clicks."""
    defs = build_defs(parse({"mode": mode}, ROOT))
    repository = defs.get_repository_def()
    assert schedules == {schedule.default_status for schedule in repository.schedule_defs}
    assert sensors == {sensor.default_status for sensor in repository.sensor_defs}


def test_schedules_follow_ecauto_toml() -> None:
    """The owner's cron lines are the schedules' own."""
    defs = build_defs(parse({"schedules": {"stock": "30 * * * *", "price": "0 3 * * *"}}, ROOT))
    crons = {one.name: one.cron_schedule for one in defs.get_repository_def().schedule_defs}
    assert "30 * * * *" == crons["stock_sync_schedule"]
    assert "0 3 * * *" == crons["price_sync_schedule"]


def test_every_schedule_asks_for_a_run_that_its_job_accepts(defs: dg.Definitions, tmp_path: Path) -> None:
    """Stock and price on the hour they fire in, the catalogue on none; the configuration is one that the job takes."""
    repository = defs.get_repository_def()
    partitions = {}
    for schedule in repository.schedule_defs:
        with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
            at = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
            context = dg.build_schedule_context(instance=instance, scheduled_execution_time=at)
            request = schedule(context)
        assert isinstance(request, dg.RunRequest)
        job = repository.get_job(schedule.job_name)
        assert dg.validate_run_config(job, request.run_config)
        partitions[schedule.name] = request.partition_key
    assert {
        "stock_sync_schedule": "2026-11-24-02:00",
        "price_sync_schedule": "2026-11-24-02:00",
        "catalog_refresh_schedule": None,
        "compact_history_schedule": None,
    } == partitions


OF_SOME_RUNS = ("matplotlib", "duckdb", "pyarrow", "pandas", "sp_api", "httpx")
OF_A_FLEET = ("psycopg", "psycopg2", "redis", "celery", "boto3", "cryptography", "dagster_postgres", "dagster_celery")


def test_loading_the_definitions_starts_and_writes_nothing(tmp_path: Path) -> None:
    """`dg check defs` in a fresh clone leaves no file behind and contacts nobody. What was loaded stays, and no later
    collection of garbage looks through it; of what comes after, garbage is collected as ever. What draws is loaded by
    who draws, what holds the past by who asks of it or writes it, Amazon's library by the first call, what only several
    machines need by nobody here."""
    data = tmp_path / "data"
    environ = {**os.environ, "ECAUTO_DATA_DIR": str(data), "DAGSTER_DISABLE_TELEMETRY": "1"}
    code = "import gc; from ecauto_pipeline.definitions import defs; defs.get_repository_def()"
    code += "; assert gc.isenabled() and gc.get_freeze_count() > 100_000"
    code += f"; import sys; assert [] == [one for one in {OF_SOME_RUNS + OF_A_FLEET} if one in sys.modules]"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environ, capture_output=True, timeout=500, check=False
    )
    assert (0, b"") == (done.returncode, done.stderr if done.returncode else b"")
    assert not data.exists()
