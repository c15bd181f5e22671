"""Runs on workers of their own machines, while what they stand on dies: Redis, PostgreSQL, a process, a machine.

Real servers, real Celery workers, Dagster's own daemon; deploy/dagster.yaml with shorter times. The job is a small one.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

import dagster as dg
import psutil
import pytest
import redis

from proofs.fleet.dagster_runs import Runs
from proofs.fleet.machines import ECAUTO, Machine, dagster_home
from proofs.fleet.servers import PostgreSQL, Redis, wait_for

LOCATION = "proofs.fleet.little_jobs"
SHORTER = {
    "run_monitoring.poll_interval_seconds": 2,
    "run_monitoring.start_timeout_seconds": 30,
    "run_coordinator.config.user_code_failure_retry_delay": 2,
}


class Fleet:
    """A control machine with Dagster's daemon, two workers that take one run each, PostgreSQL and Redis."""

    def __init__(self, folder: Path, redis: Redis, closing: ExitStack) -> None:
        """`closing` ends what was started, also where the start of the rest failed."""
        self.folder, self.redis, self.postgresql = folder, redis, PostgreSQL()
        closing.callback(self.postgresql.close)
        closing.callback(self.redis.close)
        self.work = folder / "work"
        self.work.mkdir()
        self.postgresql.start()
        self.redis.start()
        self.environ = {
            "ECAUTO_DAGSTER_POSTGRES_URL": self.postgresql.url("postgres", "psycopg2"),
            "ECAUTO_REDIS_URL": redis.url(),
            "WORK": str(self.work),
        }
        self.control = self._machine(
            "control", {"daemon": [sys.executable, "-m", "dagster._daemon", "run", "-w", "workspace.yaml"]}
        )
        worker = {"worker": [*ECAUTO, "fleet", "worker", "--runs", "1"]}
        self.workers = {name: self._machine(name, worker) for name in ("w1", "w2")}
        self.runs = Runs(dagster_home(folder / "test", SHORTER), LOCATION, self.environ)
        closing.callback(self.runs.close)
        for machine in self.machines:
            closing.callback(machine.kill)
            machine.start()

    @property
    def machines(self) -> list[Machine]:
        return [self.control, *self.workers.values()]

    def _machine(self, name: str, commands: dict[str, list[str]]) -> Machine:
        home = dagster_home(self.folder / name, SHORTER, LOCATION)
        (home / "ecauto.toml").write_text('mode = "emulated"\n', encoding="utf-8")
        return Machine(home, name, commands, {**self.environ, "DAGSTER_HOME": str(home)})

    def submit(self, tags: Mapping[str, str] | None = None) -> str:
        return self.runs.submit("working", tags)

    def begins(self, run_id: str, within_s: float = 60.0) -> None:
        wait_for(lambda: self.beats(run_id) > 0, within_s, f"{run_id[:8]} to work")

    def beats(self, run_id: str) -> int:
        path = self.work / f"{run_id}.beats"
        return len(path.read_text(encoding="utf-8").splitlines()) if path.exists() else 0

    def still_works(self, run_id: str) -> bool:
        before = self.beats(run_id)
        time.sleep(1.0)
        return self.beats(run_id) > before

    def where(self, run_id: str) -> Machine:
        """The machine whose process writes this run's beats."""
        for machine in self.workers.values():
            for process in machine.processes():
                with suppress(psutil.Error):
                    if any(run_id in file.path for file in process.open_files()):
                        return machine
        raise AssertionError(f"nobody works on {run_id}")

    def process_of(self, run_id: str) -> psutil.Process:
        for process in self.where(run_id).processes():
            with suppress(psutil.Error):
                if any(run_id in file.path for file in process.open_files()):
                    return process
        raise AssertionError(f"nobody works on {run_id}")

    def end(self, run_id: str, within_s: float = 60.0) -> dg.DagsterRunStatus:
        """Its work is done; how Dagster saw it end."""
        (self.work / f"{run_id}.end").touch()
        return self.runs.over(run_id, within_s)

    def stays(self, run_id: str, for_s: float) -> bool:
        """Whether it goes on working, and Dagster goes on believing it, through more than three rounds of questions."""
        until = time.monotonic() + for_s
        while time.monotonic() < until:
            if not self.still_works(run_id) or self.runs.status(run_id) != dg.DagsterRunStatus.STARTED:
                return False
        return True


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """One for all of them: what a test kills, it starts again."""
    with ExitStack() as stack:
        made = Fleet(tmp_path_factory.mktemp("fleet"), Redis(), stack)
        yield made


def test_a_terminated_run_is_canceled_and_not_tried_again(fleet: Fleet) -> None:
    """Terminate in the UI is a person's word: the process ends, CANCELED stands, no retry follows."""
    run_id = fleet.submit()
    fleet.begins(run_id)
    assert fleet.runs.instance.run_coordinator.cancel_run(run_id)
    assert dg.DagsterRunStatus.CANCELED == fleet.runs.over(run_id, 20)
    assert not fleet.still_works(run_id)
    time.sleep(8)
    assert 0 == fleet.runs.retries(run_id)


def test_a_dead_process_is_seen_and_its_run_tried_again(fleet: Fleet) -> None:
    """-9 of the process that works: FAILURE within seconds, a new run does the work."""
    run_id = fleet.submit()
    fleet.begins(run_id)
    fleet.process_of(run_id).send_signal(signal.SIGKILL)
    assert dg.DagsterRunStatus.FAILURE == fleet.runs.over(run_id, 30)
    retry = fleet.runs.retry_of(run_id)
    fleet.begins(retry)
    assert dg.DagsterRunStatus.SUCCESS == fleet.end(retry)


def test_a_dead_machine_is_seen_and_its_run_goes_on_elsewhere(fleet: Fleet) -> None:
    """-9 of everything on it, and it stays off: FAILURE after three rounds of questions, the other machine works."""
    run_id = fleet.submit()
    fleet.begins(run_id)
    dead = fleet.where(run_id)
    dead.kill()
    killed_at = time.monotonic()
    assert dg.DagsterRunStatus.FAILURE == fleet.runs.over(run_id, 60)
    retry = fleet.runs.retry_of(run_id)
    fleet.begins(retry)
    print(f"\ndead machine: its work goes on after {time.monotonic() - killed_at:.0f} s")
    assert dead is not fleet.where(retry)
    dead.start()
    assert dg.DagsterRunStatus.SUCCESS == fleet.end(retry)


def test_lost_results_are_no_lost_run(fleet: Fleet) -> None:
    """FLUSHALL of Redis under a living run: asked, its worker still has it; nothing is tried beside it."""
    run_id = fleet.submit()
    fleet.begins(run_id)
    with redis.Redis.from_url(fleet.redis.url()) as client:
        client.flushall()
    assert fleet.stays(run_id, 14)
    assert dg.DagsterRunStatus.SUCCESS == fleet.end(run_id)
    assert 0 == fleet.runs.retries(run_id)


@pytest.mark.parametrize("keeps_data", [True, False], ids=["with its data", "without its data"])
def test_a_run_goes_on_while_redis_is_away(fleet: Fleet, keeps_data: bool) -> None:
    """Killed for 12 s in mid-run: the run is neither failed nor doubled; what was asked for meanwhile waits in
    Dagster's queue, and begins within 60 s of the return."""
    run_id = fleet.submit()
    fleet.begins(run_id)
    fleet.redis.kill()
    waiting = fleet.submit()
    assert fleet.stays(run_id, 12)
    assert 0 == fleet.beats(waiting)
    fleet.redis.keeps_data = keeps_data
    fleet.redis.start()
    back_at = time.monotonic()
    fleet.begins(waiting, 60)
    print(f"\nRedis back: the next run begins after {time.monotonic() - back_at:.0f} s")
    assert fleet.stays(run_id, 12)
    assert dg.DagsterRunStatus.SUCCESS == fleet.end(run_id)
    assert dg.DagsterRunStatus.SUCCESS == fleet.end(waiting)
    assert 0 == fleet.runs.retries(run_id) + fleet.runs.retries(waiting)


def test_runs_wait_for_workers_instead_of_failing(fleet: Fleet) -> None:
    """Every worker off: what is asked for stays in the queue, and begins when one is back."""
    for machine in fleet.workers.values():
        machine.kill()
    run_id = fleet.submit()
    time.sleep(12)
    # STARTING while it is asked who is there
    assert fleet.runs.status(run_id) in (dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTING)
    for machine in fleet.workers.values():
        machine.start()
    fleet.begins(run_id, 60)
    assert dg.DagsterRunStatus.SUCCESS == fleet.end(run_id)
    assert 0 == fleet.runs.retries(run_id)


def test_a_lane_has_one_run_at_a_time(fleet: Fleet) -> None:
    """Two runs of one lane: the second waits in the queue; another lane's does not."""
    first, second = fleet.submit({"ecauto/lane": "a"}), fleet.submit({"ecauto/lane": "a"})
    other = fleet.submit({"ecauto/lane": "b"})
    fleet.begins(first)
    fleet.begins(other)
    assert dg.DagsterRunStatus.QUEUED == fleet.runs.status(second)
    assert dg.DagsterRunStatus.SUCCESS == fleet.end(first)
    assert dg.DagsterRunStatus.SUCCESS == fleet.end(other)
    fleet.begins(second)
    assert dg.DagsterRunStatus.SUCCESS == fleet.end(second)


def test_postgresql_s_restart_leads_to_a_retry(fleet: Fleet) -> None:
    """Killed for 5 s in mid-run: the run that lost its connection fails, the work goes on within 60 s of the return,
    and the daemon, which lost it too, is there without a person."""
    run_id = fleet.submit({"asks_postgresql": "yes"})
    fleet.begins(run_id)
    fleet.postgresql.kill()
    time.sleep(5)
    fleet.postgresql.start()
    back_at = time.monotonic()
    assert dg.DagsterRunStatus.FAILURE == fleet.runs.over(run_id, 60)
    retry = fleet.runs.retry_of(run_id, 60)
    fleet.begins(retry)
    after_s = time.monotonic() - back_at
    print(f"\nPostgreSQL back: the work goes on after {after_s:.0f} s")
    assert dg.DagsterRunStatus.SUCCESS == fleet.end(retry)
    assert after_s < 60
