"""One Dagster run from the command line, in this process, on the instance that the UI shows.

Not for: what the run does (defs/), or the words around it (running.py).
"""

from __future__ import annotations

import gc
import logging
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ecauto_pipeline.doctor.dagster_files import project_root
from ecauto_pipeline.settings import load, places
from ecauto_pipeline.state.owner import new_owner
from ecauto_pipeline.sync.context import Progress

LOCATION = "ecauto_pipeline"
IN_WORDS = ("Failure", "Refused")
"""Errors whose message is a sentence for people."""


@dataclass(frozen=True, slots=True)
class Finished:
    """How a run ended. `figures`: what its steps noted; `failed_checks`: (name, severity, message).

    `interrupted`: a person broke it off; that is neither a success nor a failure. `refused`: a form was filled in
    wrongly, nothing was done.
    """

    run_id: str
    success: bool
    error: str
    figures: Mapping[str, Any]
    failed_checks: tuple[tuple[str, str, str], ...] = field(default=())
    interrupted: bool = False
    refused: bool = False


@contextmanager
def instance() -> Iterator[Any]:
    """The Dagster instance of DAGSTER_HOME, else of the project's root. Its relative paths start at the root."""
    warnings.filterwarnings("ignore", module="dagster")
    logging.getLogger("dagster").setLevel(logging.CRITICAL)
    import dagster as dg

    root = project_root()
    os.environ.update(places())
    before = Path.cwd()
    if not os.environ.get("DAGSTER_HOME"):
        os.chdir(root)
        (root / "data" / "dagster").mkdir(parents=True, exist_ok=True)
    try:
        home = os.environ.get("DAGSTER_HOME") or str(root)
        with dg.DagsterInstance.from_config(home) as opened:
            yield opened
    finally:
        os.chdir(before)


@contextmanager
def _nothing_collected() -> Iterator[Callable[[], None]]:
    """No garbage is looked for until the block says that all is loaded: what is loaded stays, and a fifth of the time
    would go into looking through it."""

    def loaded() -> None:
        gc.freeze()
        gc.enable()

    gc.disable()
    try:
        yield loaded
    finally:
        gc.enable()


def execute(
    job_name: str,
    partition_key: str,
    config: Mapping[str, object],
    on_progress: Callable[[Progress], None],
    op_config: Mapping[str, object] | None = None,
) -> Finished:
    """Run `job_name` on one partition ("" for a job without) to its end. Never raises for a failed run.

    `op_config`: the form of a job that people start (defs/by_hand.py).
    """
    with _nothing_collected() as loaded, instance() as opened:
        from dagster._core.definitions.reconstruct import ReconstructableRepository
        from dagster._core.execution.api import execute_run
        from dagster._utils.interrupts import capture_interrupts, check_captured_interrupt

        from ecauto_pipeline.defs import resources
        from ecauto_pipeline.defs.lanes import LANE_TAG
        from ecauto_pipeline.defs.living_runs import OWNER_TAG

        mark_dead_runs(opened)
        repository = ReconstructableRepository.for_module("ecauto_pipeline.definitions", "defs", os.getcwd())
        job = repository.get_reconstructable_job(job_name)
        definition, origin = job.get_definition(), job.get_python_origin()
        loaded()
        with capture_interrupts():  # from its first record on, a run that is broken off has to say so
            run = opened.create_run_for_job(
                definition,
                run_config={
                    "resources": {"pipeline": {"config": dict(config)}},
                    **({"ops": {f"{job_name}_op": {"config": dict(op_config)}}} if op_config is not None else {}),
                    "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
                },
                tags=_tags(OWNER_TAG, partition_key) | ({LANE_TAG: str(config["lane"])} if config.get("lane") else {}),
                remote_job_origin=job_origin(job_name),
                job_code_origin=origin,
            )
            if check_captured_interrupt():
                opened.report_run_canceled(run)
                return Finished(run.run_id, False, "", {}, interrupted=True)
            resources.listeners.append(on_progress)
            try:
                result = execute_run(job, run, opened)
            finally:
                resources.listeners.remove(on_progress)
            return _finished(run.run_id, result, interrupted=_canceled(opened, run.run_id))


def _tags(owner_tag: str, partition_key: str) -> dict[str, str]:
    """Whose it is; and the daemon never repeats by itself what a person started at a terminal."""
    return {owner_tag: new_owner(), "dagster/max_retries": "0"} | (
        {"dagster/partition": partition_key} if partition_key else {}
    )


def _canceled(opened: Any, run_id: str) -> bool:
    import dagster as dg

    run = opened.get_run_by_id(run_id)
    return run is not None and run.status == dg.DagsterRunStatus.CANCELED


def mark_dead_runs(opened: Any) -> int:
    """What sensor `dead_runs` does in live mode, once: a killed run stands at "started" until somebody looks.

    Returns how many were marked failed.
    """
    from ecauto_pipeline.defs.living_runs import mark_dead_runs_failed
    from ecauto_pipeline.wiring.open import open_tools

    with open_tools(load(), offline=True) as tools:
        return len(mark_dead_runs_failed(opened, tools))


def job_origin(job_name: str) -> Any:
    """Ties the run to the code location of workspace.yaml, so that the UI links it to its job."""
    from dagster._core.remote_origin import (
        ManagedGrpcPythonEnvCodeLocationOrigin,
        RemoteJobOrigin,
        RemoteRepositoryOrigin,
    )
    from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

    target = LoadableTargetOrigin(module_name="ecauto_pipeline.definitions", working_directory=os.getcwd())
    location = ManagedGrpcPythonEnvCodeLocationOrigin(loadable_target_origin=target, location_name=LOCATION)
    return RemoteJobOrigin(RemoteRepositoryOrigin(location, "__repository__"), job_name)


def _finished(run_id: str, result: Any, *, interrupted: bool) -> Finished:
    from dagster import AssetCheckSeverity, DagsterEventType

    error, refused = "", False
    failed = []
    for event in result.all_events:
        if event.is_step_failure and not error:
            data = event.event_specific_data
            told = data.user_failure_data.description if data is not None and data.user_failure_data else ""
            cause = _cause(data.error) if data is not None and data.error is not None else ""
            error = told or cause or event.message or ""
            refused = data is not None and data.error is not None and data.error.cls_name == "Refused"
        if event.event_type == DagsterEventType.RUN_FAILURE and not error:
            why = getattr(event.event_specific_data, "error", None)  # its tools could not be opened, or closed
            error = _cause(why) if why is not None else event.message or "the run failed"
        if event.event_type_value == "ASSET_CHECK_EVALUATION" and not event.asset_check_evaluation_data.passed:
            check = event.asset_check_evaluation_data
            severity = "ERROR" if check.severity == AssetCheckSeverity.ERROR else "WARN"
            failed.append((check.check_name, severity, check.description or ""))
    return Finished(run_id, result.success, error, {}, tuple(failed), interrupted, refused)


def _cause(error: Any) -> str:
    """The sentence for people where there is one (defs/failures.py), else the innermost error in its own words."""
    while error.cause is not None and error.cls_name not in IN_WORDS:
        error = error.cause
    words = " ".join(str(error.message).split())
    ours = error.cls_name in IN_WORDS or words.startswith("ecauto_pipeline.errors.")
    return words.partition(": ")[2] if ours else words
