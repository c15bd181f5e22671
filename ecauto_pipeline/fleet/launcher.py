"""Dagster's run launcher of a fleet of machines: dagster-celery's own, with what it lacks when something dies.

A run is a Celery task whose id is the run's, sent once and taken once (never given again by the broker: Dagster alone
retries). What differs from `dagster_celery.launcher.CeleryRunLauncher`:
* Terminate says first that the run is being canceled: else its end would count as a failure, and be tried again.
* A run lives while any worker says that it works on it, whatever became of Redis and of Celery's results; it has failed
  when its process ended without telling, or when workers answered MISSES times in a row and none of them has it.
* Where Redis can't be reached, no worker answers or each has as many runs as it takes, a run goes back into Dagster's
  queue instead of failing, or waiting in Redis where nobody sees it.
* It can be asked which runs are lost on their way to a worker: Dagster itself asks about none before it has begun.
Named in deploy/dagster.yaml; the same file and class make the workers (`ecauto fleet worker`). Not for: how workers are
asked (workers.py), Kubernetes, which has a launcher of its own, or whether a run that was given up may still push
(state's lane leases).
Source: dagster_celery/launcher.py, dagster/_daemon/monitoring/run_monitoring.py (0.29.27, 1.13.27).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from dagster import DagsterRun, DagsterRunStatus, RunsFilter
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.launcher import CheckRunHealthResult, LaunchRunContext, WorkerStatus
from dagster._serdes import ConfigurableClassData
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG
from dagster_celery.tasks import create_execute_job_task

from ecauto_pipeline.fleet.celery_options import CELERY
from ecauto_pipeline.fleet.workers import UNREACHABLE, Workers, reached

if TYPE_CHECKING:
    from celery import Celery

MISSES = 3
"""So many rounds of questions without a worker that has the run: one may be busy, or just be connecting again."""

ENDED = ("SUCCESS", "FAILURE", "REVOKED")
HANDED_OUT = (DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING)


class FleetNotReady(DagsterUserCodeUnreachableError):
    """Nobody can take a run now. Of this kind of error Dagster's queue takes a run back, every other one ends it."""


class FleetRunLauncher(CeleryRunLauncher):  # type: ignore[misc]  # one machine lacks the package: Any to mypy
    """Starts runs as Celery tasks; configured as dagster-celery's own launcher."""

    def __init__(
        self,
        default_queue: str,
        broker: str | None = None,
        backend: str | None = None,
        include: list[str] | None = None,
        config_source: dict[str, Any] | None = None,
        inst_data: ConfigurableClassData | None = None,
    ) -> None:
        options = {**CELERY, **(config_source or {})}
        super().__init__(default_queue, broker, backend, include, options, inst_data)
        self._workers = Workers(self.celery, default_queue)
        self._misses: dict[str, int] = {}

    def worker_app(self) -> Celery:
        """The Celery application of a worker: the one that sends, which now knows the task too."""
        create_execute_job_task(self.celery)
        return self.celery

    def launch_run(self, context: LaunchRunContext) -> None:
        """Raises FleetNotReady where nobody can take it now."""
        try:
            slots = self._workers.slots()
            if not slots:
                raise FleetNotReady(
                    "no worker answers; the run waits in the queue"
                    " / 応答するワーカーがありません。実行は待ち行列に残ります"
                )
            if self._handed_out_beside(context.dagster_run) >= slots:
                raise FleetNotReady(
                    "every worker has as many runs as it takes; the run waits in the queue"
                    " / どのワーカーも同時に行える数の実行を処理中です。実行は待ち行列に残ります"
                )
            super().launch_run(context)
        except UNREACHABLE as error:
            raise FleetNotReady(
                f"Redis can't be reached ({type(error).__name__}); the run waits in the queue"
                " / Redis に接続できません。実行は待ち行列に残ります"
            ) from error

    def _handed_out_beside(self, run: DagsterRun) -> int:
        """How many other runs workers have, or are to have; what this machine works on by itself is none of theirs."""
        handed = self._instance.get_runs(RunsFilter(statuses=list(HANDED_OUT)))
        return sum(DAGSTER_CELERY_TASK_ID_TAG in one.tags and one.run_id != run.run_id for one in handed)

    def _launch_celery_task_run(self, run: DagsterRun, task_signature: Any, routing_key: str) -> None:
        # the run's id, so that whoever dies between sending and noting the task's id leaves nothing unknown
        super()._launch_celery_task_run(run, task_signature.set(task_id=run.run_id), routing_key)

    def terminate(self, run_id: str) -> bool:
        """Raises where Redis can't be reached: nobody would hear of it, and the run would go on as canceled."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        with reached(self.celery):
            self._instance.report_run_canceling(run)
            self.celery.control.revoke(run_id, terminate=True)
        return True

    @property
    def supports_resume_run(self) -> bool:
        return False  # a run is taken up by a new one, which reads what is in state

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """RUNNING unless it surely is not; a run that Dagster itself saw end meanwhile is left alone by Dagster."""
        try:
            said = self._workers.ask()
            ended = run.run_id not in said.running and self.celery.AsyncResult(run.run_id).state in ENDED
        except UNREACHABLE as error:
            self._misses.pop(run.run_id, None)  # what was not asked is no miss, and workers have to come back first
            return CheckRunHealthResult(WorkerStatus.RUNNING, f"unknown: {type(error).__name__}")
        if run.run_id in said.running:
            self._misses.pop(run.run_id, None)
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        if ended:
            return self._failed(run, "its process ended without telling / 実行のプロセスが結果を残さずに終わりました")
        if not said.workers:  # nobody could take it up either
            return CheckRunHealthResult(WorkerStatus.RUNNING, "unknown: no worker answers")
        missed = self._misses[run.run_id] = self._misses.get(run.run_id, 0) + 1
        if missed < MISSES:
            return CheckRunHealthResult(WorkerStatus.RUNNING, f"missed {missed} of {MISSES} times")
        return self._failed(run, "no worker works on it any more / この実行を処理しているワーカーはもうありません")

    def lost(self, run_ids: Sequence[str]) -> Collection[str]:
        """Which of these runs, handed out a while ago and not begun, nobody has: no worker in MISSES rounds of
        questions, and no message of theirs waits in Redis. None where that can't be known now."""
        gone: Collection[str] = frozenset(run_ids)
        try:
            for _ in range(MISSES):
                if not gone or self._workers.waiting():  # whose turn comes when a worker is free, or is back
                    return ()
                gone = self._workers.without_a_worker(gone)
        except UNREACHABLE:
            return ()
        return gone

    def workers(self) -> dict[str, list[str]] | None:
        """The ids of the runs that each worker has, by its name; None where that is not known (Redis is away)."""
        try:
            return self._workers.runs()
        except UNREACHABLE:
            return None

    def get_run_worker_debug_info(self, run: DagsterRun, include_container_logs: bool | None = True) -> str | None:
        """Which workers answer; None where that is not known."""
        try:
            return f"workers that answer: {', '.join(sorted(self._workers.ask().workers)) or 'none'}"
        except UNREACHABLE:
            return None

    def _failed(self, run: DagsterRun, why: str) -> CheckRunHealthResult:
        self._misses.pop(run.run_id, None)
        return CheckRunHealthResult(WorkerStatus.FAILED, why)
