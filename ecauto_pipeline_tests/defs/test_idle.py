"""An installation in which nothing happens is looked after for next to nothing."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from ecauto_pipeline.defs.build import build_defs
from ecauto_pipeline.defs.sensors import build_sensors
from ecauto_pipeline.settings import parse
from ecauto_pipeline_tests.pages import read


def sensors(folder: Path, spend: str = "due") -> dict[str, dg.SensorDefinition]:
    return {one.name: one for one in build_sensors(parse({"tiers": {"spend": spend}}, folder))}


@pytest.mark.parametrize(("spend", "every_s"), [("budget", 10), ("due", 30)])
def test_the_next_slice_is_looked_for_as_often_as_calls_are_spent(tmp_path: Path, spend: str, every_s: int) -> None:
    """Each look costs Dagster's daemon and two servers of it; docs/freshness.md says how often."""
    assert every_s == sensors(tmp_path, spend)["next_slice"].minimum_interval_seconds
    assert 'it looks every 10 s; every 30 s with `spend = "due"`' in read("docs/freshness.md")


def test_where_no_run_is_under_way_nothing_is_opened_for_dead_ones(tmp_path: Path) -> None:
    """Dagster's own count says so: neither state nor logs nor history is looked into."""
    with dg.DagsterInstance.ephemeral() as instance, dg.build_sensor_context(instance=instance) as context:
        found = sensors(tmp_path)["dead_runs"](context)
    assert isinstance(found, dg.SkipReason)
    assert "no run is under way" == found.skip_message
    assert [] == list(tmp_path.iterdir())


def test_no_daemon_looks_for_what_is_not_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither conditions that materialize nor Dagster's policies of freshness: their daemons are off, and no other."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dagster.yaml").write_text(read("dagster.yaml"), encoding="utf-8")
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        daemons = set(instance.get_required_daemon_types())
    expected = {"SENSOR", "BACKFILL", "SCHEDULER", "QUEUED_RUN_COORDINATOR", "MONITORING", "EVENT_LOG_CONSUMER"}
    assert expected == daemons
    graph = build_defs(parse({}, tmp_path)).get_repository_def().asset_graph
    nodes = [graph.get(key) for key in graph.get_all_asset_keys()]
    assert [] == [node.key for node in nodes if node.automation_condition or node.freshness_policy_or_from_metadata]
