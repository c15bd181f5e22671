"""Every job carries what it did into history when it ends, and says how that went, whichever steps it has."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import insert, select

from ecauto_pipeline.alerts.rules import judge
from ecauto_pipeline.alerts.setup import alert_setup
from ecauto_pipeline.clock import SystemClock, to_ms
from ecauto_pipeline.defs.build import build_defs
from ecauto_pipeline.defs.jobs import POLICIES
from ecauto_pipeline.defs.resources import Pipeline
from ecauto_pipeline.history.store import HistoryStore
from ecauto_pipeline.state.schema_calls import api_calls
from ecauto_pipeline.sync.line import finish
from ecauto_pipeline.sync.run_record import record_of
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.defs.installation import Installation, installed
from ecauto_pipeline_tests.history.rows import snapshots

CHECK = dg.AssetCheckKey(dg.AssetKey("base_updates"), "history_published")


@dg.op
def nothing_op(pipeline: Pipeline) -> None:
    """Work that publishes nothing of its own."""


@dg.job(resource_defs={"pipeline": Pipeline.configure_at_launch()})
def nothing() -> None:
    nothing_op()


@dg.op
def last_step_op(pipeline: Pipeline) -> None:
    """The line's end, and another process at work before the run's process has gone."""
    finish(pipeline.context)
    with pipeline.context.state.write() as connection:
        names = dict.fromkeys(("api", "operation", "account", "outcome", "run_id"), "other")
        connection.execute(insert(api_calls).values(**names, call_id="later", started_at=to_ms(SystemClock().now())))


@dg.job(resource_defs={"pipeline": Pipeline.configure_at_launch()})
def last_step() -> None:
    last_step_op()


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installed(tmp_path_factory.mktemp("installation")) as installation:
        yield installation


def damaged_file(here: Installation) -> str:
    """A file of answers whose pages can't be read, not loaded yet; its path below the directory."""
    now = SystemClock().now() - timedelta(hours=1)
    store = HistoryStore(here.data / "history", here.data / "history.duckdb", SystemClock())
    path = store.write("snapshots", "harmed", snapshots(range(5), at=now), now)
    assert isinstance(path, Path)
    content = bytearray(path.read_bytes())
    content[60:200] = b"\xff" * 140
    path.write_bytes(content)
    return path.relative_to(here.data / "history").as_posix()


def newest_check(here: Installation) -> tuple[str, bool, str]:
    """(run, passed, description) as Dagster shows it beside the asset."""
    (newest,) = here.instance.event_log_storage.get_asset_check_execution_history(CHECK, limit=1)
    assert newest.event is not None
    assert newest.event.dagster_event is not None
    evaluation = newest.event.dagster_event.asset_check_evaluation_data
    return newest.run_id, evaluation.passed, str(evaluation.description)


def test_a_damaged_file_is_named_by_the_run_that_meets_it_whatever_its_job(here: Installation) -> None:
    """As a check of its own on that run, and as what people are told; seen to, the next run says it is well."""
    name = damaged_file(here)
    ran = nothing.execute_in_process(instance=here.instance)
    with open_tools(here.settings, offline=True) as tools:
        record = record_of(tools, ran.run_id)
        verdicts = {one.rule: one for one in judge(record, alert_setup(tools))}
    assert record.history is not None
    assert ((name,), 5) == (record.history.damaged, record.history.rows_lost)
    assert (True, False) == (verdicts[CHECK.name].judged, verdicts[CHECK.name].passed)
    run_id, passed, said = newest_check(here)
    assert (ran.run_id, False, True) == (run_id, passed, name in said)
    (here.data / "history" / f"{name}.damaged").unlink()
    again = nothing.execute_in_process(instance=here.instance)
    assert (again.run_id, True) == newest_check(here)[:2]


def calls_kept(here: Installation) -> list[str]:
    """The calls in state.db that are not in history."""
    with open_tools(here.settings, offline=True) as tools, tools.state.read() as connection:
        return list(connection.execute(select(api_calls.c.call_id)).scalars())


def test_a_run_publishes_once(here: Installation) -> None:
    """What its last step carried into history is not gone through again at its end: what others did since then is the
    next run's."""
    last_step.execute_in_process(instance=here.instance)
    assert ["later"] == calls_kept(here)
    nothing.execute_in_process(instance=here.instance)
    assert [] == calls_kept(here)


@pytest.mark.parametrize("job", POLICIES)
def test_every_job_that_works_publishes_at_its_end(job: str) -> None:
    """They stand on the resource that does it, those without a step base_updates too."""
    assert "pipeline" in build_defs().resolve_job_def(job).required_resource_keys
