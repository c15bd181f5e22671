"""Runs on workers of their own machines, while what they stand on dies: Redis, PostgreSQL, a process, a machine, a
message on its way.

Real servers, real Celery workers, Dagster's own daemon; deploy/dagster.yaml with shorter times. The job is a small one.
Not for: shops (test_deaths.py).
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import dagster as dg
import pytest
import redis
from dagster._core.events import DagsterEvent, DagsterEventType

from proofs.fleet.servers import wait_for
from proofs.fleet.worker_fleet import AT_LAST_S, WorkerFleet


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerFleet]:
    """One for all of them: what a test kills, it starts again."""
    with ExitStack() as stack:
        yield WorkerFleet(tmp_path_factory.mktemp("fleet"), stack)


@pytest.fixture(scope="module")
def tried_once() -> list[str]:
    """Runs that nothing must be tried beside; asked about in the end, when Dagster has had all the time it wants."""
    return []


def test_a_terminated_run_is_canceled(fleet: WorkerFleet, tried_once: list[str]) -> None:
    """Terminate in the UI is a person's word: the process ends, CANCELED stands, no retry follows."""
    run_id = fleet.submit()
    fleet.begins(run_id)
    assert fleet.runs.instance.run_coordinator.cancel_run(run_id)
    assert dg.DagsterRunStatus.CANCELED == fleet.runs.over(run_id)
    assert not fleet.still_works(run_id, within_s=2.0)
    tried_once.append(run_id)


def test_a_dead_process_is_seen_and_its_run_tried_again(fleet: WorkerFleet) -> None:
    """-9 of the process that works: FAILURE within seconds, a new run does the work."""
    run_id = fleet.submit()
    fleet.begins(run_id)
    fleet.process_of(run_id).send_signal(signal.SIGKILL)
    killed_at = time.monotonic()
    assert dg.DagsterRunStatus.FAILURE == fleet.runs.over(run_id)
    retry = fleet.runs.retry_of(run_id)
    print(f"\ndead process: its work goes on after {fleet.goes_on(retry, killed_at):.0f} s")
    assert dg.DagsterRunStatus.SUCCESS == fleet.end(retry)


def test_a_dead_machine_is_seen_and_its_run_goes_on_elsewhere(fleet: WorkerFleet) -> None:
    """-9 of everything on it, and it stays off: FAILURE after three rounds of questions, the other machine works."""
    run_id = fleet.submit()
    fleet.begins(run_id)
    dead = fleet.where(run_id)
    dead.kill()
    killed_at = time.monotonic()
    assert dg.DagsterRunStatus.FAILURE == fleet.runs.over(run_id)
    retry = fleet.runs.retry_of(run_id)
    print(f"\ndead machine: its work goes on after {fleet.goes_on(retry, killed_at):.0f} s")
    assert dead is not fleet.where(retry)
    dead.start()
    assert dg.DagsterRunStatus.SUCCESS == fleet.end(retry)


def test_lost_results_are_no_lost_run(fleet: WorkerFleet, tried_once: list[str]) -> None:
    """FLUSHALL of Redis under a living run: asked, its worker still has it; nothing is tried beside it."""
    run_id = fleet.submit()
    fleet.begins(run_id)
    with redis.Redis.from_url(fleet.redis.url()) as client:
        client.flushall()
    assert fleet.stays(run_id)
    assert dg.DagsterRunStatus.SUCCESS == fleet.end(run_id)
    tried_once.append(run_id)


@pytest.mark.parametrize("keeps_data", [True, False], ids=["with its data", "without its data"])
def test_a_run_goes_on_while_redis_is_away(fleet: WorkerFleet, tried_once: list[str], keeps_data: bool) -> None:
    """Killed in mid-run: Dagster goes on looking at the run, which is neither failed nor doubled; what was asked for
    meanwhile waits in Dagster's queue, and begins within 60 s of the return."""
    run_id = fleet.submit()
    fleet.begins(run_id)
    fleet.redis.kill()
    waiting = fleet.submit()
    assert fleet.stays(run_id)
    assert 0 == fleet.beats(waiting)
    fleet.redis.keeps_data = keeps_data
    fleet.redis.start()
    back_at = time.monotonic()
    print(f"\nRedis back: the next run begins after {fleet.goes_on(waiting, back_at):.0f} s")
    assert fleet.stays(run_id)
    assert dg.DagsterRunStatus.SUCCESS == fleet.end(run_id)
    assert dg.DagsterRunStatus.SUCCESS == fleet.end(waiting)
    tried_once += [run_id, waiting]


def test_runs_wait_for_workers_instead_of_failing(fleet: WorkerFleet, tried_once: list[str]) -> None:
    """Every worker off: what is asked for stays in the queue, and begins when one is back."""
    for machine in fleet.workers.values():
        machine.kill()
    run_id = fleet.submit()
    wait_for(lambda: fleet.runs.refusals(run_id) >= 2, AT_LAST_S, "the run to be refused twice")
    for machine in fleet.workers.values():
        machine.start()
    back_at = time.monotonic()
    print(f"\nworkers back: a run begins after {fleet.goes_on(run_id, back_at):.0f} s")
    assert dg.DagsterRunStatus.SUCCESS == fleet.end(run_id)
    tried_once.append(run_id)


def test_a_busy_worker_keeps_no_run_from_one_that_is_free(fleet: WorkerFleet, tried_once: list[str]) -> None:
    """Where every worker has a run the next one waits in Dagster's queue, for whichever worker is free first; it used
    to be taken by one at work, and to wait there for its end."""
    away, *_ = fleet.workers.values()
    away.kill()
    first = fleet.submit()
    fleet.begins(first)
    second = fleet.submit()
    wait_for(lambda: fleet.runs.refusals(second) >= 1, AT_LAST_S, "the run to be refused")
    away.start()
    fleet.begins(second)
    assert fleet.still_works(first)
    assert away is fleet.where(second)
    assert {dg.DagsterRunStatus.SUCCESS} == {fleet.end(run_id) for run_id in (first, second)}
    tried_once += [first, second]


def test_a_run_that_was_lost_on_its_way_is_tried_again(fleet: WorkerFleet) -> None:
    """Handed out, and nobody has it: Redis lost the message, or the daemon died before it sent it. Within 60 s its work
    is done by another; Dagster alone would have waited two minutes."""
    run_id = fleet.runs.prepare("working")
    handed_out = DagsterEvent(DagsterEventType.PIPELINE_STARTING.value, job_name="working")
    fleet.runs.instance.report_dagster_event(handed_out, run_id)
    lost_at = time.monotonic()
    assert dg.DagsterRunStatus.FAILURE == fleet.runs.over(run_id)
    retry = fleet.runs.retry_of(run_id)
    print(f"\nlost on its way: its work goes on after {fleet.goes_on(retry, lost_at):.0f} s")
    assert dg.DagsterRunStatus.SUCCESS == fleet.end(retry)


def test_a_run_whose_machine_died_before_it_began_is_done_within_a_minute(fleet: WorkerFleet) -> None:
    """-9 of all workers while the run is on its way to one of them: it lies in Redis still, or it is tried again."""
    run_id = fleet.submit()
    wait_for(lambda: fleet.runs.status(run_id) == dg.DagsterRunStatus.STARTING, AT_LAST_S, "the run to be handed out")
    for machine in fleet.workers.values():
        machine.kill()
    for machine in fleet.workers.values():
        machine.start()
    back_at = time.monotonic()
    wait_for(lambda: fleet.beats(run_id) > 0 or fleet.runs.retries(run_id) > 0, AT_LAST_S, "it to go on")
    at_work = run_id if fleet.beats(run_id) else fleet.runs.retry_of(run_id)
    took_s, how = fleet.goes_on(at_work, back_at), "as it was" if at_work == run_id else "tried again"
    print(f"\ndead before it began: its work goes on after {took_s:.0f} s, {how}")
    assert dg.DagsterRunStatus.SUCCESS == fleet.end(at_work)


def test_a_lane_has_one_run_at_a_time(fleet: WorkerFleet, tried_once: list[str]) -> None:
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
    tried_once += [first, second, other]


def test_postgresql_s_restart_leads_to_a_retry(fleet: WorkerFleet) -> None:
    """Killed for 5 s in mid-run: the run that lost its connection fails, the work goes on within 60 s of the return,
    and the daemon, which lost it too, is there without a person."""
    run_id = fleet.submit({"asks_postgresql": "yes"})
    fleet.begins(run_id)
    fleet.postgresql.kill()
    time.sleep(5)
    fleet.postgresql.start()
    back_at = time.monotonic()
    assert dg.DagsterRunStatus.FAILURE == fleet.runs.over(run_id)
    retry = fleet.runs.retry_of(run_id)
    print(f"\nPostgreSQL back: the work goes on after {fleet.goes_on(retry, back_at):.0f} s")
    assert dg.DagsterRunStatus.SUCCESS == fleet.end(retry)


def test_a_worker_that_is_asked_to_end_ends_after_its_run(fleet: WorkerFleet, tried_once: list[str]) -> None:
    """SIGTERM, as of an upgrade: the run goes on to its own end, the next one begins on the other machine."""
    run_id = fleet.submit()
    fleet.begins(run_id)
    machine = fleet.where(run_id)
    stopping = threading.Thread(target=machine.stop, args=(3 * AT_LAST_S,), daemon=True)
    stopping.start()
    after = fleet.submit()
    fleet.begins(after)
    assert machine is not fleet.where(after)
    assert fleet.still_works(run_id)
    assert stopping.is_alive()
    for one in (run_id, after):
        assert dg.DagsterRunStatus.SUCCESS == fleet.end(one)
        tried_once.append(one)
    stopping.join(AT_LAST_S)
    assert [] == list(machine.processes())
    machine.start()


def test_nothing_was_tried_beside_a_run_that_did_not_fail(fleet: WorkerFleet, tried_once: list[str]) -> None:
    """Of all that went before: canceled, or ended well, once."""
    assert dict.fromkeys(tried_once, 0) == {run_id: fleet.runs.retries(run_id) for run_id in tried_once}
