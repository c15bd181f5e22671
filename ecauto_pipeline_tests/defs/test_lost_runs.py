"""A fleet's run that was handed out and that nobody has is marked failed long before Dagster would wait no longer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.launcher import DefaultRunLauncher

from ecauto_pipeline.defs.living_runs import OWNER_TAG
from ecauto_pipeline.defs.lost_runs import TAKEN_WITHIN, mark_lost_runs_failed

STARTING, STARTED = dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED


class LauncherThatLosesAll(DefaultRunLauncher):
    """Says of every run that nobody has it. One that begins while it is asked is noted in `begins`."""

    begins: str = ""

    def lost(self, run_ids: Sequence[str]) -> Sequence[str]:
        run = self._instance.get_run_by_id(self.begins) if self.begins else None
        if run is not None:
            started = dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, job_name=run.job_name)
            self._instance.report_dagster_event(started, run.run_id)
        return run_ids


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    launcher = {"module": __name__, "class": LauncherThatLosesAll.__name__}
    with dg.instance_for_test(overrides={"run_launcher": launcher}) as made:
        yield made


def shown(instance: dg.DagsterInstance, status: dg.DagsterRunStatus, tags: dict[str, str] | None = None) -> str:
    return instance.add_run(dg.DagsterRun("stock_sync", status=status, tags=tags or {})).run_id


def later() -> datetime:
    return datetime.now(UTC) + TAKEN_WITHIN + timedelta(seconds=1)


def test_a_run_that_nobody_has_fails_in_words(instance: dg.DagsterInstance) -> None:
    """Ten seconds after it was handed out; said once; what works, and what a command line works on, is left alone."""
    lost = shown(instance, STARTING)
    shown(instance, STARTED)
    shown(instance, STARTING, {OWNER_TAG: "this machine"})
    assert [] == list(mark_lost_runs_failed(instance, datetime.now(UTC)))
    assert [lost] == list(mark_lost_runs_failed(instance, later()))
    assert [] == list(mark_lost_runs_failed(instance, later()))
    (event,) = instance.all_logs(lost, of_type=dg.DagsterEventType.RUN_FAILURE)
    assert "失われました" in event.message
    assert "lost on its way" in event.message


def test_a_run_that_begins_while_it_is_asked_about_is_not_lost(instance: dg.DagsterInstance) -> None:
    """The questions take seconds."""
    run_id = shown(instance, STARTING)
    assert isinstance(instance.run_launcher, LauncherThatLosesAll)
    instance.run_launcher.begins = run_id
    assert [] == list(mark_lost_runs_failed(instance, later()))
    run = instance.get_run_by_id(run_id)
    assert run is not None
    assert STARTED == run.status


def test_a_launcher_that_can_t_tell_loses_nothing() -> None:
    """Dagster's own launchers are not asked: what they lose Dagster notices by its own time limits."""
    with dg.instance_for_test() as made:
        shown(made, STARTING)
        assert [] == list(mark_lost_runs_failed(made, later()))
