"""Dagster's run launcher of a fleet of machines: dagster-celery's own, with what it lacks when something dies.

A run is a Celery task whose id is the run's, sent once and taken once (never given again by the broker: Dagster alone
retries). What differs from `dagster_celery.launcher.CeleryRunLauncher`:
* Terminate says first that the run is being canceled: else its end would count as a failure, and be tried again.
* A run lives while any worker says that it works on it, whatever became of Redis and of Celery's results; it has failed
  when its process ended without telling, or when workers answered MISSES times in a row and none of them has it.
* Where Redis can't be reached or no worker answers, a run goes back into the queue instead of failing.
Named in deploy/dagster.yaml; the same file and class make the workers (`ecauto fleet worker`). Not for: Kubernetes,
which has a launcher of its own, or whether a run that was given up may still push (state's lane leases).
Source: dagster_celery/launcher.py, dagster/_daemon/monitoring/run_monitoring.py (0.29.27, 1.13.27).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dagster import DagsterRun
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.launcher import CheckRunHealthResult, LaunchRunContext, WorkerStatus
from dagster._serdes import ConfigurableClassData
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tasks import create_execute_job_task
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

if TYPE_CHECKING:
    from celery import Celery

MISSES = 3
"""So many rounds of questions without a worker that has the run: one may be busy, or just be connecting again."""

ANSWER_WITHIN_S = 2.0
ROUND_S = 3.0
"""One question to all workers serves every run that is looked at within so many seconds."""

ENDED = ("SUCCESS", "FAILURE", "REVOKED")
UNREACHABLE = (OperationalError, RedisError, OSError)

CELERY: Mapping[str, Any] = {
    "worker_prefetch_multiplier": 1,  # a worker takes what it can begin now
    "task_acks_late": False,  # whose worker dies is tried again by Dagster, not by the broker beside it
    "worker_max_tasks_per_child": 1,  # a process a run, as on one machine
    "worker_redirect_stdouts": False,  # else Dagster's compute logs are empty
    "worker_cancel_long_running_tasks_on_connection_loss": False,  # a run goes on while Redis is away
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,  # for as long as it takes
    "redis_socket_connect_timeout": 5.0,
    "broker_transport_options": {
        "visibility_timeout": 604_800,  # a week: nothing is given a second time
        "max_retries": 3,
        "interval_start": 0,
        "interval_step": 0.2,
        "interval_max": 0.5,
        "socket_connect_timeout": 5.0,
    },
    "result_backend_transport_options": {"retry_policy": {"max_retries": 2, "interval_step": 0.2, "interval_max": 0.5}},
}
"""What Celery has to be told on both sides, for the one that sends and for workers."""


class FleetNotReady(DagsterUserCodeUnreachableError):
    """Nobody can take a run now. Of this kind of error Dagster's queue takes a run back, every other one ends it."""


@dataclass(frozen=True, slots=True)
class Round:
    """What all workers said when they were asked: at `asked_at_s` (monotonic), who answered, which runs they have."""

    asked_at_s: float
    workers: frozenset[str]
    running: frozenset[str]


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
        self._round: Round | None = None
        self._misses: dict[str, int] = {}

    def worker_app(self) -> Celery:
        """The Celery application of a worker: the one that sends, which now knows the task too."""
        create_execute_job_task(self.celery)
        return self.celery

    def launch_run(self, context: LaunchRunContext) -> None:
        """Raises FleetNotReady where nobody can take it now."""
        try:
            if not self.celery.control.inspect(timeout=ANSWER_WITHIN_S, limit=1).ping():
                raise FleetNotReady(
                    "no worker answers; the run waits in the queue"
                    " / 応答するワーカーがありません。実行は待ち行列に残ります"
                )
            super().launch_run(context)
        except UNREACHABLE as error:
            raise FleetNotReady(
                f"Redis can't be reached ({type(error).__name__}); the run waits in the queue"
                " / Redis に接続できません。実行は待ち行列に残ります"
            ) from error

    def _launch_celery_task_run(self, run: DagsterRun, task_signature: Any, routing_key: str) -> None:
        # the run's id, so that whoever dies between sending and noting the task's id leaves nothing unknown
        super()._launch_celery_task_run(run, task_signature.set(task_id=run.run_id), routing_key)

    def terminate(self, run_id: str) -> bool:
        """Raises where Redis can't be reached: nobody would hear of it, and the run would go on as canceled."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        with self.celery.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1)
        self._instance.report_run_canceling(run)
        self.celery.control.revoke(run_id, terminate=True)
        return True

    @property
    def supports_resume_run(self) -> bool:
        return False  # a run is taken up by a new one, which reads what is in state

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """RUNNING unless it surely is not; a run that Dagster itself saw end meanwhile is left alone by Dagster."""
        try:
            said = self._ask_workers()
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

    def workers(self) -> dict[str, list[str]] | None:
        """The ids of the runs that each worker has, by its name; None where that is not known (Redis is away)."""
        try:
            answers = self.celery.control.inspect(timeout=ANSWER_WITHIN_S).active() or {}
        except UNREACHABLE:
            return None
        return {name: [str(task["id"]) for task in active] for name, active in sorted(answers.items())}

    def get_run_worker_debug_info(self, run: DagsterRun, include_container_logs: bool | None = True) -> str | None:
        """Which workers answer; None where that is not known."""
        try:
            return f"workers that answer: {', '.join(sorted(self._ask_workers().workers)) or 'none'}"
        except UNREACHABLE:
            return None

    def _failed(self, run: DagsterRun, why: str) -> CheckRunHealthResult:
        self._misses.pop(run.run_id, None)
        return CheckRunHealthResult(WorkerStatus.FAILED, why)

    def _ask_workers(self) -> Round:
        """One broadcast for all runs of a round."""
        now = time.monotonic()
        if self._round is None or now - self._round.asked_at_s > ROUND_S:
            answers = self.celery.control.inspect(timeout=ANSWER_WITHIN_S).active() or {}
            tasks = frozenset(str(task["id"]) for active in answers.values() for task in active)
            self._round = Round(now, frozenset(answers), tasks)
        return self._round
