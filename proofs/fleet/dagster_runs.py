"""Runs of a fleet, asked for and watched over Dagster's own records in PostgreSQL, as its UI does.

Not for: the machines that work on them (machines.py).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.definitions.reconstruct import ReconstructableRepository
from dagster._core.remote_origin import (
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    InstigatorType,
    SensorInstigatorData,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from sqlalchemy.exc import DBAPIError

from proofs.fleet.servers import wait_for

OVER = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)


class Runs:
    """The runs of one code location (`module`, also its name). `home`: a DAGSTER_HOME with the fleet's dagster.yaml;
    `environ`: what it names, set in this process too."""

    def __init__(self, home: Path, module: str, environ: Mapping[str, str]) -> None:
        os.environ.update(environ)
        self._environ, self._module = environ, module
        self.instance = dg.DagsterInstance.from_config(str(home))

    def close(self) -> None:
        self.instance.dispose()
        for name in self._environ:
            os.environ.pop(name, None)

    def submit(self, job: str, tags: Mapping[str, str] | None = None, config: Mapping[str, Any] | None = None) -> str:
        """A run in Dagster's queue; returns its id."""
        run_id = self.prepare(job, tags, config)
        self.instance.submit_run(run_id, None)  # type: ignore[arg-type]  # a queue needs no workspace
        return run_id

    def prepare(self, job: str, tags: Mapping[str, str] | None = None, config: Mapping[str, Any] | None = None) -> str:
        """A run that nobody was told of yet."""
        found = ReconstructableRepository.for_module(self._module, "defs").get_reconstructable_job(job)
        run = self.instance.create_run_for_job(
            found.get_definition(),
            run_config=dict(config or {}),
            tags=dict(tags or {}),
            remote_job_origin=RemoteJobOrigin(self._repository(), job),
            job_code_origin=found.get_python_origin(),
        )
        return run.run_id

    def start_sensor(self, name: str) -> None:
        """As by its switch in the UI."""
        origin = RemoteInstigatorOrigin(self._repository(), name)
        on = InstigatorState(origin, InstigatorType.SENSOR, InstigatorStatus.RUNNING, SensorInstigatorData())
        self.instance.add_instigator_state(on)

    def _repository(self) -> RemoteRepositoryOrigin:
        target = LoadableTargetOrigin(executable_path=sys.executable, module_name=self._module)
        location = ManagedGrpcPythonEnvCodeLocationOrigin(target, location_name=self._module)
        return RemoteRepositoryOrigin(location, "__repository__")

    def refusals(self, run_id: str) -> int:
        """How often the launcher gave it back to the queue, because nobody could take it."""
        queued = self.instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.PIPELINE_ENQUEUED)
        return len(queued.records) - 1

    def status(self, run_id: str) -> dg.DagsterRunStatus | None:
        """None while PostgreSQL can't be asked."""
        with suppress(DBAPIError, dg.DagsterError):
            run = self.instance.get_run_by_id(run_id)
            return run.status if run is not None else None
        return None

    def over(self, run_id: str, within_s: float = 300.0) -> dg.DagsterRunStatus:
        """How it ended. Raises TimeoutError."""
        wait_for(lambda: self.status(run_id) in OVER, within_s, f"{run_id[:8]} to be over", 0.2)
        status = self.status(run_id)
        assert status is not None
        return status

    def retry_of(self, run_id: str, within_s: float = 300.0) -> str:
        """The run that Dagster launched in its place. Raises TimeoutError."""
        found: list[str] = []

        def launched() -> bool:
            with suppress(DBAPIError):
                filters = dg.RunsFilter(tags={"dagster/parent_run_id": run_id})
                found[:] = [run.run_id for run in self.instance.get_runs(filters)]
            return bool(found)

        wait_for(launched, within_s, f"a retry of {run_id[:8]}", 0.2)
        return found[0]

    def retries(self, run_id: str) -> int:
        return self.instance.get_runs_count(dg.RunsFilter(tags={"dagster/parent_run_id": run_id}))

    def failure(self, run_id: str) -> str:
        """What Dagster noted of a run that failed, for the message of a test."""
        noted = [one.dagster_event for one in self.instance.all_logs(run_id) if one.dagster_event is not None]
        told = [f"{one.message} {one.event_specific_data}" for one in noted if one.is_failure or one.is_engine_event]
        return "\n".join(told)[-6000:]
