"""Dagster's records of runs are kept to a number, the newest of them, and their files go with them."""

from __future__ import annotations

import shutil
from pathlib import Path

import dagster as dg

from ecauto_pipeline.defs.housekeeping import forget_old_runs
from ecauto_pipeline_tests.defs.installation import new_instance, open_instance


@dg.op
def say() -> None:
    print("said")


@dg.job
def talk() -> None:
    say()


def _fresh(folder: Path) -> dg.DagsterInstance:
    """An instance in which nothing ran, which writes down what runs print."""
    shutil.copytree(new_instance(), folder, dirs_exist_ok=True)
    return open_instance(folder, captures=True)


def test_the_oldest_runs_beyond_the_number_are_forgotten(tmp_path: Path) -> None:
    """Nine runs, five to keep, three at once: the three oldest, then one more, then none; nothing of them is left."""
    with _fresh(tmp_path) as instance:
        run_ids = [talk.execute_in_process(instance=instance).run_id for _ in range(9)]
        assert [3, 1, 0] == [forget_old_runs(instance, 5, at_once=3) for _ in range(3)]
        assert set(run_ids[4:]) == {run.run_id for run in instance.get_runs()}
        assert [] == [file for run_id in run_ids[:4] for file in tmp_path.rglob(f"*{run_id}*")]
        assert all(list(tmp_path.rglob(f"{run_id}.db")) for run_id in run_ids[4:])
        assert instance.all_logs(run_ids[8])


def test_runs_that_go_on_are_never_forgotten(tmp_path: Path) -> None:
    """Only ended ones are counted and removed."""
    with _fresh(tmp_path) as instance:
        run = instance.create_run_for_job(talk, status=dg.DagsterRunStatus.STARTED)
        talk.execute_in_process(instance=instance)
        assert 0 == forget_old_runs(instance, 1)
        assert 1 == forget_old_runs(instance, 0)
        assert [run.run_id] == [one.run_id for one in instance.get_runs()]


@dg.asset(check_specs=[dg.AssetCheckSpec("sound", asset="goods")])
def goods() -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster refuses MaterializeResult[None] here
    return dg.MaterializeResult(check_results=[dg.AssetCheckResult(passed=True, check_name="sound")])


def test_the_results_of_a_forgotten_run_s_checks_go_with_it(tmp_path: Path) -> None:
    """A check a run for years would be the largest table of all; those of the runs that stay are there."""
    check = dg.AssetCheckKey(dg.AssetKey("goods"), "sound")
    with _fresh(tmp_path) as instance:
        run_ids = [dg.materialize([goods], instance=instance).run_id for _ in range(3)]
        forget_old_runs(instance, 1)
        history = instance.event_log_storage.get_asset_check_execution_history(check, limit=10)
    assert run_ids[2:] == [record.run_id for record in history]
